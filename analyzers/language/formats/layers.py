"""Python distributions in zip files that a path names: what a Lambda function or a Spark job brings along, packed.

Format: a zip file with ``NAME.dist-info/METADATA`` where Python looks for it, at its top or as Lambda unpacks a layer
(``python/``, ``python/lib/python3.12/site-packages/``). Any other zip file is nobody's, and of one that cannot be read
the analyzer of Java's archives tells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from anchorecli.analyzers.language.formats import zipapps
from anchorecli.analyzers.language.rows import Row
from anchorecli.analyzers.limits import Limits

_INSTALLED = re.compile(r"(?:python/)?(?:(?:lib/python3\.\d{1,2}/)?site-packages/)?[^/]+\.dist-info/METADATA")


def read_archive(stream: BinaryIO, limits: Limits) -> Iterator[Row]:
    """Each distribution in it.

    Raises: LimitError of a zip file with more ``entries``.
    """
    if stream.read(2) != b"PK":
        return
    try:
        yield from zipapps.distributions(stream, limits, lambda name: _INSTALLED.fullmatch(name) is not None)
    except ValueError:
        return
