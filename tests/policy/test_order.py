"""The order among mappings, policies, whitelists and image lists, sentence by sentence (Anchore's evaluation order)."""

from __future__ import annotations

import pytest

from anchorecli.model import Action, Status
from anchorecli.policy.bundle import parse_bundle
from anchorecli.policy.evaluate import evaluate

from .evidence import evidence, match, package

RULE = "{{id: {0}, gate: vulnerabilities, trigger: package, action: {1}, params: {{package_type: all}}}}"
HEAD = (
    'id: b\nversion: "1_0"\npolicies:\n'
    f"- {{id: stop, rules: [{RULE.format('s', 'stop')}]}}\n"
    f"- {{id: warn, rules: [{RULE.format('w', 'warn')}]}}\n"
    "whitelists:\n"
    "- {id: one, items: [{id: a, gate: vulnerabilities, trigger_id: CVE-1+*}]}\n"
    "- {id: two, items: [{id: b, gate: vulnerabilities, trigger_id: CVE-2+*}]}\n"
)
ONE, TWO = match("CVE-1"), match("CVE-2")
GIVEN = evidence([package()], [ONE, TWO])
DIGESTS = {"digest": "sha256:" + "2" * 64, "id": "1" * 64}


def judged(mapping: str, lists: str = "", given=GIVEN):
    return evaluate(parse_bundle(f"{HEAD}mappings:\n{mapping}{lists}"), given)


def mapping(policies: str, lists: str = "", image: str = "{type: tag, value: '*'}", name: str = "m") -> str:
    which = f"registry: '*', repository: '*', image: {image}"
    return f"- {{id: {name}, {which}, policy_ids: [{policies}], whitelist_ids: [{lists}]}}\n"


def test_whitelists_of_the_mapping_hold_for_all_its_policies():
    verdict = judged(mapping("stop, warn", "one, two"))
    assert (verdict.status, verdict.action) == (Status.PASS, Action.GO)
    assert [finding.allowed_by for finding in verdict.findings] == ["a", "b", "a", "b"]
    assert [(each.item_id, each.covered) for each in verdict.allowances] == [("a", 2), ("b", 2)]


def test_what_is_let_through_does_not_weigh_and_the_rest_does():
    verdict = judged(mapping("stop, warn", "one"))
    assert (verdict.status, verdict.action) == (Status.FAIL, Action.STOP)
    assert [finding.action for finding in verdict.findings] == [Action.GO, Action.STOP, Action.GO, Action.WARN]
    alone = judged(mapping("warn", "one"))
    assert (alone.status, alone.action) == (Status.PASS, Action.WARN)


def test_policies_and_whitelists_of_other_mappings_are_not_looked_at():
    text = mapping("warn", "one", name="first") + mapping("stop", "two", name="second")
    verdict = judged(text)
    assert (verdict.mapping_id, verdict.policy_ids) == ("first", ("warn",))
    assert [rule.rule_id for rule in verdict.rules] == ["w"]
    assert [each.item_id for each in verdict.allowances] == ["a"]


def test_policies_run_in_the_order_of_the_mapping():
    assert [rule.rule_id for rule in judged(mapping("warn, stop")).rules] == ["w", "s"]
    assert judged(mapping("warn, stop")).policy_ids == ("warn", "stop")


@pytest.mark.parametrize("kind", ["digest", "id"])
def test_a_mapping_by_digest_or_id_is_chosen_among_others(kind):
    this = mapping("stop", image=f"{{type: {kind}, value: '{DIGESTS[kind]}'}}", name="this")
    other = mapping("stop", image=f"{{type: {kind}, value: '{'9' * 64}'}}", name="other")
    rest = mapping("warn", name="rest")
    assert judged(other + this + rest).mapping_id == "this"
    assert judged(other + rest + this).mapping_id == "rest"


@pytest.mark.parametrize("kind", ["digest", "id"])
@pytest.mark.parametrize(
    ("key", "status", "reason"),
    [("blacklisted_images", Status.FAIL, "blacklisted"), ("whitelisted_images", Status.PASS, "whitelisted")],
)
def test_image_lists_by_digest_or_id(kind, key, status, reason):
    entry = f"{key}: [{{registry: '*', repository: '*', image: {{type: {kind}, value: '{DIGESTS[kind]}'}}}}]\n"
    verdict = judged(mapping("warn" if status is Status.FAIL else "stop"), entry)
    assert (verdict.status, verdict.reason) == (status, reason)
    assert len(verdict.findings) == len(GIVEN.matches)


@pytest.mark.parametrize(
    ("key", "status", "reason"),
    [("blacklisted_images", Status.FAIL, "blacklisted"), ("whitelisted_images", Status.PASS, "whitelisted")],
)
def test_image_lists_decide_where_nothing_maps(key, status, reason):
    entry = f"{key}: [{{registry: docker.io, repository: debian, image: {{type: tag, value: '1*'}}}}]\n"
    nothing = mapping("stop").replace("registry: '*'", "registry: quay.io")
    verdict = judged(nothing, entry)
    assert (verdict.status, verdict.reason, verdict.mapping_id) == (status, reason, "")


def test_an_exception_does_not_save_a_denied_image():
    entry = "blacklisted_images: [{registry: '*', repository: '*', image: {type: tag, value: '*'}}]\n"
    verdict = judged(mapping("stop", "one, two"), entry)
    assert (verdict.status, verdict.reason) == (Status.FAIL, "blacklisted")
    assert all(finding.allowed_by for finding in verdict.findings)


def test_one_policy_named_twice_is_told_twice():
    verdict = judged(mapping("warn, warn"))
    assert [rule.rule_id for rule in verdict.rules] == ["w", "w"]
    assert verdict.action is Action.WARN


def test_no_finding_is_go():
    verdict = judged(mapping("stop, warn", "one"), given=evidence([package()]))
    assert (verdict.status, verdict.action, verdict.findings) == (Status.PASS, Action.GO, ())
    assert {rule.status for rule in verdict.rules} == {"silent"}
