"""What is known of an image's findings, as statements for others to read, whatever the format.

* What was settled (the distribution denies it, nothing that runs has the code, a VEX document said so) is not affected,
  or fixed, with the reason that the report gives.
* What an exception of the policy lets through is *affected*, with the exception's reason as what is done about it: to
  accept a risk does not make it go away. Whoever uses exceptions for false alarms alone may have them written as not
  affected.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import quote

from anchorecli.model import AllowOutcome, Finding, Json, Match, Report
from anchorecli.vex.values import VexStatus


class Saying(NamedTuple):
    """One statement: what holds for a vulnerability in packages of the image, and why."""

    name: str
    aliases: tuple[str, ...]
    status: VexStatus
    reason: str
    packages: tuple[tuple[str, str, str], ...]
    """Purl, name and version, by purl."""


class Author(NamedTuple):
    """Who says it: a name, and for CSAF a URL under which the name is unique."""

    name: str
    namespace: str = ""


def sayings(report: Report, allowed: VexStatus = VexStatus.AFFECTED) -> list[Saying]:
    """Everything there is to say, what was settled first. ``allowed`` is the status of what exceptions let through."""
    return [*_settled(report), *_allowed(report, allowed)]


def image_purl(report: Report) -> str:
    """The image as a purl: ``pkg:oci/app@sha256%3A…?repository_url=registry.example/team/app``."""
    image = report.analysis.image
    repository = image.ref.repository
    where = f"?repository_url={quote(f'{image.ref.registry}/{repository}', safe='/:')}" if repository else ""
    name = repository.rpartition("/")[2] or "image"
    return f"pkg:oci/{quote(name)}@{quote(image.digest or image.image_id, safe='')}{where}"


def digest_of(body: Json) -> str:
    """A name for the content of a document."""
    return sha256(json.dumps(body, sort_keys=True).encode("utf-8", "backslashreplace")).hexdigest()


def _settled(report: Report) -> Iterator[Saying]:
    groups: dict[tuple[str, str, tuple[str, ...]], list[Match]] = {}
    for match in report.matches:
        if match.suppressed and match.package.purl:
            groups.setdefault((match.id, match.suppressed, match.aliases), []).append(match)
    for (name, reason, aliases), matches in sorted(groups.items()):
        fixed = matches[0].vex == reason and reason.startswith(f"VEX {VexStatus.FIXED.value}")
        yield _saying(name, aliases, VexStatus.FIXED if fixed else VexStatus.NOT_AFFECTED, reason, matches)


def _allowed(report: Report, status: VexStatus) -> Iterator[Saying]:
    verdict = report.verdict
    if verdict is None:
        return
    reasons = {(each.allowlist_id, each.item_id): each for each in verdict.allowances}
    by_id: dict[str, list[Match]] = {}
    for match in report.matches:
        if not match.suppressed and match.package.purl:
            by_id.setdefault(match.id, []).append(match)
    found: dict[tuple[str, str], dict[str, Match]] = {}
    for finding in verdict.findings:
        if finding.allowed_by and finding.match_id:
            reason = _reason(finding, reasons)
            for match in _about(finding, by_id.get(finding.match_id, ())):
                found.setdefault((finding.match_id, reason), {})[match.package.purl] = match
    for (name, reason), matches in sorted(found.items()):
        chosen = list(matches.values())
        if chosen:
            yield _saying(name, chosen[0].aliases, status, reason, chosen)


def _saying(name: str, aliases: Iterable[str], status: VexStatus, reason: str, matches: Iterable[Match]) -> Saying:
    packages = {each.package.purl: (each.package.purl, each.package.name, each.package.version) for each in matches}
    return Saying(name, tuple(sorted(aliases)), status, reason, tuple(packages[purl] for purl in sorted(packages)))


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
