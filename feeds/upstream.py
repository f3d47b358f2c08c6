"""Another site as upstream: its shelf over HTTP, of which only what is missing here is fetched."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from anchorecli.errors import FeedError
from anchorecli.feeds.base import Progress, quiet
from anchorecli.feeds.delta import FeedStore
from anchorecli.feeds.offline.read import Conditions
from anchorecli.feeds.shelf import MAX_INDEX, Item, bring, read_index
from anchorecli.feeds.sync import SyncOutcome

if TYPE_CHECKING:
    from anchorecli.net import Fetcher

INDEX = "index.json"


def sync_upstream(
    url: str, store: FeedStore, fetcher: Fetcher, conditions: Conditions, progress: Progress = quiet
) -> Iterator[tuple[Item, tuple[SyncOutcome, ...]]]:
    """Fetch from the site at ``url`` what the store needs, and import it file by file; nothing where it has all.

    Raises: FeedError where the site cannot be reached, or what it gives is not to be used.
    """
    base = url.rstrip("/")
    index = f"{base}/{INDEX}"
    found = fetcher.download(index)
    if found is None:
        raise FeedError(f"{index}: no content", hint="check the URL")
    with found.file as file:
        data = file.read(MAX_INDEX + 1)
    if len(data) > MAX_INDEX:
        raise FeedError(f"{index}: more than {MAX_INDEX} bytes", hint="check the URL")

    def fetch(item: Item, path: Path) -> None:
        download = fetcher.download(
            f"{base}/{item.name}", progress=lambda done, total: progress("download", done, total)
        )
        if download is None:
            raise FeedError(f"{base}/{item.name}: no content", hint="try again later")
        with download.file as source, path.open("wb") as target:
            shutil.copyfileobj(source, target)
        if download.digest != item.sha256:
            hint = "the site may be replacing it: try again; nothing of it was imported"
            raise FeedError(f"{base}/{item.name} is not what the index says", hint=hint)

    return bring(read_index(data, index), fetch, store, conditions, progress)
