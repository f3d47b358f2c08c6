"""Arch Linux package versions, in the order of pacman's ``vercmp``.

Format: vercmp(8), ``[epoch:]version[-release]``, the release after the last hyphen, e.g. ``1:5.15.94.arch1-1``. A
missing epoch is 0. A missing release sorts before every release; in ranges it is left open (``fit``), as vercmp has it.
Unlike rpm's there is no ``~`` and no ``^``, and it counts how many separators stand between two segments. Refused: a
version that ends with a separator, for which vercmp has no order.
"""

from __future__ import annotations

import re
from functools import lru_cache

from anchorecli.errors import VersionError

Part = tuple[tuple[int, int, int | str], ...]

_VALID = re.compile(r"(?:([0-9]*):)?([^\s:-]+(?:-[^\s:-]+)*)", re.ASCII)
_SEGMENTS = re.compile(r"([^0-9A-Za-z]*)([0-9]+|[A-Za-z]+)", re.ASCII)

# What stands against what, lowest first: letters right behind a number, the end, a number right behind letters, then
# what has separators before it, letters before numbers.
_LETTERS, _END, _NUMBER = 0, 1, 2


def key(text: str) -> tuple[int, Part, Part]:
    """The sort key: epoch, version, release.

    Raises: VersionError for blanks, a colon or hyphen out of place, and a separator at the end.
    """
    text = text.strip()
    found = _VALID.fullmatch(text)
    if found is None or not text.isascii():
        raise VersionError(f"not a pacman version: {text!r}")
    epoch, rest = found.groups()
    version, hyphen, release = rest.rpartition("-")
    if not hyphen:
        version, release = rest, ""
    for each in (version, release):
        if each and not each[-1].isalnum():
            raise VersionError(f"not a pacman version: {text!r} (it ends with a separator)")
    return int(epoch) if epoch else 0, _part(version), _part(release) if release else ()


@lru_cache(maxsize=1 << 12)
def _part(text: str) -> Part:
    parts: list[tuple[int, int, int | str]] = []
    for separators, segment in _SEGMENTS.findall(text):
        if segment[0].isdigit():
            parts.append((len(separators), _NUMBER, int(segment)))
        else:
            parts.append((len(separators), _LETTERS, segment))
    return (*parts, (0, _END, 0))
