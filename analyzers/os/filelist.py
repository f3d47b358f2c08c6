"""The paths a package installed, as one compact string inside a fact: there may be a hundred thousand of them.

Format (ours): one block per directory, blocks parted by an empty line; the first line is the directory without leading
or trailing slash (``.`` for the root), the others are base names in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from anchorecli.values import dataclass


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


@dataclass(frozen=True, slots=True)
class Paths:
    """Owned paths, taken from their text only when somebody iterates; ``root`` is the nested root they stand below."""

    texts: tuple[str, ...]
    root: str = ""
    packed: bool = False
    """Whether the texts are in the form above rather than a path a line."""

    def __iter__(self) -> Iterator[str]:
        for text in self.texts:
            paths: Iterable[str] = unpack(text) if self.packed else text.split("\n")
            if self.root:
                paths = (f"{self.root}/{path.lstrip('/')}" for path in paths)
            yield from paths
