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
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import reduce
from itertools import islice
from typing import Any

from anchorecli.model import Advisory, FeedState, SyncResult
from anchorecli.store import feeds, fixes
from anchorecli.store.connection import transaction
from anchorecli.store.delta import expect
from anchorecli.store.encoding import Encoded, Term, decode, encode, load, merge
from anchorecli.values import dataclass, field, replace

_BATCH = 250
"""Records encoded at a time: few enough that Python's garbage collector does not go through them again and again."""

# KiB. Sorting by package and keeping the index of 1.5 million statements at hand; small change beside the parsing.
_MEMORY = ("PRAGMA cache_size = -65536", "PRAGMA temp.cache_size = -16384")

# known: the row of the store that equals the record, which then has no content here.
# target: the id in the store of what is numbered here.
_STAGING = (
    """CREATE TEMP TABLE staged (
        n INTEGER PRIMARY KEY, digest BLOB, known INTEGER, name TEXT, severity INTEGER, aliases TEXT, summary TEXT,
        url TEXT, published TEXT, modified TEXT, withdrawn TEXT, cvss TEXT)""",
    """CREATE TEMP TABLE staged_affected (
        n INTEGER, position INTEGER, package INTEGER, term INTEGER, ranges TEXT, versions TEXT)""",
    "CREATE TEMP TABLE staged_package (id INTEGER PRIMARY KEY, ecosystem TEXT, name TEXT, target INTEGER)",
    "CREATE TEMP TABLE staged_term (id INTEGER PRIMARY KEY, term TEXT, target INTEGER)",
    fixes.STAGING,
    "CREATE TEMP TABLE gone (advisory INTEGER PRIMARY KEY)",
    "CREATE TEMP TABLE fresh (n INTEGER PRIMARY KEY, advisory INTEGER, source INTEGER)",
)

_KNOWN = """
SELECT v.name, v.digest, v.id FROM json_each(?) asked
CROSS JOIN advisory v ON v.feed = ? AND v.name = asked.value AND v.valid_to = 0
"""

_STAGED_STATEMENTS = """
SELECT p.ecosystem, p.name, t.term, a.ranges, a.versions
FROM staged_affected a CROSS JOIN staged_package p ON p.id = a.package CROSS JOIN staged_term t ON t.id = a.term
WHERE a.n = ? ORDER BY a.position
"""

_FIND_GONE = """
INSERT INTO gone
SELECT v.id FROM advisory v LEFT JOIN staged s ON s.name = v.name
WHERE v.feed = :feed AND v.valid_to = 0 AND v.digest IS NOT s.digest
"""

# Of changes: what is not among them stays.
_DROPPED = "CREATE TEMP TABLE dropped (name TEXT PRIMARY KEY)"
_FIND_CHANGED = """
INSERT INTO gone
SELECT v.id FROM (SELECT name, digest FROM staged UNION ALL SELECT name, NULL FROM dropped) s
CROSS JOIN advisory v ON v.feed = :feed AND v.name = s.name AND v.valid_to = 0 AND v.digest IS NOT s.digest
"""

_FIND_FRESH = """
INSERT INTO fresh
SELECT s.n, :base + row_number() OVER (ORDER BY s.n), s.known
FROM staged s LEFT JOIN advisory v ON v.feed = :feed AND v.name = s.name AND v.valid_to = 0
WHERE s.digest IS NOT v.digest
"""

_TERM = (
    ":feed, json_extract(term, '$[0]'), json_extract(term, '$[1]'), json_extract(term, '$[2]'),"
    " json_extract(term, '$[3]'), json_extract(term, '$[4]'), json_extract(term, '$[5]')"
)
_TERM_COLUMNS = "feed, scheme, statement, own_severity, severity, module, arches"

# After what is gone has been closed, since a name holds once at a time.
_ADD_FRESH = (
    "INSERT OR IGNORE INTO ecosystem (name) SELECT DISTINCT ecosystem FROM staged_package ORDER BY 1",
    """INSERT OR IGNORE INTO package (ecosystem, name)
    SELECT e.id, s.name FROM staged_package s CROSS JOIN ecosystem e ON e.name = s.ecosystem ORDER BY 1, 2""",
    """UPDATE staged_package SET target = (
        SELECT p.id FROM ecosystem e CROSS JOIN package p ON p.ecosystem = e.id
        WHERE e.name = staged_package.ecosystem AND p.name = staged_package.name)""",
    f"INSERT OR IGNORE INTO term ({_TERM_COLUMNS}) SELECT {_TERM} FROM staged_term ORDER BY term",
    f"UPDATE staged_term SET target = (SELECT id FROM term WHERE ({_TERM_COLUMNS}) = ({_TERM}))",
    """INSERT INTO advisory (id, feed, name, severity, valid_from, valid_to, digest)
    SELECT fresh.advisory, :feed, s.name, s.severity, :revision, 0, s.digest
    FROM fresh CROSS JOIN staged s USING (n) WHERE source IS NULL""",
    """INSERT INTO advisory_detail
    SELECT fresh.advisory, s.aliases, s.summary, s.url, s.published, s.modified, s.withdrawn, s.cvss
    FROM fresh CROSS JOIN staged s USING (n) WHERE source IS NULL""",
    """INSERT INTO affected
    SELECT p.target, 0, fresh.advisory, a.position, t.target, a.ranges, a.versions
    FROM staged_affected a CROSS JOIN fresh USING (n)
    CROSS JOIN staged_package p ON p.id = a.package
    CROSS JOIN staged_term t ON t.id = a.term
    ORDER BY 1, 3, 4""",
    # What was equal when it was read, and is not any more: from the row it was equal to.
    """INSERT INTO advisory (id, feed, name, severity, valid_from, valid_to, digest)
    SELECT fresh.advisory, :feed, v.name, v.severity, :revision, 0, v.digest
    FROM fresh CROSS JOIN advisory v ON v.id = fresh.source""",
    """INSERT INTO advisory_detail
    SELECT fresh.advisory, d.aliases, d.summary, d.url, d.published, d.modified, d.withdrawn, d.cvss
    FROM fresh CROSS JOIN advisory_detail d ON d.advisory = fresh.source""",
    """INSERT INTO affected
    SELECT a.package, 0, fresh.advisory, a.position, a.term, a.ranges, a.versions
    FROM fresh CROSS JOIN affected a INDEXED BY affected_by_advisory ON a.advisory = fresh.source""",
)


@dataclass(slots=True)
class _Snapshot:
    """What has been read so far. Names and terms are numbered here: a hundred bytes for each name."""

    ecosystems: set[str] = field(default_factory=set)
    packages: defaultdict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    terms: dict[Term, int] = field(default_factory=dict)
    last: int = 0
    """The number of the last record."""
    newest: str = ""
    _package: int = 0

    def number_package(self, ecosystem: str, name: str) -> int:
        """The next number, for a name met for the first time."""
        self._package += 1
        self.ecosystems.add(ecosystem)
        self.packages[ecosystem][name] = self._package
        return self._package


def sync_feed(
    db: sqlite3.Connection,
    state: FeedState,
    advisories: Iterable[Advisory],
    finish: Callable[[FeedState], FeedState] | None,
) -> SyncResult:
    """Make the feed ``state.name`` consist of ``advisories``; ``db`` is a connection nobody else uses.

    Records of one id are merged. ``finish`` may complete the state once all have been read (digest, problems).
    """
    for statement in (*_MEMORY, *_STAGING):
        db.execute(statement)
    snapshot = _Snapshot()
    _stage(db, state.name, advisories, snapshot)
    duplicates = _merge_duplicates(db, snapshot)
    state = finish(state) if finish else state
    state = replace(
        state,
        records=db.execute("SELECT count(*) FROM staged").fetchone()[0],
        source_date=state.source_date or snapshot.newest,
        ecosystems=tuple(sorted({*state.ecosystems, *snapshot.ecosystems})),
    )
    with transaction(db, "BEGIN IMMEDIATE"):
        return replace(_swap(db, state), duplicates=duplicates)


def apply_changes(
    db: sqlite3.Connection, state: FeedState, changes: Iterable[Advisory | str], contents: tuple[str, str]
) -> SyncResult:
    """Add or replace records of the feed ``state.name``, and take out those named by id; the others stay.

    ``contents`` are the feed's before and after (see ``delta``). Raises: FeedError where it has others.
    """
    for statement in (*_MEMORY, *_STAGING, _DROPPED):
        db.execute(statement)
    dropped: list[tuple[str]] = []

    def records() -> Iterator[Advisory]:
        for change in changes:
            if isinstance(change, str):
                dropped.append((change,))
            else:
                yield change

    _stage(db, state.name, records(), _Snapshot())
    db.executemany("INSERT INTO dropped VALUES (?)", dropped)
    base, end = contents
    with transaction(db, "BEGIN IMMEDIATE"):
        expect(db, state.name, base)
        result = _swap(db, state, _FIND_CHANGED)
        expect(db, state.name, end)
    return result


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
            fixes.stage(db, batch)
    db.execute("CREATE INDEX temp.staged_by_name ON staged (name)")


def _known(db: sqlite3.Connection, feed: int, encoded: list[Encoded]) -> dict[tuple[str, bytes], int]:
    names = json.dumps([item.record[0] for item in encoded])
    return {(name, digest): row for name, digest, row in db.execute(_KNOWN, (names, feed))}


def _write(
    db: sqlite3.Connection, snapshot: _Snapshot, encoded: Iterable[Encoded], known: dict[tuple[str, bytes], int]
) -> None:
    records: list[tuple[Any, ...]] = []
    statements: list[tuple[Any, ...]] = []
    packages: list[tuple[int, str, str]] = []
    terms: list[tuple[int, Term]] = []
    for n, item in enumerate(encoded, snapshot.last + 1):
        row = known.get((item.record[0], item.digest))
        if row is not None:
            records.append((n, item.digest, row, item.record[0], *[None] * 8))
            snapshot.ecosystems.update(statement[0] for statement in item.statements)
            continue
        records.append((n, item.digest, None, *item.record))
        for position, (ecosystem, name, term, ranges, versions) in enumerate(item.statements):
            if (package := snapshot.packages[ecosystem].get(name)) is None:
                package = snapshot.number_package(ecosystem, name)
                packages.append((package, ecosystem, name))
            if (term_id := snapshot.terms.get(term)) is None:
                term_id = snapshot.terms[term] = len(snapshot.terms)
                terms.append((term_id, term))
            statements.append((n, position, package, term_id, ranges, versions))
    snapshot.last += len(records)
    db.executemany("INSERT INTO staged VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", records)
    db.executemany("INSERT INTO staged_affected VALUES (?, ?, ?, ?, ?, ?)", statements)
    db.executemany("INSERT INTO staged_package (id, ecosystem, name) VALUES (?, ?, ?)", packages)
    db.executemany("INSERT INTO staged_term (id, term) VALUES (?, ?)", terms)


def _merge_duplicates(db: sqlite3.Connection, snapshot: _Snapshot) -> int:
    """Replace the records of one id by one; gives how many there were too many."""
    duplicates = 0
    names = db.execute("SELECT name FROM staged GROUP BY name HAVING count(*) > 1").fetchall()
    if names:
        db.execute("CREATE INDEX temp.staged_affected_by_n ON staged_affected (n)")
    with transaction(db, "BEGIN"):
        for (name,) in names:
            rows = db.execute("SELECT n FROM staged WHERE name = ? ORDER BY n", (name,)).fetchall()
            merged = reduce(merge, (_staged(db, n) for (n,) in rows))
            db.executemany("DELETE FROM staged WHERE n = ?", rows)
            db.executemany("DELETE FROM staged_affected WHERE n = ?", rows)
            _write(db, snapshot, [encode(merged)], {})
            duplicates += len(rows) - 1
    return duplicates


def _staged(db: sqlite3.Connection, n: int) -> Advisory:
    known, *record = db.execute(
        "SELECT known, name, severity, aliases, summary, url, published, modified, withdrawn, cvss"
        " FROM staged WHERE n = ?",
        (n,),
    ).fetchone()
    if known is not None:
        return load(db, [known], statements=True)[known]
    statements = (
        (ecosystem, package, *json.loads(term), ranges, versions)
        for ecosystem, package, term, ranges, versions in db.execute(_STAGED_STATEMENTS, (n,))
    )
    return decode("", record, statements)


def _swap(db: sqlite3.Connection, state: FeedState, find_gone: str = _FIND_GONE) -> SyncResult:
    old = next(iter(feeds.feed_states(db, None, state.name)), None)
    feeds.archive(db, state.name)
    feed = feeds.save_state(db, replace(state, revision=old.revision if old else 0))
    base = db.execute("SELECT coalesce(max(id), 0) FROM advisory").fetchone()[0]
    db.execute(find_gone, {"feed": feed})
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
        feeds.close_gone(db, revision)
        for statement in _ADD_FRESH:
            db.execute(statement, {"feed": feed, "revision": revision})
        fixes.note_carried(db, feed, revision)
        if old is not None and old.records and not old.starter:
            fixes.note_new(db, feed, old, state)
    return SyncResult(state.name, revision, *counts, unchanged=state.records - fresh)
