"""Sparse files in tars: where the stored pieces belong, and the file put together again.

Format: GNU tar manual, "Storing Sparse Files": old GNU (``S`` headers), pax 0.0, 0.1 and 1.0.
"""

from __future__ import annotations

from collections.abc import Callable

from anchorecli.layers.content import Reader
from anchorecli.values import dataclass

MAX_PIECES = 1_000_000
_ENTRY = 24  # an old GNU map entry: offset and length, 12 octal digits each


@dataclass(frozen=True, slots=True)
class SparseMap:
    """``pieces`` are (offset in the file, bytes) in file order; ``stored`` bytes follow in the tar."""

    pieces: tuple[tuple[int, int], ...]
    real_size: int
    stored: int

    def expander(self, reader: Reader) -> Callable[[int], bytes]:
        """A function that gives the next n bytes of the real file, holes as zeros."""
        pieces = [piece for piece in self.pieces if piece[1]]
        state = {"at": 0, "piece": 0}

        def take(count: int) -> bytes:
            out = []
            while count > 0 and state["at"] < self.real_size:
                position = state["at"]
                offset, length = pieces[state["piece"]] if state["piece"] < len(pieces) else (self.real_size, 0)
                if position < offset:
                    step = min(count, offset - position)
                    out.append(bytes(step))
                else:
                    step = min(count, offset + length - position)
                    data = reader.read(step)
                    if len(data) < step:
                        break
                    out.append(data)
                    if position + step == offset + length:
                        state["piece"] += 1
                state["at"] += step
                count -= step
            return b"".join(out)

        return take


def read_gnu_map(header: bytes, stored: int, reader: Reader) -> SparseMap:
    """The map of an old GNU sparse header; reads the extension blocks that follow it."""
    pieces = _gnu_entries(header[386:482])
    real_size = _octal(header[483:495])
    more = header[482]
    while more:
        block = reader.read(512)
        if len(block) < 512 or len(pieces) > MAX_PIECES:
            raise ValueError("it does not end")
        pieces += _gnu_entries(block[:504])
        more = block[504]
    return _checked(pieces, real_size, stored)


def read_pax_1_map(size: int, real_size: int, reader: Reader) -> SparseMap:
    """The map of format 1.0: decimal lines in the first blocks of the data."""
    used, text = 0, b""
    wanted = -1
    while wanted < 0 or text.count(b"\n") < wanted:
        if used >= size or used > 16 * 1024 * 1024:
            raise ValueError("it does not end")
        text += reader.read(512)
        used += 512
        if wanted < 0 and b"\n" in text:
            count = int(text.split(b"\n", 1)[0])
            if not 0 <= count <= MAX_PIECES:
                raise ValueError(f"{count} pieces")
            wanted = 1 + 2 * count
    numbers = [int(line) for line in text.split(b"\n")[1:wanted]]
    return _checked(list(zip(numbers[::2], numbers[1::2], strict=True)), real_size, size - used)


def pax_map(pax: dict[bytes, bytes], stored: int) -> SparseMap | None:
    """The map of formats 0.0 and 0.1, which stands in the extended header; None where the entry is not sparse."""
    if b"GNU.sparse.map" not in pax:
        return None
    text = pax[b"GNU.sparse.map"]
    numbers = [int(part) for part in text.split(b",")] if text else []
    real_size = int(pax.get(b"GNU.sparse.size") or pax.get(b"GNU.sparse.realsize") or stored)
    return _checked(list(zip(numbers[::2], numbers[1::2], strict=True)), real_size, stored)


def _gnu_entries(data: bytes) -> list[tuple[int, int]]:
    entries = []
    for start in range(0, len(data) - _ENTRY + 1, _ENTRY):
        if not data[start]:
            break
        entries.append((_octal(data[start : start + 12]), _octal(data[start + 12 : start + 24])))
    return entries


def _octal(data: bytes) -> int:
    if data[0] & 0x80:
        return int.from_bytes(data, "big") & ~(0x80 << (8 * (len(data) - 1)))
    text = data.split(b"\0", 1)[0].strip()
    return int(text, 8) if text else 0


def _checked(pieces: list[tuple[int, int]], real_size: int, stored: int) -> SparseMap:
    end = 0
    for offset, length in pieces:
        if offset < end or length < 0 or offset + length > real_size:
            raise ValueError("pieces overlap or leave the file")
        end = offset + length
    if sum(length for _, length in pieces) > stored or stored < 0:
        raise ValueError("more is mapped than stored")
    return SparseMap(tuple(pieces), real_size, stored)
