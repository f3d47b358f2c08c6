"""Whether what an exception names has gone from the image: the package is there, the vulnerability no longer is."""

from __future__ import annotations

from collections.abc import Callable

from anchorecli.model import Allow, Match, Package
from anchorecli.policy.base import Evidence
from anchorecli.policy.judging.scopes import purl_scope
from anchorecli.policy.judging.subjects import Subject
from anchorecli.policy.judging.wildcards import Wildcard


def whether_gone(item: Allow, evidence: Evidence) -> tuple[bool, str]:
    """Whether it is gone, and what there is to say of it; for an item that no finding of the image fits."""
    vulnerability, name = _named(item)
    if not vulnerability:
        return False, ""
    means = _package_test(item, name)
    matches = [match for match in evidence.once(_by_vulnerability).get(vulnerability, ()) if means(match.package)]
    for match in matches:
        if not match.suppressed:
            return False, f"{match.package.name} is affected, but no rule of the policy fires for it"
    if matches:
        return True, f"settled by a better source: {matches[0].suppressed}"
    exact = Wildcard(name).is_exact
    candidates = evidence.once(_by_name).get(name, []) if exact else evidence.analysis.packages
    installed = next(filter(means, candidates), None)
    if installed is None:
        return False, ""
    return True, f"{installed.name} {installed.version}, which is in the image, is not affected"


def _named(item: Allow) -> tuple[str, str]:
    """The one vulnerability an item names and the package; nothing where it does not name both."""
    if item.gate != "vulnerabilities":
        return "", ""
    if item.vulnerability:
        named = Wildcard(item.vulnerability).is_exact and (item.package or item.purl)
        return (item.vulnerability, item.package or "*") if named else ("", "")
    vulnerability, plus, name = item.trigger_id.partition("+")
    return (vulnerability, name) if plus and Wildcard(item.trigger_id).is_exact else ("", "")


def _package_test(item: Allow, name: str) -> Callable[[Package], bool]:
    named = Wildcard(name)
    holds = purl_scope(item.purl) if item.purl else None
    return lambda package: (
        any(map(named.matches, _called(package))) and (holds is None or holds(Subject(purl=package.purl)))
    )


def _called(package: Package) -> tuple[str, ...]:
    """Every name that a package or the end of a trigger id may have."""
    return package.name, package.source, f"{package.name}-{package.version}"


def _by_name(evidence: Evidence) -> dict[str, list[Package]]:
    found: dict[str, list[Package]] = {}
    for package in evidence.analysis.packages:
        for name in _called(package):
            found.setdefault(name, []).append(package)
    return found


def _by_vulnerability(evidence: Evidence) -> dict[str, list[Match]]:
    """Every match, suppressed ones too, by its ids and aliases."""
    found: dict[str, list[Match]] = {}
    for match in evidence.matches:
        for one in {match.id, match.advisory, *match.aliases}:
            found.setdefault(one, []).append(match)
    return found
