"""Red Hat Enterprise Linux, by Red Hat's VEX documents: fixed, affected, will not fix, not affected, for every CVE.

Fetched are the newest archive of all documents and those that have changed since. From a path the security data API's
JSON objects and the OVAL definitions (which Red Hat has ceased to update) are read as well.

Format: https://security.access.redhat.com/data/csaf/v2/vex/: ``archive_latest.txt`` names the archive,
``changes.csv`` and ``deletions.csv`` list ``"2023/cve-2023-6212.json","2024-08-04T10:17:22+00:00"``.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from anchorecli.errors import FeedError
from anchorecli.feeds import csaf
from anchorecli.feeds.base import Progress, Snapshot, from_path
from anchorecli.feeds.rpm import redhat_api, redhat_oval, redhat_vex
from anchorecli.feeds.rpm.several import known_tags
from anchorecli.feeds.snapshot import from_downloads, problem, unpacked_name
from anchorecli.model import Advisory, FeedState, Problem
from anchorecli.values import dataclass

if TYPE_CHECKING:
    from anchorecli.net import Download, Fetcher

MAX_CHANGED = 20_000
"""Documents fetched one by one; where more have changed than that the archive is too old to be of use."""
_ARCHIVE = re.compile(r"[\w.-]*\d{4}-\d\d-\d\d[\w.-]*\.tar\.\w+|[\w.-]+\.tar\.\w+", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_DOCUMENT = re.compile(r"\d{4}/cve-\d{4}-\d{4,}\.json", re.ASCII)
_DELETIONS = "deletions.csv"


@dataclass(frozen=True, slots=True)
class Redhat:
    """All of Red Hat's VEX documents."""

    name: str = "redhat"
    title: str = "Red Hat Enterprise Linux, CSAF VEX"
    url: str = "https://security.access.redhat.com/data/csaf/v2/vex"
    attribution: str = "Red Hat Product Security, security.access.redhat.com (CC-BY-4.0)"
    version: int = 3

    def fetch(self, fetcher: Fetcher, state: FeedState | None, url: str, progress: Progress) -> Snapshot | None:
        """The archive, and what has changed or gone since the day it was made."""
        base = url.rstrip("/")
        tag = known_tags(state, base).get("changes.csv", "")
        changes = fetcher.download(f"{base}/changes.csv", etag=tag)
        if changes is None:
            return None
        with changes.file as file:
            listed = _rows(file.read().decode("utf-8", "replace"))
        archive = fetcher.text(f"{base}/archive_latest.txt").strip()
        if not _ARCHIVE.fullmatch(archive):
            raise FeedError(f"{base}/archive_latest.txt names no archive", hint="check the base URL")
        day = _DAY.search(archive)
        # The archive is made during the day in its name: what changed on that day may be in it or not.
        newer = [path for path, when in listed if day is None or when[:10] >= day[0]] if day else []
        if len(newer) > MAX_CHANGED:
            raise FeedError(f"{base}: {len(newer)} documents are newer than {archive}", hint="try again later")
        parts = _downloaded(fetcher, base, archive, newer, progress)
        return from_downloads(base, parts, json.dumps({"changes.csv": changes.etag}))

    def open(self, path: Path) -> Snapshot:
        """A document, an archive of them, or a mirror's folder; also the API's objects and OVAL definitions."""
        return from_path(path, order=_place)

    def parse(self, snapshot: Snapshot) -> Iterator[Advisory | Problem]:
        """One record for each CVE; for an erratum in OVAL one that bundles its CVEs."""
        reading = _Reading(self.name)
        for item in snapshot.streams(_wanted):
            if isinstance(item, Problem):
                yield item
            elif unpacked_name(item[0]).endswith(".xml"):
                yield from reading.definitions.read(*item)
            else:
                try:
                    data = item[1].read()
                except (ValueError, OSError) as error:
                    yield problem(f"{self.name}: {item[0]}", str(error))
                    continue
                yield from reading.document(item[0], data)
        yield from reading.definitions.advisories()


def _place(name: str) -> tuple[int, str]:
    """Where in a mirror's folder a file is read: single documents are newer than the archive."""
    if name.endswith(_DELETIONS):
        return 0, name
    return 2 if ".tar" in name else 1, name


def _wanted(name: str) -> bool:
    name = unpacked_name(name)
    # The API's objects are often kept under the bare name of the CVE.
    return name.endswith((".json", ".xml", _DELETIONS)) or Path(name).name.upper().startswith("CVE-")


def _rows(text: str) -> list[tuple[str, str]]:
    """Path and time of each line; lines of another form are left out."""
    found = []
    for row in csv.reader(text.splitlines()):
        if len(row) >= 2 and _DOCUMENT.fullmatch(row[0]):
            found.append((row[0], csaf.time(row[1])))
    return found


def _downloaded(fetcher: Fetcher, base: str, archive: str, newer: list[str], progress: Progress) -> dict[str, Download]:
    """The parts, named so that they are read in the order of ``_place``."""
    parts: dict[str, Download] = {}
    files = {f"0/{_DELETIONS}": _DELETIONS, **{f"1/{path}": path for path in newer}, f"2/{archive}": archive}
    try:
        for number, (name, path) in enumerate(files.items(), 1):
            # A document may go between the list and the question.
            found = fetcher.download(f"{base}/{path}", missing_ok=path != archive)
            if found is not None:
                parts[name] = found
            progress("download", number, len(files))
    except BaseException:
        for part in parts.values():
            part.file.close()
        raise
    return parts


class _Reading:
    """One walk over a snapshot: the first of several documents of a name holds."""

    def __init__(self, feed: str) -> None:
        self._feed = feed
        self._seen: set[str] = set()
        self._deleted: dict[str, str] = {}
        self.definitions = redhat_oval.Definitions(feed)

    def document(self, name: str, data: bytes) -> Iterator[Advisory | Problem]:
        """The records in a JSON file."""
        if name.endswith(_DELETIONS):
            self._deleted |= dict(_rows(data.decode("utf-8", "replace")))
            return
        key = "/".join(unpacked_name(name).split("/")[-2:])
        if _DOCUMENT.fullmatch(key) and key in self._seen:
            return
        self._seen.add(key)
        try:
            # The API's objects are small; a VEX document is not parsed twice to find that out.
            if b'"csaf_version"' in data[:4096] or b'"document"' in data[:4096]:
                document = csaf.read(data)
                if document.modified >= self._deleted.get(key, ""):
                    yield from redhat_vex.read(document, self._feed)
                return
            content = json.loads(data)
            if not redhat_api.is_record(content):
                raise ValueError("neither a VEX document nor a record of the security data API")
            yield from redhat_api.read(content, self._feed)
        except (ValueError, RecursionError) as error:
            reason = str(error) if isinstance(error, ValueError) else "nested too deep"
            yield problem(f"{self._feed}: {name}", _plain(error) or reason)


def _plain(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    return f"not JSON: {error.msg} at byte {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
