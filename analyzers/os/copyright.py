"""The licences that a Debian copyright file names.

Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/, the short name behind each ``License:``
(``License: GPL-2+ or Artistic``); in files that are plain text only the references to
``/usr/share/common-licenses/NAME``. Nothing is guessed from prose.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from anchorecli.analyzers.licenses import expression, referenced

_MACHINE_READABLE = re.compile(rb"\s*Format(?:-Specification)?:[^\n]*(?:copyright-format|dep-?5)", re.IGNORECASE)
_LICENSE = b"\nLicense:"
_OPERATOR = re.compile(r"[ ,](?:and|or|with)[ ]|,", re.IGNORECASE)
_COMMON = "/usr/share/common-licenses/"
_COMMON_NAME = re.compile(rb"[A-Za-z0-9][A-Za-z0-9.+-]{0,40}")
MAX_NAME = 200
"""Bytes of a ``License:`` line that are looked at."""
MAX_LINES = 50_000
"""Lines that are looked at; Boost's file has 6,000."""


def named(data: bytes) -> list[str]:
    """The names as written, each once, sorted; references with their directory."""
    # Splitting at a literal is an order of magnitude faster than a regular expression, and some files are megabytes.
    if _MACHINE_READABLE.match(data[:4096]):
        lines = {part[:MAX_NAME].partition(b"\n")[0] for part in data.split(_LICENSE, MAX_LINES)[1:]}
        written = {line.strip().decode("utf-8", "replace") for line in lines}
        if names := sorted(name for name in written if name and _is_name(name)):
            return names
    heads = {part[:MAX_NAME] for part in data.split(_COMMON.encode(), MAX_LINES)[1:]}
    references = {found[0].rstrip(b".-").decode("ascii") for head in heads if (found := _COMMON_NAME.match(head))}
    return [_COMMON + name for name in sorted(references)]


def licenses(names: Iterable[str]) -> tuple[str, ...]:
    """The same as SPDX expressions where certain, sorted."""
    return tuple(sorted({referenced(name) if name.startswith(_COMMON) else expression(name) for name in names}))


def _is_name(text: str) -> bool:
    """Whether every part is one word: some files have the licence's first sentence where its name should be."""
    parts = _OPERATOR.split(text)
    return all(len(part.removesuffix("exception").removesuffix("exceptions").split()) <= 1 for part in parts)
