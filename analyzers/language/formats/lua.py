"""Rocks that LuaRocks installed.

Format: https://github.com/luarocks/luarocks/wiki/Rockspec-format , in a rocks tree ``rocks-5.4/NAME/VERSION/
NAME-VERSION.rockspec``: the path tells name and version; of the file, which is Lua, only ``license = "…"`` is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.rows import Row, row

_LICENSE = re.compile(r"""^[ \t]*license[ \t]*=[ \t]*["']([^"'\n]{1,200})["']""", re.MULTILINE)


def read(path: str, data: bytes) -> Iterator[Row]:
    """The rock, where the path is that of an installed one."""
    *_, tree, name, version, base = path.split("/")
    if not tree.startswith("rocks") or base != f"{name}-{version}.rockspec":
        return
    found = _LICENSE.search(printable(data[:100_000]))
    yield row("luarocks", name, version, licenses=[found[1]] if found else [])
