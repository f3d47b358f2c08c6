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
CROSS JOIN affected a ON a.package = p.id AND
"""
_LOOKUP_NOW = f"{_LOOKUP} a.valid_to = 0"
_LOOKUP_AS_OF = f"""{_LOOKUP} (a.valid_to = 0 OR a.valid_to > :revision)
CROSS JOIN advisory v ON v.id = a.advisory AND v.valid_from <= :revision
"""

_TERMS = """
SELECT t.id, f.name, t.scheme, t.statement, t.severity, t.module, t.arches
FROM json_each(?) asked CROSS JOIN term t ON t.id = asked.value CROSS JOIN feed f ON f.id = t.feed
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

    Order: of names within each ecosystem, so that a cold file is read in one direction; it is the caller's to sort.
    """
    asked: dict[str, dict[str, None]] = {}
    for ecosystem, name in keys:
        asked.setdefault(ecosystem, {})[name] = None
    values: dict[str, str | int] = {"asked": json.dumps({name: sorted(names) for name, names in asked.items()})}
    query = _LOOKUP_NOW
    if revision is not None and check_revision(db, revision) != revision:
        query, values["revision"] = _LOOKUP_AS_OF, revision
    rows = db.execute(query, values).fetchall()
    make = tuple.__new__
    terms = {term: rest for term, *rest in db.execute(_TERMS, (json.dumps(list({row[3] for row in rows})),))}
    # Tens of thousands of them: a named tuple made by its own constructor takes twice as long.
    return [
        make(Candidate, (row, feed, ecosystem, package, scheme, statement, ranges, versions, severity, module, arches))
        for row, ecosystem, package, term, ranges, versions in rows
        for feed, scheme, statement, severity, module, arches in (terms[term],)
    ]


def advisories(db: sqlite3.Connection, rows: Sequence[int], *, statements: bool) -> dict[int, Advisory]:
    """Records by the rows that candidates name, those of past revisions too; ``affected`` only with ``statements``."""
    return load(db, list(dict.fromkeys(rows)), statements=statements)


def feed_records(db: sqlite3.Connection, feed: str, revision: int | None) -> Iterator[Advisory]:
    """Every record of a feed by id, now or as of a revision; a few at a time in memory."""
    values: dict[str, str | int] = {"feed": feed}
    valid = "v.valid_to = 0"
    if revision is not None and check_revision(db, revision) != revision:
        valid = "v.valid_from <= :revision AND (v.valid_to = 0 OR v.valid_to > :revision)"
        values["revision"] = revision
    query = f"SELECT v.id FROM feed f JOIN advisory v ON v.feed = f.id AND {valid} WHERE f.name = :feed ORDER BY v.name"
    cursor = db.execute(query, values)
    while rows := cursor.fetchmany(_EXPORT_BATCH):
        yield from load(db, [row for (row,) in rows], statements=True).values()


def changed_packages(db: sqlite3.Connection, since: int, until: int | None) -> frozenset[tuple[str, str]]:
    """The packages (ecosystem, name) that records opened or closed after ``since``, up to ``until``, speak of."""
    values = {"since": since, "until": 2**62 if until is None else until}
    return frozenset(db.execute(_CHANGED, values))
