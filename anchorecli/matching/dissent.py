"""Where feeds disagree: one claims a vulnerability of a package, another knows it and leaves the version out.

Among those who write advisories down by hand (GitHub, the communities of languages, Bitnami) a claim is enough: none of
them is right so often that its silence could acquit. That another one thinks otherwise is said in ``Match.why``. Two
things are more than silence, and suppress the match with that as its reason: whoever knows the vulnerability in that
very program where the claim is by CPE alone, and an equal or better source that limits it to other operating systems.
Distributions are not weighed here: only theirs speaks of their packages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from anchorecli.matching.decide import Hit, Subject, bounds, fits_platform
from anchorecli.matching.ecosystems import Query
from anchorecli.matching.merge import Draft, rank
from anchorecli.model import Advisory, Candidate, Statement

_DISTRIBUTIONS = frozenset({"deb", "rpm", "apk", "pacman", "portage"})
"""Version schemes of distributions' packages."""

K = TypeVar("K")
Details = Callable[[Sequence[int]], Mapping[int, Advisory]]


class Case(NamedTuple):
    """One group of packages: what was asked, what was claimed, and what else the feeds say under its names."""

    queries: Sequence[Query]
    drafts: Sequence[Draft]
    hits: Sequence[tuple[Hit, Subject]]
    candidates: Sequence[Candidate]


class _Open(NamedTuple):
    """A case in which there is somebody to disagree."""

    case: Case
    sources: Sequence[frozenset[str]]
    """The feeds that each draft rests on."""
    silent: Sequence[Candidate]
    """What other feeds say that did not hold."""


def several(candidates: Sequence[Candidate]) -> bool:
    """Whether more than one feed speaks of a package of no distribution."""
    if not candidates or candidates[0].scheme in _DISTRIBUTIONS:
        return False
    first = candidates[0].feed
    return any(each.feed != first for each in candidates)


def weighed(cases: Mapping[K, Case], claimed: Mapping[int, Advisory], details: Details) -> dict[K, list[Draft]]:
    """The drafts of cases in which there is somebody to disagree, with what those say.

    ``claimed`` are the advisories of the hits. Of the others only what a feed says that had no part is fetched.
    """
    opened = {key: found for key, case in cases.items() if (found := _open(case, claimed)).silent}
    rows = sorted({each.row for found in opened.values() for each in found.silent})
    known = details(rows) if rows else {}
    return {key: _weighed(found, known) for key, found in opened.items()}


def _open(case: Case, claimed: Mapping[int, Advisory]) -> _Open:
    by_name: dict[str, set[str]] = {}
    for hit, _ in case.hits:
        for name in _names_of(claimed.get(hit.candidate.row)):
            by_name.setdefault(name, set()).add(hit.candidate.feed)
    sources = [
        frozenset(feed for name in (each.id, *each.aliases) for feed in by_name.get(name, ())) for each in case.drafts
    ]
    feeds = {each.feed for each in case.candidates}
    absent = {feed for each in sources for feed in feeds - each}
    held = {hit.candidate.row for hit, _ in case.hits}
    silent = [
        each
        for each in case.candidates
        if each.feed in absent and each.row not in held and each.statement == Statement.AFFECTED
    ]
    return _Open(case, sources, silent)


def _weighed(found: _Open, known: Mapping[int, Advisory]) -> list[Draft]:
    by_name: dict[str, list[Candidate]] = {}
    for each in found.silent:
        for name in _names_of(known.get(each.row)):
            by_name.setdefault(name, []).append(each)
    drafts = []
    for draft, sources in zip(found.case.drafts, found.sources, strict=True):
        others = {
            each.row: each
            for name in (draft.id, *draft.aliases)
            for each in by_name.get(name, ())
            if each.feed not in sources
        }
        if others and not draft.suppressed:
            draft = _answered(draft, sources, sorted(others.values(), key=_weight), found.case, known)
        drafts.append(draft)
    return drafts


def _answered(
    draft: Draft, sources: frozenset[str], others: Sequence[Candidate], case: Case, known: Mapping[int, Advisory]
) -> Draft:
    """A draft with what the best of those who disagree says."""
    claim = max(map(rank, sources), default=0)
    arches = {(query.ecosystem, query.name): query.arch for query in case.queries}
    for other in others:
        if rank(other.feed) >= claim and not fits_platform(other, arches.get((other.ecosystem, other.package), "")):
            systems = other.arches.replace(",", ", ")
            return draft._replace(suppressed=f"{other.feed} knows it on {systems} alone ({known[other.row].id})")
    other = others[0]
    said = f"{other.feed} leaves this version out ({_said(other, known[other.row])})"
    if claim < 0 <= rank(other.feed):
        return draft._replace(suppressed=said)
    return draft._replace(why=f"{draft.why}; {said}")


def _weight(candidate: Candidate) -> tuple[int, int]:
    return -rank(candidate.feed), candidate.row


def _names_of(advisory: Advisory | None) -> tuple[str, ...]:
    return () if advisory is None or advisory.withdrawn else (advisory.id, *advisory.aliases)


def _said(candidate: Candidate, advisory: Advisory) -> str:
    fixed = [each.text for _, each, _ in bounds(candidate.scheme, candidate.ranges) if each is not None]
    return f"{advisory.id}: fixed in {', '.join(fixed)}" if fixed else advisory.id
