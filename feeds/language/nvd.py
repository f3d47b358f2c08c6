"""The National Vulnerability Database: CVEs with their scores, weaknesses and the products they are in, by CPE.

Upstream's files by year are fetched whole once; from then on the file of the last eight days, and where more time has
passed the files again. Where the base URL is that of the API (it ends in ``cves/2.0``), CVEs modified since the last
time are asked for, page by page, with the pauses that NVD asks of those without a key. Such a part leaves what it does
not name as it was.

Anchore's corrections (github.com/anchore/nvd-data-overrides) replace what a CVE says of products. They are fetched with
each part, too: from the base URL of a mirror as ``nvd-data-overrides.tar.gz``.

Format: https://nvd.nist.gov/vuln/data-feeds, ``<base>/nvdcve-2.0-YYYY.json.gz`` and ``-modified``; https://nvd.nist.gov/
developers/vulnerabilities, both ``{"vulnerabilities": [{"cve": {"id": …}}]}``. Overrides: ``data/YYYY/CVE-….json``,
``{"_annotation": {"cve_id": …}, "cve": {"configurations": […]}}``. From a path any of them, and a file for each CVE.
Not handled: an API key.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anchorecli.errors import FeedError
from anchorecli.feeds.base import Progress, Snapshot, from_path
from anchorecli.feeds.json_stream import elements
from anchorecli.feeds.language.cpe_match import spoken_of, statements
from anchorecli.feeds.language.nvd_record import ID, MAX_SUMMARY, read
from anchorecli.feeds.osv import reason
from anchorecli.feeds.record import one_line
from anchorecli.feeds.snapshot import from_downloads, problem
from anchorecli.model import Advisory, Affected, FeedState, Problem
from anchorecli.values import dataclass, replace

if TYPE_CHECKING:
    from anchorecli.net import Download, Fetcher

FIRST_YEAR = 2002
PAGE = 2000
OVERRIDES = "https://codeload.github.com/anchore/nvd-data-overrides/tar.gz/refs/heads/main"
_OVERRIDES_NAME = "nvd-data-overrides.tar.gz"
_BASE = "https://nvd.nist.gov/feeds/json/cve/2.0"
_MODIFIED_DAYS = 7
"""The file of the last changes holds eight days."""
_API_DAYS = 120
_OVERLAP = timedelta(hours=2)
"""Clocks differ, and a CVE may be published under a time that had passed."""
_SINGLE = re.compile(r"(?:^|/)CVE-\d{4}-\d{4,}\.json$")
_TOTAL = re.compile(rb'"totalResults"\s*:\s*(\d{1,9})')


@dataclass(frozen=True, slots=True)
class Nvd:
    """Every CVE; ``pause`` are the seconds between two requests to the API."""

    name: str = "nvd"
    title: str = "National Vulnerability Database (CPE matches, scores)"
    url: str = _BASE
    attribution: str = "This product uses the NVD API but is not endorsed or certified by the NVD; overrides CC0-1.0"
    version: int = 1
    pause: float = 6.0

    def fetch(self, fetcher: Fetcher, state: FeedState | None, url: str, progress: Progress) -> Snapshot | None:
        """The files of all years or the last changes, or the same from the API; and the corrections."""
        base = url.rstrip("/")
        same = state if state is not None and state.url == base and state.source_date else None
        age = _age(same.source_date) if same else None
        if base.endswith("cves/2.0"):
            since = same.source_date if same and age is not None and age < timedelta(days=_API_DAYS - 1) else ""
            parts = self._pages(fetcher, base, since, progress)
            return self._with_overrides(fetcher, base, parts, partial=bool(since)) if parts else None
        if same and age is not None and age < timedelta(days=_MODIFIED_DAYS):
            found = fetcher.download(f"{base}/nvdcve-2.0-modified.json.gz", etag=same.etag)
            if found is None:
                return None
            parts = {"modified.json.gz": found}
            return self._with_overrides(fetcher, base, parts, partial=True, etag=found.etag)
        return self._with_overrides(fetcher, base, self._years(fetcher, base, progress), partial=False)

    def open(self, path: Path) -> Snapshot:
        """Files by year, pages of the API, single CVEs, corrections: a file, or a folder, zip or tar of them."""
        return from_path(path)

    def parse(self, snapshot: Snapshot) -> Iterator[Advisory | Problem]:
        """Every CVE, with the corrections among the files; those of CVEs that are not there are records themselves."""
        patches: dict[str, tuple[Advisory, tuple[Affected, ...]]] = {}
        singles = False
        for name, document in self._singles(snapshot):
            if isinstance(document, Problem):
                yield document
            elif "_annotation" in document:
                try:
                    if patch := _override(document, self.name):
                        patches[patch.id] = patch, patch.affected[:-1]
                except ValueError as error:
                    yield problem(f"{self.name}: {name}", reason(error))
            else:
                singles = True
        for cve in self._cves(snapshot, singles=singles):
            if isinstance(cve, Problem):
                yield cve
                continue
            subject, value = cve
            try:
                _, patched = patches.pop(_id(value), (None, None))
                yield read(value, self.name, patched)
            except (ValueError, AttributeError, TypeError) as error:
                yield problem(f"{self.name}: {subject}", str(error))
        if not snapshot.partial:
            yield from (advisory for advisory, _ in patches.values())

    def _singles(self, snapshot: Snapshot) -> Iterator[tuple[str, dict[str, Any] | Problem]]:
        """The files of one CVE each."""
        for member in snapshot.members(lambda name: _SINGLE.search(name) is not None):
            if isinstance(member, Problem):
                yield "", member
                continue
            try:
                document = json.loads(member[1])
                if not isinstance(document, dict):
                    raise ValueError("not a JSON object")
            except (ValueError, RecursionError) as error:
                yield member[0], problem(f"{self.name}: {member[0]}", reason(error))
                continue
            yield member[0], document

    def _cves(self, snapshot: Snapshot, *, singles: bool) -> Iterator[tuple[str, Any] | Problem]:
        for item in snapshot.streams(lambda name: _SINGLE.search(name) is None and ".json" in name):
            if isinstance(item, Problem):
                yield item
                continue
            name, stream = item
            try:
                for each in elements(stream, "vulnerabilities"):
                    yield name, each.get("cve") if isinstance(each, dict) else each
            except ValueError as error:
                yield problem(f"{self.name}: {name}", str(error))
        for name, document in self._singles(snapshot) if singles else ():
            if isinstance(document, dict) and "_annotation" not in document:
                yield name, document.get("cve", document)

    def _years(self, fetcher: Fetcher, base: str, progress: Progress) -> dict[str, Download]:
        parts: dict[str, Download] = {}
        last = datetime.now(UTC).year
        for year in range(FIRST_YEAR, last + 1):
            found = fetcher.download(f"{base}/nvdcve-2.0-{year}.json.gz", missing_ok=year == last)
            if found is not None:
                parts[f"nvdcve-2.0-{year}.json.gz"] = found
            progress("download", year - FIRST_YEAR + 1, last - FIRST_YEAR + 1)
        return parts

    def _pages(self, fetcher: Fetcher, base: str, since: str, progress: Progress) -> dict[str, Download]:
        """All CVEs, or those modified since a moment; nothing where none was."""
        window = ""
        if since:
            start, end = datetime.fromisoformat(since) - _OVERLAP, datetime.now(UTC)
            window = f"&lastModStartDate={_query_time(start)}&lastModEndDate={_query_time(end)}"
        parts: dict[str, Download] = {}
        place, total = 0, 1
        while place < total:
            if place:
                time.sleep(self.pause)
            found = fetcher.download(f"{base}?resultsPerPage={PAGE}&startIndex={place}{window}")
            assert found is not None  # noqa: S101 - nothing was asked conditionally
            total = _total(found)
            if since and not total:
                found.file.close()
                return {}
            parts[f"{place:09}.json"] = found
            place += PAGE
            progress("download", min(place, total), total)
        return parts

    def _with_overrides(
        self, fetcher: Fetcher, base: str, parts: dict[str, Download], *, partial: bool, etag: str = ""
    ) -> Snapshot:
        """The CVEs with the corrections; a mirror may be without, and without them the rest is still worth having."""
        problems: tuple[Problem, ...] = ()
        try:
            url = OVERRIDES if base == _BASE else f"{base}/{_OVERRIDES_NAME}"
            found = fetcher.download(url, missing_ok=base != _BASE)
            if found is not None:
                parts = {**parts, _OVERRIDES_NAME: found}
        except FeedError as error:
            problems = (problem(f"{self.name}: corrections", error.message),)
        return replace(from_downloads(base, parts, etag, problems), partial=partial)


def _override(document: dict[str, Any], feed: str) -> Advisory | None:
    """A correction as a record of its own, of what its CVE is about and which products that is in; None where it was
    taken back."""
    note, cve = document["_annotation"], document.get("cve")
    identifier = note.get("cve_id") if isinstance(note, dict) else None
    if not isinstance(identifier, str) or not ID.fullmatch(identifier) or not isinstance(cve, dict):
        raise ValueError("a correction of no CVE")
    if "configurations" not in cve:
        return None
    text = note.get("description")
    return Advisory(
        identifier,
        feed,
        summary=one_line(text, MAX_SUMMARY) if isinstance(text, str) else "",
        url=f"https://nvd.nist.gov/vuln/detail/{identifier}",
        affected=(*statements(cve["configurations"]), spoken_of(identifier)),
    )


def _id(cve: Any) -> str:
    return str(cve.get("id", "")) if isinstance(cve, dict) else ""


def _total(page: Download) -> int:
    """How many CVEs there are in all, as the first bytes of a page say. Raises: FeedError."""
    found = _TOTAL.search(page.file.read(4096))
    page.file.seek(0)
    if found is None:
        raise FeedError(f"{page.url} is no page of the NVD's API", hint="check the base URL of nvd")
    return int(found[1])


def _age(moment: str) -> timedelta | None:
    try:
        return datetime.now(UTC) - datetime.fromisoformat(moment)
    except (ValueError, TypeError):
        return None


def _query_time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
