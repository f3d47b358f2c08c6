"""NuGet packages that .NET applications and runtimes were published with, by their ``*.deps.json``.

Format: https://github.com/dotnet/sdk/blob/main/documentation/specs/runtime-configuration-file.md ; ``libraries`` has
``"Newtonsoft.Json/13.0.1": {"type": "package"}``, ``targets`` the files that each brings. A shared runtime
(``shared/Microsoft.NETCore.App/8.0.4``) and one that was published with an application (type ``runtimepack``) are the
packages that Microsoft's advisories name: ``Microsoft.NETCore.App.Runtime.linux-x64``. The version of a shared one is
its directory's; what is listed in it is called otherwise up to .NET Core 3 (``3.1.23-servicing.22122.4``).

The file lists more than there is: a package counts when one of its files is in the image. Where none is of any package
(an application in one file), all that bring files count and are marked ``declared``.

Emits: packages of the type ``nuget``.

Not handled: assemblies without a deps.json, the list inside of an application in one file, packages.lock.json.
"""

from __future__ import annotations

import re

from anchorecli.analyzers.base import Fact, Found, LayerFile, View, Wants, partial
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.since import since
from anchorecli.analyzers.purl import purl
from anchorecli.model import Json, Package
from anchorecli.tree import Tree
from anchorecli.values import dataclass

MAX_BYTES = 64 * 1024 * 1024
MAX_FILES = 8
"""Of each package so many files are remembered: one is enough to know that it is there."""

_SECTIONS = ("runtime", "native", "runtimeTargets", "resources")
_KINDS = {"package", "runtimepack"}
_PACK = "runtimepack."
_SHARED = re.compile(r"(?:^|/)shared/([A-Za-z][A-Za-z0-9.]{0,99})/(\d[0-9A-Za-z.-]{0,99})/\1\.deps\.json$")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
_VERSION = re.compile(r"\d[0-9A-Za-z.+-]{0,99}")


@dataclass(frozen=True, slots=True)
class Dotnet:
    """NuGet packages of published applications, tools and shared runtimes.

    A fact is ``{"rid": "linux-x64", "packages": [[name, version, kind, files]]}``; ``kind`` is ``package`` or
    ``runtimepack``, ``rid`` is empty for what runs anywhere.
    """

    name: str = "dotnet"
    version: int = 1
    options: str = ""
    wants: Wants = Wants(
        suffixes=frozenset({".json"}),
        match=lambda path, size, mode: path.endswith(".deps.json"),
        max_bytes=MAX_BYTES,
    )

    def read(self, file: LayerFile) -> Json | None:
        """The packages that one application names, and a few files of each."""
        try:
            return read_dependencies(file.data())
        except ValueError as error:
            return partial(None, str(error))

    def assemble(self, view: View) -> Found:
        """A package for each that is there."""
        packages: list[Package] = []
        for fact in view.facts():
            listed = fact.value["packages"]
            if shared := _SHARED.search(fact.path):
                framework, version = shared[1], shared[2]
                name = f"{framework}.Runtime.{fact.value['rid']}".rstrip(".")
                listed = [each for each in listed if framework not in each[0] and "DotNetHost" not in each[0]]
                packages.append(_package(view, fact, [name, version, "runtimepack"], ""))
            there = [each for each in listed if _is_there(view.tree, fact.path, each[3])]
            kind = "installed" if there else "declared"
            # Those without a file are for builds, or stand for others.
            packages.extend(_package(view, fact, each, kind) for each in there or [each for each in listed if each[3]])
        return Found(packages=tuple(packages))


def read_dependencies(data: bytes) -> dict[str, Json] | None:
    """Name, version, kind and files of each package, and the platform; None for another document under that name.

    Raises:
        ValueError: it is no JSON object.
    """
    from json import loads

    try:
        document = loads(data.removeprefix(b"\xef\xbb\xbf"))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except ValueError as exc:
        raise ValueError(f"no JSON: {exc}") from None
    if not isinstance(document, dict):
        raise ValueError("no JSON object")
    files = _files(document)
    found: list[list[Json]] = []
    for key, library in _object(document.get("libraries")).items():
        kind = _object(library).get("type")
        name, _, version = printable(key).partition("/")
        name = name.removeprefix(_PACK)
        if kind in _KINDS and _NAME.fullmatch(name) and _VERSION.fullmatch(version):
            found.append([name, version, kind, files.get(key, [])])
    if not found:
        return None
    target = _object(document.get("runtimeTarget")).get("name")
    rid = printable(target).partition("/")[2] if isinstance(target, str) else ""
    return {"rid": rid if _NAME.fullmatch(rid) else "", "packages": found}


def _files(document: dict[str, Json]) -> dict[str, list[str]]:
    """The files of each library, over all targets."""
    files: dict[str, list[str]] = {}
    for target in _object(document.get("targets")).values():
        for key, library in _object(target).items():
            for section in _SECTIONS:
                for path in _object(_object(library).get(section)):
                    listed = files.setdefault(key, [])
                    # NuGet's placeholder for "nothing on this platform".
                    if len(listed) < MAX_FILES and not path.endswith("_._"):
                        listed.append(printable(path))
    return files


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


def _package(view: View, fact: Fact, value: list[Json], kind: str) -> Package:
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
