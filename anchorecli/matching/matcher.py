"""The steps of matching: look up, judge, merge, weigh, score; what each does is told in its own module."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence

from anchorecli.matching.coverage import Plan, plan, unspoken
from anchorecli.matching.decide import Hit, Subject
from anchorecli.matching.dissent import Case, several, weighed
from anchorecli.matching.ecosystems import OS_TYPES, Query, is_kernel_headers
from anchorecli.matching.merge import Draft, merge
from anchorecli.matching.scores import about, scored
from anchorecli.matching.streams import verdict
from anchorecli.matching.values import Details, Lookup, MatchResult
from anchorecli.model import Advisory, Candidate, Distro, Match, Package, Problem, Statement

AT_A_TIME = 4096
"""So many groups of equal packages are looked up at once; few images have more."""
SAID_AT_A_TIME = 100_000
"""Statements that are compared at once."""
MOST = 100_000
"""Matches from which no further packages are compared; old images with thousands of packages have some ten thousand."""

_TOO_MANY = "what it finds of the others is missing"


def match_all(
    packages: Sequence[Package], distro: Distro | None, lookup: Lookup, details: Details, covered: frozenset[str]
) -> MatchResult:
    """``match``, where it is done."""
    collecting = gc.isenabled()
    # Tens of thousands of new values without a cycle among them: the collector takes a quarter of the time.
    gc.disable()
    try:
        return _match_all(plan(packages, distro, covered), lookup, details)
    finally:
        if collecting:
            gc.enable()


def _match_all(planned: Plan, lookup: Lookup, details: Details) -> MatchResult:
    matches: list[Match] = []
    spoken: set[tuple[str, str]] = set()
    compared = 0
    for part, index in _parts(list(planned.groups), lookup):
        if len(matches) >= MOST:
            break
        spoken.update(index)
        drafts = _drafts(part, planned, index, (lookup, details))
        for package, found in ((package, drafts.get(group, ())) for group in part for package in planned.groups[group]):
            if found and len(matches) >= MOST:
                break
            compared += 1
            if found:
                reason = _suppression(package, planned)
                matches += [_match(draft, package, reason) for draft in found]
    problems = planned.problems
    if left := sum(map(len, planned.groups.values())) - compared:
        message = f"more than {MOST} matches (a fixed limit): {left} packages were not compared"
        problems = (*problems, Problem("match", "packages", message, _TOO_MANY, cause="limit_hit"))
    if planned.programs:
        problems = (*problems, *unspoken(planned, spoken))
    return MatchResult(tuple(sorted(matches, key=_order)), tuple(sorted(problems)))


_Index = dict[tuple[str, str], list[Candidate]]


def _parts(groups: list[_Key], lookup: Lookup) -> Iterator[tuple[list[_Key], _Index]]:
    """The groups in parts of which not too much is said, each with what feeds say of their names."""
    for start in range(0, len(groups), AT_A_TIME):
        part: list[_Key] = []
        index: _Index = {}
        said = 0
        asked = dict.fromkeys(
            (query.ecosystem, query.name) for group in groups[start : start + AT_A_TIME] for query in group
        )
        for candidate in lookup(list(asked)) if asked else ():
            index.setdefault((candidate.ecosystem, candidate.package), []).append(candidate)
        for group in groups[start : start + AT_A_TIME]:
            part.append(group)
            said += sum(len(index.get((query.ecosystem, query.name), ())) for query in group)
            if said >= SAID_AT_A_TIME:
                yield part, index
                part, said = [], 0
        yield part, index


def _drafts(
    groups: Sequence[_Key], planned: Plan, index: _Index, known_by: tuple[Lookup, Details]
) -> dict[_Key, list[Draft]]:
    """What is found of some groups, which may be none; ``index`` is what feeds say of their names."""
    lookup, details = known_by
    found = _judged(groups, index)
    rows = sorted({hit.candidate.row for hits in found.values() for hit, _ in hits})
    advisories = details(rows) if rows else {}
    drafts = {group: merge(_valid(hits, advisories)) for group, hits in found.items()}
    drafts |= _weighed(drafts, found, index, advisories, details)
    known = about((each for group in drafts.values() for each in group), lookup, details) if planned.scored else {}
    if known:
        drafts = {group: [scored(each, known) for each in listed] for group, listed in drafts.items()}
    return drafts


_Key = tuple[Query, ...]


def _judged(
    groups: Iterable[_Key], index: Mapping[tuple[str, str], list[Candidate]]
) -> dict[_Key, list[tuple[Hit, Subject]]]:
    """What holds for each group of equal packages; denials only where there is something to deny."""
    found = {}
    for group in groups:
        hits: list[tuple[Hit, Subject]] = []
        for query in group:
            candidates = index.get((query.ecosystem, query.name))
            if candidates:
                subject = Subject(query)
                judged = verdict(group, query)
                hits += [(hit, subject) for each in candidates if (hit := judged(each, subject)) is not None]
        if any(hit.candidate.statement != Statement.NOT_AFFECTED for hit, _ in hits):
            found[group] = hits
    return found


def _valid(
    hits: Iterable[tuple[Hit, Subject]], advisories: Mapping[int, Advisory]
) -> list[tuple[Hit, Advisory, Subject]]:
    """Hits with their advisories, but for those that were withdrawn."""
    return [
        (hit, advisory, subject)
        for hit, subject in hits
        if (advisory := advisories.get(hit.candidate.row)) is not None and not advisory.withdrawn
    ]


def _weighed(
    drafts: Mapping[_Key, list[Draft]],
    found: Mapping[_Key, list[tuple[Hit, Subject]]],
    index: Mapping[tuple[str, str], list[Candidate]],
    claimed: Mapping[int, Advisory],
    details: Details,
) -> dict[_Key, list[Draft]]:
    """The drafts of the groups about which feeds disagree, with what was said."""
    cases = {}
    for group, each in drafts.items():
        candidates = [one for query in group for one in index.get((query.ecosystem, query.name), ())]
        if each and several(candidates):
            cases[group] = Case(group, each, found[group], candidates)
    return weighed(cases, claimed, details) if cases else {}


def _suppression(package: Package, planned: Plan) -> str:
    """Why none of a package's matches counts, or empty."""
    owned = package.owner and package.owner not in planned.outsiders
    if owned and planned.distro_covered and package.type not in OS_TYPES:
        return f"owned by {package.owner}: the distribution's feed decides"
    if is_kernel_headers(package):
        return "kernel headers hold no kernel code: the kernel that runs is not in an image"
    return ""


def _match(draft: Draft, package: Package, reason: str) -> Match:
    # There are thousands: by position, which is twice as fast. The order is that of the two classes' fields.
    identifier, aliases, verdict, severity, fix_state, fixed_in, cvss, advisory, candidate, why, *rest = draft[:15]
    summary, url, published, modified, suppressed = rest
    since, known = draft.fixed_since
    found = (identifier, package, advisory, candidate.feed, verdict, severity, fix_state, fixed_in, aliases)
    context = (candidate.ecosystem, summary, url, published, modified, cvss, why, suppressed or reason)
    return Match(*found, *context, cwes=draft.cwes, fixed_since=since, fixed_since_by=known)


def _order(match_: Match) -> tuple[str, ...]:
    package = match_.package
    where = package.locations[0].path if package.locations else ""
    return package.type, package.name, package.version, package.arch, where, match_.id, match_.advisory, package.purl
