"""Zip archives by their central directory: which entries there are, and the bytes of those few that are asked for.

Format: APPNOTE.TXT 6.3 (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT), 4.3: central directory, its end
record and the Zip64 ones; methods 0 (stored) and 8 (deflated). What precedes the archive (a shell script, a launcher)
shifts every offset and is allowed for. A stored archive inside an archive is read where it lies.

Not handled: other compression methods, encryption, archives in several volumes; asking for such an entry raises.
The standard library's ``zipfile`` makes an object of each entry, which takes ten times as long.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections import defaultdict
from typing import BinaryIO, NamedTuple, Protocol

from anchorecli.analyzers.limits import Limits
from anchorecli.errors import LimitError

EMPTY = 2
"""Bytes that nothing takes when it is deflated."""
IN_MEMORY = 16 * 1024 * 1024
"""Bytes; an inner archive that inflates to more goes through an unnamed temporary file."""
MAX_DIRECTORY = 48 * 1024 * 1024
"""Bytes of one central directory: half a million entries."""

_STEP = 256 * 1024
_OVERHEAD = 64 * 1024
"""Deflating what cannot be deflated makes it larger by 5 bytes for each 16 KiB."""
_TAIL = 22 + 0xFFFF
_CENTRAL, _LOCAL, _END, _END64 = b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06"
_SIGNATURE = int.from_bytes(_CENTRAL, "little")
_LENGTHS = struct.Struct("<L24xHHH").unpack_from
_ENTRY = struct.Struct("<8xHH8xLLHHH8xL").unpack_from
_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 1


class BadZip(ValueError):
    """It is no zip archive, or one that cannot be read."""


class TooLarge(LimitError):
    """An entry that is small in every archive of a kind is too large to be read in this one."""


class Source(Protocol):
    """Bytes that can be had by their position."""

    @property
    def size(self) -> int:
        """How many there are."""

    def read(self, offset: int, count: int) -> bytes:
        """``count`` bytes from ``offset``, fewer at the end."""


class Window(NamedTuple):
    """A part of a seekable stream."""

    stream: BinaryIO
    start: int
    size: int

    def read(self, offset: int, count: int) -> bytes:
        """``count`` bytes from ``offset``, fewer at the end."""
        if offset < 0 or offset >= self.size:
            return b""
        self.stream.seek(self.start + offset)
        return self.stream.read(min(count, self.size - offset))


class Entries(NamedTuple):
    """What there is in an archive: how many classes by directory; the name of any other entry, and its place for
    ``Zip.entry``; what is wrong with the list, if anything is."""

    classes: dict[bytes, int]
    others: list[tuple[bytes, int]]
    damage: str


class Entry(NamedTuple):
    """What the central directory says of one entry. ``start`` is where its local header begins in the source."""

    flags: int
    method: int
    packed: int
    size: int
    start: int


class Budget:
    """What one file of an image may cost, its inner archives included; taking more raises LimitError."""

    def __init__(self, limits: Limits) -> None:
        self._left = {name: limits[name] for name in ("archives", "directory-bytes", "inflated-bytes")}
        self._limits = limits

    def take(self, what: str, count: int) -> None:
        """Note ``count`` of ``archives``, ``directory-bytes`` or ``inflated-bytes``."""
        self._left[what] -= count
        if self._left[what] < 0:
            raise self._limits.exceeded(what)


class Zip:
    """One archive. Raises: BadZip where there is no end record, or the directory is not where it says."""

    def __init__(self, source: Source, budget: Budget) -> None:
        self._source = source
        self._budget = budget
        budget.take("archives", 1)
        length, offset, self._shift = _end_record(source)
        if length > MAX_DIRECTORY:
            raise LimitError(f"a central directory of {length} bytes, more than {MAX_DIRECTORY}")
        budget.take("directory-bytes", length)
        self._directory = source.read(offset + self._shift, length)
        if len(self._directory) < length or (length and not self._directory.startswith(_CENTRAL)):
            raise BadZip("damaged: no central directory where its end record says")

    def entries(self) -> Entries:
        """All entries, the classes of a directory as a number: most of an archive are classes."""
        directory, place, end = self._directory, 0, len(self._directory)
        lengths, signature = _LENGTHS, _SIGNATURE
        classes: defaultdict[bytes, int] = defaultdict(int)
        others: list[tuple[bytes, int]] = []
        while place + 46 <= end:
            mark, name, extra, comment = lengths(directory, place)
            if mark != signature:
                break
            start = place + 46
            stop = start + name
            if directory[stop - 6 : stop] == b".class":
                slash = directory.rfind(b"/", start, stop)
                classes[directory[start:slash] if slash >= 0 else b""] += 1
            else:
                others.append((directory[start:stop], place))
            place = stop + extra + comment
        whole = place == end or directory[place : place + 4] == b"PK\x05\x05"  # a digital signature may follow
        return Entries(classes, others, "" if whole else "damaged: its central directory ends early")

    def entry(self, place: int) -> Entry:
        """What the directory says of the entry at a place that ``entries`` gave."""
        flags, method, packed, size, name, extra, _, start = _ENTRY(self._directory, place)
        if 0xFFFFFFFF in (packed, size, start):
            fields = self._directory[place + 46 + name : place + 46 + name + extra]
            size, packed, start = _zip64(fields, size, packed, start)
        return Entry(flags, method, packed, size, start + self._shift)

    def locked(self, place: int) -> bool:
        """Whether the entry at a place of the directory is encrypted."""
        return bool(self.entry(place).flags & _ENCRYPTED)

    def read(self, entry: Entry, limit: int) -> bytes:
        """A small entry's bytes. Raises: BadZip, TooLarge past ``limit`` bytes, LimitError where the budget ends."""
        if entry.size > limit:
            raise TooLarge(f"an entry of {entry.size} bytes, of which {limit} would be read")
        start = self._data(entry)
        if entry.method == _STORED:
            return self._whole(start, entry.size)
        self._budget.take("inflated-bytes", entry.size)
        return self._inflated(start, entry)

    def head(self, entry: Entry, count: int) -> bytes:
        """The first bytes of an entry of any size. Raises: BadZip, LimitError where the budget ends."""
        start, left = self._data(entry), entry.packed
        if entry.method == _STORED:
            return self._whole(start, min(count, entry.size))
        self._budget.take("inflated-bytes", min(count, entry.size))
        stream, out = zlib.decompressobj(-15), b""
        try:
            while left > 0 and len(out) < count and not stream.eof:
                piece = self._whole(start, min(left, _STEP))
                start, left = start + len(piece), left - len(piece)
                out += stream.decompress(piece, count - len(out))
        except zlib.error as error:
            raise BadZip(f"damaged: {error}") from None
        return out

    def open(self, entry: Entry) -> Source:
        """An entry's bytes as a source of its own, read where they lie if they are stored. Raises: as ``read``."""
        start = self._data(entry)
        if entry.method == _STORED:
            if start + entry.packed > self._source.size:
                raise BadZip("truncated")
            return Part(self._source, start, entry.packed)
        self._budget.take("inflated-bytes", entry.size)
        if entry.size <= IN_MEMORY:
            return Window(io.BytesIO(self._inflated(start, entry)), 0, entry.size)
        return self._spooled(start, entry)

    def _inflated(self, start: int, entry: Entry) -> bytes:
        if entry.packed > entry.size + _OVERHEAD:
            raise BadZip("damaged: its sizes cannot be")
        stream = zlib.decompressobj(-15)
        try:
            out = stream.decompress(self._whole(start, entry.packed), entry.size + 1)
        except zlib.error as error:
            raise BadZip(f"damaged: {error}") from None
        if len(out) != entry.size:
            raise BadZip("damaged: it inflates to another size than it says")
        return out

    def _spooled(self, start: int, entry: Entry) -> Source:
        from tempfile import TemporaryFile

        target = TemporaryFile()  # noqa: SIM115 - goes with the Source
        stream = zlib.decompressobj(-15)
        left, written = entry.packed, 0
        try:
            while left > 0 and not stream.eof:
                piece = self._whole(start, min(left, _STEP))
                start, left = start + len(piece), left - len(piece)
                while piece and not stream.eof and written <= entry.size:
                    written += target.write(stream.decompress(piece, _STEP * 4))
                    piece = stream.unconsumed_tail
                if written > entry.size:
                    break
        except zlib.error as error:
            raise BadZip(f"damaged: {error}") from None
        if written != entry.size:
            raise BadZip("damaged: it inflates to another size than it says")
        return Window(target, 0, written)

    def _data(self, entry: Entry) -> int:
        """Where an entry's bytes begin."""
        if entry.flags & _ENCRYPTED:
            raise BadZip("encrypted")
        if entry.method not in (_STORED, _DEFLATED):
            raise BadZip(f"compressed by method {entry.method}")
        if entry.method == _STORED and entry.packed != entry.size:
            # Readers do not agree which of them counts.
            raise BadZip("damaged: its sizes cannot be")
        header = self._source.read(entry.start, 30)
        if len(header) < 30 or not header.startswith(_LOCAL):
            raise BadZip("damaged: no entry where the central directory says")
        name, extra = struct.unpack_from("<HH", header, 26)
        return entry.start + 30 + int(name) + int(extra)

    def _whole(self, start: int, count: int) -> bytes:
        data = self._source.read(start, count)
        if len(data) < count:
            raise BadZip("truncated")
        return data


class Part(NamedTuple):
    """A part of another source."""

    source: Source
    start: int
    size: int

    def read(self, offset: int, count: int) -> bytes:
        """``count`` bytes from ``offset``, fewer at the end."""
        return self.source.read(self.start + offset, min(count, self.size - offset)) if 0 <= offset < self.size else b""


def _end_record(source: Source) -> tuple[int, int, int]:
    """Length and offset of the central directory, and by how much every offset is too small."""
    tail = source.read(max(0, source.size - 22), 22)
    if not tail.startswith(_END) or tail[20:22] != b"\0\0":
        tail = source.read(max(0, source.size - _TAIL), _TAIL)
    at = _find_end(source, tail)
    if at < 0:
        raise BadZip("no zip archive, or a truncated one" if source.read(0, 2) == b"PK" else "no zip archive")
    place = source.size - len(tail) + at
    length, offset = struct.unpack_from("<LL", tail, at + 12)
    # Some writers have a Zip64 record although they need none: it stands between the directory and its end.
    if length + offset != place and (wide := _wide_end_record(source, place)) is not None:
        return wide
    return length, offset, _checked_shift(place - length - offset)


def _find_end(source: Source, tail: bytes) -> int:
    """Where the end record begins: the last one whose comment ends with the file, as Java has it.

    One behind which there is more counts where a directory is before it, or where there is no other.
    """
    at, otherwise = len(tail), -1
    before = source.size - len(tail)
    while (at := tail.rfind(_END, 0, at)) >= 0:
        if at + 22 > len(tail):
            continue
        length, _, comment = struct.unpack_from("<LLH", tail, at + 12)
        end = at + 22 + comment
        if end == len(tail):
            return at
        if end < len(tail) and 0 < length <= before + at and source.read(before + at - length, 4) == _CENTRAL:
            return at
        if otherwise < 0 and end < len(tail):
            otherwise = at
    return otherwise


def _wide_end_record(source: Source, place: int) -> tuple[int, int, int] | None:
    """The same out of the Zip64 end record, which a locator in front of the end record points to."""
    locator = source.read(place - 20, 20) if place >= 20 else b""
    if not locator.startswith(b"PK\x06\x07"):
        return None
    (stated,) = struct.unpack_from("<Q", locator, 8)
    # Without anything but the usual 56 bytes it stands right before its locator, wherever the archive begins.
    for at in (place - 76, stated):
        record = source.read(at, 56)
        if len(record) == 56 and record.startswith(_END64):
            length, offset = struct.unpack_from("<QQ", record, 40)
            return length, offset, _checked_shift(at - length - offset)
    raise BadZip("damaged: no Zip64 end record")


def _checked_shift(shift: int) -> int:
    if shift < 0:
        raise BadZip("truncated or damaged: its central directory would begin before the file")
    return shift


def _zip64(fields: bytes, size: int, packed: int, start: int) -> tuple[int, int, int]:
    """Sizes and offset with those replaced that stand in the Zip64 extra field."""
    values = [size, packed, start]
    place = 0
    while place + 4 <= len(fields):
        kind, length = struct.unpack_from("<HH", fields, place)
        if kind == 1:
            body = fields[place + 4 : place + 4 + length]
            for number, value in enumerate(values):
                if value == 0xFFFFFFFF and len(body) >= 8:
                    values[number], body = int.from_bytes(body[:8], "little"), body[8:]
            break
        place += 4 + length
    return values[0], values[1], values[2]
