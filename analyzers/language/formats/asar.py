"""npm packages in the archive that an Electron application is packed into.

Format: https://github.com/electron/asar , four numbers of four bytes (the second how long the header is with its two,
the last how long its text), then JSON: ``{"files": {"node_modules": {"files": {…}}}}``, of a file
``{"size": 9, "offset": "0"}``, offsets as text from the header's end on. What is marked ``unpacked`` lies in a
directory beside the archive, where it is found by itself.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from anchorecli.analyzers.documents import read_json
from anchorecli.analyzers.language.npm import MAX_BYTES, installation, is_candidate, read_package, release
from anchorecli.analyzers.language.rows import Row, row
from anchorecli.analyzers.limits import Limits

_NUMBERS = struct.Struct("<4I")
_LEVELS = 256


class _Manifest(NamedTuple):
    """A package.json: where in the archive's files it begins, its size, its path."""

    offset: int
    size: int
    path: str


def read_archive(stream: BinaryIO, limits: Limits) -> Iterator[Row]:
    """Each package in it, the application itself among them.

    Raises:
        ValueError: no such archive, or a damaged one.
        LimitError: a header of more than ``file-bytes``, more than ``entries`` in it.
    """
    start, header = _header(stream, limits)
    manifests, homes = _manifests(header, limits)
    for each in sorted(manifests):
        stream.seek(start + each.offset)
        data = stream.read(each.size) if each.size <= MAX_BYTES else b""
        if len(data) < each.size:
            raise ValueError(f"{each.path} of {each.size} bytes at {each.offset} is not there")
        fact = read_package(data) or {}
        kind = installation(each.path, fact, homes.__contains__)
        name, version = release(fact)
        if kind and name and version:
            metadata = {"kind": kind, "inside": each.path, **({"private": "true"} if fact.get("private") else {})}
            yield row("npm", name, version, licenses=fact.get("licenses"), metadata=metadata)


def _header(stream: BinaryIO, limits: Limits) -> tuple[int, Any]:
    """Where the files begin, and the tree of them."""
    head = stream.read(_NUMBERS.size)
    if len(head) < _NUMBERS.size:
        raise ValueError("cut short in its header")
    four, whole, _, length = _NUMBERS.unpack(head)
    if four != 4 or not length <= whole - 8:
        raise ValueError("no archive of Electron")
    if length > limits["file-bytes"]:
        raise limits.exceeded("file-bytes")
    text = stream.read(length)
    if len(text) < length:
        raise ValueError("cut short in its header")
    return 8 + whole, read_json(text)


def _manifests(header: Any, limits: Limits) -> tuple[list[_Manifest], set[str]]:
    """Every package.json that may count, and the directories that have modules of their own."""
    found, homes, seen = [], set(), 0
    left = [("", header, 0)]
    while left:
        directory, node, level = left.pop()
        files = node.get("files") if isinstance(node, dict) else None
        if not isinstance(files, dict) or level > _LEVELS:
            raise ValueError(f"no list of files in {directory or 'its header'}")
        if (seen := seen + len(files)) > limits["entries"]:
            raise limits.exceeded("entries")
        for name, entry in files.items():
            path = f"{directory}/{name}".lstrip("/")
            if isinstance(entry, dict) and "files" in entry:
                left.append((path, entry, level + 1))
                if name == "node_modules":
                    homes.add(directory)
            elif name == "package.json" and is_candidate(path) and (place := _place(entry)):
                found.append(_Manifest(*place, path))
    return found, homes


def _place(entry: Any) -> tuple[int, int] | None:
    """Offset and size of a file; None of a link, and of what lies beside the archive."""
    offset, size = (entry.get("offset"), entry.get("size")) if isinstance(entry, dict) else (None, None)
    if not isinstance(offset, str) or not isinstance(size, int):
        return None
    if not (offset.isascii() and offset.isdigit() and len(offset) < 18 and size >= 0):
        raise ValueError(f"a file at {offset[:20]!r} of {size} bytes")
    return int(offset), size
