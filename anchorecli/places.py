"""Tables of very many paths: sets and dictionaries in ten and twenty bytes for each instead of two hundred.

Both are open-addressing hash tables (Knuth, The Art of Computer Programming 3, 6.4, algorithm L: linear probing) of the
hashes alone. Python's hashes of texts have 64 bits and are keyed anew in every process, so that nobody can choose names
that collide; of a million names two have the same once in thirty million times.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, MutableMapping, MutableSet
from typing import Any, TypeAlias

_LEAST = 1000
_FULL = 0.65


class Hashes(MutableSet[int]):
    """A set of hashes of texts. Zero stands for an empty slot, and counts as one."""

    __slots__ = ("_count", "_limit", "_slots")

    def __init__(self) -> None:
        self._slots = array("q", [0]) * _LEAST
        self._limit = int(_LEAST * _FULL)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[int]:
        return (each for each in self._slots if each)

    def __contains__(self, each: object) -> bool:
        slots = self._slots
        at = each % len(slots)  # type: ignore[operator]
        while (held := slots[at]) != each:
            if not held:
                return each == 0 and 1 in self
            at = at + 1 if at + 1 < len(slots) else 0
        return each != 0 or 1 in self

    def add(self, each: int) -> None:
        """Add one."""
        slots, each = self._slots, each or 1
        at = each % len(slots)
        while held := slots[at]:
            if held == each:
                return
            at = at + 1 if at + 1 < len(slots) else 0
        slots[at] = each
        self._count += 1
        if self._count > self._limit:
            self._grow()

    def discard(self, each: int) -> None:
        """Take one out."""
        slots, each = self._slots, each or 1
        at = each % len(slots)
        while (held := slots[at]) != each:
            if not held:
                return
            at = (at + 1) % len(slots)
        slots[at] = 0
        self._count -= 1
        # What stands behind it may have been meant for here.
        while behind := slots[at := (at + 1) % len(slots)]:
            slots[at] = 0
            self._count -= 1
            self.add(behind)

    def update(self, some: Iterable[int]) -> None:
        """Add some."""
        for each in some:
            self.add(each)

    def difference_update(self, some: Iterable[int]) -> None:
        """Take some out."""
        for each in some:
            self.discard(each)

    def _grow(self) -> None:
        old = self._slots
        self._slots = array("q", [0]) * (2 * len(old))
        self._limit = int(len(self._slots) * _FULL)
        self._count = 0
        self.update(each for each in old if each)


class Places(MutableMapping[str, int]):
    """Paths and the numbers they stand for, of which the map does not keep the paths.

    ``names`` gives every (number, path) that may be put into the map, by number, below ``count``; of them this map has
    some, each under its own path. Iterating follows that order.
    """

    __slots__ = ("_count", "_here", "_keys", "_names", "_numbers", "_used")

    def __init__(self, count: int, names: Callable[[], Iterable[tuple[int, str]]], expected: int = 0) -> None:
        self._names = names
        self._make(max(_LEAST, int(expected / _FULL) + 2))
        self._here = bytearray(count)
        """By number whether the map has it."""
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        here = self._here
        return (path for number, path in self._names() if here[number])

    def items(self) -> Any:
        """Paths and numbers, by number; once."""
        here = self._here
        return ((path, number) for number, path in self._names() if here[number])

    def values(self) -> Any:
        """The numbers, in order; once."""
        return (number for number, is_here in enumerate(self._here) if is_here)

    def get(self, path: str, default: Any = None) -> Any:
        """The number of a path."""
        keys, key = self._keys, hash(path) or 1
        at = key % len(keys)
        while (held := keys[at]) != key:
            if not held:
                return default
            at = at + 1 if at + 1 < len(keys) else 0
        number = self._numbers[at]
        return number if self._here[number] else default

    def __getitem__(self, path: str) -> int:
        number: int | None = self.get(path)
        if number is None:
            raise KeyError(path)
        return number

    def __contains__(self, path: object) -> bool:
        return self.get(path) is not None  # type: ignore[arg-type]

    def __setitem__(self, path: str, number: int) -> None:
        key = hash(path) or 1
        at = self._slot(key)
        if self._keys[at]:
            self._count -= self._here[self._numbers[at]]
            self._here[self._numbers[at]] = 0
        else:
            self._keys[at] = key
            self._used += 1
        self._numbers[at] = number
        self._here[number] = 1
        self._count += 1
        if self._used > len(self._keys) * _FULL:
            self._grow()

    def __delitem__(self, path: str) -> None:
        # Its slot stays: the numbers tell what is here.
        self._here[self[path]] = 0
        self._count -= 1

    def _make(self, size: int) -> None:
        self._keys = array("q", [0]) * size
        self._numbers = array("I", [0]) * size
        self._used = 0

    def _slot(self, key: int) -> int:
        """Where a key is, or would be."""
        keys = self._keys
        at = key % len(keys)
        while (held := keys[at]) and held != key:
            at = at + 1 if at + 1 < len(keys) else 0
        return at

    def _grow(self) -> None:
        keys, numbers = self._keys, self._numbers
        self._make(len(keys) * 3 // 2 + 1)
        for key, number in zip(keys, numbers, strict=True):
            if key:
                at = self._slot(key)
                self._keys[at], self._numbers[at] = key, number
                self._used += 1


HashSet: TypeAlias = set[int] | Hashes


def hashes(*, compact: bool) -> HashSet:
    """An empty set for the hashes of texts, of very many or of not so many."""
    return Hashes() if compact else set()


def hashed(texts: Iterable[str], *, compact: bool) -> HashSet:
    """The hashes of some texts."""
    found = hashes(compact=compact)
    found.update(map(hash, texts))
    return found
