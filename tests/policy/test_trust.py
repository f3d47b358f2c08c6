"""Whom a bundle trusts: the key ``trust``, and the triggers that ask for it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from anchorecli.errors import BundleError
from anchorecli.model import Check, Problem, Status
from anchorecli.policy.authoring.lint import lint
from anchorecli.policy.authoring.testing import read_cases, run_case
from anchorecli.policy.bundle import load_bundle, parse_bundle
from anchorecli.policy.demand import demand
from anchorecli.policy.evaluate import evaluate
from anchorecli.policy.language.canonical import canonical
from anchorecli.policy.language.schema import bundle_schema
from anchorecli.policy.values import Bundle
from tests.signatures.making import OTHER, P256, Authority, pem

from .evidence import bundle, evidence, rule_line
from .facts import gaps, verdict
from .signed import ATTESTATION, SLSA, by, signed

ROOT = Authority().root
ASKING = rule_line("image", "signature_missing", signer=["release"])
ANY = rule_line("image", "signature_missing")


def inline(text: str) -> str:
    return json.dumps(text)


def trusting(*rules: str, signers: str = "", vex: str = "[]") -> Bundle:
    signers = signers or f"[{{id: release, key: {inline(pem(P256))}}}, {{id: ci, key: {inline(pem(OTHER))}}}]"
    return bundle(*rules, extra=f"trust:\n  signers: {signers}\n  vex: {vex}\n")


def faults(*rules: str, **trust: str) -> str:
    with pytest.raises(BundleError) as caught:
        trusting(*rules, **trust)
    return str(caught.value)


def test_signers_by_key_and_by_certificate() -> None:
    by_certificate = f"{{id: ci, roots: {inline(ROOT)}, identity: a@example.org, issuer: b, log: {inline(pem(OTHER))}}}"
    read = trusting(signers=f"[{{id: release, key: {inline(pem(P256))}}}, {by_certificate}]", vex="[release]").trust
    release, ci = read.signers
    assert (release.id, release.keys, release.roots) == ("release", pem(P256), "")
    assert (ci.roots, ci.identity, ci.issuer, ci.log) == (ROOT, "a@example.org", "b", pem(OTHER))
    assert read.vex == ("release",)


@pytest.mark.parametrize(
    ("signers", "fault"),
    [
        ("[{id: a}]", 'signer "a" needs either "key" or "roots"'),
        (f"[{{key: {inline(pem(P256))}}}]", 'the signer has no "id"'),
        (f"[{{id: 'a,b', key: {inline(pem(P256))}}}]", "must not hold a comma"),
        (f"[{{id: a, key: {inline(pem(P256))}}}, {{id: a, key: {inline(pem(P256))}}}]", 'signer id "a" is given twice'),
        ("[{id: a, key: ''}]", '"key" is empty'),
        ("[{id: a, key: release.pub}]", "works in a bundle that is read from a file"),
        ("[{id: a, key: '-----BEGIN PUBLIC KEY-----'}]", "holds no public key"),
        (f"[{{id: a, key: {inline(ROOT)}}}]", "holds no public key"),
        (f"[{{id: a, roots: {inline(pem(P256))}, identity: b}}]", "holds no certificate"),
        (f"[{{id: a, roots: {inline(ROOT)}}}]", 'the signer has no "identity"'),
        (f"[{{id: a, roots: {inline(ROOT)}, identity: '*'}}]", "such an identity is anybody's"),
        (f"[{{id: a, key: {inline(pem(P256))}, issuer: b}}]", '"issuer" is for signers by certificate'),
        (f"[{{id: a, kye: {inline(pem(P256))}}}]", '"kye"'),
        ("{id: a}", '"signers" must be a list'),
        ("[a]", "the signer must be a mapping"),
    ],
)
def test_faults_of_signers(signers: str, fault: str) -> None:
    assert fault in faults(signers=signers)


def test_names_of_signers_are_checked() -> None:
    assert 'signer "relaese"' in faults(rule_line("image", "signature_missing", signer="relaese"))
    assert "release" in faults(rule_line("image", "attestation_present", signer=["ci", "relaese"]))
    assert 'in "vex"' in faults(vex="[somebody]")
    with pytest.raises(BundleError, match="signer"):
        bundle(ASKING)
    assert trusting(ASKING).trust.signers


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bundle" / "keys").mkdir(parents=True)
    (tmp_path / "bundle" / "keys" / "release.pub").write_text("a comment\n" + pem(P256))
    (tmp_path / "outside.pub").write_text(pem(P256))
    return tmp_path / "bundle"


def written(folder: Path, key: str) -> Path:
    path = folder / "bundle.yaml"
    head = 'id: b\nversion: "1_0"\npolicies:\n- id: p\n  rules:\n'
    path.write_text(f"{head}  - {ASKING}\ntrust:\n  signers:\n  - {{id: release, key: {key}}}\n")
    return path


def test_keys_in_files_beside_the_bundle_become_part_of_it(folder: Path) -> None:
    read = load_bundle(written(folder, "keys/release.pub"))
    assert read.trust.signers[0].keys == pem(P256)
    again = parse_bundle(json.dumps(canonical(read)))
    assert (again.digest, again.trust.signers[0].keys) == (read.digest, pem(P256))
    (folder / "keys" / "release.pub").write_text(pem(OTHER))
    assert load_bundle(folder / "bundle.yaml").digest != read.digest


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        ("keys/none.pub", "cannot be read"),
        ("../outside.pub", "outside of the bundle's folder"),
        ("keys", "cannot be read"),
        ("/etc/passwd", "must be relative"),
        ("link.pub", "outside of the bundle's folder"),
        ("large.pub", "this is no file of keys"),
        ("private.pem", "private key"),
    ],
)
def test_files_that_are_not_taken(folder: Path, key: str, fault: str) -> None:
    (folder / "link.pub").symlink_to("../outside.pub")
    (folder / "large.pub").write_text(pem(P256) + "x" * 70_000)
    (folder / "private.pem").write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    with pytest.raises(BundleError, match=r"bundle.yaml:\d+") as caught:
        load_bundle(written(folder, key))
    assert fault in str(caught.value)


def test_the_schema_knows_trust() -> None:
    head = {"id": "b", "version": "1_0", "policies": []}
    validator = jsonschema.Draft202012Validator(bundle_schema())
    good = {"signers": [{"id": "a", "key": "a.pub"}, {"id": "b", "roots": "c", "identity": "d"}], "vex": ["a"]}
    assert not list(validator.iter_errors({**head, "trust": good}))
    for bad in ({"id": "a"}, {"id": "a", "key": "b", "roots": "c", "identity": "d"}, {"id": "a", "roots": "c"}):
        assert list(validator.iter_errors({**head, "trust": {"signers": [bad]}}))


def test_only_a_bundle_that_asks_has_it_looked_for() -> None:
    assert not demand(bundle(rule_line("image", "layer_count", value=3))).attached
    assert not demand(trusting()).attached
    assert demand(trusting(ANY)).attached
    assert demand(trusting(vex="[ci]")).attached


@pytest.mark.parametrize("name", ["signature_missing", "signature_present", "attestation_missing"])
def test_what_nobody_looked_for_is_not_known(name: str) -> None:
    found = verdict("image", name, evidence(signers=("release",)))
    assert (found.status, found.findings) == (Status.INDETERMINATE, ())
    assert "was not looked for" in found.problems[0].message


def test_without_signers_nothing_can_be_decided() -> None:
    assert gaps("image", "signature_missing", signed(signers=())) == [
        "rule r could not be decided: the bundle names no signers"
    ]
    assert gaps("image", "signature_missing", signed(by(""), signers=()), accept_unchecked=True) == []


def test_a_gap_keeps_from_saying_that_nothing_is_there_but_not_that_something_is() -> None:
    gap = Problem("source", "x", "what is attached could not be looked at: no answer", "try again", incomplete=False)
    assert gaps("image", "signature_missing", signed(attached_gaps=(gap,))) == [
        "rule r could not be decided: what is attached could not be looked at: no answer"
    ]
    assert gaps("image", "signature_missing", signed(by("ci"), attached_gaps=(gap,))) == []


def test_the_signer_asked_for_has_to_be_it() -> None:
    found = evaluate(trusting(ASKING), signed(by("ci")))
    assert [each.message for each in found.findings] == ["The image has no signature by release; there is: one by ci"]
    assert evaluate(trusting(ASKING), signed(by("release"))).findings == ()
    assert evaluate(trusting(ANY), signed(by("ci"))).findings == ()


def test_what_is_wrong_never_counts() -> None:
    wrong = by("", check=Check.WRONG, note="it is about another image")
    found = evaluate(trusting(rule_line("image", "signature_missing", accept_unchecked=True)), signed(wrong))
    assert "one that is wrong (it is about another image)" in found.findings[0].message


def test_a_signature_is_no_attestation() -> None:
    rule = rule_line("image", "attestation_missing", signer="release", predicate_type="vex")
    assert evaluate(trusting(rule), signed(by("release"))).findings
    assert evaluate(trusting(rule), signed(by("release", ATTESTATION, SLSA))).findings
    assert not evaluate(trusting(rule), signed(by("release", ATTESTATION, "https://openvex.dev/ns/v0.2.0"))).findings


def test_lint_tells_of_signers_nobody_asks_for_and_of_rules_without_signers() -> None:
    now = "2025-06-15T12:00:00Z"
    assert [each.message for each in lint(trusting(ASKING), now)] == [
        'signer "ci" is not asked for: no rule names it, and vex does not'
    ]
    assert lint(trusting(ANY), now) == ()
    assert lint(trusting(ASKING, vex="[ci]"), now) == ()
    assert [each.message for each in lint(bundle(ANY), now)] == [
        'rule "r" cannot be decided: the bundle names no signers'
    ]
    assert lint(bundle(rule_line("image", "signature_missing", accept_unchecked=True)), now) == ()


CASES = """
bundle: bundle.yaml
cases:
  - name: signed
    image: {attached: [{kind: signature, signer: release}]}
    expect: {verdict: pass, findings: []}
  - name: not signed
    image: {attached: [{kind: signature}]}
    expect: {verdict: fail, findings: [{trigger: signature_missing}]}
  - name: nothing there
    image: {}
    expect: {verdict: fail}
  - name: nobody looked
    image: {unknown: [attached]}
    expect: {verdict: indeterminate}
"""


def test_cases_tell_what_is_attached(folder: Path) -> None:
    written(folder, "keys/release.pub")
    (folder / "cases.yaml").write_text(CASES)
    suite = read_cases(str(folder / "cases.yaml"), "2025-06-15T12:00:00Z")
    results = [run_case(case, lambda *_: pytest.fail("no store is asked")) for case in suite]
    assert [(each.case.name, each.differences) for each in results] == [(each.case.name, ()) for each in results]
    assert len(results) == 4
    (folder / "cases.yaml").write_text(CASES.replace("signer: release", "signer: relaese"))
    with pytest.raises(BundleError, match="relaese"):
        read_cases(str(folder / "cases.yaml"), "2025-06-15T12:00:00Z")
