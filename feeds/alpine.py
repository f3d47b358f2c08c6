"""Alpine's secdb: a file for every release and repository, ``v3.20/main.json``.

Format: see ``feeds.linux.secdb``. A mirror may hold the older form, ``v3.10/main.yaml``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from anchorecli.errors import FeedError
from anchorecli.feeds.base import Progress, Snapshot, from_path
from anchorecli.feeds.linux.secdb import Gathered, is_secdb
from anchorecli.feeds.snapshot import from_downloads, problem
from anchorecli.model import Advisory, FeedState, Problem
from anchorecli.values import dataclass

if TYPE_CHECKING:
    from anchorecli.net import Download, Fetcher

REPOSITORIES = ("main", "community")
_LINK = re.compile(r"""href=["']?/?(v\d{1,3}\.\d{1,3}|edge)/""")
_MISSING = "missing"
"""Stands for the ETag of a file that upstream does not have: a new release starts without community."""


@dataclass(frozen=True, slots=True)
class Alpine:
    """All releases that secdb lists, and edge."""

    name: str = "alpine"
    title: str = "Alpine Linux secdb"
    url: str = "https://secdb.alpinelinux.org"
    attribution: str = "Alpine Linux security database, secdb.alpinelinux.org"
    version: int = 2

    def fetch(self, fetcher: Fetcher, state: FeedState | None, url: str, progress: Progress) -> Snapshot | None:
        """Every release's files; those that have not changed are asked for conditionally first."""
        base = url.rstrip("/")
        names = _listed(fetcher, base)
        known = _known_tags(state) if state is not None and state.url == base else {}
        if known and set(known) == set(names):
            first = _first_changed(fetcher, base, names, known)
            if first is None:
                return None
        parts: dict[str, Download] = {}
        try:
            for number, name in enumerate(names, 1):
                found = fetcher.download(f"{base}/{name}", missing_ok=True)
                if found is not None:
                    parts[name] = found
                progress("download", number, len(names))
        except BaseException:
            for part in parts.values():
                part.file.close()
            raise
        missing = [name for name in names if name not in parts]
        tags = {name: part.etag for name, part in parts.items()} | dict.fromkeys(missing, _MISSING)
        problems = tuple(problem(f"alpine: {name}", f"{base} does not have it") for name in missing)
        return from_downloads(base, parts, json.dumps(tags), problems)

    def open(self, path: Path) -> Snapshot:
        """One file of a release, or a folder or zip of them."""
        return from_path(path)

    def parse(self, snapshot: Snapshot) -> Iterator[Advisory | Problem]:
        """One advisory for each vulnerability id."""
        gathered = Gathered(self.name, "https://security.alpinelinux.org/vuln")
        for member in snapshot.members(is_secdb):
            if isinstance(member, Problem):
                yield member
                continue
            yield from gathered.read(*member)
        yield from gathered.advisories()


def _listed(fetcher: Fetcher, base: str) -> list[str]:
    """The files of every release that the index page links to. Raises: FeedError where it links to none."""
    releases = sorted(set(_LINK.findall(fetcher.text(f"{base}/"))))
    if not releases:
        raise FeedError(
            f"{base}/: the page lists no releases (v3.20/, edge/ …)",
            hint="check the base URL; a mirror without an index can be read with --from",
        )
    # The first releases have no community repository.
    return [
        f"{release}/{repository}.json"
        for release in releases
        for repository in REPOSITORIES
        if repository == "main" or release not in ("v3.2",)
    ]


def _known_tags(state: FeedState) -> dict[str, str]:
    try:
        tags = json.loads(state.etag)
    except ValueError:
        return {}
    usable = isinstance(tags, dict) and all(isinstance(tag, str) and tag for tag in tags.values())
    return tags if usable else {}


def _first_changed(fetcher: Fetcher, base: str, names: list[str], tags: dict[str, str]) -> str | None:
    for name in names:
        if tags[name] == _MISSING:
            continue
        found = fetcher.download(f"{base}/{name}", etag=tags[name])
        if found is not None:
            found.file.close()
            return name
    return None
