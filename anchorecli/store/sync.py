"""Taking over a snapshot of a feed: read it aside, compare record by record, swap in what differs.

The snapshot is read into temporary tables of a private connection, so nobody waits while a feed is downloaded or
parsed, memory stays small, and a snapshot that breaks off leaves no trace. Records equal to what the store holds are
noted by name and digest alone. The lock on the store is taken for the last step only (``swap``): put aside what changed
or vanished, write what is new, note the revision.

Two processes may take over the same feed at once. Each swap compares with what holds at that moment; where that makes
a record differ which was equal when it was read, its content is taken from the past version that has its digest.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import reduce
from itertools import islice
from typing import Any

from anchorecli.errors import FeedError
from anchorecli.model import Advisory, FeedState, SyncResult
from anchorecli.store import feeds, fixes, swap
from anchorecli.store.connection import transaction
from anchorecli.store.delta import expect
from anchorecli.store.encoding import Encoded, Term, decode, encode, merge, with_digest
from anchorecli.values import dataclass, field, replace

_BATCH = 250
"""Records encoded at a time: few enough that Python's garbage collector does not go through them again and again."""

# KiB. Sorting by package and keeping the index of 1.5 million statements at hand; small change beside the parsing.
_MEMORY = ("PRAGMA cache_size = -65536", "PRAGMA temp.cache_size = -16384")

_KNOWN = """
SELECT v.name, v.digest, v.id FROM json_each(?) asked
CROSS JOIN advisory v ON v.feed = ? AND v.name = asked.value AND v.valid_to = 0
"""

_OVERTAKEN = """
SELECT s.n, s.name, s.known, s.digest FROM staged s
LEFT JOIN advisory v ON v.id = s.known AND v.valid_to = 0 AND v.digest = s.digest
WHERE s.known IS NOT NULL AND v.id IS NULL
"""

_STAGED_STATEMENTS = """
SELECT p.ecosystem, p.name, t.term, a.ranges, a.versions
FROM staged_affected a CROSS JOIN staged_package p ON p.id = a.package CROSS JOIN staged_term t ON t.id = a.term
WHERE a.n = ? ORDER BY a.position
"""


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
    *,
    past: bool = True,
) -> SyncResult:
    """Make the feed ``state.name`` consist of ``advisories``; ``db`` is a connection nobody else uses.

    Records of one id are merged. ``finish`` may complete the state once all have been read (digest, problems).
    Without ``past`` nothing is kept of what the feed said before.
    """
    _prepare(db)
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
        _restore_overtaken(db, snapshot)
        return replace(swap.swap(db, state, past=past), duplicates=duplicates)


def apply_changes(
    db: sqlite3.Connection,
    state: FeedState,
    changes: Iterable[Advisory | str],
    contents: tuple[str, str],
    *,
    past: bool = True,
) -> SyncResult:
    """Add or replace records of the feed ``state.name``, and take out those named by id; the others stay.

    ``contents`` are the feed's before and after (see ``delta``). Raises: FeedError where it has others.
    """
    _prepare(db)
    dropped: list[tuple[str]] = []

    def records() -> Iterator[Advisory]:
        for change in changes:
            if isinstance(change, str):
                dropped.append((change,))
            else:
                yield change

    snapshot = _Snapshot()
    _stage(db, state.name, records(), snapshot)
    db.executemany("INSERT INTO dropped VALUES (?)", dropped)
    base, end = contents
    with transaction(db, "BEGIN IMMEDIATE"):
        expect(db, state.name, base)
        _restore_overtaken(db, snapshot)
        result = swap.swap(db, state, swap.FIND_CHANGED, past=past)
        expect(db, state.name, end)
    return result


def _prepare(db: sqlite3.Connection) -> None:
    for statement in _MEMORY:
        db.execute(statement)
    swap.begin(db)


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
            records.append((n, item.digest, row, item.record[0], *[None] * 9))
            snapshot.ecosystems.update(statement[0] for statement in item.statements)
            continue
        about = None
        for position, (ecosystem, name, term, ranges, versions) in enumerate(item.statements):
            if (package := snapshot.packages[ecosystem].get(name)) is None:
                package = snapshot.number_package(ecosystem, name)
                packages.append((package, ecosystem, name))
            if (term_id := snapshot.terms.get(term)) is None:
                term_id = snapshot.terms[term] = len(snapshot.terms)
                terms.append((term_id, term))
            statements.append((n, position, package, term_id, ranges, versions))
            about = about or package
        records.append((n, item.digest, None, *item.record, about))
    snapshot.last += len(records)
    db.executemany("INSERT INTO staged VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", records)
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
    known, digest, *record = db.execute(
        "SELECT known, digest, name, severity, aliases, summary, url, published, modified, withdrawn, cvss"
        " FROM staged WHERE n = ?",
        (n,),
    ).fetchone()
    if known is not None:
        return _known_record(db, known, digest, record[0])
    statements = (
        (ecosystem, package, *json.loads(term), ranges, versions)
        for ecosystem, package, term, ranges, versions in db.execute(_STAGED_STATEMENTS, (n,))
    )
    return decode("", record, statements)


def _restore_overtaken(db: sqlite3.Connection, snapshot: _Snapshot) -> None:
    """Give records that were equal to what held, and no longer are, their content."""
    for n, name, known, digest in db.execute(_OVERTAKEN).fetchall():
        record = _known_record(db, known, digest, name)
        db.execute("DELETE FROM staged WHERE n = ?", (n,))
        _write(db, snapshot, [encode(record)], {})


def _known_record(db: sqlite3.Connection, row: int, digest: bytes, name: str) -> Advisory:
    record = with_digest(db, row, digest)
    if record is None:
        hint = "the store is as that process left it; sync again"
        raise FeedError(f"{name}: another process synced this feed meanwhile and kept nothing of before", hint=hint)
    return record
