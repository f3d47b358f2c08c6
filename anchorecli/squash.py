"""The merge of an image's layers: which entry of which layer stands at each path.

A path's layer and row are one number, so that millions of paths cost little: the rows of the largest layer come first,
then those of the next.

Format: whiteouts and opaque directories as in the OCI image specification, layer.md ("Whiteouts").
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from itertools import accumulate, chain
from typing import Any
from weakref import ref

from anchorecli.layerindex import LayerIndex
from anchorecli.links import Directories, directories
from anchorecli.places import Places, hashes

_KNOWN = 1 << 17
"""Directories of which it is remembered whether something above hides them."""


class Squash:
    """The merge of layers, lowest first; ``at`` has the number of what stands at each visible path.

    A whiteout or opaque directory hides what is below its layer, never entries of the layer itself; an upper
    non-directory hides the children of a lower directory; an upper directory over a lower symbolic link replaces it.
    An entry written through a symbolic link of a lower layer (``lib/x`` where ``lib -> usr/lib``) lands at its target.
    """

    def __init__(self, layers: Sequence[LayerIndex]) -> None:
        self.layers = layers
        self.compact = any(index.is_compact for index in layers)
        found = directories(layers)
        self.renames = [each.renames for each in found]
        """By layer: directories as named in its tar, and where they really are."""
        self.cut = {number: each.cut for number, each in enumerate(found) if each.cut}
        """Layers of which some directories are not known, and what there were too many of."""
        self._order = sorted(range(len(layers)), key=lambda number: -len(layers[number].paths))
        self._starts = [0, *accumulate(len(layers[number].paths) for number in self._order)]
        self._firsts = {number: self._starts[place] for place, number in enumerate(self._order)}
        self.at: Mapping[str, int]
        if self.compact and len(layers) == 1 and not self.renames[0]:
            # Nothing to merge, and the layer's own table says it all.
            self.at = layers[0].rows
        else:
            self.at = self._merged(found)

    def _merged(self, found: list[Directories]) -> Mapping[str, int]:
        self._at: MutableMapping[str, int] = self._table()
        self._removed, self._closed, self._above = (hashes(compact=self.compact) for _ in range(3))
        """Of the layers merged so far: what they removed, what they closed, the directories that they imply."""
        while found:
            self._merge(len(found) - 1)
            implied = found.pop().implied
            if self._above:
                self._above.update(implied)
            else:
                self._above = implied
        self._tell_rows()
        del self._removed, self._closed, self._above
        return self._at

    def _table(self) -> MutableMapping[str, int]:
        if not self.compact:
            return {}
        # Weakly: nobody collects cycles while an image is scanned, and there is more than one tree of it.
        this = ref(self)
        return Places(
            self._starts[-1],
            lambda: [] if (one := this()) is None else one.numbered(),
            self._starts[1] * 21 // 20,
        )

    def place(self, code: int) -> tuple[int, int]:
        """The layer and row that a number stands for."""
        starts = self._starts
        place = 0 if code < starts[1] else bisect_right(starts, code) - 1
        return self._order[place], code - starts[place]

    def canonical(self, layer: int, path: str) -> str:
        """Where an entry of a layer really lands: its parent directory's links resolved as of that layer."""
        renames = self.renames[layer]
        if not renames:
            return path
        parent, slash, name = path.rpartition("/")
        return renames.get(parent, parent) + slash + name

    def _merge(self, number: int) -> None:
        index = self.layers[number]
        codes = range(self._firsts[number], self._firsts[number] + len(index.paths))
        if self._at or self._removed or self._closed:
            self._merge_below(number, codes)
        else:
            self._at.update(zip(self._landed(number), codes, strict=True))
        self._removed.update(hash(self.canonical(number, path)) for path in index.whiteouts)
        self._closed.update(hash(self.canonical(number, path)) for path in index.opaques)

    def _merge_below(self, number: int, codes: range) -> None:
        """Add a lower layer's rows where nothing above hides them, and note what hides something in layers below."""
        at, removed, above = self._at, self._removed, self._above
        known: dict[int, bool] = {}
        covered, keys, under = array("I"), array("q"), array("I")
        """What upper layers have as well, the hashes of its paths; what they imply to be a directory. By number."""
        for path, code in zip(self._landed(number), codes, strict=True):
            there = at.get(path)
            if there is not None and there not in codes:
                covered.append(code)
                keys.append(hash(path))
            elif there is not None or (
                hash(path) not in removed and not self._hidden(path.rpartition("/")[0], codes, known)
            ):
                at[path] = code
                if hash(path) in above:
                    under.append(code)
        self._note_covered(number, covered, keys)
        self._remove_under(number, under)

    def _hidden(self, directory: str, codes: range, known: dict[int, bool]) -> bool:
        """Whether something above the layer with those numbers hides what is in a directory."""
        climbed = []
        while (answer := known.get(key := hash(directory))) is None:
            climbed.append(key)
            answer = key in self._closed or key in self._removed
            if not answer and (code := self._at.get(directory)) is not None and code not in codes:
                layer, row = self.place(code)
                answer = self.layers[layer].kinds[row] != "d"
            if answer or not directory:
                break
            directory = directory.rpartition("/")[0]
        if climbed:
            if len(known) > _KNOWN:
                known.clear()
            known.update(dict.fromkeys(climbed, answer))
        return answer

    def _note_covered(self, number: int, covered: array[int], keys: array[int]) -> None:
        """What stands over files that are no directories hides what is below these in lower layers."""
        kinds, first = self.layers[number].kinds, self._firsts[number]
        # Of what lands twice at one path the last counts.
        folders = hashes(compact=self.compact)
        for code, key in zip(reversed(covered), reversed(keys), strict=True):
            if kinds[code - first] == "d":
                folders.add(key)
            elif key not in folders:
                self._removed.add(key)

    def _remove_under(self, number: int, under: array[int]) -> None:
        """What is no directory goes where an upper layer has something below it."""
        index, first = self.layers[number], self._firsts[number]
        for code in under:
            path = self.canonical(number, index.paths[code - first])
            if self._at.get(path) == code and index.kinds[code - first] != "d":
                self._removed.add(hash(path))
                del self._at[path]

    def _landed(self, number: int) -> Iterable[str]:
        """The paths of a layer, where they really are."""
        paths = self.layers[number].paths
        return (self.canonical(number, path) for path in paths) if self.renames[number] else paths

    def numbered(self) -> Iterator[tuple[int, str]]:
        """Every entry's number and where it lands, in order."""
        return enumerate(chain.from_iterable(map(self._landed, self._order)))

    def _tell_rows(self) -> None:
        """Let the largest layer look its rows up where they are numbered by them."""
        if self._order and not self.renames[self._order[0]]:
            home = self.layers[self._order[0]]
            if len(self.layers) == 1:
                home.told_by(self._at)
            elif not self.compact:
                home.told_by(_Rows(self._at, home.paths))


class _Rows(Mapping[str, int]):
    """The rows of the largest layer, which the merge itself numbers by them; apart only what is not visible."""

    def __init__(self, at: Mapping[str, int], paths: Sequence[str]) -> None:
        self._at = at
        self._paths = paths
        self._hidden: dict[str, int] | None = None

    def get(self, path: str, default: Any = None) -> Any:
        row = self._at.get(path)
        if row is not None and row < len(self._paths):
            return row
        if self._hidden is None:
            at = self._at
            self._hidden = {path: row for row, path in enumerate(self._paths) if at.get(path) != row}
        return self._hidden.get(path, default)

    def __getitem__(self, path: str) -> int:
        row: int | None = self.get(path)
        if row is None:
            raise KeyError(path)
        return row

    def __contains__(self, path: object) -> bool:
        return self.get(path) is not None  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(self._paths))

    def __len__(self) -> int:
        return len(set(self._paths))
