"""Lock files that are JSON.

Format: https://docs.npmjs.com/cli/configuring-npm/package-lock-json ; deno.lock (``npm``: ``NAME@VERSION``);
https://github.com/pypa/pipfile ; composer.lock (``packages``, ``packages-dev``); NuGet's packages.lock.json
(``dependencies`` by framework) and project.assets.json (``libraries``); Package.resolved of SwiftPM, versions 1 to 3
(``pins``); conan.lock of Conan 1 and 2; https://rstudio.github.io/renv/articles/lockfile.html ; bun.lock
(https://bun.com/docs/pm/lockfile , JSON with commas before closing brackets); sbt-dependency-lock's build.sbt.lock.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from anchorecli.analyzers.declared.needed import bun_needed
from anchorecli.analyzers.documents import bound_json, read_json
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.formats.conan import reference_row
from anchorecli.analyzers.language.rows import Row, row
from anchorecli.errors import LimitError

MAX_DEPTH = 100
_BLANK = 0x20
_COMMA = re.compile(rb'("(?:[^"\\]|\\.)*+")|,(?=\s*+[}\]])')
_MODULES = "node_modules/"


def package_lock(data: bytes) -> Iterator[Row]:
    """npm's packages, of every version of the format; links to workspaces and what is for development are left out."""
    document = _object(data)
    packages = _mapping(document.get("packages"))
    if packages:
        for path, entry in packages.items():
            about = _mapping(entry)
            if path and _MODULES in path and not (about.get("link") or about.get("dev") or about.get("extraneous")):
                yield from _npm(_text(about.get("name")) or path.rpartition(_MODULES)[2], about)
    else:
        yield from _nested(document, 0)


def deno(data: bytes) -> Iterator[Row]:
    """npm's packages; those of JSR and single files have no registry that speaks of them."""
    document = _object(data)
    npm = _mapping(document.get("npm")) or _mapping(_mapping(document.get("packages")).get("npm"))
    if document.get("version") == "2":
        npm = _mapping(npm.get("packages"))
    for key in npm:
        # NAME@VERSION, behind it the peers: NAME@VERSION_PEER@VERSION
        found = re.match(r"(@?[^@\s]+)@([0-9][^_\s]*)", key)
        if found:
            yield row("npm", printable(found[1]), printable(found[2]))


def pipfile(data: bytes) -> Iterator[Row]:
    """The section ``default``, not ``develop``."""
    for name, entry in _mapping(_object(data).get("default")).items():
        version = _text(_mapping(entry).get("version"))
        if version.startswith("=="):
            yield row("pypi", re.sub(r"[-_.]+", "-", printable(name)).lower(), version.lstrip("="))


def composer(data: bytes) -> Iterator[Row]:
    """``packages``, not ``packages-dev``."""
    for entry in _list(_object(data).get("packages")):
        name, version = _text(entry.get("name")), _text(entry.get("version"))
        licences = entry.get("license")
        if name and version:
            texts = [each for each in licences if isinstance(each, str)] if isinstance(licences, list) else []
            yield row("composer", name, version, licenses=texts)


def nuget(data: bytes) -> Iterator[Row]:
    """Each package of any framework; the solution's own projects are none."""
    seen = set()
    for framework in _mapping(_object(data).get("dependencies")).values():
        for name, entry in _mapping(framework).items():
            about = _mapping(entry)
            identity = (printable(name), _text(about.get("resolved")))
            if all(identity) and identity not in seen and about.get("type") != "Project":
                seen.add(identity)
                yield row("nuget", *identity)


def nuget_assets(data: bytes) -> Iterator[Row]:
    """Each package that a project was restored with."""
    for key, entry in _mapping(_object(data).get("libraries")).items():
        name, _, version = printable(key).partition("/")
        if _mapping(entry).get("type") == "package" and name and version:
            yield row("nuget", name, version)


def bun(data: bytes) -> Iterator[Row]:
    """Packages from a registry: of the lists below ``packages`` the first text, ``NAME@VERSION``.

    Those that only development dependencies of the workspaces reach are left out.
    """
    bound_json(data)
    plain = bytearray(data)
    # Texts are passed over whole: a comma in one is not the format's.
    for found in _COMMA.finditer(data):
        if found[1] is None:
            plain[found.start()] = _BLANK
    document = _object(plain)
    needed = bun_needed(document)
    for key, entry in _mapping(document.get("packages")).items():
        first = entry[0] if isinstance(entry, list) and entry and (needed is None or key in needed) else ""
        name, _, version = printable(first if isinstance(first, str) else "").rpartition("@")
        yield from _npm(name, {"version": version})


def sbt(data: bytes) -> Iterator[Row]:
    """Modules of a configuration other than those of tests."""
    for entry in _list(_object(data).get("dependencies")):
        group, name, version = (_text(entry.get(key)) for key in ("org", "name", "version"))
        used = entry.get("configurations")
        tests = isinstance(used, list) and used and all(str(each).startswith("test") for each in used)
        if group and name and version and not tests:
            yield row("maven", f"{group}:{name}", version)


def swift(data: bytes) -> Iterator[Row]:
    """Pins with a version; the package is called by its address, ``github.com/apple/swift-nio``."""
    document = _object(data)
    pins = document.get("pins") or _mapping(document.get("object")).get("pins")
    for pin in _list(pins):
        address = _text(pin.get("location")) or _text(pin.get("repositoryURL"))
        version = _text(_mapping(pin.get("state")).get("version"))
        name = swift_name(address)
        if version and "/" in name:
            yield row("swift", name, version)


def swift_name(address: str) -> str:
    """What a package is called by its address."""
    name = re.sub(r"^(?:\w+://|git@)(?:[^/@]*@)?", "", address).removesuffix("/").removesuffix(".git")
    return name.replace(":", "/", 1)


def conan(data: bytes) -> Iterator[Row]:
    """What is linked, not what builds it."""
    document = _object(data)
    requires = document.get("requires")
    for reference in requires if isinstance(requires, list) else ():
        if isinstance(reference, str) and "/" in reference:
            yield reference_row(printable(reference))
    nodes = _mapping(_mapping(document.get("graph_lock")).get("nodes"))
    for key, node in nodes.items():
        about = _mapping(node)
        # Before 1.22 it was called pref. The first node is the project itself, which has no revision; where nodes have
        # no numbers it is the one with a path but no owner.
        reference = _text(about.get("ref")) or _text(about.get("pref"))
        own = (key == "0" and "#" not in reference) or ("path" in about and "@" not in reference)
        plain = reference.partition("#")[0].partition("@")[0]
        if plain.count("/") == 1 and about.get("context") != "build" and not own:
            yield reference_row(reference)


def renv(data: bytes) -> Iterator[Row]:
    """R packages from a repository."""
    for entry in _mapping(_object(data).get("Packages")).values():
        about = _mapping(entry)
        name, version = _text(about.get("Package")), _text(about.get("Version"))
        # Older files have no source, but the repository where there is one.
        if name and version and about.get("Source", "Repository" if "Repository" in about else "") == "Repository":
            yield row("cran", name, version)


def _nested(parent: Mapping[str, Any], depth: int) -> Iterator[Row]:
    if depth > MAX_DEPTH:
        raise LimitError(f"more than {MAX_DEPTH} packages inside each other")
    for name, entry in _mapping(parent.get("dependencies")).items():
        about = _mapping(entry)
        if not about.get("dev"):
            yield from _npm(name, about)
            yield from _nested(about, depth + 1)


def _npm(name: str, about: Mapping[str, Any]) -> Iterator[Row]:
    version = _text(about.get("version"))
    if version.startswith("npm:"):
        name, _, version = version.removeprefix("npm:").rpartition("@")
    # A version that is an address (git, a file) is not the registry's.
    if name and version[:1].isdigit() and "/" not in version:
        licence = _text(about.get("license"))
        yield row("npm", printable(name), version, licenses=[licence] if licence else [])


def _object(data: bytes | bytearray) -> Mapping[str, Any]:
    document = read_json(data)
    if not isinstance(document, dict):
        raise ValueError("no JSON object")
    return document


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> Iterator[Mapping[str, Any]]:
    return (each for each in value if isinstance(each, dict)) if isinstance(value, list) else iter(())


def _text(value: object) -> str:
    return printable(value).strip() if isinstance(value, str) else ""
