"""JSON and texts that a stranger wrote: read with bounds, and what is wrong with them in words.

A value may take twenty times the memory of the bytes it is written in (``[],[],[]``), so values are counted before they
are made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from json import loads
from typing import Any, TypeVar

from anchorecli.errors import LimitError

MOST_VALUES = 1_000_000
"""Of one document. A list of a hundred thousand files with their digests has two thirds of it."""


Text = TypeVar("Text", str, bytes)

MOST_TEXT = 40 * 1024 * 1024
"""Bytes of memory that a text may take which is looked at in one piece."""
_COSTLIEST = 128 * 1024 * 1024
"""Bytes of memory for the values of one document; a list of a hundred thousand files with their digests has as much."""
_TEXT, _KEY, _COMMA, _LIST, _MAPPING = 60, 10, 16, 64, 190
_NARROW = bytes(range(0xF0))
_ESCAPED = re.compile(rb"\\u[dD][89abAB]")
"""Of a letter that makes a text four times as wide."""

LONGEST = 1024 * 1024
"""Bytes of a line, or of an entry of a database, and more than a hundred times what the longest of real ones have."""
_PIECE = 1024 * 1024
_LINE = b"\n"


def text_pieces(data: bytes, end: bytes, errors: str = "surrogateescape") -> Iterator[str]:
    """Text in pieces that end where ``end`` does.

    One letter of another script makes Python's text of 32 MiB one of 64 or 128: of the whole there is never one.

    Raises: as ``pieces``.
    """
    return (piece.decode("utf-8", errors) for piece in pieces(data, end))


def text_bytes(data: bytes | bytearray) -> int:
    """What the text takes of memory at most that bytes stand for: one letter can make each of them four."""
    if data.isascii():
        return len(data)
    return len(data) * (4 if data.translate(None, _NARROW) else 2)


def whole_text(data: bytes) -> str:
    """A text that has to be looked at in one piece, without zeros.

    Raises: LimitError where it takes too much memory.
    """
    if len(data) > _PIECE and text_bytes(data) > MOST_TEXT:
        raise LimitError(f"a text that takes more than {MOST_TEXT} bytes of memory (a fixed limit)")
    return data.decode("utf-8", "replace").replace("\0", "")


def pieces(data: bytes, end: bytes) -> Iterator[bytes]:
    """The same, as bytes.

    Raises: LimitError where there is no end for too long, once what stands before it was given.
    """
    start = 0
    while start < len(data):
        stop = data.find(end, start + _PIECE, start + _PIECE + LONGEST)
        if stop < 0:
            last = start + _PIECE + LONGEST >= len(data)
            stop = len(data) if last else data.rfind(end, start, start + _PIECE)
        if stop < 0:
            raise LimitError(f"{'a line' if end == _LINE else 'an entry'} of more than {LONGEST} bytes (a fixed limit)")
        stop += len(end)
        yield data[start:stop]
        start = stop


def text_lines(data: bytes) -> Iterator[str]:
    """The lines of a text without zeros, as ``splitlines`` has them: of millions there is never a list.

    Raises: LimitError where one is too long, once those before it were given.
    """
    for piece in text_pieces(data, _LINE, "replace"):
        yield from piece.replace("\0", "").splitlines()


def stream_lines(stream: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of what comes in pieces of any size.

    Raises: LimitError where one is too long.
    """
    held = b""
    for piece in stream:
        *lines, held = (held + piece).split(b"\n")
        yield from lines
        if len(held) > LONGEST:
            raise LimitError(f"a line of more than {LONGEST} bytes (a fixed limit)")
    yield held


def up_to(texts: Iterable[Text], faults: list[str]) -> Iterator[Text]:
    """The pieces or lines, and in ``faults`` why not all of them, where a limit was hit."""
    try:
        yield from texts
    except LimitError as exc:
        faults.append(str(exc))


def read_json(data: bytes | bytearray, number: Callable[[str], Any] | None = None) -> Any:
    """The value of a document; ``number`` makes something else of what its numbers are written as.

    Raises:
        ValueError: it is no JSON, or nested too deeply.
        LimitError: it has too many values, or takes too much memory.
    """
    bound_json(data)
    try:
        return loads(data, parse_float=number, parse_int=number) if number else loads(data)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except ValueError as exc:
        raise ValueError(f"no JSON: {exc}") from None


def bound_json(data: bytes | bytearray) -> None:
    """Raises: LimitError for a document of too many values, or that takes too much memory."""
    commas, lists, mappings = data.count(b","), data.count(b"["), data.count(b"{")
    if commas + lists + mappings > MOST_VALUES:
        raise LimitError(f"more than {MOST_VALUES} values in one JSON document (a fixed limit)")
    if len(data) > _PIECE:
        # Of keys that come over and over there is one text.
        keys = data.count(b'":')
        texts = max(0, data.count(b'"') // 2 - keys)
        size = 4 * len(data) if _ESCAPED.search(data) else len(data)
        cost = size + _TEXT * texts + _KEY * keys + _COMMA * commas + _LIST * lists + _MAPPING * mappings
        if cost > _COSTLIEST or text_bytes(data) > MOST_TEXT:
            raise LimitError(f"a JSON document that takes more than {_COSTLIEST} bytes of memory (a fixed limit)")
