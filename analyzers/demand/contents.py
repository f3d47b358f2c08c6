"""Lines that match the patterns somebody asked for: ``NAME=REGEX``, matched from the start of each line.

The expressions are a user's and the files a stranger's, so both kinds of cost are bounded: by the engine of
``anchorecli.patterns``, and by the size of a file. A file that has not the text every match must have is not split
into lines at all.

Asked for by: the setting ``content-search``, a rule ``files.content_regex_match``.

Emits: lines that match: file, line number, pattern.

Not handled: files above the limit (``looked_for`` counts them), text in UTF-16, archives inside of files.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple, Self

from anchorecli.analyzers.base import Found, LayerFile, View, Wants, partial
from anchorecli.analyzers.demand.limits import skipped
from anchorecli.analyzers.limits import Limit, Limits
from anchorecli.errors import LimitError
from anchorecli.model import ContentMatch, Json
from anchorecli.patterns import Pattern
from anchorecli.patterns.automaton import Tree, parse, required_text
from anchorecli.values import dataclass

MAX_BYTES = 1024 * 1024
LIMITS = Limits("contents", (Limit("lines", 1000, "lines of one file that match one pattern"),))


class Search(NamedTuple):
    """One pattern, ready to be used; ``needed`` is what every match has in it, in lower case where ``folds``."""

    pattern: str
    regex: Pattern
    needed: bytes
    folds: bool

    def numbers(self, data: bytes) -> list[int]:
        """The lines that match, counted from 1. Raises: LimitError where that takes too many steps."""
        lines = self._candidates(data)
        matching = set(self.regex.select(list(dict.fromkeys(lines.values())))) if lines else ()
        return [number for number, line in lines.items() if line in matching]

    def _candidates(self, data: bytes) -> dict[int, str]:
        """The lines that may match, by their number."""
        if not self.needed:
            return dict(enumerate(map(_text, data.split(b"\n")), 1))
        found: dict[int, str] = {}
        searched = data.lower() if self.folds else data
        number, counted = 1, 0
        at = searched.find(self.needed)
        while at >= 0:
            start = data.rfind(b"\n", 0, at) + 1
            number, counted = number + data.count(b"\n", counted, start), start
            end = data.find(b"\n", at)
            end = len(data) if end < 0 else end
            found[number] = _text(data[start:end])
            at = searched.find(self.needed, end)
        return found


@cache
def prepared(pattern: str) -> Search:
    """A pattern ``NAME=REGEX``. Raises: re.error for what is none; settings and bundles are checked before."""
    regex = pattern.partition("=")[2]
    tree = parse(regex)
    needed = required_text(tree)
    folds = not needed and bool(tree.flags & re.IGNORECASE)
    if folds:
        # As between bytes, not by Unicode's rules, by which a Kelvin sign is a k.
        needed = required_text(Tree(tree.items, tree.flags & ~re.IGNORECASE)).lower()
        needed = needed if needed.isascii() else ""
    return Search(pattern, Pattern(regex), needed.encode("utf-8", "surrogateescape"), folds)


def _text(line: bytes) -> str:
    return line.removesuffix(b"\r").decode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class ContentAnalyzer:
    """Matches of patterns. A fact gives line numbers by pattern."""

    name: str = "contents"
    version: int = 1
    options: str = ""
    wants: Wants = Wants(everything=True)
    max_bytes: int = MAX_BYTES
    searches: tuple[Search, ...] = ()
    limits: Limits = LIMITS

    @classmethod
    def of(cls, options: str, _scanner: object = None) -> Self:
        """The analyzer for options: the size up to which a file is searched, and a pattern a line."""
        size, *patterns = options.split("\n")
        max_bytes = int(size or MAX_BYTES)
        wants = Wants(everything=True, match=lambda path, size, mode: 0 < size <= max_bytes)
        return cls(options=options, wants=wants, max_bytes=max_bytes, searches=tuple(map(prepared, patterns)))

    def read(self, file: LayerFile) -> Json | None:
        """The lines of one file that match, counted from 1."""
        data = file.data()
        found: dict[str, Json] = {}
        hit: list[str] = []
        for search in self.searches:
            try:
                numbers = search.numbers(data)
            except LimitError as error:
                hit.append(str(error))
                continue
            if len(numbers) > self.limits["lines"]:
                hit.append(f"{search.pattern[:80]}: {self.limits.told('lines')}")
            if numbers:
                found[search.pattern] = numbers[: self.limits["lines"]]
        return partial(found, "", "; ".join(hit)) if hit else found or None

    def assemble(self, view: View) -> Found:
        """The matches in visible files."""
        matches = [
            ContentMatch(fact.path, pattern, tuple(numbers), view.diff_id(fact.layer))
            for fact in view.facts()
            for pattern, numbers in fact.value.items()
        ]
        patterns = "\n".join(search.pattern for search in self.searches)
        looked_for = {"contents": patterns} | skipped("contents", view, self.max_bytes)
        return Found(contents=tuple(matches), looked_for=looked_for)
