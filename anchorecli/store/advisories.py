"""Asking the feeds: which statements there are about a package, whole records, and what changed since when."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence

from anchorecli.model import Advisory, Candidate
from anchorecli.store.encoding import load
from anchorecli.store.feeds import check_revision

# One pass over the clustered table for each name. CROSS JOIN fixes the order: there are no statistics to find it by.
# What statements have in common is decoded here rather than by SQLite: strings that are shared cost nothing.
_LOOKUP = """
SELECT a.advisory, e.name, p.name, a.term, a.ranges, a.versions
FROM json_each(:asked) namespace
CROSS JOIN ecosystem e ON e.name = namespace.key
CROSS JOIN json_each(namespace.value) asked
CROSS JOIN package p ON p.ecosystem = e.id AND p.name = asked.value
CROSS JOIN affected a ON a.package = p.id
"""

_TERMS = """
SELECT t.id, f.name, t.scheme, t.statement, t.severity, t.module, t.arches
FROM json_each(?) asked CROSS JOIN term t ON t.id = asked.value CROSS JOIN feed f ON f.id = t.feed
"""

_EXPORT_BATCH = 500


def lookup(db: sqlite3.Connection, keys: Sequence[tuple[str, str]]) -> list[Candidate]:
    """Every statement about the packages (ecosystem, name) that holds now.

    Order: of names within each ecosystem, so that a cold file is read in one direction; it is the caller's to sort.
    """
    return candidates(db, db.execute(_LOOKUP, {"asked": asked_names(keys)}).fetchall())


def asked_names(keys: Sequence[tuple[str, str]]) -> str:
    """The names asked for, by ecosystem, as JSON."""
    asked: dict[str, dict[str, None]] = {}
    for ecosystem, name in keys:
        asked.setdefault(ecosystem, {})[name] = None
    return json.dumps({name: sorted(names) for name, names in asked.items()})


def candidates(db: sqlite3.Connection, rows: Sequence[tuple[int, str, str, int, str, str]]) -> list[Candidate]:
    """Statements from their rows: advisory, ecosystem, package, term, ranges, versions."""
    make = tuple.__new__
    terms = {term: rest for term, *rest in db.execute(_TERMS, (json.dumps(list({row[3] for row in rows})),))}
    # Tens of thousands of them: a named tuple made by its own constructor takes twice as long.
    return [
        make(Candidate, (row, feed, ecosystem, package, scheme, statement, ranges, versions, severity, module, arches))
        for row, ecosystem, package, term, ranges, versions in rows
        for feed, scheme, statement, severity, module, arches in (terms[term],)
    ]


def details(
    db: sqlite3.Connection, rows: Sequence[int], keys: Sequence[tuple[str, str]], revision: int | None
) -> dict[int, Advisory]:
    """Records by the rows that candidates name, without statements and with the fixes of these packages."""
    if revision is not None and check_revision(db, revision) == revision:
        revision = None
    return load(db, list(dict.fromkeys(rows)), statements=False, revision=revision, packages=asked_names(keys))


def records(db: sqlite3.Connection, rows: Sequence[int], revision: int | None) -> dict[int, Advisory]:
    """Whole records by the rows that candidates name."""
    if revision is not None and check_revision(db, revision) == revision:
        revision = None
    return load(db, list(dict.fromkeys(rows)), statements=True, revision=revision)


def feed_records(db: sqlite3.Connection, feed: str, revision: int | None) -> Iterator[Advisory]:
    """Every record of a feed by id, now or as of a revision; a few at a time in memory."""
    if revision is not None and check_revision(db, revision) == revision:
        revision = None
    held = "AND v.valid_to = 0" if revision is None else ""
    query = f"SELECT v.id FROM feed f JOIN advisory v ON v.feed = f.id {held} WHERE f.name = ? ORDER BY v.name"
    cursor = db.execute(query, (feed,))
    while rows := cursor.fetchmany(_EXPORT_BATCH):
        yield from load(db, [row for (row,) in rows], statements=True, revision=revision).values()
