"""Statements that speak of one vulnerability become one match.

Records are told apart by the CVEs they are about: their own id, else those among their aliases. One CVE: everything
about that CVE is one vulnerability. None (a GHSA, a MAL): joined with what shares an id or alias. Several (a DSA, an
ALSA): a bundle, folded into the vulnerabilities it names where those are matched by records of their own; what is left
of it stays a match under its own id.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import NamedTuple

from anchorecli.matching.decide import Hit, Subject, fixes, why
from anchorecli.matching.fixed import UNKNOWN, fixed_since
from anchorecli.matching.streams import REBUILDS
from anchorecli.model import Advisory, Candidate, Cvss, FixDating, FixState, MatchVerdict, Severity, Statement

_CVE = re.compile(r"CVE-[0-9]{4}-[0-9]{4,}", re.ASCII)

_RANKS = {
    "osv:AlmaLinux": 3,
    "osv:Rocky Linux": 3,
    "oracle": 3,
    "ghsa": 1,
    "osv": 0,
    "pypa": 0,
    "phpsec": 0,
    "nvd": -1,
    "vulnrichment": -1,
}
"""Whose word leads; a feed that is not named is a distributor's or an ecosystem's own. Below 0: by CPE alone.
A rebuild's word on its packages goes before that of the distributor whose sources they are.

PyPA's and FriendsOfPHP's records have neither severities nor scores, and repeat GitHub's for the most part."""
_OWN = 2

_CVSS_NAMES = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM), (0.1, Severity.LOW))


class Record(NamedTuple):
    """One statement that holds, with its advisory and the version it was judged by."""

    hit: Hit
    advisory: Advisory
    subject: Subject
    names: frozenset[str]
    cves: frozenset[str]
    rank: int


class Draft(NamedTuple):
    """A match but for its package: the same for every copy of it in the image."""

    id: str
    aliases: tuple[str, ...]
    verdict: MatchVerdict
    severity: Severity
    fix_state: FixState
    fixed_in: tuple[str, ...]
    cvss: tuple[Cvss, ...]
    advisory: str
    candidate: Candidate
    why: str
    summary: str
    url: str
    published: str
    modified: str
    suppressed: str
    cwes: tuple[str, ...] = ()
    fixed_since: tuple[str, FixDating] = UNKNOWN
    """The moment, and how it is known (see ``matching.fixed``)."""


def rank(feed: str) -> int:
    """Whose word leads where several feeds speak of one vulnerability: the higher, the sooner."""
    found = _RANKS.get(feed)
    return _RANKS.get(feed.partition(":")[0], _OWN) if found is None else found


def attributed(advisory: Advisory) -> tuple[Cvss, ...]:
    """The scores of a record, each with who gave it: where it does not say, whoever published it."""
    scores, feed = advisory.cvss, advisory.feed
    if not scores or all(each.source for each in scores):
        return scores
    return tuple(each if each.source else Cvss(each.version, each.vector, each.score, feed) for each in scores)


def record(hit: Hit, advisory: Advisory, subject: Subject) -> Record:
    """A hit with what the merge needs of its advisory."""
    names = frozenset((advisory.id, *advisory.aliases))
    cves = (advisory.id,) if _CVE.fullmatch(advisory.id) else filter(_CVE.fullmatch, names)
    return Record(hit, advisory, subject, names, frozenset(cves), rank(hit.candidate.feed))


def merge(hits: Sequence[tuple[Hit, Advisory, Subject]]) -> list[Draft]:
    """One draft for each vulnerability that the statements about one package speak of, by id.

    Not-affected statements among them suppress what they outrank or equal.
    """
    if not _strangers(hits):
        return _merged([record(*each) for each in hits])
    # Nearly always: nothing to merge and nothing to deny.
    drafts = [_alone(*each) for each in hits if each[0].candidate.statement != "not-affected"]
    drafts.sort(key=_identifier)
    return drafts


def _strangers(hits: Sequence[tuple[Hit, Advisory, Subject]]) -> bool:
    """Whether no two records share a name, and none is a bundle of several CVEs."""
    if _own_cves(hits):
        return True
    seen: set[str] = set()
    count = len(hits)
    for _, advisory, _ in hits:
        seen.add(advisory.id)
        if aliases := advisory.aliases:
            seen.update(aliases)
            count += len(aliases)
            if not advisory.id.startswith("CVE-") and sum(each.startswith("CVE-") for each in aliases) > 1:
                return False
    return len(seen) == count


def _own_cves(hits: Sequence[tuple[Hit, Advisory, Subject]]) -> bool:
    """Whether each record is about a CVE of its own: the notices that name several of them join none."""
    seen: set[str] = set()
    for _, advisory, _ in hits:
        if not advisory.id.startswith("CVE-"):
            return False
        seen.add(advisory.id)
        for alias in advisory.aliases:
            if alias.startswith("CVE-"):
                return False
    return len(seen) == len(hits)


def _alone(hit: Hit, advisory: Advisory, subject: Subject) -> Draft:
    """The match of a statement that shares its vulnerability with no other."""
    identifier, aliases = advisory.id, advisory.aliases
    if aliases:
        if not _CVE.fullmatch(identifier):
            identifier = next(filter(_CVE.fullmatch, aliases), identifier)
        aliases = tuple(sorted({advisory.id, *aliases} - {identifier}))
    candidate = hit.candidate
    found = fixes(candidate, subject)
    return _new_draft(
        Draft,
        (
            identifier,
            aliases,
            hit.verdict,
            _severity(candidate, advisory),
            FixState.FIXED if found else _UNFIXED.get(candidate.statement, FixState.UNKNOWN),
            found,
            attributed(advisory),
            advisory.id,
            candidate,
            why(hit, subject),
            advisory.summary,
            advisory.url,
            advisory.published,
            advisory.modified,
            "",
            (),
            fixed_since(found, ((advisory, candidate),)) if found else UNKNOWN,
        ),
    )


_new_draft = tuple.__new__
"""There are thousands: a named tuple's own constructor takes twice as long."""

_UNFIXED: Mapping[str, FixState] = {"wont-fix": FixState.WONT_FIX, "affected": FixState.NOT_FIXED}


def _merged(records: Iterable[Record]) -> list[Draft]:
    ordered = _of_one_mind(sorted(records, key=_preference))
    denials = _by_name(each for each in ordered if each.hit.candidate.statement == Statement.NOT_AFFECTED)
    claims = [each for each in ordered if each.hit.candidate.statement != Statement.NOT_AFFECTED]
    single, bundles = _grouped(claims)
    drafts = []
    settled: set[str] = set()
    for cve, group in single:
        names = _names(group)
        # Its own CVE is not among its names where another feed's copy of the advisory said which it is about.
        spoken_of = {cve} if len(names) == 1 else {cve, *filter(_CVE.fullmatch, names)}
        about = frozenset((cve,)) if cve else names
        folded = _sharing(bundles, spoken_of) if bundles else ()
        drafts.append(_draft(cve, names, group, folded, _denied(about, group, denials) if denials else ""))
        settled |= spoken_of
    return sorted([*drafts, *_leftovers(bundles, settled, denials)], key=_identifier)


def _of_one_mind(records: Sequence[Record]) -> list[Record]:
    """One advisory that two feeds have, with other CVEs in an older copy, is about what the better feed's copy says."""
    about: dict[str, frozenset[str]] = {}
    for each in records:
        if each.cves:
            about.setdefault(each.advisory.id, each.cves)
    return [each._replace(cves=about.get(each.advisory.id, each.cves)) for each in records]


def _grouped(claims: Sequence[Record]) -> tuple[list[tuple[str, list[Record]]], list[list[Record]]]:
    """Vulnerabilities (with their CVE where there is one), and bundles.

    A record without a CVE that shares an alias with either belongs there.
    """
    by_cve: dict[str, list[Record]] = {}
    for each in claims:
        if len(each.cves) == 1:
            by_cve.setdefault(next(iter(each.cves)), []).append(each)
    bundles = _connected([each for each in claims if len(each.cves) > 1])
    alone: list[list[Record]] = []
    for component in _connected([each for each in claims if not each.cves]):
        names = _names(component)
        kin = [group for group in (*by_cve.values(), *bundles) if names & _names(group)]
        for group in kin:
            group += component
        if not kin:
            alone.append(component)
    for group in (*by_cve.values(), *bundles, *alone):
        group.sort(key=_preference)
    bundles.sort(key=lambda group: _preference(group[0]))
    return [*by_cve.items(), *(("", group) for group in alone)], bundles


def _connected(records: Sequence[Record]) -> list[list[Record]]:
    """Records joined where they share a name that is no CVE."""
    groups: list[tuple[set[str], list[Record]]] = []
    for each in records:
        names = set(each.names - each.cves)
        touched = [group for group in groups if group[0] & names]
        groups = [group for group in groups if not group[0] & names]
        members = [member for group in touched for member in group[1]]
        groups.append((names.union(*(group[0] for group in touched)), [*members, each]))
    return [members for _, members in groups]


def _leftovers(bundles: Sequence[list[Record]], settled: set[str], denials: _Denials) -> Iterator[Draft]:
    """What is left of bundles after the matches of their CVEs and those of better bundles; nothing if nothing is."""
    for place, group in enumerate(bundles):
        cves = frozenset(cve for each in group for cve in each.cves)
        left = cves - settled
        denied = {cve: why for cve in sorted(left) if (why := _denied(frozenset((cve,)), group, denials))}
        suppressed = denied[min(denied)] if denied and left == denied.keys() else ""
        if not suppressed:
            left -= denied.keys()
        if not left:
            continue
        folded = _sharing(bundles[place + 1 :], left)
        identifier = min(left) if len(left) == 1 else next(each.advisory.id for each in group if each.cves)
        yield _draft(identifier, _names(group) - (cves - left), group, folded, suppressed)
        settled |= left


def _sharing(bundles: Iterable[list[Record]], cves: Set[str]) -> list[Record]:
    """The records of bundles that name one of the CVEs, and what was joined to those bundles."""
    found = []
    for bundle in bundles:
        if any(cves & each.cves for each in bundle):
            found += [each for each in bundle if not each.cves or cves & each.cves]
    return found


_Denials = Mapping[str, Sequence[tuple[int, Record]]]
"""Not-affected statements, the best first, by what they are about; with their places, since one may be about much."""


def _by_name(denials: Iterable[Record]) -> _Denials:
    found: dict[str, list[tuple[int, Record]]] = {}
    for place, each in enumerate(denials):
        for name in each.cves or each.names:
            found.setdefault(name, []).append((place, each))
    return found


def _denied(about: frozenset[str], group: Sequence[Record], denials: _Denials) -> str:
    """Why a vulnerability does not count: a not-affected statement about it from no lesser source than any claim.

    ``about`` is its CVE, or where it has none all its names.
    """
    best = max(each.rank for each in group)
    # A statement that names no CVE denies what it shares any name with.
    others = (name for name in _names(group) if not _CVE.fullmatch(name))
    found = [each for name in {*about, *others} for each in denials.get(name, ()) if each[1].rank >= best]
    if not found:
        return ""
    _, denial = min(found, key=lambda each: each[0])
    candidate = denial.hit.candidate
    # A statement without its range, of a feed that denies nothing itself: see ``matching.streams``.
    fixed = "+" in candidate.ecosystem or candidate.ecosystem == "debian:unstable" != group[0].hit.candidate.ecosystem
    fixed = fixed or candidate.ecosystem.startswith(REBUILDS)
    stated = f"has it fixed in {candidate.ecosystem}" if fixed else "states not affected"
    return f"{candidate.feed} {stated} ({denial.advisory.id})"


def _draft(cve: str, names: frozenset[str], group: Sequence[Record], folded: Sequence[Record], denied: str) -> Draft:
    """The match of a group under its CVE, or where it has no one CVE under the best source's id."""
    primary = group[0]
    sources: Sequence[Record] = group
    if len(group) + len(folded) > 1:
        # A readable verdict goes before an unreadable one, whoever gives it.
        primary = next((each for each in group if each.hit.verdict is MatchVerdict.AFFECTED), primary)
        sources = [primary, *(each for each in group if each is not primary), *folded]
    lead = primary.advisory
    identifier = cve or lead.id
    fix_state, fixed_in = _fix(sources)
    if len(sources) > 1:
        names = names.union(each.advisory.id for each in folded)
        # One vector that several feeds repeat is one score: that of the best of them.
        scores: dict[tuple[str, str, float], Cvss] = {}
        for each in sources:
            for score in attributed(each.advisory):
                scores.setdefault((score.version, score.vector, score.score), score)
        cvss = tuple(scores.values())
    else:
        cvss = attributed(lead)
    return Draft(
        id=identifier,
        aliases=tuple(sorted(names - {identifier})),
        verdict=primary.hit.verdict,
        severity=_severity(primary.hit.candidate, lead)
        or next((s for each in sources if (s := _severity(each.hit.candidate, each.advisory))), Severity.UNKNOWN),
        fix_state=fix_state,
        fixed_in=fixed_in,
        cvss=cvss,
        advisory=lead.id,
        candidate=primary.hit.candidate,
        why=why(primary.hit, primary.subject),
        summary=lead.summary or _first(each.advisory.summary for each in sources),
        url=lead.url or _first(each.advisory.url for each in sources),
        published=lead.published or _first(each.advisory.published for each in sources),
        modified=lead.modified or _first(each.advisory.modified for each in sources),
        suppressed=denied,
        fixed_since=fixed_since(fixed_in, ((each.advisory, each.hit.candidate) for each in sources)),
    )


def _fix(sources: Sequence[Record]) -> tuple[FixState, tuple[str, ...]]:
    """From the first that names a fix, unless a better one says there will be none."""
    state = FixState.UNKNOWN
    for each in sources:
        candidate = each.hit.candidate
        if found := fixes(candidate, each.subject):
            return FixState.FIXED, found
        unfixed = _UNFIXED.get(candidate.statement)
        if unfixed is FixState.WONT_FIX:
            return unfixed, ()
        state = unfixed or state
    return state, ()


_SEVERITIES = tuple(Severity)


def _severity(candidate: Candidate, advisory: Advisory) -> Severity:
    """The statement's own, the advisory's, or what its best CVSS score is called."""
    stated = _SEVERITIES[candidate.severity] or advisory.severity
    if stated or not advisory.cvss:
        return stated
    score = max(advisory.cvss, key=lambda found: (found.version, found.score))
    name = next((name for least, name in _CVSS_NAMES if score.score >= least), Severity.NEGLIGIBLE)
    return min(name, Severity.HIGH) if score.version.startswith("2") else name


def _preference(each: Record) -> tuple[int, bool, str, str, str, str, tuple[str, ...], int]:
    """Better sources first; direct before by source; then by content, so that the store's order decides nothing."""
    candidate, advisory = each.hit.candidate, each.advisory
    named = advisory.id, candidate.package, candidate.ranges, candidate.statement, advisory.aliases
    return -each.rank, bool(each.subject.source), *named, candidate.row


def _identifier(draft: Draft) -> str:
    return draft.id


def _names(group: Sequence[Record]) -> frozenset[str]:
    if len(group) == 1:
        return group[0].names
    return frozenset(name for each in group for name in each.names)


def _first(texts: Iterable[str]) -> str:
    return next(filter(None, texts), "")
