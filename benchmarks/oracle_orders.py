"""Orders of versions by documented rules, for schemes whose own tool is nowhere to be asked; nothing of the program.

Each gives -1, 0 or 1, and None for what is no version of the scheme.
"""

from __future__ import annotations

import re
from typing import Any


def julia_order(a: str, b: str) -> int | None:
    """Julia's order, by what its ``VersionNumber`` says: semver's, but a build (``+1``) is later than none.

    Builds are compared as pre-releases are, ``01`` is 1, and a plus with nothing behind it is later than all builds.
    """
    left, right = _julia(a), _julia(b)
    if left is None or right is None:
        return None
    return (left > right) - (left < right)


def _julia(text: str) -> tuple[Any, ...] | None:
    words = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
    before = rf"(?:-({words})|(?=[A-Za-z])({words}))?"  # the hyphen may be left out before a letter
    matched = re.fullmatch(rf"[vV]?(\d+(?:\.\d+){{0,2}}){before}(?:(\+)({words})?)?", text)
    if matched is None:
        return None
    numbers = [int(each) for each in matched[1].split(".")]
    pre, build = (
        [(False, int(each), "") if each.isdigit() else (True, 0, each) for each in part.split(".") if each]
        for part in (matched[2] or matched[3] or "", matched[5] or "")
    )
    kind = 0 if not matched[4] else 1 if build else 2
    return numbers + [0] * (3 - len(numbers)), not pre, pre, kind, build


def plain_order(a: str, b: str) -> int | None:
    """The order of versions that are numbers and dots; of others nobody knows the rule."""
    if not all(re.fullmatch(r"\d+(\.\d+)*", each) for each in (a, b)):
        return None
    left, right = ([int(part) for part in each.split(".")] for each in (a, b))
    width = max(len(left), len(right))
    left, right = left + [0] * (width - len(left)), right + [0] * (width - len(right))
    return (left > right) - (left < right)


def nuget_order(a: str, b: str) -> int | None:
    """NuGet's order: up to four numbers, then semver's pre-releases without regard to case; + counts for nothing."""
    left, right = _nuget(a), _nuget(b)
    if left is None or right is None:
        return None
    return (left > right) - (left < right)


def _nuget(text: str) -> tuple[list[int], bool, list[tuple[bool, int, str]]] | None:
    matched = re.fullmatch(r"(\d+(?:\.\d+){0,3})(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]*)?", text)
    if matched is None:
        return None
    numbers = [int(each) for each in matched[1].split(".")]
    labels = matched[2].lower().split(".") if matched[2] else []
    parts = [
        (not each.isdigit(), int(each) if each.isdigit() else 0, "" if each.isdigit() else each) for each in labels
    ]
    return numbers + [0] * (4 - len(numbers)), not labels, parts


def apk_order(a: str, b: str) -> int | None:
    """The order of Alpine versions, token by token as apk-tools walks along both; for machines without apk."""
    left, right = _apk_tokens(a), _apk_tokens(b)
    if left is None or right is None:
        return None
    return (left > right) - (left < right)


def _apk_tokens(text: str) -> list[tuple[int, Any]] | None:
    suffixes = ("alpha", "beta", "pre", "rc", "", "cvs", "svn", "git", "hg", "p")
    matched = re.fullmatch(r"([\d.]*\d)([a-z]?)((?:_[a-z]+\d*)*)(?:~[0-9a-f]+)?(?:-r(\d+))?", text)
    if matched is None or ".." in text or text.startswith("."):
        return None
    numbers, letter, rest, revision = matched.groups()
    tokens: list[tuple[int, Any]] = []
    for place, number in enumerate(numbers.split(".")):
        fraction = place and number.startswith("0")
        tokens.append((7, number) if fraction else (8, int(number)))
    tokens += [(6, letter)] if letter else []
    for name, number in re.findall(r"_([a-z]+)(\d*)", rest):
        if name not in suffixes:
            return None
        rank = suffixes.index(name) - 4
        tokens.append((5 if rank > 0 else 0, rank))
        tokens += [(4, int(number))] if number else []
    tokens += [(2, int(revision))] if revision else []
    return [*tokens, (1, 0)]
