"""The squashed image with one analyzer's facts: what ``assemble`` sees (the View of base.py)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from anchorecli.analyzers.base import Fact
from anchorecli.analyzers.records import LayerRecords, opened
from anchorecli.model import DiffId, Distro, Image, ImagePath, Json, Location, Problem
from anchorecli.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from anchorecli.model import Package


class ImageView:
    """A View over a tree and the records of its layers, lowest first."""

    def __init__(self, tree: Tree, image: Image, records: Sequence[LayerRecords], distro: Distro | None = None) -> None:
        self.tree = tree
        self.image = image
        self.distro = distro
        self.all_read = False
        """Whether the analyzer saw every file, so that a link to one without a fact is no gap."""
        self.packages: Sequence[Package] = ()
        self.owned: Mapping[str, Iterable[str]] = {}
        self.problems: list[Problem] = []
        self._records = records
        self._visible: dict[str, int | Fact] | None = None
        """By path the layer that has a fact under that very name, else the fact as ``Records.held`` gave it."""

    def facts(self) -> Iterator[Fact]:
        """The facts of visible files, sorted by path."""
        visible = self._facts()
        for path in sorted(visible):
            yield self._opened(path, visible[path])

    def hidden(self) -> Iterator[Fact]:
        """The facts of files that are not visible any more, by layer and path."""
        for layer, records in enumerate(self._records):
            for raw in sorted(records.values):
                path = self.tree.canonical(layer, raw)
                at = self.tree.where(path)
                if at is None or at[0] != layer:
                    yield Fact(ImagePath(path), layer, records.values[raw])

    def fact(self, path: str) -> Fact | None:
        """The fact of the file at a path, links followed."""
        real = self.tree.resolve(path)
        found = None if real is None else self._facts().get(real)
        return None if real is None or found is None else self._opened(real, found)

    def history(self, path: str) -> list[tuple[int, Json | None]]:
        """What each layer left at a path."""
        versions = self.tree.versions(path)
        return [(layer, None if raw is None else opened(self._held(layer, raw))) for layer, raw in versions]

    def diff_id(self, layer: int) -> DiffId:
        """The diff_id of a layer by its index."""
        return self.image.layers[layer].diff_id

    def location(self, fact: Fact) -> Location:
        """A fact's path and layer."""
        return Location(fact.path, self.diff_id(fact.layer))

    def _opened(self, path: str, found: int | Fact) -> Fact:
        if isinstance(found, int):
            return Fact(ImagePath(path), found, self._records[found].values[path])
        return Fact(found.path, found.layer, opened(found.value))

    def _facts(self) -> dict[str, int | Fact]:
        if self._visible is None:
            self._visible = {}
            for layer, records in enumerate(self._records):
                for raw in (*records.values, *records.links):
                    path = self.tree.canonical(layer, raw)
                    at = self.tree.where(path)
                    if at is None or at[0] != layer:
                        continue
                    if raw == path and raw in records.values:
                        self._visible[path] = layer
                    elif (held := self._held(layer, raw)) is not None:
                        self._visible[path] = Fact(ImagePath(path), layer, held)
        return self._visible

    def _held(self, layer: int, raw: str) -> Json | bytes | None:
        records = self._records[layer]
        if raw in records.values:
            return records.values.held(raw)
        target = records.links.get(raw)
        if target is None:
            return None
        source = self.tree.hardlink_source(layer, target)
        if source is not None and source[1] in self._records[source[0]].values:
            return self._records[source[0]].values.held(source[1])
        if self.all_read:
            return None
        if source is None or source[1].rpartition("/")[2] != raw.rpartition("/")[2]:
            self.problems.append(
                Problem("analyze", raw, f"a hard link to {target}, which was not read", "scan with the target's name")
            )
        return None
