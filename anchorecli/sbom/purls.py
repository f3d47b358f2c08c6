"""Package URLs taken apart, without the library: it takes longer to load than a document to read.

Format: https://github.com/package-url/purl-spec, "How to parse a purl string":
``pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?arch=amd64&distro=debian-12``. Lenient where tools are: a bare ``@`` before
a scope, qualifiers in any order, a slash too many.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

_TYPE = re.compile(r"[a-z][a-z0-9.+-]{0,99}")
_BLANK = re.compile(r"[\s\x00-\x1f]")
MAX_LENGTH = 4096
"""Characters; a longer one is none."""


class Purl(NamedTuple):
    """The decoded parts."""

    type: str
    namespace: str
    name: str
    version: str
    qualifiers: dict[str, str]
    subpath: str = ""


def parse(purl: str) -> Purl | None:
    """The parts of a package URL; None for what is none."""
    if len(purl) > MAX_LENGTH or purl[:4].lower() != "pkg:" or _BLANK.search(purl):
        return None
    rest, _, subpath = purl[4:].partition("#")
    rest, _, query = rest.partition("?")
    kind, slash, rest = rest.lstrip("/").partition("/")
    kind = kind.lower()
    rest = rest.strip("/")
    at = rest.rfind("@")
    version = ""
    if at > 0 and rest[at - 1] != "/":
        rest, version = rest[:at], rest[at + 1 :]
    namespace, _, name = rest.rstrip("/").rpartition("/")
    if not slash or not _TYPE.fullmatch(kind) or not name:
        return None
    return Purl(
        kind,
        "/".join(_decoded(part) for part in namespace.split("/") if part),
        _decoded(name),
        _decoded(version),
        _qualifiers(query),
        "/".join(_decoded(part) for part in subpath.split("/") if part not in ("", ".", "..")),
    )


def _qualifiers(query: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return {key.lower(): _decoded(value) for key, _, value in pairs if value}


def _decoded(part: str) -> str:
    return unquote(part, errors="replace") if "%" in part else part
