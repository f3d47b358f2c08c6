"""Who is who in a report: stable ids, the order of things, and the layer behind a diff_id.

An id is a hash of what identifies the thing and of nothing that a feed, a policy or the time of day changes, so that
two reports can be compared and a suppression survives the next scan.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from anchorecli.model import Finding, Image, Layer, Match, MatchVerdict, Package, Report


def package_id(package: Package) -> str:
    """Type, name, version, architecture and the path of the first evidence: one installation of one package."""
    return _hash("package", package.type, package.name, package.version, package.arch, installed_at(package))


def match_id(match: Match) -> str:
    """A vulnerability in one installation of a package, whichever feed says so and whatever it says of it."""
    return _hash("match", match.id, package_id(match.package))


def finding_id(finding: Finding) -> str:
    """One firing of one rule."""
    keys = (finding.policy_id, finding.rule_id, finding.gate, finding.trigger, finding.trigger_id)
    return _hash("finding", *keys)


def installed_at(package: Package) -> str:
    """The path of the first evidence, which is where the package is installed or recorded; may be empty."""
    return package.locations[0].path if package.locations else ""


def package_order(package: Package) -> tuple[Any, ...]:
    """Sort key of packages: by type, name, version, then place."""
    return (package.type, package.name, package.version, package.arch, installed_at(package), package.purl)


def match_order(match: Match) -> tuple[Any, ...]:
    """Sort key of matches: worst first, then by vulnerability and package."""
    return (-match.severity, match.id, package_order(match.package), match.feed, match.advisory)


def finding_order(finding: Finding) -> tuple[Any, ...]:
    """Sort key of findings: what let the image fail first, what an allowlist let through last."""
    return (
        bool(finding.allowed_by),
        -finding.action,
        finding.gate,
        finding.trigger,
        finding.policy_id,
        finding.rule_id,
        finding.trigger_id,
        finding.message,
    )


def counted(report: Report) -> list[Match]:
    """The matches that count, worst first: decided, and settled by no better source."""
    return sorted(
        (match for match in report.matches if not match.suppressed and match.verdict is not MatchVerdict.UNKNOWN),
        key=match_order,
    )


def undecided(report: Report) -> list[Match]:
    """The matches whose versions could not be compared, worst first."""
    return sorted(
        (match for match in report.matches if not match.suppressed and match.verdict is MatchVerdict.UNKNOWN),
        key=match_order,
    )


def suppressed(report: Report) -> list[Match]:
    """The matches that a better source settles, worst first."""
    return sorted((match for match in report.matches if match.suppressed), key=match_order)


def starter_feeds(report: Report) -> frozenset[str]:
    """Names of the feeds that came with the program and are no fresh evidence."""
    return frozenset(feed.name for feed in report.feeds if feed.starter)


def layers_by_id(image: Image) -> dict[str, tuple[int, Layer]]:
    """diff_id → index and layer; where a layer stands twice in an image, the lower one."""
    found: dict[str, tuple[int, Layer]] = {}
    for index, layer in enumerate(image.layers):
        found.setdefault(layer.diff_id, (index, layer))
    return found


def digest_of(parts: Iterable[str]) -> str:
    """SHA-256 of some strings, told apart by their lengths, as hex."""
    text = "".join([f"{len(part)}:{part}" for part in parts])
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _hash(*parts: str) -> str:
    return digest_of(parts)[:16]
