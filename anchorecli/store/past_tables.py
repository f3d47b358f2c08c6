"""The tables of what records said before, and how a store that kept every version whole becomes one. A migration.

Until then a record that changed was closed (``valid_to``) and added again under another number, with all that it
says: a year of it came to three times the size of what holds. Now a record keeps its number, and past versions are
packed (``versions``).
"""

from __future__ import annotations

import sqlite3
from itertools import groupby
from typing import Any

from anchorecli.store import fixes, versions
from anchorecli.store.versions import Content, Version

SQL = """
DROP VIEW current_statement;
DROP INDEX affected_by_advisory;
DROP INDEX advisory_now;
ALTER TABLE affected RENAME TO affected_before;
ALTER TABLE fix_since RENAME TO fix_since_before;
ALTER TABLE revision ADD COLUMN content TEXT NOT NULL DEFAULT '';
CREATE TABLE affected (
    package INTEGER NOT NULL,
    advisory INTEGER NOT NULL,
    position INTEGER NOT NULL,
    term INTEGER NOT NULL,
    ranges TEXT NOT NULL,
    versions TEXT NOT NULL,
    PRIMARY KEY (package, advisory, position)
) WITHOUT ROWID;
CREATE TABLE past_version (
    advisory INTEGER PRIMARY KEY,
    since INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE departed (
    package INTEGER NOT NULL,
    advisory INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (package, advisory, until)
) WITHOUT ROWID;
CREATE INDEX departed_by_end ON departed (until);
CREATE TABLE fix_since (
    advisory INTEGER NOT NULL,
    package INTEGER NOT NULL,
    version TEXT NOT NULL,
    since NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (advisory, package, version)
) WITHOUT ROWID;
INSERT INTO affected
SELECT package, advisory, position, term, ranges, versions FROM affected_before WHERE valid_to = 0;
CREATE INDEX affected_by_advisory ON affected (advisory);
CREATE VIEW current_statement AS
SELECT f.name AS feed, v.name AS advisory, e.name AS ecosystem, p.name AS package, t.scheme, t.statement,
       t.severity, t.module, t.arches, a.ranges, a.versions, v.valid_from, d.aliases, d.published, d.withdrawn, d.url
FROM affected a
JOIN advisory v ON v.id = a.advisory
JOIN advisory_detail d ON d.advisory = v.id
JOIN feed f ON f.id = v.feed
JOIN package p ON p.id = a.package
JOIN ecosystem e ON e.id = p.ecosystem
JOIN term t ON t.id = a.term;
"""

_RENEWED = """
SELECT feed, name, id, valid_from, valid_to FROM advisory v
WHERE (feed, name) IN (SELECT feed, name FROM advisory WHERE valid_to > 0) ORDER BY feed, name, id DESC
"""
_COLUMNS = """
SELECT v.severity, d.aliases, d.summary, d.url, d.published, d.modified, d.withdrawn, d.cvss
FROM advisory v CROSS JOIN advisory_detail d ON d.advisory = v.id WHERE v.id = ?
"""
_STATEMENTS = "SELECT package, term, ranges, versions FROM affected_before WHERE advisory = ? ORDER BY position"
_AFTER = """
DELETE FROM advisory_detail WHERE advisory IN (SELECT id FROM advisory WHERE valid_to > 0);
DELETE FROM advisory WHERE valid_to > 0 AND id NOT IN (SELECT advisory FROM past_version);
CREATE UNIQUE INDEX advisory_by_name ON advisory (feed, name);
DROP TABLE affected_before;
DROP TABLE fix_since_before
"""


def carry_over(db: sqlite3.Connection) -> None:
    """Pack past versions, give fixes the records' numbers, and let the old tables go."""
    rows = db.execute(_RENEWED).fetchall()
    if rows:
        db.execute("CREATE INDEX affected_before_by_advisory ON affected_before (advisory)")
    for _, held in groupby(rows, key=lambda row: row[:2]):
        _pack(db, [row[2:] for row in held])
    kept = db.execute(
        "SELECT v.id, x.package, x.version, x.since, x.revision FROM fix_since_before x JOIN advisory v"
        " ON v.feed = x.feed AND v.name = x.name"
        " WHERE v.id = (SELECT max(id) FROM advisory WHERE feed = x.feed AND name = x.name)"
    ).fetchall()
    packed = [(*about, fixes.packed(since), revision) for *about, since, revision in kept]
    db.executemany("INSERT INTO fix_since VALUES (?, ?, ?, ?, ?)", packed)
    for statement in _AFTER.split(";"):
        db.execute(statement)


def _pack(db: sqlite3.Connection, held: list[tuple[int, int, int]]) -> None:
    """One record's rows, the newest first, as one row and its past."""
    row, body = held[0][0], b""
    said = [(*each, _content(db, each[0])) for each in reversed(held)]
    for (_, valid_from, valid_to, content), after in zip(said, (*said[1:], None), strict=True):
        if not valid_to:
            break
        now = after[3] if after is not None and after[1] == valid_to else None
        body = versions.push(body, Version(valid_from, valid_to, content), content, now)
        if after is not None and now is None:
            body = versions.push(body, None, None, after[3])
        packages = {each[0] for each in content.statements} - {each[0] for each in (now or versions.NOTHING).statements}
        gone = [(package, row, valid_to) for package in packages]
        db.executemany("INSERT INTO departed (package, advisory, until) VALUES (?, ?, ?)", gone)
    db.execute("INSERT INTO past_version (advisory, since, body) VALUES (?, ?, ?)", (row, held[-1][1], body))
    db.executemany("DELETE FROM advisory WHERE id = ?", [each[:1] for each in held[1:]])
    db.executemany("DELETE FROM advisory_detail WHERE advisory = ?", [each[:1] for each in held[1:]])


def _content(db: sqlite3.Connection, row: int) -> Content:
    columns: tuple[Any, ...] = db.execute(_COLUMNS, (row,)).fetchone()
    return Content(columns, db.execute(_STATEMENTS, (row,)).fetchall())
