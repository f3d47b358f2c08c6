"""The lists of files of an image's layers: packed for the store, and read back within bounds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from anchorecli.analyzers.keys import FILES
from anchorecli.compression import pack_all, unpacked
from anchorecli.errors import LimitError
from anchorecli.layerindex import EXTENT_BYTES, Extent
from anchorecli.model import DiffId, LayerFacts, Problem
from anchorecli.texts import Spool
from anchorecli.tree import LayerIndex, Tree

MAX_PACKED = 48 * 1024 * 1024
"""Bytes of a layer's packed list of files; in real images a file takes nine."""
_ALL = 1 << 62


def packed_files(diff_id: DiffId, index: LayerIndex) -> tuple[bytes, tuple[Problem, ...]]:
    """A layer's list of files as the store keeps it; as much of it as may be kept, and then a problem."""
    whole = count = index.extent().entries
    while True:
        try:
            packed = pack_all(index.pieces(), MAX_PACKED)
        except LimitError:
            count //= 2
            index = index.first(count)
        else:
            limit = f"names that take more than {MAX_PACKED} bytes when they are packed"
            return packed, () if count == whole else (cut(diff_id, limit),)


def file_tree(diff_ids: Sequence[DiffId], facts: Iterable[LayerFacts]) -> Tree:
    """The files of layers, squashed, from their stored file lists; lowest layer first.

    All of them: nothing tells here of what is left out, and the settings may allow more than the default.
    """
    by_layer = {row.diff_id: {FILES: row} for row in facts if row.key.analyzer == FILES}
    indexes, _ = file_indexes(diff_ids, by_layer, _ALL)
    return Tree([indexes[diff_id] for diff_id in diff_ids])


def file_indexes(
    layers: Sequence[DiffId], by_layer: Mapping[DiffId, Mapping[str, LayerFacts]], entries: int
) -> tuple[dict[DiffId, LayerIndex], list[Problem]]:
    """The lists of files of layers, and a problem for each that is cut."""
    files = {diff_id: by_layer[diff_id][FILES].payload for diff_id in layers}
    extents = [LayerIndex.extent_of(unpacked(payload, step=EXTENT_BYTES)) for payload in files.values()]
    whole = Extent(sum(each.entries for each in extents), sum(each.text for each in extents))
    indexes, problems, left, spool = {}, [], entries, Spool()
    for (diff_id, payload), extent in zip(files.items(), extents, strict=True):
        index = LayerIndex.read(unpacked(payload), compact=whole.compact, spool=spool) if left else LayerIndex()
        if extent.entries > left:
            index = index.first(left)
            problems.append(cut(diff_id, f"more than {entries} entries in all layers (limit limits.entries)"))
        left -= min(left, extent.entries)
        indexes[diff_id] = index
    return indexes, problems


def cut(diff_id: DiffId, limit: str) -> Problem:
    """What is said of a layer that is known in part."""
    hint = "what stands behind this point of the layer was not looked at"
    return Problem("layers", f"layer {diff_id}", f"not read to its end: {limit}", hint, cause="limit_hit")
