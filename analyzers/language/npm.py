"""Installed npm packages, by their own package.json.

Format: https://docs.npmjs.com/cli/configuring-npm/package-json ; ``{"name": "@babel/core", "version": "7.24.0"}``.

A package.json proves nothing by itself: there are test data, templates, type stubs and packages of other languages
under that name. It counts where Node would load it from, as ``installation`` says; everything else is left out.

pnpm hard-links a project's files to those of its store, whose names are digests: where a layer's tar has the store
first, the store's file has the content and package.json is the link. So small files of such a store are read as well.

Emits: packages of the type ``npm``, with licences; applications themselves, what browsers load, and what is installed
by a link to elsewhere are marked so.

Not handled: lock files, Yarn's zipped caches (Plug'n'Play), code that a bundler copied into other files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

from anchorecli.analyzers.base import Fact, Found, LayerFile, View, Wants
from anchorecli.analyzers.documents import read_json
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.since import since
from anchorecli.analyzers.licenses import normalise
from anchorecli.analyzers.purl import purl
from anchorecli.errors import LimitError
from anchorecli.model import Json, Package, Problem
from anchorecli.tree import Tree
from anchorecli.values import dataclass

MAX_BYTES = 8 * 1024 * 1024
"""Old npm wrote the README into it; real ones stay below one megabyte."""
MAX_STORED = 256 * 1024
"""A file of pnpm's store beyond this is no package.json."""
MAX_LICENSES = 16
MAX_NEEDS = 1000
MAX_LICENSE = 200

_MODULES = "/node_modules/"
_TEST_DATA = {"test", "tests", "__tests__", "spec", "fixture", "fixtures", "__fixtures__", "example", "examples"}
_VENDOR_DIRECTORIES = frozenset({"vendor", "vendored", "third_party", "compiled", "bundled"})
_SERVED = frozenset({"assets", "bower_components", "jspm_packages", "public", "static", "wwwroot"})
"""Directories whose files a web server hands out to browsers."""
_LIBRARIES_SERVED = frozenset(
    {*_VENDOR_DIRECTORIES, "bower_components", "components", "dist", "external", "lib", "libs", "npm", "vendors"}
)
"""Where in them the libraries of others lie, each in a directory of its name."""
# validate-npm-package-name, as it is for packages already published: upper case was allowed once.
_NAME = re.compile(r"(?:@[A-Za-z0-9~!'()*._-]{1,214}/)?[A-Za-z0-9~!'()*_-][A-Za-z0-9~!'()*._-]{0,213}")
# pnpm: store/v3/files/4f/9a0…, a sha512 with two of its digits as directory.
_STORED = re.compile(r"(?:^|/)v\d+/files/[0-9a-f]{2}/[0-9a-f]{126}$")
# Yarn 1 keeps what it fetched as v6/npm-lodash-4.17.21-…-integrity/node_modules/lodash; Node never looks there.
_YARN_CACHE = re.compile(r"(?:^|/)v\d+/npm-[^/]*-[0-9a-f]{40}(?:-integrity)?$")
_DENO_CACHE = "/npm/registry.npmjs.org/"
_PREFIX = re.compile(r"^[=v\s]{1,10}(?=\d)")
_TEMPLATE = re.compile(r"[${}<>%\s]|^$")
_LIBRARIES = (("usr", "share", "nodejs"), ("usr", "lib", "nodejs"), ("usr", "lib", "*", "nodejs"))
"""Where Debian's node-* packages put theirs, and where its Node looks."""


@dataclass(frozen=True, slots=True)
class Npm:
    """Packages in node_modules, in Debian's nodejs directories, package managers, and the applications themselves.

    A fact is ``name``, ``version``, ``licenses``, ``needs``, ``private``, ``bin`` (only what is there), or ``error``.
    """

    name: str = "npm"
    version: int = 6
    options: str = ""
    wants: Wants = Wants(
        names=frozenset({"package.json"}),
        parents=frozenset(f"{number:02x}" for number in range(256)),
        # The runner asks for links with a size of 1: what is a link in the store has its content elsewhere.
        match=lambda path, size, mode: is_candidate(path) or (1 < size <= MAX_STORED and _is_stored(path)),
        max_bytes=MAX_BYTES,
    )

    def read(self, file: LayerFile) -> Json | None:
        """The few fields of one file; what it is worth is decided where its surroundings are known."""
        if _is_stored(file.path):
            data = file.data()
            fact = read_package(data) if data[:1] == b"{" and b'"name"' in data else None
            return None if fact is None or "error" in fact else fact
        return read_package(file.data())

    def assemble(self, view: View) -> Found:
        """A package for each package.json that stands where packages are installed."""
        # Not kept as a list: there may be a hundred thousand of them.
        homes = {home.lstrip("/") for fact in view.facts() if not _is_stored(fact.path) for home in _homes(fact.path)}

        def has_modules(directory: str) -> bool:
            # Not every tar has entries for directories, and node_modules may be a link to them.
            return directory in homes or view.tree.resolve(f"{directory}/node_modules".lstrip("/")) is not None

        packages: list[Package] = []
        problems: list[Problem] = []
        elsewhere: dict[str, Fact] = {}
        for fact in view.facts():
            kind = not _is_stored(fact.path) and installation(fact.path, fact.value, has_modules)
            if kind and "error" in fact.value:
                hint = "the package it stands for is missing; reinstall it"
                problems.append(Problem("analyze", fact.path, fact.value["error"], hint))
            elif kind and (package := _package(view, fact, kind)) is not None:
                packages.append(package)
            elif not kind and _MODULES not in f"/{fact.path}" and release(fact.value)[1]:
                elsewhere[fact.path] = fact
        packages.extend(_linked(view, elsewhere))
        return Found(packages=tuple(packages), problems=tuple(problems))


def is_candidate(path: str) -> bool:
    """Whether a package.json may count: below node_modules only directly in a package's own directory."""
    _, inside, below = f"/{path}".rpartition(_MODULES)
    if not path.endswith("package.json"):
        return False
    return not inside or bool((_module_name(below) or _vendored_name(below)) and not _is_test_data(path))


def installation(path: str, value: Json, has_modules: Callable[[str], bool]) -> str:
    """Why a package.json counts as installed, or an empty string where it does not.

    ``module``: in a node_modules directory. ``library``: in Debian's directories of Node libraries, or where Deno keeps
    and runs npm packages. ``tool``: a program unpacked under its own name and version (``opt/yarn-v1.22.22``,
    ``corepack/v1/pnpm/9.1.0``). ``application``: beside a node_modules directory of its own. ``vendored``: an installed
    package's copy of another, under that one's name. ``served``: a library that browsers load, under its own name
    (``static/components/jquery``).
    """
    directory = path.rpartition("/")[0]
    home, inside, below = f"/{path}".rpartition(_MODULES)
    if inside:
        if _YARN_CACHE.search(home):
            return ""
        vendored = _vendored_name(below)
        return "module" if not vendored else "vendored" if vendored == value.get("name") else ""
    if _is_library(directory.split("/")) or _is_denos(directory, value):
        return "library"
    if _is_tool(directory, value):
        return "tool"
    if has_modules(directory):
        return "application"
    return "served" if _is_served(directory.split("/"), value) else ""


def read_package(data: bytes) -> dict[str, Json] | None:
    """``name``, ``version``, ``licenses``, ``private`` and ``bin``, or ``error``; None where it names nothing."""
    try:
        document = read_json(data)
    except LimitError:
        raise
    except ValueError as exc:
        return {"error": str(exc)}
    if not isinstance(document, dict):
        return {"error": "no JSON object"}
    fact: dict[str, Json] = {key: text for key in ("name", "version") if (text := _text(document.get(key)))}
    if not fact or _is_extension(document):
        return None
    if licenses := list(_licenses(document)):
        fact["licenses"] = licenses
    if needs := list(_needs(document)):
        fact["needs"] = needs
    if document.get("private") is True:
        fact["private"] = True
    if document.get("bin"):
        fact["bin"] = True
    return fact


def release(value: Json) -> tuple[str, str]:
    """Name and version, each empty where there is none that can be one (templates, names no registry takes)."""
    name = value.get("name", "")
    if not _NAME.fullmatch(name):
        name = ""
    version = _PREFIX.sub("", value.get("version", ""))
    return name, "" if _TEMPLATE.search(version) else version


def _linked(view: View, elsewhere: Mapping[str, Fact]) -> Iterator[Package]:
    """What lies outside of node_modules and is installed by a link in it: ``file:../copy``, members of a workspace.

    A private one is a part of the application, as no registry has it.
    """
    found: set[str] = set()
    for path in _module_links(view.tree) if elsewhere else ():
        # Not every tar has entries for directories.
        target = view.tree.resolve(f"{path}/package.json") or ""
        if target in elsewhere and target not in found:
            found.add(target)
            fact = elsewhere[target]
            package = _package(view, fact, "application" if fact.value.get("private") else "linked")
            if package is not None:
                yield package


def _module_links(tree: Tree) -> Iterator[str]:
    """Symbolic links that are there, right in a ``node_modules`` or below a scope in one."""
    for number, index in enumerate(tree.layers):
        for row, _ in index.targets.pairs():
            raw = index.paths[row]
            below = f"/{raw}".rpartition(_MODULES)
            if index.kinds[row] != "l" or not below[1] or below[2].count("/") > 1:
                continue
            path = tree.canonical(number, raw)
            place = tree.where(path)
            if place is not None and place[0] == number and _module_name(f"{below[2]}/package.json"):
                yield path


# ── where it stands ─────────────────────────────────────────────────────────────────────────────────────────────────


def _module_name(below: str) -> str:
    """The package's name by what follows ``node_modules/``: ``@babel/core`` of ``@babel/core/package.json``."""
    directory, slash, _ = below.rpartition("/")
    scope, scoped, name = directory.partition("/")
    # Names with a dot in front are npm's and pnpm's own: .bin, .cache, .pnpm, .ignored, and half-finished renames.
    if not slash or directory.startswith(".") or "/" in name or bool(scoped) != scope.startswith("@"):
        return ""
    return directory


def _vendored_name(below: str) -> str:
    """Whose copy a package carries, by the path: ``jsonrpc`` of ``typescript/vendor/jsonrpc/package.json``."""
    parts = below.split("/")
    # Under the package's own name may stand any directory: Next keeps its copies in next/dist/compiled.
    own = 2 if below.startswith("@") else 1
    for place in range(len(parts) - 2, own - 1, -1):
        if parts[place] in _VENDOR_DIRECTORIES:
            return _module_name("/".join(parts[place + 1 :]))
    return ""


def _is_test_data(path: str) -> bool:
    """Whether a node_modules stands among the test data of an installed package, as ``resolve`` has some."""
    for below in f"/{path}".split(_MODULES)[1:-1]:
        parts = below.split("/")
        if not _TEST_DATA.isdisjoint(parts[2 if below.startswith("@") else 1 :]):
            return True
    return False


def _is_library(parts: list[str]) -> bool:
    for base in _LIBRARIES:
        if len(parts) > len(base) and all(want in ("*", part) for want, part in zip(base, parts, strict=False)):
            rest = parts[len(base) :]
            return len(rest) == (2 if rest[0].startswith("@") else 1)
    return False


def _is_stored(path: str) -> bool:
    return _STORED.search(path) is not None


def _is_denos(directory: str, value: Json) -> bool:
    """Deno runs packages out of ``$DENO_DIR/npm/registry.npmjs.org/NAME/VERSION``."""
    return f"/{directory}".partition(_DENO_CACHE)[2] == f"{value.get('name')}/{value.get('version')}"


def _is_tool(directory: str, value: Json) -> bool:
    name, version = value.get("name"), value.get("version")
    if not name or not version or not value.get("bin"):
        return False
    if directory == f"usr/share/{name}":
        return True
    return f"/{directory}".endswith((f"/{name}/{version}", f"/{name}-{version}", f"/{name}-v{version}"))


def _homes(path: str) -> Iterator[str]:
    """Every directory on the way to a path that has a node_modules directory of its own."""
    home, inside, _ = f"/{path}".rpartition(_MODULES)
    while inside:
        yield home
        home, inside, _ = home.rpartition(_MODULES)


def _is_served(parts: list[str], value: Json) -> bool:
    """Whether a web application hands it out to browsers: jQuery in ``static/components/jquery``."""
    if len(parts) < 2 or parts[-2] not in _LIBRARIES_SERVED or value.get("private"):
        return False
    if _SERVED.isdisjoint(parts[:-1]) or not _TEST_DATA.isdisjoint(parts):
        return False
    called, directory = value.get("name", "").lower(), parts[-1].lower()
    return bool(called) and called in (directory, f"{directory}-dist")


# ── what it says ────────────────────────────────────────────────────────────────────────────────────────────────────


def _text(value: object) -> str:
    return printable(value).strip() if isinstance(value, str) else ""


def _licenses(document: Mapping[str, object]) -> Iterator[str]:
    """The licences as written: a string, an object with a type, or an array of either under the old plural key."""
    for key in ("license", "licenses"):
        value = document.get(key)
        for item in value[:MAX_LICENSES] if isinstance(value, list) else [value]:
            text = _text(item.get("type") or item.get("name") if isinstance(item, dict) else item)
            if text and len(text) <= MAX_LICENSE:
                yield text


def _needs(document: Mapping[str, object]) -> Iterator[str]:
    for key in ("dependencies", "optionalDependencies"):
        names = document.get(key)
        for name in list(names)[:MAX_NEEDS] if isinstance(names, dict) else ():
            if _NAME.fullmatch(name):
                yield name


def _is_extension(document: Mapping[str, object]) -> bool:
    """Whether it is an extension of an editor, which npm's package of that name is not."""
    engines = document.get("engines")
    return isinstance(engines, dict) and "vscode" in engines and "publisher" in document


def _package(view: View, fact: Fact, kind: str) -> Package | None:
    name, version = release(fact.value)
    if not name or not version:
        return None
    alias = _module_name(f"/{fact.path}".rpartition(_MODULES)[2]) if kind == "module" else name
    return Package(
        name=name,
        version=version,
        type="npm",
        scheme="npm",
        purl=purl("npm", name, version),
        source=name,
        source_version=version,
        licenses=normalise(fact.value.get("licenses", ())),
        locations=(view.location(fact),),
        layer=since(view, fact),
        analyzer="npm",
        metadata=_metadata(kind, "" if alias == name else alias, bool(fact.value.get("private"))),
        depends=tuple(dict.fromkeys(fact.value.get("needs", ()))),
    )


@lru_cache(maxsize=1024)
def _metadata(kind: str, alias: str, private: bool) -> dict[str, str]:
    """What is said besides: nearly always the same, so that a thousand packages share one."""
    metadata = {"kind": kind}
    if alias:
        metadata["alias"] = alias
    if private:
        metadata["private"] = "true"
    return metadata
