"""Asking the feeds as they were: any revision that is kept.

Records that have not changed since are asked as they stand; of the others, those that speak of a package now, or did
when they went or left it out, are unpacked (``versions``).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from anchorecli.model import Advisory, Candidate, FeedState
from anchorecli.store import documents, versions
from anchorecli.store.advisories import asked_names, candidates
from anchorecli.store.encoding import load
from anchorecli.store.feeds import SHARED, check_revision, feed_states, state_of

_PACKAGES = """
SELECT p.id, e.name, p.name
FROM json_each(?) namespace
CROSS JOIN ecosystem e ON e.name = namespace.key
CROSS JOIN json_each(namespace.value) asked
CROSS JOIN package p ON p.ecosystem = e.id AND p.name = asked.value
"""
_STATEMENTS = """
SELECT a.advisory, a.package, a.term, a.ranges, a.versions, v.valid_from
FROM json_each(?) asked
CROSS JOIN affected a ON a.package = asked.value
CROSS JOIN advisory v ON v.id = a.advisory
"""
_DEPARTED = """
SELECT d.advisory FROM json_each(?) asked CROSS JOIN departed d ON d.package = asked.value AND d.until > ?
"""

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
    packages = {row: names for row, *names in db.execute(_PACKAGES, (asked_names(keys),))}
    asked = json.dumps(sorted(packages))
    found, changed = [], {row for (row,) in db.execute(_DEPARTED, (asked, revision))}
    for row, package, *rest, valid_from in db.execute(_STATEMENTS, (asked,)):
        if valid_from <= revision:
            found.append((row, *packages[package], *rest))
        else:
            changed.add(row)
    for row, version in versions.at(db, changed, revision).items():
        for package, *rest in version.content.statements:
            if package in packages:
                found.append((row, *packages[package], *rest))
    return candidates(db, found)


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
        "SELECT v.id, f.name, v.name, v.valid_from, v.valid_to, d.published, d.modified, d.withdrawn"
        " FROM feed f CROSS JOIN json_each(?) asked CROSS JOIN advisory v ON v.feed = f.id AND v.name = asked.value"
        " LEFT JOIN advisory_detail d ON d.advisory = v.id"
    )
    found = []
    for row, feed, name, valid_from, valid_to, *dates in db.execute(query, (json.dumps(sorted(names)),)).fetchall():
        if not valid_to:
            found.append(AdvisoryVersion(feed, name, valid_from, 0, *dates))
        for version in versions.every(db, row):
            found.append(AdvisoryVersion(feed, name, *version[:2], *version.content.columns[4:7]))
    return sorted(found, key=lambda each: each.valid_from)


def find_advisories(db: sqlite3.Connection, text: str, revision: int) -> dict[int, Advisory]:
    """The records that ``text`` names by id or alias, in any case, as of a revision; with their statements.

    There is no index for this: every record is looked at, and those that changed since are unpacked.
    """
    query = (
        "SELECT v.id FROM advisory v CROSS JOIN advisory_detail d ON d.advisory = v.id"
        " WHERE v.valid_from <= :revision AND v.valid_to = 0"
        " AND (lower(v.name) = :name OR instr(lower(d.aliases), :quoted)) ORDER BY v.id"
    )
    name = text.lower()
    values = {"revision": revision, "name": name, "quoted": json.dumps(name, ensure_ascii=False)}
    rows = [row for (row,) in db.execute(query, values)]
    if check_revision(db, revision) == revision:
        return load(db, rows, statements=True)
    changed = [row for (row,) in db.execute("SELECT id FROM advisory WHERE max(valid_from, valid_to) > ?", (revision,))]
    for start in range(0, len(changed), _BATCH):
        past = load(db, changed[start : start + _BATCH], statements=False, revision=revision)
        rows += [row for row, each in past.items() if name in {known.lower() for known in (each.id, *each.aliases)}]
    return load(db, sorted(rows), statements=True, revision=revision)


_BATCH = 500

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
