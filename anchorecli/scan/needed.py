"""Which feeds an image needs, and which a bundle: what a round of the watch keeps up to date unasked."""

from __future__ import annotations

from collections.abc import Iterable

from anchorecli.feeds.ecosystems import REGISTRIES
from anchorecli.matching.coverage import STANDARD_LIBRARY, feed_for, is_standard_library
from anchorecli.matching.distributions import lineage
from anchorecli.matching.ecosystems import OS_TYPES, language_ecosystem, queries
from anchorecli.matching.origins import outsiders
from anchorecli.matching.programs import CPE, is_program
from anchorecli.matching.streams import upstream
from anchorecli.model import Analysis, Package
from anchorecli.policy.values import Bundle
from anchorecli.scan.enrichment import END, EPSS, KEV


def feeds_for_image(analysis: Analysis, held: frozenset[str] = frozenset()) -> frozenset[str]:
    """The feeds that speak of the packages of an image: its distribution's (or that of its parent), for a rebuild of
    Red Hat's also Red Hat's (of what has no fix nobody else tells), EPEL's, its languages', and for programs that only
    a name or a CPE tells one that knows those. ``held`` are feeds that are there already."""
    kinds = {package.type for package in analysis.packages}
    guests = outsiders(analysis.packages, analysis.distro)
    found = {feed_for(each.ecosystem) for each in guests.values() if each.ecosystem}
    own: set[str] = set()
    if analysis.distro is not None and kinds & OS_TYPES:
        family = lineage(analysis.distro)
        own.add(next(filter(None, map(feed_for, family.own + family.inherited)), ""))
        own.update(feed_for(upstream(each)) for each in family.own)
    theirs = bool(own - {""})
    for package in analysis.packages:
        # What the distribution's packages brought is left to its feed.
        owned = package.owner and package.owner not in guests
        if package.type not in OS_TYPES and not (owned and theirs):
            found |= _feeds_for(package, held)
    return frozenset((found | own) - {""})


def _feeds_for(package: Package, held: frozenset[str]) -> set[str]:
    """The feeds for one package of no distribution."""
    if is_standard_library(package):
        return {feed_for(STANDARD_LIBRARY)}
    if not is_program(package):
        return {feed_for(language_ecosystem(package))}
    known = [feed_for(query.ecosystem) for query in queries(package, "")]
    if there := held.intersection(known):
        return set(there)
    # By its CPE first: NVD knows nearly every program, Bitnami those it packages.
    return {next((each for each in (feed_for(CPE), feed_for("bitnami")) if each in known), "")}


def feeds_for_bundle(bundle: Bundle) -> frozenset[str]:
    """The feeds beside those of vulnerabilities that rules of a bundle look at."""
    return looked_at(bundle) & {END, EPSS, KEV}


def looked_at(bundle: Bundle) -> frozenset[str]:
    """The namespaces beside those of vulnerabilities (``BESIDE``) that rules of a bundle look at."""
    rules = [rule for policy in bundle.policies for rule in policy.rules]
    gates = {rule.gate for rule in rules}
    found = {END} if "distro" in gates else set()
    found |= {space for kind, space in REGISTRIES.items() if _GATES[kind] in gates}
    found |= {feed for feed in (EPSS, KEV) if any(_tests(rule.params, feed) for rule in rules)}
    return frozenset(found)


BESIDE = frozenset((END, EPSS, KEV, *REGISTRIES.values()))
"""Namespaces of what is known beside advisories: a change there matters where a rule looks at it."""

_GATES = {"npm": "npms", "gem": "ruby_gems"}


def _tests(parameters: Iterable[str], feed: str) -> bool:
    return any(name.startswith(feed) for name in parameters)
