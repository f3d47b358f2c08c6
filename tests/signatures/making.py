"""Signatures, attestations and artifacts as cosign and its relatives make them; cosign itself is not needed."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from anchorecli.model import Attachment, Digest
from anchorecli.signatures.claims import BUNDLE, COSIGN_SIGN, ENVELOPE, SIMPLE_SIGNING, STATEMENT, pae

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
BUNDLE_TYPE = f"{BUNDLE}.v0.3+json"
SLSA = "https://slsa.dev/provenance/v1"
OPENVEX = "https://openvex.dev/ns/v0.2.0"
NOW = datetime(2025, 6, 15, 12, tzinfo=UTC)
WHO = "https://github.com/example/app/.github/workflows/release.yml@refs/heads/main"
ISSUER = "https://token.actions.githubusercontent.com"

P256 = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def pem(key: Any) -> str:
    """The public half of a private key."""
    encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return str(key.public_key().public_bytes(encoding, form).decode())


def signed(key: Any, message: bytes, algorithm: Any = None, *, pss: bool = False) -> bytes:
    """A signature as cosign makes it with a key of that kind."""
    algorithm = algorithm or hashes.SHA256()
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    if isinstance(key, rsa.RSAPrivateKey):
        scheme = padding.PSS(padding.MGF1(algorithm), 32) if pss else padding.PKCS1v15()
        return key.sign(message, scheme, algorithm)
    return bytes(key.sign(message, ec.ECDSA(algorithm)))


class Blob(NamedTuple):
    """What goes into an artifact as its one layer."""

    data: bytes
    media_type: str
    annotations: Mapping[str, str] = MappingProxyType({})
    artifact_type: str = ""

    def manifest(self, subject: str = "", size: int = 1) -> bytes:
        """The artifact's manifest."""
        layer = {"mediaType": self.media_type, "digest": digest(self.data), "size": len(self.data)}
        document: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": EMPTY, "digest": digest(b"{}"), "size": 2},
            "layers": [layer | ({"annotations": dict(self.annotations)} if self.annotations else {})],
        }
        if self.artifact_type:
            document["artifactType"] = self.artifact_type
        if subject:
            document["subject"] = {"mediaType": MANIFEST, "digest": subject, "size": size}
        return json.dumps(document).encode()

    def attachment(self, subject: str) -> Attachment:
        """As a source would give it."""
        manifest = self.manifest(subject)
        kinds = (SIMPLE_SIGNING, ENVELOPE, BUNDLE, STATEMENT)
        return Attachment(
            Digest(subject), Digest(digest(manifest)), Digest(digest(self.data)), self.media_type, self.artifact_type,
            len(self.data), self.data, self.annotations,
            "" if self.media_type.startswith(kinds) else manifest.decode(),
        )  # fmt: skip


def simple(key: Any, image: str, **annotations: str) -> Blob:
    """What ``cosign sign --key`` attaches."""
    critical = {
        "identity": {"docker-reference": "registry.example/app"},
        "image": {"docker-manifest-digest": image},
        "type": "cosign container image signature",
    }
    payload = json.dumps({"critical": critical, "optional": None}).encode()
    notes = {"dev.cosignproject.cosign/signature": b64(signed(key, payload)), **annotations}
    return Blob(payload, SIMPLE_SIGNING, notes)


def statement(image: str, predicate_type: str = SLSA, predicate: Any = None, version: str = "v1") -> bytes:
    subject = [{"name": "registry.example/app", "digest": {"sha256": image.removeprefix("sha256:")}}]
    document = {
        "_type": f"https://in-toto.io/Statement/{version}",
        "subject": subject,
        "predicateType": predicate_type,
        "predicate": {"by": "tests"} if predicate is None else predicate,
    }
    return json.dumps(document).encode()


def envelope(key: Any, payload: bytes, kind: str = STATEMENT) -> dict[str, Any]:
    signatures = [{"keyid": "", "sig": b64(signed(key, pae(kind, payload)))}]
    return {"payloadType": kind, "payload": b64(payload), "signatures": signatures}


def attestation(key: Any, image: str, predicate_type: str = SLSA, predicate: Any = None) -> Blob:
    """What ``cosign attest --key`` attaches."""
    made = envelope(key, statement(image, predicate_type, predicate))
    return Blob(json.dumps(made).encode(), ENVELOPE, {"predicateType": predicate_type})


def bundle(key: Any, image: str, predicate_type: str = COSIGN_SIGN, **material: Any) -> Blob:
    """What later clients attach: a Sigstore bundle with an envelope."""
    document = {
        "mediaType": BUNDLE_TYPE,
        "verificationMaterial": material or {"publicKey": {"hint": "x"}},
        "dsseEnvelope": envelope(key, statement(image, predicate_type)),
    }
    return Blob(json.dumps(document).encode(), BUNDLE_TYPE, artifact_type=BUNDLE_TYPE)


def message_bundle(key: Any, manifest: bytes) -> Blob:
    """A Sigstore bundle over the image's manifest itself."""
    said = {"algorithm": "SHA2_256", "digest": b64(hashlib.sha256(manifest).digest())}
    document = {
        "mediaType": BUNDLE_TYPE,
        "verificationMaterial": {"publicKey": {"hint": "x"}},
        "messageSignature": {"messageDigest": said, "signature": b64(signed(key, manifest))},
    }
    return Blob(json.dumps(document).encode(), BUNDLE_TYPE, artifact_type=BUNDLE_TYPE)


class Authority:
    """A certificate authority like Fulcio: a root, an intermediate, and certificates that live for ten minutes."""

    def __init__(self, *, usage: Any = ExtendedKeyUsageOID.CODE_SIGNING, ca: bool = True) -> None:
        self._usage = usage
        root_key = ec.generate_private_key(ec.SECP384R1())
        self._key = ec.generate_private_key(ec.SECP384R1())
        root = self._authority("root", root_key.public_key(), "root", root_key, ca=True)
        self._middle = self._authority("middle", self._key.public_key(), "root", root_key, ca=ca)
        self.root, self.chain = _pem(root), _pem(self._middle)

    def issue(self, key: Any, who: str = WHO, start: datetime = NOW, issuer: str = ISSUER) -> str:
        """A certificate for who an issuer says it is."""
        usage = x509.ExtendedKeyUsage([self._usage])
        names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(who)])
        raw = issuer.encode()
        said = x509.UnrecognizedExtension(
            x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.8"), b"\x0c" + bytes([len(raw)]) + raw
        )
        made = (
            _builder("", key.public_key(), "middle", start, timedelta(minutes=10))
            .add_extension(names, critical=True)
            .add_extension(usage, critical=False)
            .add_extension(said, critical=False)
        )
        return _pem(made.sign(self._key, hashes.SHA384()))

    def _authority(self, name: str, key: Any, by: str, signer: Any, *, ca: bool) -> x509.Certificate:
        usage = x509.KeyUsage(False, False, False, False, False, ca, False, False, False)
        made = _builder(name, key, by, NOW - timedelta(days=300), timedelta(days=3000))
        basic = x509.BasicConstraints(ca=ca, path_length=None)
        made = made.add_extension(basic, critical=True).add_extension(usage, critical=True)
        return made.sign(signer, hashes.SHA384())


def _builder(name: str, key: Any, by: str, start: datetime, life: timedelta) -> x509.CertificateBuilder:
    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)] if text else [])

    builder = x509.CertificateBuilder().subject_name(named(name)).issuer_name(named(by)).public_key(key)
    return builder.serial_number(7).not_valid_before(start).not_valid_after(start + life)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def log_entry(log: Any, blob: Blob, certificate: str, when: datetime, **changed: Any) -> str:
    """The annotation with a transparency log's promise for a simple signature."""
    mark = blob.annotations["dev.cosignproject.cosign/signature"]
    spec = {
        "data": {"hash": {"algorithm": "sha256", "value": hashlib.sha256(blob.data).hexdigest()}},
        "signature": {"content": mark, "publicKey": {"content": b64(certificate.encode())}},
    }
    body = b64(json.dumps({"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": spec}).encode())
    payload = {"body": body, "integratedTime": int(when.timestamp()), "logIndex": 5, "logID": "ab" * 32} | changed
    message = json.dumps(payload, sort_keys=True, separators=(",", ":")).encode()
    return json.dumps({"SignedEntryTimestamp": b64(signed(log, message)), "Payload": payload})


def keyless(key: Any, authority: Authority, image: str, *, log: Any = None, start: datetime = NOW, **who: str) -> Blob:
    """What ``cosign sign`` attaches without a key of one's own."""
    certificate = authority.issue(key, start=start, **who)
    plain = simple(key, image)
    notes = {"dev.sigstore.cosign/certificate": certificate, "dev.sigstore.cosign/chain": authority.chain}
    if log is not None:
        notes["dev.sigstore.cosign/bundle"] = log_entry(log, plain, certificate, start + timedelta(minutes=1))
    return plain._replace(annotations={**plain.annotations, **notes})
