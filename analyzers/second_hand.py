"""Packages that are told of at second hand: by a program's own note, by a document. One physical package is one entry.

Where a package database lists the package, or it was found by itself, a note or document says nothing new: it is named
in that entry's metadata. Nothing else tells of what remains, and its metadata say what did (``evidence``).
"""

from __future__ import annotations

from collections.abc import Iterator

from anchorecli.model import Package
from anchorecli.values import replace

NOTE = "elf-note"
"""``metadata["evidence"]`` of a package that the notes of programs tell of (``binary/packagenote.py``)."""
DOCUMENT = "sbom"
"""The same of one that a document in the image tells of (``os/sboms.py``)."""
RECEIPT = "receipt"
"""The same of one that an installer's list beside it tells of, where it may tell of itself as well."""
SECOND_HAND = frozenset({NOTE, DOCUMENT, RECEIPT})
_DOCUMENTS = frozenset({DOCUMENT, RECEIPT})
BUNDLED = "bundled_by"
"""In the metadata: who brought a copy of his own."""
OS_TYPES = frozenset({"deb", "rpm", "apk", "opkg", "alpm", "ebuild"})


def without_documented(packages: list[Package]) -> list[Package]:
    """The packages without those that only repeat, by a document, what was found by itself."""
    documents = [each for each in packages if each.metadata.get("evidence") in _DOCUMENTS]
    if not documents:
        return packages
    everything = list(packages)
    known: dict[tuple[str, ...], list[int]] = {}
    for number, package in enumerate(everything):
        if package.metadata.get("evidence") not in SECOND_HAND:
            for key in _keys(package):
                known.setdefault(key, []).append(number)
    repeated = set()
    for package in documents:
        numbers = next((known[key] for key in _keys(package) if key in known), ())
        for number in numbers:
            repeated.add(id(package))
            everything[number] = _documented(everything[number], package)
    return [package for package in everything if id(package) not in repeated]


def without_notes(packages: list[Package]) -> list[Package]:
    """The packages without those that notes tell of and their owner is; of the rest one for each note."""
    noted = [package for package in packages if package.metadata.get("evidence") == NOTE]
    if not noted:
        return packages
    by_purl = {package.purl: package for package in packages if package.metadata.get("evidence") != NOTE}
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


def _keys(package: Package) -> Iterator[tuple[str, ...]]:
    """By what it is known again: a distribution's package by its name, any other by name and version."""
    name = package.name.lower().replace("_", "-")
    if package.type in OS_TYPES:
        if BUNDLED not in package.metadata:
            yield (package.type, name)
        return
    version = package.version.removeprefix("v")
    yield (package.type, name, version)
    if package.type == "maven":
        # A jar without Maven's own data may be known by its file's name alone.
        yield (package.type, "", name.rpartition(":")[2], version)


def _documented(package: Package, said: Package) -> Package:
    """What was found by itself, with what a document adds."""
    metadata = {**package.metadata, "documented": said.locations[0].path}
    return replace(package, licenses=package.licenses or said.licenses, metadata=metadata)
