"""The squashed image as the analyzers see it: what a container would find at each path, and which layer brought it.

Format: whiteouts and opaque directories as in the OCI image specification, layer.md ("Whiteouts"); links resolve
inside the image, 40 hops at most (as Linux does), never above ``/``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from anchorecli.layerindex import LayerIndex
from anchorecli.links import MAX_HOPS, followed
from anchorecli.model import File, ImagePath, Kind
from anchorecli.squash import Squash
from anchorecli.texts import in_order

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
    """What an image's layers amount to, lowest first: the top-most layer wins a path (see ``Squash``)."""

    def __init__(self, layers: Sequence[LayerIndex]) -> None:
        self.layers = layers
        self._squash = Squash(layers)
        self._at = self._squash.at
        self._place = self._squash.place
        self.canonical = self._squash.canonical
        self.cut = self._squash.cut
        """Layers that are not merged as they should be, and what there were too many of."""
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
        for path in in_order(self._at) if self._squash.compact else sorted(self._at):
            yield self._file(path, *self._place(self._at[path]))

    def resolve(self, path: str) -> ImagePath | None:
        """The real path behind ``path``, every symbolic link followed; None where it dangles, loops or is absent."""
        found = self._walk(path.strip("/"))
        return ImagePath(found) if found is not None and (found in self._at or not found) else None

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
        if self._squash.renames[layer]:
            parent, slash, name = path.rpartition("/")
            for raw in self._squash.renames[layer].names(parent):
                if (candidate := raw + slash + name) in index.rows:
                    return candidate
            if self._squash.renames[layer].get(parent, parent) != parent:
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
