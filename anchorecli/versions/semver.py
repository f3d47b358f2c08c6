"""Semantic versions, in the order of SemVer 2.0 §11, read leniently; also npm's, Cargo's, Hex's and Pub's.

Format: ``MAJOR.MINOR.PATCH[-pre][+build]``, e.g. ``1.2.3-rc.1+20240101``. Taken besides: ``v`` or ``=`` in front,
missing and additional numbers (``1.2`` is ``1.2.0``), a pre-release without its hyphen (``1.20rc1``), as in npm's
loose mode.
"""

from __future__ import annotations

import re
from typing import Any

from anchorecli.errors import VersionError

_WORDS = r"[0-9A-Za-z-]*(?:\.[0-9A-Za-z-]+)*"
_VALID = re.compile(
    r"[vV=\s]*([0-9]+(?:\.[0-9]+)*)"
    rf"(?:-([0-9A-Za-z-]{_WORDS})|\.?((?<!\.)[A-Za-z]{_WORDS}|(?:alpha|beta|rc|pre|dev){_WORDS}))?"
    r"(?:\+[0-9A-Za-z.+-]*)?",
    re.ASCII,
)
RELEASE = (1,)
"""What stands in a key where there is no pre-release."""


def key(text: str) -> tuple[Any, ...]:
    """The sort key: the numbers without trailing zeros, then the pre-release; build metadata does not count.

    Raises: VersionError for what is not of the form above.
    """
    text = text.strip()
    found = _VALID.fullmatch(text)
    if found is None:
        raise VersionError(f"not a semantic version: {text!r}")
    numbers = [int(item) for item in found[1].split(".")]
    pre = found[2] or found[3]
    while len(numbers) > 1 and not numbers[-1]:
        numbers.pop()
    return tuple(numbers), pre_release(pre) if pre else RELEASE


def pre_release(text: str) -> tuple[Any, ...]:
    """The sort key of the identifiers of a pre-release."""
    # A pre-release is below its release; numbers are below words, and a longer list above its own beginning.
    return (0, *((0, int(item)) if item.isdigit() else (1, item) for item in text.split(".")))
