"""Asking the feeds: which statements there are about a package, whole records, and what changed since when."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence

from anchorecli.model import Advisory, Candidate
from anchorecli.store.encoding import load
from anchorecli.store.feeds import check_revision

_NOW = "v.valid_to IS NULL"
_AS_OF = "v.valid_from <= :revision AND (v.valid_to IS NULL OR v.valid_to > :revision)"

# One pass over the clustered table for each name, then one look at the narrow advisory row for each statement.
# CROSS JOIN fixes the order: SQLite has no statistics of ours to find it by.
_LOOKUP = """
SELECT a.advisory, f.name, e.name, p.name, t.scheme, t.statement, a.ranges, a.versions,
       CASE t.severity WHEN 0 THEN v.severity ELSE t.severity END, t.module, t.arches
FROM json_each(:asked) namespace
CROSS JOIN ecosystem e ON e.name = namespace.key
CROSS JOIN json_each(namespace.value) asked
CROSS JOIN package p ON p.ecosystem = e.id AND p.name = asked.value
CROSS JOIN affected a ON a.package = p.id
CROSS JOIN advisory v ON v.id = a.advisory AND {valid}
CROSS JOIN feed f ON f.id = v.feed
CROSS JOIN term t ON t.id = a.term
"""

_CHANGED = """
SELECT DISTINCT e.name, p.name
FROM advisory v
CROSS JOIN affected a INDEXED BY affected_by_advisory ON a.advisory = v.id
CROSS JOIN package p ON p.id = a.package
CROSS JOIN ecosystem e ON e.id = p.ecosystem
WHERE (v.valid_from > :since AND v.valid_from <= :until) OR (v.valid_to > :since AND v.valid_to <= :until)
"""

_EXPORT_BATCH = 500


def lookup(db: sqlite3.Connection, keys: Sequence[tuple[str, str]], revision: int | None) -> list[Candidate]:
    """Every statement about the packages (ecosystem, name), now or as of a revision.

    Order: that of the keys within each ecosystem; it is the caller's to sort.
    """
    asked: dict[str, dict[str, None]] = {}
    for ecosystem, name in keys:
        asked.setdefault(ecosystem, {})[name] = None
    values: dict[str, str | int] = {"asked": json.dumps({name: list(names) for name, names in asked.items()})}
    if revision is not None:
        check_revision(db, revision)
        values["revision"] = revision
    query = _LOOKUP.format(valid=_NOW if revision is None else _AS_OF)
    return list(map(Candidate._make, db.execute(query, values)))


def advisories(db: sqlite3.Connection, rows: Sequence[int]) -> dict[int, Advisory]:
    """Whole records by the rows that candidates name; those of past revisions too."""
    return load(db, list(dict.fromkeys(rows)))


def feed_records(db: sqlite3.Connection, feed: str, revision: int | None) -> Iterator[Advisory]:
    """Every record of a feed by id, now or as of a revision; a few at a time in memory."""
    values: dict[str, str | int] = {"feed": feed}
    if revision is not None:
        check_revision(db, revision)
        values["revision"] = revision
    valid = _NOW if revision is None else _AS_OF
    query = f"SELECT v.id FROM feed f JOIN advisory v ON v.feed = f.id AND {valid} WHERE f.name = :feed ORDER BY v.name"
    cursor = db.execute(query, values)
    while rows := cursor.fetchmany(_EXPORT_BATCH):
        yield from load(db, [row for (row,) in rows]).values()


def changed_packages(db: sqlite3.Connection, since: int, until: int | None) -> frozenset[tuple[str, str]]:
    """The packages (ecosystem, name) that records opened or closed after ``since``, up to ``until``, speak of."""
    values = {"since": since, "until": 2**62 if until is None else until}
    return frozenset(db.execute(_CHANGED, values))
