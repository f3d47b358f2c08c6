"""The rules of the table: what each looked at and what it decided, those that were silent too."""

from __future__ import annotations

from collections import Counter

from anchorecli.model import Action, Report, RuleOutcome
from anchorecli.report.base import RenderOptions
from anchorecli.report.lines import Line, Style, plural, wrapped
from anchorecli.report.text import cells, clean, fit

_WORDS = {"fired": "fired", "silent": "silent", "not-run": "not run"}
_STYLES: dict[Action, Style] = {Action.STOP: "fail", Action.WARN: "warn", Action.GO: "dim"}
_OUTCOME_WIDTH = 30


def rule_lines(report: Report, options: RenderOptions) -> list[Line]:
    """The section of rules, with ``all`` or ``verbose``; empty otherwise, and where none was evaluated."""
    verdict = report.verdict
    if verdict is None or not verdict.rules or not (options.all or options.verbose):
        return []
    counts = Counter(rule.status for rule in verdict.rules)
    numbers = ", ".join(f"{counts[status]:,} {word}" for status, word in _WORDS.items() if counts[status])
    lines: list[Line] = [[("RULES", "title"), (f"  {numbers}", "")]]
    outcomes = [_outcome(rule) for rule in verdict.rules]
    width = min(max(map(cells, outcomes)), _OUTCOME_WIDTH)
    for rule, outcome in zip(verdict.rules, outcomes, strict=True):
        shown = fit(outcome, width)
        first = f"  {rule.action.label.upper():<5} {shown}{' ' * (width - cells(shown))}  "
        style: Style = _STYLES[rule.action] if rule.fired > rule.allowed else "dim"
        lines += wrapped(_what(rule), options.width, first=(first, style))
        if rule.note:
            lines += wrapped(clean(rule.note), options.width, first=(" " * 8 + "-> ", "dim"))
    return lines


def _outcome(rule: RuleOutcome) -> str:
    if rule.status != "fired":
        return clean(_WORDS.get(rule.status, rule.status))
    allowed = f", {rule.allowed:,} allowed" if rule.allowed else ""
    return plural(rule.fired, "finding") + allowed


def _what(rule: RuleOutcome) -> str:
    of = f", of {rule.looked_at}" if rule.looked_at else ""
    return clean(f"{rule.gate}/{rule.trigger} (rule {rule.rule_id}){of}")
