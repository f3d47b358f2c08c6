"""Red Hat's products as namespaces: which release and support stream a CPE stands for.

A stream that has to be paid for apart (EUS, AUS, E4S, TUS, ELS) is a namespace of its own, ``rhel:9.2+eus``: its fixes
are builds of an older minor release, and nobody else can install them. Products that bring packages of their own on
top (OpenShift, JBoss …) are no distribution and are left out.

Format: CPE 2.2 URIs, e.g. ``cpe:/a:redhat:enterprise_linux:9::appstream``, ``cpe:/a:redhat:rhel_eus:9.2::baseos``.
"""

from __future__ import annotations

import re
from functools import lru_cache

_MAIN = re.compile(r"cpe:/[ao]:redhat:enterprise_linux:(\d+)(?:\.\d+)?(?::.*)?")
_STREAM = re.compile(r"cpe:/[ao]:redhat:(?:rhel|enterprise_linux)_(eus|aus|e4s|tus|els)(?:_\w+)?:([\d.]+)(?::.*)?")
_EXTRAS = re.compile(r"cpe:/[ao]:redhat:rhel_extras:(\d+)(?::.*)?")
_COLLECTIONS = re.compile(r"cpe:/[ao]:redhat:rhel_software_collections:\d+(?:\.\d+)?(?:::el(\d+))?")
_HUMMINGBIRD = re.compile(r"cpe:/[ao]:redhat:hummingbird(?::.*)?")
"""Red Hat's distribution for images, which has no releases."""
ELS = "+els"
"""Behind a release: what is fixed after its end, for who pays for that."""
OLDEST = 5
"""The oldest release whose records are kept."""


@lru_cache(maxsize=4096)
def space(cpe: str) -> str:
    """The namespace of a CPE, or empty for what is no distribution of ours."""
    if found := _MAIN.fullmatch(cpe) or _EXTRAS.fullmatch(cpe):
        return f"rhel:{found[1]}" if int(found[1]) >= OLDEST else ""
    if found := _STREAM.fullmatch(cpe):
        return f"rhel:{found[2]}+{found[1]}"
    if found := _COLLECTIONS.fullmatch(cpe):
        # The last releases of the collections are for RHEL 7 only; their packages have names of their own (rh-…).
        return f"rhel:{found[1] or '7'}"
    if _HUMMINGBIRD.fullmatch(cpe):
        return "hummingbird"
    return ""


def is_main(namespace: str) -> bool:
    """Whether a namespace is a release itself, not a stream that has to be paid for."""
    return "+" not in namespace
