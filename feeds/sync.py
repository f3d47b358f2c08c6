"""Sync of one feed: fetch, read, check, and only then hand over to the store.

What was read waits in an unnamed temporary file until all of it has been checked, so that the store's write
transaction is short and a bad snapshot never reaches it. Nothing is changed where the snapshot holds no record that
can be read, or has lost a third of its records since last time.
"""

from __future__ import annotations

import marshal
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

from anchorecli.errors import FeedError, SpaceError
from anchorecli.feeds.base import Driver, FeedSink, Progress, Snapshot, quiet
from anchorecli.feeds.ecosystems import is_known
from anchorecli.feeds.record import from_row, to_row
from anchorecli.feeds.snapshot import http_date, problem
from anchorecli.model import Advisory, FeedState, Problem, SyncResult
from anchorecli.values import dataclass, field, replace

if TYPE_CHECKING:
    from anchorecli.net import Fetcher

MAX_SHRINK = 0.3
"""The part of a feed's records that may disappear from one sync to the next before it is taken for damage."""
CURRENT_ONLY = frozenset({"epss"})
"""Feeds that change wholly every day: a year of them would be larger than all the others together."""
MAX_PROBLEMS = 100
"""Problems that an outcome lists; all are counted."""
_ROOM = 3
"""Bytes that the store's file and its log can grow by for each byte of the records as they wait."""
_LENGTH = struct.Struct("<I")
_EVERY = 500


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """``source``: read this path instead of the network. ``url``: another base URL than the driver's.

    ``allow_shrink``: accept a snapshot that lost many records. ``force``: read again what has not changed.
    """

    source: Path | None = None
    url: str = ""
    allow_shrink: bool = False
    force: bool = False


DEFAULT_OPTIONS = SyncOptions()


@dataclass(frozen=True, slots=True)
class SyncOutcome:
    """What a sync did. ``result`` is None where upstream had not changed; ``problems`` are the first of them."""

    state: FeedState
    result: SyncResult | None = None
    problems: tuple[Problem, ...] = ()
    problem_count: int = 0

    @property
    def unchanged(self) -> bool:
        """Whether upstream was as before."""
        return self.result is None


def sync(
    driver: Driver,
    sink: FeedSink,
    *,
    now: str,
    fetcher: Fetcher,
    options: SyncOptions = DEFAULT_OPTIONS,
    progress: Progress = quiet,
) -> SyncOutcome:
    """Bring one feed up to date. ``now`` is the time of the sync, RFC 3339 UTC.

    Raises: FeedError where the feed could not be obtained or is refused; the store then holds what it held.
    """
    before = sink.feed_state(driver.name)
    if before is not None and before.starter:
        before = None
    same = None if options.force else _readable_state(driver, before)
    snapshot = _obtain(driver, same, fetcher, options, progress)
    if snapshot is None:
        return _confirm(sink, before, now)
    try:
        if same is not None and same.digest == snapshot.digest:
            return _confirm(sink, before, now)
        return _take_in(driver, sink, _Job(snapshot, before, now, options.allow_shrink), progress)
    finally:
        snapshot.close()


@dataclass(frozen=True, slots=True)
class _Job:
    snapshot: Snapshot
    before: FeedState | None
    now: str
    allow_shrink: bool


@dataclass(slots=True)
class _Tally:
    """What is known of the records once all have been read."""

    records: int = 0
    problem_count: int = 0
    problems: list[Problem] = field(default_factory=list)
    ecosystems: set[str] = field(default_factory=set)
    newest: str = ""
    seen: dict[str, int] = field(default_factory=dict)
    again: dict[str, list[Advisory]] = field(default_factory=dict)
    """Records whose id had come before, with other content."""
    unknown: dict[str, int] = field(default_factory=dict)

    def trouble(self, found: Problem) -> None:
        """Count a problem, and keep it if it is among the first."""
        self.problem_count += found.incomplete
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(found)


def _obtain(
    driver: Driver, state: FeedState | None, fetcher: Fetcher, options: SyncOptions, progress: Progress
) -> Snapshot | None:
    if options.source is not None:
        return driver.open(options.source)
    return driver.fetch(fetcher, state, options.url or driver.url, progress)


def _confirm(sink: FeedSink, before: FeedState | None, now: str) -> SyncOutcome:
    if before is None:
        raise FeedError("the server says that nothing has changed since a time when we had nothing")
    sink.confirm_feed(before.name, now)
    return SyncOutcome(replace(before, updated_at=now))


def _take_in(driver: Driver, sink: FeedSink, job: _Job, progress: Progress) -> SyncOutcome:
    snapshot = job.snapshot
    tally = _Tally()
    with TemporaryFile() as spool:
        for found in snapshot.problems:
            tally.trouble(found)
        _spool(driver.parse(snapshot), spool, tally, progress)
        if snapshot.partial:
            kept = (each for each in sink.feed_records(driver.name) if each.id not in tally.seen)
            _spool(kept, spool, tally, progress)
        _refuse_what_is_implausible(driver.name, tally, job)
        settled = _settle(spool, tally)
        for ecosystem, count in sorted(tally.unknown.items()):
            tally.trouble(
                problem(f"{driver.name}: {ecosystem}", f"{count} statements nothing here asks for", incomplete=False)
            )
        state = FeedState(
            name=driver.name,
            records=tally.records,
            updated_at=job.now,
            source_date=max(tally.newest, http_date(snapshot.last_modified)),
            url=snapshot.url,
            digest=snapshot.digest,
            etag=_stamped(driver, snapshot.etag),
            last_modified=snapshot.last_modified,
            ecosystems=tuple(sorted(tally.ecosystems)),
            problems=tally.problem_count,
        )
        progress("store", 0, tally.records)
        need = _ROOM * spool.tell()
        handed = _handed_over(_unspool(spool), settled, tally.records, progress)
        try:
            result = sink.sync_feed(state, handed, past=driver.name not in CURRENT_ONLY)
        except SpaceError as error:
            hint = f"taking in {driver.name} needs up to {max(1, need // 1_000_000):,} MB there; the store is as it was"
            raise SpaceError(error.message, hint=hint) from error
    sink.note_problems(driver.name, tally.problems)
    state = replace(state, revision=result.revision)
    return SyncOutcome(state, result, tuple(tally.problems), tally.problem_count)


def _spool(parsed: Iterable[Advisory | Problem], spool: IO[bytes], tally: _Tally, progress: Progress) -> None:
    for found in parsed:
        if isinstance(found, Problem):
            tally.trouble(found)
            continue
        data = marshal.dumps(to_row(found))
        if found.id in tally.seen:
            if tally.seen[found.id] != hash(data):
                tally.again.setdefault(found.id, []).append(found)
            continue
        tally.seen[found.id] = hash(data)
        tally.records += 1
        _count(found, tally)
        spool.write(_LENGTH.pack(len(data)) + data)
        if tally.records % _EVERY == 0:
            progress("read", tally.records, 0)


def _count(found: Advisory, tally: _Tally) -> None:
    tally.newest = max(tally.newest, found.modified or found.published)
    for each in found.affected:
        tally.ecosystems.add(each.ecosystem)
        if not is_known(each.ecosystem):
            tally.unknown[each.ecosystem] = tally.unknown.get(each.ecosystem, 0) + 1


def _unspool(spool: IO[bytes]) -> Iterator[Advisory]:
    spool.seek(0)
    while head := spool.read(_LENGTH.size):
        yield from_row(marshal.loads(spool.read(_LENGTH.unpack(head)[0])))  # noqa: S302 - written above, by us


def _handed_over(
    advisories: Iterable[Advisory], settled: dict[str, Advisory], records: int, progress: Progress
) -> Iterator[Advisory]:
    for done, advisory in enumerate(advisories, 1):
        yield settled.get(advisory.id, advisory)
        if done % _EVERY == 0:
            progress("store", done, records)


def _settle(spool: IO[bytes], tally: _Tally) -> dict[str, Advisory]:
    """One record for each id that came several times.

    Trees that are split by ecosystem hold a part of the record in each: the parts are put together. Where two speak of
    the same ecosystem one is out of date: the one modified last holds.
    """
    settled: dict[str, Advisory] = {}
    if not tally.again:
        return settled
    for advisory in _unspool(spool):
        for other in tally.again.get(advisory.id, ()):
            if _ecosystems(advisory).isdisjoint(_ecosystems(other)):
                advisory = replace(advisory, affected=advisory.affected + other.affected)
            else:
                tally.trouble(problem(f"{other.feed}: {other.id}", "it comes twice; the one modified last was taken"))
                advisory = max(advisory, other, key=lambda each: each.modified)
            settled[advisory.id] = advisory
            _count(advisory, tally)
    return settled


def _ecosystems(advisory: Advisory) -> set[str]:
    return {each.ecosystem for each in advisory.affected}


def _refuse_what_is_implausible(name: str, tally: _Tally, job: _Job) -> None:
    if not tally.records:
        first = f": {tally.problems[0].subject}: {tally.problems[0].message}" if tally.problems else ""
        raise FeedError(
            f"{job.snapshot.url} holds no record of {name} that can be read{first}",
            hint="check that this is the feed's own file or address; what the store has was kept",
        )
    had = job.before.records if job.before else 0
    if not job.allow_shrink and tally.records < had * (1 - MAX_SHRINK):
        raise FeedError(
            f"{job.snapshot.url} holds only {tally.records} records of {name} where there were {had}",
            hint="what the store has was kept; if the loss is real, sync again with --allow-shrink",
        )


def _stamped(driver: Driver, etag: str) -> str:
    """The ETag with the driver's version: another way of reading makes an unchanged upstream worth reading again."""
    return f"{driver.version};{etag}"


def _readable_state(driver: Driver, state: FeedState | None) -> FeedState | None:
    """The state with the ETag as upstream gave it; None where it was made by another version of the driver."""
    if state is None:
        return None
    version, _, etag = state.etag.partition(";")
    return replace(state, etag=etag) if version == str(driver.version) else None
