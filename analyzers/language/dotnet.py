"""NuGet packages that .NET applications and runtimes were published with, by their ``*.deps.json``.

Format: https://github.com/dotnet/sdk/blob/main/documentation/specs/runtime-configuration-file.md ; ``libraries`` has
``"Newtonsoft.Json/13.0.1": {"type": "package"}``, ``targets`` the files that each brings. A shared runtime
(``shared/Microsoft.NETCore.App/8.0.4``) and one that was published with an application (type ``runtimepack``) are the
packages that Microsoft's advisories name: ``Microsoft.NETCore.App.Runtime.linux-x64``. The version of a shared one is
its directory's; what is listed in it is called otherwise up to .NET Core 3 (``3.1.23-servicing.22122.4``).

The file lists more than there is: a package counts when one of its files is in the image. Where none is of any package
(an application in one file), all that bring files count and are marked ``declared``.

Emits: packages of the type ``nuget``.

An assembly of which no deps.json speaks, in its directory or above, tells its name and version by its version resource
(``assemblies.py``); in NuGet's cache the directories do. What several files say in one directory is said once.

Not handled: assemblies without a version, native Windows programs, packages.lock.json.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from anchorecli.analyzers.base import Fact, Found, LayerFile, View, Wants, partial
from anchorecli.analyzers.documents import read_json
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.rows import MOST_PACKAGES, TOO_MANY
from anchorecli.analyzers.language.since import since
from anchorecli.analyzers.purl import purl
from anchorecli.errors import LimitError
from anchorecli.model import Json, Package
from anchorecli.tree import Tree
from anchorecli.values import dataclass, replace

MAX_BYTES = 32 * 1024 * 1024
MAX_FILES = 8
"""Of each package so many files are remembered: one is enough to know that it is there."""

_ASSEMBLIES = frozenset({".dll", ".exe", ".DLL", ".EXE"})
_SATELLITE = ".resources"
_CACHE = re.compile(r"(?:^|.*/)packages/([^/]+)/(\d[^/]*)/(?:[^/]+/)*[^/]+")
"""NuGet's cache: ``~/.nuget/packages/newtonsoft.json/13.0.1/lib/net6.0/Newtonsoft.Json.dll``."""

_SECTIONS = ("runtime", "native", "runtimeTargets", "resources")
_KINDS = {"package", "runtimepack"}
_PACK = "runtimepack."
_SHARED = re.compile(r"(?:^|/)shared/([A-Za-z][A-Za-z0-9.]{0,99})/(\d[0-9A-Za-z.-]{0,99})/\1\.deps\.json$")
_FRAMEWORK = re.compile(r"(?:^|/)shared/((?:Microsoft|System)\.[A-Za-z.]{1,80}\.App)/(\d[0-9A-Za-z.-]{0,99})/")
_ARCHITECTURES = {"amd64": "x64", "386": "x86", "arm64": "arm64", "arm": "arm"}
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
_VERSION = re.compile(r"\d[0-9A-Za-z.+-]{0,99}")


@dataclass(frozen=True, slots=True)
class Dotnet:
    """NuGet packages of published applications, tools and shared runtimes.

    A fact is ``{"rid": "linux-x64", "packages": [[name, version, kind, files]]}``; ``kind`` is ``package`` or
    ``runtimepack``, ``rid`` is empty for what runs anywhere. Of an assembly it is ``{"assembly": [name, version]}``.
    """

    name: str = "dotnet"
    version: int = 3
    options: str = ""
    wants: Wants = Wants(
        suffixes=frozenset({".json", *_ASSEMBLIES}),
        match=lambda path, size, mode: not path.endswith(".json") or path.endswith(".deps.json"),
        max_bytes=MAX_BYTES,
    )

    def read(self, file: LayerFile) -> Json | None:
        """The packages that one application names, and a few files of each; or what an assembly says of itself."""
        try:
            if not file.path.endswith(".json"):
                return _assembly(file)
            return read_dependencies(file.data())
        except LimitError:
            raise
        except ValueError as error:
            return partial(None, str(error))

    def assemble(self, view: View) -> Found:
        """A package for each that is there."""
        packages: list[Package] = []
        facts = list(view.facts())
        assemblies = [fact for fact in facts if "assembly" in fact.value]
        for fact in (fact for fact in facts if "packages" in fact.value):
            listed = fact.value["packages"]
            if shared := _SHARED.search(fact.path):
                framework, version = shared[1], shared[2]
                name = f"{framework}.Runtime.{fact.value['rid']}".rstrip(".")
                listed = [each for each in listed if framework not in each[0] and "DotNetHost" not in each[0]]
                packages.append(package(view, fact, [name, version, "runtimepack"], ""))
            there = [each for each in listed if _is_there(view.tree, fact.path, each[3])]
            kind = "installed" if there else "declared"
            # Those without a file are for builds, or stand for others.
            packages.extend(package(view, fact, each, kind) for each in there or [each for each in listed if each[3]])
        spoken_of = {fact.path.rpartition("/")[0] for fact in facts if "packages" in fact.value}
        packages += _loose(view, [fact for fact in assemblies if spoken_of.isdisjoint(_above(fact.path))])
        return Found(packages=tuple(packages))


def read_dependencies(data: bytes) -> dict[str, Json] | None:
    """Name, version, kind and files of each package, and the platform; None for another document under that name.

    Raises:
        ValueError: it is no JSON object.
    """
    document = read_json(data.removeprefix(b"\xef\xbb\xbf"))
    if not isinstance(document, dict):
        raise ValueError("no JSON object")
    found: dict[str, list[Json]] = {}
    for key, library in _object(document.get("libraries")).items():
        kind = _object(library).get("type")
        name, _, version = printable(key).partition("/")
        name = name.removeprefix(_PACK)
        if isinstance(kind, str) and kind in _KINDS and _NAME.fullmatch(name) and _VERSION.fullmatch(version):
            found[key] = [name, version, kind, []]
        if len(found) > MOST_PACKAGES:
            raise LimitError(TOO_MANY)
    if not found:
        return None
    _note_files(document, found)
    target = _object(document.get("runtimeTarget")).get("name")
    rid = printable(target).partition("/")[2] if isinstance(target, str) else ""
    return {"rid": rid if _NAME.fullmatch(rid) else "", "packages": list(found.values())}


def package(view: View, fact: Fact, value: list[Json], kind: str) -> Package:
    """The package of one row of a fact; ``kind`` says how it is there."""
    name, version = value[0], value[1]
    return Package(
        name=name,
        version=version,
        type="nuget",
        scheme="nuget",
        purl=purl("nuget", name, version),
        source=name,
        source_version=version,
        locations=(view.location(fact),),
        layer=since(view, fact),
        analyzer="dotnet",
        metadata={"kind": "runtime" if value[2] == "runtimepack" else kind},
    )


def _note_files(document: dict[str, Json], packages: dict[str, list[Json]]) -> None:
    """Note the files of each package, over all targets."""
    for target in _object(document.get("targets")).values():
        for key, library in _object(target).items():
            for section in _SECTIONS:
                for path in _object(_object(library).get(section)) if key in packages else ():
                    listed = packages[key][-1]
                    # NuGet's placeholder for "nothing on this platform".
                    if len(listed) < MAX_FILES and not path.endswith("_._"):
                        listed.append(printable(path))


def _object(value: object) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _is_there(tree: Tree, path: str, files: list[str]) -> bool:
    """Whether one of a package's files is in the image: where publishing puts it, or where NuGet's cache has it."""
    directory = path.rpartition("/")[0]
    for file in files:
        parts = file.split("/")
        for place in (file, parts[-1], "/".join(parts[-2:])):
            if f"{directory}/{place}".lstrip("/") in tree:
                return True
    return False


# ── assemblies ──────────────────────────────────────────────────────────────────────────────────────────────


def _assembly(file: LayerFile) -> Json | None:
    """What a .NET assembly says of itself; None for other programs, and for texts in one language."""
    from anchorecli.analyzers.language.assemblies import describe, version_of

    if file.head(2) != b"MZ":
        return None
    if not file.direct:
        file.open().close()
    said = describe(file)
    if said is None or not said.managed:
        return None
    stem = re.sub(r"(?i)\.(dll|exe)$", "", file.path.rpartition("/")[2])
    written = said.strings.get("OriginalFilename") or said.strings.get("InternalName", "")
    name = re.sub(r"(?i)\.(dll|exe)$", "", written) or stem
    version = version_of(said.strings)
    if stem.endswith(_SATELLITE) or not version or not _NAME.fullmatch(name):
        return None
    # One that was renamed is what it was made as.
    return {"assembly": [name, version]}


def _above(path: str) -> Iterator[str]:
    """The directories a file is in."""
    while path:
        path = path.rpartition("/")[0]
        yield path


def _loose(view: View, facts: list[Fact]) -> Iterator[Package]:
    """A package for each name and version in one directory, or in NuGet's cache."""
    found: dict[tuple[str, str, str], list[Fact]] = {}
    for fact in facts:
        name, version = fact.value["assembly"]
        place = fact.path.rpartition("/")[0]
        cached = _CACHE.fullmatch(fact.path)
        if framework := _FRAMEWORK.search(fact.path):
            name, version = f"{framework[1]}.Runtime.{_platform(view)}".rstrip("."), framework[2]
            place = fact.path[: framework.end()]
        elif cached and _VERSION.fullmatch(cached[2]) and _NAME.fullmatch(cached[1]):
            same = name.lower() == cached[1].lower()
            name, version, place = (name if same else cached[1]), cached[2], "cache"
        found.setdefault((name, version, place), []).append(fact)
    for (name, version, _), same_facts in found.items():
        first = min(same_facts, key=lambda fact: fact.layer)
        kind = "runtimepack" if _FRAMEWORK.search(first.path) else "package"
        made = package(view, first, [name, version, kind], "assembly")
        yield replace(made, locations=tuple(view.location(fact) for fact in same_facts))


def _platform(view: View) -> str:
    """The runtime identifier of the image, as Microsoft's runtime packages are called; empty where it has none."""
    platform = view.image.config.platform
    system = "linux-musl" if view.distro is not None and view.distro.id == "alpine" else platform.os
    name = _ARCHITECTURES.get(platform.architecture, "")
    return f"{system.replace('windows', 'win')}-{name}" if name else ""
