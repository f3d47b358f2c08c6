"""FIRST's EPSS: how likely it is that a vulnerability is exploited in the next 30 days.

All scores change a little every day, so the store keeps those of today alone; what an evaluation used is kept with it.

Format: https://www.first.org/epss/data_stats, gzip'd CSV: a comment ``#model_version:v2025.03.14,score_date:
2025-08-25T00:00:00+0000``, the head ``cve,epss,percentile``, then ``CVE-2020-5902,0.97567,0.99995``. The first years'
files have neither comment nor percentile.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from anchorecli.errors import FeedError
from anchorecli.feeds.base import Progress, Snapshot, fetch_one, from_path
from anchorecli.feeds.enrichment import note
from anchorecli.feeds.snapshot import Readable, problem
from anchorecli.model import Advisory, FeedState, Problem
from anchorecli.values import dataclass

if TYPE_CHECKING:
    from anchorecli.net import Fetcher

_SHARE = r"(0(?:\.\d{1,12})?|1(?:\.0{1,12})?)"
"""A number from 0 to 1."""
_ROW = re.compile(rf"(CVE-\d{{4}}-\d{{4,}}),{_SHARE}(?:,{_SHARE})?", re.ASCII)
_DATE = re.compile(r"score_date:(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})")
_CHUNK = 1 << 20
_MAX_LINE = 1 << 16


@dataclass(frozen=True, slots=True)
class Epss:
    """The scores of one day, for every published CVE."""

    name: str = "epss"
    title: str = "FIRST EPSS scores"
    url: str = "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz"
    attribution: str = "EPSS by FIRST.org, https://www.first.org/epss"
    version: int = 1

    def fetch(self, fetcher: Fetcher, state: FeedState | None, url: str, progress: Progress) -> Snapshot | None:
        """Today's scores, of about 2 MB."""
        return fetch_one(fetcher, state, url, progress)

    def open(self, path: Path) -> Snapshot:
        """A day's file, compressed or not, or a folder or zip with it."""
        return from_path(path)

    def parse(self, snapshot: Snapshot) -> Iterator[Advisory | Problem]:
        """One note for each CVE: probability and percentile, the latter empty where the file has none."""
        for item in snapshot.streams(lambda name: "csv" in name):
            if isinstance(item, Problem):
                yield item
                continue
            try:
                yield from self._day(*item)
            except (ValueError, OSError) as error:
                raise FeedError(f"{self.name}: {item[0]} cannot be read: {error}", hint="fetch it again") from error

    def _day(self, name: str, stream: Readable) -> Iterator[Advisory | Problem]:
        date, first = "", True
        for line in _lines(stream):
            row = _ROW.fullmatch(line)
            if row:
                yield note(self.name, "epss", row[1], row[2], row[3] or "", modified=date)
            elif line.startswith("#"):
                found = _DATE.search(line)
                date = f"{found[1]}Z" if found else ""
            elif not (first and line.lower().startswith("cve,epss")) and line:
                yield problem(f"{self.name}: {name}", f"a line that is no score was left out: {line[:80]}")
            first = first and line.startswith("#")


def _lines(stream: Readable) -> Iterator[str]:
    rest = b""
    while chunk := stream.read(_CHUNK):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode("ascii", "replace").rstrip("\r")
        rest = rest[:_MAX_LINE]
    if rest:
        yield rest.decode("ascii", "replace").rstrip("\r")
