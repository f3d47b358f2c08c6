"""Certificates and keys: against the cryptography library, in every container, cut short at every byte."""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchorecli.analyzers.base import PARTIAL
from anchorecli.analyzers.demand.certificates import MANY, CertificateAnalyzer, read
from anchorecli.analyzers.demand.der import element, oid
from anchorecli.analyzers.demand.x509 import certificate, private_key
from tests.analyzers.view import MemoryFile, make_view

pytest.importorskip("cryptography")

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs7,
    pkcs12,
)
from cryptography.x509.oid import NameOID

RSA = rsa.generate_private_key(65537, 1024)
EC = ec.generate_private_key(ec.SECP256R1())
KEYS: dict[str, Any] = {
    "RSA": RSA,
    "EC P-256": EC,
    "EC P-384": ec.generate_private_key(ec.SECP384R1()),
    "EC secp256k1": ec.generate_private_key(ec.SECP256K1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate(),
    "Ed448": ed448.Ed448PrivateKey.generate(),
    "DSA": dsa.generate_private_key(1024),
}
NAME = x509.Name(
    [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "CH"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, 'Ex, "ample" + Söhne; <x>\\y'),
        x509.NameAttribute(NameOID.COMMON_NAME, "#example.org "),
    ]
)
OTHER = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Root")])
ENDS = datetime(2051, 1, 2, 3, 4, 5, tzinfo=UTC)


def issued(key: Any = EC, *, issuer: x509.Name = NAME, ca: bool = False, ends: datetime = ENDS) -> x509.Certificate:
    """A certificate that its own key signed, whoever it says signed it."""
    made = (
        x509.CertificateBuilder(issuer, NAME, key.public_key(), 0x0ABCDEF)
        .not_valid_before(datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC))
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier(b"own"), critical=False)
    )
    plain = isinstance(key, (ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey))
    return made.sign(key, None if plain else hashes.SHA256())


def der(made: x509.Certificate) -> bytes:
    return made.public_bytes(Encoding.DER)


def armored(made: x509.Certificate) -> bytes:
    return made.public_bytes(Encoding.PEM)


def key_bytes(key: Any, form: PrivateFormat = PrivateFormat.PKCS8, encoding: Encoding = Encoding.PEM) -> bytes:
    data: bytes = key.private_bytes(encoding, form, NoEncryption())
    return data


def found(*layers: Mapping[str, bytes]) -> Any:
    analyzer = CertificateAnalyzer.of("")
    return analyzer.assemble(make_view(analyzer, layers))  # type: ignore[arg-type]


# ── one certificate ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KEYS)
def test_it_says_what_cryptography_reads(kind: str) -> None:
    made = issued(KEYS[kind], issuer=OTHER)
    told = certificate(der(made))
    assert told.subject == made.subject.rfc4514_string()
    assert (told.issuer, told.self_signed, told.authority) == ("CN=Root", False, False)
    assert int(told.serial, 16) == made.serial_number
    assert (told.not_before, told.not_after) == ("1999-12-31T23:59:59Z", "2051-01-02T03:04:05Z")
    assert told.key == kind
    assert told.key_bits == getattr(made.public_key(), "key_size", {"Ed25519": 256, "Ed448": 456}.get(kind))
    assert told.fingerprint == made.fingerprint(hashes.SHA256()).hex()
    names = {"RSA": "sha256WithRSA", "DSA": "sha256WithDSA", "Ed25519": "Ed25519", "Ed448": "Ed448"}
    assert told.signature == names.get(kind, "sha256WithECDSA")


def test_authorities_and_what_signs_itself() -> None:
    told = certificate(der(issued(ca=True)))
    assert (told.self_signed, told.authority) == (True, True)
    other = x509.AuthorityKeyIdentifier(b"other", None, None)
    made = (
        x509.CertificateBuilder(NAME, NAME, EC.public_key(), 7, ENDS, ENDS)
        .add_extension(x509.SubjectKeyIdentifier(b"own"), critical=False)
        .add_extension(other, critical=False)
    )
    # Its issuer has the same name and another key.
    assert certificate(der(made.sign(EC, hashes.SHA256()))).self_signed is False


def test_a_certificate_cut_at_any_byte_is_none() -> None:
    data = der(issued())
    for end in range(len(data)):
        with pytest.raises(ValueError, match=r"."):
            certificate(data[:end])


def test_a_changed_byte_never_does_more_than_raise_a_value_error() -> None:
    data = der(issued(RSA))
    for place in range(len(data)):
        for value in (0, 0x7F, 0x80, 0x84, 0xFF):
            try:
                certificate(data[:place] + bytes([value]) + data[place + 1 :])
            except ValueError:
                continue


@given(st.binary(max_size=200))
@settings(max_examples=300)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for prefix in (b"", b"\x30\x82", b"\xfe\xed\xfe\xed\0\0\0\2", b"-----BEGIN CERTIFICATE-----"):
        read(prefix + data)


@pytest.mark.parametrize(
    "data",
    [b"", b"\x30", b"\x30\x80", b"\x30\x85\0\0\0\0\1", b"\x30\x84\xff\xff\xff\xff", b"\x1f\x81\0", b"\x30\x02\0"],
)
def test_absurd_lengths_and_tags_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        element(data)
    assert oid(bytes.fromhex("2a864886f70d010101")) == "1.2.840.113549.1.1.1"
    with pytest.raises(ValueError, match="cannot be"):
        oid(b"\x2a\x86")


# ── keys ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_keys_in_every_form(kind: str, encoding: Encoding) -> None:
    forms = [PrivateFormat.PKCS8] + ([PrivateFormat.TraditionalOpenSSL] if not kind.startswith("Ed") else [])
    for form in forms:
        (key,) = read(b"" + key_bytes(KEYS[kind], form, encoding)).keys
        assert (key.line, key.kind, key.encrypted) == (1, kind, False)


def test_keys_of_openssh_and_keys_with_a_password() -> None:
    lock = BestAvailableEncryption(b"pw")
    plain = key_bytes(KEYS["Ed25519"], PrivateFormat.OpenSSH)
    assert [tuple(key) for key in read(b"# mine\n" + plain).keys] == [(2, "ssh-ed25519", False)]
    old = RSA.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, lock)
    assert [tuple(key) for key in read(old).keys] == [(1, "RSA", True)]
    new = RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
    assert [tuple(key) for key in read(new).keys] == [(1, "encrypted", True)]
    # OpenSSH's own layout, with a cipher named.
    texts = (b"aes256-ctr", b"bcrypt", b"salt")
    packed = b"".join(struct.pack(">I", len(each)) + each for each in texts)
    public = struct.pack(">I", 7) + b"ssh-rsa" + bytes(40)
    body = b"openssh-key-v1\0" + packed + struct.pack(">II", 1, len(public)) + public
    text = b"-----BEGIN OPENSSH PRIVATE KEY-----\n" + b64encode(body) + b"\n-----END OPENSSH PRIVATE KEY-----\n"
    assert [tuple(key) for key in read(text).keys] == [(1, "ssh-rsa", True)]


def test_examples_in_documents_and_other_blocks_are_no_keys() -> None:
    text = b"-----BEGIN RSA PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----\n"
    public = b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n"
    nothing = read(text + public + b"-----BEGIN PRIVATE KEY-----")
    assert (nothing.keys, nothing.certificates, nothing.faults) == ([], [], [])
    with pytest.raises(ValueError, match="no private key"):
        private_key(der(issued()))


def test_a_key_cut_at_any_byte_is_none() -> None:
    data = key_bytes(EC, encoding=Encoding.DER)
    assert all(not read(data[:end]).keys for end in range(len(data)))
    text = key_bytes(KEYS["Ed25519"], PrivateFormat.OpenSSH)
    end = text.index(b"-----END")
    assert all(not read(text[:cut]).keys for cut in range(end))


# ── containers ──────────────────────────────────────────────────────────────────────────────────────────────


def java(version: int = 2, magic: bytes = b"\xfe\xed\xfe\xed", count: int = 2) -> bytes:
    """A key store with a trusted certificate and a key that has a chain of one."""

    def text(value: bytes) -> bytes:
        return struct.pack(">H", len(value)) + value

    def cert() -> bytes:
        data = der(issued())
        return (text(b"X.509") if version == 2 else b"") + struct.pack(">I", len(data)) + data

    trusted = struct.pack(">I", 2) + text(b"root") + bytes(8) + cert()
    own = struct.pack(">I", 1) + text(b"own") + bytes(8) + struct.pack(">I", 50) + bytes(50) + struct.pack(">I", 1)
    return magic + struct.pack(">II", version, count) + trusted + own + cert() + bytes(20)


@pytest.mark.parametrize("version", [1, 2])
def test_java_key_stores(version: int) -> None:
    told = read(java(version))
    assert len(told.certificates) == 2
    assert [tuple(key) for key in told.keys] == [(1, "Java key store", True)]
    assert read(java(version, b"\xce\xce\xce\xce")).keys


def test_a_java_key_store_cut_at_any_byte_says_so() -> None:
    data = java()[:-20]
    for end in range(12, len(data)):
        told = read(data[:end])
        assert told.faults, end
        assert len(told.certificates) <= 2
    assert read(java(count=3)).faults
    assert read(java(count=0x7FFFFFFF)).faults


def test_pkcs7_and_pkcs12() -> None:
    many = pkcs7.serialize_certificates([issued(), issued(RSA)], Encoding.DER)
    assert {each.key for each in read(many).certificates} == {"EC P-256", "RSA"}
    lock = BestAvailableEncryption(b"pw")
    store = pkcs12.serialize_key_and_certificates(b"x", EC, issued(), None, lock)
    told = read(store)
    assert ([tuple(key) for key in told.keys], told.certificates) == ([(1, "PKCS#12", True)], [])
    without = pkcs12.serialize_key_and_certificates(None, None, issued(), None, lock)
    assert read(without).keys == []
    for end in range(len(many)):
        read(many[:end])
        read(store[:end])


def test_a_damaged_certificate_among_others_is_told() -> None:
    damaged = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    value = CertificateAnalyzer.of("").read(MemoryFile("etc/x.pem", damaged + armored(issued())))
    assert value[PARTIAL] == "1 certificates are damaged"
    assert len(value["value"]["certificates"]) == 1
    assert CertificateAnalyzer.of("").read(MemoryFile("etc/x.key", b"\x30no certificate")) is None


def test_bundles_without_an_end_take_no_long_time() -> None:
    assert read(b"-----BEGIN CERTIFICATE-----\n" * 30_000).certificates == []


# ── the image ───────────────────────────────────────────────────────────────────────────────────────────────


def test_certificates_keys_and_stores_of_an_image() -> None:
    root = armored(issued(ca=True))
    early = armored(issued(ca=True, ends=datetime(2030, 1, 1, tzinfo=UTC)))
    below = {
        "etc/ssl/certs/ca-certificates.crt": root * (MANY - 1) + early,
        "usr/share/ca-certificates/mozilla/a.crt": root,
        "usr/share/ca-certificates/mozilla/b.crt": early,
        "etc/ssl/certs/snakeoil.pem": armored(issued()),
        "app/old.pem": armored(issued()),
    }
    above = {"app/tls/both.pem": armored(issued(RSA)) + key_bytes(RSA), "app/.wh.old.pem": b"", "app/notes.txt": root}
    told = found(below, above)
    assert [(each.path, each.number, each.layer[-1]) for each in sorted(told.certificates)] == [
        ("app/tls/both.pem", 1, "1"),
        ("etc/ssl/certs/snakeoil.pem", 1, "0"),
    ]
    assert [(each.path, each.count, each.first_end[:4], each.last_end[:4]) for each in told.certificate_stores] == [
        ("etc/ssl/certs/ca-certificates.crt", MANY, "2030", "2051"),
        ("usr/share/ca-certificates/mozilla", 2, "2030", "2051"),
    ]
    assert [(each.path, each.kind, each.encrypted) for each in told.private_keys] == [
        ("app/tls/both.pem", "RSA", False)
    ]
    assert told.looked_for == {"certificates": "2 certificates, 2 stores, 1 private keys"}
