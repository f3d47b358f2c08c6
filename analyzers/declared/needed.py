"""What a project's production reaches, of lock files that do not say of each package whether only development needs it.

Format: https://github.com/pnpm/spec/blob/master/lockfile/9.0.md (``importers``, ``snapshots``);
https://bun.com/docs/pm/lockfile (``workspaces``; a package is found at the nearest key, as in ``node_modules``);
https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile (``[manifest] members``, of each package
``dependencies``, ``optional-dependencies`` by extra and ``dev-dependencies`` by group).

Every workspace of a project is production, with its optional dependencies and extras. Where something that is needed
is not to be found, the graph is not understood, and None is the answer: nothing is left out then.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

MAX_NEEDS = 400_000
"""So many lines "this needs that" are followed: a workspace of five thousand packages has a tenth of it."""

_PRODUCTION = ("dependencies", "optionalDependencies")
_NAME = re.compile(r"(?:@[^/]+/)?[^/]+")
_Node = TypeVar("_Node")


class _Unknown(Exception):
    """Something needed that the file does not have."""


def pnpm_needed(entries: Iterable[tuple[tuple[str, ...], str]]) -> set[str] | None:
    """Keys of ``packages`` that ``importers`` reach; of each line with its keys from the outside in, and its value."""
    starts, needs = _pnpm_graph(entries)

    def found(wanted: Iterable[tuple[str, str]]) -> Iterator[str]:
        for name, reference in wanted:
            # A name of its own ("npm:other@1") is written out: other@1.
            key = next((each for each in (f"{name}@{reference}", reference) if each in needs), "")
            if not key and not reference.startswith("link:"):
                raise _Unknown
            if key:
                yield key

    if not needs or not starts:
        return None
    snapshots = _reached(lambda: found(starts), lambda key: found(needs[key]))
    return None if snapshots is None else {key.partition("(")[0] for key in snapshots}


def bun_needed(document: Mapping[str, Any]) -> set[str] | None:
    """Keys of ``packages`` that ``workspaces`` reach."""
    packages, workspaces = _mapping(document.get("packages")), _mapping(document.get("workspaces"))

    def found(below: str, about: Mapping[str, Any]) -> Iterator[str]:
        parts = _NAME.findall(below)
        optional = {*_texts(about.get("optionalPeers")), *_mapping(about.get("optionalDependencies"))}
        # Peers come of themselves; an optional one that somebody else asked for is used as well.
        for name in (name for kind in (*_PRODUCTION, "peerDependencies") for name in _mapping(about.get(kind))):
            near = ("/".join((*parts[:end], name)) for end in range(len(parts), -1, -1))
            key = next((each for each in near if each in packages), "")
            if not key and name not in optional:
                raise _Unknown
            if key:
                yield key

    def starts() -> Iterator[str]:
        for path, about in workspaces.items():
            yield from found(str(_mapping(about).get("name") or "") if path else "", _mapping(about))

    def needs(key: str) -> Iterator[str]:
        entry = packages[key]
        about = next((each for each in entry if isinstance(each, dict)), {}) if isinstance(entry, list) else {}
        return found(key, about)

    return _reached(starts, needs) if workspaces else None


def uv_needed(packages: list[dict[str, Any]], manifest: object) -> set[int] | None:
    """Which of the packages the workspace's members reach, by their place in the list."""
    by_name: dict[str, list[int]] = {}
    for place, package in enumerate(packages):
        by_name.setdefault(str(package.get("name")), []).append(place)
    members = _texts(_mapping(manifest).get("members"))
    own = [place for name in members for place in by_name.get(name, ())] or [
        place
        for place, package in enumerate(packages)
        if "." in (_mapping(package.get("source")).get(kind) for kind in ("virtual", "editable"))
    ]

    def found(wanted: object) -> Iterator[tuple[int, str]]:
        """Packages, and apart from them each of their extras that is asked for."""
        for each in map(_mapping, _list(wanted)):
            places = [place for place in by_name.get(str(each.get("name")), ()) if _is_meant(each, packages[place])]
            if not places:
                raise _Unknown
            for place in places:
                yield from ((place, extra) for extra in ("", *_texts(each.get("extra"))))

    def needs(node: tuple[int, str]) -> Iterator[tuple[int, str]]:
        package = packages[node[0]]
        extras = _mapping(package.get("optional-dependencies"))
        return found(extras.get(node[1]) if node[1] else package.get("dependencies"))

    def starts() -> Iterator[tuple[int, str]]:
        for place in own:
            yield from ((place, extra) for extra in ("", *_mapping(packages[place].get("optional-dependencies"))))

    nodes = _reached(starts, needs) if own else None
    return None if nodes is None else {place for place, _ in nodes}


def _pnpm_graph(
    entries: Iterable[tuple[tuple[str, ...], str]],
) -> tuple[list[tuple[str, str]], dict[str, list[tuple[str, str]]]]:
    """Names and references: what the importers need, and each key of ``snapshots``; nothing where it is too much."""
    starts: list[tuple[str, str]] = []
    needs: dict[str, list[tuple[str, str]]] = {}
    left = MAX_NEEDS
    for keys, value in entries:
        if keys[0] == "snapshots" and len(keys) > 1:
            wanted = needs.setdefault(keys[1], [])
            if len(keys) == 4 and keys[2] in _PRODUCTION:
                wanted.append((keys[3], value))
                left -= 1
        elif keys[0] == "importers" and len(keys) == 5 and keys[2] in _PRODUCTION and keys[4] == "version":
            starts.append((keys[3], value))
        if left < 0:
            return [], {}
    return starts, needs


def _is_meant(wanted: Mapping[str, Any], package: Mapping[str, Any]) -> bool:
    """Of several packages of one name, version and source say which."""
    return all(wanted[key] == package.get(key) for key in ("version", "source") if key in wanted)


def _reached(starts: Callable[[], Iterator[_Node]], needs: Callable[[_Node], Iterator[_Node]]) -> set[_Node] | None:
    """The starts with all that they need, directly or by others."""
    found: set[_Node] = set()
    try:
        left = list(starts())
        while left:
            node = left.pop()
            if node not in found:
                found.add(node)
                left.extend(each for each in needs(node) if each not in found)
    except _Unknown:
        return None
    return found


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(value: object) -> list[str]:
    return [each for each in _list(value) if isinstance(each, str)]
