"""Go module and toolchain versions: SemVer 2.0, pseudo-versions and ``+incompatible`` included.

Format: https://go.dev/ref/mod#versions, ``v1.2.3``, ``v0.0.0-20240101120000-abcdef123456``; toolchains
https://go.dev/doc/toolchain#version, ``go1.20rc1``, ``go1.22.3-custom``: what stands behind the hyphen is whoever built
it. Build metadata does not count. Between the two ``go1.20rc1`` is ``1.20.0-rc.1``. Refused: ``(devel)`` and whatever
else says nothing of its place in the order.
"""

from __future__ import annotations

import re
from typing import Any

from anchorecli.versions import semver

_TOOLCHAIN = re.compile(r"(?:go)?([0-9]+\.[0-9.]*[0-9])(alpha|beta|rc)([0-9]+)", re.ASCII)


def key(text: str) -> tuple[Any, ...]:
    """The sort key.

    Raises: VersionError for what is no semantic version behind ``v`` or ``go``.
    """
    text = text.strip()
    if text.startswith("go"):
        text = text.removeprefix("go").partition("-")[0]
    if found := _TOOLCHAIN.fullmatch(text):
        text = f"{found[1]}-{found[2]}.{found[3]}"
    return semver.key(text)
