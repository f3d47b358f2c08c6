"""The matches as CSV, a line each, for spreadsheets and databases.

Format: https://www.rfc-editor.org/rfc/rfc4180, with a header, LF between the lines, and several values of a cell behind
semicolons. What a spreadsheet would calculate (``=``, ``+``, ``-``, ``@`` first) stands behind an apostrophe.
"""

from __future__ import annotations

from collections.abc import Iterator

from anchorecli.model import Match, Report
from anchorecli.report import identity
from anchorecli.report.base import RenderOptions, Subject
from anchorecli.report.beside import epss, exploited, risk
from anchorecli.report.text import clean
from anchorecli.report.words import Rulings, brought_by
from anchorecli.values import dataclass

COLUMNS = (
    *("severity", "vulnerability", "aliases", "package", "installed", "type", "source", "purl", "path", "verdict"),
    *("fix_state", "fixed_in", "cvss", "cwes", "epss", "epss_percentile", "exploited_since", "exploited_due", "risk"),
    *("feed", "advisory", "published", "url", "layer", "action", "excused", "why", "fingerprint"),
)
_AT_A_TIME = 256
_FORMULA = ("=", "+", "-", "@")


@dataclass(frozen=True, slots=True)
class Csv:
    """The matches for spreadsheets."""

    name: str = "csv"
    subject: Subject = "report"
    media_type: str = "text/csv"
    description: str = "the vulnerabilities, a line each (CSV)"

    def prepare(self) -> None:
        """Nothing here is slow to load."""

    def render(self, report: Report, options: RenderOptions) -> str:
        """The matches, worst first, suppressed ones last with their reason."""
        return "".join(self.pieces(report, options))

    def pieces(self, report: Report, options: RenderOptions) -> Iterator[str]:
        """The same in pieces."""
        import csv
        from io import StringIO

        rulings = Rulings(report.verdict)
        matches = sorted(report.matches, key=lambda match: (bool(match.suppressed), identity.match_order(match)))
        text = StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for start in range(0, len(matches), _AT_A_TIME):
            rows = matches[start : start + _AT_A_TIME]
            writer.writerows([[_cell(value) for value in _row(match, report, rulings)] for match in rows])
            yield text.getvalue()
            text.seek(0)
            text.truncate()
        yield text.getvalue()


def _row(match: Match, report: Report, rulings: Rulings) -> tuple[object, ...]:
    package, ruling = match.package, rulings.of(match)
    likely, known = epss(match, report.enrichment), exploited(match, report.enrichment)
    scores = ";".join(f"{each.score} v{each.version} {each.source}".strip() for each in match.cvss)
    return (
        *(match.severity.label, match.id, ";".join(sorted(match.aliases)), package.name, package.version),
        *(package.type, package.source, package.purl, identity.installed_at(package), match.verdict.value),
        *(match.fix_state.value, ";".join(match.fixed_in), scores, ";".join(match.cwes)),
        *((likely.score, likely.percentile) if likely else (None, None)),
        *((known.added, known.due) if known else (None, None)),
        *(risk(match, report.enrichment), match.feed, match.advisory, match.published, match.url),
        *(brought_by(match, report), ruling.action.label, ruling.excused, match.why, identity.match_id(match)),
    )


def _cell(value: object) -> str:
    text = "" if value is None else clean(str(value))
    return f"'{text}" if text.startswith(_FORMULA) else text
