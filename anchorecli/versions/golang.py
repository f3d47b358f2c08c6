"""Go module and toolchain versions: SemVer 2.0, pseudo-versions and ``+incompatible`` included.

Format: https://go.dev/ref/mod#versions, ``v1.2.3``, ``v0.0.0-20240101120000-abcdef123456``, ``go1.20rc1``. Build
metadata does not count. Refused: ``(devel)`` and whatever else says nothing of its place in the order.
"""

from __future__ import annotations

from typing import Any

from anchorecli.versions import semver


def key(text: str) -> tuple[Any, ...]:
    """The sort key.

    Raises: VersionError for what is no semantic version behind ``v`` or ``go``.
    """
    return semver.key(text.strip().removeprefix("go"))
