"""The squashed image as the analyzers see it: what a container would find at each path, and which layer brought it.

Format: whiteouts and opaque directories as in the OCI image specification, layer.md ("Whiteouts"); links resolve
inside the image, 40 hops at most (as Linux does), never above ``/``.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence

from anchorecli.model import File, ImagePath, Kind
from anchorecli.values import dataclass, field

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"
MAX_HOPS = 40

KIND_CODES = {
    "f": Kind.FILE,
    "d": Kind.DIR,
    "l": Kind.SYMLINK,
    "h": Kind.HARDLINK,
    "c": Kind.DEVICE,
    "p": Kind.FIFO,
}


@dataclass(slots=True)
class LayerIndex:
    """Every path of one layer's tar, in columns: there may be a million of them.

    Filled in tar order by ``add``; of two entries with one name the later wins. ``targets`` holds the link target of
    symbolic and hard links by row, as written in the tar for the former and normalised for the latter.
    """

    paths: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    modes: list[int] = field(default_factory=list)
    uids: list[int] = field(default_factory=list)
    gids: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    targets: dict[int, str] = field(default_factory=dict)
    whiteouts: list[str] = field(default_factory=list)
    opaques: list[str] = field(default_factory=list)
    digests: dict[int, bytes] = field(default_factory=dict)
    """sha256 of regular files by row, where they were asked for."""
    capabilities: dict[int, str] = field(default_factory=dict)
    """Capabilities by row, of the few files that have some."""
    _rows: dict[str, int] | None = None

    def add(self, path: str, kind: str, owner: tuple[int, int, int], size: int) -> None:
        """Append a path; ``owner`` is mode, uid, gid, and ``kind`` one of ``KIND_CODES``."""
        self.paths.append(path)
        self.kinds.append(kind)
        self.modes.append(owner[0])
        self.uids.append(owner[1])
        self.gids.append(owner[2])
        self.sizes.append(size)

    @property
    def rows(self) -> dict[str, int]:
        """Path → row; for a repeated path the last row."""
        if self._rows is None:
            self._rows = dict(zip(self.paths, range(len(self.paths)), strict=True))
        return self._rows

    def encode(self) -> bytes:
        """The columns as bytes (uncompressed): ``decode`` reads them back."""
        from json import dumps

        head = dumps(
            [
                len(self.paths),
                "".join(self.kinds),
                {str(row): target for row, target in self.targets.items()},
                self.whiteouts,
                self.opaques,
                list(self.digests),
                {str(row): text for row, text in self.capabilities.items()},
            ]
        ).encode()
        numbers = [array("I", self.modes), array("I", self.uids), array("I", self.gids), array("Q", self.sizes)]
        names = "\0".join(self.paths).encode("utf-8", "surrogateescape")
        columns = [column.tobytes() for column in numbers]
        return b"".join([len(head).to_bytes(8, "little"), head, *columns, *self.digests.values(), names])

    @classmethod
    def decode(cls, data: bytes) -> LayerIndex:
        """The reverse of ``encode``. Raises ValueError where the bytes are something else."""
        from json import loads

        start = 8 + int.from_bytes(data[:8], "little")
        count, kinds, targets, whiteouts, opaques, hashed, capable = loads(data[8:start])
        columns = []
        for code, width in (("I", 4), ("I", 4), ("I", 4), ("Q", 8)):
            column = array(code)
            column.frombytes(data[start : start + width * count])
            columns.append(column.tolist())
            start += width * count
        digests = {row: data[start + 32 * number : start + 32 * (number + 1)] for number, row in enumerate(hashed)}
        start += 32 * len(hashed)
        names = data[start:].decode("utf-8", "surrogateescape").split("\0") if count else []
        if len(names) != count:
            raise ValueError("layer index: wrong number of names")
        links = {int(row): target for row, target in targets.items()}
        modes, uids, gids, sizes = columns
        able = {int(row): text for row, text in capable.items()}
        return cls(names, list(kinds), modes, uids, gids, sizes, links, whiteouts, opaques, digests, able)


class Tree:
    """The merge of an image's layers, lowest first: the top-most layer wins a path.

    A whiteout or opaque directory hides what is below its layer, never entries of the layer itself; an upper
    non-directory hides the children of a lower directory; an upper directory over a lower symbolic link replaces it.
    An entry written through a symbolic link of a lower layer (``lib/x`` where ``lib -> usr/lib``) lands at its target.
    """

    def __init__(self, layers: Sequence[LayerIndex]) -> None:
        self.layers = layers
        self._renames, self._implied = _directories(layers)
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
        for path, (layer, row) in self._at.items():
            index = layers[layer]
            if index.sizes[row] >= least and index.modes[row] & 0o111 and index.kinds[row] == "f":
                yield path

    def total_bytes(self) -> int:
        """The sizes of all visible regular files, in bytes."""
        layers = self.layers
        return sum(layers[layer].sizes[row] for layer, row in self._at.values())

    def where(self, path: str) -> tuple[int, int] | None:
        """Layer and row that a visible path comes from; links are not followed."""
        return self._at.get(path)

    def stat(self, path: str) -> File | None:
        """What stands at a path, without following a link in its last part; a hard link has its file's size."""
        at = self._at.get(path)
        return None if at is None else self._file(path, *at)

    def files(self) -> Iterator[File]:
        """Every visible path, sorted."""
        for path in sorted(self._at):
            yield self._file(path, *self._at[path])

    def resolve(self, path: str) -> ImagePath | None:
        """The real path behind ``path``, every symbolic link followed; None where it dangles, loops or is absent."""
        found = self._walk(path.strip("/"), MAX_HOPS)
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

    def _merge(self) -> dict[str, tuple[int, int]]:
        at: dict[str, tuple[int, int]] = {}
        removed: set[str] = set()
        opaque: set[str] = set()
        implied: set[str] = set()
        for number in range(len(self.layers) - 1, -1, -1):
            index = self.layers[number]
            rows = index.rows
            if self._renames[number]:
                rows = {self.canonical(number, path): row for path, row in rows.items()}
            if at or removed or opaque:
                covered = self._merge_below(at, rows, number, removed, removed | opaque)
                covered += [path for path in implied.intersection(rows) if path not in covered]
                for path in covered:
                    if index.kinds[rows[path]] != "d":
                        removed.add(path)
                        if at.get(path, (-1,))[0] == number:
                            del at[path]
            else:
                at = {path: (number, row) for path, row in rows.items()}
            removed.update(self.canonical(number, path) for path in index.whiteouts)
            opaque.update(self.canonical(number, path) for path in index.opaques)
            implied |= self._implied[number]
        return at

    def _merge_below(
        self, at: dict[str, tuple[int, int]], rows: dict[str, int], number: int, removed: set[str], closed: set[str]
    ) -> list[str]:
        """Add a lower layer's rows where nothing above hides them; returns those that an upper layer replaced."""
        layers = self.layers
        known: dict[str, bool] = {"": "" in closed}
        covered = []

        def blocked(directory: str) -> bool:
            answer = known.get(directory)
            if answer is None:
                answer = directory in closed
                if not answer and (place := at.get(directory)) is not None and place[0] != number:
                    answer = layers[place[0]].kinds[place[1]] != "d"
                answer = answer or blocked(directory.rpartition("/")[0])
                known[directory] = answer
            return answer

        for path, row in rows.items():
            if path in at:
                covered.append(path)
            elif path not in removed and not blocked(path.rpartition("/")[0]):
                at[path] = (number, row)
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

    def _walk(self, path: str, hops: int) -> str | None:
        parent, _, name = path.rpartition("/")
        real = self._real_dir(parent, hops)
        if real is None:
            return None
        if name == "..":
            return real.rpartition("/")[0]
        if name in ("", "."):
            return real
        whole = f"{real}/{name}" if real else name
        at = self._at.get(whole)
        if at is None or self.layers[at[0]].kinds[at[1]] != "l":
            return whole
        if hops <= 0:
            return None
        target = self.layers[at[0]].targets[at[1]]
        joined = target.lstrip("/") if target.startswith("/") else f"{real}/{target}" if real else target
        return self._walk(joined.rstrip("/"), hops - 1)

    def _real_dir(self, path: str, hops: int) -> str | None:
        if path not in self._real_dirs:
            self._real_dirs[path] = self._walk(path, hops)
        return self._real_dirs[path]

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


def _directories(layers: Sequence[LayerIndex]) -> tuple[list[dict[str, str]], list[set[str]]]:
    """What each layer's tar says of directories without naming them.

    Per layer, first: directory as named in its tar → where it really is, for those that go through a symbolic link;
    second: directories that no entry names, only the paths of their children.
    """
    links: dict[str, str] = {}
    renames: list[dict[str, str]] = []
    implied: list[set[str]] = []
    for number, index in enumerate(layers):
        rows = index.rows
        for path in [p for p in links if p in rows and index.kinds[rows[p]] != "l"]:
            del links[path]
        for gone in index.whiteouts:
            links.pop(gone, None)
        for row, target in index.targets.items():
            if index.kinds[row] == "l" and rows[index.paths[row]] == row:
                links[index.paths[row]] = target
        parents = {path.rpartition("/")[0] for path in index.paths} if links or number else set()
        marked = {*index.opaques, *(path.rpartition("/")[0] for path in index.whiteouts)}
        renamed = _renamed(parents | marked, links) if links else {}
        renames.append(renamed)
        implied.append(_unnamed({renamed.get(parent, parent) for parent in parents}, rows) if number else set())
    return renames, implied


def _unnamed(parents: set[str], rows: dict[str, int]) -> set[str]:
    unnamed = set()
    for parent in parents:
        while parent and parent not in rows and parent not in unnamed:
            unnamed.add(parent)
            parent = parent.rpartition("/")[0]
    return unnamed


def _renamed(parents: set[str], links: dict[str, str]) -> dict[str, str]:
    heads = {path.partition("/")[0] for path in links}
    real: dict[str, str] = {"": ""}
    changed = {}
    for parent in parents:
        if parent.partition("/")[0] in heads:
            landed = _follow(parent, links, real, MAX_HOPS)
            if landed != parent:
                changed[parent] = landed
    return changed


def _follow(path: str, links: dict[str, str], real: dict[str, str], hops: int) -> str:
    """A directory's real path by the links known so far; a loop stays where it is."""
    if path in real:
        return real[path]
    parent, _, name = path.rpartition("/")
    base = _follow(parent, links, real, hops)
    if name == "..":
        return base.rpartition("/")[0]
    whole = f"{base}/{name}" if base else name
    if name in ("", "."):
        whole = base
    target = links.get(whole)
    if target is not None and hops > 0:
        joined = target.strip("/") if target.startswith("/") else f"{base}/{target}".strip("/")
        whole = _follow(joined, links, real, hops - 1)
    if hops == MAX_HOPS:
        real[path] = whole
    return whole
