"""Wildcards from bundles. Regular expressions are matched in bounded time, see ``anchorecli.patterns``."""

from __future__ import annotations

from anchorecli.patterns import Pattern, regex_fault

__all__ = ["REGEX_PREFIX", "Pattern", "regex_fault", "wildcard_fault", "wildcard_matches"]

REGEX_PREFIX = "regexp:"


def wildcard_fault(text: str) -> str:
    """Why a text cannot be used as a wildcard, empty if it can: only the ``regexp:`` form can be wrong."""
    return regex_fault(text[len(REGEX_PREFIX) :]) if text.startswith(REGEX_PREFIX) else ""


def wildcard_matches(pattern: str, subject: str) -> bool:
    """Whether a text matches a bundle's wildcard: ``*`` is any run of characters, anchored at both ends; after
    ``regexp:`` the rest is a regular expression matched from the start.

    Raises: LimitError for a regular expression that exceeds its budget.
    """
    if pattern.startswith(REGEX_PREFIX):
        return Pattern(pattern[len(REGEX_PREFIX) :]).matches(subject)
    if "*" not in pattern:
        return pattern == subject
    first, *middle, last = pattern.split("*")
    if len(first) + len(last) > len(subject) or not (subject.startswith(first) and subject.endswith(last)):
        return False
    # Leftmost placement of each piece is enough for a yes, hence no backtracking.
    position, end = len(first), len(subject) - len(last)
    for piece in middle:
        found = subject.find(piece, position, end)
        if found < 0:
            return False
        position = found + len(piece)
    return True
