"""What is known of an image's findings as an OpenVEX document, for others to read.

* What was settled (the distribution denies it, nothing that runs has the code, a VEX document said so) is not affected,
  or fixed, with the reason that the report gives.
* What an exception of the policy lets through is *affected*, with the exception's reason as what is done about it: to
  accept a risk does not make it go away. Whoever uses exceptions for false alarms alone may have them written as not
  affected.

Format: https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md, version 0.2.0.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from urllib.parse import quote

from anchorecli.model import AllowOutcome, Finding, Json, Match, Report
from anchorecli.vex.values import VexStatus

CONTEXT = "https://openvex.dev/ns/v0.2.0"


def openvex(report: Report, author: str, allowed: VexStatus = VexStatus.AFFECTED) -> str:
    """The document; equal reports give equal texts. ``allowed`` is the status of what exceptions let through."""
    statements = [*_settled(report), *_allowed(report, allowed)]
    body: dict[str, Json] = {
        "author": author,
        "timestamp": report.created_at,
        "version": 1,
        "tooling": f"anchore {report.tool_version}",
        "statements": statements,
    }
    digest = sha256(json.dumps(body, sort_keys=True).encode("utf-8", "backslashreplace")).hexdigest()
    return json.dumps({"@context": CONTEXT, "@id": f"https://openvex.dev/docs/public/vex-{digest}", **body}, indent=2)


def _settled(report: Report) -> Iterator[dict[str, Json]]:
    groups: dict[tuple[str, str, tuple[str, ...]], list[Match]] = {}
    for match in report.matches:
        if match.suppressed and match.package.purl:
            groups.setdefault((match.id, match.suppressed, match.aliases), []).append(match)
    for (name, reason, aliases), matches in sorted(groups.items()):
        fixed = matches[0].vex == reason and reason.startswith(f"VEX {VexStatus.FIXED.value}")
        said: dict[str, Json] = {"status": (VexStatus.FIXED if fixed else VexStatus.NOT_AFFECTED).value}
        if fixed:
            said["status_notes"] = reason
        else:
            said["impact_statement"] = reason
        yield _statement(report, name, aliases, matches) | said


def _allowed(report: Report, status: VexStatus) -> Iterator[dict[str, Json]]:
    verdict = report.verdict
    if verdict is None:
        return
    reasons = {(each.allowlist_id, each.item_id): each for each in verdict.allowances}
    by_id: dict[str, list[Match]] = {}
    for match in report.matches:
        if not match.suppressed and match.package.purl:
            by_id.setdefault(match.id, []).append(match)
    key = "impact_statement" if status is VexStatus.NOT_AFFECTED else "action_statement"
    found: dict[tuple[str, str], dict[str, Match]] = {}
    for finding in verdict.findings:
        if finding.allowed_by and finding.match_id:
            reason = _reason(finding, reasons)
            for match in _about(finding, by_id.get(finding.match_id, ())):
                found.setdefault((finding.match_id, reason), {})[match.package.purl] = match
    for (name, reason), matches in sorted(found.items()):
        chosen = list(matches.values())
        yield _statement(report, name, chosen[0].aliases, chosen) | {"status": status.value, key: reason}


def _about(finding: Finding, matches: Iterable[Match]) -> list[Match]:
    """The matches that a finding is about: its trigger id ends with the package's name."""
    matches = list(matches)
    name = finding.trigger_id.partition("+")[2]
    return [each for each in matches if name in (each.package.name, each.package.source)] or matches


def _reason(finding: Finding, outcomes: Mapping[tuple[str, str], AllowOutcome]) -> str:
    outcome = outcomes.get((finding.allowlist, finding.allowed_by))
    parts = [f"accepted by exception {finding.allowed_by}"]
    if outcome is not None:
        parts += [outcome.reason, outcome.ticket, outcome.owner and f"owner {outcome.owner}"]
        parts.append(outcome.expires and f"until {outcome.expires}")
    return ": ".join((parts[0], ", ".join(filter(None, parts[1:])))) if any(parts[1:]) else parts[0]


def _statement(report: Report, name: str, aliases: Iterable[str], matches: Iterable[Match]) -> dict[str, Json]:
    purls = sorted({match.package.purl for match in matches})
    product = {"@id": image_purl(report), "subcomponents": [{"@id": purl} for purl in purls]}
    return {"vulnerability": {"name": name, "aliases": sorted(aliases)}, "products": [product]}


def image_purl(report: Report) -> str:
    """The image as a purl: ``pkg:oci/app@sha256%3A…?repository_url=registry.example/team/app``."""
    image = report.analysis.image
    repository = image.ref.repository
    where = f"?repository_url={quote(f'{image.ref.registry}/{repository}', safe='/:')}" if repository else ""
    name = repository.rpartition("/")[2] or "image"
    return f"pkg:oci/{quote(name)}@{quote(image.digest or image.image_id, safe='')}{where}"
