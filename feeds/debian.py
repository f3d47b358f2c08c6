"""The Debian security tracker: for every source package and release, what is fixed, open, harmless or ignored.

Format: https://security-tracker.debian.org/tracker/data/json, ``{"bash": {"CVE-2022-3715": {"releases": {"bookworm":
{"status": "resolved", "fixed_version": "5.2-1", "urgency": "low"}}}}}``; the meaning of the fields is in the
tracker's own introduction, https://security-team.debian.org/security_tracker.html. From a path also the lists of
advisories beside it (``feeds.linux.debian_lists``), whose names the vulnerabilities then have too.

Statements: ``resolved`` with a version is affected below it, with version 0 not affected at all. ``open`` is affected;
``ignored`` and ``end-of-life`` say that no fix will come, while ``postponed`` and no-dsa leave it to a point release.
``undetermined`` is under investigation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from sys import intern
from typing import TYPE_CHECKING, Any, NamedTuple

from anchorecli.errors import FeedError
from anchorecli.feeds.base import Progress, Snapshot, fetch_one, from_path
from anchorecli.feeds.json_stream import items
from anchorecli.feeds.linux import debian_lists
from anchorecli.feeds.record import one_line
from anchorecli.feeds.snapshot import Readable, problem
from anchorecli.model import Advisory, Affected, FeedState, Problem, Range, Severity, Statement
from anchorecli.values import dataclass

if TYPE_CHECKING:
    from anchorecli.net import Fetcher

RELEASES = {
    "wheezy": "7",
    "jessie": "8",
    "stretch": "9",
    "buster": "10",
    "bullseye": "11",
    "bookworm": "12",
    "trixie": "13",
    "forky": "14",
    "duke": "15",
    "sid": "unstable",
}
"""Code names and the version that os-release and our namespaces use."""

_EXPORT = re.compile(r"json(?:\.|$)|.*(?:debian|tracker).*\.json")
_SETTINGS = frozenset({"config.json", "distributions.json"})
"""What else is JSON in the tracker's own tree."""
_MAX_TEXT = 1200
_NOT_AFFECTED = "0"
_GIVEN_UP = ("ignored",)
"""Values of nodsa_reason after which no fix will come; postponed ones may come with a point release."""


class _Row(NamedTuple):
    """What the tracker says of one package in one release; tuples, since there are 400,000."""

    package: str
    release: str
    statement: Statement
    fixed: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class Debian:
    """The tracker's whole export."""

    name: str = "debian"
    title: str = "Debian security tracker"
    url: str = "https://security-tracker.debian.org/tracker/data/json"
    attribution: str = "Debian security tracker, security-tracker.debian.org (data under the Expat licence)"
    version: int = 2

    def fetch(self, fetcher: Fetcher, state: FeedState | None, url: str, progress: Progress) -> Snapshot | None:
        """The export, in one file of about 70 MB."""
        return fetch_one(fetcher, state, url, progress)

    def open(self, path: Path) -> Snapshot:
        """The export as a file, also compressed, or a folder, zip or tar with it and the tracker's lists."""
        return from_path(path)

    def parse(self, snapshot: Snapshot) -> Iterator[Advisory | Problem]:
        """One advisory for each CVE (or TEMP id), with its statements about all packages and releases."""
        gathered = _Gathered()
        for item in snapshot.streams():
            if isinstance(item, Problem):
                yield item
            elif debian_lists.is_list(item[0]):
                yield from gathered.note(*item)
            elif not _is_other(item[0]):
                yield from gathered.read(*item)
        yield from gathered.advisories(self.name)


def _is_other(name: str) -> bool:
    """Whether a member is a file of the tracker's tree that is neither the export nor a list of advisories.

    The export may be called anything where it comes alone; in a tree it is called as upstream calls it.
    """
    folder, _, file = name.rpartition("/")
    return file in _SETTINGS or (bool(folder) and not _EXPORT.match(file))


class _Gathered:
    """Statements by vulnerability: the tracker lists them by package."""

    def __init__(self) -> None:
        self._rows: dict[str, list[_Row]] = {}
        self._summaries: dict[str, str] = {}
        self._unknown: set[str] = set()
        self._announced: dict[str, dict[str, None]] = {}

    def note(self, name: str, stream: Readable) -> Iterator[Problem]:
        """Take in a list of advisories."""
        try:
            for cve, advisory in debian_lists.read(stream.read()):
                self._announced.setdefault(cve, {})[advisory] = None
        except ValueError as error:
            yield problem(f"debian: {name}", str(error))

    def read(self, name: str, stream: Readable) -> Iterator[Problem]:
        """Take in one export. Raises: FeedError where it is not one, or cut off."""
        try:
            for package, entries in items(stream):
                if not isinstance(entries, dict) or not package.isprintable() or not package:
                    yield problem(f"debian: {package!r}", "not a package with its vulnerabilities")
                    continue
                package = intern(package)
                for identifier, entry in entries.items():
                    yield from self._vulnerability(package, identifier, entry)
        except (ValueError, OSError) as error:
            raise FeedError(
                f"debian: {name} is not the security tracker's export: {error}", hint="fetch or copy it again"
            ) from error
        for release in sorted(self._unknown):
            yield problem(f"debian: {release}", "a release this version does not know; left out", incomplete=False)

    def _vulnerability(self, package: str, identifier: str, entry: Any) -> Iterator[Problem]:
        releases = entry.get("releases") if isinstance(entry, dict) else None
        if not isinstance(releases, dict) or not identifier.isprintable() or not identifier:
            yield problem(f"debian: {package} {identifier!r}", "no releases")
            return
        description = entry.get("description")
        if isinstance(description, str) and identifier not in self._summaries:
            self._summaries[identifier] = one_line(description[:_MAX_TEXT])
        for release, said in releases.items():
            number = RELEASES.get(release)
            if number is None:
                self._unknown.add(release)
                continue
            try:
                row = _row(package, number, said)
            except ValueError as error:
                yield problem(f"debian: {package} {identifier} {release}", str(error))
                continue
            self._rows.setdefault(identifier, []).append(row)

    def advisories(self, feed: str) -> Iterator[Advisory]:
        """What was gathered, sorted by id; rows are given back as they are used."""
        for identifier in sorted(self._rows):
            rows = sorted(set(self._rows.pop(identifier)), key=lambda row: (row.package, row.release))
            yield Advisory(
                identifier,
                feed,
                aliases=tuple(sorted(self._announced.get(identifier, ()))),
                summary=self._summaries.get(identifier, ""),
                url=f"https://security-tracker.debian.org/tracker/{identifier}",
                affected=tuple(_affected(row) for row in rows),
            )


def _row(package: str, release: str, said: Any) -> _Row:
    """Raises: ValueError where the status is none of the tracker's."""
    if not isinstance(said, dict):
        raise ValueError("not a status")
    status, fixed, urgency = said.get("status"), said.get("fixed_version", ""), said.get("urgency", "")
    if not isinstance(fixed, str) or not isinstance(urgency, str) or not fixed.isprintable():
        raise ValueError("fixed_version or urgency is not text")
    # Two stars mark an urgency that was set by a program rather than a person.
    severity = Severity.parse(urgency.rstrip("*"))
    if status == "resolved":
        if not fixed:
            raise ValueError("resolved, but without a fixed version")
        if fixed == _NOT_AFFECTED:
            return _Row(package, release, Statement.NOT_AFFECTED, "", severity)
        return _Row(package, release, Statement.AFFECTED, intern(fixed), severity)
    if status == "open":
        # End of life says that the release gets no more support for this package.
        given_up = said.get("nodsa_reason") in _GIVEN_UP or urgency == "end-of-life"
        return _Row(package, release, Statement.WONT_FIX if given_up else Statement.AFFECTED, "", severity)
    if status == "undetermined":
        return _Row(package, release, Statement.UNDER_INVESTIGATION, "", severity)
    raise ValueError(f"unknown status {status!r}")


def _affected(row: _Row) -> Affected:
    return Affected(
        ecosystem=intern(f"debian:{row.release}"),
        package=row.package,
        scheme="deb",
        statement=row.statement,
        ranges=(Range(fixed=row.fixed),) if row.fixed else (),
        severity=row.severity,
    )
