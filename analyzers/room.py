"""How much of what is found in an image may be held: very many packages, or very long texts, are left out and told.

What a fact and what is made of it take of memory is estimated by its JSON: a package is its fact, or a row in it, and
some eight hundred bytes are the package itself. Estimates were held against what scans of a hundred thousand packages
of each kind took; they are rather too high than too low.
"""

from __future__ import annotations

from collections.abc import Iterable

from anchorecli.model import Problem

BYTES = 176 * 1024 * 1024
"""Enough for some hundred thousand packages: all of Debian are sixty thousand."""
SETTING = "limits.fact-bytes"

_ITEM, _MAPPING, _TEXT, _WORD, _LISTED = 850, 200, 60, 20, 50
_WORDS = 8


def weight(written: bytes) -> int:
    """Bytes that a fact takes, and what is made of it, by its JSON without blanks between values."""
    rows = written.count(b"],[") + written.count(b"},{") + written.count(b'},"')
    texts = written.count(b'"') // 2 * _TEXT
    # Of very many words are lists of dependencies: each becomes a text of its own.
    blanks = written.count(b" ")
    words = blanks * _WORD + max(0, blanks - _WORDS * (1 + rows)) * _LISTED
    wide = 4 if b"\\ud" in written else 1
    return (1 + rows) * _ITEM + written.count(b"{") * _MAPPING + texts + words + 2 * wide * len(written)


class Room:
    """What is left of the bytes that the facts of an image may take."""

    __slots__ = ("bound", "left")

    def __init__(self, bound: int = BYTES) -> None:
        self.bound = bound
        self.left = bound

    def take(self, size: int) -> bool:
        """Whether so much is left; then it is taken."""
        if size > self.left:
            return False
        self.left -= size
        return True

    def problems(self, analyzer: str, left_out: Iterable[str]) -> list[Problem]:
        """What is told of files for whose facts, or a part of them, there was no room: nothing where there are none."""
        paths = list(left_out)
        if not paths:
            return []
        message = f"{told(self.bound)}: {len(paths)} files are left out in whole or in part, {paths[0]} the first"
        return [Problem("analyze", analyzer, message, f"what {analyzer} found there is missing", cause="limit_hit")]


def told(bound: int) -> str:
    """What is said of the limit that was hit."""
    return f"more was found than {bound} bytes hold (limit {SETTING})"
