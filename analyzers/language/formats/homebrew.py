"""Homebrew's kegs.

Format: https://docs.brew.sh/Formula-Cookbook#homebrew-terminology , ``Cellar/NAME/VERSION/INSTALL_RECEIPT.json``: the
path tells name and version (``1.2.3_1`` is the first rebuild of 1.2.3); the receipt tells the tap,
and the formula beside it, ``.brew/NAME.rb``, the licence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from anchorecli.analyzers.documents import read_json
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.rows import Row, row

_LICENSE = re.compile(r'^ {2}license "([^"\n]{1,100})"', re.MULTILINE)


def read(path: str, data: bytes) -> Iterator[Row]:
    """The keg of one receipt."""
    place, _, formula = path.removesuffix("/INSTALL_RECEIPT.json").partition("/.brew/")
    *_, cellar, name, version = ["", "", *place.split("/")]
    if cellar != "Cellar" or (formula and formula != f"{name}.rb"):
        return
    if formula:
        licence = _LICENSE.search(printable(data[:100_000]))
        yield row("brew", name, version, licenses=[licence[1]] if licence else [], place=place)
        return
    document = read_json(data)
    source = document.get("source") if isinstance(document, dict) else None
    tap = source.get("tap") if isinstance(source, dict) else None
    metadata = {"tap": printable(tap)} if isinstance(tap, str) and tap else {}
    yield row("brew", name, version, metadata=metadata, place=place)
