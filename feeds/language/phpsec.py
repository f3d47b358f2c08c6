"""FriendsOfPHP's security advisories: packages of Composer.

Format: https://github.com/FriendsOfPHP/security-advisories, ``VENDOR/PACKAGE/….yaml``: title, link, cve (or ~),
reference (``composer://vendor/package``), and branches, each with time (of the fix, or null) and versions: a list of
comparisons that hold together (``['>=2.0', '<2.2.12']``). A branch whose comparisons give no upper end has no fix.
A file for each package: files that name one CVE are one record.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anchorecli.feeds.base import Progress, Snapshot, fetch_one, from_path
from anchorecli.feeds.language.constraints import inside, parse
from anchorecli.feeds.language.trees import day, gathered, load_yaml, records, text, texts
from anchorecli.feeds.record import one_line
from anchorecli.model import Advisory, Affected, FeedState, Problem, Range
from anchorecli.values import dataclass

if TYPE_CHECKING:
    from anchorecli.net import Fetcher

_CVE = re.compile(r"CVE-\d{4}-\d{4,}")
_GHSA = re.compile(r"/(GHSA-[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4})/?$")
_PACKAGE = re.compile(r"composer://([a-z0-9][\w.-]*/[a-z0-9][\w.-]*)", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class PhpSec:
    """Every advisory on a package of Composer."""

    name: str = "phpsec"
    title: str = "PHP security advisories (FriendsOfPHP)"
    url: str = "https://codeload.github.com/FriendsOfPHP/security-advisories/zip/refs/heads/master"
    attribution: str = "FriendsOfPHP/security-advisories (Unlicense)"
    version: int = 1

    def fetch(self, fetcher: Fetcher, state: FeedState | None, url: str, progress: Progress) -> Snapshot | None:
        """The repository's zip."""
        return fetch_one(fetcher, state, url, progress)

    def open(self, path: Path) -> Snapshot:
        """A clone, a zip of it, or a part of either."""
        return from_path(path)

    def parse(self, snapshot: Snapshot) -> Iterator[Advisory | Problem]:
        """Every vulnerability, with all packages it is in."""
        return gathered(records(snapshot, self.name, _is_record, self._read))

    def _read(self, name: str, data: bytes) -> Advisory | None:
        found = load_yaml(data)
        if not isinstance(found, dict):
            raise ValueError("not a YAML mapping")
        package = _PACKAGE.fullmatch(text(found, "reference"))
        if package is None:
            raise ValueError("reference names no package of Composer")
        branches = found.get("branches")
        if not isinstance(branches, dict) or not branches:
            raise ValueError("no branches")
        link = text(found, "link")
        cve, ghsa = _CVE.fullmatch(text(found, "cve")), _GHSA.search(link)
        named = [each for each in (cve and cve[0], ghsa and ghsa[1]) if each]
        # Without either the file's name is all there is: 2015-05-19-1.yaml, of this package.
        identifier = named[0] if named else f"{package[1].lower()}/{name.rpartition('/')[2].removesuffix('.yaml')}"
        days = sorted(filter(None, (day(text(each, "time")) for each in branches.values() if isinstance(each, dict))))
        affected = Affected("composer", package[1].lower(), "composer", ranges=_ranges(branches))
        return Advisory(
            identifier,
            self.name,
            aliases=tuple(named[1:]),
            summary=one_line(text(found, "title")),
            url=link,
            published=days[0] if days else "",
            modified=days[-1] if days else "",
            affected=(affected,),
        )


def _is_record(name: str) -> bool:
    # The root holds the checker's own configuration.
    return name.endswith(".yaml") and name.count("/") > 1 and not name.startswith(".")


def _ranges(branches: dict[str, Any]) -> tuple[Range, ...]:
    found = []
    for branch in branches.values():
        if not isinstance(branch, dict) or not texts(branch, "versions"):
            raise ValueError("a branch without versions")
        found.append(inside("composer", parse("composer", ",".join(texts(branch, "versions")))))
    return tuple(dict.fromkeys(found))
