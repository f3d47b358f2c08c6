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
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from anchorecli.model import Advisory, FeedState, FixSince
from anchorecli.store.versions import package_names

STAGING = (
    "CREATE TEMP TABLE staged_since (name TEXT, ecosystem TEXT, package TEXT, version TEXT, since)",
    # What changed records said before of packages of which they say something new; ranges of one after the other.
    "CREATE TEMP TABLE former (advisory INTEGER, package INTEGER, ranges TEXT)",
)
"""Temporary tables in which a sync collects what records say of their fixes, and what they said."""

_COVERED = """
CROSS JOIN advisory_detail d ON d.advisory = a.advisory
CROSS JOIN package p ON p.id = a.package
CROSS JOIN ecosystem e ON e.id = p.ecosystem
WHERE a.ranges <> '' AND e.name IN (SELECT value FROM json_each(:covered))
"""
_NEW = f"""
SELECT a.advisory, a.package, a.ranges, '' AS former, d.published
FROM fresh f CROSS JOIN affected a INDEXED BY affected_by_advisory ON f.anew AND a.advisory = f.advisory {_COVERED}
UNION ALL
SELECT a.advisory, a.package, a.ranges, o.ranges, d.published
FROM former o CROSS JOIN affected a ON a.package = o.package AND a.advisory = o.advisory {_COVERED}
ORDER BY 1
"""
_CARRIED = """
INSERT OR IGNORE INTO fix_since
SELECT f.advisory, p.id, c.version, c.since, :revision
FROM staged_since c CROSS JOIN staged s ON s.name = c.name CROSS JOIN fresh f USING (n)
CROSS JOIN ecosystem e ON e.name = c.ecosystem
CROSS JOIN package p ON p.ecosystem = e.id AND p.name = c.package
"""
_ASKED = """
SELECT x.advisory, x.revision, x.package, x.version, x.since
FROM json_each(:records) asked CROSS JOIN fix_since x ON x.advisory = asked.value
"""
# Records speak of hundreds of packages, and most of the time few are asked about. Not through the index, which would
# be looked into for each record and package; what is left of what the records have is decided here.
_OF_PACKAGES = """
WHERE +x.package IN (
    SELECT p.id FROM json_each(:packages) namespace
    CROSS JOIN ecosystem e ON e.name = namespace.key
    CROSS JOIN json_each(namespace.value) asked
    CROSS JOIN package p ON p.ecosystem = e.id AND p.name = asked.value)
"""
_FORGET = "DELETE FROM fix_since WHERE advisory NOT IN (SELECT id FROM advisory)"


def stage(db: sqlite3.Connection, advisories: Iterable[Advisory]) -> None:
    """Collect what the records of a snapshot say of their fixes themselves."""
    rows = [(advisory.id, *each[:3], packed(each.since)) for advisory in advisories for each in advisory.fixes_since]
    db.executemany("INSERT INTO staged_since VALUES (?, ?, ?, ?, ?)", rows)


def stage_former(
    db: sqlite3.Connection, record: int, statements: Iterable[tuple[int, int, str, str]], packages: Iterable[int]
) -> None:
    """Collect what a record said before of some packages."""
    ranges: dict[int, list[str]] = {package: [] for package in packages}
    for package, _, said, _ in statements:
        if said and package in ranges:
            ranges[package].append(said)
    rows = [(record, package, "\n".join(said)) for package, said in ranges.items()]
    db.executemany("INSERT INTO former VALUES (?, ?, ?)", rows)


def note_carried(db: sqlite3.Connection, revision: int) -> None:
    """Keep what was collected of the records that a swap brought, before anything is noted of our own."""
    db.execute(_CARRIED, {"revision": revision})


def note_new(db: sqlite3.Connection, before: FeedState, after: FeedState) -> None:
    """Keep which fixes a swap brought that the feed did not have at its check before.

    Inside the swap, once what is fresh is written. What stands in a namespace that the feed did not have at all is
    not news.
    """
    rows = db.execute(_NEW, {"covered": json.dumps(before.ecosystems)}).fetchall()
    for record, package, ranges, former, published in rows:
        new = set(_fixes(ranges)).difference(_fixes(former))
        moment = _moment(published)
        since = moment if before.updated_at < moment <= after.updated_at else before.updated_at
        kept = ((record, package, version, packed(since), after.revision) for version in sorted(new))
        db.executemany("INSERT OR IGNORE INTO fix_since VALUES (?, ?, ?, ?, ?)", kept)


def since(
    db: sqlite3.Connection, records: Mapping[int, int], packages: str | None
) -> list[tuple[int, tuple[FixSince, ...]]]:
    """What is known about the fixes of some records as they were at a revision each; most of the time nothing.

    ``packages`` are those asked about, names by ecosystem as JSON; None for all.
    """
    if db.execute("SELECT 1 FROM fix_since LIMIT 1").fetchone() is None:
        return []
    query = _ASKED if packages is None else _ASKED + _OF_PACKAGES
    rows = db.execute(query, {"records": json.dumps(list(records)), "packages": packages}).fetchall()
    names = package_names(db, {row[2] for row in rows})
    found: defaultdict[int, list[FixSince]] = defaultdict(list)
    for record, revision, package, version, moment in rows:
        if revision <= records[record]:
            found[record].append(FixSince(*names[package], version, _unpacked(moment)))
    return [(record, tuple(sorted(each))) for record, each in found.items()]


def forget_orphans(db: sqlite3.Connection) -> None:
    """Delete what is about records of which no revision is kept."""
    db.execute(_FORGET)


def _fixes(ranges: str) -> Iterator[str]:
    return filter(None, (line.split("\t")[1] for line in ranges.split("\n"))) if ranges else iter(())


def _moment(published: str) -> str:
    """A publication as it can be compared with the times of checks; a bare date is its first moment."""
    return f"{published}T00:00:00Z" if len(published) == len("2026-01-01") else published


@lru_cache(maxsize=1024)
def packed(moment: str) -> str | int:
    """A moment as it is written: in seconds, which take a quarter of the room, where that is all it says."""
    from datetime import datetime

    try:
        seconds = int(datetime.fromisoformat(moment).timestamp())
    except (ValueError, OverflowError):
        return moment
    return seconds if _unpacked(seconds) == moment else moment


@lru_cache(maxsize=1024)
def _unpacked(moment: str | int) -> str:
    return moment if isinstance(moment, str) else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
