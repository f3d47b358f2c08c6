"""Headers from an rpm database in Berkeley DB's hash format (rpm before 4.16: RHEL 8, Amazon Linux 2, old SUSE).

Format: Berkeley DB 4 and 5, dbinc/db_page.h; in the byte order of the machine that wrote it. Page 0 has the magic
0x00061561 at 12, the page size at 20, the last page's number at 32. Hash pages (type 13, in RHEL 5 type 2) hold
an array of offsets behind their header of 26 bytes, key and value in turn; a value is inline (type 1) or a chain of
overflow pages (type 3). Walking all pages in order finds what walking the buckets would.

Not handled: encrypted databases, page checksums: rpm never made either.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import BinaryIO

from anchorecli.analyzers.os.rpm.header import MAX_BYTES
from anchorecli.values import dataclass, field

MAGICS = {b"\x61\x15\x06\x00": "<", b"\x00\x06\x15\x61": ">"}
"""The magic as it stands in the file → byte order."""

_HEAD = 26
_HASH_PAGES = frozenset({2, 13})
_OVERFLOW = 7
_INLINE, _OFF_PAGE = 1, 3


def headers(stream: BinaryIO, size: int, damage: list[str]) -> Iterator[bytes]:
    """Every header, in the order of the pages; what cannot be read is told in ``damage``."""
    stream.seek(0)
    meta = stream.read(512)
    order = MAGICS.get(meta[12:16])
    if order is None or len(meta) < 512:
        damage.append("Berkeley DB: cut short in its first page")
        return
    page_size = struct.unpack_from(f"{order}I", meta, 20)[0]
    last = struct.unpack_from(f"{order}I", meta, 32)[0]
    if not 512 <= page_size <= 65536 or page_size & (page_size - 1) or meta[24] or meta[25] != 8:
        damage.append("Berkeley DB: encrypted, or no hash table")
        return
    pages = size // page_size
    if last >= pages:
        damage.append(f"Berkeley DB: cut short, {last + 1} pages were written and {pages} are there")
    yield from _Table(_buffered(stream), order, page_size, min(last + 1, pages), damage).values()


def _buffered(stream: BinaryIO) -> BinaryIO:
    # Pages are read one by one, nearly in order.
    return io.BufferedReader(stream, 1 << 18) if isinstance(stream, io.RawIOBase) else stream


@dataclass(slots=True)
class _Table:
    """An open table. Every overflow page belongs to one value: one seen twice is a loop or a lie."""

    stream: BinaryIO
    order: str
    page_size: int
    pages: int
    damage: list[str]
    seen: set[int] = field(default_factory=set)

    def values(self) -> Iterator[bytes]:
        """The values of all keys but 0, which is rpm's counter."""
        for number in range(1, self.pages):
            page = self._page(number)
            if len(page) == self.page_size and page[25] in _HASH_PAGES:
                for key, value in self._pairs(number, page):
                    if any(key):
                        yield from self._value(value)

    def _page(self, number: int) -> bytes:
        self.stream.seek(number * self.page_size)
        return self.stream.read(self.page_size)

    def _pairs(self, number: int, page: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Keys, and values with their type byte. Items fill the page from its end, each down to the next's end."""
        count = struct.unpack_from(f"{self.order}H", page, 20)[0]
        if _HEAD + 2 * count > self.page_size:
            self.damage.append(f"Berkeley DB: page {number} claims {count} entries")
            return
        offsets = (self.page_size, *struct.unpack_from(f"{self.order}{count}H", page, _HEAD))
        for place in range(1, count, 2):
            end, middle, start = offsets[place - 1 : place + 2]
            if not _HEAD <= start < middle < end <= self.page_size:
                self.damage.append(f"Berkeley DB: page {number} has entries outside of itself")
                return
            yield page[middle + 1 : end], page[start:middle]

    def _value(self, item: bytes) -> Iterator[bytes]:
        if item[0] == _INLINE:
            yield item[1:]
        elif item[0] == _OFF_PAGE and len(item) >= 12:
            first, length = struct.unpack_from(f"{self.order}II", item, 4)
            blob = self._chain(first, length) if length <= MAX_BYTES else None
            if blob is None:
                self.damage.append(f"Berkeley DB: the value that begins on page {first} cannot be read")
            else:
                yield blob
        else:
            self.damage.append(f"Berkeley DB: a value of the unknown type {item[0]}")

    def _chain(self, number: int, length: int) -> bytes | None:
        """``length`` bytes from overflow pages; None where the chain ends early, loops or leaves the table."""
        parts = []
        left = length
        while left > 0:
            if not 0 < number < self.pages or number in self.seen:
                return None
            self.seen.add(number)
            page = self._page(number)
            if len(page) < self.page_size or page[25] != _OVERFLOW:
                return None
            part = page[_HEAD : _HEAD + left]
            parts.append(part)
            left -= len(part)
            number = struct.unpack_from(f"{self.order}I", page, 16)[0]
        return b"".join(parts)
