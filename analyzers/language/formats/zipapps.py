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

from anchorecli.analyzers.language.core_metadata import read_metadata
from anchorecli.analyzers.language.rows import Row, row
from anchorecli.analyzers.limits import Limits

MAX_METADATA = 4 * 1024 * 1024
ENDINGS = (".dist-info/METADATA", ".egg-info/PKG-INFO", "EGG-INFO/PKG-INFO")


def read_archive(stream: BinaryIO, limits: Limits) -> Iterator[Row]:
    """Each distribution in it.

    Raises:
        ValueError: no zip file, or a damaged one.
        LimitError: one with more ``entries``.
    """
    import zlib
    from zipfile import BadZipFile, ZipFile

    try:
        with ZipFile(stream) as archive:
            entries = archive.infolist()
            if len(entries) > limits["entries"]:
                raise limits.exceeded("entries")
            for entry in entries:
                if entry.filename.endswith(ENDINGS):
                    with archive.open(entry) as member:
                        rows = list(distribution(member.read(MAX_METADATA), entry.filename))
                    if not rows and entry.file_size > MAX_METADATA:
                        raise ValueError(f"no name and version in the first {MAX_METADATA} bytes of {entry.filename}")
                    yield from rows
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as exc:
        raise ValueError(f"no zip file that can be read: {exc}") from None


def distribution(data: bytes, path: str) -> Iterator[Row]:
    """The row of one metadata file, none where it has no name or version."""
    fields = read_metadata(data)
    if not fields.get("name") or not fields.get("version"):
        return
    name = re.sub(r"[-_.]+", "-", fields["name"]).lower()
    licence = fields.get("expression") or fields.get("license")
    metadata = {"inside": path} if path.count("/") > 1 else {}
    yield row("pypi", name, fields["version"], licenses=[licence] if licence else [], metadata=metadata)
