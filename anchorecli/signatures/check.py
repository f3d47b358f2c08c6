"""What hangs on an image, checked against the signers a bundle trusts. Pure: equal inputs give equal answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from anchorecli.model import Attached, AttachedKind, Attachment, Check, Checked, Image
from anchorecli.signatures.claims import Claim, Proof, claims
from anchorecli.signatures.values import Signer, Trust

_NOBODY = "none of the bundle's signers made it"
_NO_SIGNERS = "the bundle names no signers"


class Found(NamedTuple):
    """One thing after the check, with what it says: the bytes of a document, or of an attestation's predicate."""

    checked: Checked
    content: bytes = b""


def check(attached: Attached, trust: Trust, image: Image, now: str) -> tuple[Found, ...]:
    """Everything that hangs on the image itself. ``now`` is RFC 3339 UTC.

    Order: as it is attached. Raises: UsageError where there is something to check and ``cryptography`` is missing.
    """
    own = frozenset((image.digest, image.index_digest)) - {""}
    checker = _Checker(trust, now)
    on: dict[str, list[Claim]] = {}
    for item in attached.items:
        on.setdefault(item.subject, []).extend(claims(item))
    found: list[Found] = []
    for item in attached.items:
        if item.subject in own:
            made = claims(item)
            found += [checker.claim(each, item, own) for each in made]
            if not made:
                found.append(checker.document(item, own, on.get(item.manifest, ())))
    return tuple(found)


class _Checker:
    """Asks each signer."""

    def __init__(self, trust: Trust, now: str) -> None:
        self._signers = trust.signers
        self._now = now

    def claim(self, claim: Claim, item: Attachment, own: frozenset[str]) -> Found:
        """A signature or an attestation."""
        signer, result, note = self._judged(claim, own)
        identity = next((who for proof in claim.proofs if (who := _identity(proof))), "")
        checked = Checked(claim.kind, item.blob, result, signer, claim.predicate_type, identity, note)
        said = claim.predicate is not None and claim.kind is AttachedKind.ATTESTATION
        return Found(checked, json.dumps(claim.predicate, sort_keys=True).encode() if said else b"")

    def document(self, item: Attachment, own: frozenset[str], about: Iterable[Claim]) -> Found:
        """A document, believed for a signature of the manifest that binds it to the image."""
        kind = item.media_type if "json" not in item.artifact_type else item.artifact_type
        signer, result, note = "", Check.UNCHECKED, "it is not signed"
        if item.document and _binds(item, own):
            for claim in about:
                signer, result, note = self._judged(claim, frozenset((item.manifest,)))
                if result is Check.VERIFIED:
                    break
        elif item.document:
            note = "nothing binds it to the image"
        return Found(Checked(AttachedKind.DOCUMENT, item.blob, result, signer, kind, note=note), item.content)

    def _judged(self, claim: Claim, own: frozenset[str]) -> tuple[str, Check, str]:
        """Who signed a claim, what came of the check, and why it is not verified."""
        if claim.fault:
            return "", Check.UNCHECKED, claim.fault
        if own.isdisjoint(claim.subjects):
            about = claim.subjects[0] if claim.subjects else "nothing"
            return "", Check.WRONG, f"it is about {about[:100]}, not about this image"
        reasons = []
        for signer in self._signers:
            for proof in claim.proofs:
                why = _refusal(proof, signer, self._now)
                if not why:
                    return signer.id, Check.VERIFIED, ""
                reasons.append(f"{signer.id}: {why}")
        told = [each for each in reasons if not each.endswith(_NOBODY)]
        note = "; ".join(dict.fromkeys(told)) or (_NOBODY if self._signers else _NO_SIGNERS)
        return "", Check.UNCHECKED, note


def _refusal(proof: Proof, signer: Signer, now: str) -> str:
    """Why a signature is not a signer's; empty where it is."""
    from anchorecli.signatures.keys import load, made_by

    if signer.keys:
        return "" if any(made_by(key, proof) for key in load(signer.keys)) else _NOBODY
    if not proof.certificates:
        return _NOBODY
    from anchorecli.signatures.certificates import refusal

    return refusal(proof, signer, now)


def _identity(proof: Proof) -> str:
    if not proof.certificates:
        return ""
    try:
        from anchorecli.signatures.certificates import identity_of

        return identity_of(proof)
    except ImportError:  # without cryptography a certificate cannot be read
        return ""


def _binds(item: Attachment, own: frozenset[str]) -> bool:
    """Whether an artifact's manifest, which is what would be signed, names the image and the document."""
    manifest = json.loads(item.document)
    subject = _map(_map(manifest).get("subject")).get("digest")
    layers = _map(manifest).get("layers")
    blobs = {_map(each).get("digest") for each in layers} if isinstance(layers, list) else set()
    return subject in own and item.blob in blobs


def _map(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
