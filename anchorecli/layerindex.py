"""Every path of one layer in columns, and the bytes they are stored as.

There may be millions of them: numbers stand in arrays, digests one behind the other, the names of very many as
``Texts``, and neither writing nor reading the stored form ever holds a second copy of the names.

Format: ``_HEAD``, seven numbers of 8 bytes, little-endian: how many paths, targets, whiteouts, opaque directories and
capabilities; how many digests; the characters of all texts. Then column by column, for each path: its kind (a letter),
mode, uid and gid (4 bytes each), size (8). The rows with targets, and those with capabilities (4 bytes each). Where
there are digests a byte for each path, 1 where it has one, and the digests (32 bytes each). Last the texts, in UTF-8
with a zero between them: paths, targets, whiteouts, opaque directories, capabilities.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, compress, islice, takewhile
from struct import Struct
from typing import NamedTuple

from anchorecli.places import Places
from anchorecli.texts import RowTexts, Spool, Texts
from anchorecli.values import dataclass, field

MAX_ENTRIES = 2_000_000
"""Of an image, unless the settings say otherwise: each takes some forty bytes while its layers are put together."""
COMPACT_FROM = 200_000
"""So many paths are held compactly: it takes a third of the memory, and twice the time."""
COMPACT_TEXT = 24 * 1024 * 1024
"""The same for so many characters of their names."""
_STEP = 20_000
_HEAD = Struct("<7Q")
EXTENT_BYTES = _HEAD.size
"""So much of the stored form is enough for ``LayerIndex.extent_of``."""
_DIGEST = 32
_COLUMNS = (("I", 4), ("I", 4), ("I", 4), ("Q", 8))


class Digests:
    """sha256 by row, in 40 bytes each, and in 8 where one is the same as the one before it; rows come in order."""

    __slots__ = ("_data", "_first", "_last", "_numbers", "rows")

    def __init__(self, spool: Spool | None = None) -> None:
        """``spool``: one that others use too, before or after all digests are added."""
        self.rows = array("I")
        self._numbers = array("I")
        self._data = Spool() if spool is None else spool
        self._first = len(self._data)
        self._last = b""

    def __setitem__(self, row: int, digest: bytes) -> None:
        if self.rows and row <= self.rows[-1]:
            raise ValueError(f"the digest of row {row} comes after that of row {self.rows[-1]}")
        if len(digest) != _DIGEST:
            raise ValueError(f"the digest of row {row} has {len(digest)} bytes, not {_DIGEST}")
        if self._last != digest:
            self._data.append(digest)
            self._last = digest
        self.rows.append(row)
        self._numbers.append((len(self._data) - self._first) // _DIGEST - 1)

    def __getitem__(self, row: int) -> bytes:
        if (digest := self.get(row)) is None:
            raise KeyError(row)
        return digest

    def __contains__(self, row: int) -> bool:
        return self.get(row) is not None

    def __len__(self) -> int:
        return len(self.rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Digests) and self.rows == other.rows and [*self.pieces()] == [*other.pieces()]

    __hash__ = None  # type: ignore[assignment] # it changes

    def get(self, row: int) -> bytes | None:
        """The digest of a row, None where there is none."""
        at = bisect_left(self.rows, row)
        if at == len(self.rows) or self.rows[at] != row:
            return None
        return self._digest(self._numbers[at])

    def pieces(self) -> Iterator[bytes]:
        """All digests in order, piece by piece."""
        for start in range(0, len(self.rows), _STEP):
            yield b"".join(map(self._digest, self._numbers[start : start + _STEP]))

    def fill(self, rows: Sequence[int], data: bytes) -> None:
        """Add the digests of some rows, in order."""
        for number, row in enumerate(rows):
            self[row] = data[_DIGEST * number : _DIGEST * (number + 1)]

    def _digest(self, number: int) -> bytes:
        start = self._first + _DIGEST * number
        return self._data.read(start, start + _DIGEST)


class Extent(NamedTuple):
    """How much a list of files holds: entries, whiteouts among them, and the characters of all its texts."""

    entries: int
    text: int

    @property
    def compact(self) -> bool:
        """Whether so much is held compactly."""
        return self.entries >= COMPACT_FROM or self.text >= COMPACT_TEXT


@dataclass(slots=True)
class LayerIndex:
    """Every path of one layer's tar, in columns.

    Filled in tar order by ``add``; of two entries with one name the later wins. ``targets`` holds the link target of
    symbolic and hard links by row, as written in the tar for the former and normalised for the latter.
    """

    paths: list[str] | Texts = field(default_factory=list)
    kinds: list[str] | str = field(default_factory=list)
    modes: array[int] = field(default_factory=lambda: array("I"))
    uids: array[int] = field(default_factory=lambda: array("I"))
    gids: array[int] = field(default_factory=lambda: array("I"))
    sizes: array[int] = field(default_factory=lambda: array("Q"))
    targets: RowTexts = field(default_factory=RowTexts)
    whiteouts: list[str] | Texts = field(default_factory=list)
    opaques: list[str] | Texts = field(default_factory=list)
    digests: Digests = field(default_factory=Digests)
    """sha256 of regular files by row, where they were asked for."""
    capabilities: RowTexts = field(default_factory=RowTexts)
    """Capabilities by row, of the few files that have some."""
    _rows: Mapping[str, int] | None = None

    def add(self, path: str, kind: str, owner: tuple[int, int, int], size: int) -> None:
        """Append a path; ``owner`` is mode, uid, gid (32 bits each), ``kind`` one of ``KIND_CODES``."""
        self.paths.append(path)
        self.kinds.append(kind)  # type: ignore[union-attr] # what was read back is not added to
        self.modes.append(owner[0])
        self.uids.append(owner[1])
        self.gids.append(owner[2])
        self.sizes.append(size)

    @property
    def is_compact(self) -> bool:
        """Whether the names are held as ``Texts``."""
        return isinstance(self.paths, Texts)

    def compact(self) -> None:
        """Hold the names as ``Texts`` from now on."""
        if not self.is_compact:
            self.paths, self.whiteouts, self.opaques = map(Texts, (self.paths, self.whiteouts, self.opaques))
            self.targets.compact()

    def first(self, count: int) -> LayerIndex:
        """Its first paths alone, and so many of what it removes."""
        part = LayerIndex()
        if self.is_compact:
            part.compact()
        part.paths.extend(islice(self.paths, count))
        part.kinds = "".join(self.kinds[:count])
        part.modes, part.uids, part.gids = self.modes[:count], self.uids[:count], self.gids[:count]
        part.sizes = self.sizes[:count]
        part.targets, part.capabilities = self.targets.before(count), self.capabilities.before(count)
        part.whiteouts.extend(islice(self.whiteouts, count))
        part.opaques.extend(islice(self.opaques, count))
        for row in takewhile(lambda row: row < count, self.digests.rows):
            part.digests[row] = self.digests[row]
        return part

    @property
    def rows(self) -> Mapping[str, int]:
        """Path → row; for a repeated path the last row."""
        if self._rows is None:
            paths = self.paths
            if isinstance(paths, Texts):
                self._rows = Places(len(paths), lambda: enumerate(paths), len(paths))
                for row, path in enumerate(paths):
                    self._rows[path] = row
            else:
                self._rows = dict(zip(paths, range(len(paths)), strict=True))
        return self._rows

    def told_by(self, rows: Mapping[str, int]) -> None:
        """Take another's word for ``rows``, unless somebody asked before: the squashed image has most of them."""
        if self._rows is None:
            self._rows = rows

    def extent(self) -> Extent:
        """How much it holds."""
        return Extent(len(self.paths) + len(self.whiteouts) + len(self.opaques), sum(map(_characters, self._texts())))

    def pieces(self) -> Iterator[bytes]:
        """The columns as bytes (uncompressed), piece by piece: ``read`` takes them back."""
        texts = self._texts()
        count = len(self.paths)
        yield _HEAD.pack(count, *map(len, texts[1:]), len(self.digests), self.extent().text)
        yield "".join(self.kinds).encode("ascii")
        for (code, _), column in zip(_COLUMNS, (self.modes, self.uids, self.gids, self.sizes), strict=True):
            yield (column if column.typecode == code else array(code, column)).tobytes()
        yield self.targets.rows.tobytes()
        yield self.capabilities.rows.tobytes()
        if self.digests:
            flags = bytearray(count)
            for row in self.digests.rows:
                flags[row] = 1
            yield bytes(flags)
            yield from self.digests.pieces()
        begun = False
        for each in texts:
            for start in range(0, len(each), _STEP):
                joined = "\0".join(each[start : start + _STEP])
                yield (joined if not begun else "\0" + joined).encode("utf-8", "surrogateescape")
                begun = True

    def _texts(self) -> tuple[Sequence[str], ...]:
        return self.paths, self.targets.texts, self.whiteouts, self.opaques, self.capabilities.texts

    def encode(self) -> bytes:
        """``pieces`` in one."""
        return b"".join(self.pieces())

    @classmethod
    def decode(cls, data: bytes) -> LayerIndex:
        """The reverse of ``encode``. Raises ValueError where the bytes are something else."""
        return cls.read([data])

    @staticmethod
    def extent_of(pieces: Iterable[bytes]) -> Extent:
        """How much the stored form holds; no more than its head is taken. Raises: ValueError as ``read``."""
        count, _, whiteouts, opaques, *_, text = _HEAD.unpack(_Stored(iter(pieces)).take(_HEAD.size))
        return Extent(count + whiteouts + opaques, text)

    @classmethod
    def read(cls, pieces: Iterable[bytes], *, compact: bool | None = None, spool: Spool | None = None) -> LayerIndex:
        """The reverse of ``pieces``, however they are cut. ``compact``: how names are held; else as their number asks.

        ``spool``: what keeps the texts of several layers that are read one after the other.

        Raises: ValueError where the bytes are something else.
        """
        stored = _Stored(iter(pieces))
        count, *counts, hashed, text = _HEAD.unpack(stored.take(_HEAD.size))
        compact = Extent(count + counts[1] + counts[2], text).compact if compact is None else compact
        kinds = str(stored.take(count), "ascii")
        columns = []
        for code, width in _COLUMNS:
            column = array(code, stored.take(width * count))
            columns.append(_narrowed(column) if compact and count else column)
        linked = array("I", stored.take(4 * counts[0]))
        capable = array("I", stored.take(4 * counts[3]))
        digests = Digests(spool)
        if hashed:
            rows = array("I", compress(range(count), stored.take(count)))
            for start in range(0, len(rows), _STEP):
                some = rows[start : start + _STEP]
                digests.fill(some, stored.take(_DIGEST * len(some)))
        names, targets, whiteouts, opaques, able = stored.texts([count, *counts], compact, spool)
        modes, uids, gids, sizes = columns
        links = RowTexts(linked, targets)
        known: dict[str, str] = {}
        abilities = RowTexts(capable, [known.setdefault(each, each) for each in able])
        return cls(names, kinds, modes, uids, gids, sizes, links, whiteouts, opaques, digests, abilities)


def _characters(texts: Sequence[str]) -> int:
    return texts.size if isinstance(texts, Texts) else sum(map(len, texts))


def _narrowed(column: array[int]) -> array[int]:
    """The same numbers in as few bytes as they need."""
    largest = max(column)
    code = next((code for code, bits in (("B", 8), ("H", 16), ("I", 32)) if largest < 1 << bits), "Q")
    return array(code, column)


class _Stored:
    """Bytes of the stored form as they come."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = b""
        self._at = 0
        """What has been taken of the piece: cutting it off would copy the rest for every few bytes."""

    def take(self, count: int) -> bytes:
        taken = self._piece[self._at : self._at + count]
        self._at += len(taken)
        parts, missing = [taken], count - len(taken)
        while missing > 0:
            piece = next(self._pieces, None)
            if piece is None:
                raise ValueError("layer index: it ends early")
            parts.append(piece[:missing])
            self._piece, self._at = piece, min(missing, len(piece))
            missing -= len(piece)
        return b"".join(parts)

    def texts(self, counts: Sequence[int], compact: bool, spool: Spool | None) -> Iterator[list[str] | Texts]:
        """All that is left, at the zeros: so many for each. Raises: ValueError where there are more or fewer."""
        held: list[str] = []
        some = self._some()
        for count in counts:
            found: list[str] | Texts = Texts(spool=spool) if compact else []
            while len(held) < count - len(found) and (more := next(some, None)) is not None:
                found.extend(held)
                held = more
            missing = count - len(found)
            found.extend(held[:missing])
            held = held[missing:]
            if len(found) < count:
                raise ValueError("layer index: it ends early")
            yield found
        left = held or next(some, [])
        # Of no text at all there is nothing, which is one empty text as well.
        if left and (any(counts) or left != [""]):
            raise ValueError("layer index: too many names")

    def _some(self) -> Iterator[list[str]]:
        begun: list[bytes] = []
        for piece in chain([self._piece[self._at :]], self._pieces):
            end = piece.rfind(b"\0")
            if end < 0:
                begun.append(piece)
            else:
                begun.append(piece[:end])
                yield b"".join(begun).decode("utf-8", "surrogateescape").split("\0")
                begun = [piece[end + 1 :]]
        yield b"".join(begun).decode("utf-8", "surrogateescape").split("\0")
