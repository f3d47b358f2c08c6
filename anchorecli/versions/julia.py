"""Julia's package versions: semantic ones whose build counts, as binary packages (``XML2_jll``) have it.

Format: https://docs.julialang.org/en/v1/base/base/#Base.VersionNumber, ``1.2.3-rc1+4``. Order: by numbers, then the
pre-release; a version with a build is above the one without, builds are compared as pre-releases are, and a plus
with nothing behind it is above them all.
"""

from __future__ import annotations

from typing import Any

from anchorecli.versions import semver


def key(text: str) -> tuple[Any, ...]:
    """The sort key. Raises: VersionError for what is no semantic version."""
    _, plus, build = text.strip().partition("+")
    words = semver.pre_release(build)[1:] if build else ()
    return *semver.key(text), (_KINDS[plus, bool(build)], *words)


_KINDS = {("", False): 0, ("+", True): 1, ("+", False): 2}
"""Without a build, with one, and above all builds."""
