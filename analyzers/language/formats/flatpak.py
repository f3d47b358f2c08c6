"""Applications and runtimes that Flatpak deployed.

Format: https://www.freedesktop.org/software/appstream/docs/ ; ``flatpak/app/ID/…/ID.metainfo.xml``: the application's
``<id>`` and, newest first, ``<release version="…"/>``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.rows import Row, row

_ID = re.compile(r"<id>\s*([\w.-]{1,200}?)(?:\.desktop)?\s*</id>")
_RELEASE = re.compile(r"<release\s[^<>]{0,300}?version=[\"']([^\"'<>\s]{1,100})[\"']")
_LICENSE = re.compile(r"<project_license>\s*+([^<>]{1,200}+)</project_license>")


def read(path: str, data: bytes) -> Iterator[Row]:
    """The application, where the file is its own description."""
    text = printable(data[:1_000_000])
    name, version, licence = _ID.search(text), _RELEASE.search(text), _LICENSE.search(text)
    if name and version and f"/flatpak/app/{name[1]}/" in path and "/active/" not in path:
        place = path.partition("/files/")[0]
        yield row("flatpak", name[1], version[1], licenses=[licence[1].strip()] if licence else [], place=place)
