"""What signed things say, and what their signatures are over; nothing is checked here.

Format:

* cosign's simple signing: the payload names the digest it is about, the signature stands in an annotation
  (https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md);
* DSSE envelopes (https://github.com/secure-systems-lab/dsse/blob/master/envelope.md) around in-toto statements, v0.1
  and v1 (https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md);
* Sigstore bundles, v0.1 to v0.3 (https://docs.sigstore.dev/about/bundle/), with an envelope or a message signature.

Not handled: Notary signatures (JWS, COSE), PGP.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import NamedTuple

from anchorecli.model import AttachedKind, Attachment, Json

SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
ENVELOPE = "application/vnd.dsse.envelope.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle"
STATEMENT = "application/vnd.in-toto+json"
COSIGN_SIGN = "https://sigstore.dev/cosign/sign/v1"
"""The predicate that current clients sign images with: such an attestation is a signature."""

_NOTATION = "vnd.cncf.notary.signature"
_SIGNATURE = "dev.cosignproject.cosign/signature"
_CERTIFICATE = "dev.sigstore.cosign/certificate"
_CHAIN = "dev.sigstore.cosign/chain"
_LOGGED = "dev.sigstore.cosign/bundle"
_STATEMENTS = ("https://in-toto.io/Statement/v0.1", "https://in-toto.io/Statement/v1")
_MAX_SIGNATURES = 32


class LogEntry(NamedTuple):
    """An entry of a transparency log: ``body`` is base64 as it was signed, ``promise`` the log's signature."""

    body: str
    time: int
    log_id: str
    place: int
    promise: bytes


class Proof(NamedTuple):
    """One signature: over ``message``, or, where only that is known, over the message of the SHA-256 ``digest``."""

    signature: bytes
    message: bytes = b""
    digest: bytes = b""
    certificates: tuple[str, ...] = ()
    """PEM, that of the signer first."""
    entry: LogEntry | None = None


class Claim(NamedTuple):
    """What one attachment says: that it is about ``subjects`` (digests), proven by any of ``proofs``.

    ``fault`` is why it says nothing usable.
    """

    kind: AttachedKind
    subjects: tuple[str, ...] = ()
    proofs: tuple[Proof, ...] = ()
    predicate_type: str = ""
    predicate: Json = None
    fault: str = ""


def claims(item: Attachment) -> tuple[Claim, ...]:
    """What an attachment says; nothing for a document, which says nothing of itself."""
    try:
        return tuple(_claims(item))
    except (ValueError, RecursionError) as error:  # base64 and JSON raise kinds of it
        kind = AttachedKind.SIGNATURE if item.media_type == SIMPLE_SIGNING else AttachedKind.ATTESTATION
        return (Claim(kind, fault=f"it cannot be read: {str(error)[:200]}"),)


def _claims(item: Attachment) -> Iterator[Claim]:
    if item.media_type == SIMPLE_SIGNING:
        yield _simple(item)
    elif item.media_type == ENVELOPE:
        yield _enveloped(_object(json.loads(item.content)), _certificates(item), _logged(item))
    elif item.media_type.startswith(BUNDLE):
        yield _bundled(_object(json.loads(item.content)))
    elif item.media_type == STATEMENT:
        yield _statement(item.content, ())._replace(fault="it is not signed")
    elif _NOTATION in item.artifact_type:
        yield Claim(AttachedKind.SIGNATURE, fault="a Notary signature, which cannot be checked here")


def pae(kind: str, payload: bytes) -> bytes:
    """What is signed of an envelope. Format: DSSE, "Pre-Authentication Encoding"."""
    name = kind.encode()
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)


def _simple(item: Attachment) -> Claim:
    critical = _object(_object(json.loads(item.content)).get("critical"))
    digest = _text(_object(critical.get("image")), "docker-manifest-digest")
    signature = item.annotations.get(_SIGNATURE, "")
    if not signature:
        return Claim(AttachedKind.SIGNATURE, fault="it holds no signature")
    proof = Proof(_bytes(signature), item.content, certificates=_certificates(item), entry=_logged(item))
    return Claim(AttachedKind.SIGNATURE, (digest,), (proof,))


def _enveloped(envelope: dict[str, Json], certificates: tuple[str, ...], entry: LogEntry | None) -> Claim:
    kind, payload = _text(envelope, "payloadType"), _bytes(_text(envelope, "payload"))
    signatures = envelope.get("signatures")
    if not isinstance(signatures, list) or not 0 < len(signatures) <= _MAX_SIGNATURES:
        raise ValueError("the envelope holds no signatures, or too many")
    message = pae(kind, payload)
    proofs = tuple(
        Proof(_bytes(_text(_object(each), "sig")), message, certificates=certificates, entry=entry)
        for each in signatures
    )
    if kind != STATEMENT:
        return Claim(AttachedKind.ATTESTATION, fault=f"its payload is no in-toto statement but {kind[:100]}")
    return _statement(payload, proofs)


def _bundled(bundle: dict[str, Json]) -> Claim:
    material = _object(bundle.get("verificationMaterial"))
    certificates, entry = _chain_of(material), _entry_of(material)
    if "dsseEnvelope" in bundle:
        return _enveloped(_object(bundle["dsseEnvelope"]), certificates, entry)
    signed = _object(bundle.get("messageSignature"))
    digest = _object(signed.get("messageDigest"))
    if _text(digest, "algorithm") != "SHA2_256":
        return Claim(AttachedKind.SIGNATURE, fault="its digest is not SHA-256")
    value = _bytes(_text(digest, "digest"))
    proof = Proof(_bytes(_text(signed, "signature")), digest=value, certificates=certificates, entry=entry)
    return Claim(AttachedKind.SIGNATURE, (f"sha256:{value.hex()}",), (proof,))


def _statement(payload: bytes, proofs: tuple[Proof, ...]) -> Claim:
    statement = _object(json.loads(payload))
    kind = _text(statement, "_type")
    if kind not in _STATEMENTS:
        raise ValueError(f"an in-toto statement of an unknown type {kind[:100]!r}")
    subjects = statement.get("subject")
    digests = [
        f"sha256:{_text(_object(_object(each).get('digest')), 'sha256').lower()}"
        for each in (subjects if isinstance(subjects, list) else ())
        if "sha256" in _object(_object(each).get("digest"))
    ]
    predicate_type = _text(statement, "predicateType")
    what = AttachedKind.SIGNATURE if predicate_type == COSIGN_SIGN else AttachedKind.ATTESTATION
    return Claim(what, tuple(digests), proofs, predicate_type, statement.get("predicate"))


def _certificates(item: Attachment) -> tuple[str, ...]:
    from anchorecli.signatures.keys import certificate_blocks

    notes = item.annotations
    return certificate_blocks(notes.get(_CERTIFICATE, "") + "\n" + notes.get(_CHAIN, ""))


def _logged(item: Attachment) -> LogEntry | None:
    """The log's entry that cosign keeps in an annotation."""
    text = item.annotations.get(_LOGGED, "")
    if not text:
        return None
    found = _object(json.loads(text))
    entry = _object(found.get("Payload"))
    body, promise = _text(entry, "body"), _bytes(_text(found, "SignedEntryTimestamp"))
    return LogEntry(body, _number(entry, "integratedTime"), _text(entry, "logID"), _number(entry, "logIndex"), promise)


def _chain_of(material: dict[str, Json]) -> tuple[str, ...]:
    chain = _object(material.get("x509CertificateChain") or {}).get("certificates")
    listed = [material["certificate"]] if "certificate" in material else chain if isinstance(chain, list) else []
    return tuple(_pem(_bytes(_text(_object(each), "rawBytes"))) for each in listed)


def _entry_of(material: dict[str, Json]) -> LogEntry | None:
    entries = material.get("tlogEntries")
    entry = _object(entries[0]) if isinstance(entries, list) and entries else {}
    promise = _object(entry.get("inclusionPromise") or {})
    if not promise:
        return None
    return LogEntry(
        _text(entry, "canonicalizedBody"),
        _number(entry, "integratedTime"),
        _bytes(_text(_object(entry.get("logId")), "keyId")).hex(),
        _number(entry, "logIndex"),
        _bytes(_text(promise, "signedEntryTimestamp")),
    )


def _pem(der: bytes) -> str:
    body = base64.b64encode(der).decode()
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    return "\n".join(("-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----"))


def _object(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise ValueError("an object is wanted where there is none")
    return value


def _text(value: dict[str, Json], key: str) -> str:
    found = value.get(key)
    if not isinstance(found, str):
        raise ValueError(f"{key}: a text is wanted")
    return found


def _number(value: dict[str, Json], key: str) -> int:
    """A number, which protobuf's JSON writes as a text."""
    found = value.get(key)
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < 20:
        return int(found)
    if not isinstance(found, int) or isinstance(found, bool):
        raise ValueError(f"{key}: a number is wanted")
    return found


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
