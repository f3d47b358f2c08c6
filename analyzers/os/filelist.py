"""The paths a package installed, as one compact string inside a fact: there may be a hundred thousand of them.

Format (ours): one block per directory, blocks parted by an empty line; the first line is the directory without leading
or trailing slash (``.`` for the root), the others are base names in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from sys import getsizeof

from anchorecli.errors import LimitError
from anchorecli.values import dataclass

_PIECE = 64 * 1024
MOST = 48 * 1024 * 1024
"""Bytes that the paths of one package may take, in memory and written down: a list of 100,000 files has six million."""


def gathered(pieces: Iterable[str]) -> str:
    """The pieces of a list of paths as one text, a line break between them; empty ones are left out.

    Raises: LimitError where it takes too much memory: one letter of another script makes every letter four bytes.
    """
    found, size, wide, escaped = [], 0, 1, 0
    for piece in pieces:
        if not piece:
            continue
        found.append(piece)
        size += len(piece) + 1
        if not piece.isascii():
            wide = max(wide, min(4, getsizeof(piece) // len(piece)))
            escaped += 12 * (len(piece) - len(piece.encode("ascii", "ignore")))
        if size * wide + escaped > MOST:
            raise LimitError(f"a list of files that takes more than {MOST} bytes (a fixed limit)")
    return "\n".join(found)


def pack(directories: Iterable[tuple[str, list[str]]]) -> str:
    """Directories and the base names in them as one string; a name that holds a line break is left out."""
    blocks = []
    for directory, names in directories:
        text = "\n".join(names)
        if not all(names) or text.count("\n") >= len(names):
            text = "\n".join(name for name in names if name and "\n" not in name)
        if text and "\n" not in directory:
            blocks.append(f"{directory.strip('/') or '.'}\n{text}")
    return "\n\n".join(blocks)


def unpack(text: str) -> Iterator[str]:
    """The paths again, relative to the root."""
    for block in text.split("\n\n") if text else ():
        directory, *names = block.split("\n")
        prefix = "" if directory == "." else f"{directory}/"
        for name in names:
            yield prefix + name


def _lines(text: str) -> Iterable[str]:
    """Its lines; of a long text there is never a list of all."""
    return text.split("\n") if len(text) < _PIECE else _in_pieces(text)


def _in_pieces(text: str) -> Iterator[str]:
    start = 0
    while start <= len(text):
        stop = text.find("\n", start + _PIECE)
        stop = len(text) if stop < 0 else stop
        yield from text[start:stop].split("\n")
        start = stop + 1


@dataclass(frozen=True, slots=True)
class Paths:
    """Owned paths, taken from their text only when somebody iterates; ``root`` is the nested root they stand below."""

    texts: tuple[str, ...]
    root: str = ""
    packed: bool = False
    """Whether the texts are in the form above rather than a path a line."""

    def __iter__(self) -> Iterator[str]:
        for text in self.texts:
            paths: Iterable[str] = unpack(text) if self.packed else _lines(text)
            if self.root:
                paths = (f"{self.root}/{path.lstrip('/')}" for path in paths)
            yield from paths
