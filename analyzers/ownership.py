"""Which OS package owns the files that a language package was found by: linked, never dropped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from anchorecli.model import Package
from anchorecli.tree import Tree


def link_owners(packages: list[Package], owned: Mapping[str, Iterable[str]], tree: Tree) -> list[Package]:
    """The packages, those whose evidence an OS package installed with that package's purl as ``owner``.

    ``owned`` gives the paths each OS package installed, as its database names them: on a merged-usr image that may be
    ``/lib/x`` for what the tree holds at ``usr/lib/x``.
    """
    evidence: dict[str, list[int]] = {}
    for number, package in enumerate(packages):
        if package.purl not in owned:
            for location in package.locations:
                evidence.setdefault(location.path, []).append(number)
    if not evidence:
        return packages
    owners: dict[int, str] = {}
    names = {path.rpartition("/")[2] for path in evidence}
    for purl, paths in owned.items():
        for path in paths:
            # Most owned paths are nobody's evidence: one look at the base name spares resolving links.
            if path[path.rfind("/") + 1 :] in names:
                for number in evidence.get(_real(path, evidence, tree), ()):
                    owners.setdefault(number, purl)
    return [replace(p, owner=owners[n]) if n in owners else p for n, p in enumerate(packages)]


def _real(path: str, evidence: Mapping[str, object], tree: Tree) -> str:
    relative = path.strip("/")
    return relative if relative in evidence else tree.resolve(relative) or ""
