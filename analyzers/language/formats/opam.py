"""OCaml packages of an opam switch.

Format: https://opam.ocaml.org/doc/Manual.html#Package-definitions , ``.opam-switch/packages/NAME.VERSION/opam``; name
and version are those of the directory, of the file only ``license: "MIT"`` is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.rows import Row, row


def read(path: str, data: bytes) -> Iterator[Row]:
    """The package of one directory."""
    name, _, version = path.split("/")[-2].partition(".")
    if not name or not version or path.rpartition("/packages/")[2].count("/") != 1:
        return
    found = re.search(r'^license:\s*"([^"\n]{1,200})"', printable(data[:100_000]), re.MULTILINE)
    yield row("opam", name, version, licenses=[found[1]] if found else [])
