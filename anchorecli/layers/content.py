"""One file's bytes on their way past, and the two ways a layer's bytes are read: as a stream or from a file slice."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

from anchorecli.model import ImagePath

SPOOL_BYTES = 4 * 1024 * 1024
"""Larger files are handed over in an unnamed temporary file instead of in memory."""
STEP = 1024 * 1024
AHEAD, NEAR = 32 * 1024, 8 * 1024
"""Bytes: after a file smaller than ``NEAR`` so much is read at once, since small files come in flocks."""


class Reader(Protocol):
    """Sequential bytes of a tar. ``read`` returns fewer bytes than asked only at the end."""

    position: int
    short: bool
    """True once a skip went past the end."""

    def read(self, count: int) -> bytes:
        """The next ``count`` bytes."""

    def skip(self, count: int) -> None:
        """Pass over ``count`` bytes."""


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


class FileContent:
    """One wanted file: the ``LayerFile`` that analyzers see.

    It must be used before the reader moves on. ``data`` and ``open`` may both be called, by several analyzers.
    """

    __slots__ = ("_data", "_spool", "_take", "mode", "path", "size")

    def __init__(self, path: str, size: int, mode: int, take: Callable[[int], bytes]) -> None:
        self.path = ImagePath(path)
        self.size = size
        self.mode = mode
        self._take = take
        self._data: bytes | None = None
        self._spool: BinaryIO | None = None

    def data(self) -> bytes:
        """The whole content. Raises EOFError where the tar ends inside the file."""
        if self._data is None:
            if self._spool is not None:
                self._spool.seek(0)
                return self._spool.read()
            self._data = b"".join(self.steps())
        return self._data

    def open(self) -> BinaryIO:
        """The content as a fresh seekable stream."""
        if self._spool is None and (self._data is not None or self.size <= SPOOL_BYTES):
            return io.BytesIO(self.data())
        if self._spool is None:
            from tempfile import TemporaryFile

            self._spool = TemporaryFile(buffering=0)  # noqa: SIM115 - lives until close()
            for piece in self.steps():
                self._spool.write(piece)
        # The copy shares the offset: one analyzer works at a time.
        self._spool.seek(0)
        return io.FileIO(os.dup(self._spool.fileno()))

    def steps(self) -> Iterator[bytes]:
        """The content in pieces of at most 1 MiB, read from the tar; only once."""
        left = self.size
        while left > 0:
            piece = self._take(min(left, STEP))
            if not piece:
                raise EOFError(f"the archive ends inside {self.path}")
            left -= len(piece)
            yield piece

    def sha256(self) -> bytes:
        """The digest of the content, whether or not it was read before."""
        sha = hashlib.sha256()
        if self._data is not None:
            sha.update(self._data)
        elif self._spool is not None:
            self._spool.seek(0)
            while piece := self._spool.read(STEP):
                sha.update(piece)
        else:
            for piece in self.steps():
                sha.update(piece)
        return sha.digest()

    def close(self) -> None:
        """Give back the temporary file, if there was one."""
        if self._spool is not None:
            self._spool.close()
