"""One rule run on the evidence: what fired, on what it decided, and why it did not run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from anchorecli.errors import LimitError
from anchorecli.model import Problem, Rule
from anchorecli.policy.base import Evidence, Fire, Trigger
from anchorecli.policy.facts.vulnerability import live
from anchorecli.policy.judging.described import undecidable
from anchorecli.policy.language.parameters import Arguments, arguments
from anchorecli.policy.language.rules import find_gate, find_trigger
from anchorecli.policy.language.spellings import PENDING_GATES, RETIRED_GATES

MOST_FIRES = 100_000
"""Findings of one rule. A rule that finds something in every file of an image has told enough by then."""


class Ran(NamedTuple):
    """What a rule gave. ``fires`` holds each finding once; ``others`` maps one to the firings that differ from it in
    what they are about alone. ``note`` says why it was not run, or what it could not look at."""

    fires: tuple[Fire, ...] = ()
    problems: tuple[Problem, ...] = ()
    others: Mapping[Fire, list[Fire]] = {}
    looked_at: str = ""
    note: str = ""
    ran: bool = True

    @property
    def status(self) -> str:
        """``fired``, ``silent`` or ``not-run``, as ``RuleOutcome`` has it."""
        if self.fires:
            return "fired"
        return "silent" if self.ran else "not-run"


def run_rule(rule: Rule, evidence: Evidence, *, compat: bool = False) -> Ran:
    """Run one rule. What it could not look at is a problem: a rule without findings and with such a gap did not run."""
    if rule.gate in RETIRED_GATES:
        successor = RETIRED_GATES[rule.gate]
        return Ran(note=f"gate {rule.gate} is retired" + (f": use {successor}" * bool(successor)), ran=False)
    gate = find_gate(rule.gate)
    trigger = find_trigger(gate, rule.trigger) if gate else None
    if trigger is None:
        said = f"gate {rule.gate} {PENDING_GATES.get(rule.gate, 'is not known to this version')}"
        return Ran(problems=(_not_run(rule.gate, f"{said}: rule {rule.id} was not run"),), note=said, ran=False)
    if trigger.fire is None:
        said = f"needs {trigger.needs}, which this version does not gather"
        problem = _not_run(f"{rule.gate}.{rule.trigger}", f"{said}: rule {rule.id} was not run")
        return Ran(problems=(problem,), note=said, ran=False)
    given = arguments(trigger.parameters, rule.params, rule.id)._replace(compat=compat)
    if said := undecidable(gate.name if gate else "", trigger, given, evidence):
        problem = _not_run(f"{rule.gate}.{rule.trigger}", f"{said}: rule {rule.id} was not run")
        return Ran(problems=(problem,), note=said, ran=False)
    return _fired(rule, trigger, evidence, given)


def _fired(rule: Rule, trigger: Trigger, evidence: Evidence, given: Arguments) -> Ran:
    fires: dict[tuple[object, ...], Fire] = {}
    others: dict[Fire, list[Fire]] = {}
    problems: dict[Problem, None] = {}
    try:
        for fire in trigger.fire(evidence, given) if trigger.fire else ():
            if isinstance(fire, Problem):
                problems[fire] = None
                continue
            # The same finding of two packages is one finding.
            known = fires.setdefault(fire[:_WHAT_IT_SAYS], fire)
            if known is not fire and known != fire:
                others.setdefault(known, []).append(fire)
            elif len(fires) > MOST_FIRES:
                del fires[fire[:_WHAT_IT_SAYS]]
                message = f"rule {rule.id}: more than {MOST_FIRES} findings (a fixed limit); the first were kept"
                problems[Problem("policy", f"{rule.gate}.{rule.trigger}", message, cause="limit_hit")] = None
                break
    except LimitError as error:
        message = f"rule {rule.id} could not look at everything: {error}"
        problems[_not_run(f"{rule.gate}.{rule.trigger}", message)] = None
    gap = next((problem.message for problem in problems if problem.incomplete), "")
    looked_at = trigger.looks_at(evidence, given) if trigger.looks_at else _looked_at(rule.gate, evidence)
    return Ran(tuple(fires.values()), tuple(problems), others, looked_at, gap, ran=not gap)


_WHAT_IT_SAYS = Fire._fields.index("purl")
"""The fields before this one make a finding; those after it only say what it is about."""


def _not_run(subject: str, message: str) -> Problem:
    return Problem("policy", subject, message, cause="rule_not_run")


def _looked_at(gate: str, evidence: Evidence) -> str:
    """On what a gate decides whose triggers do not say themselves."""
    if gate == "vulnerabilities":
        return evidence.once(_matched)
    if gate in ("packages", "npms", "ruby_gems", "licenses"):
        return _count(len(evidence.analysis.packages), "package")
    if gate == "dockerfile":
        if evidence.dockerfile:
            return "the Dockerfile given"
        return _count(len(evidence.analysis.image.config.history), "history entry", "history entries")
    if gate in ("files", "secret_scans", "retrieved_files", "passwd_file", "malware", "certificates"):
        return _count(evidence.analysis.file_count, "file")
    return ""


def _matched(evidence: Evidence) -> str:
    matches = _count(sum(1 for _ in live(evidence)), "match", "matches")
    return f"{matches} in {_count(len(evidence.analysis.packages), 'package')}"


def _count(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"
