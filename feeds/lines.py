"""Advisories as compressed lines: one JSON object each, in one Zstandard frame.

Format: JSON lines in UTF-8 (``record`` says which fields), RFC 8878.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from anchorecli.errors import LimitError

MAX_LINE = 64 << 20
_TOGETHER = 1000
_LEVEL = 9

dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode
"""The one way a value is written, so that equal values are equal bytes."""

_decode = json.JSONDecoder().raw_decode


def pack(values: Iterable[Any], level: int = _LEVEL) -> Iterator[bytes]:
    """JSON values as compressed lines, in pieces."""
    compressor = _zstd_module().ZstdCompressor(level=level)
    lines: list[str] = []
    for value in values:
        lines.append(dump(value) + "\n")
        if len(lines) == _TOGETHER:
            yield compressor.compress("".join(lines).encode("utf-8"))
            lines = []
    yield compressor.compress("".join(lines).encode("utf-8"))
    yield compressor.flush()


def unpack(chunks: Iterable[bytes], limit: int) -> Iterator[Any]:
    """The values again.

    Raises: ValueError where the stream or a line is damaged or cut off, LimitError past ``limit`` inflated bytes.
    """
    from anchorecli.compression import ZSTD, inflate

    rest, total = b"", 0
    for piece in inflate(chunks, ZSTD):
        total += len(piece)
        if total > limit:
            raise LimitError(f"it inflates to more than {limit} bytes")
        whole, end, rest = (rest + piece).rpartition(b"\n") if b"\n" in piece else (b"", b"", rest + piece)
        if len(rest) > MAX_LINE:
            raise LimitError(f"a line of more than {MAX_LINE} bytes")
        if end:
            # Decoded together, and not by json.loads: of a line that one call takes as long as a small record.
            yield from map(_value, whole.decode("utf-8").split("\n"))
    if rest:
        raise ValueError("the last line is cut off")


def _value(line: str) -> Any:
    try:
        value, end = _decode(line)
        return value if end == len(line) else json.loads(line)
    except RecursionError as error:
        raise ValueError("a line is nested too deep") from error


def _zstd_module() -> Any:
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        from backports import zstd
    return zstd
