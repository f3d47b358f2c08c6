"""Haskell libraries registered with GHC.

Format: https://downloads.haskell.org/ghc/latest/docs/users_guide/packages.html , "InstalledPackageInfo":
``package.conf.d/NAME-VERSION-ID.conf`` of ``Key: value`` lines.
"""

from __future__ import annotations

from collections.abc import Iterator

from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.rows import Row, row


def read(path: str, data: bytes) -> Iterator[Row]:
    """The library of one registration."""
    fields: dict[str, str] = {}
    key = ""
    for line in printable(data[:1_000_000]).splitlines():
        if line[:1].isspace():
            # Long values stand on the lines after their key.
            if key and not fields[key]:
                fields[key] = line.strip()
            continue
        key, _, value = line.partition(":")
        key = key.strip().lower()
        fields.setdefault(key, value.strip())
    if fields.get("name") and fields.get("version"):
        yield row(
            "hackage", fields["name"], fields["version"], licenses=[fields["license"]] if fields.get("license") else []
        )
