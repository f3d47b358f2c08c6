"""What Ubuntu says of one package in one release and channel, and the statements that follow from it.

A release has its own archive, open to everybody, and Expanded Security Maintenance (ESM) beside it, for subscribers.
``ubuntu:22.04`` is the first, ``ubuntu:22.04+esm`` what the second adds. A fix for subscribers is no fix for others:
where only ESM speaks of a package, everybody else's has the flaw and no fix, and what ESM fixed has it no longer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from sys import intern
from typing import NamedTuple

from anchorecli.model import Affected, Range, Severity, Statement

_CODENAMES: Mapping[str, str] = {
    "precise": "12.04",
    "trusty": "14.04",
    "xenial": "16.04",
    "bionic": "18.04",
    "focal": "20.04",
    "jammy": "22.04",
    "kinetic": "22.10",
    "lunar": "23.04",
    "mantic": "23.10",
    "noble": "24.04",
    "oracular": "24.10",
    "plucky": "25.04",
    "questing": "25.10",
    "resolute": "26.04",
    # Releases long over that the tracker still lists.
    "dapper": "6.06",
    "edgy": "6.10",
    "feisty": "7.04",
    "gutsy": "7.10",
    "hardy": "8.04",
    "intrepid": "8.10",
    "jaunty": "9.04",
    "karmic": "9.10",
    "lucid": "10.04",
    "maverick": "10.10",
    "natty": "11.04",
    "oneiric": "11.10",
    "quantal": "12.10",
    "raring": "13.04",
    "saucy": "13.10",
    "utopic": "14.10",
    "vivid": "15.04",
    "wily": "15.10",
    "yakkety": "16.10",
    "zesty": "17.04",
    "artful": "17.10",
    "cosmic": "18.10",
    "disco": "19.04",
    "eoan": "19.10",
    "groovy": "20.10",
    "hirsute": "21.04",
    "impish": "21.10",
}
_NOWHERE = frozenset({"upstream", "devel"})
"""What the tracker says beside releases: of the source itself, and of the release in the making."""
_SERIES = re.compile(r"[a-z]+", re.ASCII)
ESM = "+esm"
_ESM_POCKET = re.compile(r"esm-(?:infra|apps)(?:-legacy)?/(\w+)|(\w+)/esm", re.ASCII)
_ECOSYSTEM = re.compile(r"Ubuntu:(Pro:)?(\d\d\.\d\d)(?::LTS)?", re.ASCII)


class Row(NamedTuple):
    """One statement about a source package; ``space`` is a release with its channel, ``22.04+esm``."""

    space: str
    package: str
    statement: Statement
    ranges: tuple[Range, ...] = ()
    severity: Severity = Severity.UNKNOWN


def space_of_ecosystem(ecosystem: str) -> str:
    """``Ubuntu:Pro:22.04:LTS`` → ``22.04+esm``; empty for FIPS, real-time and devices' kernels, which are others."""
    found = _ECOSYSTEM.fullmatch(ecosystem)
    return intern(found[2] + (ESM if found[1] else "")) if found else ""


def space_of_pocket(name: str) -> str:
    """``jammy`` → ``22.04``, ``esm-apps/xenial`` → ``16.04+esm``; empty for what is no release's archive."""
    if found := _ESM_POCKET.fullmatch(name):
        number = _CODENAMES.get(found[1] or found[2], "")
        return intern(number + ESM) if number else ""
    return _CODENAMES.get(name, "")


def is_left_out(pocket: str) -> bool:
    """Whether a pocket that is no release's archive is worth telling: FIPS, snaps, devices, a release nobody knows."""
    return pocket not in _NOWHERE


def is_series(pocket: str) -> bool:
    """Whether a pocket that is not known has the form of a release's name, so that a release is missed."""
    return pocket != "snap" and _SERIES.fullmatch(pocket) is not None


def statements(rows: Iterable[Row]) -> tuple[Affected, ...]:
    """What holds for each package in each release, for everybody and for subscribers."""
    packages: dict[tuple[str, str], tuple[list[Row], list[Row]]] = {}
    for row in rows:
        release = row.space.removesuffix(ESM)
        packages.setdefault((release, row.package), ([], []))[row.space.endswith(ESM)].append(row)
    found: list[Affected] = []
    for (release, _), (open_, paid) in sorted(packages.items()):
        for row in paid:
            found.append(_affected(f"{release}{ESM}", row))
        found += [_affected(release, row) for row in open_ or _without_fix(paid)]
        found += _denials(release, open_, paid)
    return tuple(dict.fromkeys(found))


def _without_fix(paid: Iterable[Row]) -> Iterator[Row]:
    """What follows for everybody where only subscribers are spoken of."""
    for row in paid:
        if row.statement is Statement.AFFECTED:
            yield row._replace(ranges=())
        elif row.statement is not Statement.NOT_AFFECTED:
            yield row


def _denials(release: str, open_: list[Row], paid: list[Row]) -> Iterator[Affected]:
    """An open-ended claim ends where a subscriber's package has the fix."""
    if any(row.statement is Statement.NOT_AFFECTED or row.ranges for row in open_):
        return
    for row in paid:
        if row.statement is Statement.AFFECTED and row.ranges and row.ranges[-1].fixed:
            end = Row("", row.package, Statement.NOT_AFFECTED, (Range(introduced=row.ranges[-1].fixed),))
            yield _affected(release, end)


def _affected(space: str, row: Row) -> Affected:
    return Affected(intern(f"ubuntu:{space}"), row.package, "deb", row.statement, row.ranges, severity=row.severity)
