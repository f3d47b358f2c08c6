"""Python distributions in zip files that a path names: what a Lambda function or a Spark job brings along, packed.

Format: a zip file with ``NAME.dist-info/METADATA`` where Python looks for it, at its top or as Lambda unpacks a layer
(``python/``, ``python/lib/python3.12/site-packages/``). Any other zip file is nobody's, and of one that cannot be read
the analyzer of Java's archives tells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.formats.zipapps import Metadata
from anchorecli.analyzers.language.java.contents import LIMITS
from anchorecli.analyzers.language.java.zip import BadZip, Budget, Window, Zip
from anchorecli.analyzers.language.rows import Row
from anchorecli.analyzers.limits import Limits
from anchorecli.errors import LimitError

_INSTALLED = re.compile(rb"(?:python/)?(?:(?:lib/python3\.\d{1,2}/)?site-packages/)?[^/]+\.dist-info/METADATA")


def read_archive(stream: BinaryIO, limits: Limits) -> Iterator[Row]:
    """Each distribution in it.

    Raises: ValueError of metadata that cannot be read.
    """
    stream.seek(0, 2)
    try:
        archive = Zip(Window(stream, 0, stream.tell()), Budget(LIMITS))
    except (BadZip, LimitError):
        return
    metadata = Metadata(archive)
    for name, place in archive.entries().others:
        if name.endswith(b".dist-info/METADATA") and _INSTALLED.fullmatch(name):
            try:
                yield from metadata.read(name, place)
            except BadZip as exc:
                raise ValueError(f"{printable(name)}: {exc}") from None
