"""Packages installed by pacman.

Format: alpm-db-desc(5) and alpm-db-files(5) of https://alpm.archlinux.page/specifications/: ``var/lib/pacman/local/
NAME-VERSION-RELEASE/desc`` and ``files`` beside it, blocks of a ``%KEY%`` line and value lines, parted by empty lines::

    %NAME%
    bash

    %VERSION%
    5.2.037-1

Emits: packages of the type ``alpm``, with base package, licences, packager, size, and the paths each owns.

Not handled: ``mtree`` (digests of the files).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from anchorecli.analyzers.base import Fact, Found, LayerFile, View, Wants, partial
from anchorecli.analyzers.documents import pieces
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.since import since
from anchorecli.analyzers.licenses import normalise
from anchorecli.analyzers.os.filelist import Paths, gathered
from anchorecli.analyzers.purl import os_purl
from anchorecli.errors import LimitError
from anchorecli.model import Json, Package
from anchorecli.values import dataclass

MAX_BYTES = 32 * 1024 * 1024
MAX_DESC = 1024 * 1024
"""Bytes of a ``desc``; real ones have some thousand."""
_BATCH = 4096
PLACE = "var/lib/pacman/local/"

_BOUND = re.compile(r"[<>=].*")
_ONE = {"NAME": "name", "VERSION": "version", "BASE": "base", "ARCH": "arch", "PACKAGER": "packager", "SIZE": "size"}


def _wanted(path: str, _size: int, _mode: int) -> bool:
    before, found, below = path.rpartition(PLACE)
    return bool(found) and below.count("/") == 1 and (not before or before.endswith("/"))


@dataclass(frozen=True, slots=True)
class PacmanAnalyzer:
    """pacman's packages.

    A fact is ``name``, ``version``, ``base``, ``arch``, ``packager``, ``size``, ``licenses`` of a ``desc`` (those that
    are there), or the paths of a ``files`` as one text, a line each.
    """

    name: str = "pacman"
    version: int = 4
    options: str = ""
    wants: Wants = Wants(names=frozenset({"desc", "files"}), match=_wanted, max_bytes=MAX_BYTES)

    def read(self, file: LayerFile) -> Json | None:
        """One file's fact."""
        if file.path.endswith("/files"):
            return gathered(_paths(file.data()))
        if file.size > MAX_DESC:
            raise LimitError(f"more than {MAX_DESC} bytes in a desc (a fixed limit)")
        blocks = read_blocks(file.data())
        said = {key: printable(blocks[block][0]) for block, key in _ONE.items() if blocks.get(block)}
        value: dict[str, Json] = {key: text for key, text in said.items() if text}
        if blocks.get("LICENSE"):
            value["licenses"] = [*map(printable, blocks["LICENSE"])]
        for block in ("DEPENDS", "PROVIDES"):
            if names := [_BOUND.sub("", printable(text)) for text in blocks.get(block, ())]:
                value[block.lower()] = names
        if "name" in value and "version" in value:
            return value
        return partial(None, "no name and version in it")

    def assemble(self, view: View) -> Found:
        """A package for each ``desc``, which owns what ``files`` beside it names."""
        packages, owned = [], {}
        for fact in view.facts():
            if not isinstance(fact.value, dict):
                continue
            package = _package(view, fact)
            packages.append(package)
            root, _, _ = fact.path.rpartition(PLACE)
            files = view.fact(fact.path.removesuffix("desc") + "files")
            owned[package.purl] = Paths((files.value,) if files and files.value else (), root.rstrip("/"))
        return Found(packages=tuple(packages), owned=owned)


def read_blocks(data: bytes) -> dict[str, list[str]]:
    """The values of each key, none of them empty; of a repeated key all."""
    blocks: dict[str, list[str]] = {}
    for key, text in _values(data.splitlines()):
        blocks.setdefault(key, []).extend([text] if text else [])
    return blocks


def _values(lines: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    """Each key where its block begins, with an empty text, and with each of its values."""
    key: str | None = None
    for line in lines:
        if not line:
            key = None
        elif key is None and line[:1] == b"%" and line[-1:] == b"%" and len(line) > 2:
            key = printable(line[1:-1])
            yield key, ""
        elif key is not None:
            yield key, line.decode("utf-8", "surrogateescape") if b"/" in line else printable(line)


def _paths(data: bytes) -> Iterator[str]:
    """The paths of what are no directories, a line each, in texts of some thousand."""
    values = _values(line for piece in pieces(data, b"\n") for line in piece.splitlines())
    paths = (text for key, text in values if key == "FILES" and text and text[-1] != "/")
    while batch := list(islice(paths, _BATCH)):
        yield "\n".join(batch)


def _package(view: View, fact: Fact) -> Package:
    value = fact.value
    name, version, base = value["name"], value["version"], value.get("base") or value["name"]
    qualifiers = {"arch": value.get("arch", ""), "upstream": base if base != name else ""}
    return Package(
        name=name,
        version=version,
        type="alpm",
        scheme="pacman",
        purl=os_purl("alpm", view.distro, name, version, qualifiers),
        arch=value.get("arch", ""),
        source=base,
        source_version=version,
        licenses=normalise(value.get("licenses", ())),
        locations=(view.location(fact),),
        layer=since(view, fact),
        analyzer="pacman",
        vendor=value.get("packager", ""),
        depends=tuple(value.get("depends", ())),
        provides=tuple(value.get("provides", ())),
        size=int(value["size"]) if value.get("size", "").isdecimal() and len(value["size"]) < 19 else 0,
    )
