"""Nim's packages.

Format: https://nim-lang.github.io/nimble/ , ``.nimble/pkgs2/NAME-VERSION-CHECKSUM/NAME.nimble``, before Nimble 0.14
``.nimble/pkgs/NAME-VERSION/NAME.nimble``: the path tells name and version, the file has ``license = "MIT"``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.rows import Row, row

_PLACE = re.compile(r"/pkgs2?/([A-Za-z]\w*)-(#?[\w.+]{1,100}?)(?:-[0-9a-f]{40})?/\1\.nimble$", re.ASCII)
_LICENSE = re.compile(r'^license\s*=\s*"([^"\n]{1,100})"', re.MULTILINE)


def read(path: str, data: bytes) -> Iterator[Row]:
    """The package of one directory."""
    if place := _PLACE.search(path):
        licence = _LICENSE.search(printable(data[:100_000]))
        yield row("nimble", place[1], place[2], licenses=[licence[1]] if licence else [])
