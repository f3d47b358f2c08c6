"""Streaming decompression of layers, and packing of stored facts.

ISA-L (the ``isal`` package) inflates three times as fast as zlib and is used where it is installed; zstd comes from the
standard library (3.14) or its backport. All of these release the GIL while they work.

Format: gzip RFC 1952 (several members may follow one another), Zstandard RFC 8878 (several frames likewise).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import chain
from typing import Any

from anchorecli.errors import LimitError

CHUNK = 256 * 1024
_TAKEN = 256 * 1024
MAX_OUT = 1024 * 1024

GZIP = "gzip"
ZSTD = "zstd"
PLAIN = ""


def _deflate_module() -> Any:
    try:
        from isal import isal_zlib
    except ImportError:
        return zlib
    return isal_zlib


def sniff(head: bytes) -> str:
    """The compression that a stream's first bytes announce: ``gzip``, ``zstd``, ``bzip2``, ``xz`` or empty."""
    for magic, kind in (
        (b"\x1f\x8b", GZIP),
        (b"\x28\xb5\x2f\xfd", ZSTD),
        (b"BZh", "bzip2"),
        (b"\xfd7zXZ\0", "xz"),
    ):
        if head.startswith(magic):
            return kind
    # A skippable zstd frame (RFC 8878, 3.1.2) may come first: estargz and zstd:chunked write them.
    if len(head) >= 4 and head[1:4] == b"\x2a\x4d\x18" and 0x50 <= head[0] <= 0x5F:
        return ZSTD
    return PLAIN


def inflate(chunks: Iterable[bytes], kind: str) -> Iterator[bytes]:
    """Inflated bytes in pieces of at most 1 MiB, so that a bomb never fills the memory.

    Raises: ValueError where the stream is damaged or ends early, or the compression is not one of ours.
    """
    if kind == PLAIN:
        yield from chunks
        return
    if kind == GZIP:
        module = _deflate_module()
        error: type[Exception] = getattr(module, "error", zlib.error)
        stream = _members(chunks, lambda: module.decompressobj(31))
    elif kind == ZSTD:
        zstd = _zstd_module()
        error = zstd.ZstdError
        stream = _frames(chunks, zstd.ZstdDecompressor)
    else:
        raise ValueError(f"compression {kind} is not one that image layers use (gzip, zstd or none)")
    try:
        yield from stream
    except (error, zlib.error, EOFError) as exc:
        raise ValueError(f"damaged {kind} stream: {exc}") from exc


def pack(data: bytes) -> bytes:
    """Bytes as the store keeps them (zlib format, fast level)."""
    module = _deflate_module()
    packed: bytes = module.compress(data, 1)
    return packed


def pack_all(pieces: Iterable[bytes], limit: int = 1 << 31) -> bytes:
    """Pieces packed as one value, none of which has to be kept for it. Raises: LimitError past ``limit`` bytes."""
    stream = _deflate_module().compressobj(1)
    packed, size = [], 0
    for last, piece in chain(((False, piece) for piece in pieces), [(True, b"")]):
        packed.append(stream.flush() if last else stream.compress(piece))
        size += len(packed[-1])
        if size > limit:
            raise LimitError(f"packed value of more than {limit} bytes")
    return b"".join(packed)


def unpack(data: bytes, limit: int = 1 << 31) -> bytes:
    """The reverse of ``pack``. Raises LimitError past ``limit`` bytes, ValueError where it is something else."""
    # Its own buffer is given out: the pieces and the whole are never both there.
    whole = BytesIO()
    for piece in unpacked(data, limit):
        whole.write(piece)
    return whole.getvalue()


def unpacked(data: bytes, limit: int = 1 << 31, step: int = MAX_OUT) -> Iterator[bytes]:
    """The same in pieces of ``step`` bytes at most. Raises: as ``unpack``."""
    stream = _deflate_module().decompressobj()
    left = limit
    # Piece by piece, since what a step leaves is copied.
    pieces = (data[start : start + _TAKEN] for start in range(0, len(data), _TAKEN))
    rest = b""
    while not stream.eof:
        rest = rest or next(pieces, b"")
        try:
            out: bytes = stream.decompress(rest, min(step, left))
        except Exception as exc:
            raise ValueError(f"damaged packed value: {exc}") from exc
        ended = not rest
        rest = stream.unconsumed_tail
        left -= len(out)
        if not stream.eof and ((ended and not out) or left <= 0):
            raise LimitError(f"packed value is truncated or larger than {limit} bytes")
        if out:
            yield out


def _members(chunks: Iterable[bytes], new: Any) -> Iterator[bytes]:
    stream = new()
    fresh = True
    for chunk in chunks:
        data = chunk
        while data:
            if stream.eof:
                # Padding of zeros after the last member is common (tar blocks, tapes) and harmless.
                if not data.strip(b"\0"):
                    break
                stream, fresh = new(), True
            out = stream.decompress(data, MAX_OUT)
            fresh = False
            if out:
                yield out
            data = stream.unused_data if stream.eof else stream.unconsumed_tail
            if not out and not data and not stream.eof:
                break
    while not stream.eof and not fresh:
        out = stream.decompress(b"", MAX_OUT)
        if not out:
            break
        yield out
    if not stream.eof:
        raise EOFError("it ends early")


def _frames(chunks: Iterable[bytes], new: Any) -> Iterator[bytes]:
    stream = new()
    started = False
    for chunk in chunks:
        data = chunk
        while True:
            if stream.eof:
                if not data.strip(b"\0"):
                    break
                stream, started = new(), False
            out = stream.decompress(data, MAX_OUT)
            started = True
            if out:
                yield out
            if stream.eof:
                data = stream.unused_data
                if not data:
                    break
            elif stream.needs_input:
                break
            else:
                data = b""
    if started and not stream.eof:
        raise EOFError("it ends early")


def _zstd_module() -> Any:
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        from backports import zstd
    return zstd
