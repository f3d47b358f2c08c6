"""Which layer brought each package of a database that is rewritten whole by every layer that installs something."""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

from anchorecli.model import Json

Key = TypeVar("Key", bound=Hashable)


MOST_NAMES = 1000
"""Dependencies of one package, or names it provides; of more than so many the first count."""


def names(text: str, separator: str | None = None) -> tuple[str, ...]:
    """The names in a list as databases have it; one that many packages have is one text for all."""
    return tuple(map(sys.intern, text.split(separator, MOST_NAMES)[:MOST_NAMES])) if text else ()


def written(rows: Json) -> Iterable[str]:
    """Rows as what identifies each: all that it says."""
    return map(repr, rows)


def first_layers(history: Sequence[tuple[int, Json | None]], keys: Callable[[Json], Iterable[Key]]) -> dict[Key, int]:
    """For packages in the top-most state of a database, the lowest layer since which each was there throughout.

    Those that are not in it came with the top-most state: of a database that one layer wrote nothing is said.

    ``history`` is ``View.history`` of the database's path and ``keys`` what identifies the packages of one state. It is
    ``base.introduced`` for all packages at once.
    """
    lowest: dict[Key, int] = {}
    present: set[Key] | None = None
    for layer, value in reversed(history if len(history) > 1 else ()):
        if value is None:
            break
        found = set(keys(value))
        present = found if present is None else present & found
        if not present:
            break
        lowest.update(dict.fromkeys(present, layer))
    return lowest
