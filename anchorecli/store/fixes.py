"""Since when there is a fix: for those that appeared in a feed while this store, or one it imports from, was watching.

Most upstreams do not say when they fixed something. What a sync can tell is that a fix is there which the feed did not
have when it was checked before; so it appeared since that check, or since the record's publication if that is later.
That earliest moment is kept: a store that was not synced for a month never takes an old fix for a new one. Of what a
feed had when it was first taken over nothing is known, and nothing is kept.

What is kept never changes, and a version of a record knows only what was kept when it came: an evaluation repeated on
an old revision finds the same. It travels with the offline
feed file, so that a site that imports has what the exporting one saw.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator

from anchorecli.model import Advisory, FeedState, FixSince

SQL = """
CREATE TABLE fix_since (
    feed INTEGER NOT NULL,
    name TEXT NOT NULL,
    package INTEGER NOT NULL,
    version TEXT NOT NULL,
    since TEXT NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (feed, name, package, version)
) WITHOUT ROWID;
"""

# Statements of records that came with this swap and that the record before did not have just so; few, even where a
# new program writes every record anew.
_NEW = """
SELECT v.name, a.package, a.ranges, d.published
FROM fresh
CROSS JOIN advisory v ON v.id = fresh.advisory
CROSS JOIN affected a INDEXED BY affected_by_advisory ON a.advisory = v.id
CROSS JOIN advisory_detail d ON d.advisory = v.id
CROSS JOIN package p ON p.id = a.package
CROSS JOIN ecosystem e ON e.id = p.ecosystem
WHERE a.ranges <> '' AND e.name IN (SELECT value FROM json_each(:covered)) AND NOT EXISTS (
    SELECT 1 FROM former o CROSS JOIN affected b INDEXED BY affected_by_advisory ON b.advisory = o.advisory
    WHERE o.name = v.name AND b.package = a.package AND b.ranges = a.ranges)
ORDER BY v.id
"""
_FORMER = """
CREATE TEMP TABLE former AS SELECT v.name, v.id AS advisory FROM gone JOIN advisory v ON v.id = gone.advisory
"""
_HAD = """
SELECT b.ranges FROM former o CROSS JOIN affected b INDEXED BY affected_by_advisory ON b.advisory = o.advisory
WHERE o.name = ? AND b.package = ?
"""
_CARRIED = """
INSERT OR IGNORE INTO fix_since
SELECT :feed, s.name, p.id, c.version, c.since, :revision
FROM staged_since c CROSS JOIN staged s ON s.name = c.name CROSS JOIN fresh USING (n)
CROSS JOIN ecosystem e ON e.name = c.ecosystem
CROSS JOIN package p ON p.ecosystem = e.id AND p.name = c.package
"""
_ASKED = """
SELECT v.id, e.name, p.name, x.version, x.since
FROM json_each(?) asked
CROSS JOIN advisory v ON v.id = asked.value
CROSS JOIN fix_since x ON x.feed = v.feed AND x.name = v.name AND x.revision <= v.valid_from
CROSS JOIN package p ON p.id = x.package
CROSS JOIN ecosystem e ON e.id = p.ecosystem
ORDER BY v.id, e.name, p.name, x.version
"""
# Not by EXISTS: there is no index of names that hold no longer, and every one would be a walk through all records.
_FORGET = "DELETE FROM fix_since WHERE (feed, name) NOT IN (SELECT feed, name FROM advisory)"


def stage(db: sqlite3.Connection, advisories: Iterable[Advisory]) -> None:
    """Collect what the records of a snapshot say of their fixes themselves."""
    rows = [(advisory.id, *each) for advisory in advisories for each in advisory.fixes_since]
    db.executemany("INSERT INTO staged_since VALUES (?, ?, ?, ?, ?)", rows)


def note_carried(db: sqlite3.Connection, feed: int, revision: int) -> None:
    """Keep what was collected of the records that a swap brought, before anything is noted of our own."""
    db.execute(_CARRIED, {"feed": feed, "revision": revision})


def note_new(db: sqlite3.Connection, feed: int, before: FeedState, after: FeedState) -> None:
    """Keep which fixes a swap brought that the feed did not have at its check before.

    Inside the swap, once the temporary tables ``gone`` and ``fresh`` are told and what is fresh is written. What
    stands in a namespace that the feed did not have at all is not news.
    """
    db.execute("DROP TABLE IF EXISTS temp.former")
    db.execute(_FORMER)
    db.execute("CREATE INDEX temp.former_by_name ON former (name)")
    had: dict[tuple[str, int], set[str]] = {}
    for name, package, ranges, published in db.execute(_NEW, {"covered": json.dumps(before.ecosystems)}).fetchall():
        new = set(_fixes(ranges))
        if not new:
            continue
        if (name, package) not in had:
            had = {(name, package): {fix for (each,) in db.execute(_HAD, (name, package)) for fix in _fixes(each)}}
        moment = _moment(published)
        since = moment if before.updated_at < moment <= after.updated_at else before.updated_at
        kept = ((feed, name, package, version, since, after.revision) for version in sorted(new - had[name, package]))
        db.executemany("INSERT OR IGNORE INTO fix_since VALUES (?, ?, ?, ?, ?, ?)", kept)


def since(db: sqlite3.Connection, rows: str) -> list[tuple[int, tuple[FixSince, ...]]]:
    """What is known about the fixes of some records, by their rows (a JSON list); most of the time nothing."""
    if db.execute("SELECT 1 FROM fix_since LIMIT 1").fetchone() is None:
        return []
    found: defaultdict[int, list[FixSince]] = defaultdict(list)
    for row, *each in db.execute(_ASKED, (rows,)):
        found[row].append(FixSince(*each))
    return [(row, tuple(each)) for row, each in found.items()]


def forget_orphans(db: sqlite3.Connection) -> None:
    """Delete what is about records of which no revision is kept."""
    db.execute(_FORGET)


def _fixes(ranges: str) -> Iterator[str]:
    return filter(None, (line.split("\t")[1] for line in ranges.split("\n"))) if ranges else iter(())


def _moment(published: str) -> str:
    """A publication as it can be compared with the times of checks; a bare date is its first moment."""
    return f"{published}T00:00:00Z" if len(published) == len("2026-01-01") else published


STAGING = "CREATE TEMP TABLE staged_since (name TEXT, ecosystem TEXT, package TEXT, version TEXT, since TEXT)"
"""The temporary table in which a sync collects what records say of their fixes."""
