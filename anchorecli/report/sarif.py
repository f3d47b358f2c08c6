"""The report as SARIF 2.1.0: for code scanning in GitHub, Azure DevOps, and editors.

Every vulnerability, and every trigger of a policy's other findings, is a rule; every match is a result at the place of
its package in the image. What is settled or let through is there as a suppressed result with its reason, and what could
not be looked at a notification.

Format: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html; ``security-severity`` and the form of tags are
GitHub's, https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any
from urllib.parse import quote

from anchorecli.model import Action, Finding, Match, Report, Severity
from anchorecli.report import identity
from anchorecli.report.base import RenderOptions, Subject
from anchorecli.report.beside import epss, exploited, risk
from anchorecli.report.json_lines import batched, written
from anchorecli.report.text import clean
from anchorecli.report.words import Rulings, about_the_image, brought_by, facts, headline, shown
from anchorecli.values import dataclass

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "IMAGE"
_FRAME = 6
"""Levels down to the rules; results stand one higher, each over some lines."""
_LEVELS = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning"}
_ACTIONS = {Action.STOP: "error", Action.WARN: "warning", Action.GO: "note"}
_SCORES = {
    Severity.CRITICAL: 9.5,
    Severity.HIGH: 8.0,
    Severity.MEDIUM: 5.5,
    Severity.LOW: 2.0,
    Severity.NEGLIGIBLE: 0.1,
}
"""What stands for a severity that no CVSS score bears out: in the middle of what code scanning calls so."""
_NAMES = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM), (0.0, Severity.LOW))

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sarif:
    """The findings for code scanning."""

    name: str = "sarif"
    subject: Subject = "report"
    media_type: str = "application/sarif+json"
    description: str = "findings for code scanning (SARIF 2.1.0)"

    def prepare(self) -> None:
        """Nothing here is slow to load."""

    def render(self, report: Report, options: RenderOptions) -> str:
        """The report as SARIF."""
        return "".join(self.pieces(report, options))

    def pieces(self, report: Report, options: RenderOptions) -> Iterator[str]:
        """The same in pieces."""
        return batched(chain(written(_document(report), _FRAME), ("\n",)))


def _document(report: Report) -> Object:
    matches = shown(report) + identity.suppressed(report)
    others = about_the_image(report.verdict)
    ruled = _ruled(matches, others)
    places = {name: at for at, name in enumerate(ruled)}
    rules = (_rule(each) if isinstance(each, Match) else _policy_rule(each) for each in ruled.values())
    rulings = Rulings(report.verdict)
    results = chain(
        (_result(match, report, rulings) for match in matches),
        (_finding(finding, report, rulings) for finding in others),
    )
    image = report.analysis.image
    run: Object = {
        "tool": {"driver": {"name": "anchore", "version": clean(report.tool_version), "rules": rules}},
        "automationDetails": {"id": f"anchore/{quote(_bytes(image.ref.name or image.ref.original), safe='/')}"},
        "originalUriBaseIds": {_ROOT: {"description": {"text": f"the root of {clean(image.ref.name)}"}}},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": _notifications(report)}],
        "results": (result | {"ruleIndex": places[result["ruleId"]]} for result in results),
        "properties": {
            "image": clean(image.ref.name),
            "imageDigest": clean(image.digest or image.image_id),
            "verdict": report.verdict.status.value if report.verdict else "",
            "feedRevision": report.feed_revision,
        },
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _ruled(matches: list[Match], others: list[Finding]) -> dict[str, Match | Finding]:
    """What each rule is made of, by its name and in that order."""
    found: dict[str, Match | Finding] = {}
    # The worst is first, and a rule is as bad as its worst result.
    for match in sorted(matches, key=identity.match_order):
        found.setdefault(_name(match), match)
    for finding in others:
        found.setdefault(_rule_name(finding), finding)
    return dict(sorted(found.items()))


def _policy_rule(finding: Finding) -> Object:
    name = _rule_name(finding)
    return {
        "id": name,
        "shortDescription": {"text": f"policy: {name}"},
        "defaultConfiguration": {"level": _ACTIONS[finding.action]},
        "properties": {"tags": ["policy"]},
    }


def _name(match: Match) -> str:
    return clean(match.id) or "unnamed"


def _rule(match: Match) -> Object:
    name = _name(match)
    tags = ["security", "vulnerability", *(f"external/cwe/{clean(each).lower()}" for each in match.cwes)]
    rule: Object = {
        "id": name,
        "shortDescription": {"text": f"{name} in {clean(match.package.source or match.package.name)}"},
        "fullDescription": {"text": clean(match.summary) or name},
        "help": {"text": clean(match.summary) or name},
        "defaultConfiguration": {"level": _LEVELS.get(match.severity, "note")},
        "properties": {"tags": tags},
    }
    if score := _security_severity(match):
        rule["properties"]["security-severity"] = score
    if match.url.startswith(("https://", "http://")) and match.url.isascii() and match.url.isprintable():
        rule["helpUri"] = quote(match.url, safe=":/?#[]@!$&'()*+,;=%~")
    return rule


def _security_severity(match: Match) -> str:
    """The CVSS score where it says what the severity says, else one that does: readers make a severity of it."""
    for each in sorted(match.cvss, key=lambda each: (each.version, each.score), reverse=True):
        if next((name for least, name in _NAMES if each.score >= least), None) is match.severity:
            return f"{each.score:.1f}"
    return f"{_SCORES[match.severity]:.1f}" if match.severity in _SCORES else ""


def _result(match: Match, report: Report, rulings: Rulings) -> Object:
    package, ruling = match.package, rulings.of(match)
    known, likely = exploited(match, report.enrichment), epss(match, report.enrichment)
    told = [f"{label}: {text}" for label, text in facts(match, report.enrichment)]
    result: Object = {
        "ruleId": _name(match),
        "level": _LEVELS.get(match.severity, "note"),
        "message": {"text": "\n".join([headline(match), *told])},
        "locations": [_place(identity.installed_at(package), report, package.purl, brought_by(match, report))],
        "partialFingerprints": {"anchoreMatch/v1": identity.match_id(match)},
        "properties": {
            "severity": match.severity.label,
            "package": clean(package.name),
            "installed": clean(package.version),
            "fixState": match.fix_state.value,
            "fixedIn": [clean(each) for each in match.fixed_in],
            "verdict": match.verdict.value,
            "feed": clean(match.feed),
            "cwes": [clean(each) for each in match.cwes],
            "cvss": [{"version": each.version, "vector": clean(each.vector), "score": each.score,
                      "source": clean(each.source)} for each in match.cvss],
            "epss": likely.score if likely else None,
            "knownExploited": known is not None,
            "risk": risk(match, report.enrichment),
        },
    }  # fmt: skip
    if ruling.excused:
        result["suppressions"] = [_suppression(ruling.excused)]
    return result


def _finding(finding: Finding, report: Report, rulings: Rulings) -> Object:
    result: Object = {
        "ruleId": _rule_name(finding),
        "level": _ACTIONS[finding.action],
        "message": {"text": clean(finding.message) or _rule_name(finding)},
        "locations": [_place("", report)],
        "partialFingerprints": {"anchoreFinding/v1": identity.finding_id(finding)},
    }
    if finding.allowed_by:
        result["suppressions"] = [_suppression(rulings.excuse(finding))]
    return result


def _suppression(reason: str) -> Object:
    return {"kind": "external", "status": "accepted", "justification": reason}


def _rule_name(finding: Finding) -> str:
    return clean(f"{finding.gate}/{finding.trigger}")


def _place(path: str, report: Report, purl: str = "", layer: str = "") -> Object:
    """A place in the image; the image itself where there is no path. Readers want a line, and there is no other."""
    artifact: Object = {"uri": quote(_bytes(path), safe="/"), "uriBaseId": _ROOT}
    if not path:
        artifact = {"uri": quote(_bytes(report.analysis.image.ref.name or "image"), safe="/")}
    found: Object = {"physicalLocation": {"artifactLocation": artifact, "region": {"startLine": 1}}}
    if purl:
        found["logicalLocations"] = [{"fullyQualifiedName": clean(purl), "kind": "module"}]
    if layer:
        found["message"] = {"text": layer}
    return found


def _notifications(report: Report) -> list[Object]:
    return [
        {
            "level": "error" if problem.incomplete else "note",
            "message": {
                "text": clean(". ".join(filter(None, (f"{problem.subject}: {problem.message}", problem.hint))))
            },
            "properties": {"stage": clean(problem.stage), "cause": clean(problem.gap) if problem.incomplete else ""},
        }
        for problem in sorted(set(report.problems))
    ]


def _bytes(text: str) -> bytes:
    """A path as its bytes; what could not be one is written all the same."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
