"""What every source is: an image's description first, and its layers' bytes only where somebody asks for them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, Self

from anchorecli.errors import IntegrityError
from anchorecli.model import Image, Layer, Platform
from anchorecli.source.directory import DirLayer
from anchorecli.values import dataclass

CHUNK = 256 * 1024

Progress = Callable[[str, int, int], None]
"""Called with (what, bytes done, bytes in all or 0 where unknown), from any thread, several times a second."""


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """How to fetch. ``platform`` None means the host's.

    ``authfile`` empty leaves REGISTRY_AUTH_FILE and DOCKER_CONFIG to skopeo. ``timeout`` (seconds) bounds a question
    to a registry, and for a download the time in which not one byte arrives. ``known_config`` gives the raw
    configuration of a digest where somebody has it already: it is then not asked of the registry.
    """

    platform: Platform | None = None
    tls_verify: bool = True
    authfile: str = ""
    timeout: float = 600.0
    progress: Progress | None = None
    known_config: Callable[[str], bytes | None] | None = None


class Blob(Protocol):
    """The bytes of one layer as they are stored, compressed or not; a context manager."""

    @property
    def size(self) -> int:
        """Length in bytes, 0 where unknown."""

    @property
    def digest(self) -> str:
        """Expected ``sha256:…`` of these bytes, empty where the source does not know it."""

    def file(self) -> tuple[int, int, int] | None:
        """(file descriptor, offset, length) where the bytes are a slice of a local regular file, for ``pread``."""

    def chunks(self, size: int = CHUNK) -> Iterator[bytes]:
        """The bytes in order. Raises: IntegrityError where the file ends early."""

    def close(self) -> None:
        """Give back what the blob holds."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...


class Source(Protocol):
    """One image at the place it comes from; a context manager."""

    @property
    def image(self) -> Image:
        """The image, from manifest and configuration alone: no layer was read or pulled for it."""

    def prefetch(self, layers: Sequence[Layer]) -> None:
        """Say which layers will be opened: a remote source starts pulling exactly these, and returns at once."""

    def open_layer(self, layer: Layer) -> Blob | DirLayer:
        """The layer's bytes, once they are there; a ``DirLayer`` for ``dir:``. Safe to call from several threads."""

    def close(self) -> None:
        """Stop what still runs and remove what was put on disk."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...


class FileBlob:
    """A blob that is a slice of a local file. It closes the descriptor only if it owns it."""

    def __init__(self, fd: int, offset: int, size: int, digest: str = "", *, owns: bool = False) -> None:
        self.size = size
        self.digest = digest
        self._fd = fd
        self._offset = offset
        self._owns = owns

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def file(self) -> tuple[int, int, int] | None:
        """(file descriptor, offset, length)."""
        return self._fd, self._offset, self.size

    def chunks(self, size: int = CHUNK) -> Iterator[bytes]:
        """The bytes in order. Raises: IntegrityError where the file ends early."""
        position, end = self._offset, self._offset + self.size
        while position < end:
            chunk = os.pread(self._fd, min(size, end - position), position)
            if not chunk:
                raise IntegrityError(f"layer {self.digest}: the file became shorter while it was read")
            position += len(chunk)
            yield chunk

    def close(self) -> None:
        """Close the descriptor if this blob opened it."""
        if self._owns and self._fd >= 0:
            os.close(self._fd)
        self._fd = -1
