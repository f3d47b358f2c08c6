"""Bitnami's vulnerability database: what is wrong with the upstream versions of servers and runtimes, by name.

It is asked for Bitnami's own packages and for programs that were recognised by their strings; its names are those of
the programs, or stand in ``matching.programs``. A hyphen and a number behind a version is Bitnami's own revision,
which says nothing of upstream's versions and is cut off.

Format: https://github.com/bitnami/vulndb, ``data/NAME/BIT-….json``: OSV.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anchorecli.feeds.base import Progress, Snapshot, fetch_one, from_path
from anchorecli.feeds.osv import parse_records
from anchorecli.model import Advisory, FeedState, Problem
from anchorecli.values import dataclass

if TYPE_CHECKING:
    from anchorecli.net import Fetcher

_REVISED = re.compile(r"(\d+(?:\.\d+)+)-\d[\d.]*")


@dataclass(frozen=True, slots=True)
class Bitnami:
    """Every BIT record."""

    name: str = "bitnami"
    title: str = "Bitnami vulnerability database"
    url: str = "https://codeload.github.com/bitnami/vulndb/zip/refs/heads/main"
    attribution: str = "Bitnami vulndb, Apache-2.0"
    version: int = 2

    def fetch(self, fetcher: Fetcher, state: FeedState | None, url: str, progress: Progress) -> Snapshot | None:
        """The repository's zip."""
        return fetch_one(fetcher, state, url, progress)

    def open(self, path: Path) -> Snapshot:
        """A clone, a zip of it, or a part of either."""
        return from_path(path)

    def parse(self, snapshot: Snapshot) -> Iterator[Advisory | Problem]:
        """Every record."""
        return parse_records(snapshot, self.name, lambda ecosystem: ecosystem == "Bitnami", _is_record, _load)


def _is_record(name: str) -> bool:
    return name.rpartition("/")[2].startswith("BIT-") and name.endswith(".json")


def _load(data: bytes) -> Any:
    record = json.loads(data)
    for event in _events(record):
        for kind, version in event.items():
            if isinstance(version, str) and (found := _REVISED.fullmatch(version)):
                event[kind] = found[1]
    return record


def _events(record: Any) -> Iterator[dict[str, Any]]:
    """The events of all ranges, as far as they are of the schema's form; the rest is refused where it is read."""
    for entry in _objects(record, "affected"):
        for span in _objects(entry, "ranges"):
            yield from _objects(span, "events")


def _objects(value: Any, name: str) -> list[dict[str, Any]]:
    found = value.get(name) if isinstance(value, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
