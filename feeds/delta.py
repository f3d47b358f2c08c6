"""Deltas: the changes of a store's feeds since a revision as a file, and that file applied to another store.

A delta fits a store whose feeds have the contents it starts from, however they came there: by the full file, by the
deltas before, or by a sync of the same data. It is applied feed by feed, each in one transaction, after all of them
have been found to fit; broken off, it goes on where it stopped when it is imported again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import Protocol

from anchorecli.errors import FeedError
from anchorecli.feeds.base import FeedSink, Progress, quiet
from anchorecli.feeds.offline.intake import is_newer, take_in, take_whole
from anchorecli.feeds.offline.manifest import Base, Member
from anchorecli.feeds.offline.read import ANY, Conditions, OfflineFile, import_
from anchorecli.feeds.offline.write import Change, FeedPart, Head, export
from anchorecli.feeds.sync import CURRENT_ONLY, SyncOutcome
from anchorecli.model import Advisory, FeedState, SyncResult
from anchorecli.values import replace

_LOOK_BACK = 50
"""Revisions of a feed looked through for what a delta leads to, before it is called a stranger."""


class Exchange(Protocol):
    """Contents and changes of a store's feeds: ``store.delta``."""

    def content(self, name: str, revision: int | None = None, /) -> str:
        """The content of a feed, now or as of a revision."""

    def changes(self, name: str, since: int, /) -> Iterator[Change]:
        """What changed in a feed since a revision, by id."""

    def apply(
        self, state: FeedState, changes: Iterable[Change], base: str, end: str, /, *, past: bool = True
    ) -> SyncResult:
        """Change a feed from one content to another; or raise and change nothing."""

    def past(self, name: str, /) -> Sequence[int]:
        """The kept revisions that changed a feed, the newest first."""


class FeedStore(FeedSink, Protocol):
    """What export and import need of the store."""

    @property
    def exchange(self) -> Exchange:
        """Contents and changes."""

    def feed_states(self, revision: int | None = None, /) -> tuple[FeedState, ...]:
        """The feeds by name, now or as of a revision."""

    def feed_records(self, name: str, /) -> Iterator[Advisory]:
        """Every record of a feed by id."""

    def revision(self) -> int:
        """The number of the last revision."""

    def kept_revisions(self) -> range:
        """The revisions that can be asked."""


class Fit(Enum):
    """What there is to do about one feed of a delta."""

    DONE = "already applied"
    """The store holds what it leads to, or went on from there."""
    CHANGES = "changes"
    WHOLE = "whole"
    OLDER = "older"
    """The store has it from later: left alone."""


def export_store(path: Path, store: FeedStore, head: Head, names: Iterable[str] = ()) -> str:
    """Write the feeds of a store (all, or those named) to a file, or with ``head.since`` their changes; its digest.

    Raises: FeedError, also where the feeds changed meanwhile; StoreError where ``since`` is not kept.
    """
    chosen = set(names)
    revision = store.revision()
    before = {state.name: state for state in store.feed_states(head.since)} if head.since >= 0 else {}
    parts = (_part(store, state, head, before) for state in store.feed_states() if not chosen or state.name in chosen)
    written = [part for part in parts if not part.state.starter]
    digest = export(path, written, head._replace(revision=revision))
    if store.revision() != revision:
        path.unlink()
        raise FeedError("the feeds were synced while they were exported", hint="export again")
    return digest


def import_file(
    path: Path,
    store: FeedStore,
    *,
    conditions: Conditions = ANY,
    allow_older: bool = False,
    progress: Progress = quiet,
) -> tuple[SyncOutcome, ...]:
    """Take a full file or a delta into the store; an outcome without ``result`` for what it held already.

    Raises: FeedError where the file is damaged, not to be trusted, or a delta that does not fit.
    """
    with import_(path, conditions) as file:
        if file.delta:
            return tuple(apply(file, store, allow_older=allow_older, progress=progress))
        return tuple(take_in(file, store, allow_older=allow_older, progress=progress))


def apply(
    file: OfflineFile, store: FeedStore, *, allow_older: bool = False, progress: Progress = quiet
) -> Iterator[SyncOutcome]:
    """Apply a checked delta feed by feed. Raises: FeedError before anything is changed where one does not fit."""
    plan = [(member, fit(file, member, store, allow_older=allow_older)) for member in file.members]
    for number, (member, what) in enumerate(plan):
        progress("store", number, len(plan))
        yield _applied(file, member, what, store)


def fit(file: OfflineFile, member: Member, store: FeedStore, *, allow_older: bool = False) -> Fit:
    """What to do about one feed of a delta. Raises: FeedError where the store does not hold what it starts from."""
    held = store.feed_state(member.state.name)
    if held is not None and held.starter:
        held = None
    content = store.exchange.content(member.state.name) if held is not None else ""
    if content == member.content:
        return Fit.CHANGES if held is not None and held.updated_at < member.state.updated_at else Fit.DONE
    older = held is not None and not allow_older and is_newer(held, member.state)
    if member.base is None:
        return Fit.OLDER if older else Fit.WHOLE
    if content == member.base.content and not older:
        return Fit.CHANGES
    if held is not None and member.content in _contents(store, member.state.name):
        return Fit.DONE
    raise _unfit(file, member, held, older=older)


def _part(store: FeedStore, state: FeedState, head: Head, before: dict[str, FeedState]) -> FeedPart:
    content = store.exchange.content(state.name)
    old = before.get(state.name)
    kept = state.name not in CURRENT_ONLY or state.revision <= head.since
    if head.since < 0 or old is None or old.starter or not kept:
        return FeedPart(state, store.feed_records(state.name), content)
    base = Base(store.exchange.content(state.name, head.since), head.since, old.updated_at)
    return FeedPart(state, store.exchange.changes(state.name, head.since), content, base)


def _applied(file: OfflineFile, member: Member, what: Fit, store: FeedStore) -> SyncOutcome:
    state = member.state
    if what in (Fit.DONE, Fit.OLDER):
        return SyncOutcome(store.feed_state(state.name) or state)
    if what is Fit.WHOLE or member.base is None:
        # A whole feed that is confirmed, too: comparing it record by record changes nothing.
        return take_whole(store, state, (each for each in file.records(member) if isinstance(each, Advisory)))
    changes: Iterable[Change] = file.records(member)
    base = member.base.content
    if store.exchange.content(state.name) == member.content:
        changes, base = (), member.content  # confirmed by a later check, nothing else
    result = store.exchange.apply(state, changes, base, member.content, past=state.name not in CURRENT_ONLY)
    return SyncOutcome(replace(state, revision=result.revision), result)


def _contents(store: FeedStore, name: str) -> Iterator[str]:
    """What a feed held at its last revisions."""
    for revision in store.exchange.past(name)[:_LOOK_BACK]:
        yield store.exchange.content(name, revision)


def _unfit(file: OfflineFile, member: Member, held: FeedState | None, *, older: bool) -> FeedError:
    name, since, until = member.state.name, file.manifest.since, file.manifest.revision
    if older and held is not None:
        return FeedError(
            f"{file.path} goes back: it leads to {name} as of {member.state.updated_at} (revision {until}), and the"
            f" store has it as of {held.updated_at}",
            hint="import a later delta; to go back on purpose, a full file with --allow-older; nothing was imported",
        )
    then = f", as of {member.base.updated_at}" if member.base else ""
    has = f"has it as of {held.updated_at}, with other records" if held else "does not have it"
    return FeedError(
        f"{file.path} starts from revision {since}, which is missing here: {name}{then}; the store {has}",
        hint=f"first import the delta that leads to revision {since}, or a full file of revision {since} or later;"
        " nothing was imported",
    )
