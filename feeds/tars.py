"""Tar archives read as a stream of members: nothing is extracted, names are only keys, every byte out is counted.

Upstreams publish whole directories of advisories as ``.tar.zst``, ``.tar.bz2`` and ``.tar.gz``. Such a file is walked
once, from the front, so that it takes as much memory as one record.

Format: POSIX.1-2017 pax (ustar headers, the ``path`` and ``size`` records) and GNU tar (``L`` long names, base-256
sizes). Members that are no regular files are passed over. Not handled: sparse files, which are Problems.
"""

from __future__ import annotations

from collections.abc import Iterator

from anchorecli.errors import LimitError
from anchorecli.feeds.zips import Budget

BLOCK = 512
MAX_NAME = 64 * 1024
"""Bytes of a long name or of pax records; more is not a name."""
_REGULAR = (b"0", b"\0", b"7")
_CHUNK = 256 * 1024


def is_tar(head: bytes) -> bool:
    """Whether the first block of a file is the header of a tar member."""
    if len(head) < BLOCK or not head[0]:
        return False
    try:
        return _octal(head[148:156]) == sum(head[:148]) + 8 * 32 + sum(head[156:BLOCK])
    except ValueError:
        return False


class Members:
    """Walks a tar stream. The stream is exhausted in order: read a member before asking for the next.

    Raises (from anything): ValueError where the archive is damaged or cut off, LimitError and FeedError as ``Budget``.
    """

    def __init__(self, pieces: Iterator[bytes], budget: Budget, subject: str) -> None:
        self._pieces = pieces
        self._budget = budget
        self._subject = subject
        self._buffer = b""
        self._left = 0
        self._padding = 0

    def __iter__(self) -> Iterator[tuple[str, int]]:
        """Name and size of each regular file; what is read between two steps is the first one's content."""
        name, size = "", -1
        while True:
            self._skip(self._left + self._padding)
            self._left = self._padding = 0
            header = self._exactly(BLOCK)
            if not header.strip(b"\0"):
                return
            if not is_tar(header):
                raise ValueError("damaged: a member's header does not hold its checksum")
            kind, length = header[156:157], _octal(header[124:136])
            if kind in (b"x", b"L"):
                found_name, found_size = self._extension(kind, length)
                name, size = found_name or name, found_size if found_size >= 0 else size
                continue
            if kind == b"S":
                raise ValueError("a sparse member")
            length = size if size >= 0 else length
            self._left, self._padding = length, -length % BLOCK
            if kind in _REGULAR and not (title := name or _name(header)).endswith("/"):
                yield title, length
            name, size = "", -1

    def read(self, size: int) -> bytes:
        """Some bytes of the present member, at most ``size``; empty at its end."""
        if not self._left:
            return b""
        data = self._some(min(size, self._left))
        self._left -= len(data)
        return data

    def _extension(self, kind: bytes, length: int) -> tuple[str, int]:
        """What a header that stands before another says of it: its name, and its size or -1."""
        if length > MAX_NAME:
            raise LimitError(f"a name of {length} bytes")
        data = self._exactly(length)
        self._skip(-length % BLOCK)
        if kind == b"L":
            return data.rstrip(b"\0").decode("utf-8", "replace"), -1
        records = _pax(data)
        stated = records.get(b"size", b"")
        return records.get(b"path", b"").decode("utf-8", "replace"), int(stated) if stated.isdigit() else -1

    def _skip(self, count: int) -> None:
        while count:
            count -= len(self._some(min(count, _CHUNK)))

    def _exactly(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            found += self._some(count - len(found))
        return found

    def _some(self, count: int) -> bytes:
        while not self._buffer:
            piece = next(self._pieces, None)
            if piece is None:
                raise ValueError("cut off: the tar archive ends early")
            self._budget.spend(len(piece), self._subject)
            self._buffer = piece
        data = self._buffer[:count]
        self._buffer = self._buffer[count:]
        return data


class Member:
    """One member of the walk as a stream; ``read`` as a binary file has it.

    Raises (from ``read``): LimitError past ``limit`` bytes, ValueError for damage.
    """

    def __init__(self, members: Members, size: int, limit: int) -> None:
        self._members = members
        self._size, self._limit = size, limit

    def read(self, size: int = -1, /) -> bytes:
        """Up to ``size`` bytes (all that is left for -1); empty at the end."""
        if self._size > self._limit:
            raise LimitError(f"more than {self._limit} bytes")
        if size < 0:
            return b"".join(iter(lambda: self._members.read(_CHUNK), b""))
        return self._members.read(size)


def _name(header: bytes) -> str:
    name = header[:100].partition(b"\0")[0]
    prefix = header[345:500].partition(b"\0")[0] if header[257:262] == b"ustar" and header[263:265] == b"00" else b""
    return (prefix + b"/" + name if prefix else name).decode("utf-8", "replace")


def _octal(field: bytes) -> int:
    """Raises: ValueError where it is no number."""
    if field[0] & 0x80:
        return int.from_bytes(bytes((field[0] & 0x7F,)) + field[1:], "big")
    text = field.strip(b"\0 ")
    return int(text, 8) if text else 0


def _pax(data: bytes) -> dict[bytes, bytes]:
    """``LENGTH KEY=VALUE`` records. Raises: ValueError where they are not."""
    found, at = {}, 0
    while at < len(data):
        blank = data.find(b" ", at, at + 10)
        length = int(data[at:blank]) if blank > at else 0
        key, equals, value = data[blank + 1 : at + length - 1].partition(b"=")
        if length <= 0 or not equals:
            raise ValueError("damaged: pax records of no such form")
        found[key] = value
        at += length
    return found
