"""What hangs on an image, checked: only what a trusted signer said of this very image is verified."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from anchorecli.model import Attached, AttachedKind, Check, Checked, Digest, Image, ImageConfig, ImageRef, Platform
from anchorecli.signatures import Signer, Trust
from anchorecli.signatures.check import check
from anchorecli.signatures.claims import ENVELOPE, SIMPLE_SIGNING, STATEMENT, pae
from anchorecli.signatures.keys import keys_fault
from anchorecli.values import replace

from .making import (
    BUNDLE_TYPE,
    ISSUER,
    NOW,
    OTHER,
    P256,
    SLSA,
    WHO,
    Authority,
    Blob,
    attestation,
    b64,
    bundle,
    digest,
    envelope,
    keyless,
    message_bundle,
    pem,
    signed,
    simple,
    statement,
)

MANIFEST = b'{"the image": 1}'
OURS = digest(MANIFEST)
INDEX = digest(b"the index")
THEIRS = digest(b"another image")
CONFIG = ImageConfig(Platform("linux", "amd64"))
IMAGE = Image(ImageRef("registry", "a"), Digest("sha256:" + "1" * 64), Digest(OURS), CONFIG, (), Digest(INDEX))
RELEASE = Signer("release", keys=pem(P256))
NOON = "2025-06-15T12:00:00Z"


def checked(*blobs: Blob, signers: tuple[Signer, ...] = (RELEASE,), on: str = OURS, now: str = NOON) -> list[Checked]:
    attached = Attached(tuple(each.attachment(on) for each in blobs))
    return [each.checked for each in check(attached, Trust(signers), IMAGE, now)]


def one(blob: Blob, **more: Any) -> Checked:
    (found,) = checked(blob, **more)
    return found


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────

KEYS = {
    "P-256": P256,
    "P-384": ec.generate_private_key(ec.SECP384R1()),
    "P-521": ec.generate_private_key(ec.SECP521R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate(),
    "RSA": rsa.generate_private_key(65537, 2048),
}


@pytest.mark.parametrize("name", KEYS)
def test_every_kind_of_key_signs_images_and_attestations(name: str) -> None:
    key = KEYS[name]
    signers = (Signer("other", keys=pem(OTHER)), Signer("own", keys=pem(key)))
    found = checked(simple(key, OURS), attestation(key, OURS), bundle(key, OURS), signers=signers)
    assert [(each.kind.value, each.check.value, each.signer, each.note) for each in found] == [
        ("signature", "verified", "own", ""),
        ("attestation", "verified", "own", ""),
        ("signature", "verified", "own", ""),
    ]


def test_rsa_pss_and_a_curves_own_digest() -> None:
    for key, message_of, more in (
        (KEYS["RSA"], None, {"pss": True}),
        (KEYS["P-384"], hashes.SHA384(), {}),
        (KEYS["RSA"], hashes.SHA512(), {}),
    ):
        plain = simple(key, OURS)
        mark = b64(signed(key, plain.data, message_of, **more))
        blob = plain._replace(annotations={"dev.cosignproject.cosign/signature": mark})
        assert one(blob, signers=(Signer("own", keys=pem(key)),)).check is Check.VERIFIED


def test_a_signer_may_have_several_keys() -> None:
    both = Signer("team", keys=pem(OTHER) + pem(P256))
    assert one(simple(P256, OURS), signers=(both,)).signer == "team"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "holds no public key"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "private key"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "cannot be used"),
        (pem(rsa.generate_private_key(65537, 1024)), "too weak"),
    ],
)
def test_keys_that_are_none(text: str, fault: str) -> None:
    assert fault in keys_fault(text)
    assert keys_fault(pem(P256)) == ""


# ── what is not verified ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("make", [simple, attestation, bundle])
def test_a_signature_of_another_image_is_wrong_whoever_made_it(make: Any) -> None:
    found = one(make(P256, THEIRS))
    assert (found.check, found.signer) == (Check.WRONG, "")
    assert found.note == f"it is about {THEIRS}, not about this image"


@pytest.mark.parametrize("make", [simple, attestation, bundle])
def test_a_signature_by_somebody_else_is_unchecked(make: Any) -> None:
    found = one(make(OTHER, OURS))
    assert (found.check, found.note) == (Check.UNCHECKED, "none of the bundle's signers made it")
    assert one(make(P256, OURS), signers=()).note == "the bundle names no signers"


def test_the_signature_of_the_index_is_one_of_the_image() -> None:
    assert one(simple(P256, INDEX), on=INDEX).check is Check.VERIFIED


def test_a_payload_that_was_changed_is_not_verified() -> None:
    blob = simple(P256, OURS)
    changed = blob._replace(data=blob.data.replace(b"registry.example", b"elsewhere.example"))
    assert one(changed).check is Check.UNCHECKED
    made = envelope(P256, statement(OURS))
    made["payload"] = b64(statement(OURS, predicate={"by": "somebody"}))
    assert one(Blob(json.dumps(made).encode(), ENVELOPE)).check is Check.UNCHECKED


def test_the_type_of_a_payload_is_signed_with_it() -> None:
    payload = statement(OURS)
    made = envelope(P256, payload, "text/plain")
    found = one(Blob(json.dumps(made).encode(), ENVELOPE))
    assert (found.check, found.note) == (Check.UNCHECKED, "its payload is no in-toto statement but text/plain")
    made["payloadType"] = "application/vnd.in-toto+json"
    assert one(Blob(json.dumps(made).encode(), ENVELOPE)).check is Check.UNCHECKED


def test_pae_is_as_the_specification_says() -> None:
    assert (
        pae("http://example.com/HelloWorld", b"hello world")
        == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{", b'{"payloadType": "x"}', b'{"payloadType": "x", "payload": "%%", "signatures": [{}]}',
     b'{"payloadType": "x", "payload": "", "signatures": []}', b"[" * 100_000],
)  # fmt: skip
def test_what_cannot_be_read_is_told(data: bytes) -> None:
    for kind in (ENVELOPE, "application/vnd.dev.sigstore.bundle.v0.3+json"):
        found = one(Blob(data, kind))
        assert found.check is Check.UNCHECKED
        assert found.note.startswith("it cannot be read")


def test_unsigned_statements_and_notary_signatures_are_told() -> None:
    found = one(Blob(statement(OURS), "application/vnd.in-toto+json"))
    assert (found.predicate, found.check, found.note) == (SLSA, Check.UNCHECKED, "it is not signed")
    notary = Blob(b"", "application/jose+json", artifact_type="application/vnd.cncf.notary.signature")
    assert one(notary).note == "a Notary signature, which cannot be checked here"


def test_a_bundle_over_the_manifest_itself() -> None:
    assert one(message_bundle(P256, MANIFEST)).check is Check.VERIFIED
    assert one(message_bundle(OTHER, MANIFEST)).check is Check.UNCHECKED
    assert one(message_bundle(P256, b"another image")).check is Check.WRONG


def test_in_toto_statements_of_the_older_version() -> None:
    made = envelope(P256, statement(OURS, version="v0.1"))
    assert one(Blob(json.dumps(made).encode(), ENVELOPE)).check is Check.VERIFIED
    made = envelope(P256, statement(OURS, version="v9"))
    assert "unknown type" in one(Blob(json.dumps(made).encode(), ENVELOPE)).note


# ── documents ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_document_is_believed_for_the_signature_of_its_manifest() -> None:
    document = Blob(b'{"vex": 1}', "application/json", artifact_type="application/vnd.openvex+json").attachment(OURS)
    mark = simple(P256, document.manifest).attachment(document.manifest)
    own = (RELEASE,)
    (found,) = check(Attached((document, mark)), Trust(own), IMAGE, NOON)
    assert (found.checked.kind, found.checked.check, found.checked.signer) == (
        AttachedKind.DOCUMENT, Check.VERIFIED, "release",
    )  # fmt: skip
    assert found.content == b'{"vex": 1}'
    (bare,) = check(Attached((document,)), Trust(own), IMAGE, NOON)
    assert (bare.checked.check, bare.checked.note) == (Check.UNCHECKED, "it is not signed")
    # A signature of the image does not vouch for what else hangs on it.
    (_, bare) = check(Attached((simple(P256, OURS).attachment(OURS), document)), Trust(own), IMAGE, NOON)
    assert bare.checked.check is Check.UNCHECKED
    # Somebody hangs another image's document, signed as it is, on this one.
    moved = replace(
        Blob(b'{"vex": 1}', "application/json", artifact_type="application/vnd.openvex+json").attachment(THEIRS),
        subject=Digest(OURS),
    )
    mark = simple(P256, moved.manifest).attachment(moved.manifest)
    (found,) = check(Attached((moved, mark)), Trust(own), IMAGE, NOON)
    assert (found.checked.check, found.checked.note) == (Check.UNCHECKED, "nothing binds it to the image")


# ── certificates ─────────────────────────────────────────────────────────────────────────────────────────────

AUTHORITY = Authority()
LOG = ec.generate_private_key(ec.SECP256R1())
CI = Signer("ci", roots=AUTHORITY.root, identity="https://github.com/example/*", issuer=ISSUER)
LOGGED = CI._replace(log=pem(LOG))
LATER = "2025-09-01T00:00:00Z"


def test_a_certificate_of_a_named_authority_and_identity() -> None:
    found = one(keyless(P256, AUTHORITY, OURS), signers=(CI,), now="2025-06-15T12:05:00Z")
    assert (found.check, found.signer, found.identity) == (Check.VERIFIED, "ci", f"{WHO} by {ISSUER}")


@pytest.mark.parametrize(
    ("signer", "note"),
    [
        (CI._replace(identity="https://github.com/other/*"), f"ci: its certificate is of {WHO}"),
        (CI._replace(issuer="https://accounts.example"), f"ci: its certificate was vouched for by {ISSUER}"),
        (CI._replace(roots=Authority().root), "ci: its certificate does not lead to a root of the bundle"),
        (RELEASE._replace(keys=pem(OTHER)), "none of the bundle's signers made it"),
    ],
)
def test_a_certificate_that_is_not_the_signers(signer: Signer, note: str) -> None:
    found = one(keyless(P256, AUTHORITY, OURS), signers=(signer,), now="2025-06-15T12:05:00Z")
    assert found.check is Check.UNCHECKED
    assert found.note.startswith(note)
    assert found.identity == f"{WHO} by {ISSUER}"


@pytest.mark.parametrize(
    "authority",
    [Authority(usage=ExtendedKeyUsageOID.SERVER_AUTH), Authority(ca=False)],
    ids=["for servers", "no authority"],
)
def test_certificates_that_may_not_sign(authority: Authority) -> None:
    signer = CI._replace(roots=authority.root)
    found = one(keyless(P256, authority, OURS), signers=(signer,), now="2025-06-15T12:05:00Z")
    assert "does not lead to a root" in found.note


def test_a_certificate_whose_key_did_not_sign() -> None:
    theirs = keyless(P256, AUTHORITY, OURS)
    mark = simple(OTHER, OURS).annotations
    found = one(theirs._replace(annotations={**theirs.annotations, **mark}), signers=(CI,), now="2025-06-15T12:05:00Z")
    assert found.note == "ci: its certificate's key did not make it"


def test_a_certificate_that_is_over_counts_by_the_logs_time_alone() -> None:
    blob = keyless(P256, AUTHORITY, OURS, log=LOG)
    over = one(blob, signers=(CI,), now=LATER)
    assert "valid from 2025-06-15T12:00Z to 2025-06-15T12:10Z, is not valid now; name the log" in over.note
    assert one(blob, signers=(LOGGED,), now=LATER).check is Check.VERIFIED


@pytest.mark.parametrize(
    ("blob", "note"),
    [
        (keyless(P256, AUTHORITY, OURS), "no log entry tells when it was signed"),
        (keyless(P256, AUTHORITY, OURS, log=OTHER), "its log entry is not signed by the log that the bundle names"),
    ],
)
def test_log_entries_that_prove_nothing(blob: Blob, note: str) -> None:
    assert one(blob, signers=(LOGGED,), now="2025-06-15T12:05:00Z").note == f"ci: {note}"


def test_a_log_entry_of_another_signature_or_time() -> None:
    blob, other = (keyless(P256, AUTHORITY, OURS, log=LOG) for _ in range(2))
    name = "dev.sigstore.cosign/bundle"
    swapped = blob._replace(annotations={**blob.annotations, **{name: other.annotations[name]}})
    assert one(swapped, signers=(LOGGED,)).note == "ci: its log entry is about another signature"
    entry = json.loads(blob.annotations[name])
    entry["Payload"]["integratedTime"] += 60
    turned = blob._replace(annotations={**blob.annotations, **{name: json.dumps(entry)}})
    assert "not signed by the log" in one(turned, signers=(LOGGED,)).note
    before = keyless(P256, AUTHORITY, OURS, log=LOG, start=NOW - timedelta(days=400))
    # The authority itself is younger than that.
    assert one(before, signers=(LOGGED,)).check is Check.UNCHECKED


def test_a_bundle_by_certificate_with_its_log_entry() -> None:
    certificate = AUTHORITY.issue(P256)
    plain = bundle(P256, OURS)
    mark = json.loads(plain.data)["dsseEnvelope"]["signatures"][0]["sig"]
    spec = {"signatures": [{"signature": mark, "verifier": b64(certificate.encode())}]}
    body = b64(json.dumps({"kind": "dsse", "apiVersion": "0.0.1", "spec": spec}).encode())
    payload = {"body": body, "integratedTime": int(NOW.timestamp()) + 60, "logIndex": 7, "logID": "cd" * 32}
    promise = signed(LOG, json.dumps(payload, sort_keys=True, separators=(",", ":")).encode())
    document = json.loads(plain.data)
    ders = [{"rawBytes": "".join(text.splitlines()[1:-1])} for text in (certificate, AUTHORITY.chain)]
    document["verificationMaterial"] = {
        "x509CertificateChain": {"certificates": ders},
        "tlogEntries": [{
            "logIndex": "7", "logId": {"keyId": b64(bytes.fromhex("cd" * 32))},
            "integratedTime": str(payload["integratedTime"]),
            "inclusionPromise": {"signedEntryTimestamp": b64(promise)}, "canonicalizedBody": body,
        }],
    }  # fmt: skip
    blob = plain._replace(data=json.dumps(document).encode())
    found = one(blob, signers=(LOGGED,), now=LATER)
    assert (found.check, found.note) == (Check.VERIFIED, "")
    assert base64.b64decode(mark)


@pytest.mark.parametrize(
    "pem_text",
    [
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\n" + b64(b"0" * 300) + "\n-----END CERTIFICATE-----",
    ],
)
def test_a_certificate_that_is_none(pem_text: str) -> None:
    blob = keyless(P256, AUTHORITY, OURS)
    odd = blob._replace(annotations={**blob.annotations, "dev.sigstore.cosign/certificate": pem_text})
    found = one(odd, signers=(CI,))
    assert (found.check, found.identity) == (Check.UNCHECKED, "")
    assert found.note.startswith("ci: its certificate cannot be read")


def test_a_certificate_with_an_extension_twice() -> None:
    text = AUTHORITY.issue(P256)
    der = base64.b64decode("".join(text.splitlines()[1:-1]))
    # The two object identifiers have one length: the usage becomes a second list of names.
    twice = der.replace(bytes.fromhex("0603551d25"), bytes.fromhex("0603551d11"))
    assert twice != der
    body = "-----BEGIN CERTIFICATE-----\n" + b64(twice) + "\n-----END CERTIFICATE-----"
    blob = keyless(P256, AUTHORITY, OURS)
    odd = blob._replace(annotations={**blob.annotations, "dev.sigstore.cosign/certificate": body})
    assert one(odd, signers=(CI,)).note.startswith("ci: its certificate cannot be read")


KINDS = (SIMPLE_SIGNING, ENVELOPE, BUNDLE_TYPE, STATEMENT, "application/json")
KEYS_OF_FORMATS = st.sampled_from(
    "critical image docker-manifest-digest payloadType payload signatures sig subject digest sha256 _type "
    "verificationMaterial certificate rawBytes dsseEnvelope messageSignature messageDigest algorithm".split()
)
NOTES = st.sampled_from(
    ["dev.cosignproject.cosign/signature", "dev.sigstore.cosign/certificate", "dev.sigstore.cosign/bundle"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS_OF_FORMATS, inner, max_size=4),
    max_leaves=12,
)


@given(JSON, st.sampled_from(KINDS), st.dictionaries(NOTES, st.text(max_size=12)))
@settings(max_examples=200, deadline=None)
def test_whatever_hangs_there_is_answered_and_nothing_made_up_is_verified(
    document: Any, kind: str, notes: dict[str, str]
) -> None:
    blob = Blob(json.dumps(document).encode(), kind, notes)
    for found in checked(blob, signers=(RELEASE, CI, LOGGED)):
        assert found.check is not Check.VERIFIED
