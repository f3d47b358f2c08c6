"""Azure Linux and CBL-Mariner: Microsoft's OVAL definitions, one record for each CVE.

Definitions are about source packages. One that Microsoft marks ``Not Applicable`` never was or no longer is about the
package: a statement that it is not affected.

Format: OVAL 5.11 (see ``oval``), https://github.com/microsoft/AzureLinuxVulnerabilityData, a file for each release;
the release is told by the ending of the version (``.azl3``, ``.cm2``), else by the file's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from anchorecli.feeds.base import Progress, Snapshot, from_path
from anchorecli.feeds.record import one_line
from anchorecli.feeds.rpm.oval import Definition, definitions, moment
from anchorecli.feeds.rpm.several import fetch_files
from anchorecli.feeds.rpm.statements import Said, affected
from anchorecli.feeds.snapshot import problem
from anchorecli.model import Advisory, FeedState, Problem, Severity, Statement
from anchorecli.values import dataclass

if TYPE_CHECKING:
    from anchorecli.net import Fetcher

FILES = ("azurelinux-3.0-oval.xml", "cbl-mariner-2.0-oval.xml")
_ENDING = re.compile(r"\.(azl|cm)(\d+)$")
_FILE = re.compile(r"(azure-?linux|mariner)\D*(\d+\.\d+)")
_NAMES = {"azl": "azurelinux", "cm": "mariner", "azurelinux": "azurelinux", "mariner": "mariner"}
_CVE = re.compile(r"CVE-\d{4}-\d{4,}")


@dataclass(frozen=True, slots=True)
class AzureLinux:
    """Azure Linux 3 and CBL-Mariner 2."""

    name: str = "azurelinux"
    title: str = "Azure Linux and CBL-Mariner, OVAL"
    url: str = "https://raw.githubusercontent.com/microsoft/AzureLinuxVulnerabilityData/main"
    attribution: str = "Microsoft, github.com/microsoft/AzureLinuxVulnerabilityData (MIT)"
    version: int = 2

    def fetch(self, fetcher: Fetcher, state: FeedState | None, url: str, progress: Progress) -> Snapshot | None:
        """The file of each release."""
        base = url.rstrip("/")
        return fetch_files(fetcher, state, base, {name: f"{base}/{name}" for name in FILES}, progress)

    def open(self, path: Path) -> Snapshot:
        """The OVAL files of one release or several."""
        return from_path(path)

    def parse(self, snapshot: Snapshot) -> Iterator[Advisory | Problem]:
        """One record for each CVE: there is a definition for each of its packages."""
        gathered: dict[str, _Record] = {}
        for item in snapshot.streams(lambda name: ".xml" in name):
            if isinstance(item, Problem):
                yield item
                continue
            for found in definitions(self.name, *item, lambda comment: ""):
                if isinstance(found, Problem):
                    yield found
                    continue
                try:
                    identifier, rows = _rows(found, item[0])
                except ValueError as error:
                    yield problem(f"{self.name}: {found.id}", str(error))
                    continue
                gathered.setdefault(identifier, _Record()).take(found, rows)
        for identifier in sorted(gathered):
            yield gathered.pop(identifier).advisory(identifier, self.name)


class _Record:
    """What all definitions of a CVE say."""

    def __init__(self) -> None:
        self._rows: list[Said] = []
        self._dates: set[str] = set()
        self._summary = ""

    def take(self, found: Definition, rows: list[Said]) -> None:
        self._rows += rows
        self._summary = self._summary or found.metadata.child("description").text
        if date := moment(found.metadata.child("advisory_date").text):
            self._dates.add(date)

    def advisory(self, identifier: str, feed: str) -> Advisory:
        """The record of one CVE."""
        severity = max(row.severity for row in self._rows)
        rows = [row if row.severity != severity else row._replace(severity=Severity.UNKNOWN) for row in self._rows]
        return Advisory(
            identifier,
            feed,
            severity=severity,
            summary=one_line(self._summary),
            url=f"https://nvd.nist.gov/vuln/detail/{identifier}",
            published=min(self._dates, default=""),
            modified=max(self._dates, default=""),
            affected=affected(rows),
        )


def _rows(found: Definition, file: str) -> tuple[str, list[Said]]:
    """The CVE, and what is said of packages. Raises: ValueError where there is none, or no release is named."""
    identifier = next(iter(found.cves()), "") or next((each for _, each in found.references()), "")
    if not _CVE.fullmatch(identifier):
        raise ValueError("it names no CVE")
    severity = Severity.parse(found.metadata.child("severity").text)
    inapplicable = found.metadata.child("patchable").text.lower() == "not applicable"
    rows = []
    for claim in found.claims:
        space = _space(claim.fixed or claim.last or claim.introduced, file)
        if inapplicable:
            said = Said(space, claim.package, Statement.NOT_AFFECTED, severity=severity)
        else:
            beginning = "" if _is_zero(claim.introduced) else claim.introduced
            fixed, last = _last_branch(claim.fixed), _last_branch(claim.last)
            said = Said(space, claim.package, Statement.AFFECTED, fixed, beginning, last, severity=severity)
        rows.append(said)
    if not rows:
        raise ValueError("it names no package")
    return identifier, rows


def _last_branch(version: str) -> str:
    """Of ``0:1.17.13-2,1.18.8-2,1.21.6-1.azl3``, a fix for each branch, the last: what is newer is fixed for sure."""
    return re.sub(r"^(\d+:)?.*,", r"\1", version)


def _is_zero(version: str) -> bool:
    return version.rpartition(":")[2].strip("0.-") == ""


def _space(version: str, file: str) -> str:
    ending = _ENDING.search(version)
    if ending:
        return f"{_NAMES[ending[1]]}:{ending[2]}.0"
    named = _FILE.search(file.rpartition("/")[2].lower())
    if named is None:
        raise ValueError(f"neither {version!r} nor the file's name tells the release")
    return f"{_NAMES[named[1].replace('-', '')]}:{named[2]}"
