"""Packages that lock files name, and package files: what would be installed, not what is.

Asked for in directories, where a project's sources are; in images only on request, since a lock file there proves
nothing. Each package says so (``kind: declared``); what was also found installed in that version is not repeated.

=====================  ===============================================================================================
``texts``              requirements*.txt (exact pins), Gemfile.lock, go.mod, gradle.lockfile, mix.lock, rebar.lock,
                       cabal.project.freeze, stack.yaml.lock, Podfile.lock, paket.lock, packages.config,
                       .terraform.lock.hcl
``objects`` (JSON)     package-lock.json, npm-shrinkwrap.json, deno.lock, bun.lock, Pipfile.lock, composer.lock,
                       packages.lock.json, project.assets.json, Package.resolved, conan.lock, renv.lock, build.sbt.lock
``tables`` (TOML)      Cargo.lock, poetry.lock, pdm.lock, uv.lock, pylock.toml, Manifest.toml (Julia)
``files``              package files that lie about uninstalled: .deb, .rpm, Alpine's .apk
``indented``           yarn.lock (both forms), pnpm-lock.yaml, pubspec.lock, GitHub's workflows, action.yml
``asked``              package.json, composer.json, pyproject.toml, setup.cfg, Cargo.toml, build.gradle(.kts), Gemfile,
                       mix.exs, project files of .NET, Package.swift, pubspec.yaml, Podfile, conanfile.txt: what is
                       asked for, mostly by a range
``poms``               pom.xml, with what it inherits of parents in the tree
``scripts``            setup.py and conanfile.py, their literals: nothing is run
=====================  ===============================================================================================

Dependencies for development alone are left out where the file tells them apart, or names what needs what (pnpm, bun,
uv): yarn.lock, pdm.lock and Poetry's between 1.5 and 2 do neither. Packages that a project asks for are listed where
the version stands there (pom.xml, Gradle, .NET, Swift, CocoaPods, Conan); those that no lock file settles and nobody
installed are a gap in a directory of sources, in an image a remark.

Asked for by: the setting ``declared`` or ``--declared``; always in directories.

Emits: packages of the lock files' own ecosystems, each marked ``kind: declared``: ``pypi``, ``npm``, ``gem``,
``cargo``, ``golang``, ``maven``, ``nuget``, ``composer``, ``hex``, ``pub``, ``swift``, ``cocoapods``, ``hackage``,
``conan``, ``cran``, ``julia``, ``terraform``, ``githubactions``, and ``deb``, ``rpm``, ``apk``
of package files.

Not handled: bun.lockb, a pom.xml's parents and bills of materials that are in a repository, what is in installed
packages and in test data.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Self

from anchorecli.analyzers.base import Fact, Found, LayerFile, View, Wants, partial
from anchorecli.analyzers.declared.open_ends import key, problems
from anchorecli.analyzers.declared.poms import settled
from anchorecli.analyzers.language.rows import Row, kept, package
from anchorecli.errors import LimitError
from anchorecli.model import Json, Package
from anchorecli.values import dataclass

MAX_BYTES = 32 * 1024 * 1024
MAX_ASKED = 4 * 1024 * 1024
"""Bytes of what people write by hand."""

READERS = {
    "Gemfile.lock": ("texts", "gemfile"),
    "go.mod": ("texts", "go_mod"),
    "gradle.lockfile": ("texts", "gradle"),
    "buildscript-gradle.lockfile": ("texts", "gradle"),
    "mix.lock": ("texts", "mix"),
    "rebar.lock": ("texts", "rebar"),
    "cabal.project.freeze": ("texts", "cabal"),
    "stack.yaml.lock": ("texts", "stack"),
    "Podfile.lock": ("texts", "podfile"),
    "paket.lock": ("texts", "paket"),
    "packages.config": ("texts", "packages_config"),
    ".terraform.lock.hcl": ("texts", "terraform"),
    "package-lock.json": ("objects", "package_lock"),
    "npm-shrinkwrap.json": ("objects", "package_lock"),
    "deno.lock": ("objects", "deno"),
    "Pipfile.lock": ("objects", "pipfile"),
    "composer.lock": ("objects", "composer"),
    "packages.lock.json": ("objects", "nuget"),
    "project.assets.json": ("objects", "nuget_assets"),
    "bun.lock": ("objects", "bun"),
    "build.sbt.lock": ("objects", "sbt"),
    "Package.resolved": ("objects", "swift"),
    ".package.resolved": ("objects", "swift"),
    "conan.lock": ("objects", "conan"),
    "renv.lock": ("objects", "renv"),
    "Cargo.lock": ("tables", "cargo"),
    "poetry.lock": ("tables", "poetry"),
    "pdm.lock": ("tables", "pdm"),
    "uv.lock": ("tables", "uv"),
    "pylock.toml": ("tables", "pylock"),
    "Manifest.toml": ("tables", "julia"),
    "yarn.lock": ("indented", "yarn"),
    "pnpm-lock.yaml": ("indented", "pnpm"),
    "pubspec.lock": ("indented", "pubspec"),
    "action.yml": ("indented", "workflow"),
    "action.yaml": ("indented", "workflow"),
}
"""Base name → the file of this package and the function in it."""
ASKING = {
    "package.json": ("asked", "package_json"),
    "composer.json": ("asked", "composer_json"),
    "pyproject.toml": ("asked", "pyproject"),
    "setup.cfg": ("asked", "setup_cfg"),
    "setup.py": ("scripts", "setup_py"),
    "Cargo.toml": ("asked", "cargo_toml"),
    "pom.xml": ("poms", "pom_xml"),
    "build.gradle": ("asked", "gradle_build"),
    "build.gradle.kts": ("asked", "gradle_build"),
    "Gemfile": ("asked", "gemfile"),
    "mix.exs": ("asked", "mix_exs"),
    "Package.swift": ("asked", "package_swift"),
    "pubspec.yaml": ("asked", "pubspec"),
    "Podfile": ("asked", "podfile"),
    "conanfile.txt": ("asked", "conanfile_txt"),
    "conanfile.py": ("scripts", "conanfile_py"),
}
"""Base names of files that ask for packages → the file of this package and the function in it."""
_ASKING = frozenset({"asked", "scripts", "poms"})
_PROJECTS = (".csproj", ".fsproj", ".vbproj")
_ELSEWHERE = ("/node_modules/", "/site-packages/", "/dist-packages/", "/gems/", "/testdata/", "/fixtures/", "/pkg/mod/")
"""Directories of installed packages, whose own lock files say nothing, and of test data."""
_BROUGHT = (
    *("/vendor/", "/registry/src/", "/Pods/", "/.build/", "/SourcePackages/", "/.pub-cache/", "/.symlinks/"),
    *("/.conan/", "/.conan2/", "/.tox/", "/.eggs/"),
)
"""Directories of packages that were brought along: what those ask for was settled when they were."""


def _wanted(path: str, _size: int, _mode: int) -> bool:
    whole = f"/{path}"
    reader = reader_of(whole)
    if reader is None or any(each in whole for each in _ELSEWHERE):
        return False
    return reader[0] not in _ASKING or not any(each in whole for each in _BROUGHT)


def reader_of(path: str) -> tuple[str, str] | None:
    """What of this package reads the file: the module and the function in it."""
    directory, _, base = path.rpartition("/")
    if base in READERS:
        return READERS[base]
    if base in ASKING:
        return ASKING[base]
    if base.endswith(_PROJECTS):
        return "asked", "project"
    if base.endswith(".txt") and "requirements" in base:
        return "texts", "requirements"
    if base.startswith("pylock.") and base.endswith(".toml"):
        return "tables", "pylock"
    if base.endswith((".deb", ".rpm", ".apk")):
        return "files", base[-3:]
    workflow = base.endswith((".yml", ".yaml")) and directory.endswith(".github/workflows")
    return ("indented", "workflow") if workflow else None


@dataclass(frozen=True, slots=True)
class DeclaredAnalyzer:
    """Packages of lock files as rows (see ``language.rows``): a fact is the list of one file's."""

    name: str = "declared"
    version: int = 7
    options: str = ""
    wants: Wants = Wants(
        names=frozenset({*READERS, *ASKING}),
        suffixes=frozenset({".txt", ".toml", ".deb", ".rpm", ".apk", *_PROJECTS}),
        parents=frozenset({"workflows"}),
        match=_wanted,
        max_bytes=MAX_BYTES,
    )

    @classmethod
    def of(cls, options: str, _scanner: object = None) -> Self:
        """The analyzer; it has no options."""
        return cls(options=options)

    def read(self, file: LayerFile) -> Json | None:
        """The rows of one file."""
        module_name, function = reader_of(f"/{file.path}") or ("texts", "requirements")
        module: Any = import_module(f"anchorecli.analyzers.declared.{module_name}")
        try:
            data = file.head(module.HEAD) if module_name == "files" else file.data()
            if module_name in _ASKING and len(data) > MAX_ASKED:
                raise LimitError(f"more than {MAX_ASKED} bytes in a file that people write by hand (a fixed limit)")
            return kept(getattr(module, function)(data))
        except LimitError:
            raise
        except (ValueError, RecursionError) as exc:
            return partial(None, str(exc) or "nested too deeply")

    def assemble(self, view: View) -> Found:
        """A package for each row that nothing installed is; a gap of what is asked for and settled nowhere."""
        installed = {(each.type, key(each.type, each.name), each.version) for each in view.packages}
        known = {(kind, name) for kind, name, _ in installed}
        packages: dict[tuple[str, str], Package] = {}
        facts = settled(view.facts())
        for fact in facts:
            settles = (reader_of(f"/{fact.path}") or ("",))[0] not in _ASKING
            for each in fact.value:
                if "asks" in each:
                    continue
                made = _package(view, fact, each)
                if settles:
                    known.add((made.type, key(made.type, made.name)))
                if (made.type, key(made.type, made.name), made.version) not in installed:
                    packages.setdefault((made.purl, fact.path), made)
        return Found(
            packages=tuple(packages.values()),
            problems=tuple(problems(view, facts, known)),
            looked_for={"declared": f"{len(facts)} lock files"},
        )


def _package(view: View, fact: Fact, each: Row) -> Package:
    if each["type"] in ("deb", "rpm", "apk"):
        from anchorecli.analyzers.declared.files import package as of_file

        return of_file(view, fact, each)
    return package(view, fact, each, "declared", {"kind": "declared"})
