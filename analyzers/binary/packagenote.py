"""What a distribution's build wrote into a program about the package it is part of.

Format: https://systemd.io/ELF_PACKAGE_METADATA/ : a note of the owner ``FDO`` and the type 0xcafe1a7e, in the section
``.note.package``, whose content is JSON: ``{"type": "rpm", "name": "coreutils", "version": "9.1-12.fc38",
"architecture": "x86_64", "osCpe": "cpe:/o:fedoraproject:fedora:38"}``; ``os`` and ``osVersion`` as of os-release(5).
Fedora, Azure Linux, Arch, and Ubuntu from 24.10 on write it. ``name`` and ``version`` are the source package's.

The linkers put notes first, so that the first page has it; a note that ``objcopy`` added stands at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from anchorecli.analyzers.base import Fact, LayerFile, View
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.since import since
from anchorecli.analyzers.purl import purl
from anchorecli.analyzers.second_hand import NOTE
from anchorecli.model import Json, Package
from anchorecli.values import replace

SECTION = ".note.package"
MAX_BYTES = 16 * 1024
"""Of one note; real ones have some two hundred bytes."""

_ORDERS: tuple[Literal["little", "big"], ...] = ("little", "big")
_TYPE = 0xCAFE1A7E
_SCHEMES = {"deb": "deb", "rpm": "rpm", "apk": "apk", "alpm": "pacman", "arch": "pacman"}
_TYPES = {"arch": "alpm"}
"""The specification leaves the names of types open."""
_FIELDS = ("type", "name", "version", "architecture", "os", "osVersion", "osCpe")
_LONGEST = 300


class _Note(NamedTuple):
    """Where the content of a note stands."""

    start: int
    end: int


def in_head(file: LayerFile, head: bytes) -> Json | None:
    """The note of an executable file by its first page; None where that has none.

    Raises: ValueError where there is one that cannot be read.
    """
    place = _place(head)
    if place is None:
        return None
    if place.end - place.start > MAX_BYTES:
        raise ValueError(f"a package note of {place.end - place.start} bytes")
    return _said((head if place.end <= len(head) else file.head(place.end))[place.start : place.end])


def in_section(data: bytes) -> Json | None:
    """The note of the section that has its name. Raises: ValueError where it cannot be read."""
    place = _place(data)
    return None if place is None else _said(data[place.start : place.end])


def packages(view: View, facts: list[Fact]) -> Iterator[Package]:
    """A package for each note, once for each directory with files that have it; ``second_hand`` puts them together."""
    found: dict[tuple[str, ...], Package] = {}
    for fact in facts:
        note = fact.value["note"]
        key = (fact.path.rpartition("/")[0], *(str(note.get(field, "")) for field in _FIELDS))
        if (known := found.get(key)) is not None:
            found[key] = replace(known, locations=(*known.locations, view.location(fact)))
        else:
            found[key] = _package(view, fact, note)
    yield from found.values()


def _place(data: bytes) -> _Note | None:
    """A note's header is three numbers, the sizes of name and content and the type; then the name."""
    for order in _ORDERS:
        at = data.find(_TYPE.to_bytes(4, order) + b"FDO\0")
        if at >= 8 and int.from_bytes(data[at - 8 : at - 4], order) == 4:
            return _Note(at + 8, at + 8 + int.from_bytes(data[at - 4 : at], order))
    return None


def _said(data: bytes) -> Json:
    from json import loads

    try:
        document = loads(data.rstrip(b"\0"))
    except (ValueError, RecursionError) as exc:
        raise ValueError(f"a package note that is no JSON: {exc}") from None
    if not isinstance(document, dict):
        raise ValueError("a package note that is no JSON object")
    said = {key: printable(text.strip()) for key in _FIELDS if isinstance(text := document.get(key), str)}
    if not said.get("name") or not said.get("version"):
        raise ValueError("a package note without name or version")
    return {key: text[:_LONGEST] for key, text in said.items() if text}


def _package(view: View, fact: Fact, note: dict[str, str]) -> Package:
    kind = note.get("type", "generic")
    kind, scheme = _TYPES.get(kind, kind), _SCHEMES.get(kind, "fuzzy")
    name, version, arch = note["name"], note["version"], note.get("architecture", "")
    known = scheme != "fuzzy"
    system, release = _system(note)
    label = f"{system}-{release}" if release else system
    return Package(
        name=name,
        version=version,
        type=kind if known else "generic",
        scheme=scheme,
        purl=purl(
            kind if known else "generic",
            name,
            version,
            {"arch": arch, "distro": label},
            namespace=system if known else "",
        ),
        arch=arch,
        source=name,
        source_version=version,
        locations=(view.location(fact),),
        layer=since(view, fact),
        analyzer="binary",
        metadata={"evidence": NOTE, **({"distribution": label} if label else {})},
    )


def _system(note: dict[str, str]) -> tuple[str, str]:
    """The distribution and its release: by themselves, or as a CPE of either form has them."""
    if note.get("os"):
        return note["os"].lower(), note.get("osVersion", "")
    parts = note.get("osCpe", "").removeprefix("cpe:2.3:").removeprefix("cpe:/").split(":")
    parts = [*parts, "", "", ""]
    release = parts[3] if parts[3] not in ("*", "-") else ""
    return (parts[2].lower(), release) if parts[0] == "o" else ("", "")
