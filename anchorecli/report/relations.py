"""Which package needs which: what each says of itself, among the packages that are there.

A name is looked for as its own ecosystem would: Node's in the nearest ``node_modules``, a Python distribution's or a
gem's among its neighbours, a distribution's package by its name or by what others provide. Of alternatives the first
that is there counts. What is not there, or could be several, is no relation; versions are not compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from posixpath import dirname

from anchorecli.model import Package

_LINKED = frozenset({"cargo", "golang"})
"""Types of packages that stand in one program, which may have several versions of one."""
_Named = tuple[str, Package]


def dependencies(named: Iterable[_Named]) -> dict[str, list[str]]:
    """Reference of a package → those of the packages that it needs, in order, where it needs any."""
    listed = list(named)
    names: dict[tuple[str, str], list[_Named]] = {}
    places: dict[str, str] = {}
    if not any(package.depends for _, package in listed):
        return {}
    for reference, package in listed:
        exact = (f"{package.name}@{package.version}",) if package.type in _LINKED else ()
        for name in (package.name, *exact, *map(_plain, package.provides)):
            names.setdefault((package.type, name), []).append((reference, package))
        if package.type == "npm":
            places.update((f"/{dirname(location.path)}", reference) for location in package.locations)
    found = {}
    for reference, package in listed:
        needed = dict.fromkeys(_needed(package, names, places))
        needed.pop(reference, None)
        if needed:
            found[reference] = sorted(needed)
    return found


def _needed(package: Package, names: dict[tuple[str, str], list[_Named]], places: dict[str, str]) -> Iterator[str]:
    for group in package.depends:
        for name in map(_plain, group.split("|")):
            found = _nearest(package, name, places) if package.type == "npm" else ""
            if found := found or _neighbour(package, name, names.get((package.type, name), [])):
                yield found
                break


def _plain(text: str) -> str:
    """A name without version, and without the architecture that a deb may ask for: ``python3:any (>= 3.9)``."""
    name = next(iter(text.split(None, 1)), "") if " " in text else text
    return name.partition(":")[0] if name.endswith((":any", ":native")) else name


def _nearest(package: Package, name: str, places: dict[str, str]) -> str:
    """Node's own way: from the package's directory upwards."""
    directory = f"/{dirname(package.locations[0].path)}" if package.locations else "/"
    while directory != "/":
        if found := places.get(f"{directory}/node_modules/{name}"):
            return found
        directory = dirname(directory)
    return places.get(f"/node_modules/{name}", "")


def _neighbour(package: Package, name: str, candidates: list[_Named]) -> str:
    """The one of a name in the same place and for the same architecture; one that is called so before one that only
    provides it; else the only one."""
    home = _home(package)
    for fits in (
        lambda other: _home(other) == home,
        lambda other: other.arch == package.arch,
        lambda other: other.name == name,
    ):
        if len(candidates) > 1:
            candidates = [each for each in candidates if fits(each[1])] or candidates
    return candidates[0][0] if len(candidates) == 1 else ""


def _home(package: Package) -> str:
    """Where a package's list, or its neighbours, stand."""
    path = package.locations[0].path if package.locations else ""
    if package.type in _LINKED:
        return path
    inside = package.type == "alpm" or path.endswith(("/METADATA", "/PKG-INFO"))
    return dirname(dirname(path)) if inside else dirname(path)
