"""Zip files read as a stream of members: nothing is extracted, names are only keys, every byte out is counted.

The directory is walked as it is read, since the standard library's reader needs 280 MB for the 350,000 members of an
advisory tree.

Format: PKWARE APPNOTE 6.3.x, 4.3 (end of central directory, Zip64 too) and 4.4. Not handled: encryption, methods other
than stored (0) and deflated (8), and several disks: such a member is a Problem.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import IO, NamedTuple

from anchorecli.errors import FeedError, LimitError

MAX_ENTRIES = 4_000_000
MAX_NAME = 4096

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_ENCRYPTED = 0x1
_UTF8 = 0x800
_CHUNK = 64 * 1024
_BIG = 0xFFFFFFFF
_SOME_RATIO = 300
_SOME_SIZE = 1 << 20
"""A member of more than this, inflated by more than _SOME_RATIO, is taken for a bomb: JSON reaches 50."""


class Entry(NamedTuple):
    """A member as the directory describes it; the sizes are claims until it has been read."""

    name: str
    method: int
    flags: int
    crc: int
    packed: int
    size: int
    offset: int


class Budget:
    """How many bytes all members together may still give; shared by every reader of one file."""

    def __init__(self, total: int) -> None:
        self.left = total

    def spend(self, count: int, subject: str) -> None:
        """Raises: FeedError once nothing is left: then the whole file is not to be trusted."""
        self.left -= count
        if self.left < 0:
            raise FeedError(
                f"{subject}: its members inflate to more than is plausible for a file of this size",
                hint="get the file from its source again",
            )


def entries(file: IO[bytes], subject: str) -> Iterator[Entry]:
    """The members in the order of the directory, directories left out.

    Raises: FeedError where the file is no zip, truncated or damaged.
    """
    count, offset, shift = _directory(file, subject)
    position = offset
    for _ in range(count):
        file.seek(position)
        head = file.read(_ENTRY.size)
        if len(head) < _ENTRY.size or head[:4] != b"PK\x01\x02":
            raise _damaged(subject, f"no directory entry at byte {position}")
        fields = _ENTRY.unpack(head)
        name_length, extra_length, comment_length = fields[10], fields[11], fields[12]
        if name_length > MAX_NAME:
            raise _damaged(subject, f"a name of {name_length} bytes")
        rest = file.read(name_length + extra_length)
        if len(rest) < name_length + extra_length:
            raise _damaged(subject, "the directory is cut off")
        position += _ENTRY.size + name_length + extra_length + comment_length
        name = rest[:name_length].decode("utf-8" if fields[3] & _UTF8 else "cp437", "replace")
        if name.endswith("/"):
            continue
        size, packed, start = _sizes(fields[9], fields[8], fields[16], rest[name_length:])
        yield Entry(name, fields[4], fields[3], fields[7], packed, size, start + shift)


class MemberStream:
    """One member's bytes, inflated piece by piece; ``read`` as a binary file has it.

    Raises (from ``read``): LimitError for a bomb or more than ``limit`` bytes, ValueError for damage, FeedError when
    the whole file's budget is spent.
    """

    def __init__(self, file: IO[bytes], entry: Entry, limit: int, budget: Budget, subject: str) -> None:
        if entry.flags & _ENCRYPTED or entry.method not in (0, 8):
            raise ValueError("encrypted, or packed by a method other than deflate")
        file.seek(entry.offset)
        head = file.read(_LOCAL.size)
        if len(head) < _LOCAL.size or head[:4] != b"PK\x03\x04":
            raise ValueError("not where the zip directory says")
        name_length, extra_length = _LOCAL.unpack(head)[9:11]
        self._file, self._entry, self._subject = file, entry, subject
        self._position = entry.offset + _LOCAL.size + name_length + extra_length
        self._packed_left = entry.packed
        self._inflate = zlib.decompressobj(-15) if entry.method == 8 else None
        self._limit, self._budget = limit, budget
        self._out = 0
        self._crc = 0
        self._pending = b""
        self._done = False

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes (all that is left for -1); empty at the end."""
        if size < 0:
            return b"".join(iter(lambda: self._piece(_CHUNK * 4), b""))
        return self._piece(size)

    def _piece(self, size: int) -> bytes:
        while not self._done:
            try:
                data = self._next(size)
            except zlib.error as error:
                raise ValueError(f"damaged: {error}") from error
            if data:
                self._count(data)
                return data
        return b""

    def _next(self, size: int) -> bytes:
        """Some bytes, or none and ``_done`` set after the checks at the end."""
        if self._inflate is None:
            data = self._raw(size)
            if not data:
                self._finish()
            return data
        if self._inflate.eof:
            self._finish()
            return b""
        source = self._pending or self._raw(_CHUNK)
        data = self._inflate.decompress(source, size)
        self._pending = self._inflate.unconsumed_tail
        if not source and not data and not self._inflate.eof:
            raise ValueError("cut off")
        return data

    def _raw(self, size: int) -> bytes:
        # Other members may be read between two calls: the place is ours, the file is shared.
        self._file.seek(self._position)
        data = self._file.read(min(size, self._packed_left))
        self._position += len(data)
        self._packed_left -= len(data)
        return data

    def _count(self, data: bytes) -> None:
        self._out += len(data)
        self._crc = zlib.crc32(data, self._crc)
        self._budget.spend(len(data), self._subject)
        if self._out > self._limit:
            raise LimitError(f"more than {self._limit} bytes")
        if self._out > _SOME_SIZE and self._out > _SOME_RATIO * self._entry.packed:
            raise LimitError(f"inflates to more than {_SOME_RATIO} times its size")

    def _finish(self) -> None:
        self._done = True
        if self._out != self._entry.size or self._crc != self._entry.crc:
            raise ValueError("damaged: length or checksum differ from the zip directory")


def _directory(file: IO[bytes], subject: str) -> tuple[int, int, int]:
    """Number of entries, where the directory starts, and how far all offsets are shifted by leading data."""
    length = file.seek(0, 2)
    tail_at = max(0, length - _END.size - 0xFFFF)
    file.seek(tail_at)
    tail = file.read()
    found = tail.rfind(b"PK\x05\x06")
    if found < 0 or len(tail) - found < _END.size:
        raise FeedError(f"{subject} is not a whole zip file: it has no directory", hint="fetch or copy it again")
    _, _, _, _, count, size, offset, _ = _END.unpack_from(tail, found)
    end_at = tail_at + found
    count, size, offset, end_at = _zip64(file, end_at, (count, size, offset), subject)
    shift = end_at - size - offset
    if shift < 0 or count > MAX_ENTRIES or count * _ENTRY.size > size:
        raise _damaged(subject, "its directory contradicts itself")
    return count, offset + shift, shift


def _zip64(file: IO[bytes], end_at: int, short: tuple[int, int, int], subject: str) -> tuple[int, int, int, int]:
    file.seek(max(0, end_at - _LOCATOR.size))
    head = file.read(_LOCATOR.size)
    if len(head) < _LOCATOR.size or head[:4] != b"PK\x06\x07":
        return (*short, end_at)
    place = _LOCATOR.unpack(head)[2]
    file.seek(place)
    record = file.read(_END64.size)
    if len(record) < _END64.size or record[:4] != b"PK\x06\x06":
        raise _damaged(subject, "no Zip64 directory where it should be")
    fields = _END64.unpack(record)
    return fields[7], fields[8], fields[9], place


def _sizes(size: int, packed: int, offset: int, extra: bytes) -> tuple[int, int, int]:
    """The three numbers, taken from the Zip64 extra field (id 1) where the entry says that they are there."""
    if _BIG not in (size, packed, offset):
        return size, packed, offset
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            numbers = iter(struct.unpack_from(f"<{min(length, len(extra) - at - 4) // 8}Q", extra, at + 4))
            return (
                next(numbers, size) if size == _BIG else size,
                next(numbers, packed) if packed == _BIG else packed,
                next(numbers, offset) if offset == _BIG else offset,
            )
        at += 4 + length
    return size, packed, offset


def _damaged(subject: str, what: str) -> FeedError:
    return FeedError(f"{subject} is a damaged zip file: {what}", hint="fetch or copy it again")
