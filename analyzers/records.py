"""One analyzer's facts of one layer: as they are collected, as the store keeps them, and as a view reads them.

Of very many each is kept as its JSON until somebody asks for it: as dictionaries a hundred thousand facts take a
hundred megabytes, as text thirty.

Format: packed lines (``compression.pack``) of ASCII. The first is ``{"values": {PATH: FACT}, "links": {PATH: TARGET}}``
as JSON, each further one ``PATH:FACT`` of those that were written down, both as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import NamedTuple

from anchorecli import compression
from anchorecli.layerindex import LayerIndex
from anchorecli.model import Json

WRITTEN_FROM = 4096
"""So many facts are held as they are; whenever there are as many, they are written down."""
_PIECE = 1024 * 1024

_write = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode


class Records(Mapping[str, Json]):
    """Facts by the raw path of their file. Each look-up of one that is written down reads it anew."""

    __slots__ = ("_values", "_written")

    def __init__(self, values: dict[str, Json] | None = None) -> None:
        self._values = {} if values is None else values
        self._written: dict[str, bytes] = {}

    def put(self, path: str, value: Json) -> None:
        """Note a file's fact; a later one of the same path replaces it."""
        self._values[path] = value
        if len(self._values) >= WRITTEN_FROM:
            for each, held in self._values.items():
                self._written[each] = _write(held).encode("ascii")
            self._values = {}

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


def opened(held: Json | bytes) -> Json:
    """The fact that ``Records.held`` gave."""
    return json.loads(str(held, "ascii")) if isinstance(held, bytes) else held


def read(payload: bytes, index: LayerIndex) -> LayerRecords:
    """What ``Records.packed`` made of facts of the layer with that index.

    Raises: ValueError or LimitError where it is damaged.
    """
    lines = _lines(compression.unpacked(payload))
    document = json.loads(next(lines))
    records = Records(document["values"])
    for line in lines:
        text = str(line, "ascii")
        path, end = scanstring(text, 1)
        # The index has the same text: of hundreds of thousands one each is enough.
        row = index.rows.get(path)
        records._written[path if row is None else index.paths[row]] = line[end + 1 :]
    return LayerRecords(records, document["links"])


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    held: list[bytes] = []
    for piece in pieces:
        first, *others = piece.split(b"\n")
        held.append(first)
        for each in others:
            yield b"".join(held)
            held = [each]
    yield b"".join(held)
