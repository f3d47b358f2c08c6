"""Gate certificates: what fires and what does not, and that nothing is passed over in silence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from anchorecli.model import Certificate, Demand, DiffId, ImagePath, PrivateKey, Status
from anchorecli.policy.language.parameters import arguments
from anchorecli.policy.language.rules import find_gate, find_trigger

from .evidence import evidence
from .facts import verdict
from .golden import Golden

NOW = "2026-06-15T12:00:00Z"


def certificate(path: str, *, ends: str = "2030-01-01T00:00:00Z", key: str = "RSA 2048", **more: object) -> Certificate:
    kind, _, bits = key.rpartition(" ")
    fields = {"number": 1, "subject": f"CN={path}", "issuer": "CN=Root", "serial": "1f", "signature": "sha256WithRSA"}
    fields |= {"not_before": "2020-01-01T00:00:00Z", "self_signed": False, "authority": False, "fingerprint": "00"}
    layer = DiffId("sha256:1")
    return Certificate(ImagePath(path), not_after=ends, key=kind, key_bits=int(bits), layer=layer, **fields | more)  # type: ignore[arg-type]


def given(*certificates: Certificate, keys: tuple[PrivateKey, ...] = ()):
    facts = {"certificates": certificates, "private_keys": keys, "looked_for": {"certificates": "all"}}
    return replace(evidence(facts=facts), now=NOW)


OLD = certificate("old.pem", ends="2026-06-15T11:59:59Z")
SOON = certificate("soon.pem", ends="2026-07-15T12:00:00Z")
LATE = certificate("late.pem", ends="2026-07-15T12:00:01Z")
NAMELESS = certificate("usr/none.pem", ends="2001-01-01T00:00:00Z", subject="")
ENDS = given(SOON, OLD, LATE, NAMELESS)
KINDS = given(
    certificate("a", key="RSA 1024"),
    certificate("b", key="RSA 2048"),
    certificate("c", key="EC P-192 192"),
    certificate("d", key="EC P-256 256"),
    certificate("e", key="Ed25519 256"),
    certificate("f", key="DSA 1024"),
    certificate("g", key="1.2.3.4 0"),
)
SIGNED = given(
    certificate("a", signature="sha1WithRSA"),
    certificate("b", signature="md5WithRSA", self_signed=True),
    certificate("c", signature="sha1WithECDSA"),
    certificate("d"),
)
KEYS = given(
    keys=(
        PrivateKey(ImagePath("etc/ssh/ssh_host_ed25519_key"), 1, "ssh-ed25519", False),
        PrivateKey(ImagePath("app/key.pem"), 4, "EC P-256", False),
        PrivateKey(ImagePath("app/locked.p12"), 1, "PKCS#12", True),
        PrivateKey(ImagePath("app/locked.pem"), 1, "encrypted", True),
    )
)
PUBLIC = given(
    keys=(
        PrivateKey(ImagePath("app/key.pem"), 1, "RSA", False),
        PrivateKey(ImagePath("usr/a.pem"), 1, "RSA", False, owner="pkg:deb/debian/golang-src@1.19-1"),
        PrivateKey(ImagePath("usr/b.pem"), 1, "RSA", True, owner="pkg:deb/debian/golang-src@1.19-1"),
    )
)
EMPTY = given()
WEAK, SHA1 = "Certificate with a weak key found: ", "Certificate with a weak signature found: "
KEY = "Private key found: file="


def case(trigger, evidence, params, *fires):
    return Golden("certificates", trigger, evidence, params, tuple(("md5", message) for message in fires))


GOLDEN = (
    case(
        "expired",
        ENDS,
        {},
        "Certificate expired on 2026-06-15: file=/old.pem subject=CN=old.pem",
        "Certificate expired on 2001-01-01: file=/usr/none.pem subject=1f",
    ),
    case("expired", ENDS, {"ignore": "/old[.]pem,/usr/.*"}),
    case("expired", EMPTY, {}),
    case(
        "expires_within",
        ENDS,
        {"days": "30"},
        "Certificate expires on 2026-07-15, within 30 days: file=/soon.pem subject=CN=soon.pem",
    ),
    case("expires_within", ENDS, {"days": "29"}),
    case("expires_within", ENDS, {"days": 30, "ignore": "/soon.*"}),
    case(
        "weak_key",
        KINDS,
        {},
        f"{WEAK}RSA of 1024 bits: file=/a subject=CN=a",
        f"{WEAK}EC P-192 of 192 bits: file=/c subject=CN=c",
        f"{WEAK}DSA of 1024 bits: file=/f subject=CN=f",
    ),
    case(
        "weak_key",
        KINDS,
        {"rsa_bits": "3072", "ec_bits": "100", "ignore": "/[af]"},
        f"{WEAK}RSA of 2048 bits: file=/b subject=CN=b",
    ),
    case("weak_key", ENDS, {}),
    case(
        "weak_signature",
        SIGNED,
        {},
        f"{SHA1}sha1WithRSA: file=/a subject=CN=a",
        f"{SHA1}sha1WithECDSA: file=/c subject=CN=c",
    ),
    case("weak_signature", ENDS, {}),
    case(
        "private_key_found",
        KEYS,
        {},
        f"{KEY}/app/key.pem line=4 kind=EC P-256",
        f"{KEY}/app/locked.p12 line=1 kind=PKCS#12, encrypted",
        f"{KEY}/app/locked.pem line=1 kind=encrypted",
        f"{KEY}/etc/ssh/ssh_host_ed25519_key line=1 kind=ssh-ed25519",
    ),
    case("private_key_found", KEYS, {"skip_encrypted": "true", "ignore": "/app/.*,/etc/ssh/.*"}),
    case(
        "private_key_found",
        KEYS,
        {"skip_encrypted": "true", "ignore": "/etc/.*"},
        f"{KEY}/app/key.pem line=4 kind=EC P-256",
    ),
    case(
        "private_key_found",
        PUBLIC,
        {"packaged": "include", "skip_encrypted": "true"},
        f"{KEY}/app/key.pem line=1 kind=RSA",
        f"{KEY}/usr/a.pem line=1 kind=RSA",
    ),
    case("private_key_found", PUBLIC, {"packaged": "exclude"}, f"{KEY}/app/key.pem line=1 kind=RSA"),
    case(
        "private_key_found",
        PUBLIC,
        {"packaged": "only"},
        f"{KEY}/usr/a.pem line=1 kind=RSA",
        f"{KEY}/usr/b.pem line=1 kind=RSA, encrypted",
    ),
    case("private_key_found", KEYS, {"packaged": "only"}),
    case("private_key_found", EMPTY, {}),
)


@pytest.mark.parametrize(
    ("trigger", "params"),
    [
        ("expired", {}),
        ("expires_within", {"days": "30"}),
        ("weak_key", {}),
        ("weak_signature", {}),
        ("private_key_found", {}),
    ],
)
def test_what_was_not_looked_for_is_no_silent_pass(trigger, params):
    found = verdict("certificates", trigger, evidence(), **params)
    assert (found.status, found.findings) == (Status.INDETERMINATE, ())
    assert "needs certificates and private keys, which were not looked for" in found.problems[0].message
    gate = find_gate("certificates")
    assert gate is not None
    declared = find_trigger(gate, trigger)
    assert declared is not None
    assert declared.demands is not None
    assert declared.demands(arguments(declared.parameters, params)) == Demand(certificates=True)
