"""Packages that Spack built.

Format: https://spack.readthedocs.io/en/latest/spec_syntax.html , ``PREFIX/.spack/spec.json``: ``spec.nodes``, of which
the first is the package in that prefix; the others are what it was built with, each in a prefix of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from anchorecli.analyzers.documents import read_json
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.rows import Row, row


def read(path: str, data: bytes) -> Iterator[Row]:
    """The package of one prefix."""
    document = read_json(data)
    spec = document.get("spec") if isinstance(document, dict) else None
    nodes = spec.get("nodes") if isinstance(spec, dict) else None
    first = nodes[0] if isinstance(nodes, list) and nodes else None
    if isinstance(first, dict) and isinstance(first.get("name"), str) and isinstance(first.get("version"), str):
        yield row("spack", printable(first["name"]), printable(first["version"]))
