"""Whom a bundle trusts: signers by their public keys, or by certificates of an authority it names."""

from __future__ import annotations

from typing import NamedTuple


class Signer(NamedTuple):
    """One signer, under the name that rules and reports use.

    Either ``keys`` (PEM, public keys of which any may have signed), or ``roots`` (PEM, certificates of authorities)
    with who a certificate must say has signed: ``identity``, a wildcard over its subject alternative names, and
    ``issuer``, who had vouched for the identity (Fulcio's extension), or empty. ``log`` holds the public keys of a
    transparency log (Rekor) that tells when something was signed; without it certificates must be valid when they are
    looked at.
    """

    id: str
    keys: str = ""
    roots: str = ""
    identity: str = ""
    issuer: str = ""
    log: str = ""
    line: int = 0
    comment: str = ""


class Trust(NamedTuple):
    """``signers`` are those whose signatures count; ``vex`` names those whose VEX statements are believed too."""

    signers: tuple[Signer, ...] = ()
    vex: tuple[str, ...] = ()


NO_TRUST = Trust()
