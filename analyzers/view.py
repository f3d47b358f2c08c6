"""The squashed image with one analyzer's facts: what ``assemble`` sees (the View of base.py)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from anchorecli.analyzers.base import Fact
from anchorecli.analyzers.records import LayerRecords, fitted, opened
from anchorecli.analyzers.room import Room
from anchorecli.model import DiffId, Distro, Image, ImagePath, Json, Location, Problem
from anchorecli.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from anchorecli.model import Package

WEIGHED_FROM = 32 * 1024 * 1024
"""What the facts of an analyzer take at most before each is weighed for itself."""


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
        self.room: Room | None = None
        """What is left for the facts of all analyzers; None where there is no bound."""
        self.left_out: list[str] = []
        """Files for whose facts there was no room, or for a part of them."""
        self._records = records
        self._location = Location(ImagePath(""))
        self._weighing = False
        """Whether each fact is weighed, since all of them, those that nobody sees among them, may be too much."""
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
                if at is not None and at[0] == layer:
                    continue
                if (held := self._fitted(path, records.values.held(raw))) is not None:
                    yield Fact(ImagePath(path), layer, opened(held))

    def fact(self, path: str) -> Fact | None:
        """The fact of the file at a path, links followed."""
        real = self.tree.resolve(path)
        found = None if real is None else self._facts().get(real)
        return None if real is None or found is None else self._opened(real, found)

    def history(self, path: str) -> Sequence[tuple[int, Json | None]]:
        """What each layer left at a path."""
        return _History(self.tree.versions(path), self._held)

    def diff_id(self, layer: int) -> DiffId:
        """The diff_id of a layer by its index."""
        return self.image.layers[layer].diff_id

    def location(self, fact: Fact) -> Location:
        """A fact's path and layer."""
        layer = self.diff_id(fact.layer)
        # A database's packages come one after the other: they share one.
        if self._location.path != fact.path or self._location.layer != layer:
            self._location = Location(fact.path, layer)
        return self._location

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
            self._make_room(self._visible)
        return self._visible

    def _make_room(self, visible: dict[str, int | Fact]) -> None:
        """Leave out what there is no room for."""
        if self.room is None:
            return
        most = sum(each.weight for each in self._records)
        self._weighing = most > min(self.room.left, WEIGHED_FROM)
        if not self._weighing:
            self.room.take(most)
            return
        for path in sorted(visible):
            found = visible[path]
            held = found.value if isinstance(found, Fact) else self._records[found].values.held(path)
            fitting = self._fitted(path, held)
            if fitting is None:
                del visible[path]
            elif isinstance(found, Fact):
                visible[path] = found._replace(value=fitting)
            elif isinstance(fitting, bytes) and fitting is not held:
                # The whole is not held beside its part.
                self._records[found].values.replace(path, fitting)

    def _fitted(self, path: str, held: Json | bytes) -> Json | bytes | None:
        if self.room is None or not self._weighing:
            return held
        fitting = fitted(held, self.room)
        if fitting is not held:
            self.left_out.append(path)
        return fitting

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
                Problem("analyze", raw, f"a hard link to {target}, which was not read", "copy the file to that place")
            )
        return None


class _History(Sequence[tuple[int, "Json | None"]]):
    """What each layer left at a path, each read when somebody looks at it: all of them may be large."""

    def __init__(
        self, versions: Sequence[tuple[int, str | None]], held: Callable[[int, str], Json | bytes | None]
    ) -> None:
        self._versions = versions
        self._held = held

    def __len__(self) -> int:
        return len(self._versions)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return _History(self._versions[place], self._held)
        layer, raw = self._versions[place]
        return layer, None if raw is None else opened(self._held(layer, raw))
