"""The certificates and keys in a file: PEM blocks, or one of the containers that hold several.

Format: see ``certificates.py``.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from typing import NamedTuple

from anchorecli.analyzers.demand.der import INTEGER, OID, SEQUENCE, element, oid
from anchorecli.analyzers.demand.x509 import Described, certificate, private_key
from anchorecli.values import dataclass, field

MAX_FOUND = 2000
"""Certificates, and keys, of one file."""
MAX_BLOCK = 128 * 1024
"""Bytes of one PEM block: no certificate or key is as long."""
LEAST_KEY = 40
"""Bytes of the shortest private key that is one: a PKCS#8 document with 32 random bytes has 48, with 25 has 41."""

_BEGIN = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----")
_CERTIFICATES = frozenset((b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE"))
_KEY = b"PRIVATE KEY"
_OPENSSH = b"openssh-key-v1\0"
_JKS, _JCEKS = b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce"
_SIGNED_DATA, _DATA = "1.2.840.113549.1.7.2", "1.2.840.113549.1.7.1"
_KEY_BAGS = (bytes.fromhex("060b2a864886f70d010c0a0101"), bytes.fromhex("060b2a864886f70d010c0a0102"))
"""Object identifiers of PKCS#12's keyBag and pkcs8ShroudedKeyBag, 1.2.840.113549.1.12.10.1.1 and .2."""


class Key(NamedTuple):
    """A private key: line of its file (1 in a container), kind, and whether a password protects it."""

    line: int
    kind: str
    encrypted: bool


@dataclass(slots=True)
class Findings:
    """What a file holds, and what of it could not be read."""

    certificates: list[Described] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def pem(data: bytes) -> Findings:
    """The PEM blocks of a file; other texts between them are what many bundles have."""
    found = Findings()
    line = position = bad = 0
    for match in _BEGIN.finditer(data):
        label = match[1]
        if label not in _CERTIFICATES and not label.endswith((_KEY, b"PRIVATE KEY BLOCK")):
            continue
        line += data.count(b"\n", position, match.start())
        position = match.start()
        end = data.find(b"-----END ", match.end(), match.end() + MAX_BLOCK)
        if max(len(found.certificates), len(found.keys)) >= MAX_FOUND:
            found.faults.append(f"more than {MAX_FOUND} certificates or keys")
            break
        body = data[match.end() : end] if end >= 0 else b""
        if label in _CERTIFICATES:
            try:
                found.certificates.append(certificate(a2b_base64(body)))
            except ValueError:
                bad += 1
        elif (key := _pem_key(label, body, line + 1)) is not None:
            found.keys.append(key)
    if bad:
        found.faults.append(f"{bad} certificates are damaged")
    return found


def containers(data: bytes) -> Findings:
    """What is in DER, or in a container; nothing for other files."""
    found = Findings()
    try:
        if data[:4] in (_JKS, _JCEKS):
            _java(data, found)
        elif data[:1] == b"\x30":
            _der(data, found)
    except ValueError as error:
        found.faults.append(str(error))
    return found


# ── kinds ───────────────────────────────────────────────────────────────────────────────────────────────────


def _pem_key(label: bytes, body: bytes, line: int) -> Key | None:
    """A private key in PEM; None for what a document shows as an example."""
    if label.startswith(b"PGP"):
        return Key(line, "PGP", False) if len(body) >= LEAST_KEY else None
    if b"Proc-Type: 4,ENCRYPTED" in body[:200]:
        return Key(line, label.removesuffix(_KEY).decode().strip(), True)
    try:
        content = a2b_base64(body)
        if content.startswith(_OPENSSH):
            return _openssh(content, line)
        kind = private_key(content)
    except ValueError:
        return None
    return Key(line, kind, kind == "encrypted") if len(content) >= LEAST_KEY else None


def _openssh(data: bytes, line: int) -> Key:
    """Cipher and kind stand before what is secret. Raises ValueError where they do not."""
    at, texts = len(_OPENSSH), []
    for _ in range(3):
        text, at = _counted(data, at, 4)
        texts.append(text)
    public, _ = _counted(data, at + 4, 4)
    kind, _ = _counted(public, 0, 4)
    return Key(line, kind[:60].decode("ascii", "replace"), texts[0] != b"none")


def _der(data: bytes, found: Findings) -> None:
    """A certificate, a key, PKCS#7 or PKCS#12. What is none of them is left alone, however it is called."""
    try:
        outer = element(data)
        fields = outer.sequence()
    except ValueError:
        # Nothing says that it was meant to be DER, but for names that other things have too.
        return
    tags = [each.tag for each in fields[:3]]
    if tags[:1] == [OID] and oid(fields[0].content) == _SIGNED_DATA:
        _pkcs7(data, found)
    elif tags[:2] == [INTEGER, SEQUENCE] and fields[0].content == b"\3":
        _pkcs12(data, found)
    elif tags == [SEQUENCE, SEQUENCE, 0x03]:
        found.certificates.append(certificate(data))
    else:
        try:
            kind = private_key(data)
        except ValueError:
            return
        if len(data) >= LEAST_KEY:
            found.keys.append(Key(1, kind, kind == "encrypted"))


def _pkcs7(data: bytes, found: Findings) -> None:
    content = element(data).sequence()[1:]
    signed = content[0].sequence(0xA0)[0].sequence() if content else []
    for each in (part for part in signed if part.tag == 0xA0):
        found.certificates += (certificate(data, one.start) for one in each.inside()[:MAX_FOUND] if one.tag == SEQUENCE)


def _pkcs12(data: bytes, found: Findings) -> None:
    """Bags of keys can be seen though the keys are encrypted; certificates usually cannot."""
    holder = element(data).sequence()[1].sequence()
    if holder and holder[0].tag == OID and oid(holder[0].content) == _DATA and any(bag in data for bag in _KEY_BAGS):
        found.keys.append(Key(1, "PKCS#12", True))


def _java(data: bytes, found: Findings) -> None:
    """Entries of a Java key store: 1 for a private key with its chain, 2 for a trusted certificate."""
    version, count = _number(data, 4, 4), _number(data, 8, 4)
    at = 12
    for _ in range(min(count, MAX_FOUND)):
        tag = _number(data, at, 4)
        _, at = _counted(data, at + 4, 2)
        at += 8  # when it was added
        if tag == 1:
            _, at = _counted(data, at, 4)
            found.keys.append(Key(1, "Java key store", True))
            chain = min(_number(data, at, 4), MAX_FOUND)
            at = _chain(data, at + 4, (version, chain), found)
        elif tag == 2:
            at = _chain(data, at, (version, 1), found)
        else:
            raise ValueError("a key store with an entry of a kind that is not known: what follows was not read")
    if count > MAX_FOUND:
        raise ValueError(f"a key store of {count} entries (limit {MAX_FOUND})")


def _chain(data: bytes, at: int, form: tuple[int, int], found: Findings) -> int:
    """Certificates of an entry, for (version, number); returns where they end."""
    version, number = form
    for _ in range(number):
        if version == 2:
            _, at = _counted(data, at, 2)
        each, at = _counted(data, at, 4)
        found.certificates.append(certificate(each))
    return at


def _counted(data: bytes, at: int, width: int) -> tuple[bytes, int]:
    """Bytes with their number before them, and where they end. Raises ValueError where they are not all there."""
    start = at + width
    end = start + _number(data, at, width)
    if len(data) < end:
        raise ValueError("cut short")
    return data[start:end], end


def _number(data: bytes, at: int, width: int) -> int:
    if len(data) < at + width:
        raise ValueError("cut short")
    return int.from_bytes(data[at : at + width], "big")
