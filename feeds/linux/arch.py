"""Arch Linux's security tracker: groups of vulnerabilities (AVG) that one version of some packages has or fixed.

Records: one advisory for each vulnerability, since the other distributions are read so; the group and its advisories
(ASA) are other names of it. A group without vulnerabilities by name is a record of its own. ``affected`` of a group is
the version in which a flaw was noticed, not the first one that has it, and is not used as a bound.

Format: https://security.archlinux.org/all.json, a list of ``{"name": "AVG-9", "packages": ["curl"], "status": "Fixed",
"severity": "High", "affected": "8.4.0-1", "fixed": "8.5.0-1", "issues": ["CVE-2023-1"], "advisories": ["ASA-…"]}``;
also one object in a file of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from sys import intern
from typing import TYPE_CHECKING, Any, NamedTuple

from anchorecli.errors import FeedError
from anchorecli.feeds.base import Progress, Snapshot, fetch_one, from_path
from anchorecli.feeds.record import one_line
from anchorecli.feeds.snapshot import problem
from anchorecli.model import Advisory, Affected, FeedState, Problem, Range, Severity, Statement
from anchorecli.values import dataclass

if TYPE_CHECKING:
    from anchorecli.net import Fetcher

SPACE = "arch"
_ID = re.compile(r"[A-Z]{2,8}-[\w.-]{1,60}", re.ASCII)
_STATEMENTS = {
    "Vulnerable": Statement.AFFECTED,
    "Testing": Statement.AFFECTED,
    "Fixed": Statement.AFFECTED,
    "Not affected": Statement.NOT_AFFECTED,
    "Unknown": Statement.UNDER_INVESTIGATION,
}
"""By a group's status. What is fixed in the testing repository alone has its version all the same."""


class _Row(NamedTuple):
    """What a group says of one package."""

    package: str
    statement: Statement
    fixed: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class Arch:
    """The whole tracker."""

    name: str = "arch"
    title: str = "Arch Linux security tracker"
    url: str = "https://security.archlinux.org/all.json"
    attribution: str = "Arch Linux security tracker, security.archlinux.org"
    version: int = 1

    def fetch(self, fetcher: Fetcher, state: FeedState | None, url: str, progress: Progress) -> Snapshot | None:
        """The tracker's list of groups, of about a megabyte."""
        return fetch_one(fetcher, state, url, progress)

    def open(self, path: Path) -> Snapshot:
        """The list as a file, also compressed, or a folder, zip or tar with it, or with a file for each group."""
        return from_path(path)

    def parse(self, snapshot: Snapshot) -> Iterator[Advisory | Problem]:
        """One advisory for each vulnerability."""
        gathered = _Gathered(self.name)
        for member in snapshot.members(lambda name: ".json" in name or name == "all"):
            if isinstance(member, Problem):
                yield member
                continue
            name, data = member
            try:
                groups = json.loads(data)
            except (ValueError, RecursionError) as error:
                raise FeedError(
                    f"{self.name}: {name} is not the tracker's list: {error}", hint="fetch or copy it again"
                ) from error
            yield from gathered.read(name, groups if isinstance(groups, list) else [groups])
        yield from gathered.advisories()


class _Gathered:
    """Statements by vulnerability: the tracker lists them by group."""

    def __init__(self, feed: str) -> None:
        self._feed = feed
        self._rows: dict[str, list[_Row]] = {}
        self._names: dict[str, dict[str, None]] = {}
        self._summaries: dict[str, str] = {}

    def read(self, name: str, groups: list[Any]) -> Iterator[Problem]:
        """Take in the groups of one file."""
        for group in groups:
            title = group.get("name") if isinstance(group, dict) else None
            try:
                self._group(group)
            except ValueError as error:
                yield problem(f"{self._feed}: {title if isinstance(title, str) else name}", str(error))

    def _group(self, group: Any) -> None:
        """Raises: ValueError where it is not a group."""
        if not isinstance(group, dict) or not _is_id(group.get("name")):
            raise ValueError("not a group")
        rows = _rows(group)
        issues = _ids(group, "issues") or [group["name"]]
        others = [group["name"], *_ids(group, "advisories")]
        kind = group.get("type")
        for identifier in issues:
            self._rows.setdefault(identifier, []).extend(rows)
            self._names.setdefault(identifier, {}).update(dict.fromkeys(others))
            if isinstance(kind, str) and kind != "unknown":
                self._summaries.setdefault(identifier, one_line(f"{', '.join(group['packages'])}: {kind}"))

    def advisories(self) -> Iterator[Advisory]:
        """What was gathered, sorted by id."""
        for identifier in sorted(self._rows):
            yield Advisory(
                identifier,
                self._feed,
                aliases=tuple(each for each in sorted(self._names[identifier]) if each != identifier),
                summary=self._summaries.get(identifier, ""),
                url=f"https://security.archlinux.org/{identifier}",
                affected=tuple(_statements(self._rows.pop(identifier))),
            )


def _rows(group: dict[str, Any]) -> list[_Row]:
    """Raises: ValueError where a field is not what the tracker writes."""
    statement = _STATEMENTS.get(str(group.get("status")))
    if statement is None:
        raise ValueError(f"unknown status {group.get('status')!r}")
    fixed = group.get("fixed") or ""
    if not isinstance(fixed, str) or not fixed.isprintable():
        raise ValueError("fixed is not a version")
    if not fixed and group["status"] in ("Fixed", "Testing"):
        raise ValueError("fixed, but without the version")
    packages = group.get("packages")
    if not isinstance(packages, list) or not packages or not all(_is_line(each) for each in packages):
        raise ValueError("no packages")
    severity = Severity.parse(str(group.get("severity", "")))
    return [_Row(intern(each), statement, fixed, severity) for each in packages]


def _statements(rows: list[_Row]) -> Iterator[Affected]:
    """One statement for a package in several groups.

    What a group says is affected is so, whatever another says: a fix that was not whole has a second group.
    """
    by_package: dict[str, list[_Row]] = {}
    for row in rows:
        by_package.setdefault(row.package, []).append(row)
    for package, found in sorted(by_package.items()):
        statement = min((row.statement for row in found), key=_WEIGHT.index)
        said = [row for row in found if row.statement is statement]
        open_ended = statement is Statement.NOT_AFFECTED or not all(row.fixed for row in said)
        bounds = () if open_ended else tuple(dict.fromkeys(row.fixed for row in said))
        yield Affected(
            SPACE,
            package,
            "pacman",
            statement=statement,
            ranges=tuple(Range(fixed=bound) for bound in bounds),
            severity=max(row.severity for row in said),
        )


_WEIGHT = (Statement.AFFECTED, Statement.UNDER_INVESTIGATION, Statement.NOT_AFFECTED)


def _ids(group: dict[str, Any], name: str) -> list[str]:
    found = group.get(name) or []
    if not isinstance(found, list) or not all(_is_id(each) for each in found):
        raise ValueError(f"{name} holds something other than ids")
    return found


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _is_line(value: Any) -> bool:
    return isinstance(value, str) and value != "" and value.isprintable()
