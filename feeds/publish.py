"""A store's feeds as a folder of files: a full one now and then, and a delta whenever something changed.

The folder is a shelf (see ``shelf``): ``index.json`` and what it lists. It belongs to one store; what does not go on
from the last file there is started anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from anchorecli.errors import FeedError
from anchorecli.feeds.delta import FeedStore, export_store
from anchorecli.feeds.offline.frame import appearing, writing
from anchorecli.feeds.offline.write import Head
from anchorecli.feeds.shelf import MAX_INDEX, Held, Item, held_by, item, pruned, read_index, write_index
from anchorecli.feeds.signing import Signer
from anchorecli.feeds.sync import CURRENT_ONLY

INDEX = "index.json"
SUFFIX = ".feeds"
_SHARE = 4
"""A new full file is due when the deltas since the last one are a fourth of it."""


def publish(directory: Path, store: FeedStore, now: str, sign: Signer | None = None) -> tuple[Item, ...]:
    """Bring the folder up to date; gives the files that were added, none where nothing changed.

    Raises: FeedError where the store has no feed, or a file cannot be written.
    """
    with writing(directory):
        directory.mkdir(parents=True, exist_ok=True)
    items, held = _usable(_listed(directory), sign), held_by(store)
    if items and _held(items) == held:
        return ()
    added: list[Item] = []
    head = Head(now, sign=sign)
    if items and (since := _start(items, store)) is not None:
        added.append(_written(directory, store, head._replace(since=since)))
    else:
        items = []
    if not added or _full_is_due([*items, *added]):
        added.append(_written(directory, store, head))
    _put(directory, pruned([*items, *added]))
    return tuple(added)


def _listed(directory: Path) -> list[Item]:
    path = directory / INDEX
    if not path.exists():
        return []
    with writing(path):
        data = path.read_bytes() if path.stat().st_size <= MAX_INDEX else b""
    try:
        found = read_index(data, str(path))
    except FeedError:
        return []  # begun anew
    return found if all((directory / each.name).is_file() for each in found) else []


def _usable(items: list[Item], sign: Signer | None) -> list[Item]:
    """The files, unless they are signed by others than new ones would be."""
    keys = (sign.name,) if sign else ()
    return items if all(each.keys == keys for each in items) else []


def _held(items: Iterable[Item]) -> Held:
    """What the last file leads to."""
    return {feed.name: (feed.content, feed.updated_at) for feed in list(items)[-1].feeds}


def _start(items: list[Item], store: FeedStore) -> int | None:
    """The revision of this store that a delta has to start from; None where it does not keep what the files lead to."""
    since = items[-1].revision
    if since not in store.kept_revisions():
        return None
    # A feed whose past is not kept is sent whole.
    past = {name: content for name, (content, _) in _held(items).items() if name not in CURRENT_ONLY}
    return since if all(store.exchange.content(name, since) == content for name, content in past.items()) else None


def _full_is_due(items: list[Item]) -> bool:
    full = next(each for each in reversed(items) if not each.delta)
    then = (full.revision, full.created_at)
    since = sum(each.size for each in items if each.delta and (each.revision, each.created_at) > then)
    return since * _SHARE > full.size


def _written(directory: Path, store: FeedStore, head: Head) -> Item:
    stamp = re.sub(r"[^0-9]", "", head.now)
    span = f"{head.since}-{store.revision()}" if head.since >= 0 else f"{store.revision()}"
    path = directory / f"{'delta' if head.since >= 0 else 'full'}-{span}-{stamp}{SUFFIX}"
    export_store(path, store, head)
    return item(path)


def _put(directory: Path, items: list[Item]) -> None:
    """Write the index, and then take away what it lists no more."""
    with writing(directory / INDEX), appearing(directory / INDEX) as file:
        file.write(write_index(items))
    names = {each.name for each in items}
    for path in directory.glob(f"*{SUFFIX}"):
        if path.name not in names:
            path.unlink(missing_ok=True)
