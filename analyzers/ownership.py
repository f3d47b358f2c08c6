"""Which OS package owns the files that another package was found by: linked, never dropped in silence.

A program that its own strings tell (a ``generic`` package of the analyzer ``binary``) is the same physical thing as
the OS package that installed it, where the versions agree: one entry, with the program as further evidence. Where they
do not, somebody has put another program over the distribution's, and both stay. The same holds of what a program's own
note says of its package, and of what documents say (``second_hand.py``).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from anchorecli.analyzers.second_hand import SECOND_HAND, without_documented, without_notes
from anchorecli.model import DiffId, Package, PrivateKey, Secret
from anchorecli.tree import Tree


def link_owners(packages: list[Package], owned: Mapping[str, Iterable[str]], tree: Tree) -> list[Package]:
    """The packages, those whose evidence an OS package installed with that package's purl as ``owner``.

    ``owned`` gives the paths each OS package installed, as its database names them: on a merged-usr image that may be
    ``/lib/x`` for what the tree holds at ``usr/lib/x``.
    """
    packages = without_documented(packages)
    evidence: dict[str, list[int]] = {}
    for number, package in enumerate(packages) if owned else ():
        if package.purl not in owned or package.metadata.get("evidence") in SECOND_HAND:
            for location in package.locations:
                evidence.setdefault(location.path, []).append(number)
    if not evidence:
        return _without_doubles(without_notes(packages))
    owners: dict[int, str] = {}
    narrow = {package.purl: package for package in packages if package.type in _NARROW}
    names = {path.rpartition("/")[2] for path in evidence}
    for purl, paths in owned.items():
        for path in paths:
            # Most owned paths are nobody's evidence: one look at the base name spares resolving links.
            if path[path.rfind("/") + 1 :] in names:
                for number in evidence.get(_real(path, evidence, tree), ()):
                    if purl not in narrow or _is_itself(packages[number], narrow[purl]):
                        owners.setdefault(number, purl)
    linked = [replace(p, owner=owners[n]) if n in owners else p for n, p in enumerate(packages)]
    return _without_doubles(without_notes(linked))


_ADDED = re.compile("[+~]")
"""What a distribution says of its own making stands behind one of these."""
_PARTS = re.compile(r"\d{1,18}|[a-z]+")
_Secret = TypeVar("_Secret", Secret, PrivateKey)


def link_secrets(
    secrets: list[_Secret], packages: list[Package], owned: Mapping[str, Iterable[str]], tree: Tree
) -> list[_Secret]:
    """The secrets (or private keys), those in files that a distribution's package brought with its purl as ``owner``.

    A file of another layer than its package was replaced by somebody, and what stands in ``etc`` may be edited.
    """
    paths = {secret.path for secret in secrets if not secret.path.startswith("etc/")}
    if not paths:
        return secrets
    names = {path.rpartition("/")[2] for path in paths}
    layers = {package.purl: package.layer for package in packages if package.type not in _NARROW}
    owners: dict[tuple[str, DiffId], str] = {}
    for purl, listed in owned.items():
        for path in listed if purl in layers else ():
            if path[path.rfind("/") + 1 :] in names and (real := _real(path, paths, tree)) in paths:
                owners.setdefault((real, layers[purl]), purl)
    return [replace(each, owner=owners.get((each.path, each.layer), "")) for each in secrets]


_NARROW = frozenset({"nix", "bitnami"})
"""Types whose packages no distribution's feed speaks of: a Python package among their files is judged by its own."""


def _is_itself(package: Package, owner: Package) -> bool:
    return package.type == "generic" and package.analyzer == "binary" and _agrees(package, owner)


def _without_doubles(packages: list[Package]) -> list[Package]:
    """The packages without programs that are what their owner says they are; the owner names them as evidence."""
    by_purl = {package.purl: number for number, package in enumerate(packages)}
    seen: dict[int, list[str]] = {}
    kept = []
    for package in packages:
        program = package.owner and package.type == "generic" and package.analyzer == "binary"
        number = by_purl.get(package.owner) if program else None
        if number is not None and _agrees(package, packages[number]):
            seen.setdefault(number, []).append(f"{package.name} {package.version} in {package.locations[0].path}")
        else:
            kept.append(package)
    if not seen:
        return packages
    told = {packages[number].purl: "; ".join(sorted(found)) for number, found in seen.items()}
    return [
        replace(package, metadata={**package.metadata, "programs": told[package.purl]})
        if package.purl in told
        else package
        for package in kept
    ]


def _agrees(program: Package, owner: Package) -> bool:
    """Whether a program's version is the upstream part of its owner's: ``1.2.13`` of ``1:1.2.13.dfsg-1``.

    Patches that the distribution added, and numbers it writes in its own way, set the last parts apart (bash 5.3.15 of
    ``5.3-4``, openssh 10.0p2 of ``1:10.0p1-7``, imagemagick 7.1.1-43 of ``8:7.1.1.43``): where the file came in the
    same layer as its package, a later one of the same series is the package's too. An earlier one no patch makes:
    somebody put it there, and what has been mended since is open in it.
    """
    version, parts = program.version, _parts(program.version)
    came_along = bool(parts and program.layer) and program.layer == owner.layer
    for whole in (owner.version, owner.source_version):
        # 1:1.3.dfsg+really1.3.1-1: Debian took back a release, and says behind the word which one it is.
        upstream = (whole.partition(":")[2] or whole).rpartition("+really")[2]
        if upstream.startswith(version) and not upstream[len(version) :][:1].isdigit():
            return True
        theirs = _parts(_ADDED.split(upstream.rpartition("-")[0] or upstream)[0])
        if came_along and parts[:2] == theirs[:2] and parts >= theirs:
            return True
    return False


def _parts(version: str) -> list[tuple[bool, int, str]]:
    """The numbers and words of a version, to be compared: a number is more than a word, and a word than nothing."""
    found = _PARTS.findall(version.lower())
    return [(True, int(part), "") if part.isdigit() else (False, 0, part) for part in found]


def _real(path: str, evidence: Collection[str], tree: Tree) -> str:
    relative = path.strip("/")
    return relative if relative in evidence else tree.resolve(relative) or ""
