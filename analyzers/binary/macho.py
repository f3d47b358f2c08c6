"""Segments and sections of macOS programs, each architecture of a universal one by itself.

Format: Apple, "OS X ABI Mach-O File Format Reference" (``mach-o/loader.h``, ``mach-o/fat.h``): LC_SEGMENT and
LC_SEGMENT_64 commands. A universal file has the magic of a Java class: it counts only where its table makes sense.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from anchorecli.analyzers.binary.layout import CODE, CONSTANT, DATA, Layout, Region, Source

MAGICS = (b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xfe\xed\xfa\xcf", b"\xfe\xed\xfa\xce")
UNIVERSAL = (b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf")
MAX_ARCHITECTURES = 16
MAX_COMMANDS = 4096
MAX_COMMAND_BYTES = 4 * 1024 * 1024
_SEGMENT, _SEGMENT_64 = 1, 0x19
_WRITE, _EXECUTE = 2, 4


def read(source: Source) -> list[Layout]:
    """A layout for each architecture. Raises ValueError for absurd headers."""
    head = source.at(0, 8)
    if not head.startswith(UNIVERSAL):
        return [layout] if (layout := _thin(source, 0)) is not None else []
    places = list(_architectures(source, head))
    layouts = [layout for place in places if (layout := _thin(source, place)) is not None]
    # The table of a class file, whose magic is the same, points anywhere.
    if layouts and len(layouts) < len(places):
        layouts.append(Layout("macho", (), short=True))
    return layouts


def _architectures(source: Source, head: bytes) -> Iterator[int]:
    count = int.from_bytes(head[4:8], "big")
    # A class file has its version here, 45 and up.
    if not 0 < count <= MAX_ARCHITECTURES:
        return
    row, layout = (32, ">8xQ") if head[3] == 0xBF else (20, ">8xI")
    table = source.at(8, count * row)
    for place in range(0, len(table) - row + 1, row):
        yield struct.unpack_from(layout, table, place)[0]


def _thin(source: Source, base: int) -> Layout | None:
    head = source.at(base, 32)
    if len(head) < 32 or not head.startswith(MAGICS):
        return None
    order = "<" if head[3] == 0xFE else ">"
    wide = head[0 if order == "<" else 3] == 0xCF
    count, size = struct.unpack_from(f"{order}II", head, 16)
    if count > MAX_COMMANDS or size > MAX_COMMAND_BYTES:
        raise ValueError(f"{count} load commands in {size} bytes (limits {MAX_COMMANDS}, {MAX_COMMAND_BYTES})")
    commands = source.at(base + (32 if wide else 28), size)
    segments: list[Region] = []
    sections: list[Region] = []
    place = 0
    for _ in range(count):
        if place + 8 > len(commands):
            break
        kind, length = struct.unpack_from(f"{order}II", commands, place)
        if length < 8:
            return Layout("macho", tuple(segments), tuple(sections), short=True)
        if kind == (_SEGMENT_64 if wide else _SEGMENT):
            _segment(commands[place : place + length], (order, wide, base), segments, sections)
        place += length
    return Layout("macho", tuple(segments), tuple(sections))


def _segment(command: bytes, form: tuple[str, bool, int], segments: list[Region], sections: list[Region]) -> None:
    order, wide, base = form
    # name, address, size in memory, offset, size in the file, two protections, number of sections
    layout = f"{order}16sQQQQiiI" if wide else f"{order}16sIIIIiiI"
    if len(command) < 8 + struct.calcsize(layout):
        return
    _, address, _, offset, size, _, protection, count = struct.unpack_from(layout, command, 8)
    kind = CODE if protection & _EXECUTE else DATA if protection & _WRITE else CONSTANT
    segments.append(Region("", base + offset, size, address, kind))
    row, start = (80, 72) if wide else (68, 56)
    for place in range(start, min(start + count * row, len(command) - row + 1), row):
        name, _, address, size, offset = struct.unpack_from(
            f"{order}16s16sQQI" if wide else f"{order}16s16sIII", command, place
        )
        if offset:
            sections.append(Region(name.rstrip(b"\0").decode("latin-1"), base + offset, size, address, kind))
