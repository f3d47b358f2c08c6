"""CISA's catalog of known exploited vulnerabilities.

Format: https://www.cisa.gov/known-exploited-vulnerabilities-catalog and the JSON schema linked there,
``{"catalogVersion": …, "dateReleased": …, "vulnerabilities": [{"cveID": "CVE-2025-48384", "dateAdded": "2025-08-25",
"dueDate": "2025-09-15", "knownRansomwareCampaignUse": "Unknown", "vulnerabilityName": …}]}``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anchorecli.feeds.base import Progress, Snapshot, fetch_one, from_path
from anchorecli.feeds.enrichment import note
from anchorecli.feeds.record import one_line
from anchorecli.feeds.snapshot import problem
from anchorecli.model import Advisory, FeedState, Problem
from anchorecli.values import dataclass

if TYPE_CHECKING:
    from anchorecli.net import Fetcher

_CVE = re.compile(r"CVE-\d{4}-\d{4,}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Kev:
    """The whole catalog, one file."""

    name: str = "kev"
    title: str = "CISA known exploited vulnerabilities"
    url: str = "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json"
    attribution: str = "CISA Known Exploited Vulnerabilities Catalog (CC0-1.0)"
    version: int = 1

    def fetch(self, fetcher: Fetcher, state: FeedState | None, url: str, progress: Progress) -> Snapshot | None:
        """The catalog, of about 2 MB."""
        return fetch_one(fetcher, state, url, progress)

    def open(self, path: Path) -> Snapshot:
        """The catalog's JSON file, or a folder or zip with it."""
        return from_path(path)

    def parse(self, snapshot: Snapshot) -> Iterator[Advisory | Problem]:
        """One note for each CVE: day added, day due, and whether ransomware is known to use it."""
        for member in snapshot.members(lambda name: ".json" in name and "schema" not in name):
            if isinstance(member, Problem):
                yield member
                continue
            yield from self._catalog(*member)

    def _catalog(self, name: str, data: bytes) -> Iterator[Advisory | Problem]:
        subject = f"{self.name}: {name}"
        try:
            document = json.loads(data)
            entries = document["vulnerabilities"]
            released = str(document.get("dateReleased", ""))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            yield problem(subject, "is not the catalog: a JSON object with vulnerabilities is expected")
            return
        for entry in entries if isinstance(entries, list) else ():
            found = self._entry(entry, released)
            yield (
                found
                if found
                else problem(subject, f"an entry without a CVE or a date was left out: {str(entry)[:80]}")
            )

    def _entry(self, entry: Any, released: str) -> Advisory | None:
        if not isinstance(entry, dict):
            return None
        cve, added = str(entry.get("cveID", "")).strip(), str(entry.get("dateAdded", ""))[:10]
        due = str(entry.get("dueDate", ""))[:10]
        if not _CVE.fullmatch(cve) or not _DAY.fullmatch(added):
            return None
        ransomware = str(entry.get("knownRansomwareCampaignUse", "")).strip().lower() == "known"
        values = (added, due if _DAY.fullmatch(due) else "", "ransomware" if ransomware else "")
        summary = one_line(str(entry.get("vulnerabilityName", "")))
        return note(self.name, "kev", cve, *values, modified=_moment(released), summary=summary)


def _moment(text: str) -> str:
    """``2025-08-25T17:04:19.9796Z`` to the second; empty for anything else."""
    return f"{text[:19]}Z" if re.match(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}", text) else ""
