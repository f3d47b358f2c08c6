"""JSON and texts that a stranger wrote: read with bounds, and what is wrong with them in words.

A value may take twenty times the memory of the bytes it is written in (``[],[],[]``), so values are counted before they
are made.
"""

from __future__ import annotations

from collections.abc import Iterator
from json import loads
from typing import Any

from anchorecli.errors import LimitError

MOST_VALUES = 1_000_000
"""Of one document. A list of a hundred thousand files with their digests has two thirds of it."""


_PIECE = 1024 * 1024


def text_pieces(data: bytes, end: bytes, errors: str = "surrogateescape") -> Iterator[str]:
    """Text in pieces that end where ``end`` does.

    One letter of another script makes Python's text of 32 MiB one of 64 or 128: of the whole there is never one.
    """
    start = 0
    while start < len(data):
        stop = data.find(end, start + _PIECE)
        stop = len(data) if stop < 0 else stop + len(end)
        yield data[start:stop].decode("utf-8", errors)
        start = stop


def read_json(data: bytes) -> Any:
    """The value of a document.

    Raises:
        ValueError: it is no JSON, or nested too deeply.
        LimitError: it has too many values.
    """
    values = data.count(b",") + data.count(b"[") + data.count(b"{")
    if values > MOST_VALUES:
        raise LimitError(f"more than {MOST_VALUES} values in one JSON document (a fixed limit)")
    try:
        return loads(data)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except ValueError as exc:
        raise ValueError(f"no JSON: {exc}") from None
