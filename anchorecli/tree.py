"""The squashed image as the analyzers see it: what a container would find at each path, and which layer brought it.

Format: whiteouts and opaque directories as in the OCI image specification, layer.md ("Whiteouts"); links resolve
inside the image, 40 hops at most (as Linux does), never above ``/``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

from anchorecli.layerindex import LayerIndex
from anchorecli.links import MAX_HOPS, directories, followed
from anchorecli.model import File, ImagePath, Kind

__all__ = ["KIND_CODES", "MAX_HOPS", "OPAQUE", "WHITEOUT", "LayerIndex", "Tree"]

_SHORT = 1024
"""Of a path that is not short what is above it is not remembered: it is many times as long."""
_REMEMBERED = 1 << 15
"""So many directories at most; beyond that those asked for last."""
WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"

KIND_CODES = {
    "f": Kind.FILE,
    "d": Kind.DIR,
    "l": Kind.SYMLINK,
    "h": Kind.HARDLINK,
    "c": Kind.DEVICE,
    "p": Kind.FIFO,
}


class Tree:
    """The merge of an image's layers, lowest first: the top-most layer wins a path.

    A whiteout or opaque directory hides what is below its layer, never entries of the layer itself; an upper
    non-directory hides the children of a lower directory; an upper directory over a lower symbolic link replaces it.
    An entry written through a symbolic link of a lower layer (``lib/x`` where ``lib -> usr/lib``) lands at its target.
    """

    def __init__(self, layers: Sequence[LayerIndex]) -> None:
        self.layers = layers
        self._renames, self._implied = directories(layers)
        # A path's layer and row are one number, so that a million paths cost little: the largest layer's come first.
        self._order = sorted(range(len(layers)), key=lambda number: -len(layers[number].paths))
        self._starts = [0, *accumulate(len(layers[number].paths) for number in self._order)]
        self._firsts = {number: self._starts[place] for place, number in enumerate(self._order)}
        self._at = self._merge()
        self._real_dirs: dict[str, str | None] = {"": ""}

    def __contains__(self, path: str) -> bool:
        return path in self._at

    def __len__(self) -> int:
        return len(self._at)

    def __iter__(self) -> Iterator[str]:
        return iter(self._at)

    def executables(self, least: int) -> Iterator[str]:
        """Visible regular files of at least ``least`` bytes with an execute permission."""
        layers = self.layers
        for path, code in self._at.items():
            layer, row = self._place(code)
            index = layers[layer]
            if index.sizes[row] >= least and index.modes[row] & 0o111 and index.kinds[row] == "f":
                yield path

    def total_bytes(self) -> int:
        """The sizes of all visible regular files, in bytes."""
        layers = self.layers
        return sum(layers[layer].sizes[row] for layer, row in map(self._place, self._at.values()))

    def where(self, path: str) -> tuple[int, int] | None:
        """Layer and row that a visible path comes from; links are not followed."""
        code = self._at.get(path)
        return None if code is None else self._place(code)

    def stat(self, path: str) -> File | None:
        """What stands at a path, without following a link in its last part; a hard link has its file's size."""
        code = self._at.get(path)
        return None if code is None else self._file(path, *self._place(code))

    def files(self) -> Iterator[File]:
        """Every visible path, sorted."""
        for path in sorted(self._at):
            yield self._file(path, *self._place(self._at[path]))

    def resolve(self, path: str) -> ImagePath | None:
        """The real path behind ``path``, every symbolic link followed; None where it dangles, loops or is absent."""
        found = self._walk(path.strip("/"))
        return ImagePath(found) if found is not None and (found in self._at or not found) else None

    def canonical(self, layer: int, path: str) -> str:
        """Where an entry of a layer really lands: its parent directory's links resolved as of that layer."""
        renames = self._renames[layer]
        if not renames:
            return path
        parent, slash, name = path.rpartition("/")
        return renames.get(parent, parent) + slash + name

    def hardlink_source(self, layer: int, target: str) -> tuple[int, str] | None:
        """The layer and path whose bytes a hard link of ``layer`` to ``target`` shares."""
        for _ in range(MAX_HOPS):
            for below in range(layer, -1, -1):
                row = self.layers[below].rows.get(target)
                if row is not None:
                    break
            else:
                return None
            if self.layers[below].kinds[row] != "h":
                return below, target
            layer, target = below, self.layers[below].targets[row]
        return None

    def capabilities(self, layer: int, row: int) -> str:
        """The capabilities of a layer's entry; a hard link has its file's."""
        index = self.layers[layer]
        if index.kinds[row] == "h" and (source := self.hardlink_source(layer, index.targets[row])):
            index = self.layers[source[0]]
            row = index.rows[source[1]]
        return index.capabilities.get(row, "")

    def versions(self, path: str) -> list[tuple[int, str | None]]:
        """What each layer did to a path, lowest first: (layer, raw path in that layer, or None where removed)."""
        history: list[tuple[int, str | None]] = []
        parents = _ancestors(path)
        for number in range(len(self.layers)):
            raw = self._raw(number, path)
            if raw is not None:
                history.append((number, raw))
            elif history and history[-1][1] is not None and self._hides(number, path, parents):
                history.append((number, None))
        return history

    # ── building ────────────────────────────────────────────────────────────────────────────────────────────

    def _place(self, code: int) -> tuple[int, int]:
        """The layer and row that a number of ``_at`` stands for."""
        starts = self._starts
        place = 0 if code < starts[1] else bisect_right(starts, code) - 1
        return self._order[place], code - starts[place]

    def _merge(self) -> dict[str, int]:
        at: dict[str, int] = {}
        removed: set[str] = set()
        opaque: set[str] = set()
        implied: set[int] = set()
        for number in range(len(self.layers) - 1, -1, -1):
            index = self.layers[number]
            paths: Iterable[str] = index.paths
            if self._renames[number]:
                paths = [self.canonical(number, path) for path in paths]
            codes = range(self._firsts[number], self._firsts[number] + len(index.paths))
            if at or removed or opaque:
                covered = self._merge_below(
                    at, zip(paths, codes, strict=True), codes, (removed, removed | opaque, implied)
                )
                for path, code in covered.items():
                    if index.kinds[code - codes.start] != "d":
                        removed.add(path)
                        if at.get(path, -1) in codes:
                            del at[path]
            else:
                at = dict(zip(paths, codes, strict=True))
            removed.update(self.canonical(number, path) for path in index.whiteouts)
            opaque.update(self.canonical(number, path) for path in index.opaques)
            implied |= self._implied[number]
        if self._order and not self._renames[self._order[0]]:
            home = self.layers[self._order[0]]
            home.told_by(at if len(self.layers) == 1 else _Rows(at, home.paths))
        return at

    def _merge_below(
        self,
        at: dict[str, int],
        rows: Iterable[tuple[str, int]],
        codes: range,
        above: tuple[set[str], set[str], set[int]],
    ) -> dict[str, int]:
        """Add a lower layer's rows where nothing above hides them; returns those that an upper layer replaced.

        ``above`` says of the upper layers what they removed, that and what they closed, and the directories they imply.
        """
        removed, closed, implied = above
        known: dict[int, bool] = {hash(""): "" in closed}
        covered: dict[str, int] = {}

        def blocked(directory: str) -> bool:
            climbed = []
            while (answer := known.get(hash(directory))) is None:
                climbed.append(hash(directory))
                answer = directory in closed
                if not answer and (code := at.get(directory)) is not None and code not in codes:
                    layer, row = self._place(code)
                    answer = self.layers[layer].kinds[row] != "d"
                if answer:
                    break
                directory = directory.rpartition("/")[0]
            known.update(dict.fromkeys(climbed, answer))
            return answer

        for path, code in rows:
            there = at.get(path)
            if there is not None and there not in codes:
                covered[path] = code
            elif there is not None or (path not in removed and not blocked(path.rpartition("/")[0])):
                at[path] = code
                if hash(path) in implied:
                    covered[path] = code
        return covered

    # ── looking up ──────────────────────────────────────────────────────────────────────────────────────────

    def _file(self, path: str, layer: int, row: int) -> File:
        index = self.layers[layer]
        kind = KIND_CODES[index.kinds[row]]
        size = index.sizes[row]
        target = index.targets.get(row, "")
        if kind is Kind.HARDLINK and (source := self.hardlink_source(layer, target)):
            below = self.layers[source[0]]
            size = below.sizes[below.rows[source[1]]]
        mode = index.modes[row]
        digest = index.digests[row].hex() if row in index.digests else ""
        able = self.capabilities(layer, row)
        return File(ImagePath(path), kind, mode, index.uids[row], index.gids[row], size, target, layer, digest, able)

    def _walk(self, path: str) -> str | None:
        parent, _, name = path.rpartition("/")
        base = self._real_dir(parent)
        return None if base is None else followed(base, name, self._link)

    def _real_dir(self, path: str) -> str | None:
        real, above = self._real_dirs, path
        while above not in real:
            above = above.rpartition("/")[0]
        base = real[above]
        while len(above) < len(path):
            end = path.find("/", len(above) + 1)
            name = path[len(above) : end] if end >= 0 else path[len(above) :]
            above = path[:end] if end >= 0 else path
            base = None if base is None else followed(base, name, self._link)
            if len(above) < _SHORT or above == path:
                if len(real) >= _REMEMBERED:
                    real.clear()
                    real[""] = ""
                real[above] = base
        return base

    def _link(self, path: str) -> str | None:
        at = self.where(path)
        return self.layers[at[0]].targets[at[1]] if at and self.layers[at[0]].kinds[at[1]] == "l" else None

    def _raw(self, layer: int, path: str) -> str | None:
        """The name under which a layer's tar holds what lands at ``path``."""
        index = self.layers[layer]
        if self._renames[layer]:
            parent, slash, name = path.rpartition("/")
            for raw, real in self._renames[layer].items():
                if real == parent and (candidate := raw + slash + name) in index.rows:
                    return candidate
            if parent in self._renames[layer]:
                return None
        return path if path in index.rows else None

    def _hides(self, layer: int, path: str, parents: Sequence[str]) -> bool:
        index = self.layers[layer]
        gone = {self.canonical(layer, p) for p in index.whiteouts}
        opaque = {self.canonical(layer, p) for p in index.opaques}
        if path in gone or any(parent in gone or parent in opaque for parent in parents):
            return True
        return any(p in index.rows and index.kinds[index.rows[p]] != "d" for p in parents)


def _ancestors(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[:count]) for count in range(len(parts), 0, -1)] + [""]


class _Rows(Mapping[str, int]):
    """The rows of a tree's largest layer, which the tree itself numbers by them; apart only what is not visible."""

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
