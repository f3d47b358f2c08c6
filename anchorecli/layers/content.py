"""One file's bytes on their way past, and the two ways a layer's bytes are read: as a stream or from a file slice."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Protocol

from anchorecli.model import ImagePath

SPOOL_BYTES = 4 * 1024 * 1024
"""Larger files are handed over in an unnamed temporary file instead of in memory."""
WHOLE_BYTES = 64 * 1024
"""Files up to this size are read whole where they could be read in parts."""
STEP = 1024 * 1024
BUFFER_BYTES = 64 * 1024
AHEAD, NEAR = 32 * 1024, 8 * 1024
"""Bytes: after a file smaller than ``NEAR`` so much is read at once, since small files come in flocks."""


class Reader(Protocol):
    """Sequential bytes of a tar. ``read`` returns fewer bytes than asked only at the end."""

    position: int
    short: bool
    """True once a skip went past the end."""

    def read(self, count: int) -> bytes:
        """The next ``count`` bytes."""

    def some(self, count: int) -> bytes:
        """The next bytes, ``count`` at most and at least one: as many as can be had without copying twice."""

    def skip(self, count: int) -> None:
        """Pass over ``count`` bytes."""

    def positions(self) -> Callable[[int, int], bytes] | None:
        """Reads (bytes after the position that was current now, count) at any time, where the source allows it."""


class StreamReader:
    """Bytes from an iterator of chunks; ``seen`` is called once with each chunk (the diff_id's hash)."""

    __slots__ = ("_buffer", "_chunks", "_end", "_offset", "_seen", "position", "short")

    def __init__(self, chunks: Iterator[bytes], seen: Callable[[bytes], None]) -> None:
        self._chunks = chunks
        self._seen = seen
        self._buffer = b""
        self._offset = 0
        self._end = 0
        self.position = 0
        self.short = False

    def read(self, count: int) -> bytes:
        """The next ``count`` bytes, fewer at the end of the stream."""
        start = self._offset
        end = start + count
        if end <= self._end:
            self._offset = end
            self.position += count
            return self._buffer[start:end]
        parts = [self._buffer[start:]]
        missing = end - self._end
        while missing > 0 and self._next():
            piece = self._buffer[:missing]
            self._offset = len(piece)
            parts.append(piece)
            missing -= len(piece)
        if missing > 0:
            self._offset = self._end
        data = b"".join(parts)
        self.position += len(data)
        return data

    def some(self, count: int) -> bytes:
        """The next bytes: what is left of the chunk at hand, ``count`` at most; none at the end of the stream."""
        if self._offset == self._end and not self._next():
            return b""
        data = self._buffer[self._offset : self._offset + count]
        self._offset += len(data)
        self.position += len(data)
        return data

    def skip(self, count: int) -> None:
        """Pass over ``count`` bytes, to the end of the stream at most."""
        self.position += count
        while count > self._end - self._offset:
            count -= self._end - self._offset
            if not self._next():
                self._offset = self._end
                self.short = True
                return
        self._offset += count

    def positions(self) -> None:
        """A stream has no other bytes than the next."""

    def drain(self) -> None:
        """Read to the end, for the digests' sake."""
        while self._next():
            pass

    def _next(self) -> bool:
        chunk = next(self._chunks, None)
        self._buffer = chunk or b""
        self._offset, self._end = 0, len(self._buffer)
        if chunk is None:
            return False
        self._seen(chunk)
        return True


class SliceReader:
    """Bytes of a slice of an open file, by position: what is skipped is never read, unless it is little."""

    __slots__ = ("_ahead", "_base", "_buffer", "_end", "_fd", "_start", "position", "short")

    def __init__(self, fd: int, start: int, length: int) -> None:
        self._fd = fd
        self._start = start
        self._end = length
        self._buffer = b""
        self._base = 0
        self._ahead = 0
        self.position = 0
        self.short = False

    def read(self, count: int) -> bytes:
        """The next ``count`` bytes, fewer at the end of the slice."""
        position = self.position
        at = position - self._base
        if at + count > len(self._buffer):
            self._buffer, self._base, at = self._fetch(position, max(count, self._ahead)), position, 0
        data = self._buffer[at : at + count]
        self.position = position + len(data)
        return data

    def some(self, count: int) -> bytes:
        """The same: nothing is at hand before it is read."""
        return self.read(count)

    def _fetch(self, position: int, count: int) -> bytes:
        wanted = min(count, self._end - position)
        data = os.pread(self._fd, wanted, self._start + position)
        while len(data) < wanted:
            more = os.pread(self._fd, wanted - len(data), self._start + position + len(data))
            if not more:
                break
            data += more
        return data

    def skip(self, count: int) -> None:
        """Pass over ``count`` bytes, to the end of the slice at most."""
        self._ahead = AHEAD if count < NEAR else 0
        self.short = self.position + count > self._end
        self.position = min(self.position + count, self._end)

    def positions(self) -> Callable[[int, int], bytes]:
        """Reads from any place of the slice, without moving."""
        base = self.position

        def at(offset: int, count: int) -> bytes:
            data = self._fetch(base + offset, count)
            if len(data) < count:
                raise EOFError("the archive ends inside a file")
            return data

        return at


class FileContent:
    """One wanted file: the ``LayerFile`` that analyzers see.

    It must be used before the reader moves on. ``data`` and ``open`` may both be called, by several analyzers. Where
    the bytes can be had from any place at any time (``at``: an uncompressed layer, a directory) large files are never
    copied; from a compressed layer they come once, in order.
    """

    __slots__ = ("_at", "_data", "_head", "_kept", "_sha", "_spool", "_take", "_taken", "mode", "path", "size")

    def __init__(
        self,
        path: str,
        size: int,
        mode: int,
        take: Callable[[int], bytes],
        at: Callable[[int, int], bytes] | None = None,
        *,
        hashed: bool = False,
    ) -> None:
        self.path = ImagePath(path)
        self.size = size
        self.mode = mode
        self._take = take
        self._at = at
        self._head = b""
        self._taken = 0
        self._kept = False
        self._sha = hashlib.sha256() if hashed and at is None else None
        self._data: bytes | None = None
        self._spool: BinaryIO | None = None

    @property
    def direct(self) -> bool:
        """Whether ``open`` costs no copy of a large file: its bytes are in memory, in a file, or few."""
        return self._at is not None or self.size <= SPOOL_BYTES or self._data is not None or self._spool is not None

    def keep(self) -> None:
        """Several will read it: ``pieces`` must leave it whole for the next."""
        self._kept = True

    def head(self, count: int) -> bytes:
        """The first bytes, ``count`` at most. Raises EOFError where the tar ends before them."""
        count = min(count, self.size)
        if self._data is not None:
            return self._data[:count]
        if len(self._head) < count and self._at is not None:
            self._head = self._at(0, count)
        elif len(self._head) < count and self._spool is not None:
            self._spool.seek(0)
            self._head = self._spool.read(count)
        else:
            while len(self._head) < count:
                self._head += self._next(count - len(self._head))
        return self._head[:count]

    def at(self, offset: int, count: int) -> bytes:
        """Bytes from any place, fewer at the end of the file; for what is ``direct``."""
        count = min(count, self.size - offset)
        if count <= 0 or offset < 0:
            # What a header claims may be further away than any file is long.
            return b""
        if self._data is not None:
            return self._data[offset : offset + count]
        if self._at is not None:
            return self._at(offset, count)
        if self._spool is not None:
            self._spool.seek(offset)
            return self._spool.read(count)
        return self.data()[offset : offset + count]

    def data(self) -> bytes:
        """The whole content. Raises EOFError where the tar ends inside the file."""
        if self._data is None:
            if self._spool is not None:
                self._spool.seek(0)
                return self._spool.read()
            self._data = b"".join(self._steps())
        return self._data

    def open(self) -> BinaryIO:
        """The content as a fresh seekable stream."""
        if self._spool is None and (self._data is not None or self.size <= SPOOL_BYTES):
            return io.BytesIO(self.data())
        if self._at is not None:
            return io.BufferedReader(_Positions(self._at, self.size), BUFFER_BYTES)
        if self._spool is None:
            from tempfile import TemporaryFile

            self._spool = TemporaryFile(buffering=0)  # noqa: SIM115 - lives until close()
            for piece in self._steps():
                self._spool.write(piece)
        # The copy shares the offset: one analyzer works at a time.
        self._spool.seek(0)
        return io.FileIO(os.dup(self._spool.fileno()))

    def pieces(self) -> Iterator[bytes]:
        """The content from its start in pieces of at most 1 MiB.

        Of a large file in a compressed layer nothing is kept, unless ``keep`` was called before: whoever takes pieces
        is then the last to read it.
        """
        if self._data is not None:
            for start in range(0, self.size, STEP):
                yield self._data[start : start + STEP]
        elif self._at is not None or not (self.direct or self._kept):
            yield from self._steps()
        else:
            with self.open() as stream:
                while piece := stream.read(STEP):
                    yield piece

    def _steps(self) -> Iterator[bytes]:
        """What ``head`` took, then the rest."""
        if self._at is not None:
            for start in range(0, self.size, STEP):
                yield self._at(start, min(STEP, self.size - start))
            return
        if self._taken != len(self._head):
            raise EOFError(f"{self.path} was read already and not kept")
        if self._head:
            yield self._head
        while self._taken < self.size:
            yield self._next(min(self.size - self._taken, STEP))

    def _next(self, count: int) -> bytes:
        piece = self._take(count)
        if not piece:
            raise EOFError(f"the archive ends inside {self.path}")
        self._taken += len(piece)
        if self._sha is not None:
            self._sha.update(piece)
        return piece

    def sha256(self) -> bytes:
        """The digest of the content, whether or not it was read before; ``hashed`` must have been asked for."""
        sha = self._sha
        if sha is None:
            sha = hashlib.sha256()
            for piece in self.pieces():
                sha.update(piece)
        else:
            while self._taken < self.size:
                self._next(min(self.size - self._taken, STEP))
        return sha.digest()

    def close(self) -> None:
        """Give back the temporary file, if there was one."""
        if self._spool is not None:
            self._spool.close()


class _Positions(io.RawIOBase):
    """Bytes that can be had by their position, as a file."""

    def __init__(self, at: Callable[[int, int], bytes], size: int) -> None:
        self._at = at
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        count = min(len(buffer), self._size - self._position, STEP)
        if count <= 0:
            return 0
        data = self._at(self._position, count)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)
