"""The keys under which facts of a layer are kept. On the path of every scan: no analyzer is loaded for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from anchorecli.model import FactKey

FILES = "files"
"""The name under which a layer's file list is kept; it is the walk's own fact, not an analyzer's."""
FILES_VERSION = 5


class Keyed(Protocol):
    """What an analyzer and its entry in the registry have in common."""

    @property
    def name(self) -> str:
        """Stable identifier."""

    @property
    def version(self) -> int:
        """Of what it returns."""

    @property
    def options(self) -> str:
        """What else changes what it returns, as text."""


def fact_keys(analyzers: Iterable[Keyed], *, digests: bool = False) -> tuple[FactKey, ...]:
    """The keys of everything a layer must have been looked at for; ``digests``: the files' sha256 too."""
    return (files_key(digests), *map(fact_key, analyzers))


def fact_key(analyzer: Keyed) -> FactKey:
    """The key of what an analyzer finds in a layer."""
    return FactKey(analyzer.name, analyzer.version, analyzer.options and _short(analyzer.options))


def files_key(digests: bool) -> FactKey:
    """The key of a layer's file list, with or without digests."""
    return FactKey(FILES, FILES_VERSION, "sha256" if digests else "")


def _short(options: str) -> str:
    # Options may be long: the patterns of a content search.
    from hashlib import sha256

    return sha256(options.encode("utf-8", "surrogatepass")).hexdigest()[:16]
