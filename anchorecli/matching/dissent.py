"""Where feeds disagree: one claims a vulnerability of a package, another knows it and leaves the version out.

Among those who write advisories down by hand (GitHub, the communities of languages, Bitnami) a claim is enough: none of
them is right so often that its silence could acquit. That another one thinks otherwise is said in ``Match.why``. A
claim by CPE is weaker: whoever knows the vulnerability in that very program decides, and the match is suppressed with
that as its reason. Distributions are not weighed here: only theirs speaks of their packages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import NamedTuple, TypeVar

from anchorecli.matching.decide import Hit, Subject, bounds
from anchorecli.matching.merge import Draft, rank
from anchorecli.model import Advisory, Candidate, Statement

_DISTRIBUTIONS = frozenset({"deb", "rpm", "apk", "pacman", "portage"})
"""Version schemes of distributions' packages."""

K = TypeVar("K")
Known = tuple[Hit, Subject]
Details = Callable[[Sequence[int]], Mapping[int, Advisory]]


class Case(NamedTuple):
    """One group of packages: what was claimed, by whom, and what else the feeds say under its names."""

    drafts: list[Draft]
    hits: Sequence[Known]
    candidates: Sequence[Candidate]


def weighed(cases: Mapping[K, Case], claimed: Mapping[int, Advisory], details: Details) -> dict[K, list[Draft]]:
    """The drafts of cases in which there is somebody to disagree, with what those say.

    ``claimed`` are the advisories of the hits. Only what a feed says that did not take part is fetched.
    """
    open_cases = {key: (case, _silent(case, claimed)) for key, case in cases.items()}
    rows = sorted({each.row for _, silent in open_cases.values() for each in silent})
    known = details(rows) if rows else {}
    return {
        key: [_weighed(draft, case, silent, claimed, known) for draft in case.drafts]
        for key, (case, silent) in open_cases.items()
        if silent
    }


def several(candidates: Sequence[Candidate]) -> bool:
    """Whether more than one feed speaks of a package of no distribution."""
    if not candidates or candidates[0].scheme in _DISTRIBUTIONS:
        return False
    first = candidates[0].feed
    return any(each.feed != first for each in candidates)


def _silent(case: Case, claimed: Mapping[int, Advisory]) -> list[Candidate]:
    """What feeds say that did not hold, of those feeds that have no part in some draft."""
    feeds = {each.feed for each in case.candidates}
    absent: set[str] = set()
    for draft in case.drafts:
        absent |= feeds - _sources(draft, case, claimed)
    held = {hit.candidate.row for hit, _ in case.hits}
    return [
        each
        for each in case.candidates
        if each.feed in absent and each.row not in held and each.statement == Statement.AFFECTED
    ]


def _sources(draft: Draft, case: Case, claimed: Mapping[int, Advisory]) -> set[str]:
    """The feeds whose statements made a draft."""
    names = _names(draft)
    return {hit.candidate.feed for hit, _ in case.hits if _about(claimed.get(hit.candidate.row), names)}


def _weighed(
    draft: Draft,
    case: Case,
    silent: Iterable[Candidate],
    claimed: Mapping[int, Advisory],
    known: Mapping[int, Advisory],
) -> Draft:
    names, sources = _names(draft), _sources(draft, case, claimed)
    others = [each for each in silent if each.feed not in sources and _about(known.get(each.row), names)]
    if not others or draft.suppressed:
        return draft
    other = max(others, key=lambda each: (rank(each.feed), -each.row))
    said = f"{other.feed} leaves this version out ({_said(other, known[other.row])})"
    if max(map(rank, sources), default=0) < 0 <= rank(other.feed):
        return draft._replace(suppressed=said)
    return draft._replace(why=f"{draft.why}; {said}")


def _names(draft: Draft) -> frozenset[str]:
    return frozenset((draft.id, *draft.aliases))


def _about(advisory: Advisory | None, names: Set[str]) -> bool:
    return (
        advisory is not None
        and not advisory.withdrawn
        and (advisory.id in names or not names.isdisjoint(advisory.aliases))
    )


def _said(candidate: Candidate, advisory: Advisory) -> str:
    fixed = [each.text for _, each, _ in bounds(candidate.scheme, candidate.ranges) if each is not None]
    on = f" on {candidate.arches.replace(',', ', ')}" if candidate.arches else ""
    return f"{advisory.id}: fixed in {', '.join(fixed)}{on}" if fixed else f"{advisory.id}{on}"
