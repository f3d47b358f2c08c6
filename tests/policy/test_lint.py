"""Lint: each doubtful thing is pointed out once, in its place, and what is right is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from anchorecli.errors import BundleError
from anchorecli.model import Severity
from anchorecli.policy.authoring.lint import fault_remarks, lint
from anchorecli.policy.authoring.lint_allow import unused_remarks
from anchorecli.policy.bundle import default_bundle, fail_on_bundle, load_bundle, parse_bundle
from anchorecli.policy.evaluate import evaluate

from .evidence import evidence, match

NOW = "2025-06-15T12:00:00Z"
ALL = 'registry: "*", repository: "*", image: {type: tag, value: "*"}'


def bundle(rules: str = "", *, items: str = "", mappings: str = "", extra: str = "") -> str:
    """A bundle in which nothing else is doubtful; rules begin in line 5."""
    rules = rules or "gate: always, trigger: always, action: go"
    listed = "".join(f"  - {{{line}}}\n" for line in rules.splitlines() if line)
    text = 'id: b\nversion: "1_0"\npolicies:\n- id: p\n  rules:\n' + listed
    if items:
        text += "whitelists:\n- id: w\n  items:\n" + "".join(f"  - {{{line}}}\n" for line in items.splitlines() if line)
    text += "mappings:\n" + "".join(f"- {{{line}}}\n" for line in mappings.splitlines() if line)
    named = ", whitelist_ids: [w]" if items else ""
    return text + f"- {{id: all, {ALL}, policy_ids: [p]{named}}}\n" + extra


def said(text: str) -> list[str]:
    return [f"{one.line}: {one.message}" for one in lint(parse_bundle(text, "b.yaml"), NOW)]


def vuln(identity: str, params: str, action: str = "stop") -> str:
    given = f"package_type: all{', ' if params else ''}{params}"
    return f"id: {identity}, gate: vulnerabilities, trigger: package, action: {action}, params: {{{given}}}\n"


def dockerfile(identity: str, trigger: str, params: str, action: str = "stop") -> str:
    return f"id: {identity}, gate: dockerfile, trigger: {trigger}, action: {action}, params: {{{params}}}\n"


@pytest.mark.parametrize("made", [default_bundle(), fail_on_bundle(Severity.HIGH)])
def test_the_built_in_bundles_are_beyond_doubt(made):
    assert lint(made, NOW) == ()


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (vuln("a", 'severity_comparison: ">", severity: critical'), "no severity is > critical"),
        (vuln("a", 'severity_comparison: "<", severity: unknown'), "no severity is < unknown"),
        (vuln("a", "cvss_v3_base_score: 10.5"), "no cvss_v3_base_score is >= 10.5; they go from 0 to 10"),
        (
            vuln("a", 'cvss_v3_base_score: 10, cvss_v3_base_score_comparison: ">"'),
            "no cvss_v3_base_score is > 10; they go from 0 to 10",
        ),
        (
            vuln("a", 'epss_score: 1, epss_score_comparison: ">"'),
            "no epss_score is > 1; they go from 0 to 1",
        ),
    ],
)
def test_rules_about_vulnerabilities_that_never_fire(rules, expected):
    assert said(bundle(rules)) == [f'6: rule "a" (vulnerabilities.package) never fires: {expected}']


@pytest.mark.parametrize(
    "rules",
    [
        vuln("a", 'severity_comparison: ">=", severity: critical'),
        vuln("a", 'severity_comparison: "<=", severity: unknown'),
        vuln("a", "cvss_v3_base_score: 10"),
        vuln("a", 'cvss_v3_base_score: 0, cvss_v3_base_score_comparison: "<"'),
        vuln("a", "epss_score: 0.9"),
        dockerfile("a", "instruction", 'instruction: FROM, check: "=", value: x'),
        dockerfile("a", "instruction", "instruction: FROM, check: exists"),
        # Two disjoint rules, and two of which the stricter one has the worse action.
        vuln("a", 'severity_comparison: "=", severity: medium', "warn") + vuln("b", "severity: medium"),
        vuln("a", 'severity_comparison: ">=", severity: low', "warn") + vuln("b", "severity: medium"),
        vuln("a", "severity: high, fix_available: true") + vuln("b", "severity: high", "warn"),
        vuln("a", "severity: high, vendor_only: true") + vuln("b", "severity: high, vendor_only: false", "warn"),
        dockerfile("a", "effective_user", "users: [a, b], type: whitelist")
        + dockerfile("b", "effective_user", "users: [root], type: blacklist"),
        dockerfile("a", "exposed_ports", "ports: [80], type: whitelist")
        + dockerfile("b", "exposed_ports", "ports: [80, 81], type: whitelist"),
    ],
)
def test_rules_that_are_right(rules):
    assert said(bundle(rules)) == []


def test_an_instruction_compared_with_nothing():
    rules = dockerfile("a", "instruction", "instruction: FROM, check: in")
    assert said(bundle(rules)) == ['6: rule "a" (dockerfile.instruction) never fires: check "in" needs a value']


def test_repeated_rules():
    one = "gate: dockerfile, trigger: exposed_ports, params: {ports: 22, type: blacklist}"
    other = "gate: dockerfile, trigger: exposed_ports, params: {type: denylist, ports: [22]}"
    assert said(bundle(f"id: a, action: stop, {one}\nid: b, action: stop, {other}\n")) == [
        '7: rule "b" repeats rule "a" in line 6'
    ]
    assert said(bundle(f"id: a, action: warn, {one}\nid: b, action: stop, {other}\n")) == [
        '7: rule "b" is rule "a" in line 6 with another action; stop decides'
    ]


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ("severity: high", "severity: medium"),
        ('severity: critical, severity_comparison: "="', 'severity: high, severity_comparison: ">="'),
        ("severity: medium, fix_available: true", "severity: medium"),
        ("severity: medium", "severity: medium, vendor_only: false"),
        ("severity: medium, cvss_v3_base_score: 7", "severity: low"),
    ],
)
def test_rules_that_find_nothing_of_their_own(narrow, wide):
    expected = '6: rule "a" finds nothing but what "b" in line 7 (stop) finds'
    assert said(bundle(vuln("a", narrow, "warn") + vuln("b", wide))) == [expected]
    assert said(bundle(vuln("a", narrow) + vuln("b", wide, "warn"))) == []


def test_lists_that_contradict_each_other():
    rules = (
        dockerfile("a", "effective_user", "users: [root, app], type: whitelist")
        + dockerfile("b", "effective_user", "users: [root, x], type: blacklist")
        + dockerfile("c", "effective_user", "users: [web], type: whitelist")
    )
    assert said(bundle(rules)) == [
        '7: rule "b" denies root, which rule "a" in line 6 allows',
        '8: rule "c" and rule "a" in line 6 allow nothing in common: one of them always fires',
    ]


def test_an_age_of_fix_without_a_fix():
    assert said(bundle(vuln("a", "severity: high, max_days_since_fix: 3"))) == [
        "6: max_days_since_fix has no effect without fix_available: true"
    ]


def test_gates_that_are_not_evaluated():
    found = said(bundle("id: a, gate: stig, trigger: x, action: stop\nid: b, gate: gemcheck, trigger: x, action: go\n"))
    assert found == [
        "6: gate stig is not evaluated by this version: with this rule no image gets a pass",
        "7: gate gemcheck is retired; its rule is not evaluated",
    ]


@pytest.mark.parametrize("regex", ["(a+)+$", "(.*,)*x", "((ab)*c*)*d"])
def test_expressions_that_may_exceed_their_bound(regex):
    assert said(bundle(vuln("a", f"severity: high, package_path_exclude: '{regex}'"))) == [
        '6: parameter "package_path_exclude" repeats a repetition: long texts may exceed its bound'
    ]


def test_policies_without_rules_or_mapping():
    text = bundle().replace("mappings:", "- {id: q, rules: []}\nmappings:")
    assert said(text) == [
        '7: policy "q" has no rules: it passes every image',
        '7: no mapping names policy "q": it is never used',
    ]


def test_whitelists_without_mapping():
    text = bundle(items="id: i, gate: always, trigger_id: always").replace(", whitelist_ids: [w]", "")
    assert said(text) == ['8: no mapping names whitelist "w": its items let nothing through']
    assert said(bundle(extra="whitelists: [{id: w, items: []}]\n")) == []


def mapping(identity: str, registry: str, repository: str, value: str, kind: str = "tag") -> str:
    names = f"registry: '{registry}', repository: '{repository}'"
    return f"id: {identity}, {names}, image: {{type: {kind}, value: '{value}'}}, policy_ids: [p]\n"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("*", "*", "*"), ("quay.io", "x", "1")),
        (("quay.io", "app*", "*"), ("quay.io", "app/web*", "1*")),
        (("docker.io", "debian", "*"), ("dockerhub", "library/debian", "12")),
        (("quay.io", "x", "1.*"), ("quay.io", "x", "1.*")),
        (("regexp:quay", "x", "1"), ("regexp:quay", "x", "1")),
        (("*", "*", "*"), ("quay.io", "x", "sha256:1", "digest")),
        (("a", "b", "sha256:1", "digest"), ("a", "b", "sha256:1", "digest")),
    ],
)
def test_mappings_that_come_too_late(first, second):
    found = said(bundle(mappings=mapping("one", *first) + mapping("two", *second)))
    assert '9: mapping "two" is never used: mapping "one" in line 8 means all its images and comes first' in found


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("quay.io", "x", "1"), ("*", "*", "*", "tag")),
        (("quay.io", "x*", "*"), ("quay.io", "*", "*")),
        (("docker.io", "lib*", "*"), ("docker.io", "library/*", "*")),
        (("regexp:.*", "x", "1"), ("quay.io", "x", "1")),
        (("quay.io", "x", "1*"), ("quay.io", "x", "sha256:1", "digest")),
        (("a", "b", "sha256:1", "digest"), ("a", "b", "sha256:2", "digest")),
    ],
)
def test_mappings_that_are_right(first, second):
    found = said(bundle(mappings=mapping("one", *first) + mapping("two", *second)))
    assert not any('mapping "two" is never used' in one for one in found)


@pytest.mark.parametrize(
    "mappings", ["[]", "[{registry: a, repository: b, image: {type: tag, value: c}, policy_ids: [p]}]"]
)
def test_images_that_nothing_means(mappings):
    text = bundle().partition("mappings:")[0] + f"mappings: {mappings}\n"
    assert "no mapping means every image: what none means passes without a rule" in said(text)[0]


def test_an_image_that_is_allowed_and_denied():
    image = "registry: a, repository: '%s', image: {type: tag, value: '*'}"
    extra = f"whitelisted_images: [{{id: x, {image % 'b'}}}]\nblacklisted_images: [{{id: y, {image % '*'}}}]\n"
    assert said(bundle(extra=extra)) == ['9: allowed image "x" has no effect: it is denied by "y" in line 10']
    other = extra.replace("blacklisted_images: [{id: y, registry: a", "blacklisted_images: [{id: y, registry: c")
    assert said(bundle(extra=other)) == []


HIGH = vuln("a", "severity: high")
ANY = "gate: vulnerabilities, trigger_id: 'CVE-1+*'"


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (f"{ANY}, expires_on: 2020-01-01", "has expired on 2020-01-01: it lets nothing through"),
        (f"{ANY}, expires: 2025-06-15T12:00:00Z", "has expired on 2025-06-15T12:00:00Z: it lets nothing through"),
        (f"{ANY}, expires: 2025-06-16", "expires tomorrow or today, on 2025-06-16"),
        (f"{ANY}, expires: 2025-06-20", "expires in 4 days, on 2025-06-20"),
        (f"{ANY}, created: 2026-01-01", "is created on 2026-01-01, which is yet to come"),
        ("gate: pkgdiff, trigger_id: x", "is for gate pkgdiff, which is retired: it lets nothing through"),
        (
            "gate: always, trigger_id: x",
            "is for gate always, of which its policies have no rule: it lets nothing through",
        ),
        (
            "gate: vulnerabilities, trigger_id: CVE-1",
            'matches nothing: "CVE-1" is no trigger id, which is VULNERABILITY+PACKAGE',
        ),
    ],
)
def test_doubtful_exceptions(item, expected):
    assert said(bundle(HIGH, items=f"id: i, {item}")) == [f'10: whitelist item "i" {expected}']


@pytest.mark.parametrize(
    "item",
    [
        f"{ANY}, expires_on: 2025-07-15",
        f"{ANY}, created: 2025-06-15",
        "gate: vulnerabilities, trigger_id: '*'",
        "gate: vulnerabilities, trigger_id: 'regexp:CVE-1'",
        "gate: vulnerabilities, trigger_id: 41cb7cdf04850e33a11f80c42bf660b3",
        "vulnerability: CVE-1",
        "gate: vulnerabilities, package: openssl",
    ],
)
def test_exceptions_that_are_right(item):
    assert said(bundle(HIGH, items=f"id: i, {item}")) == []


def test_an_exception_given_twice():
    items = f"id: i, {ANY}, reason: x\nid: j, {ANY}, expires: 2099-01-01, owner: me\nid: k, {ANY}, package: x\n"
    assert said(bundle(HIGH, items=items)) == ['11: whitelist item "j" means what "i" in line 10 means']


def test_exceptions_that_match_nothing_in_an_image():
    items = f"id: used, {ANY}\nid: unused, gate: vulnerabilities, trigger_id: 'CVE-2+*'\n"
    made = parse_bundle(bundle(HIGH, items=items), "b.yaml")
    verdict = evaluate(made, evidence(matches=[match("CVE-1", severity=Severity.CRITICAL)]))
    assert {one.item_id for one in verdict.allowances if not one.covered} == {"unused"}
    (remark,) = unused_remarks(made, [verdict])
    assert (remark.line, remark.message) == (
        11,
        'whitelist item "unused" lets nothing through: nothing in this image fits it',
    )
    other = evaluate(made, evidence(matches=[match("CVE-2", severity=Severity.CRITICAL)]))
    assert list(unused_remarks(made, [verdict, other])) == []
    (remark,) = unused_remarks(made, [verdict, verdict])
    assert remark.message.endswith("nothing in any of the 2 images fits it")


def test_what_is_included_is_told_in_its_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("b.yaml").write_text(bundle().replace("policies:", "include: p.yaml\npolicies:"))
    Path("p.yaml").write_text("\npolicies: [{id: q, rules: []}]\n")
    found = lint(load_bundle("b.yaml"), NOW)
    assert {(one.path, one.line) for one in found} == {("p.yaml", 2)}


def test_faults_become_remarks():
    with pytest.raises(BundleError) as caught:
        parse_bundle("id: b\nversion: 3\n", "b.yaml")
    found = [(one.line, one.severity, one.message) for one in fault_remarks(caught.value)]
    assert found == [
        (1, "error", 'the bundle has no "policies"'),
        (1, "error", 'the bundle has no "mappings"'),
        (2, "error", 'version "3" of the bundle is not supported; there is "1_0" and "2"'),
    ]
    with pytest.raises(BundleError) as caught:
        parse_bundle("id: [\n", "b.yaml")
    (remark,) = fault_remarks(caught.value)
    assert (remark.path, remark.line, remark.severity) == ("b.yaml", 2, "error")
    assert remark.message.startswith("not valid YAML")
