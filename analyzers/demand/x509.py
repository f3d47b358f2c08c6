"""What a certificate says of itself, and what kind of key a key is. No signature is verified, no secret kept.

Format: RFC 5280 (certificates), RFC 3279, 5480, 8410 and 9881 (algorithms and keys), RFC 5958 (PKCS#8), RFC 8017
(PKCS#1), RFC 5915 (EC keys); names as RFC 4514 writes them.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import NamedTuple

from anchorecli.analyzers.demand.der import (
    BIT_STRING,
    BOOLEAN,
    GENERALIZED_TIME,
    INTEGER,
    OCTET_STRING,
    OID,
    SEQUENCE,
    SET,
    UTC_TIME,
    Element,
    bits,
    element,
    oid,
)

MAX_TEXT = 256
"""Characters of one value in a name."""

_NAMES = {
    "2.5.4.3": "CN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "0.9.2342.19200300.100.1.25": "DC",
    "0.9.2342.19200300.100.1.1": "UID",
    "1.2.840.113549.1.9.1": "emailAddress",
}
_ENCODINGS = {0x14: "latin-1", 0x1E: "utf-16-be", 0x1C: "utf-32-be"}
_SPECIAL = re.compile(r'([\\,+"<>;])')

_RSA, _PSS, _DSA, _EC = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10", "1.2.840.10040.4.1", "1.2.840.10045.2.1"
_CURVES = {
    "1.2.840.10045.3.1.1": ("P-192", 192),
    "1.3.132.0.33": ("P-224", 224),
    "1.2.840.10045.3.1.7": ("P-256", 256),
    "1.3.132.0.34": ("P-384", 384),
    "1.3.132.0.35": ("P-521", 521),
    "1.3.132.0.10": ("secp256k1", 256),
    "1.3.36.3.3.2.8.1.1.7": ("brainpoolP256r1", 256),
    "1.3.36.3.3.2.8.1.1.11": ("brainpoolP384r1", 384),
    "1.3.36.3.3.2.8.1.1.13": ("brainpoolP512r1", 512),
}
_FIXED = {
    "1.3.101.110": ("X25519", 256),
    "1.3.101.111": ("X448", 448),
    "1.3.101.112": ("Ed25519", 256),
    "1.3.101.113": ("Ed448", 456),
    "2.16.840.1.101.3.4.3.17": ("ML-DSA-44", 0),
    "2.16.840.1.101.3.4.3.18": ("ML-DSA-65", 0),
    "2.16.840.1.101.3.4.3.19": ("ML-DSA-87", 0),
}
_SIGNATURES = {
    "1.2.840.113549.1.1.2": "md2WithRSA",
    "1.2.840.113549.1.1.4": "md5WithRSA",
    "1.2.840.113549.1.1.5": "sha1WithRSA",
    "1.3.14.3.2.29": "sha1WithRSA",
    "1.2.840.113549.1.1.14": "sha224WithRSA",
    "1.2.840.113549.1.1.11": "sha256WithRSA",
    "1.2.840.113549.1.1.12": "sha384WithRSA",
    "1.2.840.113549.1.1.13": "sha512WithRSA",
    _PSS: "RSASSA-PSS",
    "1.2.840.10040.4.3": "sha1WithDSA",
    "2.16.840.1.101.3.4.3.2": "sha256WithDSA",
    "1.2.840.10045.4.1": "sha1WithECDSA",
    "1.2.840.10045.4.3.1": "sha224WithECDSA",
    "1.2.840.10045.4.3.2": "sha256WithECDSA",
    "1.2.840.10045.4.3.3": "sha384WithECDSA",
    "1.2.840.10045.4.3.4": "sha512WithECDSA",
}
_BASIC_CONSTRAINTS, _KEY_ID, _AUTHORITY_KEY_ID = "2.5.29.19", "2.5.29.14", "2.5.29.35"
_TIME = re.compile(r"(\d{2}|\d{4})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])([0-5]\d)([0-5]\d|60)Z")


class Described(NamedTuple):
    """A certificate. Times are RFC 3339 UTC; ``key`` is ``RSA``, ``EC P-256``, ``Ed25519``, or an object identifier."""

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


def certificate(data: bytes, at: int = 0) -> Described:
    """The certificate that begins at a place. Raises ValueError where there is none."""
    outer = element(data, at)
    try:
        return _described(outer)
    except IndexError:
        raise ValueError("no certificate: a part is missing") from None


def name(value: Element) -> str:
    """A distinguished name, the most specific part first: ``CN=example.org,O=Example,C=CH``."""
    parts = []
    for group in value.sequence():
        pairs = (pair.sequence() for pair in group.sequence(SET))
        parts.append("+".join(f"{_attribute(kind)}={_text(text)}" for kind, text in pairs))
    return ",".join(reversed(parts))


def public_key(info: Element) -> tuple[str, int]:
    """Kind and bits of a SubjectPublicKeyInfo; 0 bits where the kind does not tell."""
    algorithm, key = info.sequence()[:2]
    kind, size = _algorithm(algorithm)
    if kind == "RSA" and key.tag == BIT_STRING:
        size = bits(element(key.data, key.at + 1, key.end).sequence()[0])
    return kind, size


def private_key(data: bytes) -> str:
    """The kind of a private key: ``RSA``, ``EC P-256`` … or ``encrypted``. Raises ValueError where it is none."""
    try:
        return _key_kind(data)
    except IndexError:
        raise ValueError("no private key: a part is missing") from None


# ── parts ───────────────────────────────────────────────────────────────────────────────────────────────────


def _described(outer: Element) -> Described:
    signed, *_ = outer.sequence()
    fields = signed.sequence()
    if fields and fields[0].tag == 0xA0:
        fields = fields[1:]
    if len(fields) < 6 or fields[0].tag != INTEGER:
        raise ValueError("no certificate")
    serial, algorithm, issuer, validity, subject, key = fields[:6]
    first, last = validity.sequence()
    said = _extensions(fields[6:])
    kind, size = public_key(key)
    return Described(
        name(subject),
        name(issuer),
        serial.content[:32].hex().lstrip("0") or "0",
        _time(first),
        _time(last),
        subject.whole == issuer.whole and _same_key(said),
        _is_authority(said, subject.whole == issuer.whole),
        kind,
        size,
        _signature(algorithm),
        sha256(outer.whole).hexdigest(),
    )


def _key_kind(data: bytes) -> str:
    fields = element(data).sequence()
    tags = [field.tag for field in fields[:9]]
    if tags[:3] == [INTEGER, SEQUENCE, OCTET_STRING] and fields[0].content in (b"\0", b"\1"):
        return _algorithm(fields[1])[0]
    if tags == [SEQUENCE, OCTET_STRING] and oid(fields[0].sequence()[0].content).startswith("1.2.840.113549.1."):
        return "encrypted"
    if tags == [INTEGER] * 9 and fields[0].content in (b"\0", b"\1"):
        return "RSA"
    if tags[:6] == [INTEGER] * 6 and len(fields) == 6:
        return "DSA"
    if tags[:2] == [INTEGER, OCTET_STRING] and fields[0].content == b"\1":
        curve = next((oid(each.inside()[0].content) for each in fields[2:] if each.tag == 0xA0), "")
        return f"EC {_CURVES[curve][0]}" if curve in _CURVES else "EC"
    raise ValueError("no private key")


def _algorithm(value: Element) -> tuple[str, int]:
    fields = value.sequence()
    if not fields or fields[0].tag != OID:
        raise ValueError("no algorithm")
    kind = oid(fields[0].content)
    if kind in (_RSA, _PSS):
        return "RSA", 0
    if kind == _DSA:
        return "DSA", bits(fields[1].sequence()[0]) if len(fields) > 1 and fields[1].tag == SEQUENCE else 0
    if kind == _EC:
        if len(fields) < 2 or fields[1].tag != OID:
            return "EC", 0
        curve = oid(fields[1].content)
        known, size = _CURVES.get(curve, (curve, 0))
        return f"EC {known}", size
    return _FIXED.get(kind, (kind, 0))


def _signature(value: Element) -> str:
    kind = oid(value.sequence()[0].content)
    return _SIGNATURES.get(kind) or _FIXED.get(kind, (kind, 0))[0]


def _attribute(kind: Element) -> str:
    written = oid(kind.content)
    return _NAMES.get(written, written)


def _text(value: Element) -> str:
    text = value.content[: 4 * MAX_TEXT].decode(_ENCODINGS.get(value.tag, "utf-8"), "replace")[:MAX_TEXT]
    text = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
    text = _SPECIAL.sub(r"\\\1", text)
    if text[:1] in ("#", " "):
        text = "\\" + text
    return text[:-1] + "\\ " if text.endswith(" ") and text != "\\ " else text


def _time(value: Element) -> str:
    """RFC 3339. Two digits of a year are of 1950 to 2049 (RFC 5280, 4.1.2.5.1)."""
    found = _TIME.fullmatch(value.content[:20].decode("ascii", "replace"))
    if found is None or len(found[1]) != {UTC_TIME: 2, GENERALIZED_TIME: 4}.get(value.tag):
        raise ValueError("no time")
    year = found[1] if len(found[1]) == 4 else f"{'19' if found[1] >= '50' else '20'}{found[1]}"
    return f"{year}-{found[2]}-{found[3]}T{found[4]}:{found[5]}:{found[6]}Z"


def _extensions(fields: list[Element]) -> dict[str, Element]:
    """Object identifier → the octet string of each extension."""
    found = {}
    for each in (field for field in fields if field.tag == 0xA3):
        for extension in each.inside()[0].sequence():
            parts = extension.sequence()
            if len(parts) >= 2 and parts[-1].tag == OCTET_STRING:
                found[oid(parts[0].content)] = parts[-1]
    return found


def _is_authority(said: dict[str, Element], self_issued: bool) -> bool:
    """Whether it may sign others; one without extensions (version 1) that names itself as issuer is an old root."""
    if _BASIC_CONSTRAINTS not in said:
        return self_issued and not said
    held = said[_BASIC_CONSTRAINTS]
    fields = element(held.data, held.at, held.end).sequence()
    return bool(fields) and fields[0].tag == BOOLEAN and fields[0].content != b"\0"


def _same_key(said: dict[str, Element]) -> bool:
    """Whether the key that signed it is its own, where it tells both."""
    if _KEY_ID not in said or _AUTHORITY_KEY_ID not in said:
        return True
    own, other = said[_KEY_ID], said[_AUTHORITY_KEY_ID]
    parts = element(other.data, other.at, other.end).sequence()
    signer = next((part.content for part in parts if part.tag == 0x80), b"")
    return not signer or signer == element(own.data, own.at, own.end).content
