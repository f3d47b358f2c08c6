"""Signatures of offline feed files: who made one, and whether that is somebody trusted here.

Format: Ed25519 (RFC 8032) over the text ``anchore-feeds-v1:`` and the hex digest of the manifest without its
signatures. Keys are PEM: PKCS #8 (RFC 5958) for the private, SubjectPublicKeyInfo (RFC 8410) for the public one, so
``openssl pkey`` reads both. A key is named by the SHA-256 of its SubjectPublicKeyInfo in DER; a name only says which
key to try.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anchorecli.errors import FeedError, UsageError
from anchorecli.feeds.offline.manifest import Manifest, Signature
from anchorecli.values import dataclass

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_CONTEXT = "anchore-feeds-v1:"
_MAX_KEYS = 1 << 16
_PEM = re.compile(rb"-----BEGIN PUBLIC KEY-----[^-]{1,10000}-----END PUBLIC KEY-----")
_NOTHING = "nothing was imported"


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose files are taken: ``keys`` are files of public keys; ``required``: no file without a signature of theirs.

    Without ``required`` an unsigned file is taken, but one that is signed and not by any of ``keys`` is not.
    """

    keys: tuple[str, ...] = ()
    required: bool = False

    def check(self, path: Path, manifest: Manifest) -> None:
        """Raises: FeedError where the file is not to be trusted, UsageError where there are no keys to tell by."""
        if not self.keys:
            if self.required:
                hint = "name the public key: --trust FILE, or feeds.trusted-keys in the configuration"
                raise UsageError("a signature is required and no key is trusted", hint=hint)
            return
        trusted = load_public(self.keys)
        if not manifest.signatures:
            if self.required:
                hint = f"sign it where it is made (feeds export --sign KEY); {_NOTHING}"
                raise FeedError(f"{path} is not signed", hint=hint)
            return
        known = [each for each in manifest.signatures if each.key in trusted]
        if not known:
            names = ", ".join(each.key[:16] for each in manifest.signatures)
            hint = f"if that key is to be trusted, name its public key with --trust; {_NOTHING}"
            raise FeedError(f"{path} is signed by a key that is not trusted: {names}", hint=hint)
        if not any(_holds(trusted[each.key], each, manifest.signed) for each in known):
            hint = f"it was changed after it had been signed, or its signature was made up; {_NOTHING}"
            raise FeedError(f"{path}: the signature by {known[0].key[:16]} is wrong", hint=hint)


NO_TRUST = Trust()


def generate(private: Path, public: Path) -> str:
    """Make a pair of keys, each in a new file, the private one for its owner alone; gives the key's name.

    Raises: FeedError where a file is there already or cannot be written.
    """
    serialization, ed25519 = _library()
    key = ed25519.Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _new(private, pem, 0o600)
    try:
        _new(public, _pem(key.public_key()), 0o644)
    except FeedError:
        private.unlink()
        raise
    return _name(key.public_key())


class Signer:
    """Signs manifests with the private key in a file. Raises: FeedError where there is no usable key in it."""

    def __init__(self, path: Path) -> None:
        self._key = _private(path)
        self.name = _name(self._key.public_key())

    def __call__(self, digest: str) -> Signature:
        """The signature of a manifest's digest."""
        return Signature(self.name, self._key.sign(_message(digest)).hex())


def load_public(paths: Iterable[str]) -> dict[str, Ed25519PublicKey]:
    """The public keys in some files, of which each may hold several, by name.

    Raises: FeedError where a file has none, or one of another kind.
    """
    serialization, ed25519 = _library()
    found: dict[str, Ed25519PublicKey] = {}
    for path in paths:
        blocks = _PEM.findall(_content(Path(path)))
        for block in blocks:
            try:
                key = serialization.load_pem_public_key(block)
            except ValueError as error:
                raise FeedError(f"{path}: no public key: {error}", hint=_HINT) from error
            if not isinstance(key, ed25519.Ed25519PublicKey):
                raise FeedError(f"{path}: a key of another kind than Ed25519", hint=_HINT)
            found[_name(key)] = key
        if not blocks:
            raise FeedError(f"{path} holds no public key", hint=_HINT)
    return found


_HINT = "the file ending in .pub that anchore feeds keygen wrote is wanted"


def _private(path: Path) -> Ed25519PrivateKey:
    serialization, ed25519 = _library()
    content = _content(path)
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError) as error:
        hint = "the file that anchore feeds keygen wrote is wanted, without a password"
        raise FeedError(f"{path} holds no usable private key", hint=hint) from error
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise FeedError(f"{path}: a key of another kind than Ed25519", hint="make one with anchore feeds keygen")
    found: Ed25519PrivateKey = key
    return found


def _holds(key: Ed25519PublicKey, signature: Signature, digest: str) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(bytes.fromhex(signature.value), _message(digest))
    except (InvalidSignature, ValueError):
        return False
    return True


def _message(digest: str) -> bytes:
    return (_CONTEXT + digest).encode()


def _name(key: Ed25519PublicKey) -> str:
    serialization, _ = _library()
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return sha256(der).hexdigest()


def _pem(key: Ed25519PublicKey) -> bytes:
    serialization, _ = _library()
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_KEYS)
    except OSError as error:
        raise FeedError(f"{path} cannot be read: {error.strerror}", hint="check the path of the key") from error


def _new(path: Path, content: bytes, mode: int) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
    except OSError as error:
        hint = "name another file: a key is never overwritten"
        raise FeedError(f"{path} cannot be written: {error.strerror}", hint=hint) from error


def _library() -> tuple[Any, Any]:
    """``cryptography``, which is only needed here. Raises: UsageError where it is not installed."""
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as error:
        import sys

        hint = f"{sys.executable} -m pip install cryptography"
        raise UsageError("signatures need the package cryptography, which is not installed", hint=hint) from error
    return serialization, ed25519
