"""The report as JUnit XML: a test for every vulnerability of a package, every other finding, every gap in the evidence.

A test fails where the policy says stop (without a policy: for every match); what is settled or let through is skipped
with its reason; what could not be looked at is an error, so that no CI system shows it as passed.

Format: the dialect of Jenkins and GitLab, https://github.com/jenkinsci/xunit-plugin, model/xsd/junit-10.xsd.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from anchorecli.model import Action, Finding, Match, Problem, Report
from anchorecli.report import identity
from anchorecli.report.base import RenderOptions, Subject
from anchorecli.report.text import clean
from anchorecli.report.words import Ruling, Rulings, about_the_image, brought_by, facts, headline, shown
from anchorecli.values import dataclass


@dataclass(frozen=True, slots=True)
class JUnit:
    """The findings as tests."""

    name: str = "junit"
    subject: Subject = "report"
    media_type: str = "application/xml"
    description: str = "findings as tests (JUnit XML)"

    def prepare(self) -> None:
        """Nothing here is slow to load."""

    def render(self, report: Report, options: RenderOptions) -> str:
        """The report as JUnit XML."""
        return "".join(self.pieces(report, options))

    def pieces(self, report: Report, options: RenderOptions) -> Iterator[str]:
        """The same in pieces."""
        image = clean(report.analysis.image.ref.name)
        suites = [each if each.outcomes else _nothing_found(each.name) for each in _suites(report)]
        outcomes = [outcome for suite in suites for outcome in suite.outcomes]
        lines = chain(
            ['<?xml version="1.0" encoding="UTF-8"?>', f'<testsuites name="{_text(image)}" {_counts(outcomes)}>'],
            *(_suite(each, image, report.created_at) for each in suites),
            ["</testsuites>"],
        )
        for line in lines:
            yield line.encode("ascii", "xmlcharrefreplace").decode("ascii") + "\n"


class _Case(NamedTuple):
    group: str
    name: str
    outcome: str = ""
    """``failure``, ``error``, ``skipped``, or empty for a test that passed."""
    message: str = ""
    text: str = ""


class _Suite(NamedTuple):
    name: str
    outcomes: list[str]
    """Of each case: they are counted before the first is written."""
    cases: Iterable[_Case]


def _suites(report: Report) -> tuple[_Suite, ...]:
    rulings = Rulings(report.verdict)
    judged = report.verdict is not None
    matches = shown(report) + identity.suppressed(report)
    policy = [_finding(finding, rulings) for finding in about_the_image(report.verdict)]
    evidence = [_problem(each) for each in sorted(set(report.problems)) if each.incomplete]
    return (
        _Suite(
            "vulnerabilities",
            [_outcome(rulings.of(match), judged=judged) for match in matches],
            (_match(match, report, rulings.of(match), judged=judged) for match in matches),
        ),
        _Suite("policy", [case.outcome for case in policy], policy),
        _Suite("evidence", [case.outcome for case in evidence], evidence),
    )


def _nothing_found(name: str) -> _Suite:
    # A suite without tests is taken for one that did not run: what held is a test as well.
    return _Suite(name, [""], [_Case("anchore", f"{name}: nothing found")])


def _outcome(ruling: Ruling, *, judged: bool) -> str:
    return "skipped" if ruling.excused else "failure" if ruling.action is Action.STOP or not judged else ""


def _match(match: Match, report: Report, ruling: Ruling, *, judged: bool) -> _Case:
    group = clean(f"{match.package.type}.{match.package.source or match.package.name}")
    told = [*facts(match, report.enrichment), ("layer", brought_by(match, report))]
    text = "\n".join(f"{label}: {value}" for label, value in told if value)
    place = identity.installed_at(match.package)
    name = clean(f"{match.id} in {match.package.name} {match.package.version}{f' ({place})' if place else ''}")
    return _Case(group, name, _outcome(ruling, judged=judged), ruling.excused or headline(match), text)


def _finding(finding: Finding, rulings: Rulings) -> _Case:
    excused = rulings.excuse(finding)
    outcome = "skipped" if excused else "failure" if finding.action is Action.STOP else ""
    group = clean(f"{finding.gate}.{finding.trigger}")
    return _Case(group, clean(f"{finding.rule_id} {finding.trigger_id}"), outcome, excused or clean(finding.message))


def _problem(problem: Problem) -> _Case:
    message = clean(f"{problem.subject}: {problem.message}")
    return _Case(f"evidence.{clean(problem.stage)}", message, "error", message, clean(problem.hint))


def _suite(suite: _Suite, image: str, moment: str) -> Iterator[str]:
    stamp = f' timestamp="{_text(clean(moment))}"' if moment else ""
    yield f'<testsuite name="{suite.name}" hostname="{_text(image)}"{stamp} {_counts(suite.outcomes)}>'
    for case in suite.cases:
        head = f'<testcase classname="{_text(case.group)}" name="{_text(case.name)}" time="0"'
        if case.outcome == "skipped":
            yield f'{head}><skipped message="{_text(case.message)}"/></testcase>'
        elif case.outcome:
            kind, message = case.outcome, _text(case.message)
            yield f'{head}><{kind} message="{message}" type="{kind}">{_text(case.text)}</{kind}></testcase>'
        elif case.message:
            yield f"{head}><system-out>{_text(case.message)}</system-out></testcase>"
        else:
            yield f"{head}/>"
    yield "</testsuite>"


def _counts(outcomes: list[str]) -> str:
    return (
        f'tests="{len(outcomes)}" failures="{outcomes.count("failure")}" errors="{outcomes.count("error")}"'
        f' skipped="{outcomes.count("skipped")}"'
    )


_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})


def _text(text: str) -> str:
    """Text, clean line by line, as XML has it; a line of it never starts a command of a CI system."""
    return text.translate(_ENTITIES)
