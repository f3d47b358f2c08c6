"""Where in an executable file what kind of bytes stand, and the bytes themselves, as far as they were kept.

The readers of the three formats (``elf``, ``pe``, ``macho``) give a ``Layout``; nothing above them knows a format. A
file of a compressed layer passes once and in order: its layout is read from the first page, ``plan`` says which parts
of the rest may be needed, and ``Kept`` holds those.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from anchorecli.analyzers.limits import Limit, Limits
from anchorecli.values import dataclass

LIMITS = Limits(
    "binary",
    (
        # Real module texts have some ten thousand bytes, and five hundred crates need fifty thousand.
        Limit("module-bytes", 8 * 1024 * 1024, "bytes of Go build information"),
        Limit("modules", 100_000, "Go modules in one program"),
        Limit("crate-bytes", 4 * 1024 * 1024, "inflated bytes of the list of crates"),
        Limit("crates", 50_000, "crates, or Maven artifacts, in one program"),
        Limit("bill-bytes", 32 * 1024 * 1024, "inflated bytes of a native image's bill of materials"),
    ),
)
KEEP_BYTES = 48 * 1024 * 1024
"""So much of a file in a compressed layer is kept in memory at most."""
TAIL_BYTES = 16 * 1024 * 1024
"""What is not loaded stands at the end: section tables, notes, symbols. Beyond this it is debug information."""
SMALL = 64 * 1024
_PADDING = 4096

CODE, DATA, CONSTANT, UNLOADED = "code", "data", "constant", "unloaded"


class Region(NamedTuple):
    """A section or segment. ``offset`` and ``size`` in the file, ``address`` where it is loaded."""

    name: str
    offset: int
    size: int
    address: int
    kind: str


class Source(Protocol):
    """Bytes by their place."""

    def at(self, offset: int, count: int) -> bytes:
        """Up to ``count`` bytes, fewer at the end of the file. Raises LookupError where they were not kept."""


@dataclass(frozen=True, slots=True)
class Layout:
    """An executable: ``segments`` as they are loaded, ``sections`` where it has a table of them."""

    format: str
    segments: tuple[Region, ...]
    sections: tuple[Region, ...] = ()
    complete: bool = True
    """Whether the table was within reach."""
    named: bool = False
    """Whether the names of all sections are known: then what has another name is something else."""
    short: bool = False
    """Whether the table is longer than the file."""

    def parts(self) -> tuple[Region, ...]:
        """The finest division known."""
        return self.sections or self.segments

    def is_cut(self, size: int) -> bool:
        """Whether a file of so many bytes is not all of it.

        One whose sections are all known is whole: debug information that was split off keeps the segments of its
        program. The last section need not fill its last page.
        """
        end = max((part.offset + part.size for part in (*self.segments, *self.sections)), default=0)
        return self.short or (not self.named and end > size + _PADDING)

    def offset_of(self, address: int) -> int | None:
        """Where in the file the byte stands that is loaded at an address."""
        for segment in self.segments:
            if segment.address <= address < segment.address + segment.size:
                return segment.offset + address - segment.address
        return None


class Kept:
    """The parts that were kept of a file as it passed."""

    __slots__ = ("_chunks", "_starts", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self._starts: list[int] = []
        self._chunks: list[bytes] = []

    def add(self, offset: int, data: bytes) -> None:
        """Keep some bytes; they come in the order of the file, without overlap."""
        self._starts.append(offset)
        self._chunks.append(data)

    def at(self, offset: int, count: int) -> bytes:
        """Up to ``count`` bytes. Raises LookupError where they were not kept."""
        end = min(offset + count, self.size)
        parts = []
        while offset < end:
            row = bisect_right(self._starts, offset) - 1
            inside = offset - self._starts[row] if row >= 0 else -1
            if inside < 0 or inside >= len(self._chunks[row]):
                raise LookupError(f"byte {offset} was not kept")
            part = self._chunks[row][inside : inside + end - offset]
            parts.append(part)
            offset += len(part)
        return b"".join(parts)


def plan(layout: Layout, size: int) -> list[tuple[int, int]]:
    """Which ranges (start, end) of an ELF file may be needed: data, what is not loaded, constants.

    Constants are needed of old Go programs only, whose strings stand there: the first to be left out.
    """
    loaded = max((s.offset + s.size for s in layout.segments), default=0)
    wanted = [(r.offset, r.offset + r.size) for r in layout.parts() if r.kind == DATA]
    if not layout.complete:
        wanted.append((max(loaded, size - TAIL_BYTES), size))
    constants = sorted((r.offset, r.offset + r.size) for r in layout.parts() if r.kind == CONSTANT)
    if layout.sections:
        # Go's own linker: strings and types stand first, before the line table, which is not read.
        constants = [(start, end) for start, end in constants if end - start >= SMALL][:1]
    wanted += constants
    budget = KEEP_BYTES
    chosen = []
    for start, end in wanted:
        end = min(end, size)
        if 0 < end - start <= budget:
            budget -= end - start
            chosen.append((start, end))
    return _joined(chosen)


def texts(layout: Layout, size: int) -> list[tuple[int, int]]:
    """Where strings stand, in order: not in the code, if that has segments of its own."""
    apart = sum(segment.size for segment in layout.segments if segment.kind == CONSTANT)
    if apart * 16 < size:
        return [(0, size)]
    # A first string's zero before it is the padding between segments.
    spans = [(max(0, s.offset - 64), min(s.offset + s.size, size)) for s in layout.segments if s.kind != CODE]
    loaded = max(s.offset + s.size for s in layout.segments)
    # The compiler's note follows what is loaded; behind it is debug information.
    spans.append((loaded, min(loaded + SMALL, size)))
    return _joined([span for span in spans if span[0] < span[1]])


def keep(
    pieces: Iterable[tuple[int, bytes]], ranges: Sequence[tuple[int, int]], into: Kept, taken: int
) -> Iterator[tuple[int, bytes]]:
    """Pass on pieces of (offset, bytes), and keep what lies in the ranges; up to ``taken`` all is there already."""
    place = 0
    for offset, piece in pieces:
        end = offset + len(piece)
        while place < len(ranges) and ranges[place][1] <= offset:
            place += 1
        row = place
        while row < len(ranges) and ranges[row][0] < end:
            start = max(ranges[row][0], offset, taken)
            if start < min(end, ranges[row][1]):
                into.add(start, piece[start - offset : ranges[row][1] - offset])
            row += 1
        yield offset, piece


def _joined(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
