"""What a Maven repository of links says of the jars it points to: Debian keeps one beside its own names for them.

Format: the layout of https://maven.apache.org/repository/layout.html, ``GROUP/ARTIFACT/VERSION/ARTIFACT-VERSION.jar``
with the group's dots as slashes. Debian's /usr/share/maven-repo has a link under the artifact's version, and one more
under a version that builds ask for (``debian``, ``10.x``).
"""

from __future__ import annotations

from collections.abc import Mapping

from anchorecli.tree import Tree

LINKS = "usr/share/maven-repo/"
JARS = "usr/share/"
"""Where the jars are that it points to."""
_JAR = ".jar"
_PARTS = 4
"""Of the shortest path: group, artifact, version and file."""


def coordinates(tree: Tree) -> Mapping[str, tuple[str, str, str]]:
    """Group, artifact and version by the path of the jar; nothing of a jar that links call by several names."""
    found: dict[str, set[tuple[str, str, str]]] = {}
    for path in tree:
        if path.startswith(LINKS) and path.endswith(_JAR) and (said := _of(path)):
            real = tree.resolve(path)
            if real is not None and real != path:
                found.setdefault(real, set()).add(said)
    return {path: said.pop() for path, said in found.items() if len(said) == 1}


def _of(path: str) -> tuple[str, str, str] | None:
    parts = path[len(LINKS) :].split("/")
    if len(parts) < _PARTS:
        return None
    *group, artifact, version, name = parts
    # ``10.x`` and ``debian`` stand for whatever version is there.
    if name != f"{artifact}-{version}{_JAR}" or not version[:1].isdigit() or version.endswith((".x", "-x")):
        return None
    return ".".join(group), artifact, version
