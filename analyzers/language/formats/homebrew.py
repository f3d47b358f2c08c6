"""Homebrew's kegs.

Format: https://docs.brew.sh/Formula-Cookbook#homebrew-terminology , ``Cellar/NAME/VERSION/INSTALL_RECEIPT.json``: the
path tells name and version (``1.2.3_1`` is the first rebuild of 1.2.3); the receipt tells the tap.
"""

from __future__ import annotations

from collections.abc import Iterator
from json import loads

from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.rows import Row, row


def read(path: str, data: bytes) -> Iterator[Row]:
    """The keg of one receipt."""
    *_, cellar, name, version, _ = path.split("/")
    if cellar != "Cellar":
        return
    document = loads(data)
    source = document.get("source") if isinstance(document, dict) else None
    tap = source.get("tap") if isinstance(source, dict) else None
    yield row("brew", name, version, metadata={"tap": printable(tap)} if isinstance(tap, str) and tap else {})
