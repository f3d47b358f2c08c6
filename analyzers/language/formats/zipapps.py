"""Python distributions in zip files that Python imports from: eggs, PEX files, zipapps.

Format: https://setuptools.pypa.io/en/latest/deprecated/python_eggs.html (``EGG-INFO/PKG-INFO``), https://docs.pex-tool.org
(``.deps/WHEEL/NAME.dist-info/METADATA``; in the packed layout each wheel is a file in ``.deps``),
https://docs.python.org/3/library/zipapp.html (shiv: ``site-packages/NAME.dist-info/METADATA``). A script's first line
may stand before the zip file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from anchorecli.analyzers.language.core_metadata import printable, read_metadata
from anchorecli.analyzers.language.java.contents import LIMITS
from anchorecli.analyzers.language.java.zip import BadZip, Budget, Window, Zip
from anchorecli.analyzers.language.rows import Row, row
from anchorecli.analyzers.limits import Limits
from anchorecli.errors import LimitError

MAX_METADATA = 4 * 1024 * 1024
MAX_INFLATED = 64 * 1024 * 1024
"""Of all metadata in one archive together: real ones have some kilobytes each."""
ENDINGS = (".dist-info/METADATA", ".egg-info/PKG-INFO", "EGG-INFO/PKG-INFO")
_METADATA = tuple(ending.encode() for ending in ENDINGS)


def read_archive(stream: BinaryIO, limits: Limits) -> Iterator[Row]:
    """Each distribution in it.

    Raises:
        ValueError: no zip file, or a damaged one.
        LimitError: one with more ``entries``, or metadata of more than any has.
    """
    try:
        archive = Zip(Window(stream, 0, stream.seek(0, 2)), Budget(LIMITS))
        entries = archive.entries()
        if len(entries.others) + sum(entries.classes.values()) > limits["entries"]:
            raise limits.exceeded("entries")
        if entries.damage:
            raise BadZip(entries.damage)
        metadata = Metadata(archive)
        for name, place in entries.others:
            if name.endswith(_METADATA):
                yield from metadata.read(name, place)
    except BadZip as exc:
        raise ValueError(f"no zip file that can be read: {exc}") from None


class Metadata:
    """The metadata in one archive, which all together have a bound."""

    def __init__(self, archive: Zip) -> None:
        self._archive = archive
        self._left = MAX_INFLATED

    def read(self, name: bytes, place: int) -> list[Row]:
        """The row of the entry at a place. Raises: BadZip, LimitError, ValueError where it begins with none."""
        entry = self._archive.entry(place)
        self._left -= min(entry.size, MAX_METADATA)
        if self._left < 0:
            raise LimitError(f"more than {MAX_INFLATED} bytes of metadata in one archive (a fixed limit)")
        path, large = printable(name), entry.size > MAX_METADATA
        data = self._archive.head(entry, MAX_METADATA) if large else self._archive.read(entry, MAX_METADATA)
        rows = list(distribution(data, path))
        if not rows and large:
            raise ValueError(f"no name and version in the first {MAX_METADATA} bytes of {path}")
        return rows


def distribution(data: bytes, path: str) -> Iterator[Row]:
    """The row of one metadata file, none where it has no name or version."""
    fields = read_metadata(data)
    if not fields.get("name") or not fields.get("version"):
        return
    name = re.sub(r"[-_.]+", "-", fields["name"]).lower()
    licence = fields.get("expression") or fields.get("license")
    metadata = {"inside": path} if path.count("/") > 1 else {}
    yield row("pypi", name, fields["version"], licenses=[licence] if licence else [], metadata=metadata)
