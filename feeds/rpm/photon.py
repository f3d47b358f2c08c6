"""Photon OS: VMware's list of CVEs with the package versions that fix them, one record for each CVE.

Format: https://packages.broadcom.com/photon/photon_cve_metadata/: ``photon_versions.json`` (``{"branches": ["5.0"]}``)
and for each of them ``cve_data_photon5.0.json``: ``[{"cve_id": "CVE-…", "pkg": "curl", "cve_score": 7.5,
"res_ver": "8.16.0-1.ph5", "status": "Fixed"}]``, ``res_ver`` being ``NA`` where there is no fix. From a path also the
older OVAL definitions, ``com.vmware.phsa-photon3.xml``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from anchorecli.errors import FeedError
from anchorecli.feeds.base import Progress, Snapshot, from_path
from anchorecli.feeds.record import one_line
from anchorecli.feeds.rpm.oval import definitions
from anchorecli.feeds.rpm.several import fetch_files
from anchorecli.feeds.rpm.statements import Said, affected
from anchorecli.feeds.snapshot import problem, unpacked_name
from anchorecli.model import Advisory, FeedState, Problem, Severity, Statement
from anchorecli.values import dataclass

if TYPE_CHECKING:
    from anchorecli.net import Fetcher

_FILE = re.compile(r"photon(\d+\.\d+)\.json$")
_RELEASE = re.compile(r"(Photon(?: OS)? \d+(?:\.\d+)?) is installed")
_ID = re.compile(r"[A-Z]{3,10}-[\w-]*\d[\w-]*")
_BRANCH = re.compile(r"\d+\.\d+")
_STATEMENTS = {
    "fixed": Statement.AFFECTED,
    "unfixed": Statement.AFFECTED,
    "not fixed": Statement.AFFECTED,
    "affected": Statement.AFFECTED,
    "not affected": Statement.NOT_AFFECTED,
    "will not fix": Statement.WONT_FIX,
    "wont fix": Statement.WONT_FIX,
    "under investigation": Statement.UNDER_INVESTIGATION,
}
_NAMES = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM), (0.1, Severity.LOW))


@dataclass(frozen=True, slots=True)
class Photon:
    """Every branch of Photon OS that the list of branches names."""

    name: str = "photon"
    title: str = "Photon OS CVE metadata"
    url: str = "https://packages.broadcom.com/photon/photon_cve_metadata"
    attribution: str = "VMware Photon OS security advisories, github.com/vmware/photon"
    version: int = 1

    def fetch(self, fetcher: Fetcher, state: FeedState | None, url: str, progress: Progress) -> Snapshot | None:
        """The file of each branch."""
        base = url.rstrip("/")
        try:
            branches = json.loads(fetcher.text(f"{base}/photon_versions.json"))["branches"]
            names = [f"cve_data_photon{each}.json" for each in branches if _BRANCH.fullmatch(each)]
        except (ValueError, TypeError, KeyError) as error:
            raise FeedError(f"{base}/photon_versions.json lists no branches", hint="check the base URL") from error
        return fetch_files(fetcher, state, base, {name: f"{base}/{name}" for name in names}, progress)

    def open(self, path: Path) -> Snapshot:
        """Files of branches by their own names, or OVAL definitions."""
        return from_path(path)

    def parse(self, snapshot: Snapshot) -> Iterator[Advisory | Problem]:
        """One record for each CVE, over all branches."""
        gathered = _Gathered(self.name)
        for item in snapshot.streams(lambda name: "photon" in name):
            if isinstance(item, Problem):
                yield item
            elif unpacked_name(item[0]).endswith(".xml"):
                yield from gathered.definitions(*item)
            elif branch := _FILE.search(unpacked_name(item[0])):
                try:
                    entries = json.loads(item[1].read())
                    if not isinstance(entries, list):
                        raise ValueError("not a list")
                except (ValueError, OSError, RecursionError) as error:
                    raise FeedError(
                        f"{self.name}: {item[0]} cannot be read: {error}", hint="fetch or copy it again"
                    ) from error
                yield from gathered.entries(f"photon:{branch[1]}", entries)
        yield from gathered.advisories()


class _Head(NamedTuple):
    severity: Severity = Severity.UNKNOWN
    summary: str = ""
    published: str = ""
    modified: str = ""


class _Gathered:
    """Statements by vulnerability: the files list them by branch and package."""

    def __init__(self, feed: str) -> None:
        self._feed = feed
        self._rows: dict[str, dict[Said, None]] = {}
        self._heads: dict[str, _Head] = {}

    def entries(self, space: str, entries: list[Any]) -> Iterator[Problem]:
        """Take in the file of a branch."""
        for entry in entries:
            try:
                identifier, row, severity = _entry(space, entry)
            except ValueError as error:
                yield problem(f"{self._feed}: {space} {str(entry)[:80]}", str(error))
                continue
            self._rows.setdefault(identifier, {})[row] = None
            head = self._heads.get(identifier, _Head())
            self._heads[identifier] = head._replace(severity=max(head.severity, severity))

    def definitions(self, name: str, stream: Any) -> Iterator[Problem]:
        """Take in the OVAL file of a branch."""
        for found in definitions(self._feed, name, stream, _platform):
            if isinstance(found, Problem):
                yield found
                continue
            severity = Severity.parse(found.metadata.child("advisory").child("severity").text)
            for identifier in found.cves():
                head = self._heads.get(identifier, _Head(summary=found.title, published=found.date("issued")))
                self._heads[identifier] = head._replace(
                    severity=max(head.severity, severity), modified=max(head.modified, found.date("updated"))
                )
                rows = self._rows.setdefault(identifier, {})
                for claim in found.claims:
                    for platform in claim.platforms:
                        version = platform.rpartition(" ")[2]
                        space = f"photon:{version if '.' in version else version + '.0'}"
                        rows[Said(space, claim.package, Statement.AFFECTED, claim.fixed)] = None

    def advisories(self) -> Iterator[Advisory]:
        """What was gathered, sorted by id."""
        for identifier in sorted(self._rows):
            head = self._heads[identifier]
            statements = affected(self._rows.pop(identifier))
            yield Advisory(
                identifier,
                self._feed,
                severity=head.severity,
                summary=one_line(head.summary),
                url=f"https://nvd.nist.gov/vuln/detail/{identifier}" if identifier.startswith("CVE-") else "",
                published=head.published,
                modified=head.modified,
                affected=statements,
            )


def _platform(comment: str) -> str:
    found = _RELEASE.fullmatch(comment)
    return found[1] if found else ""


def _entry(space: str, entry: Any) -> tuple[str, Said, Severity]:
    """Raises: ValueError where it is not an entry."""
    if not isinstance(entry, dict):
        raise ValueError("not an object")
    identifier, package, status = entry.get("cve_id"), entry.get("pkg"), entry.get("status", "")
    fixed = entry.get("res_ver") or "NA"
    if not isinstance(identifier, str) or not _ID.fullmatch(identifier):
        raise ValueError("no usable cve_id")
    if not isinstance(package, str) or not package or not package.isprintable():
        raise ValueError("no usable pkg")
    if not isinstance(status, str) or not isinstance(fixed, str) or not fixed.isprintable():
        raise ValueError("status or res_ver is not text")
    statement = _STATEMENTS.get(status.lower() or "affected")
    if statement is None:
        raise ValueError(f"unknown status {status[:60]!r}")
    fixed = "" if fixed == "NA" or statement is not Statement.AFFECTED else fixed
    if status.lower() == "fixed" and not fixed:
        raise ValueError("fixed, but without a version")
    return identifier, Said(space, package, statement, fixed), _severity(entry.get("cve_score"))


def _severity(score: Any) -> Severity:
    if isinstance(score, bool) or not isinstance(score, int | float):
        return Severity.UNKNOWN
    return next((name for least, name in _NAMES if score >= least), Severity.UNKNOWN)
