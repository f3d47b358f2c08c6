"""Installed packages of the smaller ecosystems, one file of ``formats`` for each.

=====================  ===============================================================================================
Perl                   ``.meta/NAME-VERSION/MYMETA.json`` (cpanm), ``install.json`` there, ``perllocal.pod`` (MakeMaker)
Lua                    ``rocks*/NAME/VERSION/NAME-VERSION.rockspec`` (LuaRocks)
Erlang, Elixir         ``ebin/NAME.app`` and ``hex_metadata.config``
Haskell                ``package.conf.d/*.conf`` (GHC's package database)
OCaml                  ``.opam-switch/packages/NAME.VERSION/opam``
C, C++                 ``conaninfo.txt`` (Conan), ``vcpkg/status``
Homebrew               ``Cellar/NAME/VERSION/INSTALL_RECEIPT.json``, ``.brew/NAME.rb`` beside it
Spack                  ``PREFIX/.spack/spec.json``
Flatpak                ``flatpak/app/ID/…/*.xml`` (AppStream)
Ansible                ``ansible_collections/NAMESPACE/NAME/MANIFEST.json``
Julia                  ``packages/NAME/SLUG/Project.toml`` (a depot)
Prolog                 ``pack/NAME/pack.pl`` (SWI-Prolog)
Visual Studio Code     ``extensions/DIRECTORY/package.json``, also of its server and of editors made from it
WordPress              itself, ``wp-content/plugins/…/*.php``, ``wp-content/themes/NAME/style.css``
web applications       Nextcloud, ownCloud, Moodle, MediaWiki, Matomo, Joomla, phpMyAdmin, Drupal 7, Redmine, Roundcube,
                       Zabbix, Cacti, Icinga Web 2, SimpleSAMLphp, Request Tracker, DokuWiki, phpLDAPadmin, Shaarli,
                       Adminer, Open Liberty and WebSphere Liberty
models                 ``*.gguf``, ``*.safetensors``, ``models--OWNER--NAME/refs/main`` (Hugging Face's cache)
Rust                   ``.crates2.json`` (cargo install)
Nim                    ``.nimble/pkgs2/NAME-VERSION-CHECKSUM/NAME.nimble``
Drupal                 ``modules/…/NAME.info.yml``, ``sites/…/NAME.info`` (Drupal 7) out of drupal.org's archives
Node                   ``.pnp.cjs`` (Yarn's Plug'n'Play: packages in zip files)
Python                 ``*.egg``, ``*.pex``, ``*.pyz``, ``*.zip``, ``.deps/*.whl`` (zip files that are imported from)
Electron               ``*.asar`` (the archive an application is packed into)
=====================  ===============================================================================================

Emits: packages of the types ``cpan``, ``luarocks``, ``hex``, ``hackage``, ``opam``, ``conan``, ``vcpkg``, ``brew``,
``spack``, ``flatpak``, ``ansible-collection``, ``julia``, ``swipl-pack``, ``vscode-extension``, ``wordpress-plugin``,
``wordpress-theme``, ``generic``, ``ml-model``, ``huggingface``, ``nimble``, ``cargo``, ``composer``, ``npm`` and
``pypi``, with licences where they are told.

Not handled: what none of these files tells of: libraries that were compiled in, packages that are still packed.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from anchorecli.analyzers.base import Found, LayerFile, View, Wants, partial
from anchorecli.analyzers.language.rows import Row, kept, package
from anchorecli.analyzers.limits import Limit, Limits
from anchorecli.errors import LimitError
from anchorecli.model import Json, Package
from anchorecli.values import dataclass

LIMITS = Limits(
    "others",
    (
        Limit("file-bytes", 16 * 1024 * 1024, "bytes in a file, where it is no archive and no model"),
        Limit("entries", 200_000, "entries in one archive"),
    ),
)
HEAD = 1 << 20
"""Of a model's file: the description stands at its beginning."""

_BY_NAME = {
    "MYMETA.json": ("/.meta/", "perl"),
    "install.json": ("/.meta/", "perl"),
    "perllocal.pod": ("", "perl"),
    "hex_metadata.config": ("", "erlang"),
    "conaninfo.txt": ("", "conan"),
    "opam": ("/.opam-switch/packages/", "opam"),
    "INSTALL_RECEIPT.json": ("/Cellar/", "homebrew"),
    "version.php": ("/wp-includes/version.php", "wordpress"),
    "style.css": ("/wp-content/themes/", "wordpress"),
    "status": ("/vcpkg/status", "vcpkg"),
    "MANIFEST.json": ("/ansible_collections/", "ansible"),
    "Project.toml": ("/packages/", "julia"),
    "main": ("/models--", "huggingface"),
    "pack.pl": ("/pack/", "swipl"),
    "package.json": ("/extensions/", "vscode"),
    "spec.json": ("/.spack/spec.json", "spack"),
    ".crates2.json": ("", "cargo"),
    ".pnp.cjs": ("", "pnp"),
    ".pnp.js": ("", "pnp"),
}
_ELSE = {
    "version.php": ("", "webapps"),
    "Version.php": ("", "webapps"),
    "Defines.php": ("/includes/", "webapps"),
    "bootstrap.inc": ("/includes/", "webapps"),
    "version.rb": ("/lib/redmine/", "webapps"),
    "iniset.php": ("/program/include/", "webapps"),
    "defines.inc.php": ("/include/", "webapps"),
    "cacti_version": ("/include/", "webapps"),
    "Configuration.php": ("/SimpleSAML/", "webapps"),
    "Generated.pm": ("/RT/", "webapps"),
    "VERSION": ("", "webapps"),
    "shaarli_version.php": ("", "webapps"),
    "adminer.php": ("", "webapps"),
    "openliberty.properties": ("/lib/versions/", "webapps"),
    "WebSphereApplicationServer.properties": ("/lib/versions/", "webapps"),
}
"""Where no other format has the name, or not at that place."""
_BY_SUFFIX = {
    ".rb": ("/.brew/", "homebrew"),
    ".xml": ("/flatpak/app/", "flatpak"),
    ".nimble": ("/pkgs", "nimble"),
    ".yml": (".info.yml", "drupal"),
    ".info": ("/sites/", "drupal"),
    ".rockspec": ("/rocks", "lua"),
    ".app": ("/ebin/", "erlang"),
    ".conf": ("/package.conf.d/", "haskell"),
    ".php": ("/wp-content/plugins/", "wordpress"),
    ".gguf": ("", "models"),
    ".safetensors": ("", "models"),
    ".egg": ("", "zipapps"),
    ".pex": ("", "zipapps"),
    ".pyz": ("", "zipapps"),
    ".whl": ("/.deps/", "zipapps"),
    ".asar": ("", "asar"),
    ".zip": ("", "layers"),
}
_MODELS = (".gguf", ".safetensors")
_ARCHIVES = (".egg", ".pex", ".pyz", ".whl", ".asar", ".zip")


def format_of(path: str) -> str:
    """Which file of ``formats`` reads it, empty for none."""
    base = path[path.rfind("/") + 1 :]
    inside, name = _BY_NAME.get(base) or _BY_SUFFIX.get(base[base.rfind(".") :]) or ("", "")
    if name and inside in f"/{path}":
        return name
    inside, name = _ELSE.get(base, ("", ""))
    return name if inside in f"/{path}" else ""


@dataclass(frozen=True, slots=True)
class Others:
    """Packages as rows (see ``rows``): a fact is the list of those that one file tells of."""

    name: str = "others"
    version: int = 10
    options: str = ""
    wants: Wants = Wants(
        names=frozenset({*_BY_NAME, *_ELSE}),
        suffixes=frozenset(_BY_SUFFIX),
        match=lambda path, size, mode: bool(format_of(path)),
        max_bytes=0,
    )
    limits: Limits = LIMITS

    def read(self, file: LayerFile) -> Json | None:
        """The rows of one file."""
        module: Any = import_module(f"anchorecli.analyzers.language.formats.{format_of(file.path)}")
        try:
            if file.path.endswith(_ARCHIVES):
                with file.open() as stream:
                    return kept(module.read_archive(stream, self.limits))
            whole = not file.path.endswith(_MODELS)
            if whole and file.size > self.limits["file-bytes"]:
                raise self.limits.exceeded("file-bytes")
            return kept(module.read(f"/{file.path}", file.data() if whole else file.head(HEAD)))
        except LimitError:
            raise
        except (ValueError, RecursionError) as exc:
            return partial(None, str(exc) or "nested too deeply")

    def assemble(self, view: View) -> Found:
        """A package for each row; one that two files beside each other tell of is one."""
        found: dict[tuple[str, str], Package] = {}
        facts = list(view.facts())
        hidden = {_same(each) for fact in facts for each in fact.value if "hidden" in each}
        for fact in facts:
            for each in fact.value:
                if hidden and _same(each) in hidden:
                    continue
                if "file" in each and _beside(fact.path, each["file"]) not in view.tree:
                    continue
                made = package(view, fact, each, "others")
                found.setdefault((made.purl, each.get("place") or fact.path), made)
        return Found(packages=tuple(found.values()))


def _same(each: Row) -> tuple[str, str, str]:
    return each["type"], each["name"], each["version"].removeprefix("v")


def _beside(path: str, other: str) -> str:
    """A path that a file names relative to its own directory."""
    from posixpath import join, normpath

    return normpath(join("/", path.rpartition("/")[0], other)).lstrip("/")
