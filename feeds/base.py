"""The contract between the sync, a feed's driver and whoever keeps the records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from anchorecli.feeds.snapshot import Snapshot, from_download, from_path
from anchorecli.model import Advisory, FeedState, Problem, SyncResult

if TYPE_CHECKING:
    from anchorecli.net import Fetcher

Progress = Callable[[str, int, int], None]
"""Told what is going on (``download``, ``read``, ``store``), how far it is, and how far it will go (0: unknown)."""


def quiet(stage: str, done: int, total: int) -> None:
    """Progress for nobody."""


class Driver(Protocol):
    """One source of advisories: how to obtain its data and how to read it. A frozen dataclass in a file of its own."""

    @property
    def name(self) -> str:
        """The feed's name in the store."""

    @property
    def title(self) -> str:
        """What it is, in a few words."""

    @property
    def url(self) -> str:
        """Where it is fetched from unless the configuration says otherwise."""

    @property
    def attribution(self) -> str:
        """The line its licence asks for."""

    @property
    def version(self) -> int:
        """Raised when ``parse`` reads the same bytes differently: then an unchanged upstream is read again."""

    def fetch(self, fetcher: Fetcher, state: FeedState | None, url: str, progress: Progress) -> Snapshot | None:
        """Upstream's data now; None where it is what ``state`` was made from. Raises: FeedError."""

    def open(self, path: Path) -> Snapshot:
        """Upstream's own file, zip or tree, from a path. Raises: FeedError."""

    def parse(self, snapshot: Snapshot) -> Iterator[Advisory | Problem]:
        """The records, each read or a Problem. Pure: the same bytes give the same records in the same order.

        Raises: FeedError where the snapshot as a whole is not what this feed publishes.
        """


class FeedSink(Protocol):
    """Who keeps the records: the store."""

    def feed_state(self, name: str, /) -> FeedState | None:
        """What is held of a feed, None for nothing."""

    def sync_feed(self, state: FeedState, advisories: Iterable[Advisory], /, *, past: bool = True) -> SyncResult:
        """Replace the feed's records by these, in one transaction; where the iterable raises nothing changes.

        Without ``past`` nothing is kept of what the feed said before, for one that changes wholly every day.
        """

    def feed_records(self, name: str, /) -> Iterator[Advisory]:
        """Every record that is held of a feed."""

    def confirm_feed(self, name: str, updated_at: str, /) -> object:
        """Note that upstream has not changed."""

    def note_problems(self, name: str, found: Iterable[Problem], /) -> object:
        """Keep what could not be read of the feed that is held, in place of what was kept before."""


def fetch_one(fetcher: Fetcher, state: FeedState | None, url: str, progress: Progress) -> Snapshot | None:
    """Fetch a feed that is one file, conditionally where the last one came from the same URL."""
    same = state if state is not None and state.url == url else None
    download = fetcher.download(
        url,
        etag=same.etag if same else "",
        last_modified=same.last_modified if same else "",
        progress=lambda done, total: progress("download", done, total),
    )
    return from_download(download) if download is not None else None


__all__ = ["Driver", "FeedSink", "Progress", "Snapshot", "fetch_one", "from_path", "quiet"]
