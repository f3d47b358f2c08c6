"""What a finding tells, in the words that every format for people and for CI systems shares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from anchorecli.model import (
    Action,
    Enrichment,
    Epss,
    Finding,
    FixState,
    KnownExploited,
    Match,
    Report,
    Severity,
    Verdict,
)
from anchorecli.report import identity
from anchorecli.report.beside import epss, exploited, risk
from anchorecli.report.instructions import layer_title
from anchorecli.report.table_exceptions import why_allowed
from anchorecli.report.text import clean

_NO_FIX = {
    FixState.FIXED: "fixed, version not stated",
    FixState.NOT_FIXED: "no fix yet",
    FixState.WONT_FIX: "won't fix",
    FixState.UNKNOWN: "fix unknown",
}


def fix_words(match: Match) -> str:
    """Whether and where it is fixed."""
    return "fixed in " + clean(", ".join(match.fixed_in)) if match.fixed_in else _NO_FIX[match.fix_state]


def headline(match: Match) -> str:
    """The finding in a line: ``CVE-2024-1 (high) in openssl 3.0.11: fixed in 3.0.13``."""
    package = match.package
    return clean(f"{match.id} ({match.severity.label}) in {package.name} {package.version}: {fix_words(match)}")


def facts(match: Match, beside: Enrichment) -> list[tuple[str, str]]:
    """What else is known of a finding, each with its label; only what there is."""
    package, score = match.package, risk(match, beside)
    known, likely = exploited(match, beside), epss(match, beside)
    found = (
        ("summary", match.summary),
        ("package", package.purl),
        ("source package", package.source if package.source != package.name else ""),
        ("path", identity.installed_at(package)),
        ("why", match.why),
        ("aliases", ", ".join(sorted(match.aliases))),
        ("cvss", "; ".join(f"{each.score} v{each.version} {each.vector} {each.source}".strip() for each in match.cvss)),
        ("cwe", ", ".join(match.cwes)),
        ("known exploited", _exploited(known) if known else ""),
        ("epss", _likely(likely) if likely else ""),
        ("risk", "" if score is None else f"{score:.1f} of 100"),
        ("advisory", f"{match.advisory} of {match.feed}, published {match.published[:10] or 'at an unknown time'}"),
        ("vex", match.vex),
        ("see", match.url),
    )
    return [(label, clean(text)) for label, text in found if text]


def brought_by(match: Match, report: Report) -> str:
    """The layer that brought the package, with its instruction; and the base image, where it is known."""
    layers = identity.layers_by_id(report.analysis.image)
    if match.package.layer not in layers:
        return ""
    text = layer_title(layers[match.package.layer][0], report.analysis.image)
    if report.base is not None and match.package.layer in report.base:
        text += f" (base image{f' {report.base_name}' if report.base_name else ''})"
    return clean(text)


class Ruling(NamedTuple):
    """What the policy says of one match: the worst action that stands, what fired, and why it does not count."""

    action: Action
    findings: tuple[Finding, ...] = ()
    excused: str = ""
    """Why it does not count: settled by a better source, or let through by an exception; empty where it does."""


class Rulings:
    """What the policy says of the matches of a report."""

    def __init__(self, verdict: Verdict | None) -> None:
        self._verdict = verdict
        self._by_id: dict[str, list[Finding]] = {}
        for finding in sorted(verdict.findings, key=identity.finding_order) if verdict else ():
            if finding.match_id:
                self._by_id.setdefault(finding.match_id, []).append(finding)

    def of(self, match: Match) -> Ruling:
        """The ruling on a match."""
        if match.suppressed:
            return Ruling(Action.GO, (), clean(match.suppressed))
        known = self._by_id.get(match.id, [])
        # By its name where one has it: of some packages a finding names the place instead.
        findings = tuple(each for each in known if _is_about(each, match)) or tuple(known)
        standing = [each for each in findings if not each.allowed_by]
        if findings and not standing:
            return Ruling(Action.GO, findings, self.excuse(findings[0]))
        return Ruling(max((each.action for each in standing), default=Action.GO), findings)

    def excuse(self, finding: Finding) -> str:
        """Who let a finding through and why; empty for one that stands."""
        if not finding.allowed_by or self._verdict is None:
            return ""
        why = why_allowed(self._verdict, finding.allowed_by, finding.allowlist)
        return clean(f"allowed by {finding.allowed_by}" + (f": {why}" if why else ""))


def about_the_image(verdict: Verdict | None) -> list[Finding]:
    """The findings that are about no vulnerability, worst first."""
    return (
        sorted((each for each in verdict.findings if not each.match_id), key=identity.finding_order) if verdict else []
    )


def shown(report: Report) -> list[Match]:
    """The matches that count and those whose versions could not be compared, worst first."""
    return sorted(identity.counted(report) + identity.undecided(report), key=identity.match_order)


def severity_table(matches: Iterable[Match]) -> Mapping[Severity, int]:
    """How many vulnerabilities there are of each severity, worst first; each once, with its worst."""
    worst: dict[str, Severity] = {}
    for match in matches:
        worst[match.id] = max(match.severity, worst.get(match.id, match.severity))
    values: Sequence[Severity] = list(worst.values())
    return {severity: values.count(severity) for severity in reversed(Severity) if severity in values}


def _likely(likely: Epss) -> str:
    # The first model gave no percentiles.
    return f"{likely.score:.5f}" + (f", percentile {likely.percentile:.5f}" if likely.percentile else "")


def _exploited(known: KnownExploited) -> str:
    added, due, ransomware = known
    return f"since {added}" + (f", to be mended by {due}" if due else "") + (", by ransomware" if ransomware else "")


def _is_about(finding: Finding, match: Match) -> bool:
    name = finding.trigger_id.partition("+")[2]
    return not name or name in (match.package.name, match.package.source)
