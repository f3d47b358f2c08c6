"""A store of all feeds after a year of daily syncs: how large the file is, and what the days of it cost.

    python benchmarks/feeds_year.py STORE [--samples STORE] [--days 365] [--changed 0.01] [--part 1.0]

STORE is made where it is not there: of the records of ``--samples`` (a store into which files of real feeds were
synced), each copied under other names and ids until there are 300,000 advisories with 1.5 million statements, or of
``matching_db.py``'s synthetic ones. Then each day changes a part of the records of every feed as upstreams do (see
``a_day``), written as a delta is applied: one revision a feed and day. ``--part`` makes a smaller store, in proportion.

What a day changes: of a hundred records ten are new and two go; the others get a new date, two in three of them a fix
or another version in one of their statements, one in six other words, one in ten a score.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import matching_db

from anchorecli.model import Advisory, Cvss, FeedState, Range
from anchorecli.store import Store, open_store, sync

START = date(2025, 1, 1)
COPIES = 8
"""Of each record of the samples: 44,000 records with 205,000 statements become as many as there are."""
ONCE = ("epss", "kev")
"""Feeds whose sample is as large as the real one."""


def main() -> None:
    """Make the store where it is not there, then let a year pass."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store", type=Path)
    parser.add_argument("--samples", type=Path, help="a store into which real feeds were synced")
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--changed", type=float, default=0.01, help="the part of records a day changes")
    parser.add_argument("--part", type=float, default=1.0, help="of the full size")
    given = parser.parse_args()
    if not given.store.exists():
        if given.samples:
            mix(given.store, given.samples, given.part)
        else:
            matching_db.build(given.store, int(300_000 * given.part))
    pass_by(given.store, given.days, given.changed)


def mix(path: Path, samples: Path, part: float) -> None:
    """A store of full size from real records."""
    partial = path.with_name(path.name + ".partial")
    with open_store(samples) as source, open_store(partial) as store:
        for state in source.feed_states():
            copies = 1 if state.name in ONCE else COPIES
            began = replace(state, updated_at=f"{START}T00:00:00Z")
            store.sync_feed(began, copied(source, state.name, copies, part))
    partial.rename(path)


def copied(source: Store, feed: str, copies: int, part: float) -> Iterator[Advisory]:
    """Every record so many times, under other names."""
    chance = random.Random(feed)
    for record in source.feed_records(feed):
        for copy in range(copies):
            if chance.random() < part:
                yield renamed(record, f"-{copy}" if copy else "")


def renamed(record: Advisory, suffix: str) -> Advisory:
    """The record as one about other packages."""
    if not suffix:
        return record
    affected = tuple(replace(each, package=each.package + suffix) for each in record.affected)
    aliases = tuple(each + suffix for each in record.aliases)
    return replace(record, id=record.id + suffix, aliases=aliases, affected=affected, url=record.url + suffix)


def pass_by(path: Path, days: int, changed: float) -> None:
    """Let the days pass, and tell what they cost."""
    chance = random.Random(days)
    # What a day leads to cannot be told before it was made here: the digest that a delta promises is not compared.
    sync.expect = lambda *_: None
    print(f"{count(path):,} advisories, {count(path, 'affected'):,} statements")
    print(f"day   0: {size(path):7.1f} MB")
    spent, touched = 0.0, 0
    for day in range(1, days + 1):
        with open_store(path) as store:
            changes = {state: list(a_day(store, path, state, changed, chance, day)) for state in store.feed_states()}
            started = time.process_time()
            for state, records in changes.items():
                now = replace(state, updated_at=f"{START + timedelta(day)}T00:00:00Z")
                store.exchange.apply(now, records, "", "")
                touched += len(records)
            spent += time.process_time() - started
        if day % 30 == 0 or day == days:
            print(f"day {day:3}: {size(path):7.1f} MB, {touched:,} changes, {spent:.1f} CPU s so far", flush=True)


def a_day(
    store: Store, path: Path, state: FeedState, changed: float, chance: random.Random, day: int
) -> Iterator[Advisory | str]:
    """What a day changes of a feed, by id; nothing of feeds of which only today counts."""
    if state.name in ONCE:
        return
    with sqlite3.connect(path) as db:
        query = "SELECT v.id FROM advisory v JOIN feed f ON f.id = v.feed WHERE f.name = ? AND v.valid_to = 0"
        rows = [row for (row,) in db.execute(query, (state.name,))]
    db.close()
    chosen = sorted(chance.sample(rows, int(len(rows) * changed + chance.random())))
    for record in store.records(chosen).values():
        roll = chance.random()
        if roll < 0.02:
            yield record.id
        elif roll < 0.12:
            yield replace(record, id=f"{record.id}-d{day}", published=stamp(day), modified=stamp(day))
        else:
            yield edited(record, chance, day)


def edited(record: Advisory, chance: random.Random, day: int) -> Advisory:
    """The record as upstream might change it."""
    record = replace(record, modified=stamp(day))
    if record.affected and chance.random() < 2 / 3:
        affected = list(record.affected)
        place = chance.randrange(len(affected))
        fix = f"{chance.randrange(20)}.{chance.randrange(100)}.{chance.randrange(100)}-{day}"
        affected[place] = replace(affected[place], ranges=(*affected[place].ranges[:-1], Range("0", fix)))
        record = replace(record, affected=tuple(affected))
    if chance.random() < 1 / 6:
        words = " ".join(chance.choices(matching_db.WORDS, k=12))
        record = replace(record, summary=f"{words} {chance.randrange(1 << 30):x}")
    if chance.random() < 0.1:
        vector = f"CVSS:3.1/AV:N/AC:L/PR:{chance.choice('NLH')}/UI:{chance.choice('NR')}/S:U/C:H/I:H/A:H"
        record = replace(record, cvss=(Cvss("3.1", vector, chance.randrange(20, 100) / 10, "nvd"),))
    return record


def stamp(day: int) -> str:
    """The morning of a day."""
    return f"{START + timedelta(day)}T06:00:00Z"


def count(path: Path, table: str = "advisory WHERE valid_to = 0") -> int:
    """Rows that hold now."""
    db = sqlite3.connect(path)
    try:
        return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
    finally:
        db.close()


def size(path: Path) -> float:
    """Of the file, in MB."""
    return path.stat().st_size / 1e6


if __name__ == "__main__":
    main()
