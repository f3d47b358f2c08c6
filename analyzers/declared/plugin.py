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
=====================  ===============================================================================================

Dependencies for development alone are left out where the file tells them apart.

Asked for by: the setting ``declared`` or ``--declared``; always in directories.

Emits: packages of the lock files' own ecosystems, each marked ``kind: declared``: ``pypi``, ``npm``, ``gem``,
``cargo``, ``golang``, ``maven``, ``nuget``, ``composer``, ``hex``, ``pub``, ``swift``, ``cocoapods``, ``hackage``,
``conan``, ``cran``, ``julia``, ``terraform``, ``githubactions``, and ``deb``, ``rpm``, ``apk``
of package files.

Not handled: pom.xml and other files that name ranges, bun.lockb, lock files of installed packages and in test data.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Self

from anchorecli.analyzers.base import Fact, Found, LayerFile, View, Wants, partial
from anchorecli.analyzers.language.rows import Row, package
from anchorecli.errors import LimitError
from anchorecli.model import Json, Package
from anchorecli.values import dataclass

MAX_BYTES = 64 * 1024 * 1024

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
    "poetry.lock": ("tables", "python"),
    "pdm.lock": ("tables", "python"),
    "uv.lock": ("tables", "python"),
    "pylock.toml": ("tables", "pylock"),
    "Manifest.toml": ("tables", "julia"),
    "yarn.lock": ("indented", "yarn"),
    "pnpm-lock.yaml": ("indented", "pnpm"),
    "pubspec.lock": ("indented", "pubspec"),
    "action.yml": ("indented", "workflow"),
    "action.yaml": ("indented", "workflow"),
}
"""Base name → the file of this package and the function in it."""

_ELSEWHERE = ("/node_modules/", "/site-packages/", "/dist-packages/", "/gems/", "/testdata/", "/fixtures/", "/pkg/mod/")
"""Directories of installed packages, whose own lock files say nothing, and of test data."""


def _wanted(path: str, _size: int, _mode: int) -> bool:
    whole = f"/{path}"
    return reader_of(whole) is not None and not any(each in whole for each in _ELSEWHERE)


def reader_of(path: str) -> tuple[str, str] | None:
    """What of this package reads the file: the module and the function in it."""
    directory, _, base = path.rpartition("/")
    if base in READERS:
        return READERS[base]
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
    version: int = 4
    options: str = ""
    wants: Wants = Wants(
        names=frozenset(READERS),
        suffixes=frozenset({".txt", ".toml", ".deb", ".rpm", ".apk"}),
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
            return list(getattr(module, function)(data)) or None
        except LimitError:
            raise
        except (ValueError, RecursionError) as exc:
            return partial(None, str(exc) or "nested too deeply")

    def assemble(self, view: View) -> Found:
        """A package for each row that nothing installed is."""
        installed = {(each.type, _key(each), each.version) for each in view.packages}
        packages: dict[tuple[str, str], Package] = {}
        count = 0
        for fact in view.facts():
            count += 1
            for each in fact.value:
                made = _package(view, fact, each)
                if (made.type, _key(made), made.version) not in installed:
                    packages.setdefault((made.purl, fact.path), made)
        return Found(packages=tuple(packages.values()), looked_for={"declared": f"{count} lock files"})


def _package(view: View, fact: Fact, each: Row) -> Package:
    if each["type"] in ("deb", "rpm", "apk"):
        from anchorecli.analyzers.declared.files import package as of_file

        return of_file(view, fact, each)
    return package(view, fact, each, "declared", {"kind": "declared"})


def _key(package: Package) -> str:
    return package.name.lower().replace("_", "-") if package.type in ("pypi", "nuget", "composer") else package.name
