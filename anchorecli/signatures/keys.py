"""Public keys: read, named, and asked whether they made a signature.

Format: PEM with SubjectPublicKeyInfo (RFC 5280; Ed25519: RFC 8410), as cosign, openssl and KMS print them. Signatures:
Ed25519 over the message (RFC 8032); ECDSA in DER with SHA-256, SHA-384 or SHA-512 (cosign takes SHA-256 for every
curve, sigstore's later clients the curve's own); RSA PKCS #1 v1.5 or PSS with the same digests. Not handled: Ed25519ph.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from anchorecli.errors import UsageError

if TYPE_CHECKING:
    from anchorecli.signatures.claims import Proof

MAX_PEM = 1 << 16
_KEY = re.compile(r"-----BEGIN (?:RSA )?PUBLIC KEY-----[A-Za-z0-9+/=\s]{1,10000}-----END (?:RSA )?PUBLIC KEY-----")
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]{1,20000}-----END CERTIFICATE-----")
_SMALLEST_RSA = 2048
_HASHES = ("SHA256", "SHA384", "SHA512")


def blocks(pem: str) -> tuple[str, ...]:
    """The public keys in a text, each as it stands there."""
    return tuple(_KEY.findall(pem))


def certificate_blocks(pem: str) -> tuple[str, ...]:
    """The certificates in a text."""
    return tuple(_CERTIFICATE.findall(pem))


def keys_fault(pem: str) -> str:
    """What is wrong with a text that should hold public keys; empty where nothing is.

    Without ``cryptography`` only the form is looked at.
    """
    if "PRIVATE KEY" in pem:
        return "holds a private key: name the public one, and treat the private one as lost"
    found = blocks(pem)
    if not found:
        return "holds no public key (PEM)"
    try:
        load(pem)
    except ValueError as error:
        return f"holds a public key that cannot be used: {error}"
    except UsageError:
        return ""
    return ""


@lru_cache(maxsize=64)
def load(pem: str) -> tuple[Any, ...]:
    """The keys of a text. Raises: ValueError for one that cannot be used, UsageError without ``cryptography``."""
    serialization = library().serialization
    from cryptography.exceptions import UnsupportedAlgorithm

    found = []
    for block in blocks(pem):
        try:
            key = serialization.load_pem_public_key(block.encode())
        except (ValueError, UnsupportedAlgorithm) as error:
            raise ValueError(str(error)[:200]) from None
        if fault := _weakness(key):
            raise ValueError(fault)
        found.append(key)
    return tuple(found)


def made_by(key: Any, proof: Proof) -> bool:
    """Whether a key made a proof's signature."""
    if proof.message:
        return signed_by(key, proof.signature, proof.message)
    return signed_digest(key, proof.signature, proof.digest)


def signed_by(key: Any, signature: bytes, message: bytes) -> bool:
    """Whether a key made a signature of a message."""
    crypto = library()
    if isinstance(key, crypto.ed25519.Ed25519PublicKey):
        return _holds(key.verify, signature, message)
    hashes = [getattr(crypto.hashes, name)() for name in _HASHES]
    return any(_made_with(key, signature, message, each, each) for each in hashes)


def signed_digest(key: Any, signature: bytes, digest: bytes) -> bool:
    """Whether a key made a signature of the message of a SHA-256; never so for Ed25519, which needs the message."""
    crypto = library()
    hashed = crypto.hashes.SHA256()
    return _made_with(key, signature, digest, crypto.utils.Prehashed(hashed), hashed)


def _made_with(key: Any, signature: bytes, message: bytes, algorithm: Any, hashed: Any) -> bool:
    crypto = library()
    if isinstance(key, crypto.ec.EllipticCurvePublicKey):
        return _holds(key.verify, signature, message, crypto.ec.ECDSA(algorithm))
    if not isinstance(key, crypto.rsa.RSAPublicKey):
        return False
    pss = crypto.padding.PSS(crypto.padding.MGF1(hashed), crypto.padding.PSS.AUTO)
    return any(_holds(key.verify, signature, message, each, algorithm) for each in (crypto.padding.PKCS1v15(), pss))


def _holds(verify: Any, *arguments: Any) -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    try:
        verify(*arguments)
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        return False
    return True


def _weakness(key: Any) -> str:
    crypto = library()
    if isinstance(key, crypto.rsa.RSAPublicKey):
        return "" if key.key_size >= _SMALLEST_RSA else f"RSA of {key.key_size} bits is too weak"
    known = (crypto.ed25519.Ed25519PublicKey, crypto.ec.EllipticCurvePublicKey)
    return "" if isinstance(key, known) else "Ed25519, ECDSA or RSA is wanted"


class _Library:
    """The parts of ``cryptography`` that are used here."""

    def __init__(self) -> None:
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

        self.hashes, self.serialization = hashes, serialization
        self.ec, self.ed25519, self.padding, self.rsa, self.utils = ec, ed25519, padding, rsa, utils


@lru_cache(maxsize=1)
def library() -> Any:
    """``cryptography``, which is only needed where something is checked. Raises: UsageError where it is missing."""
    try:
        return _Library()
    except ImportError as error:
        import sys

        hint = f"{sys.executable} -m pip install cryptography"
        raise UsageError("signatures need the package cryptography, which is not installed", hint=hint) from error
