"""Files in which a project asks for packages, most often for a range of versions: which would come, no file says.

Format: https://docs.npmjs.com/cli/configuring-npm/package-json (``dependencies``, ``optionalDependencies``);
https://packaging.python.org/en/latest/specifications/pyproject-toml/ (``project.dependencies``, Poetry's too) and
setup.cfg (``install_requires``); https://doc.rust-lang.org/cargo/reference/manifest.html ; composer.json (``require``);
https://maven.apache.org/pom.html (``dependencies``; a version that stands there, or is a property of the file, is the
one that comes); Gradle's build files, Gemfile and mix.exs by their calls, which nobody runs; project files of .NET
(``PackageReference``; of a version that is no range NuGet takes exactly that).

Each reader gives the packages whose version stands there, and a row of all names that are asked for (``asks``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from anchorecli.analyzers.declared.tables import table
from anchorecli.analyzers.documents import read_json
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.java.pom import MAX_VALUE, expanded
from anchorecli.analyzers.language.rows import Row, row

MAX_NAMES = 2000

_NOT_ASKED = ("workspace:", "file:", "link:", "portal:", "catalog:")
_REQUIREMENT = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,200}+)\s*+(?:\[[^\]]{0,500}\]\s*+)?(?:$|[(<>=!~@;,])")
_TAG = re.compile(r"<([A-Za-z][\w.-]{0,100})>([^<>]{1,300})</")
_COORDINATES = re.compile(r"""["']([\w.-]{1,200}:[\w.-]{1,200})(?::([^"'\s:@$]{1,100}))?(?:[:@][^"'\s]{1,100})?["']""")
_GRADLE = re.compile(r"\s*(?:implementation|api|compile|runtime|runtimeOnly|compileOnlyApi|kapt|annotationProcessor)\b")
_GEM = re.compile(r"""\s*gem[\s(]+["']([A-Za-z0-9._-]{1,200})["']""")
_MIX = re.compile(r"""\{\s*:([a-z0-9_]{1,200})\s*,\s*"[^"]{0,200}"(?![^}]{0,500}\bonly:)""")
_REFERENCE = re.compile(r"<PackageReference\s([^<>]{1,2000})>(?:\s*<Version>([^<>]{1,100})</Version>)?")
_ATTRIBUTE = re.compile(r"""\b(\w++)\s*=\s*(["'])([^"'<>]*)\2""")
_EXACT = re.compile(r"\d[A-Za-z0-9.+_-]*")


def asks(kind: str, names: Iterable[str]) -> Iterator[Row]:
    """The row of what a file asks for, none where that is nothing."""
    if each := sorted({printable(name)[:MAX_VALUE] for name in names}):
        yield {"asks": kind, "names": each[:MAX_NAMES], "count": len(each)}


def requirement(text: str) -> str:
    """The name in a requirement (PEP 508), as PyPI compares names; empty where there is none."""
    found = _REQUIREMENT.match(text.strip())
    return re.sub(r"[-_.]+", "-", found[1]).lower() if found and found[1][-1].isalnum() else ""


def package_json(data: bytes) -> Iterator[Row]:
    """npm's; a name may stand for another one (``npm:NAME@RANGE``)."""
    document = _mapping(read_json(data))
    wanted = {**_mapping(document.get("dependencies")), **_mapping(document.get("optionalDependencies"))}
    aliases = {key: re.match(r"npm:(@?[^@]+)", str(value)) for key, value in wanted.items()}
    yield from asks(
        "npm",
        (found[1] if (found := aliases[key]) else key for key in wanted if not str(wanted[key]).startswith(_NOT_ASKED)),
    )


def composer_json(data: bytes) -> Iterator[Row]:
    """Composer's; PHP itself and its extensions have no vendor."""
    yield from asks("composer", (key for key in _mapping(_mapping(read_json(data)).get("require")) if "/" in key))


def pyproject(data: bytes) -> Iterator[Row]:
    """What the project itself needs, not its extras, groups and build."""
    document = table(data)
    texts = _mapping(document.get("project")).get("dependencies")
    names = [requirement(each) for each in texts if isinstance(each, str)] if isinstance(texts, list) else []
    poetry = _mapping(_mapping(_mapping(document.get("tool")).get("poetry")).get("dependencies"))
    names += [requirement(key) for key, about in poetry.items() if key != "python" and not _is_local(about)]
    yield from asks("pypi", filter(None, names))


def setup_cfg(data: bytes) -> Iterator[Row]:
    """The lines of ``install_requires``."""
    _, _, rest = printable(data).partition("\ninstall_requires")
    first, *lines = rest.partition("=")[2].splitlines() or [""]
    own = [first]
    for line in lines:
        if line.strip() and not line[0].isspace():
            break
        own.append(line)
    yield from asks("pypi", filter(None, (requirement(line.partition("#")[0]) for line in own)))


def cargo_toml(data: bytes) -> Iterator[Row]:
    """Crates of a registry, not those for tests and builds."""
    document = table(data)
    targets = _mapping(document.get("target")).values()
    tables = [document, *map(_mapping, targets), _mapping(document.get("workspace"))]
    wanted = [item for each in tables for item in _mapping(each.get("dependencies")).items()]
    yield from asks(
        "cargo", (str(_mapping(about).get("package") or key) for key, about in wanted if not _is_local(about))
    )


def pom_xml(data: bytes) -> Iterator[Row]:
    """Maven's, but for those of tests and those that are provided."""
    text = _without(printable(data), ("<!--", "-->"), ("<build>", "</build>"), ("<reporting>", "</reporting>"))
    properties = {f"project.{key}": value.strip() for key, value in _TAG.findall(text.partition("<dependencies>")[0])}
    properties.update(
        (key, value.strip()) for section in _between(text, "properties") for key, value in _TAG.findall(section)
    )
    managed: dict[str, str] = {}
    for section in _between(text, "dependencyManagement"):
        managed.update((name, version) for name, version, _ in _dependencies(section, properties))
    names = []
    for name, version, scope in _dependencies(
        _without(text, ("<dependencyManagement>", "</dependencyManagement>")), properties
    ):
        if scope in ("test", "provided", "import"):
            continue
        names.append(name)
        exact = version or managed.get(name, "")
        if _EXACT.fullmatch(exact) and "${" not in name:
            yield row("maven", name, exact)
    yield from asks("maven", names)


def gradle_build(data: bytes) -> Iterator[Row]:
    """``GROUP:ARTIFACT[:VERSION]`` in lines that name a configuration which is not of tests."""
    lines = (line for line in printable(data).splitlines() if _GRADLE.match(line))
    found = [each for line in lines for each in _COORDINATES.findall(line)]
    yield from (row("maven", name, version) for name, version in dict(found).items() if _EXACT.fullmatch(version))
    yield from asks("maven", (name for name, _ in found))


def gemfile(data: bytes) -> Iterator[Row]:
    """Calls of ``gem``."""
    lines = printable(data).splitlines()
    yield from asks("gem", (found[1] for line in lines if (found := _GEM.match(line))))


def mix_exs(data: bytes) -> Iterator[Row]:
    """``{:NAME, "REQUIREMENT"}`` without an environment of its own."""
    yield from asks("hex", _MIX.findall(printable(data)))


def project(data: bytes) -> Iterator[Row]:
    """``<PackageReference Include="NAME" Version="…"/>``."""
    found = []
    for attributes, inner in _REFERENCE.findall(printable(data)):
        values = {key: value for key, _, value in _ATTRIBUTE.findall(attributes)}
        if name := values.get("Include"):
            found.append((name, (values.get("Version") or inner).strip()))
    yield from (row("nuget", name, version) for name, version in dict(found).items() if _EXACT.fullmatch(version))
    yield from asks("nuget", (name for name, _ in found))


def _dependencies(text: str, properties: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """Name, version and scope of each ``<dependency>``."""
    for section in _between(text, "dependency"):
        about = {
            key: value.strip()
            for key, value in reversed(_TAG.findall(_without(section, ("<exclusions>", "</exclusions>"))))
        }
        if about.get("groupId") and about.get("artifactId"):
            name = expanded(f"{about['groupId']}:{about['artifactId']}", properties)
            yield name, expanded(about.get("version", ""), properties), about.get("scope", "")


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


def _is_local(about: object) -> bool:
    """Whether it is a directory, a repository, or said elsewhere (in the workspace's own file)."""
    return isinstance(about, dict) and not {"path", "git", "url", "file", "workspace"}.isdisjoint(about)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
