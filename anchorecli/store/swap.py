"""Making a feed consist of what was staged: one transaction, in which only what differs is written.

``sync`` has read a snapshot into temporary tables. Here records that changed or vanished are put aside as past versions
(``versions``), what they say now is written in their place, statement by statement, new records are added, and the
revision is noted with the feed's content (``delta``).
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice, zip_longest
from typing import Any

from anchorecli.model import FeedState, SyncResult
from anchorecli.store import delta, feeds, fixes, versions
from anchorecli.store.versions import Content, Version
from anchorecli.values import replace

_BATCH = 250
"""Changed records at a time in memory."""

_STAGING = (
    # known: the row of the record in the store that it equals, which then has no content here. about: the first package
    # that it speaks of.
    """CREATE TEMP TABLE staged (
        n INTEGER PRIMARY KEY, digest BLOB, known INTEGER, name TEXT, severity INTEGER, aliases TEXT, summary TEXT,
        url TEXT, published TEXT, modified TEXT, withdrawn TEXT, cvss TEXT, about INTEGER)""",
    """CREATE TEMP TABLE staged_affected (
        n INTEGER, position INTEGER, package INTEGER, term INTEGER, ranges TEXT, versions TEXT)""",
    # target: the number in the store of what is numbered here.
    "CREATE TEMP TABLE staged_package (id INTEGER PRIMARY KEY, ecosystem TEXT, name TEXT, target INTEGER)",
    "CREATE TEMP TABLE staged_term (id INTEGER PRIMARY KEY, term TEXT, target INTEGER)",
    "CREATE TEMP TABLE dropped (name TEXT PRIMARY KEY)",
    # gone: records that change or vanish. fresh: staged records that are new or other than what holds, with their row
    # in the store; anew: those that say nothing at present.
    "CREATE TEMP TABLE gone (advisory INTEGER PRIMARY KEY)",
    "CREATE TEMP TABLE fresh (n INTEGER PRIMARY KEY, advisory INTEGER, anew INTEGER)",
    *fixes.STAGING,
)

FIND_GONE = """
INSERT INTO gone
SELECT v.id FROM advisory v LEFT JOIN staged s ON s.name = v.name
WHERE v.feed = :feed AND v.valid_to = 0 AND v.digest IS NOT s.digest
"""
# Of changes: what is neither among them nor in ``dropped`` stays.
FIND_CHANGED = """
INSERT INTO gone
SELECT v.id FROM (SELECT name, digest FROM staged UNION ALL SELECT name, NULL FROM dropped) s
CROSS JOIN advisory v ON v.feed = :feed AND v.name = s.name AND v.valid_to = 0 AND v.digest IS NOT s.digest
"""

# New records are numbered by what they are about: an image asks for a few of each package, which then lie together.
_FIND_FRESH = """
INSERT INTO fresh
SELECT s.n, coalesce(v.id, :base + row_number() OVER (ORDER BY s.about, s.n)), v.id IS NULL OR v.valid_to <> 0
FROM staged s LEFT JOIN advisory v ON v.feed = :feed AND v.name = s.name
WHERE v.id IS NULL OR v.valid_to <> 0 OR s.digest <> v.digest
"""

_TERM = (
    ":feed, json_extract(term, '$[0]'), json_extract(term, '$[1]'), json_extract(term, '$[2]'),"
    " json_extract(term, '$[3]'), json_extract(term, '$[4]'), json_extract(term, '$[5]')"
)
_TERM_COLUMNS = "feed, scheme, statement, own_severity, severity, module, arches"
_NUMBER_NAMES = (
    "INSERT OR IGNORE INTO ecosystem (name) SELECT DISTINCT ecosystem FROM staged_package ORDER BY 1",
    """INSERT OR IGNORE INTO package (ecosystem, name)
    SELECT e.id, s.name FROM staged_package s CROSS JOIN ecosystem e ON e.name = s.ecosystem ORDER BY 1, 2""",
    """UPDATE staged_package SET target = (
        SELECT p.id FROM ecosystem e CROSS JOIN package p ON p.ecosystem = e.id
        WHERE e.name = staged_package.ecosystem AND p.name = staged_package.name)""",
    f"INSERT OR IGNORE INTO term ({_TERM_COLUMNS}) SELECT {_TERM} FROM staged_term ORDER BY term",
    f"UPDATE staged_term SET target = (SELECT id FROM term WHERE ({_TERM_COLUMNS}) = ({_TERM}))",
)

_COLUMNS = "severity, aliases, summary, url, published, modified, withdrawn, cvss"
_STAGED = f"""
SELECT f.advisory, s.n, {_COLUMNS} FROM json_each(?) asked
CROSS JOIN fresh f INDEXED BY fresh_by_row ON f.advisory = asked.value CROSS JOIN staged s ON s.n = f.n
"""
_STAGED_STATEMENTS = """
SELECT a.n, a.position, p.target, t.target, a.ranges, a.versions FROM json_each(?) asked
CROSS JOIN staged_affected a ON a.n = asked.value
CROSS JOIN staged_package p ON p.id = a.package CROSS JOIN staged_term t ON t.id = a.term
"""
_HELD = """
SELECT v.id, v.valid_from, coalesce(x.since, v.valid_from), coalesce(x.body, x'') FROM json_each(?) asked
CROSS JOIN advisory v ON v.id = asked.value LEFT JOIN past_version x ON x.advisory = v.id
"""
_REBORN = "SELECT x.advisory FROM fresh f CROSS JOIN past_version x ON x.advisory = f.advisory WHERE f.anew ORDER BY 1"

_WRITE_RECORDS = (
    """INSERT INTO advisory (id, feed, name, severity, valid_from, valid_to, digest)
    SELECT f.advisory, :feed, s.name, s.severity, :revision, 0, s.digest FROM fresh f CROSS JOIN staged s USING (n)
    WHERE 1 ON CONFLICT (id) DO UPDATE SET
        severity = excluded.severity, valid_from = excluded.valid_from, valid_to = 0, digest = excluded.digest""",
    """INSERT OR REPLACE INTO advisory_detail
    SELECT f.advisory, s.aliases, s.summary, s.url, s.published, s.modified, s.withdrawn, s.cvss
    FROM fresh f CROSS JOIN staged s USING (n)""",
    """INSERT INTO affected
    SELECT p.target, f.advisory, a.position, t.target, a.ranges, a.versions
    FROM staged_affected a CROSS JOIN fresh f ON f.n = a.n AND f.anew
    CROSS JOIN staged_package p ON p.id = a.package
    CROSS JOIN staged_term t ON t.id = a.term
    ORDER BY 1, 2, 3""",
)
_VANISHED = "SELECT advisory FROM gone EXCEPT SELECT advisory FROM fresh"
_COUNT = (
    "SELECT count(*) FROM gone",
    "SELECT count(*) FROM fresh",
    f"SELECT count(*) FROM ({_VANISHED})",
)
_WRITE_GONE = (
    f"DELETE FROM advisory_detail WHERE advisory IN ({_VANISHED})",
    f"UPDATE advisory SET valid_to = :revision WHERE id IN ({_VANISHED})",
)


def begin(db: sqlite3.Connection) -> None:
    """Make the temporary tables that a snapshot is read into."""
    for statement in _STAGING:
        db.execute(statement)


def swap(db: sqlite3.Connection, state: FeedState, find_gone: str = FIND_GONE, *, past: bool = True) -> SyncResult:
    """Take over what is staged, inside the caller's transaction; without ``past`` nothing of before is kept."""
    old = next(iter(feeds.feed_states(db, None, state.name)), None)
    feeds.archive(db, state.name)
    feed = feeds.save_state(db, replace(state, revision=old.revision if old else 0))
    counts, unchanged = _compare(db, feed, find_gone), state.records
    revision = feeds.current_revision(db)
    if any(counts) or old is None or (old.ecosystems, old.starter) != (state.ecosystems, state.starter):
        revision += 1
        unchanged -= counts[0] + counts[1]
        state = replace(state, revision=revision)
        feeds.save_state(db, state)
        _write(db, feed, revision, past=past)
        feeds.add_revision(db, feed, state, counts, delta.content(db, state.name))
        fixes.note_carried(db, revision)
        if old is not None and old.records and not old.starter:
            fixes.note_new(db, old, state)
    return SyncResult(state.name, revision, *counts, unchanged=unchanged)


def drop(db: sqlite3.Connection, name: str, now: str) -> bool:
    """Put every record of a feed aside, as a revision of its own, inside the caller's transaction.

    False where there is no such feed; ``db`` is a connection nobody else uses.
    """
    old = next(iter(feeds.feed_states(db, None, name)), None)
    feed = feeds.feed_row(db, name)
    if old is None or feed is None:
        return False
    begin(db)
    feeds.archive(db, name)
    counts = _compare(db, feed, FIND_GONE)
    state = FeedState(name, revision=feeds.current_revision(db) + 1, updated_at=now, starter=old.starter)
    _write(db, feed, state.revision, past=True)
    feeds.add_revision(db, feed, state, counts, delta.content(db, name))
    feeds.deactivate(db, feed, state)
    return True


def _compare(db: sqlite3.Connection, feed: int, find_gone: str) -> tuple[int, int, int]:
    """Find what differs from what is staged; gives how many are added, changed and removed."""
    base = db.execute("SELECT coalesce(max(id), 0) FROM advisory").fetchone()[0]
    db.execute(find_gone, {"feed": feed})
    db.execute(_FIND_FRESH, {"feed": feed, "base": base})
    db.execute("CREATE INDEX temp.fresh_by_row ON fresh (advisory)")
    gone, fresh, removed = (db.execute(query).fetchone()[0] for query in _COUNT)
    return fresh - (gone - removed), gone - removed, removed


def _write(db: sqlite3.Connection, feed: int, revision: int, *, past: bool) -> None:
    values = {"feed": feed, "revision": revision}
    for statement in _NUMBER_NAMES:
        db.execute(statement, values)
    if db.execute("SELECT EXISTS (SELECT 1 FROM gone)").fetchone()[0]:
        db.execute("CREATE INDEX IF NOT EXISTS temp.staged_affected_by_n ON staged_affected (n)")
    for records in _batches(db, "SELECT advisory FROM gone ORDER BY 1"):
        _put_aside(db, records, revision, past=past)
    for records in _batches(db, _REBORN):
        staged = _staged(db, records)
        rows = ((versions.push(body, None, None, staged[each]), each) for each, _, _, body in _held(db, records))
        db.executemany("UPDATE past_version SET body = ? WHERE advisory = ?", list(rows))
    for statement in (*_WRITE_RECORDS, *_WRITE_GONE):
        db.execute(statement, values)
    if not past:
        _forget_past(db, feed)


def _put_aside(db: sqlite3.Connection, records: Sequence[int], revision: int, *, past: bool) -> None:
    """Keep what records said until this revision, and write the statements that differ since."""
    before, after = versions.contents(db, records), _staged(db, records)
    aside: list[tuple[Any, ...]] = []
    left: list[tuple[int, int, int]] = []
    for record, valid_from, since, body in _held(db, records):
        old, new = before[record], after.get(record)
        _write_statements(db, record, old, new or versions.NOTHING)
        if past:
            aside.append((record, since, versions.push(body, Version(valid_from, revision, old), old, new)))
            packages = {each[0] for each in old.statements} - {each[0] for each in (new or versions.NOTHING).statements}
            left.extend((package, record, revision) for package in packages)
    db.executemany("INSERT OR REPLACE INTO past_version (advisory, since, body) VALUES (?, ?, ?)", aside)
    db.executemany("INSERT OR IGNORE INTO departed (package, advisory, until) VALUES (?, ?, ?)", left)


def _write_statements(db: sqlite3.Connection, record: int, old: Content, new: Content) -> None:
    if old.statements == new.statements:
        return
    pairs = list(zip_longest(old.statements, new.statements))
    places = [(was[0], record, n) for n, (was, now) in enumerate(pairs) if was and (not now or was[0] != now[0])]
    rows = [(now[0], record, n, *now[1:]) for n, (was, now) in enumerate(pairs) if now and was != now]
    db.executemany("DELETE FROM affected WHERE package = ? AND advisory = ? AND position = ?", places)
    db.executemany("INSERT OR REPLACE INTO affected VALUES (?, ?, ?, ?, ?, ?)", rows)
    fixes.stage_former(db, record, old.statements, {row[0] for row in rows})


def _held(db: sqlite3.Connection, records: Sequence[int]) -> list[tuple[int, int, int, bytes]]:
    """Of records their row, since when they say what they say, since when it is known what they said, and the body."""
    return db.execute(_HELD, (json.dumps(records),)).fetchall()


def _staged(db: sqlite3.Connection, records: Sequence[int]) -> dict[int, Content]:
    """What the snapshot has records say; those that vanish are left out."""
    found = db.execute(_STAGED, (json.dumps(records),)).fetchall()
    statements: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for n, *rest in db.execute(_STAGED_STATEMENTS, (json.dumps([n for _, n, *_ in found]),)):
        statements[n].append(tuple(rest))
    return {
        record: Content(tuple(columns), [each[1:] for each in sorted(statements.get(n, ()))])
        for record, n, *columns in found
    }


def _forget_past(db: sqlite3.Connection, feed: int) -> None:
    for table in ("past_version", "departed"):
        db.execute(f"DELETE FROM {table} WHERE advisory IN (SELECT id FROM advisory WHERE feed = ?)", (feed,))
    db.execute("DELETE FROM advisory WHERE feed = ? AND valid_to > 0", (feed,))


def _batches(db: sqlite3.Connection, query: str) -> Iterator[list[int]]:
    rows = iter([row for (row,) in db.execute(query)])
    while batch := list(islice(rows, _BATCH)):
        yield batch
