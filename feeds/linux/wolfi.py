"""Wolfi's and its kin's security databases: one file each, for distributions that have no releases.

Format: see ``feeds.linux.secdb``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from anchorecli.feeds.base import Progress, Snapshot, fetch_one, from_path
from anchorecli.feeds.linux.secdb import Gathered, is_secdb
from anchorecli.model import Advisory, FeedState, Problem
from anchorecli.values import dataclass

if TYPE_CHECKING:
    from anchorecli.net import Fetcher


class _Source(NamedTuple):
    title: str
    url: str
    attribution: str
    page: str


_SOURCES: Mapping[str, _Source] = {
    "chainguard": _Source(
        "Chainguard secdb",
        "https://packages.cgr.dev/chainguard/security.json",
        "Chainguard security database, packages.cgr.dev",
        "https://images.chainguard.dev/security",
    ),
    "minimos": _Source(
        "MinimOS secdb",
        "https://packages.mini.dev/advisories/secdb/security.json",
        "MinimOS security database, packages.mini.dev",
        "https://packages.mini.dev/advisories",
    ),
    "wolfi": _Source(
        "Wolfi secdb",
        "https://packages.wolfi.dev/os/security.json",
        "Wolfi security database, packages.wolfi.dev",
        "https://images.chainguard.dev/security",
    ),
}


@dataclass(frozen=True, slots=True)
class Wolfi:
    """One of the distributions by its namespace, which is the feed's name too."""

    name: str = "wolfi"
    version: int = 1

    @property
    def title(self) -> str:
        """What it is, in a few words."""
        return _SOURCES[self.name].title

    @property
    def url(self) -> str:
        """Where the file is."""
        return _SOURCES[self.name].url

    @property
    def attribution(self) -> str:
        """Whose data it is."""
        return _SOURCES[self.name].attribution

    def fetch(self, fetcher: Fetcher, state: FeedState | None, url: str, progress: Progress) -> Snapshot | None:
        """The file, of a few megabytes."""
        return fetch_one(fetcher, state, url, progress)

    def open(self, path: Path) -> Snapshot:
        """The file, also compressed, or a folder, zip or tar with it."""
        return from_path(path)

    def parse(self, snapshot: Snapshot) -> Iterator[Advisory | Problem]:
        """One advisory for each vulnerability id."""
        gathered = Gathered(self.name, _SOURCES[self.name].page, rolling=self.name)
        for member in snapshot.members(is_secdb):
            if isinstance(member, Problem):
                yield member
                continue
            yield from gathered.read(*member)
        yield from gathered.advisories()
