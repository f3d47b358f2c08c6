"""Exceptions and rules in the table: who, why, until when, what to do; what every rule decided."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from anchorecli.model import AllowOutcome, Report, RuleOutcome
from anchorecli.report import RenderOptions
from anchorecli.report.table import Table
from tests.report import samples


def render(report: Report, **options: Any) -> str:
    return Table().render(report, RenderOptions(**options))


def with_verdict(**changes: Any) -> Report:
    base = samples.report()
    assert base.verdict
    return replace(base, verdict=replace(base.verdict, **changes))


def section(text: str, title: str) -> str:
    """The lines from a title to the next empty line."""
    return text[text.index(title) :].partition("\n\n")[0]


def test_without_exceptions_there_is_no_section() -> None:
    assert "EXCEPTIONS" not in render(with_verdict(allowances=()))
    assert "EXCEPTIONS" not in render(samples.report(verdict=None))


def test_what_an_exception_lets_through_is_seen_without_being_asked_for() -> None:
    text = section(render(samples.report()), "EXCEPTIONS")
    assert "EXCEPTIONS  1 expired, 1 expiring, 1 unused, 1 used\n" in text
    assert "allow-7: CVE-2023-44487+*, lets 1 finding through" in text
    assert "jo@example.org: HTTP/2 is switched off" in text
    assert "(SEC-12, until 2026-11-30)" in text.replace("\n            ", " ")
    assert "no reason given (until 2026-11-01)" in text


def test_what_has_to_be_done_comes_first() -> None:
    words = [line.split()[0] for line in section(render(samples.report()), "EXCEPTIONS").splitlines()[1:]]
    assert [word for word in words if word.isupper()] == ["EXPIRED", "EXPIRING", "UNUSED", "USED"]


@pytest.mark.parametrize(
    ("status", "covered", "advice"),
    [
        ("used", 1, ""),
        ("needless", 1, "update, and remove it"),
        ("needless", 0, "remove it"),
        ("wide", 2, ""),
        ("expiring", 1, "renew it with a reason"),
        ("unused", 0, "narrow it to the images it is for"),
        ("expired", 0, "renew it with a new end"),
    ],
)
def test_each_says_what_to_do(status: str, covered: int, advice: str) -> None:
    outcome = samples.outcome("i", status, covered, "so it is" if advice else "", "CVE-1")
    text = section(render(with_verdict(allowances=(outcome,)), width=160), "EXCEPTIONS")
    assert ("-> so it is; " in text and advice in text) if advice else "->" not in text


def test_on_incomplete_evidence_nobody_is_told_to_remove_what_seems_unused() -> None:
    outcome = samples.outcome("i", "unused", 0, "it may still be needed", "CVE-1")
    text = section(render(with_verdict(allowances=(outcome,), problems=(samples.GAP,))), "EXCEPTIONS")
    assert "it may still be needed" in text
    assert "remove" not in text


def test_the_vulnerabilities_behind_a_wildcard_are_named() -> None:
    found = tuple(
        samples.finding(
            samples.Action.GO, f"CVE-{n}+x", "m", allowed_by="i", allowlist="exceptions", match_id=f"CVE-{n}"
        )
        for n in range(9)
    )
    outcome = samples.outcome("i", "wide", 9, "", "*+x")
    text = section(render(with_verdict(allowances=(outcome,), findings=found)), "EXCEPTIONS")
    assert "lets 9 findings through: CVE-0, CVE-1" in text.replace("\n            ", " ")
    assert "and 3 more" in text.replace("\n            ", " ")


def test_two_lists_may_have_an_item_of_one_name() -> None:
    first = samples.outcome("i", "used", 1, "", "CVE-1+x", reason="first")
    second = AllowOutcome("other", "i", "used", 1, subject="CVE-2+x", reason="second")
    found = samples.finding(samples.Action.GO, "CVE-2+x", "m", allowed_by="i", allowlist="other", match_id="CVE-2")
    text = render(with_verdict(allowances=(first, second), findings=(found,)), all=True)
    assert "allowed by i: second (without an end)" in text


def test_a_hundred_exceptions_do_not_fill_the_screen() -> None:
    many = tuple(samples.outcome(f"i{n}", "unused", 0, "", f"CVE-{n}") for n in range(100))
    report = with_verdict(allowances=many)
    assert "... and 90 more exceptions (--all lists them)" in render(report)
    assert section(render(report, all=True), "EXCEPTIONS").count("UNUSED") == 100


@pytest.mark.parametrize(("options", "shown"), [({}, False), ({"all": True}, True), ({"verbose": 1}, True)])
def test_rules_are_listed_on_request(options: dict[str, Any], shown: bool) -> None:
    assert ("RULES  3 fired, 1 silent, 1 not run" in render(samples.report(), **options)) is shown


def test_every_rule_says_what_it_looked_at_and_decided() -> None:
    text = section(render(samples.report(), all=True, width=160), "RULES")
    assert [" ".join(line.split()) for line in text.splitlines()[1:]] == [
        "STOP 4 findings, 1 allowed vulnerabilities/package (rule stop-critical), of 41 matches in 9 packages",
        "WARN 1 finding dockerfile/instruction (rule warn-healthcheck), of 4 history entries",
        "GO 1 finding dockerfile/instruction (rule r9), of 4 history entries",
        "STOP silent dockerfile/exposed_ports (rule no-ssh), of 4 history entries",
        "STOP not run anchoresec/cvehigh (rule old)",
        "-> gate anchoresec is retired: use vulnerabilities",
    ]


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_nothing_is_wider_than_the_page(width: int) -> None:
    text = render(samples.report(), all=True, width=width)
    for title in ("EXCEPTIONS", "RULES"):
        assert max(map(len, section(text, title).splitlines())) <= width


def test_without_a_policy_there_are_no_rules() -> None:
    assert "RULES" not in render(with_verdict(rules=()), all=True)
    assert "RULES" not in render(samples.report(verdict=None), all=True)


def test_a_rule_of_an_unknown_outcome_is_shown_as_it_is() -> None:
    rule = RuleOutcome("p", "r", "gate", "trigger", samples.Action.STOP, "odd")
    assert "odd  gate/trigger (rule r)" in render(with_verdict(rules=(rule,)), all=True)
