"""What the registries of npm and RubyGems know of an image's packages, where the feed ``packages`` was synced."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from anchorecli.feeds.ecosystems import REGISTRIES, is_registry_name
from anchorecli.model import Analysis, Candidate, OfficialPackage, Package

Lookup = Callable[[Sequence[tuple[str, str]]], Iterable[Candidate]]


def registries(
    lookup: Lookup, covered: frozenset[str], analysis: Analysis
) -> tuple[dict[str, dict[str, OfficialPackage]], dict[str, tuple[str, ...]]]:
    """What registries have of the image's packages, and which of those nobody has asked them about."""
    official: dict[str, dict[str, OfficialPackage]] = {}
    unasked = {}
    for kind, space in REGISTRIES.items():
        if space not in covered:
            continue
        names = {package.name for package in analysis.packages if package.type == kind and is_registrys(package)}
        found = {each.package: each.versions for each in (lookup([(space, name) for name in names]) if names else ())}
        official[kind] = {name: _official(versions) for name, versions in found.items() if versions}
        unasked[kind] = tuple(sorted(names - found.keys()))
    return official, unasked


def is_registrys(package: Package) -> bool:
    """Whether a package's registry may be asked about it.

    Not about packages of distributions, whose versions are their own, nor about applications that are nobody's but the
    image's, whose names are not the registries' business.
    """
    return not package.owner and "private" not in package.metadata and is_registry_name(package.type, package.name)


def _official(versions: str) -> OfficialPackage:
    latest, *rest = versions.split("\n")
    return OfficialPackage(latest, tuple(rest))
