"""The deps.json inside of a .NET application that was published as one file.

Format: https://github.com/dotnet/designs/blob/main/accepted/2020/single-file/bundler.md : behind the host's own program
stand the embedded files. In the program a signature of 32 bytes follows the place (8 bytes) of a header: two numbers of
its version, number of files, an identifier with its length before it; from version 2 on (.NET 5) places and sizes of
deps.json and runtimeconfig.json.

Not handled: version 1 (.NET Core 3), whose host unpacks itself.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from anchorecli.analyzers.base import Fact, LayerFile, View
from anchorecli.analyzers.language.dotnet import package, read_dependencies
from anchorecli.model import Json, Package
from anchorecli.values import replace

SIGNATURE = bytes.fromhex("8b1202b96a612038727b930214d7a03213f5b9e6efae3318ee3b2dce24b36aae")
"""The sha256 of ``.net core bundle`` and a line's end."""
LEAST = 16 * 1024
"""Bytes behind the program without which nothing is embedded."""
MAX_HOST = 128 * 1024 * 1024
MAX_LIST = 16 * 1024 * 1024
_STEP = 1024 * 1024
_ELF, _PE = b"\x7fELF\x02\x01", b"MZ"


def program_end(head: bytes) -> int:
    """Where an executable ends by its headers; 0 where they do not tell (Go's linker puts its table first)."""
    if head.startswith(_ELF) and len(head) >= 64:
        table, size, count = (*struct.unpack_from("<Q", head, 40), *struct.unpack_from("<HH", head, 58))
        return int(table + size * count) if table > LEAST and count else 0
    start = int.from_bytes(head[60:64], "little")
    if not head.startswith(_PE) or head[start : start + 4] != b"PE\0\0":
        return 0
    count, optional = struct.unpack_from("<H", head, start + 6)[0], struct.unpack_from("<H", head, start + 20)[0]
    first = start + 24 + optional
    rows = range(first, min(first + 40 * count, len(head) - 39), 40)
    return max((sum(struct.unpack_from("<II", head, row + 16)) for row in rows), default=0)


def read(file: LayerFile, head: bytes) -> Json | None:
    """The packages of an application in one file (``read_dependencies``); None for other programs.

    Raises: ValueError where the bundle is damaged.
    """
    try:
        end = program_end(head)
    except struct.error:
        return None
    if not 0 < end <= min(file.size - LEAST, MAX_HOST):
        return None
    if not file.direct:
        file.open().close()
    place = _header(file, end)
    if not end <= place < file.size:
        return None
    return _listed(file, place)


def packages(view: View, fact: Fact) -> Iterator[Package]:
    """A package for each that brings files; whether they were trimmed away again nobody tells."""
    for row in fact.value.get("dotnet", {}).get("packages", ()):
        if row[3]:
            yield replace(package(view, fact, row, "bundled"), analyzer="binary")


def _header(file: LayerFile, end: int) -> int:
    """What stands before the signature; 0 where there is none."""
    for start in range(0, end, _STEP):
        # A little of the next piece: the signature may begin in this one.
        data = file.at(max(0, start - 8), _STEP + 48)
        at = data.find(SIGNATURE)
        if at >= 8:
            return int.from_bytes(data[at - 8 : at], "little")
    return 0


def _listed(file: LayerFile, place: int) -> Json | None:
    data = file.at(place, 512)
    if len(data) < 64:
        raise ValueError("a .NET bundle whose header is cut short")
    major, name = struct.unpack_from("<I", data)[0], data[12]
    if major < 2 or name & 0x80:
        return None
    at, size = struct.unpack_from("<qq", data, 13 + name)
    if at == size == 0:
        return None
    if not (0 < at < file.size and 0 < size <= min(MAX_LIST, file.size - at)):
        raise ValueError(f"a .NET bundle that claims a deps.json of {size} bytes at {at}")
    return read_dependencies(file.at(at, size))
