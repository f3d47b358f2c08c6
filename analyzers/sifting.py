"""Small files held until there are enough to ask about all of them at once which have to be read.

To look for many things in one file takes a few microseconds, to begin with it among other threads as long again: of a
hundred thousand files that is most of the time.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from anchorecli.analyzers.base import LayerFile, Sieve
from anchorecli.model import ImagePath

__all__ = ["BATCH_BYTES", "HeldFile", "Sifter"]

BATCH_BYTES = 1024 * 1024
STEP = 1024 * 1024


class HeldFile:
    """A file whose content is in memory: it may be read after the walk has moved on."""

    __slots__ = ("_data", "mode", "path", "size")

    def __init__(self, file: LayerFile) -> None:
        self.path: ImagePath = file.path
        self.mode = file.mode
        self.size = file.size
        self._data = file.data()

    @property
    def direct(self) -> bool:
        """Always: it is in memory."""
        return True

    def head(self, count: int) -> bytes:
        """The first bytes."""
        return self._data[:count]

    def at(self, offset: int, count: int) -> bytes:
        """Bytes from any place."""
        return self._data[offset : offset + max(0, count)]

    def data(self) -> bytes:
        """All of it."""
        return self._data

    def open(self) -> BinaryIO:
        """A stream of it."""
        return io.BytesIO(self._data)

    def pieces(self) -> Iterator[bytes]:
        """It in pieces of at most 1 MiB."""
        for start in range(0, len(self._data), STEP):
            yield self._data[start : start + STEP]

    def keep(self) -> None:
        """Nothing of it is lost."""


class Sifter:
    """Holds one analyzer's files of one layer; each is given back once, or never where the sieve holds nothing back."""

    def __init__(self, sieve: Sieve) -> None:
        self._sieve = sieve
        self._held: list[HeldFile] = []
        self._bytes = 0

    def add(self, file: LayerFile) -> Sequence[HeldFile]:
        """Hold one more; the files that have to be read now, if there are any. Raises: what its ``data`` raises."""
        held = HeldFile(file)
        self._held.append(held)
        self._bytes += len(held.data())
        return self.rest() if self._bytes >= BATCH_BYTES else ()

    def rest(self) -> Sequence[HeldFile]:
        """Those of the files held that have to be read; none is held any longer."""
        held, self._held, self._bytes = self._held, [], 0
        return [held[place] for place in self._sieve(held)] if held else ()
