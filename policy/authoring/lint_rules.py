"""Doubtful rules: those that cannot fire or are not run, that repeat or contradict another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import isinf
from operator import eq, ge, gt, le, lt, ne
from typing import NamedTuple

from anchorecli.model import Rule, Severity
from anchorecli.policy.base import Parameter, Trigger
from anchorecli.policy.language.faults import Remark, place, quoted
from anchorecli.policy.language.parameters import Arguments, arguments
from anchorecli.policy.language.rules import find_gate, find_trigger
from anchorecli.policy.language.spellings import PENDING_GATES
from anchorecli.policy.patterns import REGEX_PREFIX
from anchorecli.policy.values import Bundle, Policy

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {"=": eq, "!=": ne, "<": lt, ">": gt, "<=": le, ">=": ge}
_NARROWING: Mapping[str, str] = {"vendor_only": "false", "package_type": "all"}
"""Parameters of vulnerabilities.package that always have a value → the value that means everything."""

_PAIRWISE = 300
"""Rules of one trigger in one policy that are compared with each other; generated bundles may have 10,000."""


class _Known(NamedTuple):
    """A rule with its trigger and the parameters in force."""

    rule: Rule
    trigger: Trigger
    arguments: Arguments


def rule_remarks(bundle: Bundle) -> Iterator[Remark]:
    """The remarks on all rules of a bundle."""
    for policy in bundle.policies:
        for line, message, hint in _policy(policy):
            yield Remark(getattr(line, "path", bundle.path), line, "warning", message, hint)


_Said = tuple[int, str, str]


def _policy(policy: Policy) -> Iterator[_Said]:
    if not policy.rules:
        yield policy.line, f"policy {quoted(policy.id)} has no rules: it passes every image", "Add rules, or remove it."
    known: list[_Known] = []
    for rule in policy.rules:
        gate = find_gate(rule.gate)
        trigger = find_trigger(gate, rule.trigger) if gate else None
        if trigger is not None:
            known.append(_Known(rule, trigger, arguments(trigger.parameters, rule.params, rule.id)))
        elif rule.gate in PENDING_GATES:
            said = f"gate {rule.gate} {PENDING_GATES[rule.gate]}: with this rule no image gets a pass"
            yield rule.line, said, _OR_IGNORE
    for one in known:
        yield from _single(one)
    yield from _repeated(known)
    for group in _groups(known):
        yield from _covered(group)
        yield from _contradictions(group)


_OR_IGNORE = "Remove it, or say `evidence: {rule_not_run: ignore}` in the bundle."


# ── one rule alone ───────────────────────────────────────────────────────────────────────────────────────────


def _single(one: _Known) -> Iterator[_Said]:
    line = one.rule.line
    if one.trigger.fire is None:
        yield line, f"{_name(one)} is not run: it needs {one.trigger.needs}, which this version lacks", _OR_IGNORE
    for fault in _never(one):
        yield line, f"{_name(one)} never fires: {fault}", "Mend the parameters, or remove the rule."
    if one.arguments.text("max_days_since_fix") and not one.arguments.flag("fix_available"):
        yield line, "max_days_since_fix has no effect without fix_available: true", "Add it, or remove the parameter."
    for parameter in one.trigger.parameters:
        if parameter.kind == "regex" and _is_slow(one.arguments.text(parameter.name)):
            said = f"parameter {quoted(parameter.name)} repeats a repetition: long texts may exceed its bound"
            yield line, said, "The rule is then not decided. Write (a+)+ as a+."


def _never(one: _Known) -> Iterator[str]:
    """Why a rule cannot fire, for as many reasons as there are."""
    given = one.arguments
    if one.trigger.name == "package" and not _severities(given):
        yield f"no severity is {given.text('severity_comparison')} {given.text('severity')}"
    for parameter in one.trigger.parameters:
        comparison = given.text(f"{parameter.name}_comparison")
        limit = given.number(parameter.name) if parameter.kind == "float" and comparison in _COMPARE else None
        # -1 stands for no score.
        highest = 1 if parameter.name.startswith("epss") else 10
        if limit is not None and not _possible(_COMPARE[comparison], limit, highest):
            yield f"no {parameter.name} is {comparison} {limit:g}; they go from 0 to {highest}"
    if one.rule.gate == "dockerfile" and one.trigger.name == "instruction":
        check = given.text("check")
        if check not in ("exists", "not_exists") and not given.text("value"):
            yield f"check {quoted(check)} needs a value"


def _possible(compare: Callable[[float, float], bool], limit: float, highest: int) -> bool:
    return any(compare(score, limit) for score in (-1.0, 0.0, min(max(limit, 0.0), highest), float(highest)))


def _is_slow(text: str) -> bool:
    from anchorecli.patterns.automaton import parse, ways

    return bool(text) and isinf(ways(parse(text.removeprefix(REGEX_PREFIX)), 1 << 12))


# ── rules beside each other ──────────────────────────────────────────────────────────────────────────────────


def _repeated(known: Sequence[_Known]) -> Iterator[_Said]:
    seen: dict[tuple[str, str, frozenset[tuple[str, str]]], Rule] = {}
    for rule, trigger, given in known:
        key = (rule.gate, trigger.name, frozenset(given.values.items()))
        first = seen.setdefault(key, rule)
        if first is rule:
            continue
        where = f"rule {quoted(first.id)} in {place(first.line, rule.line)}"
        if first.action is rule.action:
            yield rule.line, f"rule {quoted(rule.id)} repeats {where}", "Remove one of them."
        else:
            worse = max(first.action, rule.action).label
            yield rule.line, f"rule {quoted(rule.id)} is {where} with another action; {worse} decides", "Keep one."


def _groups(known: Sequence[_Known]) -> Iterator[list[_Known]]:
    """The rules by trigger."""
    groups: dict[tuple[str, str], list[_Known]] = {}
    for one in known:
        groups.setdefault((one.rule.gate, one.trigger.name), []).append(one)
    for group in groups.values():
        if 1 < len(group) <= _PAIRWISE:
            yield group


def _covered(group: Sequence[_Known]) -> Iterator[_Said]:
    """Rules about vulnerabilities that find nothing another rule does not find, at the same action or a worse one."""
    if (group[0].rule.gate, group[0].trigger.name) != ("vulnerabilities", "package"):
        return
    for one in group:
        for other in group:
            if one is other or other.rule.action < one.rule.action or one.arguments.values == other.arguments.values:
                continue
            if _covers(other.arguments, one.arguments, one.trigger.parameters):
                where = f"{quoted(other.rule.id)} in {place(other.rule.line, one.rule.line)}"
                said = f"rule {quoted(one.rule.id)} finds nothing but what {where} ({other.rule.action.label}) finds"
                yield one.rule.line, said, "Remove it, or make it stricter than the other."
                break


def _covers(wide: Arguments, narrow: Arguments, declared: Sequence[Parameter]) -> bool:
    """Whether every finding of the one set of parameters is one of the other."""
    if not _severities(narrow) or not _severities(narrow) <= _severities(wide):
        return False
    for parameter in declared:
        name = parameter.name
        if name in ("severity", "severity_comparison") or name.endswith("_comparison"):
            continue
        value = wide.text(name)
        if value in ("", _NARROWING.get(name, "")):
            continue
        if value != narrow.text(name) or wide.text(f"{name}_comparison") != narrow.text(f"{name}_comparison"):
            return False
    return True


def _severities(given: Arguments) -> frozenset[Severity]:
    """The severities a rule of vulnerabilities.package means."""
    holds, level = _COMPARE[given.text("severity_comparison")], Severity.parse(given.text("severity"))
    return frozenset(severity for severity in Severity if holds(severity, level))


def _contradictions(group: Sequence[_Known]) -> Iterator[_Said]:
    """Rules with a list that is allowed or denied (``type``) which no image, or no listed thing, can satisfy both."""
    lists = [parameter.name for parameter in group[0].trigger.parameters if parameter.kind in ("strings", "numbers")]
    kinds = {parameter.name for parameter in group[0].trigger.parameters}
    if len(lists) != 1 or "type" not in kinds:
        return
    allowed = [(number, one) for number, one in enumerate(group) if one.arguments.text("type") == "whitelist"]
    for place_of_one, one in enumerate(group):
        words = set(one.arguments.words(lists[0]))
        denies = one.arguments.text("type") == "blacklist"
        for number, other in allowed:
            theirs = set(other.arguments.words(lists[0]))
            where = f"rule {quoted(other.rule.id)} in {place(other.rule.line, one.rule.line)}"
            if denies and words & theirs:
                both = ", ".join(sorted(words & theirs))
                said = f"rule {quoted(one.rule.id)} denies {both}, which {where} allows"
                yield one.rule.line, said, f"Take {both} out of one of the lists."
            elif not denies and number < place_of_one and not words & theirs:
                said = f"rule {quoted(one.rule.id)} and {where} allow nothing in common: one of them always fires"
                yield one.rule.line, said, "Make one rule of the two lists."


def _name(one: _Known) -> str:
    return f"rule {quoted(one.rule.id)} ({one.rule.gate}.{one.trigger.name})"
