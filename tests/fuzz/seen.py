"""What a parser made of some bytes."""

from __future__ import annotations

from typing import NamedTuple


class Seen(NamedTuple):
    """``found``, in words, and whether it tells that something is missing."""

    found: frozenset[str]
    told: bool


NOTHING = Seen(frozenset(), True)
"""It was refused, and says so."""
