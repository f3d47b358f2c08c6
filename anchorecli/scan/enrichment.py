"""What feeds know beside advisories, for one image: how likely exploitation is, whether it is known, ends of support.

Such facts are statements about names in namespaces of their own (``anchorecli.feeds.enrichment``), so that one lookup
gets them all; none is made where no such feed was synced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from anchorecli.matching import ecosystems_of
from anchorecli.model import Analysis, Candidate, Enrichment, Epss, KnownExploited, Match, OfficialPackage

EPSS, KEV, END = "epss", "kev", "end-of-life"

Lookup = Callable[[Sequence[tuple[str, str]]], Iterable[Candidate]]
Official = Mapping[str, Mapping[str, OfficialPackage]]


def enrich(lookup: Lookup, covered: frozenset[str], analysis: Analysis, matches: Iterable[Match]) -> Enrichment:
    """What is known of the vulnerabilities of an image, and of its distribution."""
    official: Official = {}
    unasked: Mapping[str, tuple[str, ...]] = {}
    if any(space.endswith("-registry") for space in covered):
        from anchorecli.scan.registries import registries

        official, unasked = registries(lookup, covered, analysis)
    spaces = covered & {EPSS, KEV, END}
    if not spaces:
        return Enrichment(official=official, unasked=unasked)
    cves = sorted({name for match in matches for name in (match.id, *match.aliases) if name.startswith("CVE-")})
    keys = [(space, cve) for space in (EPSS, KEV) if space in spaces for cve in cves]
    releases = tuple(ecosystems_of(analysis.distro)) if analysis.distro and END in spaces else ()
    keys += [(END, release) for release in releases]
    found: dict[str, dict[str, list[str]]] = {EPSS: {}, KEV: {}, END: {}}
    for each in lookup(keys) if keys else ():
        found[each.ecosystem][each.package] = each.versions.split("\n")
    ends = found[END]
    # The most specific name first: alpine:3.20 before alpine.
    end = next((ends[release][0] for release in releases if release in ends), None)
    return Enrichment(
        epss={cve: epss_of(values) for cve, values in found[EPSS].items()} if EPSS in spaces else None,
        exploited={cve: exploited_of(values) for cve, values in found[KEV].items()} if KEV in spaces else None,
        end_of_life=end,
        official=official,
        unasked=unasked,
    )


def epss_of(values: list[str]) -> Epss:
    """A record of EPSS, which is kept as a list of texts."""
    score, percentile = (*values, "")[:2]
    return Epss(float(score), float(percentile or 0))


def exploited_of(values: list[str]) -> KnownExploited:
    """A record of known exploitation, likewise."""
    added, due, ransomware = (*values, "", "")[:3]
    return KnownExploited(added, due, bool(ransomware))
