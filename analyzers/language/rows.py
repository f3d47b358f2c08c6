"""Packages of formats that say little more than names and versions: as rows in the facts, and as packages.

A row is a dictionary: ``type`` (the purl type), ``name``, ``version``, and what there is of ``licenses``, ``namespace``
(of the purl, where the name does not hold it), ``qualifiers`` (of the purl), ``cpe`` and ``metadata``; ``hidden`` where
it only says that such a row of another file is no package.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any

from anchorecli.analyzers.base import Fact, View, partial
from anchorecli.analyzers.language.since import since
from anchorecli.analyzers.licenses import normalise
from anchorecli.analyzers.purl import purl
from anchorecli.errors import LimitError
from anchorecli.model import Json, Package

Row = dict[str, Any]

MOST_PACKAGES = 100_000
"""Of one file."""
TOO_MANY = f"more than {MOST_PACKAGES} packages in one file (a fixed limit)"

SCHEMES: Mapping[str, str] = MappingProxyType(
    {
        "pypi": "pep440",
        "npm": "npm",
        "gem": "gem",
        "cargo": "cargo",
        "golang": "go",
        "composer": "composer",
        "maven": "maven",
        "nuget": "nuget",
        "hex": "hex",
        "pub": "semver",
        "swift": "semver",
        "julia": "semver",
        "cran": "cran",
    }
)
"""Version schemes by type; all others are compared by the scheme ``fuzzy``."""

_GENERIC = frozenset(
    {
        *("wordpress-plugin", "wordpress-theme", "ml-model"),
        *("ansible-collection", "flatpak", "spack", "swipl-pack", "nimble"),
    }
)
"""Types that purl does not know: ``pkg:generic/TYPE/NAME``."""


def row(kind: str, name: str, version: str, **more: Any) -> Row:
    """A row; of ``more`` only what there is."""
    return {"type": kind, "name": name, "version": version, **{key: value for key, value in more.items() if value}}


def kept(rows: Iterable[Any]) -> Json | None:
    """The fact of a file's rows, with what limit was hit where there are more than may be, or reading more hits one.

    Raises: LimitError where that left nothing.
    """
    found: list[Any] = []
    left = iter(rows)
    try:
        found += islice(left, MOST_PACKAGES)
        hit = TOO_MANY if next(left, None) is not None else ""
    except LimitError as exc:
        hit = str(exc)
        if not found:
            raise
    return partial(found, "", f"{hit}; {len(found)} were kept") if hit else found or None


def package(view: View, fact: Fact, each: Row, analyzer: str, metadata: Mapping[str, str] | None = None) -> Package:
    """The package that one row of a fact tells of."""
    kind, name, version = each["type"], each["name"], each["version"]
    return Package(
        name=name,
        version=version,
        type=kind,
        scheme=SCHEMES.get(kind, "fuzzy"),
        purl=_purl(each, kind, name, version),
        source=name,
        source_version=version,
        licenses=normalise(each.get("licenses", ())),
        cpes=(each["cpe"],) if "cpe" in each else (),
        locations=(view.location(fact),),
        layer=since(view, fact),
        analyzer=analyzer,
        metadata={**each.get("metadata", {}), **(metadata or {})},
    )


_SLASHED = frozenset({"swift", "github", "githubactions", "terraform", "huggingface", "vscode-extension"})
"""Types whose names hold the purl's namespace."""


def _purl(each: Row, kind: str, name: str, version: str) -> str:
    namespace = each.get("namespace", "")
    if kind in _GENERIC:
        return purl("generic", name, version, namespace=kind)
    if kind == "maven" and ":" in name:
        namespace, _, name = name.partition(":")
    elif kind in _SLASHED and "/" in name:
        namespace, _, name = name.rpartition("/")
    return purl(kind, name, version, each.get("qualifiers"), namespace=namespace)
