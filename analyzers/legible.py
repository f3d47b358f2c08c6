"""What an analyzer found, its packages known by text (``anchorecli.legible``); a problem tells of each that was not."""

from __future__ import annotations

from anchorecli.analyzers.base import Found
from anchorecli.legible import cleaned, cleaned_distro, cleaned_purl, is_bounded, is_named, is_text, told
from anchorecli.model import Package, Problem
from anchorecli.values import replace


def legible(found: Found) -> Found:
    """The very same where all is text. What has no name or version at all, or an endless one, is only told of."""
    odd = {place: package for place, package in enumerate(found.packages) if not _is_sound(package)}
    distro = found.distro and cleaned_distro(found.distro)
    if not odd and distro is found.distro:
        return found
    packages = [
        cleaned(package) if place in odd else package
        for place, package in enumerate(found.packages)
        if place not in odd or (is_named(package) and is_bounded(package))
    ]
    owned = {cleaned_purl(purl): paths for purl, paths in found.owned.items()} if odd else found.owned
    problems = (*found.problems, *map(_problem, odd.values()))
    return replace(found, packages=tuple(packages), owned=owned, distro=distro, problems=problems)


def _is_sound(package: Package) -> bool:
    return is_named(package) and is_bounded(package) and is_text(package)


def _problem(package: Package) -> Problem:
    return told(package, package.locations[0].path if package.locations else package.analyzer)
