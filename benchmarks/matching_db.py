"""How fast the store answers: 1,000 packages against 300,000 advisories with 1.5 million affected rows.

    python benchmarks/matching_db.py PATH [--advisories N]

builds a synthetic store at PATH (once; the generator is seeded, so it is the same everywhere), then measures opening,
looking up, fetching the matched records, and the whole of matching. The distribution of names follows what feeds look
like: a few packages with thousands of advisories, a long tail with one. Where it says new process, that has done
nothing of the kind before; where it says cold, the system was also told to forget the store's pages (``posix_fadvise``)
just before. Times are medians by the clock with the fastest and slowest run, then the median of the processor's: on a
machine that does other work the fastest run and the processor's time are what counts.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from anchorecli.matching import MatchResult, match
from anchorecli.model import Advisory, Affected, Candidate, Cvss, Distro, FeedState, Package, Range, Severity, Statement
from anchorecli.store import Store, open_store

NAMES = 118_000
ASKED = 1_000
RUNS = 9


class Feed(NamedTuple):
    name: str
    ecosystems: list[str]
    scheme: str
    share: float
    """Of the advisories."""
    statements: int
    """About packages, for each advisory."""
    names: float
    """Of all names."""


FEEDS = (
    Feed("debian", [f"debian:{n}" for n in (10, 11, 12, 13, 14)], "deb", 0.25, 6, 0.2),
    Feed("ubuntu", [f"ubuntu:{n}.04" for n in (18, 20, 22, 24)], "deb", 0.25, 8, 0.2),
    Feed("alpine", [f"alpine:3.{n}" for n in range(14, 22)], "apk", 0.05, 6, 0.05),
    Feed("rpm", ["almalinux:8", "almalinux:9", "rocky:8", "rocky:9"], "rpm", 0.05, 14, 0.1),
    Feed("ghsa", ["pypi", "npm", "maven", "go", "rubygems"], "semver", 0.40, 2, 0.45),
)
FEEDS_BY_NAME = {feed.name: feed for feed in FEEDS}
WORDS = "buffer overflow in the parser of allows remote attackers to cause a denial service via crafted request".split()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--advisories", type=int, default=300_000)
    parser.add_argument("--once", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.once is not None:
        print(*once(options.path, options.once))
        return
    if not options.path.exists():
        build(options.path, options.advisories)
    for line in measure(options.path):
        print(line)


def build(path: Path, advisories: int) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    with open_store(partial) as store:
        for feed in FEEDS:
            take_over(store, feed.name, int(advisories * feed.share), 0.0)
        take_over(store, FEEDS[0].name, int(advisories * FEEDS[0].share), 0.01)
    print(f"peak memory of the import: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
    partial.rename(path)


def take_over(store: Store, name: str, count: int, changed: float) -> None:
    """Sync one feed. In CPU seconds, without those that making up the records takes."""
    started = time.process_time()
    amount = sum(len(record.affected) for record in records(name, count, changed))
    making = time.process_time() - started
    started = time.process_time()
    state = FeedState(name, updated_at="2026-01-01T00:00:00Z", url=f"https://feeds.example/{name}")
    result = store.sync_feed(state, records(name, count, changed))
    seconds = time.process_time() - started - making
    print(
        f"sync {name:8} {count:8,} records, {amount:9,} statements, {result.touched:8,} new or changed:"
        f" {seconds:6.1f} CPU s  {count / seconds:8,.0f} records/s",
        flush=True,
    )


def records(feed: str, count: int, changed: float = 0.0) -> Iterator[Advisory]:
    """The feed's records, the same at every call but for the share that changed."""
    chance = random.Random(feed)
    edits = random.Random(1)
    names = name_pool(feed)
    for number in range(count):
        version = f"{chance.randrange(1, 12)}.{chance.randrange(40)}.{chance.randrange(20)}"
        if edits.random() < changed:
            version += ".1"
        yield Advisory(
            id=f"CVE-{1999 + number % 27}-{number:06}",
            feed=feed,
            aliases=(f"GHSA-{number:012x}",) if feed == "ghsa" else (),
            severity=Severity(chance.randrange(6)),
            summary=" ".join(chance.choices(WORDS, k=16)),
            url=f"https://security.example/{feed}/{number:06}",
            published="2024-03-01T10:00:00Z",
            modified="2025-07-01T10:00:00Z",
            cvss=(Cvss("3.1", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8, "nvd"),),
            affected=tuple(statements(chance, FEEDS_BY_NAME[feed], names, version)),
        )


def statements(chance: random.Random, feed: Feed, names: list[str], version: str) -> Iterator[Affected]:
    amount = chance.randrange(1, 2 * feed.statements)
    while amount > 0:
        # The cube of an even distribution: one name in two hundred gets a sixth of all statements.
        name = names[int(len(names) * chance.random() ** 3)]
        for ecosystem in ecosystems_of(feed, name, chance, amount):
            # One in eight is open: in Debian one in six, in GitHub's database one in ten, in errata none.
            kind = chance.random()
            fixed = f"{version}-{chance.randrange(9)}" if kind < 0.78 else ""
            yield Affected(
                ecosystem=ecosystem,
                package=name,
                scheme=feed.scheme,
                statement=Statement.AFFECTED if kind < 0.9 else Statement.NOT_AFFECTED,
                ranges=(Range("0", fixed),) if kind < 0.9 else (),
                severity=Severity(chance.randrange(6)) if feed.scheme == "deb" else Severity.UNKNOWN,
            )
            amount -= 1


def ecosystems_of(feed: Feed, name: str, chance: random.Random, amount: int) -> list[str]:
    """A distribution has a package in several releases; a library is in one registry."""
    if feed.scheme == "semver":
        return [feed.ecosystems[hash_of(name) % len(feed.ecosystems)]]
    return chance.sample(feed.ecosystems, min(amount, len(feed.ecosystems)))


def name_pool(feed: str) -> list[str]:
    amount = int(NAMES * FEEDS_BY_NAME[feed].names)
    return [f"lib{feed[:2]}{number * 2654435761 % 2**32:08x}-dev" for number in range(amount)]


def hash_of(name: str) -> int:
    return int(name[5:13], 16)


def asked(bias: float) -> list[tuple[str, str]]:
    """A machine's packages, most of one distribution. With a ``bias`` of 1 every name is as likely; the greater it is
    the more those are preferred that have many advisories: with 1.5 a package has 11 statements, with 2 it has 24."""
    chance = random.Random("asked")
    distribution = name_pool("debian")
    language = name_pool("ghsa")
    pool = FEEDS_BY_NAME["ghsa"].ecosystems
    count = ASKED * 7 // 10
    keys = [("debian:12", distribution[int(len(distribution) * chance.random() ** bias)]) for _ in range(count)]
    names = [language[int(len(language) * chance.random() ** bias)] for _ in range(ASKED - count)]
    return keys + [(pool[hash_of(name) % len(pool)], name) for name in names]


def packages(bias: float) -> list[Package]:
    """The same as the analyzers would give them, of late versions: about one statement in six holds."""
    found = []
    for place, (ecosystem, name) in enumerate(asked(bias)):
        chance = random.Random(name)
        version = f"11.{chance.randrange(40)}.{chance.randrange(20)}-1"
        kind = "deb" if ecosystem.startswith("debian:") else ecosystem
        # Binary packages come in twos and threes from one source.
        binary = f"{name}-{place}" if kind == "deb" else name
        source = name if kind == "deb" else ""
        found.append(Package(binary, version, kind, kind, source=source, purl=f"pkg:{kind}/{binary}@{version}"))
    return found


def matched_by(store: Store, installed: list[Package], covered: frozenset[str]) -> MatchResult:
    asked: list[tuple[str, str]] = []

    def lookup(keys: Sequence[tuple[str, str]]) -> list[Candidate]:
        asked.extend(keys)
        return store.lookup(keys)

    return match(installed, Distro("debian", "12"), lookup, lambda rows: store.details(rows, asked), covered)


def measure(path: Path) -> Iterator[str]:
    keys = asked(2)
    with open_store(path) as store:
        revision = store.revision()
        candidates = store.lookup(keys)
        # About one candidate in ten matches.
        matched = [candidate.row for candidate in candidates[::10]]
        yield f"the store is {path.stat().st_size / 2**20:.0f} MiB; feed revision {revision}"
        yield f"{len(keys):,} packages -> {len(candidates):,} statements; {len(set(matched)):,} records fetched"
        yield f"lookup, warm                 {timed(lambda: store.lookup(keys))}"
        yield f"lookup as of revision 1      {timed(lambda: store.lookup(keys, 1))}"
        yield f"lookup as of the last        {timed(lambda: store.lookup(keys, revision))}"
        yield f"records of the matches       {timed(lambda: store.details(matched, keys))}"
        for bias, what in ((1.5, "packages as in an image"), (2, "often attacked packages")):
            yield from measure_matching(store, bias, what)
    yield f"open and close               {timed(lambda: open_store(path).close())}"
    yield from measure_processes(path)


def measure_processes(path: Path) -> Iterator[str]:
    for bias, what in ((0, "open"), (1.5, "open, look up, match, records"), (2, "the same, often attacked packages")):
        for state, prepare in (("warm", bool), ("cold", forget)):
            runs = []
            for _ in range(RUNS):
                prepare(path)
                answer = run([sys.executable, __file__, str(path), "--once", str(bias)])
                runs.append((float(answer.split()[0]), float(answer.split()[1])))
            yield f"new process, {state}: {what:33} {told(runs)}"


def forget(path: Path) -> None:
    """Have the system drop the pages of a file that nobody has open."""
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


def measure_matching(store: Store, bias: float, what: str) -> Iterator[str]:
    installed, covered = packages(bias), store.coverage()
    result = matched_by(store, installed, covered)
    statements = len(store.lookup(asked(bias)))
    yield f"the whole of matching        {timed(lambda: matched_by(store, installed, covered))}"
    yield f"                             {what}: {statements:,} statements, {len(result.matches):,} matches"


def run(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def once(path: Path, bias: float) -> tuple[float, float]:
    """Seconds by the clock and of the processor for one matching; with a ``bias`` of 0 for opening alone."""
    installed = packages(bias) if bias else []
    started, worked = time.perf_counter(), time.process_time()
    with open_store(path, readonly=True) as store:
        if bias:
            matched_by(store, installed, store.coverage())
        else:
            store.revision()
        return time.perf_counter() - started, time.process_time() - worked


def timed(action: Callable[[], object]) -> str:
    runs = []
    for _ in range(RUNS):
        started, worked = time.perf_counter(), time.process_time()
        action()
        runs.append((time.perf_counter() - started, time.process_time() - worked))
    return told(runs)


def told(runs: list[tuple[float, float]]) -> str:
    clock, worked = [each for each, _ in runs], [each for _, each in runs]
    middle, least, most = statistics.median(clock), min(clock), max(clock)
    cpu = statistics.median(worked)
    return f"{middle * 1000:7.1f} ms ({least * 1000:.1f} to {most * 1000:.1f}), {cpu * 1000:.1f} of CPU"


if __name__ == "__main__":
    main()
