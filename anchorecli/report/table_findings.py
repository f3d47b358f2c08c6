"""What decided: the policy's findings and the gaps in the evidence."""

from __future__ import annotations

from anchorecli.model import Action, Finding, Problem, Report, Status, Verdict
from anchorecli.report.base import RenderOptions
from anchorecli.report.identity import finding_order
from anchorecli.report.lines import Line, Span, Style, plural, wrapped
from anchorecli.report.table_exceptions import why_allowed
from anchorecli.report.text import clean

_MESSAGES = 5
_IDS = 12
_PROBLEMS = 10
_ACTION_STYLES: dict[Action, Style] = {Action.STOP: "fail", Action.WARN: "warn", Action.GO: "dim"}


def finding_lines(report: Report, options: RenderOptions) -> list[Line]:
    """The findings that weigh, by rule, worst first; what was allowed is counted."""
    verdict = report.verdict
    if verdict is None or not verdict.findings:
        return []
    lines: list[Line] = [[("POLICY FINDINGS", "title"), ("  " + _numbers(verdict), "")]]
    for (allowed, action, *names), findings in _by_rule(verdict).items():
        if (allowed or action is Action.GO) and not options.all:
            continue
        lines += _rule_lines(action, names, findings, verdict, options)
    if len(lines) == 1 and not options.all:
        lines[0] = [*lines[0], (" (--all lists them)", "dim")]
    return lines


def problem_lines(report: Report, options: RenderOptions) -> list[Line]:
    """What could not be looked at, with the next step for each; what decided comes first."""
    deciding = report.verdict.problems if report.verdict else ()
    problems = sorted({*report.problems, *deciding}, key=lambda each: (each not in deciding, not each.incomplete, each))
    gaps = sum(problem.incomplete for problem in problems)
    remarks = len(problems) - gaps
    if not problems:
        return []
    lines: list[Line] = []
    if gaps:
        certain = report.verdict is not None and report.verdict.status is Status.INDETERMINATE
        meaning = "so no verdict is possible" if certain else "so the report may be incomplete"
        lines += [[("INCOMPLETE EVIDENCE", "indeterminate"), (f"  {plural(gaps, 'problem')}, {meaning}", "")]]
    elif options.all or options.verbose:
        lines += [[("REMARKS", "title")]]
    else:
        return [[(f"{plural(remarks, 'remark')} on the evidence (--all lists them)", "dim")]]
    listed = problems if options.all else [each for each in problems if each.incomplete or options.verbose][:_PROBLEMS]
    for problem in listed:
        lines += _problem(problem, options, "remark: " if gaps and not problem.incomplete else "")
    hidden = [
        plural(count, one)
        for count, one in (
            (gaps - sum(each.incomplete for each in listed), "more problem"),
            (remarks - sum(not each.incomplete for each in listed), "remark"),
        )
        if count
    ]
    if hidden:
        text = f"... and {', '.join(hidden)} (--all lists them)"
        lines += wrapped(text, options.width, first=("  ", ""), style="dim")
    return lines


def _numbers(verdict: Verdict) -> str:
    allowed = sum(bool(finding.allowed_by) for finding in verdict.findings)
    parts = [
        f"{count:,} {action.label}"
        for action in reversed(Action)
        if (count := sum(each.action is action and not each.allowed_by for each in verdict.findings))
    ]
    return ", ".join(parts + [f"{allowed:,} allowed"] * bool(allowed))


_Key = tuple[bool, Action, str, str, str]


def _by_rule(verdict: Verdict) -> dict[_Key, list[Finding]]:
    rules: dict[_Key, list[Finding]] = {}
    for finding in sorted(verdict.findings, key=finding_order):
        key = (bool(finding.allowed_by), finding.action, finding.gate, finding.trigger, finding.rule_id)
        rules.setdefault(key, []).append(finding)
    return rules


def _rule_lines(
    action: Action, names: list[str], findings: list[Finding], verdict: Verdict, options: RenderOptions
) -> list[Line]:
    gate, trigger, rule = (clean(name) for name in names)
    allowed = bool(findings[0].allowed_by)
    word = "ALLOWED" if allowed else action.label.upper()
    count = f": {len(findings):,} findings" if len(findings) > 1 else ""
    rule_name = f" (rule {rule})" if rule else ""
    title = f"{gate}/{trigger}{rule_name}{count}"
    first: Span = (f"  {word:<5} ", _ACTION_STYLES[Action.GO if allowed else action])
    lines = wrapped(title, options.width, first=first)
    indent = " " * 8
    identifiers = list(dict.fromkeys(finding.match_id for finding in findings))
    if all(identifiers) and len(findings) > 1 and not options.all:
        more = f", {len(identifiers) - _IDS:,} more" if len(identifiers) > _IDS else ""
        return lines + wrapped(clean(", ".join(identifiers[:_IDS])) + more, options.width, first=(indent, ""))
    shown = findings if options.all else findings[:_MESSAGES]
    for finding in shown:
        lines += wrapped(clean(finding.message), options.width, first=(indent, ""))
        if allowed:
            why = why_allowed(verdict, finding.allowed_by, finding.allowlist)
            by = f"allowed by {finding.allowed_by}" + (f": {why}" if why else "")
            lines += wrapped(clean(by), options.width, first=(indent + "-> ", "dim"))
    if len(shown) < len(findings):
        text = f"... and {len(findings) - len(shown):,} more (--all lists them)"
        lines += wrapped(text, options.width, first=(indent, ""), style="dim")
    return lines


def _problem(problem: Problem, options: RenderOptions, prefix: str) -> list[Line]:
    text = f"{prefix}{problem.subject}: {problem.message} [{problem.stage}]"
    lines = wrapped(clean(text), options.width, first=("  ! " if problem.incomplete else "  - ", "indeterminate"))
    if problem.hint:
        lines += wrapped(clean(problem.hint), options.width, first=("    -> ", "dim"))
    return lines
