"""Where names lead: symbolic links inside an image, and what each layer's names mean through those of lower layers.

Links resolve inside the image, 40 hops at most (as Linux does), never above ``/``.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple, Protocol

from anchorecli.layerindex import LayerIndex
from anchorecli.places import Hashes, HashSet, Places, hashed, hashes
from anchorecli.texts import Texts

MANY_LINKS = 100_000
"""Of so many links no dictionary is made: each would take some three hundred bytes."""
MAX_HOPS = 40
MAX_TARGET = 4096
"""Bytes of a symbolic link's target; Linux makes none that is longer."""
MAX_RENAMES = 300_000
"""Directories that a layer writes through symbolic links: of more the rest is taken for what it is called."""
MAX_IMPLIED = 1_000_000
"""Directories of a layer with all that are above them: a path may have 256 that no other has."""


class Links(Protocol):
    """The symbolic links that an image has once a layer is unpacked."""

    def get(self, path: str) -> str | None:
        """The target of the link of that name, None where there is none."""

    def heads(self) -> Container[int]:
        """The hashes of the first parts of their names."""

    def __len__(self) -> int: ...


class Renames(Protocol):
    """Directories as named in a layer's tar, and where they really are: those that go through a symbolic link."""

    def get(self, path: str, default: str, /) -> str:
        """Where a directory really is."""

    def names(self, real: str) -> Iterable[str]:
        """The names that the tar has for a directory."""

    def __len__(self) -> int: ...


class Directories(NamedTuple):
    """What a layer's tar says of directories without naming them.

    ``implied`` are those that no entry names, only the paths of their children, as hashes; ``cut`` says what there were
    too many of, so that some are not known.
    """

    renames: Renames
    implied: HashSet
    cut: str = ""


def directories(layers: Sequence[LayerIndex]) -> list[Directories]:
    """What each layer's tar says of directories; nothing is below the lowest to be hidden by those it implies."""
    found = []
    for number, (index, links) in enumerate(zip(layers, _links(layers), strict=True)):
        renames = _renamed(index, links) if links else _FewRenames()
        implied = _unnamed(index, renames) if number else set()
        cut = ""
        if len(renames) >= MAX_RENAMES:
            cut = f"more than {MAX_RENAMES} directories written through symbolic links"
        elif len(implied) >= MAX_IMPLIED:
            cut = f"more than {MAX_IMPLIED} directories without entries"
        found.append(Directories(renames, implied, cut))
    return found


def parents(index: LayerIndex) -> Iterator[str]:
    """The directories that the paths of a layer are in, most of them once."""
    last = None
    for path in index.paths:
        parent = path.rpartition("/")[0]
        if parent != last:
            last = parent
            yield parent


def _links(layers: Sequence[LayerIndex]) -> Iterator[Links]:
    if sum(len(index.targets) for index in layers) >= MANY_LINKS:
        removed = [hashed(index.whiteouts, compact=True) for index in layers]
        yield from (_Searched(layers[:end], removed[:end]) for end in range(1, len(layers) + 1))
        return
    links = _Gathered()
    for index in layers:
        own = {index.paths[row]: target for row, target in index.targets.pairs() if index.kinds[row] == "l"}
        for path in _replaced(links, own, index):
            links.pop(path, None)
            own.pop(path, None)
        for gone in index.whiteouts:
            links.pop(gone, None)
        links.update(own)
        yield _Gathered(links)


class _Gathered(dict[str, str]):
    """Links in a dictionary, for as long as they are few."""

    def heads(self) -> Container[int]:
        return {hash(path.partition("/")[0]) for path in self}


class _Searched:
    """Links looked for in the layers themselves, the highest first."""

    def __init__(self, layers: Sequence[LayerIndex], removed: Sequence[HashSet]) -> None:
        self._layers = list(zip(layers, removed, strict=True))[::-1]

    def __len__(self) -> int:
        return sum(len(index.targets) for index, _ in self._layers)

    def get(self, path: str) -> str | None:
        for index, gone in self._layers:
            if (row := index.rows.get(path)) is not None:
                return index.targets[row] if index.kinds[row] == "l" else None
            if hash(path) in gone:
                return None
        return None

    def heads(self) -> Container[int]:
        found = Hashes()
        for index, _ in self._layers:
            found.update(hash(index.paths[row].partition("/")[0]) for row in index.targets if index.kinds[row] == "l")
        return found


def _replaced(links: Mapping[str, str], own: Mapping[str, str], index: LayerIndex) -> set[str]:
    """Those of the links of lower layers, and of the layer's own, whose name is something else in the end."""
    found: set[str] = set()
    if links or own:
        for path, kind in zip(index.paths, index.kinds, strict=True):
            if kind == "l":
                found.discard(path)
            elif path in own or path in links:
                found.add(path)
    return found


def _unnamed(index: LayerIndex, renamed: Renames) -> HashSet:
    above = hashes(compact=index.is_compact)
    for parent in parents(index):
        directory = renamed.get(parent, parent)
        while directory and (each := hash(directory)) not in above:
            above.add(each)
            directory = directory.rpartition("/")[0]
        if len(above) >= MAX_IMPLIED:
            return above
    above.difference_update(map(hash, index.paths))
    return above


def _renamed(index: LayerIndex, links: Links) -> Renames:
    heads = links.heads()
    changed = _ManyRenames(index) if index.is_compact else _FewRenames()
    seen = hashes(compact=index.is_compact)
    for parent in chain(parents(index), index.opaques, (path.rpartition("/")[0] for path in index.whiteouts)):
        if hash(parent.partition("/")[0]) in heads and (each := hash(parent)) not in seen:
            seen.add(each)
            landed = followed("", parent, links.get, stay=True)
            if landed is not None and landed != parent:
                changed.put(parent, landed)
                if len(changed) >= MAX_RENAMES:
                    break
    return changed


class _FewRenames(dict[str, str]):
    _names: dict[str, list[str]] | None = None

    def put(self, name: str, real: str) -> None:
        self[name] = real

    def names(self, real: str) -> Iterable[str]:
        if self._names is None:
            self._names = {}
            for name, each in self.items():
                self._names.setdefault(each, []).append(name)
        return self._names.get(real, ())


class _ManyRenames:
    def __init__(self, index: LayerIndex) -> None:
        most = len(index.paths) + len(index.opaques) + len(index.whiteouts)
        names, reals = self._texts = Texts(), Texts()
        self._numbers = Places(most, lambda: enumerate(names))
        self._last = Places(most, lambda: enumerate(reals))
        self._before = array("i")
        """By number the one before that has the same real name, -1 where there is none."""

    def __len__(self) -> int:
        return len(self._before)

    def put(self, name: str, real: str) -> None:
        number = len(self._before)
        self._numbers[name] = number
        self._before.append(self._last.get(real, -1))
        self._last[real] = number
        for texts, text in zip(self._texts, (name, real), strict=True):
            texts.append(text)

    def get(self, path: str, default: str) -> str:
        number = self._numbers.get(path)
        return default if number is None else self._texts[1][number]

    def names(self, real: str) -> Iterable[str]:
        number: int = self._last.get(real, -1)
        found = []
        while number >= 0:
            found.append(self._texts[0][number])
            number = self._before[number]
        return reversed(found)


def followed(base: str, path: str, link: Callable[[str], str | None], *, stay: bool = False) -> str | None:
    """The real path of one below a real directory; where its links go on for ever None, or with ``stay`` what it is.

    ``link`` gives the target of a symbolic link, None for what is none.
    """
    hops, left = MAX_HOPS, path.split("/")[::-1]
    while left:
        name = left.pop()
        if name in ("", "."):
            continue
        if name == "..":
            base = base.rpartition("/")[0]
            continue
        whole = f"{base}/{name}" if base else name
        target = link(whole)
        if target is None or (stay and not hops):
            base = whole
            continue
        if not hops or len(target) > MAX_TARGET:
            return None
        hops -= 1
        base = "" if target.startswith("/") else base
        left += target.split("/")[::-1]
    return base
