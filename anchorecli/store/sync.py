"""Taking over a snapshot of a feed: read it aside, compare record by record, swap in what differs.

The snapshot is read into temporary tables of a private connection, so nobody waits while a feed is downloaded or
parsed, memory stays small, and a snapshot that breaks off leaves no trace. Records equal to what the store holds are
noted by name and digest alone. The lock on the store is taken for the last step only: close the rows that changed or
vanished, add the new ones, write the revision.

Two processes may take over the same feed at once. Each swap compares with what holds at that moment; where that makes
a record differ which was equal when it was read, its content is copied from the closed row that has its digest.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import islice
from typing import Any

from anchorecli.model import Advisory, FeedState, SyncResult
from anchorecli.store import feeds
from anchorecli.store.connection import transaction
from anchorecli.store.encoding import Encoded, Term, decode, encode, load, merge

_BATCH = 2000

# known: the row of the store that equals the record, which then has no content here.
# target: the id in the store of what is numbered here.
_STAGING = (
    """CREATE TEMP TABLE staged (
        n INTEGER PRIMARY KEY, digest BLOB, known INTEGER, name TEXT, severity INTEGER, aliases TEXT, summary TEXT,
        url TEXT, published TEXT, modified TEXT, withdrawn TEXT, cvss TEXT)""",
    """CREATE TEMP TABLE staged_affected (
        n INTEGER, position INTEGER, ecosystem INTEGER, package TEXT, term INTEGER, ranges TEXT, versions TEXT,
        PRIMARY KEY (n, position)) WITHOUT ROWID""",
    "CREATE TEMP TABLE staged_ecosystem (id INTEGER PRIMARY KEY, name TEXT, target INTEGER)",
    """CREATE TEMP TABLE staged_term (
        id INTEGER PRIMARY KEY, scheme TEXT, statement TEXT, severity INTEGER, module TEXT, arches TEXT,
        target INTEGER)""",
    "CREATE TEMP TABLE gone (advisory INTEGER PRIMARY KEY)",
    "CREATE TEMP TABLE fresh (n INTEGER PRIMARY KEY, advisory INTEGER, source INTEGER)",
)

_KNOWN = """
SELECT v.name, v.digest, v.id FROM json_each(?) asked
CROSS JOIN advisory v ON v.feed = ? AND v.name = asked.value AND v.valid_to IS NULL
"""

_FIND_GONE = """
INSERT INTO gone
SELECT v.id FROM advisory v LEFT JOIN staged s ON s.name = v.name
WHERE v.feed = :feed AND v.valid_to IS NULL AND v.digest IS NOT s.digest
"""

_FIND_FRESH = """
INSERT INTO fresh
SELECT s.n, :base + row_number() OVER (ORDER BY s.n), s.known
FROM staged s LEFT JOIN advisory v ON v.feed = :feed AND v.name = s.name AND v.valid_to IS NULL
WHERE s.digest IS NOT v.digest
"""

# In this order; gone rows are closed before, since a name holds once at a time.
_SWAP = (
    "UPDATE advisory SET valid_to = :revision WHERE id IN (SELECT advisory FROM gone)",
    "INSERT OR IGNORE INTO ecosystem (name) SELECT name FROM staged_ecosystem ORDER BY name",
    "UPDATE staged_ecosystem SET target = (SELECT e.id FROM ecosystem e WHERE e.name = staged_ecosystem.name)",
    """INSERT OR IGNORE INTO term (scheme, statement, severity, module, arches)
    SELECT scheme, statement, severity, module, arches FROM staged_term ORDER BY 1, 2, 3, 4, 5""",
    """UPDATE staged_term SET target = (SELECT t.id FROM term t WHERE (t.scheme, t.statement, t.severity, t.module,
    t.arches) = (staged_term.scheme, staged_term.statement, staged_term.severity, staged_term.module,
    staged_term.arches))""",
    """INSERT OR IGNORE INTO package (ecosystem, name)
    SELECT DISTINCT e.target, a.package
    FROM fresh CROSS JOIN staged_affected a USING (n) CROSS JOIN staged_ecosystem e ON e.id = a.ecosystem
    ORDER BY 1, 2""",
    """INSERT INTO advisory (id, feed, name, severity, valid_from, digest)
    SELECT fresh.advisory, :feed, s.name, s.severity, :revision, s.digest
    FROM fresh CROSS JOIN staged s USING (n) WHERE source IS NULL""",
    """INSERT INTO advisory_detail
    SELECT fresh.advisory, s.aliases, s.summary, s.url, s.published, s.modified, s.withdrawn, s.cvss
    FROM fresh CROSS JOIN staged s USING (n) WHERE source IS NULL""",
    """INSERT INTO affected
    SELECT p.id, fresh.advisory, a.position, t.target, a.ranges, a.versions
    FROM fresh CROSS JOIN staged_affected a USING (n)
    CROSS JOIN staged_ecosystem e ON e.id = a.ecosystem
    CROSS JOIN staged_term t ON t.id = a.term
    CROSS JOIN package p ON p.ecosystem = e.target AND p.name = a.package
    ORDER BY 1, 2, 3""",
    # What was equal when it was read, and is not any more: from the row it was equal to.
    """INSERT INTO advisory (id, feed, name, severity, valid_from, digest)
    SELECT fresh.advisory, :feed, v.name, v.severity, :revision, v.digest
    FROM fresh CROSS JOIN advisory v ON v.id = fresh.source""",
    """INSERT INTO advisory_detail
    SELECT fresh.advisory, d.aliases, d.summary, d.url, d.published, d.modified, d.withdrawn, d.cvss
    FROM fresh CROSS JOIN advisory_detail d ON d.advisory = fresh.source""",
    """INSERT INTO affected
    SELECT a.package, fresh.advisory, a.position, a.term, a.ranges, a.versions
    FROM fresh CROSS JOIN affected a INDEXED BY affected_by_advisory ON a.advisory = fresh.source""",
)


@dataclass(slots=True)
class _Snapshot:
    """What has been read so far; ecosystems and terms are few, so they are numbered here."""

    ecosystems: dict[str, int] = field(default_factory=dict)
    terms: dict[Term, int] = field(default_factory=dict)
    last: int = 0
    """The number of the last record."""
    newest: str = ""


def sync_feed(
    db: sqlite3.Connection,
    state: FeedState,
    advisories: Iterable[Advisory],
    finish: Callable[[FeedState], FeedState] | None,
) -> SyncResult:
    """Make the feed ``state.name`` consist of ``advisories``; ``db`` is a connection nobody else uses.

    Records of one id are merged. ``finish`` may complete the state once all have been read (digest, problems).
    """
    for statement in _STAGING:
        db.execute(statement)
    snapshot = _Snapshot()
    _stage(db, state.name, advisories, snapshot)
    duplicates = _merge_duplicates(db, snapshot)
    _stage_numbered(db, snapshot)
    state = finish(state) if finish else state
    state = replace(
        state,
        records=db.execute("SELECT count(*) FROM staged").fetchone()[0],
        source_date=state.source_date or snapshot.newest,
        ecosystems=tuple(sorted({*state.ecosystems, *snapshot.ecosystems})),
    )
    with transaction(db, "BEGIN IMMEDIATE"):
        return replace(_swap(db, state), duplicates=duplicates)


def _stage(db: sqlite3.Connection, name: str, advisories: Iterable[Advisory], snapshot: _Snapshot) -> None:
    feed = feeds.feed_row(db, name)
    records = iter(advisories)
    while batch := list(islice(records, _BATCH)):
        encoded = [encode(advisory) for advisory in batch]
        snapshot.newest = max(snapshot.newest, *(advisory.modified or advisory.published for advisory in batch))
        # A transaction for each batch: a longer one would keep other processes from folding the log into the file.
        with transaction(db, "BEGIN"):
            known = _known(db, feed, encoded) if feed is not None else {}
            _write(db, snapshot, encoded, known)
    db.execute("CREATE INDEX temp.staged_by_name ON staged (name)")


def _known(db: sqlite3.Connection, feed: int, encoded: list[Encoded]) -> dict[tuple[str, bytes], int]:
    names = json.dumps([item.record[0] for item in encoded])
    return {(name, digest): row for name, digest, row in db.execute(_KNOWN, (names, feed))}


def _write(
    db: sqlite3.Connection, snapshot: _Snapshot, encoded: Iterable[Encoded], known: dict[tuple[str, bytes], int]
) -> None:
    terms, ecosystems = snapshot.terms, snapshot.ecosystems
    records: list[tuple[Any, ...]] = []
    statements: list[tuple[Any, ...]] = []
    for n, item in enumerate(encoded, snapshot.last + 1):
        row = known.get((item.record[0], item.digest))
        if row is not None:
            records.append((n, item.digest, row, item.record[0], *[None] * 8))
            for statement in item.statements:
                ecosystems.setdefault(statement[0], len(ecosystems))
            continue
        records.append((n, item.digest, None, *item.record))
        for position, (ecosystem, package, term, ranges, versions) in enumerate(item.statements):
            ecosystem_id = ecosystems.setdefault(ecosystem, len(ecosystems))
            term_id = terms.setdefault(term, len(terms))
            statements.append((n, position, ecosystem_id, package, term_id, ranges, versions))
    snapshot.last += len(records)
    db.executemany("INSERT INTO staged VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", records)
    db.executemany("INSERT INTO staged_affected VALUES (?, ?, ?, ?, ?, ?, ?)", statements)


def _merge_duplicates(db: sqlite3.Connection, snapshot: _Snapshot) -> int:
    """Replace the records of one id by one; gives how many there were too many."""
    duplicates = 0
    names = db.execute("SELECT name FROM staged GROUP BY name HAVING count(*) > 1").fetchall()
    with transaction(db, "BEGIN"):
        for (name,) in names:
            rows = db.execute("SELECT n FROM staged WHERE name = ? ORDER BY n", (name,)).fetchall()
            merged = reduce(merge, (_staged(db, n, snapshot) for (n,) in rows))
            db.executemany("DELETE FROM staged WHERE n = ?", rows)
            db.executemany("DELETE FROM staged_affected WHERE n = ?", rows)
            _write(db, snapshot, [encode(merged)], {})
            duplicates += len(rows) - 1
    return duplicates


def _staged(db: sqlite3.Connection, n: int, snapshot: _Snapshot) -> Advisory:
    known, *record = db.execute(
        "SELECT known, name, severity, aliases, summary, url, published, modified, withdrawn, cvss"
        " FROM staged WHERE n = ?",
        (n,),
    ).fetchone()
    if known is not None:
        return load(db, [known])[known]
    ecosystems, terms = list(snapshot.ecosystems), list(snapshot.terms)
    query = "SELECT ecosystem, package, term, ranges, versions FROM staged_affected WHERE n = ? ORDER BY position"
    statements = (
        (ecosystems[ecosystem], package, *terms[term], ranges, versions)
        for ecosystem, package, term, ranges, versions in db.execute(query, (n,))
    )
    return decode("", record, statements)


def _stage_numbered(db: sqlite3.Connection, snapshot: _Snapshot) -> None:
    with transaction(db, "BEGIN"):
        db.executemany(
            "INSERT INTO staged_ecosystem VALUES (?, ?, NULL)", ((n, name) for name, n in snapshot.ecosystems.items())
        )
        db.executemany(
            "INSERT INTO staged_term VALUES (?, ?, ?, ?, ?, ?, NULL)",
            ((n, *term) for term, n in snapshot.terms.items()),
        )


def _swap(db: sqlite3.Connection, state: FeedState) -> SyncResult:
    old = next(iter(feeds.feed_states(db, None, state.name)), None)
    feed = feeds.save_state(db, replace(state, revision=old.revision if old else 0))
    base = db.execute("SELECT coalesce(max(id), 0) FROM advisory").fetchone()[0]
    db.execute(_FIND_GONE, {"feed": feed})
    db.execute(_FIND_FRESH, {"feed": feed, "base": base})
    gone, fresh = (db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("gone", "fresh"))
    removed = db.execute(
        "SELECT count(*) FROM gone JOIN advisory v ON v.id = gone.advisory"
        " WHERE NOT EXISTS (SELECT 1 FROM staged s WHERE s.name = v.name)"
    ).fetchone()[0]
    counts = (fresh - (gone - removed), gone - removed, removed)
    revision = feeds.current_revision(db)
    if any(counts) or old is None or (old.ecosystems, old.starter) != (state.ecosystems, state.starter):
        revision += 1
        state = replace(state, revision=revision)
        feeds.save_state(db, state)
        feeds.add_revision(db, feed, state, counts)
        for statement in _SWAP:
            db.execute(statement, {"feed": feed, "revision": revision})
    return SyncResult(state.name, revision, *counts, unchanged=state.records - fresh)
