"""Echo, a distribution of rebuilt Debian packages: for every package, its vulnerabilities and what fixes them.

Format: https://advisory.echohq.com/data.json, ``{"nginx": {"CVE-2023-44487": {"fixed_version": "1.25.2", "severity":
"high"}, "CVE-2009-2940": {}}}``; without a version nothing fixes it yet. Versions are Debian's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from sys import intern
from typing import TYPE_CHECKING, Any

from anchorecli.errors import FeedError
from anchorecli.feeds.base import Progress, Snapshot, fetch_one, from_path
from anchorecli.feeds.json_stream import items
from anchorecli.feeds.snapshot import Readable, problem
from anchorecli.model import Advisory, Affected, FeedState, Problem, Range, Severity
from anchorecli.values import dataclass

if TYPE_CHECKING:
    from anchorecli.net import Fetcher

SPACE = "echo"
_ID = re.compile(r"[A-Z]{2,8}-[\w.-]{1,60}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Echo:
    """The whole list."""

    name: str = "echo"
    title: str = "Echo advisories"
    url: str = "https://advisory.echohq.com/data.json"
    attribution: str = "Echo, advisory.echohq.com"
    version: int = 1

    def fetch(self, fetcher: Fetcher, state: FeedState | None, url: str, progress: Progress) -> Snapshot | None:
        """The list, in one file."""
        return fetch_one(fetcher, state, url, progress)

    def open(self, path: Path) -> Snapshot:
        """The list as a file, also compressed, or a folder, zip or tar with it."""
        return from_path(path)

    def parse(self, snapshot: Snapshot) -> Iterator[Advisory | Problem]:
        """One advisory for each vulnerability."""
        found: dict[str, dict[str, Affected]] = {}
        for item in snapshot.streams(lambda name: ".json" in name):
            if isinstance(item, Problem):
                yield item
            else:
                yield from self._read(*item, found)
        for identifier in sorted(found):
            packages = found.pop(identifier)
            yield Advisory(
                identifier,
                self.name,
                severity=max(each.severity for each in packages.values()),
                affected=tuple(packages[package] for package in sorted(packages)),
            )

    def _read(self, name: str, stream: Readable, found: dict[str, dict[str, Affected]]) -> Iterator[Problem]:
        """Take in one list. Raises: FeedError where it is not one, or cut off."""
        try:
            for package, entries in items(stream):
                if not package or not package.isprintable() or not isinstance(entries, dict):
                    yield problem(f"{self.name}: {package[:80]!r}", "not a package with its vulnerabilities")
                    continue
                for identifier, entry in entries.items():
                    try:
                        statement = _statement(package, identifier, entry)
                    except ValueError as error:
                        yield problem(f"{self.name}: {package} {identifier[:80]}", str(error))
                        continue
                    found.setdefault(identifier, {})[package] = statement
        except (ValueError, OSError) as error:
            raise FeedError(
                f"{self.name}: {name} is not Echo's list of advisories: {error}", hint="fetch or copy it again"
            ) from error


def _statement(package: str, identifier: str, entry: Any) -> Affected:
    """Raises: ValueError where it is none."""
    if not _ID.fullmatch(identifier) or not isinstance(entry, dict):
        raise ValueError("not a vulnerability with its fix")
    fixed, severity = entry.get("fixed_version") or "", entry.get("severity") or ""
    if not isinstance(fixed, str) or not isinstance(severity, str) or not fixed.isprintable():
        raise ValueError("fixed_version or severity is not text")
    ranges = (Range(fixed=intern(fixed)),) if fixed else ()
    return Affected(SPACE, intern(package), "deb", ranges=ranges, severity=Severity.parse(severity))
