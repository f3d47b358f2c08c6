"""Installed PHP packages: those of Composer by ``vendor/composer/installed.json``, or ``installed.php``.

Format: https://getcomposer.org/doc/07-runtime.md , of each package https://getcomposer.org/doc/04-schema.md ;
Composer 1 writes a list of packages, Composer 2 ``{"packages": […], "dev-package-names": […]}``; one of them is
``{"name": "monolog/monolog", "version": "2.9.1", "license": ["MIT"]}``. Where it was deleted, ``installed.php`` beside
it has names and versions as a PHP array that Composer writes; it is never run.

Emits: packages of the type ``composer``, with licences, and what is for development only marked so.

Not handled: what is inside of a phar, composer.lock, packages copied without Composer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from anchorecli.analyzers.base import Fact, Found, LayerFile, View, Wants, partial
from anchorecli.analyzers.documents import read_json, whole_text
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.rows import MOST_PACKAGES, kept
from anchorecli.analyzers.licenses import normalise
from anchorecli.analyzers.os.attribution import first_layers, written
from anchorecli.analyzers.purl import purl
from anchorecli.errors import LimitError
from anchorecli.model import DiffId, Json, Location, Package
from anchorecli.values import dataclass

MAX_BYTES = 16 * 1024 * 1024
MAX_TEXT = 300
MAX_LICENSES = 16

# Composer's rule for names is narrower; upper case was allowed once.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9][A-Za-z0-9_.-]*")
_ENTRY = re.compile(rf"'({_NAME.pattern}|__root__)'\s{{0,9}}=>\s{{0,9}}array\s?\(")
_VERSIONS = "'versions' =>"
_ROOT = re.compile(r"'name'\s{0,9}=>\s{0,9}'([^'\n]{1,300})'")
_VALUE = re.compile(r"'(pretty_version|type|reference)' => '([^'\n]*)'")


@dataclass(frozen=True, slots=True)
class Composer:
    """Packages in Composer's vendor directories, global ones among them.

    A fact is a list of ``{"name", "version", "licenses", "type", "dev", "reference"}``, with what is there.
    """

    name: str = "composer"
    version: int = 3
    options: str = ""
    wants: Wants = Wants(
        names=frozenset({"installed.json", "installed.php"}),
        match=lambda path, size, mode: f"/{path}".endswith(("/composer/installed.json", "/composer/installed.php")),
        max_bytes=MAX_BYTES,
    )

    def read(self, file: LayerFile) -> Json | None:
        """The packages of one installation."""
        if file.path.endswith(".php"):
            return kept(read_array(file.data()))
        try:
            return kept(read_installed(file.data())) or []
        except LimitError:
            raise
        except ValueError as error:
            return partial([], str(error))

    def assemble(self, view: View) -> Found:
        """A package for each package of each installation."""
        paths = {fact.path for fact in view.facts()}
        told = (fact for fact in view.facts() if _beside(fact.path) not in paths)
        return Found(packages=tuple(package for fact in told for package in _packages(view, fact)))


def read_installed(data: bytes) -> list[dict[str, Json]]:
    """The packages that installed.json lists; what is no package in it is left out.

    Raises:
        ValueError: it is no JSON, or no list of packages.
    """
    document = read_json(data)
    development: set[str] = set()
    if isinstance(document, dict):
        names = document.get("dev-package-names")
        development = {name for name in names if isinstance(name, str)} if isinstance(names, list) else set()
        document = document.get("packages")
    if not isinstance(document, list):
        raise ValueError("no list of packages in it")
    found = (_read_package(each, development) for each in document if isinstance(each, dict))
    # One more than may be: that tells that there are more.
    return list(islice((each for each in found if each is not None), MOST_PACKAGES + 1))


def read_array(data: bytes) -> Iterator[dict[str, Json]]:
    """The packages that installed.php lists: the array of Composer's own run-time, which some images keep alone."""
    text = whole_text(data)
    begin = text.find(_VERSIONS)
    root = _ROOT.search(text, 0, max(begin, 0))
    entries = _ENTRY.finditer(text, begin) if begin >= 0 else iter(())
    entry = next(entries, None)
    while entry is not None:
        this, entry = entry, next(entries, None)
        name, start, end = this[1], this.end(), entry.start() if entry else len(text)
        said = {found[1]: found[2] for found in _VALUE.finditer(text, start, end)}
        version, kind = said.get("pretty_version", "").strip(), said.get("type", "library")
        # Without a version it is replaced or provided by another one.
        if not version or len(name) > MAX_TEXT or (root and name == root[1]):
            continue
        fact: dict[str, Json] = {"name": name, "version": version[:MAX_TEXT]}
        if kind != "library":
            fact["type"] = kind[:MAX_TEXT]
        if text.find("'dev_requirement' => true", start, end) >= 0:
            fact["dev"] = True
        if version.startswith("dev-") and said.get("reference"):
            fact["reference"] = said["reference"][:MAX_TEXT]
        yield fact


def _beside(path: str) -> str:
    """The file that says more, where it is there."""
    return f"{path[:-4]}.json" if path.endswith(".php") else ""


def _read_package(document: dict[str, Json], development: set[str]) -> dict[str, Json] | None:
    name, version = _text(document.get("name")), _text(document.get("version"))
    if not version or len(name) > MAX_TEXT or not _NAME.fullmatch(name):
        return None
    fact: dict[str, Json] = {"name": name, "version": version}
    licenses = document.get("license")
    texts = [_text(each) for each in (licenses if isinstance(licenses, list) else [licenses])[:MAX_LICENSES]]
    if texts := [text for text in texts if text]:
        fact["licenses"] = texts
    if (kind := _text(document.get("type"))) and kind != "library":
        fact["type"] = kind
    if name in development:
        fact["dev"] = True
    source = document.get("source") or document.get("dist")
    # A branch is no version: which commit it was says the reference alone.
    if version.startswith("dev-") and isinstance(source, dict) and (reference := _text(source.get("reference"))):
        fact["reference"] = reference
    return fact


def _text(value: object) -> str:
    return printable(value).strip()[:MAX_TEXT] if isinstance(value, str) else ""


def _packages(view: View, fact: Fact) -> Iterator[Package]:
    layers = first_layers(view.history(fact.path), written)
    for value in fact.value:
        layer = layers.get(repr(value), fact.layer) if layers else fact.layer
        yield _package(value, view.location(fact), view.diff_id(layer))


def _package(value: dict[str, Json], location: Location, layer: DiffId) -> Package:
    name, version = value["name"].lower(), value["version"]
    metadata: dict[str, str] = {key: value[key] for key in ("type", "reference") if key in value}
    if value.get("dev"):
        metadata["dev"] = "true"
    return Package(
        name=name,
        version=version,
        type="composer",
        scheme="composer",
        purl=purl("composer", name, version),
        source=name,
        source_version=version,
        licenses=normalise(value.get("licenses", ())),
        locations=(location,),
        layer=layer,
        analyzer="composer",
        metadata=metadata,
    )
