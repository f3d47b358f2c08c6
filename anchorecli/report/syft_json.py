"""An SBOM in the JSON of Syft, for the tools that read it (Grype among them).

Format: https://github.com/anchore/syft/tree/main/schema/json, version 16.0. Written as far as our facts go: what Syft
keeps of a package's own database (dependencies, scripts, every file) is not there. Package types, metadata types and
relationships have Syft's names. What Syft has no field for stands below ``anchore`` in an artifact, or in the document:
facts (see ``stock``), and what could not be looked at.

Order: artifacts by type, name and version. Syft's form has no time.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import unquote

from anchorecli.model import Distro, Image, Location, Package, Report
from anchorecli.report import stock
from anchorecli.report.base import RenderOptions, Subject
from anchorecli.report.cpes import guessed, is_cpe
from anchorecli.report.json_lines import batched, framed
from anchorecli.report.relations import dependencies
from anchorecli.spdx import is_expression
from anchorecli.values import dataclass

Object = dict[str, Any]

SCHEMA = "16.0.18"
_URL = f"https://raw.githubusercontent.com/anchore/syft/main/schema/json/schema-{SCHEMA}.json"

TYPES = {
    "alpm": "alpm",
    "apk": "apk",
    "bitnami": "bitnami",
    "brew": "homebrew",
    "cargo": "rust-crate",
    "cocoapods": "pod",
    "composer": "php-composer",
    "conan": "conan",
    "conda": "conda",
    "cran": "R-package",
    "deb": "deb",
    "ebuild": "portage",
    "gem": "gem",
    "generic": "binary",
    "github": "binary",
    "golang": "go-module",
    "hackage": "hackage",
    "hex": "hex",
    "huggingface": "model",
    "linux-kernel": "linux-kernel",
    "luarocks": "lua-rocks",
    "maven": "java-archive",
    "ml-model": "model",
    "nix": "nix",
    "npm": "npm",
    "nuget": "dotnet",
    "opam": "opam",
    "opkg": "deb",
    "otp": "erlang-otp",
    "pear": "php-pear",
    "pub": "dart-pub",
    "pypi": "python",
    "rpm": "rpm",
    "swift": "swift",
    "swipl-pack": "swiplpack",
    "vcpkg": "vcpkg",
    "wordpress-plugin": "wordpress-plugin",
}
"""purl type → what Syft calls such packages."""
_LANGUAGES = {
    "cargo": "rust",
    "composer": "php",
    "cran": "R",
    "gem": "ruby",
    "golang": "go",
    "hex": "elixir",
    "maven": "java",
    "npm": "javascript",
    "nuget": "dotnet",
    "pear": "php",
    "pub": "dart",
    "pypi": "python",
    "swift": "swift",
}
_UPSTREAM = re.compile(r"[?&]upstream=([^&#]+)")


@dataclass(frozen=True, slots=True)
class SyftJson:
    """The packages for tools that read Syft's own form."""

    name: str = "syft-json"
    subject: Subject = "sbom"
    media_type: str = "application/vnd.syft+json"
    description: str = f"SBOM in the JSON of Syft (schema {SCHEMA})"

    def prepare(self) -> None:
        """Nothing here is slow to load."""

    def render(self, report: Report, options: RenderOptions) -> str:
        """The SBOM as JSON text, a line per artifact and relationship."""
        return "".join(self.pieces(report, options))

    def pieces(self, report: Report, options: RenderOptions) -> Iterator[str]:
        """The same in pieces."""
        analysis = report.analysis
        named = stock.references(analysis.packages)
        source = _source(analysis.image)
        facts = dict([*stock.image_facts(analysis.image), *_distro_facts(analysis.distro)])
        problems = [json.loads(value) for _, value in stock.gaps(analysis.problems)]
        fields: Object = {
            "artifacts": (_artifact(reference, package) for reference, package in named),
            "artifactRelationships": _relationships(source["id"], named),
            "source": source,
            "distro": _distro(analysis.distro) if analysis.distro else {},
            "descriptor": {"name": "anchore", "version": report.tool_version},
            "schema": {"version": SCHEMA, "url": _URL},
            "anchore": {"facts": facts, "problems": problems},
        }
        return batched(framed(fields.items()))


def _artifact(reference: str, package: Package) -> Object:
    text = stock.text
    name = text(package.name)
    found: Object = {
        "id": reference,
        "name": name.rpartition(":")[2] if package.type == "maven" else name,
        "version": text(package.version),
        "type": TYPES.get(package.type, "UnknownPackage"),
        "foundBy": f"anchore-{package.analyzer}" if package.analyzer else "anchore",
        "locations": [*_locations(package.locations)],
        "licenses": [_license(text(each)) for each in dict.fromkeys(package.licenses) if each],
        "language": _LANGUAGES.get(package.type, ""),
        "cpes": [*_cpes(package)],
        "purl": package.purl if stock.is_purl(package.purl) else "",
    }
    make = _METADATA.get(package.type)
    if make is not None:
        found["metadataType"], found["metadata"] = make(package)
    facts = dict(stock.facts(package))
    if package.vendor:
        facts["vendor"] = text(package.vendor)
    found["anchore"] = facts
    return found


def _locations(locations: Iterable[Location]) -> Iterator[Object]:
    for at, location in enumerate(locations):
        path = f"/{stock.text(location.path)}"
        evidence = {"evidence": "supporting" if at else "primary"}
        yield {"path": path, "layerID": stock.text(location.layer), "accessPath": path, "annotations": evidence}


def _license(name: str) -> Object:
    expression = name if is_expression(name) else ""
    return {"value": name, "spdxExpression": expression, "type": "declared", "urls": [], "locations": []}


def _cpes(package: Package) -> Iterator[Object]:
    yield from ({"cpe": cpe, "source": "declared"} for cpe in package.cpes if is_cpe(cpe))
    yield from ({"cpe": cpe, "source": "anchore-generated"} for cpe in guessed(package))


def _relationships(root: str, named: list[tuple[str, Package]]) -> Iterator[Object]:
    for reference, _ in named:
        yield {"parent": root, "child": reference, "type": "contains"}
    paths = {reference: package.locations for reference, package in named}
    for owner, others in stock.owned(named).items():
        for reference in others if owner else ():
            files = [f"/{stock.text(location.path)}" for location in paths[reference]]
            yield {
                "parent": owner,
                "child": reference,
                "type": "ownership-by-file-overlap",
                "metadata": {"files": files},
            }
    for reference, needed in dependencies(named).items():
        for other in needed:
            yield {"parent": other, "child": reference, "type": "dependency-of"}


def _source(image: Image) -> Object:
    platform = image.config.platform
    tags = [stock.text(name) for name in image.names]
    version = stock.image_version(image)
    ref = image.ref
    return {
        "id": version.removeprefix("sha256:") or "image",
        "name": stock.text(ref.name.partition("@")[0]) if ref.repository else stock.image_name(image),
        "version": version,
        "type": "image",
        "metadata": {
            "userInput": stock.text(ref.original),
            "imageID": image.image_id,
            "manifestDigest": image.digest,
            "mediaType": "",
            "tags": tags,
            "imageSize": sum(layer.size for layer in image.layers),
            "layers": [
                {"mediaType": stock.text(layer.media_type), "digest": layer.diff_id, "size": layer.size}
                for layer in image.layers
            ],
            "manifest": _base64(image.manifest),
            "config": _base64(image.config.raw),
            "repoDigests": [f"{ref.registry}/{ref.repository}@{image.digest}"] if image.digest and ref.registry else [],
            "architecture": platform.architecture,
            "os": platform.os,
            "labels": {stock.text(key): stock.text(value) for key, value in sorted(image.config.labels.items())},
        },
    }


def _base64(document: str) -> str:
    try:
        data = document.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # no bytes of an image: half of a pair that a store or a test made up
        data = document.encode("utf-8", "replace")
    return b64encode(data).decode()


def _distro(distro: Distro) -> Object:
    found: Object = {
        "prettyName": distro.pretty_name,
        "name": distro.name,
        "id": distro.id,
        "idLike": list(distro.like),
        "versionID": distro.version_id,
        "versionCodename": distro.codename,
    }
    return {
        key: [stock.text(each) for each in value] if isinstance(value, list) else stock.text(value)
        for key, value in found.items()
        if value
    }


def _distro_facts(distro: Distro | None) -> Iterator[tuple[str, str]]:
    if distro is not None:
        pairs = (("distro:base_codename", distro.base_codename), ("distro:source", distro.source))
        yield from ((name, stock.text(value)) for name, value in pairs if value)


# ── the metadata of each kind of package ────────────────────────────────────────────────────────────────────────


def _deb(package: Package) -> tuple[str, Object]:
    same_name, same_version = package.source == package.name, package.source_version == package.version
    return "dpkg-db-entry", {
        "package": stock.text(package.name),
        "source": "" if same_name else stock.text(package.source),
        "version": stock.text(package.version),
        "sourceVersion": "" if same_version else stock.text(package.source_version),
        "architecture": stock.text(package.arch),
        "maintainer": stock.text(package.vendor),
        "installedSize": package.size // 1024,
        "files": [],
    }


def _rpm(package: Package) -> tuple[str, Object]:
    epoch, colon, rest = package.version.partition(":")
    version, _, release = (rest if colon else package.version).partition("-")
    upstream = _UPSTREAM.search(package.purl)
    return "rpm-db-entry", {
        "name": stock.text(package.name),
        "version": stock.text(version),
        "epoch": int(epoch) if colon and epoch.isascii() and epoch.isdigit() else None,
        "architecture": stock.text(package.arch),
        "release": stock.text(release),
        "sourceRpm": unquote(upstream[1]) if upstream else "",
        "size": package.size,
        "vendor": stock.text(package.vendor),
        "modularityLabel": stock.text(package.module),
        "files": [],
    }


def _apk(package: Package) -> tuple[str, Object]:
    return "apk-db-entry", {
        "package": stock.text(package.name),
        "originPackage": stock.text(package.source),
        "maintainer": stock.text(package.vendor),
        "version": stock.text(package.version),
        "architecture": stock.text(package.arch),
        "url": "",
        "description": "",
        "size": 0,
        "installedSize": package.size,
        "pullDependencies": [],
        "provides": [],
        "pullChecksum": "",
        "gitCommitOfApkPort": "",
        "files": [],
    }


def _python(package: Package) -> tuple[str, Object]:
    path = package.locations[0].path if package.locations else ""
    return "python-package", {
        "name": stock.text(package.name),
        "version": stock.text(package.version),
        "author": "",
        "authorEmail": "",
        "platform": "",
        "sitePackagesRootPath": f"/{stock.text(path).rpartition('/')[0].rpartition('/')[0]}",
    }


def _npm(package: Package) -> tuple[str, Object]:
    return "javascript-npm-package", {
        "name": stock.text(package.name),
        "version": stock.text(package.version),
        "author": "",
        "homepage": "",
        "description": "",
        "url": "",
        "private": package.metadata.get("private") == "true",
    }


def _maven(package: Package) -> tuple[str, Object]:
    group, colon, artifact = stock.text(package.name).rpartition(":")
    path = f"/{stock.text(package.locations[0].path)}" if package.locations else ""
    found: Object = {"virtualPath": path}
    if colon:
        coordinates = {"groupId": group, "artifactId": artifact, "version": stock.text(package.version)}
        found["pomProperties"] = {"path": "", "name": "", **coordinates}
    return "java-archive", found


def _golang(package: Package) -> tuple[str, Object]:
    found: Object = {"architecture": stock.text(package.arch)}
    if checksum := package.metadata.get("h1"):
        found["h1Digest"] = stock.text(checksum)
    return "go-module-buildinfo-entry", found


def _gem(package: Package) -> tuple[str, Object]:
    return "ruby-gemspec", {"name": stock.text(package.name), "version": stock.text(package.version)}


def _cargo(package: Package) -> tuple[str, Object]:
    source = stock.text(package.metadata.get("source", "crates.io"))
    return "rust-cargo-audit-entry", {
        "name": stock.text(package.name),
        "version": stock.text(package.version),
        "source": source,
    }


_METADATA: dict[str, Callable[[Package], tuple[str, Object]]] = {
    "apk": _apk,
    "cargo": _cargo,
    "deb": _deb,
    "gem": _gem,
    "golang": _golang,
    "maven": _maven,
    "npm": _npm,
    "pypi": _python,
    "rpm": _rpm,
}
