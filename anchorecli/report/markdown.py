"""The report as Markdown, for the summary of a CI job or a comment on a merge request.

Format: GitHub Flavored Markdown, https://github.github.com/gfm/ (tables), which GitLab reads too. Nothing that an image
or a feed says can be markup, a link, a mention, or HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from anchorecli.model import Match, Report
from anchorecli.report import identity
from anchorecli.report.advice import Step, base_words, steps
from anchorecli.report.base import RenderOptions, Subject
from anchorecli.report.beside import exploited, risk
from anchorecli.report.table_header import reason
from anchorecli.report.text import clean, fit
from anchorecli.report.words import Rulings, about_the_image, fix_words, severity_table, shown
from anchorecli.values import dataclass

_ROWS = 40
_WORDS = 200
_MARKUP = re.compile(r"[\\`*_\[\]#|~$@&<>]|:(?=//)|(?<=ww)w(?=\.)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Markdown:
    """The report for a page or a comment."""

    name: str = "markdown"
    subject: Subject = "report"
    media_type: str = "text/markdown"
    description: str = "a summary for a CI job's page or a merge request"

    def prepare(self) -> None:
        """Nothing here is slow to load."""

    def render(self, report: Report, options: RenderOptions) -> str:
        """The report as Markdown; with ``options.all`` every row of every table."""
        most = None if options.all else _ROWS
        sections = (_head(report), _matches(report, most), _findings(report, most), _advice(report, most))
        return "\n\n".join(filter(None, (*sections, _problems(report, most), _others(report)))) + "\n"


def _head(report: Report) -> str:
    verdict, image = report.verdict, report.analysis.image
    found = identity.counted(report)
    title = f"## {plain(verdict.status.upper() if verdict else 'NOT JUDGED')}: {plain(image.ref.name or 'image')}"
    numbers = ", ".join(f"{count:,} {severity.label}" for severity, count in severity_table(found).items())
    lines = [title, "", f"**Vulnerabilities:** {numbers or 'none'}  "]
    if verdict:
        lines.append(f"**Verdict:** {plain(reason(verdict))}  ")
    digest = image.digest or image.image_id
    lines.append(f"**Packages:** {len(report.analysis.packages):,}  ")
    lines.append(f"**Image:** {plain(digest)}, {plain(str(image.config.platform))}")
    return "\n".join(lines)


def _matches(report: Report, most: int | None) -> str:
    rulings = Rulings(report.verdict)
    rows = [_row(match, report) for match in shown(report) if not rulings.of(match).excused]
    names = ("Severity", "Vulnerability", "Package", "Installed", "Fix", "Risk")
    return _table("Vulnerabilities", names, rows, most)


def _row(match: Match, report: Report) -> tuple[str, ...]:
    package, score = match.package, risk(match, report.enrichment)
    name = plain(match.id)
    if match.url.startswith("https://") and re.fullmatch(r"[\w./:?=&%#~+-]+", match.url, re.ASCII):
        name = f"[{name}]({match.url})"
    known = exploited(match, report.enrichment)
    flag = f"**exploited{f', due {plain(known.due)}' if known.due else ''}**; " if known else ""
    fix = flag + plain(fix_words(match) if match.verdict.value == "affected" else f"undecided: {match.why}")
    risk_words = "no data" if score is None else f"{score:.1f}"
    return match.severity.label, name, plain(package.name), plain(package.version), fix, risk_words


def _findings(report: Report, most: int | None) -> str:
    findings = [each for each in about_the_image(report.verdict) if not each.allowed_by]
    rows = [(each.action.label, plain(f"{each.gate}/{each.trigger}"), plain(each.message)) for each in findings]
    return _table("Other findings of the policy", ("Action", "Trigger", "Message"), rows, most)


def _advice(report: Report, most: int | None) -> str:
    rows = [_step(each, report) for each in steps(report)]
    return _table("What to do", ("Package", "Upgrade", "Fixes", "How"), rows, most)


def _step(step: Step, report: Report) -> tuple[str, ...]:
    each = step.upgrade
    how = f"`{clean(step.command)}`" if step.command and "`" not in step.command and "|" not in step.command else ""
    if step.from_base:
        how = plain(f"came with the {base_words(report)}: rebuild on a newer one")
    change = f"{plain(each.installed)} → {plain(each.target)}"
    return plain(each.name), change, f"{len(each.ids):,} of {each.of:,}", how


def _problems(report: Report, most: int | None) -> str:
    problems = [each for each in sorted(set(report.problems)) if each.incomplete]
    rows = [(plain(each.subject), plain(each.message), plain(each.hint)) for each in problems]
    return _table("Could not be looked at", ("Subject", "What is wrong", "Next step"), rows, most)


def _others(report: Report) -> str:
    rulings = Rulings(report.verdict)
    count = len(identity.suppressed(report)) + sum(bool(rulings.of(match).excused) for match in shown(report))
    return f"{count:,} more are settled by a better source, or let through by an exception." if count else ""


def _table(title: str, names: Sequence[str], rows: Iterable[Sequence[str]], most: int | None) -> str:
    listed = list(rows)
    if not listed:
        return ""
    lines = [f"### {title} ({len(listed):,})", "", _cells(names), _cells(["---"] * len(names))]
    lines += [_cells(row) for row in listed[:most]]
    if most is not None and len(listed) > most:
        lines += ["", f"... and {len(listed) - most:,} more"]
    return "\n".join(lines)


def _cells(row: Sequence[str]) -> str:
    return f"| {' | '.join(row)} |"


def plain(text: str) -> str:
    """Text of a stranger that is no markup: what could be is written as character references."""
    return _MARKUP.sub(lambda found: f"&#{ord(found.group())};", fit(clean(text), _WORDS))
