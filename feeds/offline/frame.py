"""The tar around an offline feed file: written without anything of this machine, read with nothing left unchecked.

Format: GNU tar (POSIX.1-1988 ustar headers, ``GNU_FORMAT`` of the standard library), uncompressed, regular files only.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING

from anchorecli.errors import FeedError

if TYPE_CHECKING:
    import tarfile

MAX_MEMBERS = 10_000
_BLOCK, _RECORD = 512, 10_240
"""Bytes: of a tar, whose end is two empty blocks and zeros up to a whole record."""

Places = dict[str, tuple[int, int]]
"""Name → offset and size of each member."""


def write(path: Path, members: Iterable[tuple[str, IO[bytes]]]) -> None:
    """Write the members to a file that appears under its name once it is whole.

    Raises: OSError where it cannot be written.
    """
    import tarfile

    with appearing(path) as file, tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, source in members:
            size = source.seek(0, os.SEEK_END)
            source.seek(0)
            tar.addfile(_info(name, size), source)


@contextmanager
def appearing(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes its name only once it is whole and on the disk."""
    from tempfile import NamedTemporaryFile

    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            # A temporary file is its owner's alone; this one is made to be carried away.
            os.umask(umask := os.umask(0))
            Path(file.name).chmod(0o666 & ~umask)
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """What the system says while a file is written, as our error.

    Raises: FeedError.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise FeedError(f"{path} cannot be written: {reason}", hint="check the directory and disk") from error


def places(file: IO[bytes]) -> Places:
    """Where each member stands. Raises: ValueError for a tar that no export writes, or that is cut off."""
    import tarfile

    length = file.seek(0, os.SEEK_END)
    file.seek(0)
    found: Places = {}
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            for info in tar:
                if not info.isreg() or info.name in found or len(found) > MAX_MEMBERS:
                    raise ValueError("it holds members that no export writes")
                if info.offset_data + info.size > length:
                    raise ValueError("it is cut off")
                found[info.name] = (info.offset_data, info.size)
    except tarfile.TarError as error:
        raise ValueError(str(error)) from error
    return found


def check(file: IO[bytes], found: Places) -> None:
    """What no digest covers, headers and padding, is byte for byte what an export writes.

    Raises: ValueError.
    """
    length, position = file.seek(0, os.SEEK_END), 0
    for name, (offset, size) in found.items():
        if _between(file, position, offset) != bytes(offset - position - _BLOCK) + _header(name, size):
            raise ValueError(f"the header of {name} is not as an export writes it")
        position = offset + size
    rest = length - position
    if length % _RECORD or not 0 <= rest - 2 * _BLOCK < _RECORD or any(_between(file, position, length)):
        raise ValueError("its end is not as an export writes it")


def in_memory(text: str) -> IO[bytes]:
    """A small member's content."""
    return BytesIO(text.encode("utf-8"))


def _info(name: str, size: int) -> tarfile.TarInfo:
    """A header with nothing of this machine or moment in it."""
    from tarfile import TarInfo

    info = TarInfo(name)
    info.size = size
    return info


def _header(name: str, size: int) -> bytes:
    from tarfile import GNU_FORMAT

    return _info(name, size).tobuf(GNU_FORMAT)


def _between(file: IO[bytes], start: int, end: int) -> bytes:
    file.seek(start)
    return file.read(min(end - start, 2 * _RECORD))
