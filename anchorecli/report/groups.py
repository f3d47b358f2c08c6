"""Matches put together as somebody would fix them: by layer, then by what is upgraded as one."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from anchorecli.errors import VersionError
from anchorecli.model import Image, Match, Severity
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
    layers = layers_by_id(image)
    parts: dict[tuple[int, str, str, str], list[Match]] = {}
    for match in matches:
        package = match.package
        index = layers[package.layer][0] if by_layer and package.layer in layers else -1
        name = package.source or package.name
        version = package.source_version if package.source and package.source_version else package.version
        parts.setdefault((index, package.type, name, version), []).append(match)
    groups = [_group(*key, members) for key, members in parts.items()]
    return sorted(groups, key=lambda each: (-each.worst, -len(each.matches), each.name, each.version, each.layer))


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
    type: str
    severities: tuple[Severity, ...]


def upgrades(matches: Iterable[Match], image: Image) -> list[Upgrade]:
    """What to upgrade to the lowest version that fixes all that can be fixed, most worthwhile first."""
    found = []
    for each in group((match for match in matches if match.fixed_in), image, by_layer=False):
        targets = [_nearest(match) for match in each.matches]
        severities = tuple(match.severity for match in each.matches)
        scheme = each.matches[0].package.scheme
        found.append(Upgrade(each.name, each.version, _highest(scheme, targets), each.type, severities))
    return sorted(found, key=lambda each: (_worth(each), each.name, each.installed))


def _worth(upgrade: Upgrade) -> list[int]:
    return [-upgrade.severities.count(severity) for severity in reversed(Severity)]


def _nearest(match: Match) -> str:
    """The lowest fixed version above the installed one: other fixed versions belong to other branches."""
    package = match.package
    order = partial(key, package.scheme)
    try:
        installed = order(package.source_version or package.version)
        above = [fixed for fixed in match.fixed_in if order(fixed) > installed]
        return min(above or match.fixed_in, key=order)
    except VersionError:
        return match.fixed_in[0]


def _highest(scheme: str, versions: list[str]) -> str:
    try:
        return max(versions, key=partial(key, scheme))
    except VersionError:
        return " and ".join(sorted(set(versions)))
