"""The squashed image with one analyzer's facts: what ``assemble`` sees (the View of base.py)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from anchorecli.analyzers.base import Fact
from anchorecli.model import DiffId, Distro, Image, ImagePath, Json, Location, Problem
from anchorecli.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from anchorecli.model import Package


class LayerRecords(NamedTuple):
    """One analyzer's facts of one layer: by raw path, and hard links under a wanted name with their targets."""

    values: Mapping[str, Json]
    links: Mapping[str, str]


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
        self._visible: dict[str, Fact] | None = None

    def facts(self) -> Iterator[Fact]:
        """The facts of visible files, sorted by path."""
        visible = self._facts()
        for path in sorted(visible):
            yield visible[path]

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
        return None if real is None else self._facts().get(real)

    def history(self, path: str) -> list[tuple[int, Json | None]]:
        """What each layer left at a path."""
        return [(layer, None if raw is None else self._value(layer, raw)) for layer, raw in self.tree.versions(path)]

    def diff_id(self, layer: int) -> DiffId:
        """The diff_id of a layer by its index."""
        return self.image.layers[layer].diff_id

    def location(self, fact: Fact) -> Location:
        """A fact's path and layer."""
        return Location(fact.path, self.diff_id(fact.layer))

    def _facts(self) -> dict[str, Fact]:
        if self._visible is None:
            self._visible = {}
            for layer, records in enumerate(self._records):
                for raw in (*records.values, *records.links):
                    path = self.tree.canonical(layer, raw)
                    at = self.tree.where(path)
                    if at is None or at[0] != layer:
                        continue
                    value = self._value(layer, raw)
                    if value is not None:
                        self._visible[path] = Fact(ImagePath(path), layer, value)
        return self._visible

    def _value(self, layer: int, raw: str) -> Json | None:
        records = self._records[layer]
        if raw in records.values:
            return records.values[raw]
        target = records.links.get(raw)
        if target is None:
            return None
        source = self.tree.hardlink_source(layer, target)
        if source is not None and source[1] in self._records[source[0]].values:
            return self._records[source[0]].values[source[1]]
        if self.all_read:
            return None
        if source is None or source[1].rpartition("/")[2] != raw.rpartition("/")[2]:
            self.problems.append(
                Problem("analyze", raw, f"a hard link to {target}, which was not read", "scan with the target's name")
            )
        return None
