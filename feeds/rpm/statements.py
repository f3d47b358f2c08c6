"""What an errata source says, row by row, made into one statement for each package of each release.

A release's updates follow one another: what was fixed in one build is in all later ones of its branch, so the lowest
of several builds is the fix (a module's package is built several times for one). But a new minor release starts from
builds of its own, which may be without a fix that the old one got last: RHEL 9 has CVE-2023-38545 fixed in curl
7.76.1-23.el9_2.4, and 7.76.1-26.el9 has it not, 7.76.1-26.el9_3.2 again. So a later fix of another branch is a second
range that begins behind the earlier one's branch, where that is a minor release's (``.el9_2.4``; CentOS Stream had
7.76.1-24.el9 in between, without the fix), else where its own does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from sys import intern
from typing import Any, NamedTuple

from anchorecli.errors import VersionError
from anchorecli.model import Affected, Range, Severity, Statement
from anchorecli.versions import key

_BRANCH = re.compile(r"(?:\d+:)?[^-:]+-\d+")
"""The part of a build that all builds of its branch share: 7.76.1-26 of 7.76.1-26.el9_3.2."""
_MINOR = re.compile(r"(.+-)(\d+)\.el\d+_\d+\.\d")
"""A build in a minor release's branch: its version, and the number it shares with all builds of that branch."""
_ANY_ARCH = frozenset({"", "noarch", "src", "nosrc"})


class Said(NamedTuple):
    """One row: what is said of one package, in one release, perhaps for one architecture or module."""

    ecosystem: str
    package: str
    statement: Statement
    fixed: str = ""
    introduced: str = ""
    last: str = ""
    module: str = ""
    arch: str = ""
    severity: Severity = Severity.UNKNOWN


_ORDER = (Statement.AFFECTED, Statement.WONT_FIX, Statement.UNDER_INVESTIGATION, Statement.NOT_AFFECTED)
"""Where rows contradict one another the one that asks for attention holds, but before all a fix."""


def affected(rows: Iterable[Said]) -> tuple[Affected, ...]:
    """Statements, sorted. A version that cannot be read is kept: what it is compared with is then unknown."""
    grouped: dict[tuple[str, str, str], list[Said]] = {}
    for row in rows:
        grouped.setdefault((row.ecosystem, row.package, row.module), []).append(row)
    return tuple(each for place in sorted(grouped) for each in _statements(grouped[place]))


def with_everybody(rows: Sequence[Said], paid: str) -> list[Said]:
    """The rows about one vulnerability, and what follows for a release of which only subscribers are spoken of.

    A flaw that was found when a release was at its end is fixed for who pays for its support (``rhel:6`` + ``paid``).
    Of the others' package nothing is said, but it has the flaw, and no fix will come.
    """
    spoken = {(row.ecosystem, row.package) for row in rows}
    others = dict.fromkeys(
        Said(
            row.ecosystem.removesuffix(paid), row.package, Statement.WONT_FIX, module=row.module, severity=row.severity
        )
        for row in rows
        if row.fixed and row.ecosystem.endswith(paid)
    )
    return [*rows, *(each for each in others if (each.ecosystem, each.package) not in spoken)]


def _statements(rows: list[Said]) -> Iterator[Affected]:
    fixes = [row for row in rows if row.fixed and row.statement is Statement.AFFECTED]
    if fixes and all(not row.introduced for row in fixes):
        yield from _fixed(fixes)
        return
    bounded = [row for row in rows if row.fixed or row.introduced or row.last]
    if bounded:
        yield from _bounded(bounded)
        return
    first = min(rows, key=lambda row: (_ORDER.index(row.statement), -row.severity))
    arches = {row.arch for row in rows if row.statement is first.statement}
    yield _affected(first, (), () if arches & _ANY_ARCH else tuple(sorted(arches)))


def _fixed(rows: list[Said]) -> Iterator[Affected]:
    """One statement for all architectures, or where they were fixed by different builds one for each."""
    builds: dict[str, set[str]] = {}
    for row in rows:
        builds.setdefault("" if row.arch in _ANY_ARCH else row.arch, set()).add(row.fixed)
    # The source package has no architecture: it says nothing new where something built from it is listed.
    anywhere = builds.pop("", set())
    by_ranges: dict[tuple[Range, ...], list[str]] = {}
    for arch, fixes in builds.items():
        by_ranges.setdefault(_branches(fixes), []).append(arch)
    if not by_ranges:
        by_ranges[_branches(anywhere)] = []
    for ranges, arches in sorted(by_ranges.items(), key=lambda each: each[1]):
        yield _affected(rows[0], ranges, () if len(by_ranges) == 1 else tuple(sorted(arches)))


def _branches(fixes: set[str]) -> tuple[Range, ...]:
    """The ranges without the fix, the oldest first."""
    readable = sorted(each for each in fixes if _key(each) is not None)
    readable.sort(key=_key)
    ranges: list[Range] = []
    for fixed in readable:
        branch = _BRANCH.match(fixed)
        if not ranges:
            ranges.append(Range(fixed=intern(fixed)))
        elif branch is not None and branch[0] != fixed and _key(branch[0]) > _key(ranges[-1].fixed):
            ranges.append(Range(introduced=intern(_beginning(branch[0], ranges[-1].fixed)), fixed=intern(fixed)))
    return tuple(ranges) or tuple(Range(fixed=intern(each)) for each in sorted(fixes))


def _beginning(branch: str, earlier: str) -> str:
    """The first build that is in a branch, or on the way to it, and has not the fix of an earlier branch."""
    minor = _MINOR.match(earlier)
    return f"{minor[1]}{int(minor[2]) + 1}" if minor else branch


def _key(version: str) -> Any:
    try:
        return key("rpm", version)
    except VersionError:
        return None


def _bounded(rows: list[Said]) -> Iterator[Affected]:
    """Rows with beginnings or last versions: each is a range of its own."""
    first = min(rows, key=lambda row: _ORDER.index(row.statement))
    by_range: dict[Range, set[str]] = {}
    for row in rows:
        if row.statement is first.statement:
            by_range.setdefault(_range(row), set()).add(row.arch)
    by_arches: dict[tuple[str, ...], list[Range]] = {}
    everywhere = set().union(*by_range.values())
    for each, found in by_range.items():
        arches = () if found == everywhere or found & _ANY_ARCH else tuple(sorted(found))
        by_arches.setdefault(arches, []).append(each)
    for arches, ranges in sorted(by_arches.items()):
        yield _affected(first, tuple(ranges), arches)


def _range(row: Said) -> Range:
    return Range(intern(row.introduced), intern(row.fixed), intern(row.last))


def _affected(row: Said, ranges: tuple[Range, ...], arches: tuple[str, ...]) -> Affected:
    return Affected(
        ecosystem=intern(row.ecosystem),
        package=intern(row.package),
        scheme="rpm",
        statement=row.statement,
        ranges=ranges,
        severity=row.severity,
        module=intern(row.module),
        arches=arches,
    )
