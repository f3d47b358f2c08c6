"""Syft's own JSON.

Format: https://github.com/anchore/syft/tree/main/schema/json, versions 1 to 16: ``artifacts``,
``artifactRelationships``, ``source``, ``distro``. Relationships ``ownership-by-file-overlap`` say who owns whose files.
What this program adds stands below ``anchore``.

Not handled: ``files``; an artifact without a package URL is known by its type where that names an ecosystem.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from anchorecli.model import DiffId, Distro, ImagePath, Location
from anchorecli.sbom import distros
from anchorecli.sbom.contents import Component, Contents, mapping, number, objects, problem, text, texts, word

_TYPES = {
    "R-package": "cran",
    "alpm": "alpm",
    "apk": "apk",
    "binary": "generic",
    "conan": "conan",
    "conda": "conda",
    "dart-pub": "pub",
    "deb": "deb",
    "dotnet": "nuget",
    "gem": "gem",
    "go-module": "golang",
    "hackage": "hackage",
    "hex": "hex",
    "java-archive": "maven",
    "jenkins-plugin": "maven",
    "lua-rocks": "luarocks",
    "npm": "npm",
    "php-composer": "composer",
    "pod": "cocoapods",
    "python": "pypi",
    "rpm": "rpm",
    "rust-crate": "cargo",
    "swift": "swift",
}
"""Syft's name of a type of package → purl type."""


def read(document: dict[str, Any]) -> Contents:
    """What the document says."""
    descriptor, schema = mapping(document.get("descriptor")), mapping(document.get("schema"))
    tool = f"{word(descriptor.get('name'))} {word(descriptor.get('version'))}".strip()
    contents = Contents(form=f"Syft JSON {word(schema.get('version'))}".strip(), tool=tool)
    extra = mapping(document.get("anchore"))
    facts = {name: text(value) for name, value in mapping(extra.get("facts")).items()}
    contents.problems += [found for each in objects(extra.get("problems")) if (found := problem(each))]
    for artifact in objects(document.get("artifacts")):
        _artifact(artifact, contents)
    for each in objects(document.get("artifactRelationships")):
        if each.get("type") == "ownership-by-file-overlap":
            contents.owners[text(each.get("child"))] = text(each.get("parent"))
    distro = _distro(mapping(document.get("distro")), facts)
    if distro:
        contents.distros.append(distro)
    _source(mapping(document.get("source")), contents)
    contents.facts |= facts
    return contents


def _distro(said: dict[str, Any], facts: dict[str, str]) -> Distro | None:
    likes = said.get("idLike")
    found = {
        "distro:name": word(said.get("name")),
        "distro:codename": word(said.get("versionCodename")),
        "distro:like": " ".join(texts(likes)) if isinstance(likes, list) else word(likes),
    }
    version = said.get("versionID", said.get("version"))
    return distros.named(word(said.get("id")), number(version), text(said.get("prettyName")), found | facts)


def _source(source: dict[str, Any], contents: Contents) -> None:
    # Until version 7 of the schema the metadata were called target.
    found = mapping(source.get("metadata")) or mapping(source.get("target"))
    contents.subject = word(source.get("name")) or word(found.get("userInput"))
    contents.facts |= {"image:id": text(found.get("imageID")), "image:digest": text(found.get("manifestDigest"))}
    platform = "/".join(filter(None, (word(found.get("os")), word(found.get("architecture")))))
    contents.facts["image:platform"] = platform if "/" in platform else ""
    for index, layer in enumerate(objects(found.get("layers"))):
        contents.facts[f"layer:{index}:diff_id"] = text(layer.get("digest"))


def _artifact(artifact: dict[str, Any], contents: Contents) -> None:
    name, purl = word(artifact.get("name")), text(artifact.get("purl")).strip()
    if not name and not purl:
        contents.nameless += 1
        return
    facts = {key: text(value) for key, value in mapping(artifact.get("anchore")).items()}
    own = "analyzer" in facts
    kind = facts.get("type") or _TYPES.get(word(artifact.get("type")), "")
    metadata = mapping(artifact.get("metadata"))
    if not own:
        facts |= _facts(metadata)
    elif kind == "maven":
        group = word(mapping(metadata.get("pomProperties")).get("groupId"))
        name = f"{group}:{name}" if group else name
    contents.components.append(
        Component(
            name=name,
            version=word(artifact.get("version")),
            purl=purl,
            reference=text(artifact.get("id")),
            type=kind,
            vendor=facts.pop("vendor", "") or word(metadata.get("maintainer")) or word(metadata.get("vendor")),
            licenses=tuple(dict.fromkeys(_licenses(artifact.get("licenses")))),
            cpes=tuple(_cpes(artifact.get("cpes"))),
            locations=tuple(_locations(artifact.get("locations"))),
            facts=facts,
            own=own,
        )
    )


def _facts(metadata: dict[str, Any]) -> dict[str, str]:
    found = {
        "source:name": word(metadata.get("source")) or word(metadata.get("originPackage")),
        "source:version": word(metadata.get("sourceVersion")),
        "source:rpm": word(metadata.get("sourceRpm")),
        "module": word(metadata.get("modularityLabel")),
        "arch": word(metadata.get("architecture")) if "package" in metadata or "release" in metadata else "",
    }
    return {name: value for name, value in found.items() if value}


def _licenses(licenses: Any) -> Iterator[str]:
    """A text each until version 10 of the schema, an object each since."""
    for each in licenses if isinstance(licenses, list) else ():
        found = mapping(each)
        name = word(each) if isinstance(each, str) else word(found.get("spdxExpression")) or word(found.get("value"))
        if name:
            yield name


def _cpes(cpes: Any) -> Iterator[str]:
    """Those that somebody declared or looked up; a tool's guesses are its hints."""
    for each in objects(cpes):
        if "generated" not in word(each.get("source")) and text(each.get("cpe")):
            yield text(each.get("cpe"))


def _locations(locations: Any) -> Iterator[Location]:
    """Primary evidence first."""
    found = sorted(objects(locations), key=lambda each: mapping(each.get("annotations")).get("evidence") != "primary")
    for each in found:
        if path := text(each.get("path")):
            yield Location(ImagePath(path.removeprefix("/")), DiffId(text(each.get("layerID"))))
