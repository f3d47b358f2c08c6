"""What a gap in the evidence makes of a pass: by cause, as the bundle chooses."""

from __future__ import annotations

import dataclasses

import pytest

from anchorecli.errors import BundleError
from anchorecli.model import Action, MatchVerdict, Problem, Status
from anchorecli.policy.evaluate import evaluate
from anchorecli.policy.language.evidence_rules import CAUSES, PRESETS
from anchorecli.policy.values import EvidenceRule

from .evidence import FEED, bundle, evidence, match, package, rule_line

GO = rule_line("always", "always", "go")
VULNERABLE = rule_line("vulnerabilities", "package", "warn", package_type="all")
EMPTY = dataclasses.replace(FEED, records=0)
OLD = dataclasses.replace(FEED, updated_at="2025-01-01T00:00:00Z")

CASES = {
    "analyzer_failed": (GO, evidence(problems=(Problem("analyze", "x", "damaged"),))),
    "limit_hit": (GO, evidence(problems=(Problem("layers", "x", "too long", cause="limit_hit"),))),
    "no_feed": (VULNERABLE, evidence([package()], covered=frozenset(), feeds=())),
    "empty_feed": (VULNERABLE, evidence([package()], feeds=(EMPTY,))),
    "stale_feed": (VULNERABLE, evidence([package()], feeds=(OLD,))),
    "unknown_distro": (VULNERABLE, evidence([package()], distro=None)),
    "unreadable_version": (VULNERABLE, evidence([package()], [match(verdict=MatchVerdict.UNKNOWN)])),
    "rule_not_run": (
        rule_line("dockerfile", "instruction", instruction="RUN", check="like", value=r"(?:(?!.*b)a)+b"),
        evidence(dockerfile="FROM x\nRUN " + "a" * 20_000),
    ),
}


def test_every_cause_has_a_case_and_a_field():
    assert CASES.keys() == CAUSES.keys()
    assert EvidenceRule._fields[2:] == tuple(CAUSES)


@pytest.mark.parametrize("cause", CASES)
@pytest.mark.parametrize("general", ["indeterminate", "ignore"])
@pytest.mark.parametrize(("choice", "status"), [("indeterminate", Status.INDETERMINATE), ("ignore", Status.PASS)])
def test_each_cause_is_chosen_for_itself(cause, general, choice, status):
    rule, given = CASES[cause]
    extra = f"evidence: {{on_incomplete: {general}, max_feed_age_days: 9, {cause}: {choice}}}"
    verdict = evaluate(bundle(rule, extra=extra), given)
    assert verdict.status is status
    assert [problem.gap for problem in verdict.problems] == [cause]
    assert verdict.reason == ("evidence" if status is Status.INDETERMINATE else "policy_evaluation")


@pytest.mark.parametrize("cause", CASES)
def test_a_warning_weighs_as_one(cause):
    rule, given = CASES[cause]
    extra = f"evidence: {{on_incomplete: ignore, max_feed_age_days: 9, {cause}: warn}}"
    verdict = evaluate(bundle(rule, extra=extra), given)
    assert (verdict.status, verdict.action) == (Status.PASS, Action.WARN)


@pytest.mark.parametrize(
    ("preset", "indeterminate"),
    [
        ("closed", set(CAUSES)),
        ("balanced", set(CAUSES) - {"analyzer_failed", "limit_hit", "unreadable_version"}),
        ("open", set()),
    ],
)
def test_presets(preset, indeterminate):
    rules = {cause: bundle(GO, extra=f"evidence: {{preset: {preset}}}").evidence.choice(cause) for cause in CAUSES}
    assert {cause for cause, choice in rules.items() if choice == "indeterminate"} == indeterminate
    assert set(rules.values()) <= {"indeterminate", "warn"}
    for cause, (rule, given) in CASES.items():
        verdict = evaluate(bundle(rule, extra=f"evidence: {{preset: {preset}}}"), given)
        assert (verdict.status is Status.INDETERMINATE) is (cause in indeterminate)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", EvidenceRule()),
        ("evidence:\n", EvidenceRule()),
        ("evidence: {}\n", EvidenceRule()),
        ("evidence: {on_incomplete: warn}\n", EvidenceRule("warn")),
        ("evidence: {preset: closed}\n", EvidenceRule("indeterminate", 14)),
        ("evidence: {preset: closed, max_feed_age_days: 3}\n", EvidenceRule("indeterminate", 3)),
        ("evidence: {preset: open, no_feed: indeterminate}\n", EvidenceRule("warn", 14, no_feed="indeterminate")),
        ("evidence: {preset: balanced, on_incomplete: ignore}\n", EvidenceRule("ignore", 14)),
        ("evidence: {preset: closed, max_feed_age_days: 0}\n", EvidenceRule("indeterminate", 0)),
    ],
)
def test_what_the_key_means(text, expected):
    assert bundle(GO, extra=text).evidence == expected


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{preset: shut}", 'unknown preset "shut"'),
        ("{no_feed: sometimes}", 'unknown value of no_feed "sometimes"'),
        ("{stale: warn}", 'unknown key "stale"'),
        ("[closed]", '"evidence" must be a mapping'),
    ],
)
def test_faults(text, fault):
    with pytest.raises(BundleError, match=r"bundle\.yaml:") as caught:
        bundle(GO, extra=f"evidence: {text}\n")
    assert fault in caught.value.message


def test_every_preset_is_described_by_its_rule():
    assert PRESETS.keys() == {"closed", "balanced", "open"}


def test_the_worst_choice_among_several_gaps_counts():
    given = evidence([package()], [match(verdict=MatchVerdict.UNKNOWN)], problems=(Problem("analyze", "x", "bad"),))
    extra = "evidence: {on_incomplete: ignore, analyzer_failed: warn, unreadable_version: indeterminate}"
    assert evaluate(bundle(VULNERABLE, extra=extra), given).status is Status.INDETERMINATE


def test_a_feed_with_records_beside_an_empty_one_suffices():
    verdict = evaluate(bundle(VULNERABLE), evidence([package()], feeds=(EMPTY, FEED)))
    assert (verdict.status, verdict.problems) == (Status.PASS, ())
