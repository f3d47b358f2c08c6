"""Extensions of Visual Studio Code, of its server, and of editors made from it.

Format: https://code.visualstudio.com/api/references/extension-manifest , ``extensions/DIRECTORY/package.json`` with
``publisher``, ``name``, ``version`` and ``engines.vscode``. None of them is npm's package of that name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from anchorecli.analyzers.documents import read_json
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.rows import Row, row

_PLACE = re.compile(r"/extensions/[^/]+/package\.json$")
_TEXT = re.compile(r"[\w.+~-]{1,200}")


def read(path: str, data: bytes) -> Iterator[Row]:
    """The extension, where the file is one's manifest."""
    # Most files of the name are npm's: they are not parsed.
    if not _PLACE.search(path) or b'"publisher"' not in data or b'"vscode"' not in data:
        return
    document = read_json(data)
    engines = document.get("engines") if isinstance(document, dict) else None
    if not isinstance(engines, dict) or "vscode" not in engines:
        return
    said = [printable(document[key]) for key in ("publisher", "name", "version") if isinstance(document.get(key), str)]
    if len(said) == 3 and all(map(_TEXT.fullmatch, said)):
        publisher, name, version = said
        licence = document.get("license")
        licences = [printable(licence)] if isinstance(licence, str) else []
        yield row("vscode-extension", f"{publisher}/{name}".lower(), version, licenses=licences)
