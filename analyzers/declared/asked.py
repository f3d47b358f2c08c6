"""Files in which a project asks for packages, most often for a range of versions: which would come, no file says.

Format: https://docs.npmjs.com/cli/configuring-npm/package-json (``dependencies``, ``optionalDependencies``);
https://packaging.python.org/en/latest/specifications/pyproject-toml/ (``project.dependencies``, Poetry's too) and
setup.cfg (``install_requires``); https://doc.rust-lang.org/cargo/reference/manifest.html ; composer.json (``require``);
Gradle's build files, Gemfile, mix.exs, Podfile and Package.swift by their calls, which nobody runs; project files of
.NET (``PackageReference``; of a version that is no range NuGet takes exactly that); https://dart.dev/tools/pub/pubspec
(``dependencies``); conanfile.txt (``[requires]``).

Each reader gives the packages whose version stands there, and a row of all names that are asked for (``asks``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from anchorecli.analyzers.declared.objects import swift_name
from anchorecli.analyzers.declared.tables import table
from anchorecli.analyzers.documents import read_json
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.java.pom import MAX_VALUE
from anchorecli.analyzers.language.rows import Row, row

MAX_NAMES = 2000

_NOT_ASKED = ("workspace:", "file:", "link:", "portal:", "catalog:")
_REQUIREMENT = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,200}+)\s*+(?:\[[^\]]{0,500}\]\s*+)?(?:$|[(<>=!~@;,])")
_COORDINATES = re.compile(r"""["']([\w.-]{1,200}:[\w.-]{1,200})(?::([^"'\s:@$]{1,100}))?(?:[:@][^"'\s]{1,100})?["']""")
_GRADLE = re.compile(r"\s*(?:implementation|api|compile|runtime|runtimeOnly|compileOnlyApi|kapt|annotationProcessor)\b")
_GEM = re.compile(r"""\s*gem[\s(]+["']([A-Za-z0-9._-]{1,200})["']""")
_MIX = re.compile(r"""\{\s*:([a-z0-9_]{1,200})\s*,\s*"[^"]{0,200}"(?![^}]{0,500}\bonly:)""")
_REFERENCE = re.compile(r"<PackageReference\s([^<>]{1,2000})>(?:\s*<Version>([^<>]{1,100})</Version>)?")
_ATTRIBUTE = re.compile(r"""\b(\w++)\s*=\s*(["'])([^"'<>]*)\2""")
_SWIFT = re.compile(r"""\.package\s*\(\s*(?:name:\s*"[^"]*"\s*,\s*)?url:\s*"([^"]{1,300})"([^)\n]{0,300})""")
_SWIFT_EXACT = re.compile(r"""(?:\bexact:|\.exact\()\s*"(\d[^"]{0,100})\"""")
_POD = re.compile(
    r"""\s*pod[\s(]+["']([^"'\s/]{1,200})[^"']{0,200}["'](?:\s*,\s*["'](\d[\w.+-]{0,100})["'])?(.{0,1000})"""
)
_POD_ELSEWHERE = re.compile(r":(?:path|git|podspec|http)\s*=>|\b(?:path|git|podspec|http):")
_PUB_ELSEWHERE = re.compile(r"\b(?:sdk|path|git)\s*:")
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


def package_swift(data: bytes) -> Iterator[Row]:
    """``.package(url: "ADDRESS", …)``; ``exact:`` is a version."""
    text = "\n".join(line for line in printable(data).splitlines() if not line.lstrip().startswith("//"))
    found = {swift_name(address): _SWIFT_EXACT.search(rest) for address, rest in _SWIFT.findall(text)}
    yield from (row("swift", name, exact[1]) for name, exact in found.items() if exact and "/" in name)
    yield from asks("swift", (name for name in found if "/" in name))


def pubspec(data: bytes) -> Iterator[Row]:
    """``dependencies`` that are hosted: not of an SDK, a directory or a repository."""
    wanted: dict[str, bool] = {}
    section = name = ""
    depth = 0
    for line in printable(data).splitlines():
        text = line.strip()
        indent = len(line) - len(line.lstrip())
        if not text or text.startswith("#"):
            continue
        key, _, value = text.partition(":")
        if not indent:
            section, depth = key, 0
        elif section == "dependencies":
            depth = depth or indent
            if indent == depth:
                name = key.strip("\"'")
            wanted[name] = wanted.get(name, True) and not _PUB_ELSEWHERE.search(value if indent == depth else text)
    yield from asks("pub", (each for each, hosted in wanted.items() if hosted and each))


def podfile(data: bytes) -> Iterator[Row]:
    """Calls of ``pod``; a version without a sign before it is that one."""
    pods = [found for line in printable(data).splitlines() if (found := _POD.match(line))]
    pods = [found for found in pods if not _POD_ELSEWHERE.search(found[3])]
    yield from (row("cocoapods", found[1], found[2]) for found in pods if found[2])
    yield from asks("cocoapods", (found[1] for found in pods))


def conanfile_txt(data: bytes) -> Iterator[Row]:
    """The references of ``[requires]``."""
    from anchorecli.analyzers.declared.scripts import references

    section = ""
    found = []
    for line in map(str.strip, printable(data).splitlines()):
        if line.startswith("["):
            section = line
        elif section == "[requires]" and not line.startswith("#"):
            found.append(line)
    yield from references(found)


def project(data: bytes) -> Iterator[Row]:
    """``<PackageReference Include="NAME" Version="…"/>``."""
    found = []
    for attributes, inner in _REFERENCE.findall(printable(data)):
        values = {key: value for key, _, value in _ATTRIBUTE.findall(attributes)}
        if name := values.get("Include"):
            found.append((name, (values.get("Version") or inner).strip()))
    yield from (row("nuget", name, version) for name, version in dict(found).items() if _EXACT.fullmatch(version))
    yield from asks("nuget", (name for name, _ in found))


def _is_local(about: object) -> bool:
    """Whether it is a directory, a repository, or said elsewhere (in the workspace's own file)."""
    return isinstance(about, dict) and not {"path", "git", "url", "file", "workspace"}.isdisjoint(about)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
