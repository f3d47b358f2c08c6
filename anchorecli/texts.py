"""Very many texts in little memory: some millions of file names are a gigabyte as strings.

``Texts`` is a list of strings that takes 4 bytes for each beside their UTF-8, and keeps the UTF-8 in a file without a
name once it is long (``Spool``); ``RowTexts`` are texts by row of a table.
"""

from __future__ import annotations

import os
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import merge
from itertools import accumulate, islice
from typing import overload

SPOOLED_FROM = 4 * 1024 * 1024
"""Bytes that are kept in memory; what comes behind them goes to the file in pieces of ``_PIECE``."""
_PIECE = 1024 * 1024
_WINDOW = 8192
_FRESH = 4096
_STEP = 2048
_RUN = 100_000
_LARGE = 1 << 32


class Spool:
    """Bytes one behind the other, in memory while they are few, else in a file of the directory for temporary ones.

    Where none can be written there, because it is read-only or full, all of them stay in memory.
    """

    __slots__ = ("_fd", "_held", "_start", "_tail", "_window")

    def __init__(self) -> None:
        self._held = 0
        """Bytes up to here are in the file."""
        self._tail = bytearray()
        self._fd = -1
        self._start = SPOOLED_FROM
        self._window = (0, b"")
        """What was read last of the file, and where it begins; one value, as several threads may read."""

    def __len__(self) -> int:
        return self._held + len(self._tail)

    def __del__(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)

    def append(self, data: bytes) -> None:
        """Add some bytes."""
        self._tail += data
        if len(self._tail) >= self._start:
            self._flush()

    def read(self, start: int, end: int) -> bytes:
        """The bytes from ``start`` to before ``end``. Raises: OSError where the file cannot be read."""
        if start >= self._held:
            return bytes(self._tail[start - self._held : end - self._held])
        if end > self._held:
            return self.read(start, self._held) + bytes(self._tail[: end - self._held])
        first, window = self._window
        if start < first or end > first + len(window):
            # What is asked for next mostly follows.
            first, window = start, os.pread(self._fd, min(max(end - start, _WINDOW), self._held - start), start)
            if len(window) < end - start:
                raise OSError("a temporary file became shorter")
            self._window = first, window
        return window[start - first : end - first]

    def _flush(self) -> None:
        try:
            if self._fd < 0:
                from tempfile import TemporaryFile

                with TemporaryFile(buffering=0) as file:
                    self._fd = os.dup(file.fileno())
            data = memoryview(self._tail)
            while data:
                data = data[os.pwrite(self._fd, data, self._held + len(self._tail) - len(data)) :]
        except OSError:
            # Never asked again: it would be for every text.
            self._start = 1 << 62
        else:
            self._held += len(self._tail)
            self._tail = bytearray()
            self._start = _PIECE


class Texts(Sequence[str]):
    """A list of texts that can be read and added to, not changed. Bytes that are no UTF-8 are surrogates, as in paths.

    Raises: OSError where the file that holds them cannot be read.
    """

    __slots__ = ("_ends", "_fresh", "_spool")

    def __init__(self, texts: Iterable[str] = (), spool: Spool | None = None) -> None:
        """``spool``: one that others use too, before or after all of these texts are added."""
        self._spool = Spool() if spool is None else spool
        self._ends = array("Q" if len(self._spool) >= _LARGE else "I", [len(self._spool)])
        self._fresh: list[str] = []
        self.extend(texts)

    def __len__(self) -> int:
        return len(self._ends) - 1 + len(self._fresh)

    def __iter__(self) -> Iterator[str]:
        settled = len(self._ends) - 1
        for first in range(0, settled, _STEP):
            yield from self._piece(first, min(first + _STEP, settled))
        yield from self._fresh

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or len(other) != len(self):
            return False
        return all(one == another for one, another in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment] # it grows

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        if isinstance(at, slice):
            first, end, step = at.indices(len(self))
            settled = len(self._ends) - 1
            if step == 1 and first < end <= settled:
                return self._piece(first, end)
            return [self[row] for row in range(first, end, step)]
        row = at if at >= 0 else at + len(self)
        if row >= len(self._ends) - 1 or row < 0:
            return self._fresh[row - len(self._ends) + 1 if row >= 0 else len(self)]
        return self._spool.read(self._ends[row], self._ends[row + 1]).decode("utf-8", "surrogateescape")

    @property
    def size(self) -> int:
        """How long all of them are together, in bytes or characters."""
        return self._ends[-1] - self._ends[0] + sum(map(len, self._fresh))

    def append(self, text: str) -> None:
        """Add a text at the end."""
        self._fresh.append(text)
        if len(self._fresh) >= _FRESH:
            self._settle()

    def extend(self, texts: Iterable[str]) -> None:
        """Add some texts at the end."""
        each = iter(texts)
        while more := list(islice(each, _FRESH)):
            self._fresh += more
            self._settle()

    def _settle(self) -> None:
        encoded = [text.encode("utf-8", "surrogateescape") for text in self._fresh]
        joined = b"".join(encoded)
        if self._ends[-1] != len(self._spool):
            raise ValueError("another list was added to the same spool meanwhile")
        if len(self._spool) + len(joined) >= _LARGE and self._ends.typecode == "I":
            self._ends = array("Q", self._ends)
        self._ends.extend(accumulate(map(len, encoded), initial=self._ends.pop()))
        self._spool.append(joined)
        self._fresh = []

    def _piece(self, first: int, end: int) -> list[str]:
        ends = self._ends[first : end + 1]
        start = ends[0]
        # Piece by piece of the spool: texts may be long, and were added in steps.
        if ends[-1] - start > _PIECE and end - first > 1:
            middle = (first + end) // 2
            return self._piece(first, middle) + self._piece(middle, end)
        data = self._spool.read(start, ends[-1])
        if data.isascii():
            text = str(data, "ascii")
            return [text[ends[row] - start : ends[row + 1] - start] for row in range(end - first)]
        spans = ((ends[row] - start, ends[row + 1] - start) for row in range(end - first))
        return [data[begin:behind].decode("utf-8", "surrogateescape") for begin, behind in spans]


class RowTexts(Mapping[int, str]):
    """Texts by row, in 4 bytes each beside the text; rows come in order."""

    __slots__ = ("_rows", "_texts")

    def __init__(self, rows: Iterable[int] = (), texts: Iterable[str] = ()) -> None:
        self._rows = array("I", rows)
        self._texts: list[str] | Texts = texts if isinstance(texts, Texts) else list(texts)

    def __setitem__(self, row: int, text: str) -> None:
        if self._rows and row <= self._rows[-1]:
            raise ValueError(f"the text of row {row} comes after that of row {self._rows[-1]}")
        self._rows.append(row)
        self._texts.append(text)

    def __getitem__(self, row: int) -> str:
        at = bisect_left(self._rows, row)
        if at == len(self._rows) or self._rows[at] != row:
            raise KeyError(row)
        return self._texts[at]

    def __contains__(self, row: object) -> bool:
        if not isinstance(row, int):
            return False
        at = bisect_left(self._rows, row)
        return at < len(self._rows) and self._rows[at] == row

    def __iter__(self) -> Iterator[int]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def pairs(self) -> Iterator[tuple[int, str]]:
        """Rows with their texts, in order: faster than ``items``."""
        return zip(self._rows, self._texts, strict=True)

    @property
    def rows(self) -> array[int]:
        """The rows that have a text."""
        return self._rows

    @property
    def texts(self) -> Sequence[str]:
        """The texts, in the order of their rows."""
        return self._texts

    def before(self, row: int) -> RowTexts:
        """Those of the rows before one."""
        count = bisect_left(self._rows, row)
        some = islice(self._texts, count)
        return RowTexts(self._rows[:count], Texts(some) if isinstance(self._texts, Texts) else some)

    def compact(self) -> None:
        """Hold the texts as ``Texts`` from now on."""
        if not isinstance(self._texts, Texts):
            self._texts = Texts(self._texts)


def in_order(texts: Iterable[str]) -> Iterator[str]:
    """Very many texts sorted, of which only some are in memory as strings at a time."""
    each = iter(texts)
    runs = []
    while run := sorted(islice(each, _RUN)):
        runs.append(Texts(run))
    return merge(*runs)
