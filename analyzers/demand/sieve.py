"""Which files can hold a credential at all, told by Hyperscan where it is installed (``anchore-scan[fast]``).

It looks for the beginnings of all rules at once, ten times as fast as the expressions of ``secrets.py`` one after the
other, and lets other threads run meanwhile. One file in a hundred has one of them and is then searched as ever: what is
found is the same with and without it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.util import find_spec
from itertools import accumulate
from threading import Lock
from typing import Any

from anchorecli.analyzers.base import LayerFile, Sieve
from anchorecli.analyzers.demand.secret_rules import FILES, NEEDLES

__all__ = ["PATIENCE", "LayerSieve", "installed", "sieve"]

PATIENCE = 8 * 1024 * 1024
"""Bytes of a layer that are searched without it: to make the engine takes as long."""

_MAKING = Lock()


def sieve() -> Sieve | None:
    """A sieve for the files of one layer; None where every file is to be searched."""
    return LayerSieve() if installed() else None


@cache
def installed() -> bool:
    """Whether Hyperscan is there."""
    return find_spec("hyperscan") is not None


class LayerSieve:
    """Asked by one thread at a time."""

    def __init__(self, patience: int = PATIENCE) -> None:
        self._patience = patience
        self._scratch: Any = None

    def __call__(self, files: Sequence[LayerFile]) -> Iterable[int]:
        """The places of those files in which a rule may find something."""
        contents = [file.data() for file in files]
        if self._patience > 0:
            self._patience -= sum(map(len, contents))
            return range(len(files))
        with _MAKING:
            database = _database()
        if database is None:
            return range(len(files))
        places = self._hits(database, contents)
        places.update(place for place, file in enumerate(files) if file.path[file.path.rfind("/") + 1 :] in FILES)
        return sorted(places)

    def _hits(self, database: Any, contents: Sequence[bytes]) -> set[int]:
        import hyperscan

        if self._scratch is None:
            # Room for one search at a time: another thread's would overwrite this one's.
            self._scratch = hyperscan.Scratch(database)
        ends: list[int] = []
        try:
            # What begins in one file and ends in the next is a hit too many, and no harm.
            database.scan(b"".join(contents), match_event_handler=_note, context=ends, scratch=self._scratch)
        except hyperscan.error:
            return set(range(len(contents)))
        borders = list(accumulate(map(len, contents)))
        return {bisect_left(borders, end) for end in ends}


def _note(_number: int, _start: int, end: int, _flags: int, ends: list[int]) -> None:
    """Called for each expression found, with where it ends. A module's own function: nobody takes it away meanwhile."""
    ends.append(end)


@cache
def _database() -> Any:
    """The needles, compiled; None where this processor lacks what the engine needs."""
    import hyperscan

    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    count = len(NEEDLES)
    try:
        database.compile(expressions=NEEDLES, ids=list(range(count)), elements=count, flags=[0] * count)
    except hyperscan.error:
        return None
    return database
