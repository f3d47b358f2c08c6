"""Bundles in pieces: the files under ``include:``, and further documents in one file.

Format::

    include:                    # in the bundle, or in an included file
      - policies/base.yaml      # relative to the file that says it
      - exceptions/*.yaml       # * ? [ ] within one folder; by name, and at least one file

A piece holds ``policies``, ``whitelists``, ``mappings``, image lists and ``include``; what speaks of the whole (id,
evidence, defaults, compat) stands in the bundle alone. Order: what is included, as listed, then the file's own
entries, then further documents of the file (after ``---``); of mappings the first that means an image is used. A file
that is reached twice is read once. An id that two files give is a fault, as within one file.

Included files lie in the folder of the bundle or below, symbolic links resolved: the bundle and its folder are one
thing to review, to copy and to sign, and a bundle from elsewhere cannot read the machine's files.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from anchorecli.errors import BundleError
from anchorecli.policy.language.document import MAX_BYTES, MAX_NODES, Node, located, read_documents, weight
from anchorecli.policy.language.faults import Faults, quoted
from anchorecli.policy.language.fields import Fields
from anchorecli.policy.language.spellings import KEYS

LISTS = ("policies", "whitelists", "mappings", "whitelisted_images", "blacklisted_images")
"""The keys of a piece whose entries become the bundle's."""

_OF_THE_WHOLE = ("id", "evidence", "defaults", "compat", "trust")
_MAX_FILES = 200
_MAX_DEPTH = 8
_HINT = "Give the path of a YAML or JSON bundle, or leave --policy out for the built-in one."


def read_text(path: str | Path, limit: int = MAX_BYTES) -> str:
    """A bundle's file as text. Raises: BundleError with the file's name."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise BundleError(f"cannot be read: {error.strerror}", path=str(path), hint=_HINT) from None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BundleError("not UTF-8 text", path=str(path), line=line) from None


def merged(documents: tuple[Node, ...], path: str, faults: Faults, *, from_file: bool) -> Node:
    """The bundle as one document, with what it includes. Raises: BundleError for a piece that is no document."""
    return _Pieces(path, faults, from_file).bundle(documents)


class _File(NamedTuple):
    """A file on the way: its name as messages show it, and where it really is."""

    shown: str
    real: Path


class _Pieces:
    """Reads pieces, each once; counts what it reads."""

    def __init__(self, path: str, faults: Faults, from_file: bool) -> None:
        self._faults = faults
        self._from_file = from_file
        self._root = _File(path, Path(path).resolve())
        self._seen: set[Path] = set()
        self._left = MAX_BYTES
        self._values = 0
        self._entries: dict[str, list[Node]] = {name: [] for name in LISTS}

    def bundle(self, documents: tuple[Node, ...]) -> Node:
        """All pieces in the first document."""
        head, *rest = documents
        if head.kind != "mapping":
            return head
        own = {KEYS.get(written, written): written for written in head.entries}
        self._include(head, (self._root,))
        for name in LISTS:
            if name in own:
                self._entries[name] += head.entries[own[name]].items
        for document in rest:
            self._piece(document, (self._root,))
        entries = dict(head.entries)
        for name, items in self._entries.items():
            written = own.get(name, name)
            # What is no list stays as it is, to be complained of.
            if items and (name not in own or entries[written].kind in ("list", "null")):
                line = entries[written].line if name in own else head.line
                entries[written] = Node("list", line, items=tuple(items))
        return head._replace(entries=entries)

    def _piece(self, node: Node, way: tuple[_File, ...]) -> None:
        for key in _OF_THE_WHOLE:
            if key in node.entries:
                where = node.keys.get(key, node.line)
                self._faults.add(where, f"{quoted(key)} is for the head of the bundle, {self._root.shown}, alone")
        fields = Fields(node, "the included part", (*LISTS, "include", "version", *_OF_THE_WHOLE), self._faults)
        if not fields.valid:
            return
        self._include(node, way)
        for name in LISTS:
            self._entries[name] += fields.items(name)

    def _include(self, node: Node, way: tuple[_File, ...]) -> None:
        listed = node.entries.get("include")
        if listed is None or listed.kind == "null":
            return
        names = listed.items if listed.kind == "list" else (listed,)
        for name in names:
            line = name.line or node.keys.get("include", node.line)
            if name.kind != "text" or not name.text:
                self._faults.add(line, '"include" must hold paths of files')
            elif not self._from_file:
                self._faults.add(line, '"include" works in a bundle that is read from a file')
            else:
                self._read_all(name.text, line, way)

    def _read_all(self, name: str, line: int, way: tuple[_File, ...]) -> None:
        fault, files = self._files(name, way[-1])
        for file in files if not fault else ():
            if file.real in self._seen:
                continue
            on_the_way = [one.shown for one in way if one.real == file.real]
            if on_the_way:
                chain = " → ".join([*(one.shown for one in way), on_the_way[0]])
                fault = f"include {quoted(name)} goes round in a circle: {chain}"
            elif len(way) > _MAX_DEPTH:
                fault = (
                    f"include {quoted(name)} is nested deeper than {_MAX_DEPTH} files: {way[0].shown} … {file.shown}"
                )
            elif len(self._seen) >= _MAX_FILES:
                fault = f"include {quoted(name)}: the bundle has more than {_MAX_FILES} files"
            else:
                self._read(file, way)
        if fault:
            self._faults.add(line, fault)

    def _read(self, file: _File, way: tuple[_File, ...]) -> None:
        text = read_text(file.shown, self._left)
        self._left -= len(text)
        if self._left < 0:
            raise BundleError(f"with this file the bundle is larger than {MAX_BYTES >> 20} MiB", path=file.shown)
        documents = read_documents(text, file.shown)
        self._values += sum(map(weight, documents))
        if self._values > MAX_NODES:
            raise BundleError(f"with this file the bundle has more than {MAX_NODES} values", path=file.shown)
        for document in documents:
            self._piece(located(document, file.shown), (*way, file))
        # Not before its own pieces are read: until then to meet it again is a circle.
        self._seen.add(file.real)

    def _files(self, name: str, by: _File) -> tuple[str, list[_File]]:
        """What is wrong with a name, and the files it stands for."""
        said = f"include {quoted(name)}"
        if Path(name).is_absolute() or "**" in name or "\0" in name:
            return f"{said} must be relative to this file, without **", []
        found = list(_found(Path(by.shown).parent, name))
        if not found:
            return f"{said}: there is no such file beside {by.shown}", []
        outside = [file.shown for file in found if not file.real.is_relative_to(self._root.real.parent)]
        if outside:
            return f"{said} is outside of the bundle's folder {self._root.real.parent.name}/; move it there", []
        return "", found


def _found(folder: Path, name: str) -> Iterator[_File]:
    paths = [Path(os.path.normpath(folder / name))]
    if any(character in name for character in "*?["):
        # Hidden files are editors' and version control's.
        paths = sorted(path for path in folder.glob(name) if not path.name.startswith("."))
    for path in paths:
        if path.is_file():
            yield _File(os.path.normpath(path), path.resolve())
