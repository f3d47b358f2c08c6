"""Files that let somebody do more than others: set-id and capable programs, and what everybody may write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from anchorecli.model import Kind
from anchorecli.tree import KIND_CODES, Tree

_SET_ID, _STICKY, _OTHERS_WRITE = 0o6000, 0o1000, 0o002
_FILES = frozenset({Kind.FILE, Kind.HARDLINK})


class Privileged(NamedTuple):
    """A visible path: permission bits, owners, capabilities as getcap prints them, and the index of its layer."""

    path: str
    kind: Kind
    mode: int
    uid: int
    gid: int
    capabilities: str
    layer: int

    @property
    def why(self) -> tuple[str, ...]:
        """What makes it special: ``setuid``, ``setgid``, ``capabilities``, ``world-writable``."""
        writable = self.mode & _OTHERS_WRITE and (
            self.kind in _FILES or (self.kind is Kind.DIR and not self.mode & _STICKY)
        )
        said = {
            "setuid": self.mode & 0o4000,
            "setgid": self.mode & 0o2000,
            "capabilities": self.capabilities,
            "world-writable": writable,
        }
        return tuple(word for word, holds in said.items() if holds)


def privileged(tree: Tree) -> list[Privileged]:
    """All of them, sorted by path."""
    return sorted(each for each in _candidates(tree) if each.why)


def _candidates(tree: Tree) -> Iterator[Privileged]:
    able = any(index.capabilities for index in tree.layers)
    for number, index in enumerate(tree.layers):
        for row, mode in enumerate(index.modes):
            linked = able and index.kinds[row] == "h"
            if mode & (_SET_ID | _OTHERS_WRITE) or linked or row in index.capabilities:
                path = tree.canonical(number, index.paths[row])
                if tree.where(path) == (number, row):
                    said = tree.capabilities(number, row)
                    kind = KIND_CODES[index.kinds[row]]
                    yield Privileged(path, kind, mode, index.uids[row], index.gids[row], said, number)
