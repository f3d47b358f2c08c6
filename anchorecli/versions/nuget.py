"""NuGet versions: SemVer 2.0 with up to four numbers, read without regard to case.

Format: https://learn.microsoft.com/nuget/concepts/package-versioning, ``1.2.3.4-rc.1+build``. Missing numbers are 0,
leading zeros and build metadata do not count.
"""

from __future__ import annotations

import re
from typing import Any

from anchorecli.errors import VersionError
from anchorecli.versions.semver import RELEASE, pre_release

_VALID = re.compile(
    r"v?([0-9]+(?:\.[0-9]+){0,3})(?:-([0-9a-z-]+(?:\.[0-9a-z-]+)*))?(?:\+[0-9a-z-]+(?:\.[0-9a-z-]+)*)?", re.ASCII
)


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
    return tuple(numbers), pre_release(found[2]) if found[2] else RELEASE
