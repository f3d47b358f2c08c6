"""One analyzer's facts of one layer: as they are collected, as the store keeps them, and as a view reads them.

Of very many each is kept as its JSON until somebody asks for it: as dictionaries a hundred thousand facts take a
hundred megabytes, as text thirty.

Format: packed lines (``compression.pack``) of ASCII. The first is ``{"values": {PATH: FACT}, "links": {PATH: TARGET}}``
as JSON, each further one ``PATH:FACT`` of those that were written down, both as JSON.
"""

from __future__ import annotations

import json
import marshal
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import BytesIO
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, NamedTuple

from anchorecli import compression
from anchorecli.analyzers.room import Room, weight
from anchorecli.layerindex import LayerIndex
from anchorecli.longjson import Reader
from anchorecli.model import Json

WRITTEN_FROM = 4096
"""So many facts are held as they are; whenever there are as many, they are written down."""
WRITTEN_BYTES = 4 * 1024 * 1024
"""The same of what those that are held take in bytes, about."""
ROWS_FROM = 1024 * 1024
"""Bytes of a fact's text from which its rows are read one by one."""
_PIECE = 1024 * 1024
_ROWS = 1024
"""So many rows of a fact are measured or written at a time: of all together the encoder holds each text twice."""
_LONG_PATH = 16 * 1024

_write = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode


class Records(Mapping[str, Json]):
    """Facts by the raw path of their file. Each look-up of one that is written down reads it anew."""

    __slots__ = ("_held", "_room", "_values", "_written", "left_out")

    def __init__(self, values: dict[str, Json] | None = None, room: Room | None = None) -> None:
        self._values = {} if values is None else values
        self._written: dict[str, bytes] = {}
        self._held = 0
        self._room = room
        self.left_out: list[str] = []
        """Files for whose facts there was no room, or for a part of them."""

    def put(self, path: str, value: Json) -> None:
        """Note a file's fact; a later one of the same path replaces it. A long list is taken: it may be empty then."""
        self._values[path] = value
        self._held += _size(value)
        if len(self._values) >= WRITTEN_FROM or self._held >= WRITTEN_BYTES:
            self.write_down()

    def write_down(self) -> None:
        """Keep the text alone of all that are held, as far as there is room."""
        values, self._values, self._held = self._values, {}, 0
        while values:
            # One after the other, so that there are never all of them in both forms.
            path = next(iter(values))
            value = values.pop(path)
            written = _emptied(value) if _is_long(value) else _write(value).encode("ascii")
            del value
            self._written.pop(path, None)
            fitting = written if self._room is None else fitted(written, self._room)
            if fitting is not None:
                self._written[path] = fitting
            if fitting is not written:
                self.left_out.append(path)

    def replace(self, path: str, written: bytes) -> None:
        """Another text for a fact, in whose place it is."""
        self._values.pop(path, None)
        self._written[path] = written

    def held(self, path: str) -> Json | bytes:
        """A fact, or its JSON where it is written down: see ``opened``. Raises: KeyError where there is none."""
        return self._values[path] if path in self._values else self._written[path]

    def __getitem__(self, path: str) -> Json:
        return opened(self.held(path))

    def __contains__(self, path: object) -> bool:
        return path in self._values or path in self._written

    def __iter__(self) -> Iterator[str]:
        yield from self._values
        for path in self._written:
            if path not in self._values:
                yield path

    def __len__(self) -> int:
        return sum(1 for _ in self) if self._written else len(self._values)

    def packed(self, links: Mapping[str, str]) -> bytes:
        """The facts as the store keeps them, with the hard links under wanted names."""
        return compression.pack_all(self._pieces(links))

    def _pieces(self, links: Mapping[str, str]) -> Iterator[bytes]:
        # The encoder's own pass over all of them is several times quicker than one for each.
        yield _write({"values": self._values, "links": links}).encode("ascii")
        piece = bytearray()
        for path, written in self._written.items():
            if path not in self._values:
                piece += b"\n" + _write(path).encode("ascii") + b":" + written
                if len(piece) >= _PIECE:
                    yield bytes(piece)
                    piece.clear()
        yield bytes(piece)


class LayerRecords(NamedTuple):
    """One analyzer's facts of one layer: by raw path, and hard links under a wanted name with their targets."""

    values: Records
    links: Mapping[str, str]
    size: int = 0
    """Bytes of their text."""
    weight: int = 0
    """What they take at most, see ``room.weight``."""


class Rows(Sequence[Json]):
    """The rows of a database that is written down, each read when it is its turn: as lists they take ten times more."""

    __slots__ = ("_count", "_written")

    def __init__(self, written: bytes) -> None:
        self._written = written
        self._count = -1

    def __iter__(self) -> Iterator[Json]:
        return (row for row, _, _ in self.placed())

    def placed(self) -> Iterator[tuple[Json, int, int]]:
        """Each row with the place of its text: its first byte and the one behind it."""
        return Reader(self._written).items()

    def __len__(self) -> int:
        if self._count < 0:
            self._count = sum(1 for _ in self)
        return self._count

    def __getitem__(self, place: Any) -> Any:
        return list(self)[place]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Rows):
            return self._written == other._written
        return list(self) == other

    __hash__ = None  # type: ignore[assignment]


def fitted(held: Json | bytes, room: Room) -> Json | bytes | None:
    """The fact that ``Records.held`` gave, of very many rows those there is room for; None where there is none."""
    written = held if isinstance(held, bytes) else _write(held).encode("ascii")
    if room.take(weight(written)):
        return held
    if written[:2] not in (b"[[", b"[{"):
        return None
    whole, end = memoryview(written), 0
    for _, start, stop in Rows(written).placed():
        if not room.take(weight(written[start:stop])):
            break
        end = stop
    return b"".join((whole[:end], b"]")) if end else None


def opened(held: Json | bytes) -> Json:
    """The fact that ``Records.held`` gave; that of a large database as ``Rows``."""
    if not isinstance(held, bytes):
        return held
    if len(held) >= ROWS_FROM and held[:2] in (b"[[", b"[{"):
        return Rows(held)
    return json.loads(str(held, "ascii"))


def read(payload: bytes, index: LayerIndex, *, written: bool = False) -> LayerRecords:
    """What ``Records.packed`` made of facts of the layer with that index; with ``written`` each is kept as its text.

    Raises: ValueError or LimitError where it is damaged.
    """
    lines = _lines(compression.unpacked(payload))
    first = b"".join(next(lines))
    document = json.loads(first)
    records = Records(document["values"])
    size, held = len(first), weight(first)
    del first
    if written:
        records.write_down()
    for pieces in lines:
        path, fact = _fact(pieces)
        size += len(fact)
        held += weight(fact)
        # The index has the same text: of hundreds of thousands one each is enough.
        row = index.rows.get(path)
        records._written[path if row is None else index.paths[row]] = fact
    return LayerRecords(records, document["links"], size, held)


def _fact(pieces: list[bytes]) -> tuple[str, bytes]:
    """The path that a line begins with, and the fact behind it; the fact may be long, and the pieces are taken."""
    try:
        path, end = scanstring(str(pieces[0][:_LONG_PATH], "ascii"), 1)
    except ValueError:
        path, end = "", _LONG_PATH
    if end >= min(_LONG_PATH, len(pieces[0])):
        pieces[:] = [b"".join(pieces)]
        path, end = scanstring(str(pieces[0], "ascii"), 1)
    pieces[0] = pieces[0][end + 1 :]
    written = b"".join(pieces)
    pieces.clear()
    return path, written


def _is_long(value: Json) -> bool:
    return isinstance(value, list) and len(value) > _ROWS


def _size(value: Json) -> int:
    """About the bytes of its text; this is many times quicker than writing it."""
    if _is_long(value):
        return sum(_size(value[at : at + _ROWS]) for at in range(0, len(value), _ROWS))
    try:
        return len(marshal.dumps(value, 2))
    except ValueError:
        return len(_write(value))


def _emptied(rows: list[Json]) -> bytes:
    """The JSON of a list, of which nothing is left: whoever made it may hold it still, and it is large."""
    # Of what stands in one the bytes are no copy.
    written = BytesIO()
    for at in range(0, len(rows), _ROWS):
        written.write(b"," if at else b"[")
        written.write(_write(rows[at : at + _ROWS])[1:-1].encode("ascii"))
        rows[at : at + _ROWS] = [None] * len(rows[at : at + _ROWS])
    rows.clear()
    written.write(b"]")
    return written.getvalue()


def _lines(pieces: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Each line in its pieces, one of which at least holds its beginning."""
    held: list[bytes] = []
    for piece in pieces:
        first, *others = piece.split(b"\n")
        held.append(first)
        for each in others:
            yield held
            held = [each]
    yield held
