"""Bitnami's components, by the documents its builds leave beside them.

Format: SPDX 2.3 JSON (https://spdx.github.io/spdx-spec/v2.3/) in ``/opt/bitnami/NAME/.spdx-NAME.spdx``, packages with
an external reference ``pkg:bitnami/redis@7.2.4-0?arch=amd64&distro=debian-12``; before that ``/opt/bitnami/
.bitnami_components.json``: ``{"redis": {"arch": "amd64", "version": "7.2.4-0", …}}``.

It is what a document says, not what was found: each package says so in its metadata (``evidence: document``). What a
document says of packages of other kinds is left to those kinds' own evidence.

Emits: packages of the type ``bitnami``, with licences; each is marked as what a document says.

Not handled: CycloneDX documents, and components without either file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from anchorecli.analyzers.base import Fact, Found, LayerFile, View, Wants, partial
from anchorecli.analyzers.documents import read_json
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.rows import kept
from anchorecli.analyzers.language.since import since
from anchorecli.analyzers.licenses import normalise
from anchorecli.analyzers.purl import purl
from anchorecli.errors import LimitError
from anchorecli.model import Json, Package
from anchorecli.tree import Tree
from anchorecli.values import dataclass

MAX_BYTES = 32 * 1024 * 1024
PLACE = "opt/bitnami/"
COMPONENTS = PLACE + ".bitnami_components.json"

_PURL = "pkg:bitnami/"
_NO_LICENSE = ("", "NONE", "NOASSERTION")


@dataclass(frozen=True, slots=True)
class BitnamiAnalyzer:
    """Bitnami's own packages.

    A fact is a list of ``name``, ``version``, ``arch``, ``distro``, ``license``, ``main`` (whether the document is
    about it).
    """

    name: str = "bitnami"
    version: int = 1
    options: str = ""
    wants: Wants = Wants(
        paths=frozenset({COMPONENTS}),
        suffixes=frozenset({".spdx"}),
        match=lambda path, size, mode: path == COMPONENTS or (path.startswith(PLACE) and "/.spdx-" in path),
        max_bytes=MAX_BYTES,
    )

    def read(self, file: LayerFile) -> Json | None:
        """The packages of one document."""
        try:
            document = read_json(file.data())
        except LimitError:
            raise
        except ValueError as exc:
            return partial(None, str(exc))
        if not isinstance(document, dict):
            return partial(None, "no JSON object")
        return kept(_components(document) if file.path == COMPONENTS else _spdx(document))

    def assemble(self, view: View) -> Found:
        """A package for each component; the older list counts for what has no document of its own."""
        facts = list(view.facts())
        documented = {row["name"] for fact in facts if fact.path != COMPONENTS for row in fact.value}
        packages: dict[str, Package] = {}
        owned: dict[str, list[str]] = {}
        for fact in facts:
            for row in fact.value:
                if fact.path == COMPONENTS and row["name"] in documented:
                    continue
                package = _package(view, fact, row)
                if packages.setdefault(package.purl, package) is package and row.get("main"):
                    owned[package.purl] = list(_below(view.tree, fact.path.rpartition("/")[0]))
        return Found(packages=tuple(packages.values()), owned=owned)


def _components(document: Mapping[str, Any]) -> Iterator[dict[str, Json]]:
    for name, entry in document.items():
        if isinstance(entry, dict) and isinstance(entry.get("version"), str) and name and entry["version"]:
            texts = {
                key: printable(text) for key in ("version", "arch", "distro") if isinstance(text := entry.get(key), str)
            }
            yield {"name": printable(name), **texts}


def _spdx(document: Mapping[str, Any]) -> Iterator[dict[str, Json]]:
    packages = document.get("packages")
    described = document.get("documentDescribes")
    described = {each for each in described if isinstance(each, str)} if isinstance(described, list) else set()
    for number, entry in enumerate(packages if isinstance(packages, list) else ()):
        if not isinstance(entry, dict) or not (identity := _identity(entry)):
            continue
        licences = (entry.get("licenseConcluded"), entry.get("licenseDeclared"))
        licence = next((text for text in licences if isinstance(text, str) and text not in _NO_LICENSE), "")
        own = entry.get("SPDXID")
        main = isinstance(own, str) and own in described if described else number == 0
        yield {**identity, "license": printable(licence), "main": main}


def _identity(entry: Mapping[str, Any]) -> dict[str, str]:
    """What a package's reference to Bitnami says; empty where it has none."""
    references = entry.get("externalRefs")
    for reference in references if isinstance(references, list) else ():
        text = reference.get("referenceLocator") if isinstance(reference, dict) else None
        if isinstance(text, str) and text.startswith(_PURL):
            name, _, rest = printable(text).removeprefix(_PURL).partition("@")
            version, _, qualifiers = rest.partition("?")
            pairs = dict(pair.partition("=")[::2] for pair in qualifiers.split("&"))
            if name and version:
                texts = {key: unquote(pairs[key]) for key in ("arch", "distro") if pairs.get(key)}
                return {"name": unquote(name), "version": unquote(version), **texts}
    return {}


def _below(tree: Tree, directory: str) -> Iterator[str]:
    prefix = directory + "/"
    return (path for path in tree if path.startswith(prefix))


def _package(view: View, fact: Fact, row: Mapping[str, Any]) -> Package:
    qualifiers = {"arch": row.get("arch", ""), "distro": row.get("distro", "")}
    return Package(
        name=row["name"],
        version=row["version"],
        type="bitnami",
        scheme="fuzzy",
        purl=purl("bitnami", row["name"], row["version"], qualifiers),
        arch=row.get("arch", ""),
        source=row["name"],
        source_version=row["version"],
        licenses=normalise([row["license"]] if row.get("license") else []),
        locations=(view.location(fact),),
        layer=since(view, fact),
        analyzer="bitnami",
        metadata={"evidence": "document"},
    )
