"""Long JSON documents, read from their bytes a piece at a time.

As one text a document takes two or four bytes for each of its own as soon as one character in it is not Latin, and as
values ten times as much. Without blanks between values, as this program writes them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

PIECE = 1024 * 1024
"""Bytes that are text at once."""
_LITTLE = 4096


class Reader:
    """A place in a document; everything read moves it on. Raises: ValueError where the document is damaged."""

    __slots__ = ("_data", "at")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data = data
        self.at = at
        """The byte that is next."""

    def sign(self, sign: bytes) -> None:
        """Pass over one byte."""
        if self.next() != sign:
            raise ValueError(f"no {sign.decode()} at {self.at}")
        self.at += 1

    def next(self) -> bytes:
        """The byte that comes next; empty at the end."""
        return self._data[self.at : self.at + 1]

    def value(self) -> Any:
        """The value that stands here, as a whole."""
        size = _LITTLE
        while True:
            piece, is_last = self._text(size)
            try:
                value, end = _read(piece, 0)
            except json.JSONDecodeError:
                if is_last:
                    raise
            else:
                # A number that ends with the piece may go on.
                if end < len(piece) or is_last:
                    self.at += _size(piece[:end])
                    return value
            size *= 4

    def items(self) -> Iterator[tuple[Any, int, int]]:
        """The items of the array that stands here, each with its first byte and the one behind it."""
        self.sign(b"[")
        size, before = PIECE, ""
        while True:
            piece, is_last = self._text(size)
            at, offset = 0, self.at
            while piece[at : at + 1] != "]":
                begin = at + len(before)
                try:
                    if piece[at:begin] != before:
                        raise json.JSONDecodeError(f"no {before}", piece, at)
                    item, end = _read(piece, begin)
                except json.JSONDecodeError:
                    if is_last:
                        raise
                    break
                if end == len(piece) and not is_last:
                    break
                first = offset + len(before)
                offset = first + _size(piece[begin:end])
                at, before = end, ","
                yield item, first, offset
            else:
                self.at = offset + 1
                return
            # What the piece cuts off is the first of the next one.
            self.at, size = offset, PIECE if at else 2 * size

    def _text(self, size: int) -> tuple[str, bool]:
        """So many bytes from here, or a few less so that no character is cut, and whether they are the last ones."""
        end = min(self.at + size, len(self._data))
        while end < len(self._data) and self._data[end] & 0xC0 == 0x80:
            end -= 1
        return self._data[self.at : end].decode("utf-8", "surrogatepass"), end == len(self._data)


_read = json.JSONDecoder().raw_decode


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
