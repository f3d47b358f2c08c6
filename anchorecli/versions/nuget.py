"""NuGet versions: SemVer 2.0 with up to four numbers, read without regard to case.

Format: https://learn.microsoft.com/nuget/concepts/package-versioning, ``1.2.3.4-rc.1+build``. Missing numbers are 0,
leading zeros and build metadata do not count. An identifier of a pre-release is a number where NuGet's client reads it
into 32 bits, sign and all: ``-1`` is one, a time stamp like 20240131120000 is text.
"""

from __future__ import annotations

import re
from typing import Any

from anchorecli.errors import VersionError
from anchorecli.versions.semver import RELEASE

_VALID = re.compile(
    r"v?([0-9]+(?:\.[0-9]+){0,3})(?:-([0-9a-z-]+(?:\.[0-9a-z-]+)*))?(?:\+[0-9a-z-]+(?:\.[0-9a-z-]+)*)?", re.ASCII
)
_NUMBER = re.compile(r"-?[0-9]+", re.ASCII)
_LIMIT = 1 << 31


def key(text: str) -> tuple[Any, ...]:
    """The sort key.

    Raises: VersionError for what NuGet does not take.
    """
    found = _VALID.fullmatch(text.strip().lower())
    if found is None:
        raise VersionError(f"not a NuGet version: {text!r}")
    numbers = [int(item) for item in found[1].split(".")]
    while len(numbers) > 1 and not numbers[-1]:
        numbers.pop()
    return tuple(numbers), (0, *map(_identifier, found[2].split("."))) if found[2] else RELEASE


def _identifier(text: str) -> tuple[int, Any]:
    """Numbers are below words."""
    if _NUMBER.fullmatch(text) and -_LIMIT <= (number := int(text)) < _LIMIT:
        return 0, number
    return 1, text
