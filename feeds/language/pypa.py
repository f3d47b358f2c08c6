"""The Python Packaging Authority's advisory database: PYSEC records.

Format: https://github.com/pypa/advisory-database, ``vulns/PACKAGE/PYSEC-….yaml`` in a clone or the repository's zip:
OSV in YAML.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from anchorecli.feeds.base import Progress, Snapshot, fetch_one, from_path
from anchorecli.feeds.language.trees import load_yaml
from anchorecli.feeds.osv import parse_records
from anchorecli.model import Advisory, FeedState, Problem
from anchorecli.values import dataclass

if TYPE_CHECKING:
    from anchorecli.net import Fetcher


@dataclass(frozen=True, slots=True)
class Pypa:
    """Every PYSEC record."""

    name: str = "pypa"
    title: str = "Python packaging advisory database"
    url: str = "https://codeload.github.com/pypa/advisory-database/zip/refs/heads/main"
    attribution: str = "Python Packaging Advisory Database, CC-BY-4.0"
    version: int = 1

    def fetch(self, fetcher: Fetcher, state: FeedState | None, url: str, progress: Progress) -> Snapshot | None:
        """The repository's zip."""
        return fetch_one(fetcher, state, url, progress)

    def open(self, path: Path) -> Snapshot:
        """A clone, a zip of it, or a part of either."""
        return from_path(path)

    def parse(self, snapshot: Snapshot) -> Iterator[Advisory | Problem]:
        """Every record, withdrawn ones too (marked)."""
        return parse_records(snapshot, self.name, lambda ecosystem: ecosystem == "PyPI", _is_record, load_yaml)


def _is_record(name: str) -> bool:
    return name.rpartition("/")[2].startswith("PYSEC-") and name.endswith((".yaml", ".yml"))
