"""Which layer brought each package of a database that is rewritten whole by every layer that installs something."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

from anchorecli.model import Json

Key = TypeVar("Key", bound=Hashable)


def first_layers(history: list[tuple[int, Json | None]], keys: Callable[[Json], Iterable[Key]]) -> dict[Key, int]:
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
