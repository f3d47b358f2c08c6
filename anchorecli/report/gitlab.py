"""The report for GitLab's vulnerability management: a container scanning report.

Format: https://gitlab.com/gitlab-org/security-products/security-report-schemas, container-scanning-report-format, 15.0.
Suppressed matches, and what an exception lets through, are left out: GitLab has a state of its own for each finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

from anchorecli.model import Match, Report, Severity
from anchorecli.report import identity
from anchorecli.report.base import RenderOptions, Subject
from anchorecli.report.beside import risk
from anchorecli.report.commands import command, rpm_tool
from anchorecli.report.json_lines import batched, written
from anchorecli.report.text import clean, fit
from anchorecli.report.words import Rulings, brought_by, facts, fix_words, shown
from anchorecli.values import dataclass

_VERSION = "15.0.6"
_FRAME = 3
"""Levels down to the members of a vulnerability."""
_SEVERITIES = {
    Severity.CRITICAL: "Critical",
    Severity.HIGH: "High",
    Severity.MEDIUM: "Medium",
    Severity.LOW: "Low",
    Severity.NEGLIGIBLE: "Info",
    Severity.UNKNOWN: "Unknown",
}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", re.ASCII)
_URL = re.compile(r"https?://[!-~]+", re.ASCII)
_NAME = 255
_SOLUTION = 7000

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class GitLab:
    """The vulnerabilities for GitLab."""

    name: str = "gitlab"
    subject: Subject = "report"
    media_type: str = "application/vnd.gitlab.container-scanning+json"
    description: str = "vulnerabilities for GitLab (container scanning report)"

    def prepare(self) -> None:
        """Nothing here is slow to load."""

    def render(self, report: Report, options: RenderOptions) -> str:
        """The report as GitLab reads it."""
        return "".join(self.pieces(report, options))

    def pieces(self, report: Report, options: RenderOptions) -> Iterator[str]:
        """The same in pieces."""
        return batched(chain(written(_document(report), _FRAME), ("\n",)))


def _document(report: Report) -> Object:
    found = _MOMENT.match(report.created_at)
    moment = found.group() if found else "1970-01-01T00:00:00"
    tool = {
        "id": "anchore",
        "name": "anchore",
        "version": clean(report.tool_version) or "0",
        "vendor": {"name": "anchore-scan"},
    }
    rulings = Rulings(report.verdict)
    tool_for_rpm = rpm_tool(report.analysis.distro, report.analysis.packages)
    counted = (match for match in shown(report) if not rulings.of(match).excused)
    return {
        "version": _VERSION,
        "scan": {
            "analyzer": tool,
            "scanner": tool,
            "type": "container_scanning",
            "start_time": moment,
            "end_time": moment,
            "status": "success",
            "messages": [
                {
                    "level": "warn" if problem.incomplete else "info",
                    "value": clean(f"{problem.subject}: {problem.message}. {problem.hint}"),
                }
                for problem in sorted(set(report.problems))
            ],
        },
        "vulnerabilities": (_vulnerability(match, report, tool_for_rpm) for match in counted),
        "remediations": [],
    }


def _vulnerability(match: Match, report: Report, tool: str) -> Object:
    package = match.package
    links = [{"url": match.url}] if _URL.fullmatch(match.url) else []
    return {
        "id": identity.match_id(match),
        "name": fit(clean(match.id), _NAME),
        "description": clean(match.summary) or clean(match.id),
        "severity": _SEVERITIES[match.severity],
        "solution": fit(_solution(match, tool), _SOLUTION),
        "identifiers": _identifiers(match),
        "links": links,
        "details": _details(match, report),
        "location": {
            "dependency": {"package": {"name": clean(package.name)}, "version": clean(package.version)},
            "operating_system": _system(report),
            "image": clean(report.analysis.image.ref.name) or "unnamed",
        },
    }


def _solution(match: Match, tool: str) -> str:
    if not match.fixed_in:
        return fix_words(match)
    how = command(match.package.type, (match.package.name,), match.fixed_in[0], tool)
    return f"{fix_words(match)}" + (f": {how}" if how else "")


def _identifiers(match: Match) -> list[Object]:
    names = dict.fromkeys((match.id, *sorted(match.aliases)))
    found = []
    for name in filter(None, map(clean, names)):
        kind = name.partition("-")[0].lower() or "anchore"
        found.append({"type": kind if kind.isalnum() else "anchore", "name": name, "value": name})
        if name == clean(match.id) and _URL.fullmatch(match.url):
            found[-1]["url"] = match.url
    for cwe in filter(None, map(clean, match.cwes)):
        found.append({"type": "cwe", "name": cwe, "value": cwe.removeprefix("CWE-") or cwe})
    return found or [{"type": "anchore", "name": "unnamed", "value": "unnamed"}]


def _details(match: Match, report: Report) -> Object:
    """What GitLab shows below a finding: all else that is known of it."""
    score = risk(match, report.enrichment)
    rows = [*facts(match, report.enrichment), ("layer", brought_by(match, report))]
    found: Object = {
        label.replace(" ", "_"): {"name": label, "type": "text", "value": text}
        for label, text in rows
        if text and label not in ("summary", "risk")
    }
    if score is not None:
        found["risk"] = {"name": "risk", "type": "value", "value": score}
    return found


def _system(report: Report) -> str:
    distro = report.analysis.distro
    return (clean(f"{distro.id} {distro.version_id or distro.codename}") if distro else "") or "unknown"
