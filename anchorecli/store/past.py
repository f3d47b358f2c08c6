"""Asking the feeds as they were: any revision that is kept, as fast as the newest.

Rows of ``advisory`` are numbered in the order of the revisions that brought them, so what held at a revision is what
has no higher number than the last of its time and was not closed by then. Both can be told from the clustered rows of
``affected`` alone, those that hold now and those that were closed later, without a look at the advisories.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from anchorecli.model import Advisory, Candidate, FeedState
from anchorecli.store import documents
from anchorecli.store.encoding import load
from anchorecli.store.feeds import SHARED, check_revision, feed_states, state_of

_ASKED = """
SELECT a.advisory, e.name, p.name, a.term, a.ranges, a.versions
FROM json_each(:asked) namespace
CROSS JOIN ecosystem e ON e.name = namespace.key
CROSS JOIN json_each(namespace.value) asked
CROSS JOIN package p ON p.ecosystem = e.id AND p.name = asked.value
CROSS JOIN affected a ON a.package = p.id
"""
# Two ranges of the clustered key for each package; as one condition with OR, SQLite would read all of its history.
_AS_OF = f"""
{_ASKED} AND a.valid_to = 0 AND a.advisory <= :last
UNION ALL
{_ASKED} AND a.valid_to > :revision AND a.advisory <= :last
"""

_TERMS = """
SELECT t.id, f.name, t.scheme, t.statement, t.severity, t.module, t.arches
FROM json_each(?) asked CROSS JOIN term t ON t.id = asked.value CROSS JOIN feed f ON f.id = t.feed
"""

_NEXT = "SELECT id, valid_from FROM advisory WHERE id >= ? ORDER BY id LIMIT 1"

_NOW = f"""
SELECT name, revision, active, updated_at, {", ".join(SHARED)} FROM feed
WHERE name = :name AND updated_at <= :moment AND revision <= :revision
"""
_THEN = """
SELECT f.name, s.revision, s.active, s.updated_at, s.document
FROM feed f CROSS JOIN past_state s ON s.feed = f.id
WHERE f.name = :name AND s.updated_at <= :moment AND s.revision <= :revision
ORDER BY s.updated_at DESC, s.id DESC LIMIT 1
"""
_CHECKED = """
SELECT s.document FROM feed f CROSS JOIN past_state s ON s.feed = f.id
WHERE f.name = ? AND s.updated_at = ? AND s.revision = ? AND s.active ORDER BY s.id DESC LIMIT 1
"""


def lookup(db: sqlite3.Connection, keys: Sequence[tuple[str, str]], revision: int) -> list[Candidate]:
    """Every statement about the packages (ecosystem, name) as of a revision that is not the newest.

    Raises: StoreError where it is not kept.
    """
    check_revision(db, revision)
    asked: dict[str, dict[str, None]] = {}
    for ecosystem, name in keys:
        asked.setdefault(ecosystem, {})[name] = None
    values = {
        "asked": json.dumps({name: sorted(names) for name, names in asked.items()}),
        "revision": revision,
        "last": last_row(db, revision),
    }
    rows = db.execute(_AS_OF, values).fetchall()
    make = tuple.__new__
    terms = {term: rest for term, *rest in db.execute(_TERMS, (json.dumps(list({row[3] for row in rows})),))}
    return [
        make(Candidate, (row, feed, ecosystem, package, scheme, statement, ranges, versions, severity, module, arches))
        for row, ecosystem, package, term, ranges, versions in rows
        for feed, scheme, statement, severity, module, arches in (terms[term],)
    ]


def last_row(db: sqlite3.Connection, revision: int) -> int:
    """The highest number of an advisory that came with the revision or before; 0 where there was none."""
    low, high = 0, db.execute("SELECT coalesce(max(id), 0) FROM advisory").fetchone()[0]
    while low < high:  # low is in, what comes after high is out
        middle = (low + high + 1) // 2
        row, valid_from = db.execute(_NEXT, (middle,)).fetchone()
        if valid_from <= revision:
            low = row
        else:
            high = middle - 1
    return int(low)


def revision_at(db: sqlite3.Connection, moment: str) -> int:
    """The feed revision in force at a moment (RFC 3339 UTC), 0 before the first."""
    query = "SELECT coalesce(max(revision), 0) FROM revision WHERE created_at <= ?"
    return int(db.execute(query, (moment,)).fetchone()[0])


def revision_moment(db: sqlite3.Connection, revision: int) -> str:
    """When a revision was made; empty for one that never was."""
    row = db.execute("SELECT created_at FROM revision WHERE revision = ?", (revision,)).fetchone()
    return str(row[0]) if row else ""


def states_at(db: sqlite3.Connection, revision: int, moment: str) -> tuple[FeedState, ...]:
    """The feeds by name as a scan at that moment saw them, with the time of their last check before it."""
    check_revision(db, revision)
    by_revision = {state.name: state for state in feed_states(db, revision)}
    found = []
    for (name,) in db.execute("SELECT name FROM feed ORDER BY name").fetchall():
        seen, state = _state_at(db, {"name": name, "moment": moment, "revision": revision})
        # Nothing was seen where the clock was set back, or by a program that kept no checks.
        state = state if seen else by_revision.get(name)
        if state is not None:
            found.append(state)
    return tuple(found)


def _state_at(db: sqlite3.Connection, values: dict[str, str | int]) -> tuple[bool, FeedState | None]:
    """Whether a check of the feed by that moment is known, and the state it left; None for a feed dropped by then."""
    row = db.execute(_NOW, values).fetchone()
    if row is not None:
        name, revision, active, updated_at, *columns = row
        shared = dict(zip(SHARED, columns, strict=True))
    elif (row := db.execute(_THEN, values).fetchone()) is not None:
        name, revision, active, updated_at, document = row
        shared = json.loads(documents.get(db, document))
    else:
        return False, None
    return True, state_of(name, revision, updated_at, shared) if active else None


def state_checked(db: sqlite3.Connection, name: str, revision: int, updated_at: str) -> FeedState | None:
    """A feed's state as a check at that moment left it; None where no such check is known."""
    known = feed_states(db, None, name)
    if revision in kept_revisions(db):
        known += feed_states(db, revision, name)
    for state in known:
        if (state.revision, state.updated_at) == (revision, updated_at):
            return state
    row = db.execute(_CHECKED, (name, updated_at, revision)).fetchone()
    return state_of(name, revision, updated_at, json.loads(documents.get(db, row[0]))) if row else None


def kept_revisions(db: sqlite3.Connection) -> range:
    """The revisions that can be asked."""
    oldest, newest = db.execute(
        "SELECT kept_from, (SELECT coalesce(max(revision), 0) FROM revision) FROM history"
    ).fetchone()
    return range(oldest, newest + 1)


class AdvisoryVersion(NamedTuple):
    """One version of an advisory: what a feed said from one revision until before another (0: until now)."""

    feed: str
    name: str
    valid_from: int
    valid_to: int
    published: str
    modified: str
    withdrawn: str


def advisory_versions(db: sqlite3.Connection, names: Iterable[str]) -> list[AdvisoryVersion]:
    """Every kept version of the advisories of these names, of every feed; the oldest first."""
    query = (
        "SELECT f.name, v.name, v.valid_from, v.valid_to, d.published, d.modified, d.withdrawn"
        " FROM advisory v CROSS JOIN advisory_detail d ON d.advisory = v.id CROSS JOIN feed f ON f.id = v.feed"
        " WHERE v.name IN (SELECT value FROM json_each(?)) ORDER BY v.id"
    )
    return [AdvisoryVersion(*row) for row in db.execute(query, (json.dumps(sorted(names)),))]


def find_advisories(db: sqlite3.Connection, text: str, revision: int) -> dict[int, Advisory]:
    """The records that ``text`` names by id or alias, in any case, as of a revision; with their statements.

    There is no index for this: every record is looked at.
    """
    query = (
        "SELECT v.id FROM advisory v CROSS JOIN advisory_detail d ON d.advisory = v.id"
        " WHERE v.valid_from <= :revision AND (v.valid_to = 0 OR v.valid_to > :revision)"
        " AND (lower(v.name) = :name OR instr(lower(d.aliases), :quoted)) ORDER BY v.id"
    )
    name = text.lower()
    values = {"revision": revision, "name": name, "quoted": json.dumps(name, ensure_ascii=False)}
    return load(db, [row for (row,) in db.execute(query, values)], statements=True)


_ALIKE = """
SELECT DISTINCT name FROM advisory
WHERE valid_to = 0 AND (substr(lower(name), 1, :most) = :start OR substr(lower(name), -:few) = :end) LIMIT :limit
"""
_START, _END, _LIMIT = 10, 5, 20_000


def near_advisories(db: sqlite3.Connection, text: str) -> list[str]:
    """Ids that begin or end as the text does and look most like it, the nearest first."""
    from difflib import get_close_matches
    from itertools import takewhile

    name = text.lower()
    values = {"most": min(_START, len(name)), "start": name[:_START], "few": _END, "end": name[-_END:], "limit": _LIMIT}
    known = {found.lower(): found for (found,) in db.execute(_ALIKE, values)}
    found = get_close_matches(name, known, 12, 0.8)
    # A slip is nearer to the end: what begins alike is meant more likely than what has the same digits elsewhere.
    found.sort(
        key=lambda each: -sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(each, name, strict=False)))
    )
    return [known[each] for each in found[:3]]
