"""Packs of SWI-Prolog.

Format: https://www.swi-prolog.org/howto/Pack.html , ``pack/NAME/pack.pl``: facts ``name(hdt).`` and
``version('0.5.2').``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.rows import Row, row


def read(path: str, data: bytes) -> Iterator[Row]:
    """The pack of one description."""
    facts = re.findall(r"(?m)^(name|version)\(\s*'?([\w.+-]{1,100})'?\s*\)", printable(data[:100_000]))
    said = dict(reversed(facts))
    if len(said) == 2:
        yield row("swipl-pack", said["name"], said["version"])
