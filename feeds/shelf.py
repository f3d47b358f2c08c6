"""Feed files side by side, a full one and the deltas after it: what is there, and which of them a store needs.

A shelf is what one site offers to others: a folder that is served over HTTP, or an artifact in a registry. Its index
says of each file where it leads, so that only those are fetched which bring a store forward.

Format: JSON, ``{"format": "anchore-feeds-index", "version": 1, "files": […]}``; a file has ``name``, ``size``,
``sha256``, ``created_at``, ``revision``, ``since`` (-1 for a full file), ``keys`` (who signed) and ``feeds``: name,
content, time of the last check, and the content it starts from (null: the feed is there whole). The index itself is not
signed: it can make a client fetch too much or too little, but the files decide for themselves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import file_digest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from anchorecli.errors import FeedError
from anchorecli.feeds.base import Progress, quiet
from anchorecli.feeds.delta import FeedStore, import_file
from anchorecli.feeds.lines import dump
from anchorecli.feeds.offline.read import Conditions, describe
from anchorecli.feeds.sync import SyncOutcome

FORMAT = "anchore-feeds-index"
VERSION = 1
MAX_INDEX = 16 << 20
MAX_ITEMS = 1000
MAX_DELTAS = 60
"""Deltas a shelf keeps: two months of days."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}")


class Feed(NamedTuple):
    """Where a file leads one feed. ``base`` is the content it starts from, None where the feed is there whole."""

    name: str
    content: str
    updated_at: str
    base: str | None = None


class Item(NamedTuple):
    """One file on the shelf."""

    name: str
    size: int
    sha256: str
    created_at: str
    revision: int
    since: int
    keys: tuple[str, ...]
    feeds: tuple[Feed, ...]

    @property
    def delta(self) -> bool:
        """Whether it needs others before it."""
        return self.since >= 0


Held = Mapping[str, tuple[str, str]]
"""Name of a feed → its content and the time of its last check."""

Fetch = Callable[[Item, Path], None]
"""Writes a file of the shelf to a path, or raises FeedError."""


def item(path: Path) -> Item:
    """A file as the index lists it. Raises: FeedError where it is no feed file."""
    manifest = describe(path)
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    feeds = tuple(
        Feed(each.state.name, each.content, each.state.updated_at, each.base.content if each.base else None)
        for each in manifest.members
    )
    keys = tuple(each.key for each in manifest.signatures)
    size = path.stat().st_size
    return Item(path.name, size, digest, manifest.created_at, manifest.revision, manifest.since, keys, feeds)


def write_index(items: Iterable[Item]) -> bytes:
    """The index of some files; those that lead furthest last."""
    files = [each._asdict() | {"feeds": [feed._asdict() for feed in each.feeds]} for each in ordered(items)]
    return dump({"format": FORMAT, "version": VERSION, "files": files}).encode()


def read_index(data: bytes, where: str) -> list[Item]:
    """The files that an index lists. Raises: FeedError where it is none."""
    hint = "check that this is where feeds are served, by a version that this program understands"
    try:
        index = json.loads(data)
        if not isinstance(index, dict) or index.get("format") != FORMAT or index.get("version") != VERSION:
            raise ValueError("it does not say that it is one, of version 1")
        files = index.get("files")
        if not isinstance(files, list) or len(files) > MAX_ITEMS:
            raise ValueError("its files are not a list of a plausible length")
        return ordered(map(_item, files))
    except (ValueError, RecursionError) as error:
        raise FeedError(f"{where} holds no index of feed files: {error}", hint=hint) from error


def ordered(items: Iterable[Item]) -> list[Item]:
    """In the order in which they bring a store forward; at one moment the delta before the full file."""
    return sorted(items, key=lambda each: (each.revision, each.created_at, not each.delta))


def pruned(items: Iterable[Item]) -> list[Item]:
    """What is worth keeping: the last full file and the last deltas."""
    deltas = [each for each in ordered(items) if each.delta]
    full = [each for each in ordered(items) if not each.delta]
    return ordered([*full[-1:], *deltas[-MAX_DELTAS:]])


def held_by(store: FeedStore) -> Held:
    """What a store has, as the index puts it; the starter feed does not count."""
    states = [state for state in store.feed_states() if not state.starter]
    return {state.name: (store.exchange.content(state.name), state.updated_at) for state in states}


def way(items: Sequence[Item], held: Held) -> list[Item]:
    """The files that bring a store from what it holds to the newest there is, in order: deltas where they are fewer
    bytes than a full file and the deltas after it."""
    deltas = [each for each in ordered(items) if each.delta]
    if not items or _reached(goal := ordered(items)[-1], held):
        return []
    ways = [_walk(deltas, held)]
    for full in [each for each in ordered(items) if not each.delta][-1:]:
        steps, end = _walk(deltas, {**held, **_end(full)})
        ways.append(([full, *steps], end))
    arriving = [steps for steps, end in ways if _reached(goal, end)]
    return min(arriving, key=lambda steps: sum(each.size for each in steps)) if arriving else ways[-1][0]


def bring(
    items: Sequence[Item], fetch: Fetch, store: FeedStore, conditions: Conditions, progress: Progress = quiet
) -> Iterator[tuple[Item, tuple[SyncOutcome, ...]]]:
    """Fetch what the store needs, file by file, and import each. Raises: FeedError; what came before it stays."""
    for each in way(items, held_by(store)):
        with TemporaryDirectory() as directory:
            path = Path(directory) / each.name
            fetch(each, path)
            yield each, import_file(path, store, conditions=conditions, progress=progress)


def _walk(deltas: Iterable[Item], held: Held) -> tuple[list[Item], Held]:
    """The deltas that can be applied one after the other and change something, and what is held after them."""
    steps: list[Item] = []
    end = dict(held)
    for delta in deltas:
        fits = all(_fits(feed, end.get(feed.name, ("", ""))[0]) for feed in delta.feeds)
        if fits and not _reached(delta, end):
            steps.append(delta)
            end |= _end(delta)
    return steps, end


def _fits(feed: Feed, content: str) -> bool:
    return feed.base is None or content in (feed.base, feed.content)


def _end(each: Item) -> Held:
    return {feed.name: (feed.content, feed.updated_at) for feed in each.feeds}


def _reached(each: Item, held: Held) -> bool:
    """Whether a store has all of a file: the same of the same time, or something later of its own."""
    for feed in each.feeds:
        content, updated_at = held.get(feed.name, ("", ""))
        if not content or updated_at < feed.updated_at or (updated_at == feed.updated_at and content != feed.content):
            return False
    return True


def _item(value: Any) -> Item:
    if not isinstance(value, dict):
        raise ValueError("a file that is no object")
    name = _of(value, "name", str)
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name[:60]!r} is no name of a file")
    return Item(
        name,
        _of(value, "size", int),
        _of(value, "sha256", str),
        _of(value, "created_at", str),
        _of(value, "revision", int),
        _of(value, "since", int),
        tuple(str(each) for each in _of(value, "keys", list)),
        tuple(map(_feed, _of(value, "feeds", list))),
    )


def _feed(value: Any) -> Feed:
    if not isinstance(value, dict):
        raise ValueError("a feed that is no object")
    base = None if value.get("base") is None else _of(value, "base", str)
    return Feed(_of(value, "name", str), _of(value, "content", str), _of(value, "updated_at", str), base)


def _of(value: dict[str, Any], name: str, kind: type) -> Any:
    found = value.get(name)
    if type(found) is not kind:
        raise ValueError(f"{name} is not of the type it must be")
    return found
