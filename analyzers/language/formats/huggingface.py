"""Models in the cache of Hugging Face's libraries.

Format: https://huggingface.co/docs/huggingface_hub/guides/manage-cache ; ``models--OWNER--NAME/refs/main`` holds the
commit whose files lie in ``snapshots``, 40 digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from anchorecli.analyzers.language.rows import Row, row

_PLACE = re.compile(r"/models--((?:(?!--)[^/])+(?:--[^/]+)?)/refs/main$")


def read(path: str, data: bytes) -> Iterator[Row]:
    """The model at the commit that was fetched."""
    place, commit = _PLACE.search(path), re.fullmatch(rb"\s*([0-9a-f]{40})\s*", data[:100])
    if place and commit:
        yield row("huggingface", place[1].replace("--", "/", 1), commit[1].decode())
