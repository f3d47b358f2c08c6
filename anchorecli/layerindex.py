"""Every path of one layer in columns, and the bytes they are stored as.

There may be a million of them: numbers stand in arrays, digests in one string of bytes, and neither writing nor
reading the stored form ever holds a second copy of the names.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from anchorecli.values import dataclass, field

_STEP = 20_000
_MANY = 200_000
"""Of so many numbers in a column it is worth asking how large they are."""
_DIGEST = 32
_COLUMNS = (("I", 4), ("I", 4), ("I", 4), ("Q", 8))


class Digests:
    """sha256 by row, in 40 bytes each, and in 8 where one is the same as the one before it; rows come in order."""

    __slots__ = ("_data", "_numbers", "rows")

    def __init__(self) -> None:
        self.rows = array("I")
        self._numbers = array("I")
        self._data = bytearray()

    def __setitem__(self, row: int, digest: bytes) -> None:
        if self.rows and row <= self.rows[-1]:
            raise ValueError(f"the digest of row {row} comes after that of row {self.rows[-1]}")
        if len(digest) != _DIGEST:
            raise ValueError(f"the digest of row {row} has {len(digest)} bytes, not {_DIGEST}")
        if self._data[-_DIGEST:] != digest:
            self._data += digest
        self.rows.append(row)
        self._numbers.append(len(self._data) // _DIGEST - 1)

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

    def runs(self) -> list[list[int]]:
        """The rows as ranges: first row, and the one behind the last."""
        runs: list[list[int]] = []
        for row in self.rows:
            if runs and runs[-1][1] == row:
                runs[-1][1] += 1
            else:
                runs.append([row, row + 1])
        return runs

    def pieces(self) -> Iterator[bytes]:
        """All digests in order, piece by piece."""
        for start in range(0, len(self.rows), _STEP):
            yield b"".join(map(self._digest, self._numbers[start : start + _STEP]))

    def fill(self, rows: Iterable[int], data: bytes) -> None:
        """Add the digests of some rows, in order."""
        for number, row in enumerate(rows):
            self[row] = data[_DIGEST * number : _DIGEST * (number + 1)]

    def _digest(self, number: int) -> bytes:
        return bytes(self._data[_DIGEST * number : _DIGEST * (number + 1)])


class Targets(Mapping[int, str]):
    """Targets of links by row, in 8 bytes and 4 each beside the text; rows come in order."""

    __slots__ = ("_rows", "_texts")

    def __init__(self, rows: Iterable[int] = (), texts: Iterable[str] = ()) -> None:
        self._rows = array("I", rows)
        self._texts = list(texts)

    def __setitem__(self, row: int, text: str) -> None:
        if self._rows and row <= self._rows[-1]:
            raise ValueError(f"the target of row {row} comes after that of row {self._rows[-1]}")
        self._rows.append(row)
        self._texts.append(text)

    def __getitem__(self, row: int) -> str:
        at = bisect_left(self._rows, row)
        if at == len(self._rows) or self._rows[at] != row:
            raise KeyError(row)
        return self._texts[at]

    def __contains__(self, row: object) -> bool:
        return isinstance(row, int) and self.get(row) is not None

    def __iter__(self) -> Iterator[int]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def written(self) -> Iterator[str]:
        """As the fields of a JSON object, piece by piece."""
        from json import dumps

        for start in range(0, len(self), _STEP):
            end = start + _STEP
            part = dict(zip(map(str, self._rows[start:end]), self._texts[start:end], strict=True))
            yield (", " if start else "") + dumps(part)[1:-1]


@dataclass(slots=True)
class LayerIndex:
    """Every path of one layer's tar, in columns.

    Filled in tar order by ``add``; of two entries with one name the later wins. ``targets`` holds the link target of
    symbolic and hard links by row, as written in the tar for the former and normalised for the latter.
    """

    paths: list[str] = field(default_factory=list)
    kinds: list[str] | str = field(default_factory=list)
    modes: array[int] = field(default_factory=lambda: array("I"))
    uids: array[int] = field(default_factory=lambda: array("I"))
    gids: array[int] = field(default_factory=lambda: array("I"))
    sizes: array[int] = field(default_factory=lambda: array("Q"))
    targets: Targets = field(default_factory=Targets)
    whiteouts: list[str] = field(default_factory=list)
    opaques: list[str] = field(default_factory=list)
    digests: Digests = field(default_factory=Digests)
    """sha256 of regular files by row, where they were asked for."""
    capabilities: dict[int, str] = field(default_factory=dict)
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
    def rows(self) -> Mapping[str, int]:
        """Path → row; for a repeated path the last row."""
        if self._rows is None:
            self._rows = dict(zip(self.paths, range(len(self.paths)), strict=True))
        return self._rows

    def told_by(self, rows: Mapping[str, int]) -> None:
        """Take another's word for ``rows``, unless somebody asked before: the squashed image has most of them."""
        if self._rows is None:
            self._rows = rows

    def pieces(self) -> Iterator[bytes]:
        """The columns as bytes (uncompressed), piece by piece: ``read`` takes them back."""
        from json import dumps

        able = {str(row): text for row, text in self.capabilities.items()}
        head = bytearray(dumps([len(self.paths), "".join(self.kinds)])[:-1].encode())
        head += b", {"
        for piece in self.targets.written():
            head += piece.encode()
        head += b"}, " + dumps([self.whiteouts, self.opaques, self.digests.runs(), able])[1:].encode()
        yield len(head).to_bytes(8, "little")
        yield bytes(head)
        for (code, _), column in zip(_COLUMNS, (self.modes, self.uids, self.gids, self.sizes), strict=True):
            yield (column if column.typecode == code else array(code, column)).tobytes()
        yield from self.digests.pieces()
        paths = self.paths
        for start in range(0, len(paths), _STEP):
            text = "\0".join(paths[start : start + _STEP])
            yield (text if not start else "\0" + text).encode("utf-8", "surrogateescape")

    def encode(self) -> bytes:
        """``pieces`` in one."""
        return b"".join(self.pieces())

    @classmethod
    def decode(cls, data: bytes) -> LayerIndex:
        """The reverse of ``encode``. Raises ValueError where the bytes are something else."""
        return cls.read([data])

    @classmethod
    def read(cls, pieces: Iterable[bytes], seen: dict[str, str] | None = None) -> LayerIndex:
        """The reverse of ``pieces``, however they are cut; of names that are in ``seen`` those, the others are added.

        Raises: ValueError where the bytes are something else.
        """
        from json import loads

        stored = _Stored(iter(pieces))
        # As text at once: of bytes the reader would make text, and keep both.
        head = str(stored.take(int.from_bytes(stored.take(8), "little")), "ascii")
        count, kinds, targets, whiteouts, opaques, hashed, capable = loads(head)
        links = Targets(map(int, targets), targets.values())
        del head, targets
        columns = []
        for code, width in _COLUMNS:
            column = array(code)
            column.frombytes(stored.take(width * count))
            columns.append(_narrowed(column) if count >= _MANY else column)
        digests = Digests()
        for first, end in hashed:
            for start in range(first, end, _STEP):
                rows = range(start, min(start + _STEP, end))
                digests.fill(rows, stored.take(_DIGEST * len(rows)))
        names = stored.names() if count else []
        if len(names) != count or len(kinds) != count:
            raise ValueError("layer index: wrong number of names")
        if seen is not None:
            names = [seen.setdefault(name, name) for name in names]
        modes, uids, gids, sizes = columns
        able = {int(row): text for row, text in capable.items()}
        return cls(names, kinds, modes, uids, gids, sizes, links, whiteouts, opaques, digests, able)


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

    def names(self) -> list[str]:
        """All that is left, at the zeros."""
        names: list[str] = []
        begun = b""
        for piece in chain([self._piece[self._at :]], self._pieces):
            end = piece.rfind(b"\0")
            if end < 0:
                begun += piece
            else:
                names += (begun + piece[:end]).decode("utf-8", "surrogateescape").split("\0")
                begun = piece[end + 1 :]
        names.append(begun.decode("utf-8", "surrogateescape"))
        return names
