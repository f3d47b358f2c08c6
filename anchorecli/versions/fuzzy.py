"""Versions of which nobody knows the scheme: numbers as numbers, words as words.

Words that everybody uses for what comes before a release (``alpha``, ``beta``, ``pre``, ``rc``, ``dev`` …) sort before
it, all others after it (``1.0.2k``, ``4.2.8p15``, ``8u302``). Trailing zeros of the leading numbers do not count; a
``v`` in front and the kind of separators do not either.

Numbers alone have the same order in every scheme there is. What words are in it is a guess (``is_certain``).
"""

from __future__ import annotations

import re

from anchorecli.errors import VersionError

# What fails at the first of many separators fails at all of them: they are not tried one by one.
_HEAD = re.compile(r"(?<![^0-9A-Za-z])[^0-9A-Za-z]*+(?:(?:v|version|release|rel)[^0-9A-Za-z]*+)?(?=[0-9])", re.ASCII)
_SEGMENTS = re.compile(r"[0-9]+|[a-z]+", re.ASCII)
_BEFORE = {
    name: rank
    for rank, names in enumerate(
        (("dev", "snapshot", "nightly", "git"), ("alpha",), ("beta",), ("pre", "preview", "m"), ("rc", "cr"))
    )
    for name in names
}
_PRE, _END, _WORD, _NUMBER = range(4)
_PLAIN = re.compile(r"v?[0-9]+(?:\.[0-9]+)*", re.ASCII)


def is_certain(text: str) -> bool:
    """Whether a version has the place this order gives it in whatever scheme it is of."""
    return _PLAIN.fullmatch(text.strip()) is not None


def key(text: str) -> tuple[tuple[int, int | str], ...]:
    """The sort key.

    Raises: VersionError for a text without a digit.
    """
    segments = _SEGMENTS.findall(_HEAD.sub("", text.strip().lower().partition("+")[0], count=1))
    first = next((place for place, each in enumerate(segments) if not each.isdigit()), len(segments))
    numbers = [int(each) for each in segments[:first]]
    if not any(each.isdigit() for each in segments):
        raise VersionError(f"no number in the version {text!r}")
    while len(numbers) > 1 and not numbers[-1]:
        numbers.pop()
    parts: list[tuple[int, int | str]] = [(_NUMBER, each) for each in numbers]
    for each in segments[first:]:
        if each.isdigit():
            parts.append((_NUMBER, int(each)))
        else:
            parts.append((_PRE, _BEFORE[each]) if each in _BEFORE else (_WORD, each))
    return (*parts, (_END, 0))
