"""Feeds that are several files of one server: asked for conditionally, and taken whole where one has changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from anchorecli.feeds.base import Progress
from anchorecli.feeds.snapshot import Snapshot, from_downloads, problem
from anchorecli.model import FeedState

if TYPE_CHECKING:
    from anchorecli.net import Download, Fetcher


def known_tags(state: FeedState | None, base: str) -> dict[str, str]:
    """What was noted with the last fetch from that address: a text for each file."""
    if state is None or state.url != base:
        return {}
    try:
        tags = json.loads(state.etag)
    except ValueError:
        return {}
    return tags if isinstance(tags, dict) and all(isinstance(each, str) for each in tags.values()) else {}


def fetch_files(
    fetcher: Fetcher, state: FeedState | None, base: str, files: Mapping[str, str], progress: Progress
) -> Snapshot | None:
    """The files (name → URL); None where each of them is what it was. One that is missing is a Problem.

    Raises: FeedError where one cannot be had, or all are missing.
    """
    known = known_tags(state, base)
    if set(known) == set(files) and all(known.values()) and not _changed(fetcher, files, known):
        return None
    parts: dict[str, Download] = {}
    try:
        for number, (name, url) in enumerate(files.items(), 1):
            found = fetcher.download(url, missing_ok=True)
            if found is not None:
                parts[name] = found
            progress("download", number, len(files))
    except BaseException:
        for part in parts.values():
            part.file.close()
        raise
    missing = [name for name in files if name not in parts]
    problems = tuple(problem(f"{base}: {name}", "the server does not have it") for name in missing)
    return from_downloads(base, parts, json.dumps({name: part.etag for name, part in parts.items()}), problems)


def _changed(fetcher: Fetcher, files: Mapping[str, str], known: Mapping[str, str]) -> bool:
    for name, url in files.items():
        found = fetcher.download(url, etag=known[name])
        if found is not None:
            found.file.close()
            return True
    return False
