"""The Go vulnerability database: the Go team's own records, of modules, the standard library and the toolchain.

Statements are about modules, which is what a program's build information names: packages and symbols inside of them
(``imports``) are passed over, so that a module counts although the program may not call what is wrong with it.

Format: https://go.dev/doc/security/vuln/database, ``vulndb.zip`` with ``ID/GO-….json`` (OSV; ``stdlib`` and
``toolchain`` are modules by name), or ``data/osv`` of the repository golang/vulndb.
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
class GoVulnDb:
    """Every GO- record, those that nobody has reviewed too (they repeat GitHub's)."""

    name: str = "govulndb"
    title: str = "Go vulnerability database"
    url: str = "https://vuln.go.dev/vulndb.zip"
    attribution: str = "Go vulnerability database, CC-BY-4.0"
    version: int = 1

    def fetch(self, fetcher: Fetcher, state: FeedState | None, url: str, progress: Progress) -> Snapshot | None:
        """The database's zip, of about 4 MB."""
        return fetch_one(fetcher, state, url, progress)

    def open(self, path: Path) -> Snapshot:
        """The zip, a clone of the repository, or a part of either."""
        return from_path(path)

    def parse(self, snapshot: Snapshot) -> Iterator[Advisory | Problem]:
        """Every record by its id."""
        return parse_records(snapshot, self.name, lambda ecosystem: ecosystem == "Go", _is_record)


def _is_record(name: str) -> bool:
    file = name.rpartition("/")[2]
    return file.startswith("GO-") and file.endswith(".json")
