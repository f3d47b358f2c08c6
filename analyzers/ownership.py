"""Which OS package owns the files that another package was found by: linked, never dropped in silence.

A program that its own strings tell (a ``generic`` package of the analyzer ``binary``) is the same physical thing as
the OS package that installed it, where the versions agree: one entry, with the program as further evidence. Where they
do not, somebody has put another program over the distribution's, and both stay. The same holds of what a program's own
note says of its package (``binary/packagenote.py``): where a database lists that package, the note says nothing new.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from anchorecli.model import Package
from anchorecli.tree import Tree

NOTE = "elf-note"
"""``metadata["evidence"]`` of a package that the notes of programs tell of."""
DOCUMENT = "sbom"
"""The same of one that a document in the image tells of, and nothing else."""
SECOND_HAND = frozenset({NOTE, DOCUMENT})


def link_owners(packages: list[Package], owned: Mapping[str, Iterable[str]], tree: Tree) -> list[Package]:
    """The packages, those whose evidence an OS package installed with that package's purl as ``owner``.

    ``owned`` gives the paths each OS package installed, as its database names them: on a merged-usr image that may be
    ``/lib/x`` for what the tree holds at ``usr/lib/x``.
    """
    evidence: dict[str, list[int]] = {}
    for number, package in enumerate(packages):
        if package.purl not in owned:
            for location in package.locations:
                evidence.setdefault(location.path, []).append(number)
    if not evidence:
        return packages
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
    return _without_doubles(_without_notes(linked))


_NARROW = frozenset({"nix", "bitnami"})
"""Types whose packages no distribution's feed speaks of: a Python package among their files is judged by its own."""


def _is_itself(package: Package, owner: Package) -> bool:
    return package.type == "generic" and package.analyzer == "binary" and _agrees(package.version, owner)


def _without_doubles(packages: list[Package]) -> list[Package]:
    """The packages without programs that are what their owner says they are; the owner names them as evidence."""
    by_purl = {package.purl: number for number, package in enumerate(packages)}
    seen: dict[int, list[str]] = {}
    kept = []
    for package in packages:
        program = package.owner and package.type == "generic" and package.analyzer == "binary"
        number = by_purl.get(package.owner) if program else None
        if number is not None and _agrees(package.version, packages[number]):
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


def _without_notes(packages: list[Package]) -> list[Package]:
    """The packages without those that notes tell of and their owner is; of the rest one for each note."""
    noted = [package for package in packages if package.metadata.get("evidence") == NOTE]
    if not noted:
        return packages
    by_purl = {package.purl: package for package in packages}
    files: dict[str, int] = {}
    others: dict[tuple[str, str], Package] = {}
    for package in noted:
        owner = by_purl.get(package.owner) if package.owner else None
        if owner is not None and _is_built_from(owner, package):
            files[owner.purl] = files.get(owner.purl, 0) + len(package.locations)
        else:
            first = others.setdefault((package.purl, package.owner), package)
            if first is not package:
                places = (*first.locations, *package.locations)
                others[package.purl, package.owner] = replace(first, locations=places)
    return [
        replace(package, metadata={**package.metadata, NOTE: str(files[package.purl])})
        if package.purl in files
        else package
        for package in (*(each for each in packages if each.metadata.get("evidence") != NOTE), *others.values())
    ]


def _is_built_from(owner: Package, note: Package) -> bool:
    """Whether the owner is (of) the source package that a note names; notes have no epoch."""
    return note.name in (owner.source, owner.name) and any(
        note.version in (whole, whole.partition(":")[2]) for whole in (owner.source_version, owner.version)
    )


def _agrees(version: str, owner: Package) -> bool:
    """Whether a program's version is the upstream part of its owner's: ``1.2.13`` of ``1:1.2.13.dfsg-1``."""
    for whole in (owner.version, owner.source_version):
        upstream = whole.partition(":")[2] or whole
        if upstream.startswith(version) and not upstream[len(version) :][:1].isdigit():
            return True
    return False


def _real(path: str, evidence: Mapping[str, object], tree: Tree) -> str:
    relative = path.strip("/")
    return relative if relative in evidence else tree.resolve(relative) or ""
