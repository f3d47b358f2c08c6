"""A report in one line: for ``-q``, the watch loop and notifications."""

from __future__ import annotations

from anchorecli.model import Action, Report, Status
from anchorecli.report.identity import counted
from anchorecli.report.lines import plural, severity_counts
from anchorecli.report.text import clean


def summary(report: Report) -> str:
    """``FAIL docker.io/debian:12: 2 stop findings; 3 vulnerabilities (1 high, 2 low)``; clean, without newline."""
    verdict = report.verdict
    status = verdict.status.upper() if verdict else "NO VERDICT"
    parts = []
    if verdict:
        stops = sum(each.action is Action.STOP and not each.allowed_by for each in verdict.findings)
        warns = sum(each.action is Action.WARN and not each.allowed_by for each in verdict.findings)
        if verdict.status is Status.INDETERMINATE:
            parts.append(plural(len({p for p in verdict.problems if p.incomplete}), "problem") + " with the evidence")
        parts += [plural(stops, "stop finding")] * bool(stops) + [plural(warns, "warning")] * bool(warns)
    worst = {match.id: match.severity for match in reversed(counted(report))}
    found = plural(len(worst), "vulnerability", "vulnerabilities") if worst else "no known vulnerabilities"
    parts.append(f"{found} ({severity_counts(worst.values())})" if worst else found)
    image = report.analysis.image.ref
    return clean(f"{status} {image.name or image.original}: {'; '.join(parts)}")
