"""All that the feeds say of one vulnerability, under whichever of its names, with where it came from."""

from __future__ import annotations

import re
from typing import NamedTuple

from anchorecli.feeds.ecosystems import NOTES
from anchorecli.model import Advisory, Epss, FeedState, KnownExploited
from anchorecli.scan.enrichment import EPSS, KEV, epss_of, exploited_of
from anchorecli.store import Store

_CVE = re.compile(r"CVE-\d{4}-\d{4,}", re.ASCII)
_NAMES = 12
"""Names that are followed: each costs a look at every record."""


class Entry(NamedTuple):
    """One record, the feed it came with, and the revision that brought it in this form."""

    advisory: Advisory
    feed: FeedState | None
    revision: int


class Dossier(NamedTuple):
    """What is known of a vulnerability. ``entries`` say what is affected, by feed; empty for an unknown one."""

    asked: str
    id: str
    """Its CVE where it has one, else as it was asked for."""
    aliases: tuple[str, ...]
    entries: tuple[Entry, ...]
    notes: tuple[Entry, ...]
    """Records that say of no package that it is affected: scores, exploitation."""
    epss: Epss | None
    exploited: KnownExploited | None
    cwes: tuple[str, ...]
    near: tuple[str, ...] = ()
    """For an unknown one: ids that look like it."""


def dossier(store: Store, asked: str, revision: int | None = None) -> Dossier:
    """What the feeds of the store say, now or as of a revision. Raises: StoreError where it is not kept."""
    with store.snapshot():
        records = _records(store, asked, revision)
        if not records:
            near = tuple(store.near_advisories(asked))
            return Dossier(asked, asked, (), (), (), None, None, (), near)
        names = {name for each in records for name in _own_names(each)} | {each.id for each in records}
        states = {state.name: state for state in store.feed_states(revision)}
        brought = {
            (each.feed, each.name): each.valid_from
            for each in store.advisory_versions({each.id for each in records})
            if (each.valid_from <= revision if revision is not None else not each.valid_to)
        }
    entries = [Entry(each, states.get(each.feed), brought.get((each.feed, each.id), 0)) for each in records]
    notes = [each for each in entries if _is_note(each.advisory)]
    cves = sorted(filter(_CVE.fullmatch, names))
    main = _main(asked, cves, records)
    values = {
        (one.ecosystem, one.package): one.versions for each in notes for one in each.advisory.affected if one.versions
    }
    scores = [epss_of(list(found)) for (space, _), found in values.items() if space == EPSS]
    known = [exploited_of(list(found)) for (space, _), found in values.items() if space == KEV]
    weaknesses = dict.fromkeys(cwe for (space, _), found in sorted(values.items()) if space == "cve" for cwe in found)
    return Dossier(
        asked,
        main,
        tuple(sorted(names - {main})),
        tuple(each for each in entries if not _is_note(each.advisory)),
        tuple(notes),
        max(scores, default=None),
        min(known, default=None),
        tuple(weaknesses),
    )


def _records(store: Store, asked: str, revision: int | None) -> list[Advisory]:
    """The records of every name that it goes by: through those about this one vulnerability, never through a bundle."""
    found: dict[tuple[str, str], Advisory] = {}
    waiting, seen = [asked], {asked.lower()}
    while waiting and len(seen) <= _NAMES:
        for each in store.find_advisories(waiting.pop(0), revision).values():
            found[each.feed, each.id] = each
            for name in _own_names(each):
                if name.lower() not in seen:
                    seen.add(name.lower())
                    waiting.append(name)
    return sorted(found.values(), key=lambda each: (each.feed, each.id))


def _own_names(advisory: Advisory) -> tuple[str, ...]:
    """Names of the very vulnerability; none of a record that speaks of several."""
    names = (advisory.id, *advisory.aliases)
    return names if sum(_CVE.fullmatch(name) is not None for name in names) < 2 else ()


def _main(asked: str, cves: list[str], records: list[Advisory]) -> str:
    if len(cves) == 1:
        return cves[0]
    spelled = {name.lower(): name for each in records for name in (each.id, *each.aliases)}
    return spelled.get(asked.lower(), asked)


def _is_note(advisory: Advisory) -> bool:
    return bool(advisory.affected) and all(each.ecosystem in NOTES for each in advisory.affected)
