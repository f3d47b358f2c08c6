"""Gentoo package versions, in the order of the Package Manager Specification.

Format: https://projects.gentoo.org/pms/8/pms.html#version-specifications, ``digits{.digits}[letter]{_suffix[digits]}
[-rN]``, e.g. ``1.2.3b_pre4_p1-r2``. A component after the first with a leading zero compares as a fraction (``1.01 <
1.1``); missing numbers behind suffixes and a missing revision are 0.
"""

from __future__ import annotations

import re

from anchorecli.errors import VersionError

Key = tuple[int, tuple[tuple[int, int | str], ...], str, tuple[tuple[int, int], ...], int]

_VALID = re.compile(
    r"([0-9]+)((?:\.[0-9]+)*)([a-z]?)((?:_(?:alpha|beta|pre|rc|p)[0-9]*)*)(?:-r([0-9]+))?",
    re.ASCII,
)
_SUFFIXES = re.compile(r"_([a-z]+)([0-9]*)", re.ASCII)
_RANK = {"alpha": 0, "beta": 1, "pre": 2, "rc": 3, "p": 5}
_END = (4, 0)
_FRACTION, _NUMBER = range(2)


def key(text: str) -> Key:
    """The sort key.

    Raises: VersionError for what is not of the form above.
    """
    text = text.strip()
    found = _VALID.fullmatch(text)
    if found is None:
        raise VersionError(f"not a Gentoo version: {text!r}")
    first, rest, letter, suffixes, revision = found.groups()
    components: list[tuple[int, int | str]] = [
        (_FRACTION, each.rstrip("0")) if each[0] == "0" else (_NUMBER, int(each))
        for each in rest[1:].split(".")
        if each
    ]
    ranks = [(_RANK[name], int(number or 0)) for name, number in _SUFFIXES.findall(suffixes)]
    return int(first), tuple(components), letter, (*ranks, _END), int(revision or 0)
