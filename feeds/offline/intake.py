"""Handing a checked full file to the store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from anchorecli.errors import FeedError
from anchorecli.feeds.base import FeedSink, Progress, quiet
from anchorecli.feeds.offline.read import ANY, Conditions, OfflineFile, import_
from anchorecli.feeds.snapshot import problem
from anchorecli.feeds.sync import CURRENT_ONLY, SyncOutcome
from anchorecli.model import Advisory, FeedState
from anchorecli.values import replace


def import_into(
    path: Path,
    sink: FeedSink,
    *,
    conditions: Conditions = ANY,
    allow_older: bool = False,
    progress: Progress = quiet,
) -> tuple[SyncOutcome, ...]:
    """Check a full file and hand its feeds to the store: ``import_`` and ``take_in`` in one."""
    with import_(path, conditions) as file:
        return tuple(take_in(file, sink, allow_older=allow_older, progress=progress))


def take_in(
    file: OfflineFile, sink: FeedSink, *, allow_older: bool = False, progress: Progress = quiet
) -> Iterator[SyncOutcome]:
    """Hand the feeds of a checked full file to the store one by one, with the dates they had when it was made.

    A feed that the store has from a later time is left alone, with a Problem, unless ``allow_older``.

    Raises: FeedError for a delta.
    """
    if file.delta:
        raise FeedError(f"{file.path} is a delta and no full file", hint="anchore feeds import takes both")
    for number, member in enumerate(file.members):
        progress("store", number, len(file.members))
        state = member.state
        held = sink.feed_state(state.name)
        if held is not None and not allow_older and is_newer(held, state):
            text = f"{file.path.name} has it as of {state.updated_at}, the store as of {held.updated_at}: left out"
            yield SyncOutcome(held, None, (problem(state.name, text, incomplete=False),), 1)
            continue
        yield take_whole(sink, state, (each for each in file.records(member) if isinstance(each, Advisory)))


def take_whole(sink: FeedSink, state: FeedState, records: Iterator[Advisory]) -> SyncOutcome:
    """Make a feed of the store consist of these records."""
    result = sink.sync_feed(state, records, past=state.name not in CURRENT_ONLY)
    return SyncOutcome(replace(state, revision=result.revision), result)


def is_newer(held: FeedState, given: FeedState) -> bool:
    """Whether what the store holds is from later than what is given; the starter feed never is."""
    return not held.starter and held.updated_at > given.updated_at
