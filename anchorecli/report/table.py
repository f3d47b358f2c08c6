"""The report for people, readable at 80 columns and without colour.

Order: what and how it was seen, the verdict, what could not be looked at (before everything else where it prevents a
verdict), vulnerabilities by layer and package, the policy's findings, its exceptions and rules, what to do next; the
verdict once more where it has scrolled away.
"""

from __future__ import annotations

from anchorecli.model import Report, Status
from anchorecli.report.base import RenderOptions, Subject
from anchorecli.values import dataclass, replace

_MIN_WIDTH = 60
_MAX_WIDTH = 160
_SCREEN = 40
"""Lines after which the head is taken to have scrolled away."""


@dataclass(frozen=True, slots=True)
class Table:
    """The report for people."""

    name: str = "table"
    subject: Subject = "report"
    media_type: str = "text/plain"
    description: str = "for people: verdict, vulnerabilities by package, what to do"

    def prepare(self) -> None:
        """Nothing here is slow to load."""

    def render(self, report: Report, options: RenderOptions) -> str:
        """The report as text; with ``options.color`` styled by rich."""
        from anchorecli.report.lines import Line, paint
        from anchorecli.report.table_exceptions import exception_lines
        from anchorecli.report.table_findings import finding_lines, problem_lines
        from anchorecli.report.table_header import header, verdict_lines
        from anchorecli.report.table_matches import match_lines
        from anchorecli.report.table_next import next_lines
        from anchorecli.report.table_rules import rule_lines

        options = replace(options, width=min(max(options.width, _MIN_WIDTH), _MAX_WIDTH))
        verdict = verdict_lines(report, options)
        problems = problem_lines(report, options)
        prominent = report.verdict is not None and report.verdict.status is Status.INDETERMINATE
        sections = [
            header(report, options),
            verdict,
            problems if prominent else [],
            match_lines(report, options),
            finding_lines(report, options),
            exception_lines(report, options),
            rule_lines(report, options),
            [] if prominent else problems,
            next_lines(report, options),
        ]
        lines: list[Line] = []
        for section in filter(None, sections):
            lines += [*([[]] if lines else []), *section]
        if len(lines) > _SCREEN:
            lines += [[], *verdict]
        return paint(lines, color=options.color)
