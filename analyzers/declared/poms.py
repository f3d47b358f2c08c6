"""Maven's project files: what they ask for, with what they inherit of parents that stand in the same tree.

Format: https://maven.apache.org/pom.html (``dependencies``; a version that stands there, or is a property, or is told
by ``dependencyManagement``, is the one that comes; ``parent`` with its ``relativePath``, ``../pom.xml`` by default).

Not handled: parents and bills of materials of a repository, conditions of profiles, dependencies of a parent once more
for each child.
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from posixpath import dirname, join, normpath
from typing import Any

from anchorecli.analyzers.base import Fact
from anchorecli.analyzers.declared.asked import asks
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.java.pom import expanded
from anchorecli.analyzers.language.rows import Row, row

MAX_PARENTS = 20

_TAG = re.compile(r"<([A-Za-z][\w.-]{0,100})>([^<>]{1,300})</")
_EXACT = re.compile(r"\d[A-Za-z0-9.+_-]*")
_NOT_OWN = tuple(
    (f"<{name}>", f"</{name}>")
    for name in (
        *("dependencyManagement", "dependencies", "profiles", "properties", "distributionManagement", "repositories"),
        *("pluginRepositories", "developers", "contributors", "licenses", "organization", "mailingLists"),
    )
)
"""Sections whose elements are not the project's own; they may stand in any order."""
_NOT_USED = frozenset({"test", "provided", "import"})


def pom_xml(data: bytes) -> Iterator[Row]:
    """What one file says, for ``settled``: nothing of it is expanded, since its parent may have a say."""
    text = _without(printable(data), ("<!--", "-->"), ("<build>", "</build>"), ("<reporting>", "</reporting>"))
    head = _without(text, *_NOT_OWN)
    parent = next(_between(head, "parent"), "")
    about = {key: value.strip() for key, value in _TAG.findall(parent)}
    own = {key: value.strip() for key, value in _TAG.findall(_without(head, ("<parent>", "</parent>")))}
    inherited = {key: about[key] for key in ("groupId", "version") if key in about}
    properties = {f"project.{key}": value for key, value in {**inherited, **own}.items()}
    properties |= {f"project.parent.{key}": value for key, value in about.items()}
    properties.update(
        (key, value.strip()) for section in _between(text, "properties") for key, value in _TAG.findall(section)
    )
    managed = [each for section in _between(text, "dependencyManagement") for each in _dependencies(section)]
    needs = _dependencies(_without(text, ("<dependencyManagement>", "</dependencyManagement>")))
    stands = "" if "<relativePath/>" in parent.replace(" ", "") else about.get("relativePath", "../pom.xml")
    yield {
        "pom": {
            "artifact": properties.get("project.artifactId", ""),
            "version": properties.get("project.version", ""),
            "parent": [about.get("artifactId", ""), about.get("version", ""), stands] if parent else [],
            "properties": properties,
            "managed": {expanded(name, properties): [version, scope] for name, version, scope in managed},
            "needs": [list(each) for each in needs],
        }
    }


def settled(facts: Iterable[Fact]) -> list[Fact]:
    """The facts, those of project files by what is inherited made into packages and what is asked for."""
    each = list(facts)
    poms: dict[str, dict[str, Any]] = {
        fact.path: fact.value[0]["pom"] for fact in each if fact.value and "pom" in fact.value[0]
    }
    return [fact._replace(value=list(_rows(fact.path, poms))) if fact.path in poms else fact for fact in each]


def _rows(path: str, poms: Mapping[str, dict[str, Any]]) -> Iterator[Row]:
    line = list(_lineage(path, poms))
    properties = ChainMap(*(pom["properties"] for pom in line))
    names = []
    for written, version, scope in line[0]["needs"]:
        name = expanded(written, properties)
        told, used = _managed(written, name, line)
        if (scope or used) in _NOT_USED:
            continue
        names.append(name)
        exact = expanded(version or told, properties)
        if _EXACT.fullmatch(exact) and "${" not in name:
            yield row("maven", name, exact)
    yield from asks("maven", names)


def _managed(written: str, name: str, line: Iterable[Mapping[str, Any]]) -> tuple[str, str]:
    """Version and scope that the nearest of a project and its parents tells of a package, as they stand there."""
    found = (pom["managed"][each] for pom in line for each in (written, name) if each in pom["managed"])
    version, scope = next(found, ("", ""))
    return version, scope


def _lineage(path: str, poms: Mapping[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The project, its parent, the parent's …, as far as they are in the tree and are the ones that are meant."""
    for _ in range(MAX_PARENTS):
        pom = poms[path]
        yield pom
        artifact, version, stands = pom["parent"] or ("", "", "")
        at = normpath(join(dirname(path), stands))
        path = at if at in poms else join(at, "pom.xml")
        meant = poms.get(path) if stands else None
        if meant is None or meant["artifact"] != artifact:
            return
        if "${" not in version + meant["version"] and version != meant["version"]:
            return


def _dependencies(text: str) -> Iterator[tuple[str, str, str]]:
    """Name, version and scope of each ``<dependency>``."""
    for section in _between(text, "dependency"):
        about = {
            key: value.strip()
            for key, value in reversed(_TAG.findall(_without(section, ("<exclusions>", "</exclusions>"))))
        }
        if about.get("groupId") and about.get("artifactId"):
            yield f"{about['groupId']}:{about['artifactId']}", about.get("version", ""), about.get("scope", "")


def _between(text: str, element: str) -> Iterator[str]:
    """What stands in each such element."""
    for part in text.split(f"<{element}>")[1:]:
        yield part.partition(f"</{element}>")[0]


def _without(text: str, *marks: tuple[str, str]) -> str:
    """Without what stands between two marks."""
    for start, end in marks:
        first, *rest = text.split(start)
        text = first + "".join(part.partition(end)[2] for part in rest)
    return text
