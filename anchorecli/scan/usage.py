"""How much of each layer the image still shows, and what ships in it though a later layer removed or replaced it."""

from __future__ import annotations

from heapq import nsmallest
from typing import NamedTuple

from anchorecli.tree import LayerIndex, Tree

LARGEST = 10
_KEPT = 10_000
"""So many candidates at a time: a layer may have a million."""


class Usage(NamedTuple):
    """One layer's regular files. Units: bytes, as the files are long, not as they are compressed.

    ``wasted`` are those that the image does not show; ``largest`` names the largest of them, (path, bytes).
    """

    files: int
    size: int
    wasted_files: int
    wasted: int
    largest: tuple[tuple[str, int], ...]


def usage(tree: Tree) -> list[Usage]:
    """The usage of each layer, lowest first."""
    return [_of(tree, number, index) for number, index in enumerate(tree.layers)]


def _of(tree: Tree, number: int, index: LayerIndex) -> Usage:
    kept = _linked(tree, number, index)
    files = size = wasted = count = 0
    largest: list[tuple[int, str]] = []
    for row, path in enumerate(index.paths):
        if index.kinds[row] != "f":
            continue
        files += 1
        size += index.sizes[row]
        if tree.where(tree.canonical(number, path)) != (number, row) and path not in kept:
            wasted += index.sizes[row]
            count += 1
            largest.append((index.sizes[row], path))
            if len(largest) >= _KEPT:
                largest = _largest(largest)
    return Usage(files, size, count, wasted, tuple((path, length) for length, path in _largest(largest)))


def _largest(files: list[tuple[int, str]]) -> list[tuple[int, str]]:
    return nsmallest(LARGEST, files, key=lambda each: (-each[0], each[1]))


def _linked(tree: Tree, number: int, index: LayerIndex) -> set[str]:
    """Paths of the layer whose bytes the image shows under the name of a hard link."""
    return {
        target
        for row, target in index.targets.pairs()
        if index.kinds[row] == "h" and tree.where(tree.canonical(number, index.paths[row])) == (number, row)
    }
