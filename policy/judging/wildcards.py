"""One wildcard that is compared with many texts: what it is made of is worked out once."""

from __future__ import annotations

from collections.abc import Callable

from anchorecli.policy.patterns import REGEX_PREFIX, Pattern, wildcard_matches


class Wildcard:
    """A bundle's wildcard, as ``patterns.wildcard_matches`` reads it."""

    __slots__ = ("is_exact", "matches", "text")

    matches: Callable[[str], bool]
    """Whether a text matches. Raises: LimitError for a regular expression that exceeds its budget."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.is_exact = "*" not in text and not text.startswith(REGEX_PREFIX)
        """Whether it means one text only."""
        self.matches = _matcher(text)


def _matcher(text: str) -> Callable[[str], bool]:
    if text.startswith(REGEX_PREFIX):
        return Pattern(text[len(REGEX_PREFIX) :]).matches
    stars = text.count("*")
    if not stars:
        return text.__eq__
    if stars == 1 and text.endswith("*"):
        start = text[:-1]
        return lambda subject: subject.startswith(start)
    if stars == 1 and text.startswith("*"):
        end = text[1:]
        return lambda subject: subject.endswith(end)
    return lambda subject: wildcard_matches(text, subject)
