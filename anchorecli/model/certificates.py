"""Certificates and private keys in an image: whose, until when, of what kind, and where."""

from __future__ import annotations

from anchorecli.model.base import DiffId, ImagePath
from anchorecli.values import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Certificate:
    """An X.509 certificate in a file. Times are RFC 3339 UTC.

    ``number`` is its place in the file, from 1; ``serial`` and ``fingerprint`` (sha256) are hexadecimal; ``authority``
    says that it may sign others, ``self_signed`` that it names itself as issuer. ``key`` is ``RSA``, ``EC P-256``,
    ``Ed25519`` …, ``key_bits`` 0 where the kind says it all, ``signature`` ``sha256WithRSA``.
    """

    path: ImagePath
    number: int
    subject: str
    issuer: str
    serial: str
    not_before: str
    not_after: str
    self_signed: bool
    authority: bool
    key: str
    key_bits: int
    signature: str
    fingerprint: str
    layer: DiffId = DiffId("")


@dataclass(frozen=True, slots=True, order=True)
class CertificateStore:
    """Certificates that are counted, not listed: a bundle of roots, or a directory of them.

    ``first_end`` and ``last_end`` are when the first and the last of them ends (RFC 3339 UTC).
    """

    path: ImagePath
    count: int
    first_end: str
    last_end: str
    layer: DiffId = DiffId("")


@dataclass(frozen=True, slots=True, order=True)
class PrivateKey:
    """A private key in a file: never the key. ``kind`` is ``RSA``, ``EC P-256``, ``ssh-ed25519``, ``PKCS#12`` …, and
    ``encrypted`` where it does not tell; ``line`` is 1-based. ``encrypted``: a password protects it.
    ``owner`` is, as ``Secret`` has it, the purl of the distribution's package that brought it: such a key is public."""

    path: ImagePath
    line: int
    kind: str
    encrypted: bool
    layer: DiffId = DiffId("")
    owner: str = ""
