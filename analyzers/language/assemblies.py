"""What a Windows program or library, or a .NET assembly, says of itself: its version resource.

Format: Microsoft, "PE Format" (data directories 3 and 15 of the optional header; ``.rsrc``: three levels of
directories, type 16 is the version) and "VS_VERSIONINFO", whose strings are UTF-16; whether it has a CLI header:
ECMA-335, II.25.3.3.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple, Protocol

MAX_ENTRIES = 4096
"""Of one directory of resources."""
MAX_RESOURCE = 64 * 1024
_HEAD = 4096
_VERSION_TYPE = 16
_FIXED = b"\xbd\x04\xef\xfe"
_WANTED = frozenset(("ProductName", "ProductVersion", "FileVersion", "CompanyName", "InternalName", "OriginalFilename"))
_MAX_TEXT = 200
_VERSION = re.compile(r"v?(\d+(?:\.\d+){1,3})(-[0-9A-Za-z][0-9A-Za-z.-]*)?")
_SERVICING = re.compile(r"-(?:servicing|rtm)[.-].*")


class Source(Protocol):
    """Bytes by their place."""

    def at(self, offset: int, count: int) -> bytes:
        """Up to ``count`` bytes, fewer at the end of the file."""


class Described(NamedTuple):
    """``managed`` where it is a .NET assembly; ``strings`` of its version resource, empty where it has none."""

    managed: bool
    strings: dict[str, str]


def describe(source: Source) -> Described | None:
    """What a file says of itself; None for what is no PE file. Raises ValueError where it is damaged."""
    head = source.at(0, _HEAD)
    start = int.from_bytes(head[60:64], "little")
    if head[:2] != b"MZ" or start > _HEAD - 512 or head[start : start + 4] != b"PE\0\0":
        return None
    try:
        sections, resources, managed = _headers(head, start)
        strings = _strings(_resource(source, sections, resources)) if resources else {}
    except struct.error:
        raise ValueError("a header or a resource directory that is cut short") from None
    return Described(managed, strings)


def version_of(strings: dict[str, str]) -> str:
    """The version as a NuGet package would have it: the product's, or the file's where that is none.

    ``8.0.4+2d7eea2`` is 8.0.4, ``3.1.23-servicing.22122.4`` 3.1.23, ``1.2.3.0`` 1.2.3 (NuGet normalises so).
    """
    for key in ("ProductVersion", "FileVersion"):
        text = strings.get(key, "").replace(", ", ".").replace(",", ".").strip()
        found = _VERSION.match(text)
        if not found or not found[1].strip("0."):
            continue
        number = found[1]
        while number.count(".") > 2 and number.endswith(".0"):
            number = number.removesuffix(".0")
        return number + _SERVICING.sub("", found[2] or "")
    return ""


# ── sections and directories ────────────────────────────────────────────────────────────────────────────────


def _headers(head: bytes, start: int) -> tuple[list[tuple[int, int, int]], tuple[int, int] | None, bool]:
    """Sections (address, size in the file, offset), the place of the resources, whether there is a CLI header."""
    count, optional = struct.unpack_from("<H", head, start + 6)[0], struct.unpack_from("<H", head, start + 20)[0]
    at = start + 24
    directories = at + (112 if struct.unpack_from("<H", head, at)[0] == 0x20B else 96)
    number = struct.unpack_from("<I", head, directories - 4)[0]
    resources = struct.unpack_from("<II", head, directories + 8 * 2) if number > 2 else (0, 0)
    managed = number > 14 and struct.unpack_from("<I", head, directories + 8 * 14)[0] != 0
    table = at + optional
    rows = (struct.unpack_from("<IIII", head, table + 40 * row + 8) for row in range(min(count, 96)))
    return [(address, size, offset) for _, address, size, offset in rows], resources if resources[0] else None, managed


def _offset(sections: list[tuple[int, int, int]], address: int) -> int:
    for start, size, offset in sections:
        if start <= address < start + size:
            return offset + address - start
    raise ValueError("a resource outside of every section")


def _resource(source: Source, sections: list[tuple[int, int, int]], place: tuple[int, int]) -> bytes:
    """The bytes of the first version resource, empty where there is none."""
    base = _offset(sections, place[0])
    at, wanted = 0, (_VERSION_TYPE, None, None)
    for number in wanted:
        entry = _entry(source, base + at, number)
        if entry is None:
            return b""
        at = entry & 0x7FFFFFFF
    address, size = struct.unpack("<II", source.at(base + at, 8))
    if size > MAX_RESOURCE:
        raise ValueError(f"a version resource of {size} bytes (limit {MAX_RESOURCE})")
    return source.at(_offset(sections, address), size)


def _entry(source: Source, at: int, number: int | None) -> int | None:
    """What an entry of a directory of resources points at: that of a number, or the first."""
    named, numbered = struct.unpack("<HH", source.at(at + 12, 4))
    if named + numbered > MAX_ENTRIES:
        raise ValueError(f"a directory of {named + numbered} resources (limit {MAX_ENTRIES})")
    table = source.at(at + 16, 8 * (named + numbered))
    for row in range(0, len(table) - 7, 8):
        name, target = struct.unpack_from("<II", table, row)
        if number is None or name == number:
            return int(target)
    return None


# ── VS_VERSIONINFO ──────────────────────────────────────────────────────────────────────────────────────────


class _Block(NamedTuple):
    key: str
    value: int
    """Where its value begins."""
    words: int
    """The value's length: in characters for texts, else in bytes."""
    end: int


def _strings(data: bytes) -> dict[str, str]:
    """The strings of the first language that has some."""
    whole = _block(data, 0, len(data))
    if whole is None or whole.key != "VS_VERSION_INFO":
        return {}
    children = _aligned(whole.value + whole.words if data[whole.value : whole.value + 4] == _FIXED else whole.value)
    for child in _blocks(data, children, whole.end):
        if child.key == "StringFileInfo":
            for table in _blocks(data, child.value, child.end):
                found = {each.key: _value(data, each) for each in _blocks(data, table.value, table.end)}
                if kept := {key: value for key, value in found.items() if key in _WANTED and value}:
                    return kept
    return {}


def _blocks(data: bytes, at: int, end: int) -> Iterator[_Block]:
    while at < end and (block := _block(data, at, end)) is not None:
        yield block
        at = _aligned(block.end)


def _block(data: bytes, at: int, end: int) -> _Block | None:
    """A block and its key; None where there is none, or one that goes beyond what holds it."""
    if at + 6 > end:
        return None
    length, words, _ = struct.unpack_from("<HHH", data, at)
    if length < 6 or at + length > end:
        return None
    stop = at + 6
    while stop + 1 < at + length and data[stop : stop + 2] != b"\0\0":
        stop += 2
    key = data[at + 6 : stop].decode("utf-16-le", "replace")
    return _Block(key, _aligned(stop + 2), words, at + length)


def _value(data: bytes, block: _Block) -> str:
    # Some compilers count bytes where characters are meant: the text ends at its zero.
    text = data[block.value : min(block.end, block.value + 2 * _MAX_TEXT)].decode("utf-16-le", "replace")
    return "".join(each for each in text.partition("\0")[0] if each.isprintable()).strip()


def _aligned(at: int) -> int:
    return (at + 3) & ~3
