"""Headers from an rpm database in rpm's own format, ndb (SUSE).

Format: rpm's lib/backend/ndb/rpmpkg.c; little-endian. A header of 32 bytes ``RpmP``, version 0, generation, number of
slot pages; from there slots of 16 bytes ``Slot``, package number, block, block count; a block is 16 bytes. At its
block each package has ``BlbS``, its number, generation, length, the header, and a tail that ends in ``BlbE``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from anchorecli.analyzers.os.rpm.header import MAX_BYTES

MAGIC = b"RpmP"
MAX_SLOT_PAGES = 2048
"""Half a million packages."""

_PAGE, _BLOCK = 4096, 16
_SLOT = struct.Struct("<4sIII")


def headers(stream: BinaryIO, size: int, damage: list[str]) -> Iterator[bytes]:
    """Every header in the order of package numbers; what cannot be read is told in ``damage``."""
    stream.seek(0)
    head = stream.read(32)
    if len(head) < 32 or head[4:8] != b"\0\0\0\0":
        damage.append("ndb: cut short or of an unknown version")
        return
    pages = int.from_bytes(head[12:16], "little")
    if pages > MAX_SLOT_PAGES:
        damage.append(f"ndb: {pages} slot pages, more than {MAX_SLOT_PAGES}")
        pages = MAX_SLOT_PAGES
    slots = stream.read(pages * _PAGE - 32)
    if len(slots) < pages * _PAGE - 32:
        damage.append("ndb: cut short among its slots")
    # Real blobs never overlap, so together they are no longer than the file.
    left = size
    for index, block, count in _used(slots, damage):
        blob = _blob(stream, index, block, count)
        if (block + count) * _BLOCK > size:
            damage.append(f"ndb: cut short in package {index}")
        if blob is None or len(blob) > left:
            damage.append(f"ndb: package {index} is not where its slot says")
        else:
            left -= len(blob)
            yield blob


def _used(slots: bytes, damage: list[str]) -> list[tuple[int, int, int]]:
    found = []
    for magic, index, block, count in _SLOT.iter_unpack(slots[: len(slots) // 16 * 16]):
        if magic != b"Slot":
            damage.append("ndb: a damaged slot")
        elif index and block:
            found.append((index, block, count))
    return sorted(found)


def _blob(stream: BinaryIO, index: int, block: int, count: int) -> bytes | None:
    stream.seek(block * _BLOCK)
    head = stream.read(16)
    length = int.from_bytes(head[12:16], "little")
    if head[:4] != b"BlbS" or int.from_bytes(head[4:8], "little") != index:
        return None
    if length > MAX_BYTES or length + 28 > count * _BLOCK:
        return None
    blob = stream.read(length)
    return blob if len(blob) == length else None
