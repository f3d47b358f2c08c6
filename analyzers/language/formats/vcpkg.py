"""C and C++ libraries that vcpkg installed.

Format: https://learn.microsoft.com/vcpkg/ , ``installed/vcpkg/status``: stanzas as dpkg has them, with ``Port-Version``
(a revision of the recipe) and ``Feature`` (a part of a package that is told by itself).
"""

from __future__ import annotations

from collections.abc import Iterator

from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.rows import Row, row


def read(path: str, data: bytes) -> Iterator[Row]:
    """Each installed package for each of its targets (``x64-linux``)."""
    for block in printable(data).replace("\r\n", "\n").split("\n\n"):
        lines = (line.partition(":") for line in block.splitlines() if line[:1] not in (" ", "\t"))
        fields = {key: value.strip() for key, _, value in lines}
        name, version = fields.get("Package", ""), fields.get("Version", "")
        if not name or not version or "Feature" in fields or not fields.get("Status", "").endswith(" installed"):
            continue
        metadata = {"triplet": fields["Architecture"]} if fields.get("Architecture") else {}
        if fields.get("Port-Version", "0") != "0":
            metadata["port-version"] = fields["Port-Version"]
        yield row("vcpkg", name, version, metadata=metadata)
