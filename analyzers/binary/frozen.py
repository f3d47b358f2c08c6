"""Python distributions in a program that PyInstaller froze: their metadata, as far as it took them along.

Format: https://pyinstaller.org/en/stable/advanced-topics.html (CArchive): a small loader with an archive behind it or
in a section of its own. The archive ends with 88 bytes: a mark, its length, place and length of its table, Python's
version (``311``), the library of Python. Each row of the table: its length, place, size, size inflated, whether it is
deflated, a letter, a name. Files that are not modules keep theirs: ``requests-2.25.1.dist-info/METADATA``.

Not handled: modules without metadata (a remark), archives of PyInstaller before 2.1, programs for other systems.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from anchorecli.analyzers.base import Fact, LayerFile, View
from anchorecli.analyzers.language.formats.zipapps import MAX_METADATA, distribution
from anchorecli.analyzers.language.rows import Row, package
from anchorecli.errors import LimitError
from anchorecli.model import Json, Package, Problem

MARK = b"MEI\x0c\x0b\x0a\x0b\x0e"
COOKIE = struct.Struct("!8s4I64s")
ROW = struct.Struct("!4IBc")
LEAST, LOADER = 16 * 1024, 256 * 1024
"""Bytes of the loader, at least and at most; the archive that it loads is larger."""
MAX_TABLE = 16 * 1024 * 1024
MAX_INFLATED = 64 * 1024 * 1024
"""Of all metadata together: real ones have some kilobytes each."""
_TAIL = 64 * 1024
_ELF = b"\x7fELF\x02\x01"
_SEGMENT = struct.Struct("<II6Q")
_METADATA = (b".dist-info/METADATA", b".egg-info/PKG-INFO")


def read(file: LayerFile, head: bytes) -> Json | None:
    """Python's version and the distributions of a frozen program; None of another.

    Raises:
        ValueError: its archive is damaged.
        LimitError: more metadata than any program has.
    """
    if not _is_loader(head, file.size):
        return None
    if not file.direct:
        file.open().close()
    tail = file.at(max(0, file.size - _TAIL), _TAIL)
    at = tail.rfind(MARK)
    if at < 0 or len(tail) - at < COOKIE.size:
        return None
    _, length, table, size, python, _ = COOKIE.unpack_from(tail, at)
    end = file.size - len(tail) + at + COOKIE.size
    if length > end or table + size > length or size > MAX_TABLE:
        raise ValueError(f"an archive of PyInstaller that claims {length} bytes, and {size} of a table at {table}")
    start = end - length
    rows = list(_distributions(file, start, length, file.at(start + table, size)))
    return {"python": f"{python // 100}.{python % 100}" if python >= 100 else "", "rows": rows}


def packages(view: View, fact: Fact) -> Iterator[Package]:
    """A package for each distribution."""
    for row in fact.value.get("frozen", {}).get("rows", ()):
        yield package(view, fact, row, "binary", {"kind": "frozen"})


def problem(fact: Fact) -> Problem:
    """What is not known of a frozen program."""
    python = fact.value["frozen"]["python"]
    message = (
        f"frozen by PyInstaller{python and f' with Python {python}'}: of modules without metadata nothing is known"
    )
    return Problem("analyze", fact.path, message, "freeze it with --copy-metadata", incomplete=False)


def _is_loader(head: bytes, size: int) -> bool:
    """Whether so little of an ELF file is loaded that the most of it must be something else."""
    if not head.startswith(_ELF) or len(head) < 64 or size < 2 * LOADER:
        return False
    table, count = struct.unpack_from("<Q", head, 32)[0], struct.unpack_from("<H", head, 56)[0]
    if not count or table + count * _SEGMENT.size > len(head):
        return False
    rows = (_SEGMENT.unpack_from(head, table + number * _SEGMENT.size) for number in range(count))
    return LEAST <= max((row[2] + row[5] for row in rows if row[0] == 1), default=0) <= LOADER


def _distributions(file: LayerFile, start: int, length: int, table: bytes) -> Iterator[Row]:
    place, inflated = 0, 0
    while place < len(table):
        if place + ROW.size > len(table):
            raise ValueError("a table of PyInstaller that is cut short")
        step, at, size, _, deflated, _ = ROW.unpack_from(table, place)
        if step < ROW.size:
            raise ValueError("a row of PyInstaller's table that is too short")
        name = table[place + ROW.size : place + step].rstrip(b"\0")
        place += step
        if name.endswith(_METADATA):
            if at + size > length:
                raise ValueError(f"{name.decode(errors='replace')[:200]} is said to stand behind its archive's end")
            data = file.at(start + at, min(size, MAX_METADATA))
            data = _inflated(data) if deflated else data
            if (inflated := inflated + len(data)) > MAX_INFLATED:
                raise LimitError(f"more than {MAX_INFLATED} bytes of metadata in one frozen program (a fixed limit)")
            yield from distribution(data, name.decode(errors="replace"))


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, MAX_METADATA)
    except zlib.error as exc:
        raise ValueError(f"metadata in an archive of PyInstaller: {exc}") from None
