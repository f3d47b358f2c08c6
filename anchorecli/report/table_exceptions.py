"""The exceptions of the table: what each lets through, who says so and why, and which have to be looked at again."""

from __future__ import annotations

from collections import Counter

from anchorecli.model import AllowOutcome, Report, Verdict
from anchorecli.report.base import RenderOptions
from anchorecli.report.lines import Line, Style, plural, wrapped
from anchorecli.report.text import clean, fit

_LISTED = 10
_IDS = 6
_INDENT = 12
_ORDER = ("expired", "expiring", "needless", "unused", "wide", "used")
"""What has to be done first comes first."""
_STYLES: dict[str, Style] = {"expired": "warn", "expiring": "warn", "used": "dim"}
_DO = {
    "expired": "remove it, or renew it with a new end and a reason",
    "expiring": "renew it with a reason, or mend what it lets through",
    "unused": "remove it, or narrow it to the images it is for (image:)",
}


def exception_lines(report: Report, options: RenderOptions) -> list[Line]:
    """The section of exceptions; empty where none is in force."""
    verdict = report.verdict
    if verdict is None or not verdict.allowances:
        return []
    counts = Counter(each.status for each in verdict.allowances)
    numbers = ", ".join(f"{counts[status]:,} {clean(status)}" for status in sorted(counts, key=_rank))
    lines: list[Line] = [[("EXCEPTIONS", "title"), (fit(f"  {numbers}", options.width - 10), "")]]
    ordered = sorted(verdict.allowances, key=lambda each: _rank(each.status))
    shown = ordered if options.all else ordered[:_LISTED]
    for outcome in shown:
        lines += _outcome_lines(outcome, verdict, options)
    if len(shown) < len(ordered):
        text = f"... and {plural(len(ordered) - len(shown), 'more exception')} (--all lists them)"
        lines += wrapped(text, options.width, first=("  ", ""), style="dim")
    return lines


def why_allowed(verdict: Verdict, item_id: str, allowlist_id: str) -> str:
    """Who let a finding through, why, and until when: ``jo: not reachable (T-1, until 2030-01-31)``."""
    for each in verdict.allowances:
        if each.item_id == item_id and allowlist_id in ("", each.allowlist_id):
            return _words(each)
    return ""


def _rank(status: str) -> int:
    return _ORDER.index(status) if status in _ORDER else len(_ORDER)


def _outcome_lines(outcome: AllowOutcome, verdict: Verdict, options: RenderOptions) -> list[Line]:
    word = fit(clean(outcome.status.upper()), 9)
    style = _STYLES.get(outcome.status, "indeterminate")
    lines = wrapped(_title(outcome, verdict), options.width, first=(f"  {word:<9} ", style), indent=_INDENT)
    lines += wrapped(clean(_words(outcome)), options.width, first=(" " * _INDENT, ""))
    advice = _advice(outcome, verdict)
    if advice:
        lines += wrapped(clean(advice), options.width, first=(" " * (_INDENT - 3) + "-> ", "dim"))
    return lines


def _title(outcome: AllowOutcome, verdict: Verdict) -> str:
    title = f"{outcome.item_id}: {outcome.subject}"
    if outcome.covered:
        title += f", lets {plural(outcome.covered, 'finding')} through"
    ids = [
        finding.match_id or finding.trigger_id
        for finding in verdict.findings
        if finding.allowed_by == outcome.item_id and finding.allowlist == outcome.allowlist_id
    ]
    # What the item itself names need not be said again.
    named = [each for each in dict.fromkeys(ids) if each not in outcome.subject]
    if named:
        more = f" and {len(named) - _IDS:,} more" if len(named) > _IDS else ""
        title += f": {', '.join(named[:_IDS])}{more}"
    return clean(title)


def _words(outcome: AllowOutcome) -> str:
    said = ": ".join(filter(None, (outcome.owner, outcome.reason or "no reason given")))
    until = f"until {outcome.expires}" if outcome.expires else "without an end"
    return f"{said} ({', '.join(filter(None, (outcome.ticket, until)))})"


def _advice(outcome: AllowOutcome, verdict: Verdict) -> str:
    do = _DO.get(outcome.status, "")
    if outcome.status == "unused" and any(problem.incomplete for problem in verdict.problems):
        do = ""
    if outcome.status == "needless":
        do = "update, and remove it" if outcome.covered else "remove it"
    return "; ".join(filter(None, (outcome.note, do)))
