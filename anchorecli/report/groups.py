"""Matches put together as somebody would fix them: by layer, then by what is upgraded as one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import takewhile
from typing import Any

from anchorecli.errors import VersionError
from anchorecli.model import DiffId, Image, Match, Severity
from anchorecli.report.identity import installed_at, layers_by_id
from anchorecli.values import dataclass
from anchorecli.versions import key


@dataclass(frozen=True, slots=True)
class Group:
    """The matches of packages that are upgraded together (one source package, or one name and version).

    ``matches`` holds one per vulnerability, worst first; ``names`` are the installed packages.
    """

    name: str
    version: str
    type: str
    layer: int
    """Index of the layer that brought it, -1 where unknown."""
    names: tuple[str, ...]
    paths: tuple[str, ...]
    matches: tuple[Match, ...]

    @property
    def worst(self) -> Severity:
        """The worst severity of the group."""
        return max(match.severity for match in self.matches)


def group(matches: Iterable[Match], image: Image, *, by_layer: bool = True) -> list[Group]:
    """Groups of matches that are in order; order: worst first, then the size, then the name."""
    parts = _parts(matches, image, by_layer=by_layer)
    groups = [_group(*key, members) for key, members in parts.items()]
    return sorted(groups, key=lambda each: (-each.worst, -len(each.matches), each.name, each.version, each.layer))


_Key = tuple[int, str, str, str]


def _parts(matches: Iterable[Match], image: Image, *, by_layer: bool) -> dict[_Key, list[Match]]:
    """Matches by layer, type, and name and version of what is upgraded."""
    layers = layers_by_id(image)
    parts: dict[_Key, list[Match]] = {}
    for match in matches:
        package = match.package
        index = layers[package.layer][0] if by_layer and package.layer in layers else -1
        name = package.source or package.name
        version = package.source_version if package.source and package.source_version else package.version
        parts.setdefault((index, package.type, name, version), []).append(match)
    return parts


def _group(index: int, kind: str, name: str, version: str, members: list[Match]) -> Group:
    vulnerabilities = {match.id: match for match in reversed(members)}
    unique = sorted(vulnerabilities.values(), key=lambda match: (-match.severity, not match.fixed_in, match.id))
    names = sorted({match.package.name for match in members})
    versions = {match.package.version for match in members}
    if len(versions) == 1:
        # The installed version is what people see on the machine; a source package's may lack the epoch.
        version = versions.pop()
    paths = sorted({installed_at(match.package) for match in members} - {""})
    return Group(name if len(names) > 1 else names[0], version, kind, index, tuple(names), tuple(paths), tuple(unique))


@dataclass(frozen=True, slots=True)
class Upgrade:
    """One thing to upgrade, and what that fixes."""

    name: str
    installed: str
    target: str
    """The lowest version that fixes all that can be fixed."""
    type: str
    severities: tuple[Severity, ...]
    """Of what it fixes, worst first."""
    packages: tuple[str, ...] = ()
    """The installed packages that are upgraded together."""
    ids: tuple[str, ...] = ()
    """What it fixes, in the order of ``severities``."""
    of: int = 0
    """How many vulnerabilities there are, those without a fix too."""
    layers: tuple[DiffId, ...] = ()
    """The layers that brought the packages."""


def upgrades(matches: Iterable[Match], image: Image) -> list[Upgrade]:
    """What to upgrade to the lowest version that fixes all that can be fixed, most worthwhile first."""
    found = []
    for key_, members in _parts(matches, image, by_layer=False).items():
        fixable = [match for match in members if match.fixed_in]
        if not fixable:
            continue
        each = _group(*key_, fixable)
        found.append(
            Upgrade(
                each.name,
                each.version,
                _target(each.matches),
                each.type,
                tuple(match.severity for match in each.matches),
                each.names,
                tuple(match.id for match in each.matches),
                len({match.id for match in members}),
                tuple(sorted({match.package.layer for match in fixable})),
            )
        )
    return sorted(found, key=lambda each: (_worth(each), each.name, each.installed))


def _worth(upgrade: Upgrade) -> list[int]:
    return [-upgrade.severities.count(severity) for severity in reversed(Severity)]


def _target(matches: Sequence[Match]) -> str:
    """The lowest of the fixed versions that has every fix; the highest of the nearest ones where none is sure to."""
    package = matches[0].package
    order = partial(key, package.scheme)
    try:
        installed = order(package.source_version or package.version)
        fixes = [sorted(set(match.fixed_in), key=order) for match in matches]
        above = sorted({each for group in fixes for each in group if order(each) > installed}, key=order)
        for version in above:
            if all(_has_fix(version, group, order) for group in fixes):
                return version
        return max((_nearest(group, installed, order) for group in fixes), key=order)
    except VersionError:
        return " and ".join(sorted({match.fixed_in[0] for match in matches}))


def _nearest(fixes: Sequence[str], installed: Any, order: Callable[[str], Any]) -> str:
    """The lowest fixed version above the installed one: other fixed versions belong to other branches."""
    return next((each for each in fixes if order(each) > installed), fixes[0])


def _has_fix(version: str, fixes: Sequence[str], order: Callable[[str], Any]) -> bool:
    """Whether a version has a fix that came out in several branches, in order: between two, it is of the lower branch
    if it has more of its beginning in common with that one."""
    own = order(version)
    below = [each for each in fixes if order(each) <= own]
    above = [each for each in fixes if order(each) > own]
    if not below:
        return False
    return not above or own == order(below[-1]) or _shared(version, below[-1]) > _shared(version, above[0])


def _shared(one: str, other: str) -> int:
    pairs = zip(_PARTS.split(one), _PARTS.split(other), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


_PARTS = re.compile(r"[^0-9A-Za-z]+")
