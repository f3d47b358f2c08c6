"""Where names lead: symbolic links inside an image, and what each layer's names mean through those of lower layers.

Links resolve inside the image, 40 hops at most (as Linux does), never above ``/``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from anchorecli.layerindex import LayerIndex

MAX_HOPS = 40
MAX_TARGET = 4096
"""Bytes of a symbolic link's target; Linux makes none that is longer."""


def directories(layers: Sequence[LayerIndex]) -> tuple[list[dict[str, str]], list[set[int]]]:
    """What each layer's tar says of directories without naming them.

    Per layer, first: directory as named in its tar → where it really is, for those that go through a symbolic link;
    second: directories that no entry names, only the paths of their children; as hashes, since all that are above a
    long path are a hundred times as long as it.
    """
    links: dict[str, str] = {}
    renames: list[dict[str, str]] = []
    implied: list[set[int]] = []
    for number, index in enumerate(layers):
        own = {index.paths[row]: target for row, target in index.targets.items() if index.kinds[row] == "l"}
        for path in _replaced(links, own, index):
            links.pop(path, None)
            own.pop(path, None)
        for gone in index.whiteouts:
            links.pop(gone, None)
        # Not a copy where there may be half a million of them.
        links = {**links, **own} if links else own
        parents = {path.rpartition("/")[0] for path in index.paths} if links or number else set()
        marked = {*index.opaques, *(path.rpartition("/")[0] for path in index.whiteouts)}
        renamed = _renamed(parents | marked, links) if links else {}
        renames.append(renamed)
        implied.append(_unnamed({renamed.get(parent, parent) for parent in parents}, index) if number else set())
    return renames, implied


def _replaced(links: dict[str, str], own: dict[str, str], index: LayerIndex) -> set[str]:
    """Those of the links of lower layers, and of the layer's own, whose name is something else in the end."""
    found: set[str] = set()
    if links or own:
        for path, kind in zip(index.paths, index.kinds, strict=True):
            if kind == "l":
                found.discard(path)
            elif path in own or path in links:
                found.add(path)
    return found


def _unnamed(parents: set[str], index: LayerIndex) -> set[int]:
    above = set(map(hash, parents))
    for parent in parents:
        while parent := parent.rpartition("/")[0]:
            if hash(parent) in above:
                break
            above.add(hash(parent))
    unnamed = above.difference(map(hash, index.paths))
    unnamed.discard(hash(""))
    return unnamed


def _renamed(parents: set[str], links: dict[str, str]) -> dict[str, str]:
    heads = {path.partition("/")[0] for path in links}
    changed = {}
    for parent in parents:
        if parent.partition("/")[0] in heads:
            landed = followed("", parent, links.get, stay=True)
            if landed is not None and landed != parent:
                changed[parent] = landed
    return changed


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
