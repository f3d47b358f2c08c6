"""Blobs over bytes and files, and a visitor that keeps what it is shown: for the tests of the layer reader."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from anchorecli.layers import FileContent, LayerRead, Limits, read_layer
from anchorecli.model import DiffId, Layer
from tests.builders import digest


class BytesBlob:
    """A blob that only streams."""

    def __init__(self, data: bytes, expected: str = "") -> None:
        self._data = data
        self.digest = expected

    def file(self) -> tuple[int, int, int] | None:
        return None

    def chunks(self, size: int = 4096) -> Iterator[bytes]:
        for start in range(0, len(self._data), size):
            yield self._data[start : start + size]

    def close(self) -> None:
        pass


class FileBlob:
    """A blob that is a slice of a file."""

    def __init__(self, path: Path, expected: str = "") -> None:
        self._fd = os.open(path, os.O_RDONLY)
        self._size = path.stat().st_size
        self.digest = expected

    def file(self) -> tuple[int, int, int] | None:
        return self._fd, 0, self._size

    def chunks(self, size: int = 4096) -> Iterator[bytes]:
        position = 0
        while data := os.pread(self._fd, size, position):
            position += len(data)
            yield data

    def close(self) -> None:
        os.close(self._fd)


class Keeper:
    """Wants what ``want`` says and keeps path → content."""

    def __init__(self, want: Callable[[str], bool] = lambda path: True, *, as_stream: bool = False) -> None:
        self._want = want
        self._as_stream = as_stream
        self.seen: dict[str, bytes] = {}

    def wants(self, path: str, size: int, mode: int) -> object | None:
        return path if self._want(path) else None

    def visit(self, token: object, file: FileContent) -> None:
        assert token == file.path
        if self._as_stream:
            with file.open() as stream:
                self.seen[file.path] = stream.read()
        else:
            self.seen[file.path] = file.data()


def read(
    tar: bytes, blob: BytesBlob | FileBlob | None = None, keeper: Keeper | None = None, limits: Limits | None = None
) -> LayerRead:
    """Read a layer whose inflated bytes are ``tar``."""
    return read_layer(blob or BytesBlob(tar), Layer(DiffId(digest(tar))), keeper or Keeper(lambda _: False), limits)
