"""Sections and segments of ELF files, nothing else.

Format: System V ABI, chapter 4 "Object Files" (``\x7fELF``, class, byte order; program headers; section headers). Only
what is loaded by itself is read: programs and shared objects, no object files and no core dumps.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from anchorecli.analyzers.binary.layout import CODE, CONSTANT, DATA, UNLOADED, Layout, Region, Source

MAGIC = b"\x7fELF"
MAX_HEADERS = 4096
"""Segments, and sections, of a linked file: real ones have some dozens."""
MAX_NAMES = 1024 * 1024

_EXECUTABLE, _SHARED = 2, 3
_LOAD = 1
_NOBITS = 8
_SEGMENT_X, _SEGMENT_W = 1, 2
_SECTION_WRITE, _SECTION_ALLOC, _SECTION_EXECUTE = 1, 2, 4


def read(source: Source, names: tuple[bytes, ...] = ()) -> Layout | None:
    """The layout; None where it is no program and no library.

    Most programs have nothing of interest: where the table has names and none of ``names``, no section is listed.
    ``complete`` is False where the section table was not within reach. Raises ValueError for absurd headers.
    """
    head = source.at(0, 64)
    if len(head) < 52 or not head.startswith(MAGIC) or head[4] not in (1, 2) or head[5] not in (1, 2):
        return None
    wide, order = head[4] == 2, "<" if head[5] == 1 else ">"
    if struct.unpack_from(f"{order}H", head, 16)[0] not in (_EXECUTABLE, _SHARED) or (wide and len(head) < 64):
        return None
    fields = struct.unpack_from(f"{order}QQQIHHHHHH" if wide else f"{order}IIIIHHHHHH", head, 24)
    _, segments_at, sections_at, _, _, segment_size, segment_count, section_size, section_count, names_row = fields
    if segment_count > MAX_HEADERS or section_count > MAX_HEADERS:
        raise ValueError(f"{segment_count} segments and {section_count} sections (limit {MAX_HEADERS})")
    segments = _segments(source, order, wide, (segments_at, segment_size, segment_count))
    if not sections_at or not section_count:
        return Layout("elf", segments)
    try:
        rows = _rows(source, order, wide, (sections_at, section_size, section_count))
    except LookupError:
        return Layout("elf", segments, complete=False)
    if len(rows) < section_count:
        return Layout("elf", segments, short=True)
    known = _names(source, rows, names_row)
    if known and names and not any(name in known for name in names):
        return Layout("elf", segments, named=True)
    return Layout("elf", segments, tuple(_sections(rows, known)), named=bool(known))


def _segments(source: Source, order: str, wide: bool, table: tuple[int, int, int]) -> tuple[Region, ...]:
    at, entry, count = table
    layout = f"{order}IIQQQQ" if wide else f"{order}IIIIIII"
    if not count:
        return ()
    if entry < struct.calcsize(layout):
        raise ValueError(f"program headers of {entry} bytes")
    data = source.at(at, entry * count)
    segments = []
    for place in range(0, len(data) - entry + 1, entry):
        row = struct.unpack_from(layout, data, place)
        # 64 bits: type, flags, offset, address, physical, size; 32 bits: the flags come last.
        kind, flags, offset, address, size = (*row[:4], row[5]) if wide else (row[0], row[6], row[1], row[2], row[4])
        if kind == _LOAD:
            access = CODE if flags & _SEGMENT_X else DATA if flags & _SEGMENT_W else CONSTANT
            segments.append(Region("", offset, size, address, access))
    return tuple(segments)


def _rows(source: Source, order: str, wide: bool, table: tuple[int, int, int]) -> list[tuple[int, ...]]:
    at, entry, count = table
    layout = struct.Struct(f"{order}IIQQQQ" if wide else f"{order}IIIIII")
    if entry < layout.size:
        raise ValueError(f"section headers of {entry} bytes")
    data = source.at(at, entry * count)
    return [layout.unpack_from(data, place) for place in range(0, len(data) - entry + 1, entry)]


def _names(source: Source, rows: list[tuple[int, ...]], row: int) -> bytes:
    if row >= len(rows):
        return b""
    _, _, _, _, offset, size = rows[row]
    try:
        return source.at(offset, min(size, MAX_NAMES))
    except LookupError:
        # Where only the first page is at hand there are no names yet; the content tells as much.
        return b""


def _sections(rows: list[tuple[int, ...]], names: bytes) -> Iterator[Region]:
    for name, kind, flags, address, offset, size in rows:
        if kind not in (0, _NOBITS):
            yield Region(_name(names, name), offset, size, address, _access(flags))


def _access(flags: int) -> str:
    if not flags & _SECTION_ALLOC:
        return UNLOADED
    return CODE if flags & _SECTION_EXECUTE else DATA if flags & _SECTION_WRITE else CONSTANT


def _name(names: bytes, start: int) -> str:
    end = names.find(b"\0", start, start + 64)
    return names[start:end].decode("latin-1") if 0 <= start < end else ""
