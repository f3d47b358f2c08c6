"""R package versions: numbers joined by dots or hyphens.

Format: R's ``numeric_version``, e.g. ``1.0-12``. Order: number by number, a longer version above its own beginning.
"""

from __future__ import annotations

import re

from anchorecli.errors import VersionError

_VALID = re.compile(r"[0-9]+(?:[.-][0-9]+)*", re.ASCII)


def key(text: str) -> tuple[int, ...]:
    """The sort key.

    Raises: VersionError for anything but numbers, dots and hyphens.
    """
    text = text.strip()
    if not _VALID.fullmatch(text):
        raise VersionError(f"not an R package version: {text!r}")
    return tuple(map(int, text.replace("-", ".").split(".")))
