"""The GitHub advisory database: reviewed advisories for the packages of languages, as OSV records in a tree.

Format: https://github.com/github/advisory-database, ``advisories/github-reviewed/YYYY/MM/GHSA-…/GHSA-….json`` in a
clone, in the repository's zip, or in any folder or zip that keeps those names. Unreviewed ones repeat NVD and name no
package, so they are never inflated.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from anchorecli.feeds.base import Progress, Snapshot, fetch_one, from_path
from anchorecli.feeds.osv import parse_records
from anchorecli.model import Advisory, FeedState, Problem
from anchorecli.values import dataclass

if TYPE_CHECKING:
    from anchorecli.net import Fetcher


@dataclass(frozen=True, slots=True)
class Ghsa:
    """All ecosystems of the GitHub advisory database."""

    name: str = "ghsa"
    title: str = "GitHub advisory database (reviewed)"
    url: str = "https://codeload.github.com/github/advisory-database/zip/refs/heads/main"
    attribution: str = "GitHub Advisory Database, CC-BY-4.0"
    version: int = 3

    def fetch(self, fetcher: Fetcher, state: FeedState | None, url: str, progress: Progress) -> Snapshot | None:
        """The repository's zip."""
        return fetch_one(fetcher, state, url, progress)

    def open(self, path: Path) -> Snapshot:
        """A clone, a zip of it, or a part of either."""
        return from_path(path)

    def parse(self, snapshot: Snapshot) -> Iterator[Advisory | Problem]:
        """Every reviewed advisory, withdrawn ones too (marked)."""
        return parse_records(snapshot, self.name, lambda ecosystem: True, _is_reviewed)


def _is_reviewed(name: str) -> bool:
    return name.endswith(".json") and name.rpartition("/")[2].startswith("GHSA-") and "unreviewed/" not in name
