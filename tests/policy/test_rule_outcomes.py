"""What became of every rule: those that fired, those that were silent, and those that did not run."""

from __future__ import annotations

import pytest

from anchorecli.model import Action, HistoryEntry, Problem, RuleOutcome, Status
from anchorecli.policy.base import Fire, Trigger
from anchorecli.policy.bundle import parse_bundle
from anchorecli.policy.evaluate import evaluate
from anchorecli.policy.judging import running
from anchorecli.policy.language.rules import find_gate

from .evidence import bundle, config, evidence, match, package, rule_line
from .test_evaluate import with_allowlist


def line(identity: str, gate: str, trigger: str, action: str = "stop", **params: object) -> str:
    return rule_line(gate, trigger, action, **params).replace('"r"', f'"{identity}"')


VULNERABLE = line("v", "vulnerabilities", "package", package_type="all")


def test_every_rule_is_accounted_for_in_the_order_of_the_bundle():
    rules = [
        line("p1", "packages", "blacklist", name="openssl"),
        line("a", "always", "always", "warn"),
        line("p2", "packages", "blacklist", name="bash"),
        VULNERABLE,
        line("old", "anchoresec", "cvehigh"),
        line("off", "stig", "anything"),
    ]
    verdict = evaluate(parse_bundle(with_allowlist("{vulnerability: CVE-1}", rules=tuple(rules))), EVIDENCE)
    assert [(rule.rule_id, rule.status, rule.fired, rule.allowed) for rule in verdict.rules] == [
        ("p1", "fired", 1, 0),
        ("a", "fired", 1, 0),
        ("p2", "silent", 0, 0),
        ("v", "fired", 2, 1),
        ("old", "not-run", 0, 0),
        ("off", "not-run", 0, 0),
    ]
    assert verdict.rules[0] == RuleOutcome(
        "p", "p1", "packages", "blacklist", Action.STOP, "fired", fired=1, looked_at=verdict.rules[0].looked_at
    )
    assert "retired: use vulnerabilities" in verdict.rules[4].note
    assert "gate stig" in verdict.rules[5].note


EVIDENCE = evidence([package(), package("curl")], [match("CVE-1"), match("CVE-2")])


@pytest.mark.parametrize(
    ("rule", "given", "looked_at"),
    [
        (VULNERABLE, EVIDENCE, "2 matches in 2 packages"),
        (VULNERABLE, evidence([package()], [match()]), "1 match in 1 package"),
        (VULNERABLE, evidence(), "0 matches in 0 packages"),
        (line("d", "dockerfile", "instruction", instruction="RUN", check="exists"), evidence(), "0 history entries"),
        (
            line("d", "dockerfile", "instruction", instruction="RUN", check="exists"),
            evidence(settings=config([HistoryEntry("RUN x")])),
            "1 history entry",
        ),
        (
            line("d", "dockerfile", "instruction", instruction="RUN", check="exists"),
            evidence(dockerfile="FROM x"),
            "the Dockerfile given",
        ),
        (line("a", "always", "always"), EVIDENCE, ""),
    ],
)
def test_on_what_a_rule_decided(rule, given, looked_at):
    (outcome,) = evaluate(bundle(rule), given).rules
    gate = find_gate(outcome.gate)
    own = next(each.looks_at for each in gate.triggers if each.name == outcome.trigger)
    assert own or outcome.looked_at == looked_at


def run_trigger(monkeypatch: pytest.MonkeyPatch, trigger: Trigger) -> tuple[RuleOutcome, Status]:
    monkeypatch.setattr(running, "find_trigger", lambda gate, name: trigger)
    verdict = evaluate(bundle(line("a", "always", "always", "warn")), EVIDENCE)
    return verdict.rules[0], verdict.status


def test_a_trigger_says_itself_what_it_looks_at(monkeypatch):
    trigger = Trigger("t", "", lambda evidence, arguments: (), looks_at=lambda evidence, arguments: "three wishes")
    outcome, _ = run_trigger(monkeypatch, trigger)
    assert (outcome.status, outcome.looked_at) == ("silent", "three wishes")


def test_a_rule_that_could_not_look_did_not_run(monkeypatch):
    gap = Problem("policy", "x", "a file is missing")
    outcome, status = run_trigger(monkeypatch, Trigger("t", "", lambda evidence, arguments: (gap,)))
    assert (outcome.status, outcome.note, status) == ("not-run", "a file is missing", Status.INDETERMINATE)


def test_a_rule_that_fired_and_could_not_look_at_all_says_both(monkeypatch):
    gap = Problem("policy", "x", "a file is missing")
    outcome, _ = run_trigger(monkeypatch, Trigger("t", "", lambda evidence, arguments: (Fire("m"), gap)))
    assert (outcome.status, outcome.fired, outcome.note) == ("fired", 1, "a file is missing")


def test_of_very_many_findings_the_first_are_kept_and_the_rest_is_told(monkeypatch):
    monkeypatch.setattr(running, "MOST_FIRES", 3)
    few, many = (tuple(Fire(f"m{number}") for number in range(count)) for count in (3, 9))
    assert run_trigger(monkeypatch, Trigger("t", "", lambda evidence, arguments: few))[0].note == ""
    outcome, status = run_trigger(monkeypatch, Trigger("t", "", lambda evidence, arguments: many))
    assert (outcome.status, outcome.fired) == ("fired", 3)
    assert "more than 3 findings (a fixed limit)" in outcome.note
    assert status is not Status.PASS


def test_a_remark_leaves_a_rule_silent(monkeypatch):
    remark = Problem("policy", "x", "by the way", incomplete=False)
    outcome, status = run_trigger(monkeypatch, Trigger("t", "", lambda evidence, arguments: (remark,)))
    assert (outcome.status, outcome.note, status) == ("silent", "", Status.PASS)


def test_a_trigger_without_its_facts_did_not_run(monkeypatch):
    outcome, status = run_trigger(monkeypatch, Trigger("t", "", None, needs="the moon"))
    assert (outcome.status, status) == ("not-run", Status.INDETERMINATE)
    assert outcome.note == "needs the moon, which this version does not gather"


@pytest.mark.parametrize(("key", "expected"), [("", False), ("compat: anchore-engine", True)])
def test_triggers_are_told_whose_mistakes_to_repeat(monkeypatch, key, expected):
    told = []
    trigger = Trigger("t", "", lambda evidence, arguments: told.append(arguments.compat) or ())
    monkeypatch.setattr(running, "find_trigger", lambda gate, name: trigger)
    evaluate(bundle(line("a", "always", "always"), extra=key), EVIDENCE)
    assert told == [expected]


def test_findings_that_differ_in_what_they_are_about_alone_are_one(monkeypatch):
    fires = (Fire("m", path="a"), Fire("m", path="b"), Fire("m", path="a"), Fire("n", path="a"))
    outcome, _ = run_trigger(monkeypatch, Trigger("t", "", lambda evidence, arguments: fires))
    assert outcome.fired == 2


def test_rules_run_and_are_listed_though_an_image_list_decides():
    here = "whitelisted_images: [{registry: docker.io, repository: debian, image: {type: tag, value: '12'}}]"
    verdict = evaluate(bundle(VULNERABLE, extra=here), EVIDENCE)
    assert (verdict.status, verdict.reason) == (Status.PASS, "whitelisted")
    assert [(rule.status, rule.fired) for rule in verdict.rules] == [("fired", 2)]


def test_without_a_mapping_no_rule_is_listed():
    text = with_allowlist("{vulnerability: CVE-1}").replace('registry: "*"', "registry: quay.io")
    verdict = evaluate(parse_bundle(text), EVIDENCE)
    assert (verdict.rules, verdict.allowances) == ((), ())
