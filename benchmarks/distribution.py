"""Sizes and times of carrying feeds from store to store: full file, import, a day's delta, the store on disk.

    python benchmarks/distribution.py STORE [--changed 0.01] [--work DIR]

works on a copy of STORE (``matching_db.py`` makes one of 300,000 advisories) and prints the table of docs/feeds.md.
Each step is a process of its own, so that its memory is its own.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from anchorecli.feeds.record import one_line
from anchorecli.model import Advisory, Range
from anchorecli.store import Store, open_store


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("--changed", type=float, default=0.01, help="the part of records a day changes")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.work) as directory:
        run(given.store, Path(directory), given.changed)


def run(source: Path, work: Path, changed: float) -> None:
    here, there = work / "here.db", work / "there.db"
    shutil.copyfile(source, here)
    with open_store(here) as store:
        since = store.revision()
        records = sum(state.records for state in store.feed_states())
    full, delta, again = work / "full.feeds", work / "delta.feeds", work / "again.feeds"
    rows = [("full export", *measured(here, "feeds", "export", full), size(full))]
    rows.append(("full import", *measured(there, "feeds", "import", full), size(there)))
    day = timed(lambda: a_day(here, changed))
    rows.append((f"a day of {changed:.0%} ({day[1]:,} records)", day[0], 0.0, 0, 0))
    rows.append(("delta export", *measured(here, "feeds", "export", delta, "--since", since), size(delta)))
    rows.append(("delta import", *measured(there, "feeds", "import", delta), size(there)))
    rows.append(("the same delta again", *measured(there, "feeds", "import", delta), size(there)))
    rows.append(("full export of the day", *measured(here, "feeds", "export", again), size(again)))
    rows.append(("full import of the day, onto that", *measured(there, "feeds", "import", again), size(there)))
    print(f"{records:,} advisories\n")
    print("| step | seconds | of CPU | peak MB | file or store, MB |\n|---|---:|---:|---:|---:|")
    for name, seconds, worked, memory, bytes_ in rows:
        cells = (
            f"{seconds:.1f}",
            f"{worked:.1f}" if worked else "",
            f"{memory / 1e6:.0f}" if memory else "",
            f"{bytes_ / 1e6:.2f}" if bytes_ else "",
        )
        print(f"| {name} | {' | '.join(cells)} |")


def measured(store: Path, *command: object) -> tuple[float, float, int]:
    """Seconds by the clock and of the processor, and the peak of memory in bytes, of one command."""
    start = time.perf_counter()
    args = [sys.executable, "-m", "anchorecli", "-q", "--store", str(store), *map(str, command)]
    process = subprocess.Popen(args, cwd=Path(__file__).parents[1])
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{args} failed")
    return time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


def timed(action: Callable[[], int]) -> tuple[float, int]:
    start = time.perf_counter()
    count = action()
    return time.perf_counter() - start, count


def a_day(path: Path, part: float) -> int:
    """Change a part of the records of every feed: most get a fix, some go, some come. Gives how many."""
    chance, count = random.Random(7), 0
    with open_store(path) as store:
        for state in store.feed_states():
            touched = 0

            def records(store: Store = store, name: str = state.name) -> Iterator[Advisory]:
                nonlocal touched
                for advisory in store.feed_records(name):
                    roll = chance.random() / part
                    touched += roll < 1
                    if roll < 0.1:
                        continue
                    if roll < 0.3:
                        yield replace(advisory, id=f"{advisory.id}-NEW{chance.randrange(10**9)}")
                    yield fixed(advisory, chance) if 0.3 <= roll < 1 else advisory

            store.sync_feed(replace(state, updated_at="2026-01-02T00:00:00Z"), records())
            count += touched
    return count


def fixed(advisory: Advisory, chance: random.Random) -> Advisory:
    """The record with a new fix and other words, as upstream would change it."""
    version = f"{chance.randrange(20)}.{chance.randrange(100)}.{chance.randrange(100)}"
    affected = tuple(replace(each, ranges=(*each.ranges[:-1], Range("", version))) for each in advisory.affected)
    words = one_line(" ".join(f"{chance.randrange(1 << 30):x}" for _ in range(8)))
    return replace(advisory, affected=affected, summary=words, modified="2026-01-02T00:00:00Z")


def size(path: Path) -> int:
    return path.stat().st_size


if __name__ == "__main__":
    main()
