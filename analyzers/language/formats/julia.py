"""Julia packages in a depot.

Format: https://pkgdocs.julialang.org/v1/toml-files/#Project.toml ; a depot has ``packages/NAME/SLUG/Project.toml`` with
``name``, ``uuid`` and ``version``, SLUG being five digits of what the package holds.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.rows import Row, row

_PLACE = re.compile(r"/packages/([^/]+)/[0-9A-Za-z]{4,5}/Project\.toml$")


def read(path: str, data: bytes) -> Iterator[Row]:
    """The package, where the path is its own."""
    place = _PLACE.search(path)
    if not place:
        return
    said = tomllib.loads(data.decode("utf-8", "replace").replace("\r\n", "\n"))
    name, version, uuid = (said.get(key) for key in ("name", "version", "uuid"))
    if name == place[1] and isinstance(version, str) and isinstance(uuid, str):
        yield row("julia", printable(place[1]), printable(version), qualifiers={"uuid": printable(uuid)})
