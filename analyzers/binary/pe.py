"""Sections of Windows programs and libraries.

Format: Microsoft, "PE Format": the offset of ``PE\\0\\0`` stands at 0x3c; COFF header, optional header, section table.
"""

from __future__ import annotations

import struct

from anchorecli.analyzers.binary.layout import CODE, CONSTANT, DATA, Layout, Region, Source

MAGIC = b"MZ"
MAX_SECTIONS = 512
MAX_OFFSET = 1024 * 1024
_EXECUTE, _WRITE = 0x20000000, 0x80000000
_ROW = 40


def read(source: Source) -> Layout | None:
    """The layout; None where there is no PE header. Raises ValueError for absurd headers."""
    head = source.at(0, 64)
    if len(head) < 64 or not head.startswith(MAGIC):
        return None
    start = int.from_bytes(head[60:64], "little")
    if start > MAX_OFFSET:
        return None
    header = source.at(start, 24 + 64)
    if len(header) < 24 or not header.startswith(b"PE\0\0"):
        return None
    count, optional = struct.unpack_from("<H", header, 6)[0], struct.unpack_from("<H", header, 20)[0]
    if count > MAX_SECTIONS:
        raise ValueError(f"{count} sections (limit {MAX_SECTIONS})")
    base = 0
    if optional >= 32 and len(header) >= 56:
        wide = struct.unpack_from("<H", header, 24)[0] == 0x20B
        base = struct.unpack_from("<Q", header, 48)[0] if wide else struct.unpack_from("<I", header, 52)[0]
    table = source.at(start + 24 + optional, count * _ROW)
    sections = tuple(_section(table, place, base) for place in range(0, len(table) - _ROW + 1, _ROW))
    return Layout("pe", sections, sections)


def _section(table: bytes, place: int, base: int) -> Region:
    name, virtual, address, size, offset = struct.unpack_from("<8sIIII", table, place)
    flags = int.from_bytes(table[place + 36 : place + 40], "little")
    kind = CODE if flags & _EXECUTE else DATA if flags & _WRITE else CONSTANT
    held = min(size, virtual) if virtual else size
    return Region(name.rstrip(b"\0").decode("latin-1"), offset, held, base + address, kind)
