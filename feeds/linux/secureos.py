"""SecureOS, a distribution of apk packages without releases: its security database, and a note of which file is newest.

Format: https://security.secureos.io/v1/latest.json, ``{"latest_url": "https://…/secdb.json.gz", "sha256": "…"}``; the
database itself see ``feeds.linux.secdb``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from anchorecli.errors import FeedError
from anchorecli.feeds.base import Progress, Snapshot, from_path
from anchorecli.feeds.linux.secdb import Gathered, is_secdb
from anchorecli.feeds.snapshot import from_download
from anchorecli.model import Advisory, FeedState, Problem
from anchorecli.values import dataclass, replace

if TYPE_CHECKING:
    from anchorecli.net import Fetcher

_NOTE = "latest.json"


@dataclass(frozen=True, slots=True)
class SecureOs:
    """The newest database."""

    name: str = "secureos"
    title: str = "SecureOS secdb"
    url: str = "https://security.secureos.io/v1"
    attribution: str = "SecureOS security database, security.secureos.io"
    version: int = 1

    def fetch(self, fetcher: Fetcher, state: FeedState | None, url: str, progress: Progress) -> Snapshot | None:
        """The database that the note names, by its digest; from the base URL, whatever host the note says."""
        base = url.rstrip("/")
        try:
            note = json.loads(fetcher.text(f"{base}/{_NOTE}"))
            file, digest = str(note["latest_url"]).rpartition("/")[2], str(note["sha256"]).lower()
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise FeedError(f"{base}/{_NOTE} names no database", hint="check the base URL of secureos") from error
        if state is not None and state.url == base and state.etag == digest:
            return None
        found = fetcher.download(f"{base}/{file}", progress=lambda done, total: progress("download", done, total))
        assert found is not None  # noqa: S101 - nothing was asked conditionally
        if found.digest != digest:
            found.file.close()
            raise FeedError(f"{base}/{file} is not what {_NOTE} says by its digest", hint="try again later")
        return replace(from_download(found), url=base, etag=digest)

    def open(self, path: Path) -> Snapshot:
        """The database, also compressed, or a folder, zip or tar with it."""
        return from_path(path)

    def parse(self, snapshot: Snapshot) -> Iterator[Advisory | Problem]:
        """One advisory for each vulnerability id."""
        gathered = Gathered(self.name, self.url, rolling=self.name)
        for member in snapshot.members(lambda name: is_secdb(name) and name.rpartition("/")[2] != _NOTE):
            if isinstance(member, Problem):
                yield member
                continue
            yield from gathered.read(*member)
        yield from gathered.advisories()
