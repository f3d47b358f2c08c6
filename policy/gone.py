"""Whether what an exception names has gone from the image: the package is there, the vulnerability no longer is."""

from __future__ import annotations

from anchorecli.model import Allow, Match, Package
from anchorecli.policy.base import Evidence
from anchorecli.policy.scopes import purl_scope
from anchorecli.policy.subjects import Subject
from anchorecli.policy.wildcards import Wildcard


def whether_gone(item: Allow, evidence: Evidence) -> tuple[bool, str]:
    """Whether it is gone, and what there is to say of it; for an item that no finding of the image fits."""
    vulnerability, packages = _named(item, evidence)
    if not packages:
        return False, ""
    first = packages[0]
    shown = f"{first.name} {first.version}"
    matches = [match for match in evidence.once(_by_vulnerability).get(vulnerability, ()) if match.package in packages]
    for match in matches:
        if not match.suppressed:
            return False, f"{match.package.name} is affected, but no rule of the policy fires for it"
    if matches:
        return True, f"settled by a better source: {matches[0].suppressed}"
    return True, f"{shown}, which is in the image, is not affected"


def _named(item: Allow, evidence: Evidence) -> tuple[str, list[Package]]:
    """The one vulnerability an item names, and the packages of the image it names; nothing where it names neither."""
    if item.gate != "vulnerabilities":
        return "", []
    known = evidence.once(_by_name)
    if item.vulnerability:
        if not Wildcard(item.vulnerability).is_exact or not (item.package or item.purl):
            return "", []
        return item.vulnerability, _in_scope(item, known)
    vulnerability, plus, name = item.trigger_id.partition("+")
    exact = Wildcard(item.trigger_id).is_exact and plus
    return (vulnerability, known.get(name, [])) if exact else ("", [])


def _in_scope(item: Allow, known: dict[str, list[Package]]) -> list[Package]:
    named = Wildcard(item.package or "*")
    found = [package for name, packages in known.items() if named.matches(name) for package in packages]
    if not item.purl:
        return found
    holds = purl_scope(item.purl)
    return [package for package in found if holds(Subject(purl=package.purl))]


def _by_name(evidence: Evidence) -> dict[str, list[Package]]:
    """The packages by every name that the end of a trigger id may be."""
    found: dict[str, list[Package]] = {}
    for package in evidence.analysis.packages:
        for name in {package.name, package.source, f"{package.name}-{package.version}"} - {""}:
            found.setdefault(name, []).append(package)
    return found


def _by_vulnerability(evidence: Evidence) -> dict[str, list[Match]]:
    """Every match, suppressed ones too, by its ids and aliases."""
    found: dict[str, list[Match]] = {}
    for match in evidence.matches:
        for one in {match.id, match.advisory, *match.aliases}:
            found.setdefault(one, []).append(match)
    return found
