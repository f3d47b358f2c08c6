"""What matching is given and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from anchorecli.model import Advisory, Candidate, Match, Problem
from anchorecli.values import dataclass

VERSION = 5
"""Raised when equal feeds may give other matches or problems: what scans found before is then looked for again."""

Lookup = Callable[[Sequence[tuple[str, str]]], Iterable[Candidate]]
"""Every statement about the (ecosystem, name) pairs."""

Details = Callable[[Sequence[int]], Mapping[int, Advisory]]
"""The advisories of candidates' rows."""


@dataclass(frozen=True, slots=True)
class MatchResult:
    """Matches in a fixed order, and what could not be matched."""

    matches: tuple[Match, ...]
    problems: tuple[Problem, ...]
