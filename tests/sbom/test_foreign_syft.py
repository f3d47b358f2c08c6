"""Syft's own JSON, of several ages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.sbom.reading import messages, only, read

DISTRO = {"id": "rhel", "versionID": "9.4", "prettyName": "RHEL 9.4", "idLike": ["fedora"], "versionCodename": "Plow"}


def syft(*artifacts: Any, **more: Any) -> dict[str, Any]:
    return {
        "artifacts": list(artifacts),
        "artifactRelationships": [],
        "source": {"name": "ubi9", "metadata": {"imageID": "sha256:i", "manifestDigest": "sha256:m"}},
        "distro": DISTRO,
        "descriptor": {"name": "syft", "version": "1.18.1"},
        "schema": {"version": "16.0.18", "url": "https://raw.githubusercontent.com/anchore/syft/main/x.json"},
        **more,
    }


def artifact(name: str, version: str, kind: str, purl: str = "", **more: Any) -> dict[str, Any]:
    return {"id": f"id-{name}", "name": name, "version": version, "type": kind, "purl": purl, **more}


BIND = artifact(
    "bind-libs",
    "32:9.16-1.el9",
    "rpm",
    "pkg:rpm/redhat/bind-libs@9.16-1.el9?arch=x86_64&distro=rhel-9.4&epoch=32&upstream=bind-9.16-1.el9.src.rpm",
    licenses=[{"value": "MPLv2.0", "spdxExpression": "MPL-2.0"}, {"value": "Ours", "spdxExpression": ""}, "ISC", 7],
    locations=[
        {"path": "/usr/lib/sysimage/rpm/x", "layerID": "sha256:b", "annotations": {"evidence": "supporting"}},
        {"path": "/var/lib/rpm/rpmdb.sqlite", "layerID": "sha256:a", "annotations": {"evidence": "primary"}},
    ],
    cpes=[
        {"cpe": "cpe:2.3:a:bind:bind:9:*:*:*:*:*:*:*", "source": "syft-generated"},
        {"cpe": "cpe:2.3:a:isc:bind:9:*:*:*:*:*:*:*", "source": "nvd-cpe-dictionary"},
    ],
    metadata={"vendor": "Red Hat", "modularityLabel": "bind:9", "epoch": 32, "release": "1.el9"},
)


def test_a_package(tmp_path: Path) -> None:
    analysis = read(syft(BIND), tmp_path)
    package = only(analysis)
    assert (package.type, package.scheme, package.name, package.version) == ("rpm", "rpm", "bind-libs", "32:9.16-1.el9")
    assert (package.source, package.source_version) == ("bind", "9.16-1.el9")
    assert (package.vendor, package.module, package.arch) == ("Red Hat", "bind:9", "x86_64")
    assert package.licenses == ("MPL-2.0", "Ours", "ISC")
    assert [each.path for each in package.locations] == ["var/lib/rpm/rpmdb.sqlite", "usr/lib/sysimage/rpm/x"]
    assert package.cpes == ("cpe:2.3:a:isc:bind:9:*:*:*:*:*:*:*",)
    assert messages(analysis) == []
    distro = analysis.distro
    assert distro is not None
    assert (distro.id, distro.version_id, distro.like, distro.codename) == ("rhel", "9.4", ("fedora",), "Plow")
    assert analysis.image.annotations["anchore.sbom.subject.id"] == "sha256:i"
    assert analysis.image.annotations["anchore.sbom.subject.digest"] == "sha256:m"


def test_a_package_without_a_url_is_known_by_its_type(tmp_path: Path) -> None:
    analysis = read(syft(artifact("x", "1", "python"), artifact("y", "1", "quantum"), {"type": "npm"}), tmp_path)
    package = only(analysis)
    assert (package.type, package.name, package.version) == ("pypi", "x", "1")
    assert any("1 component without a package URL" in text for text in messages(analysis))
    assert "1 without a name" in messages(analysis)


def test_the_owner_of_files_is_read(tmp_path: Path) -> None:
    gem = artifact("bind", "1", "gem", "pkg:gem/bind@1")
    relations = [
        {"parent": "id-bind-libs", "child": "id-bind", "type": "ownership-by-file-overlap"},
        {"parent": "id-bind", "child": "id-bind-libs", "type": "contains"},
        {"parent": "nobody", "child": "id-bind", "type": "dependency-of"},
    ]
    libs, owned = read(syft(BIND, gem, artifactRelationships=relations), tmp_path).packages
    assert owned.owner == libs.purl
    assert libs.owner == ""


def test_layers_and_platform_are_those_it_claims(tmp_path: Path) -> None:
    found = {"layers": [{"digest": "sha256:a"}, {"digest": "sha256:b"}], "os": "linux", "architecture": "arm64"}
    image = read(syft(BIND, source={"type": "image", "target": found}), tmp_path).image
    assert [layer.diff_id for layer in image.layers] == ["sha256:a", "sha256:b"]
    assert str(image.config.platform) == "linux/arm64"


def test_an_image_without_distribution(tmp_path: Path) -> None:
    npm = artifact("x", "1", "npm", "pkg:npm/x@1")
    assert read(syft(npm, distro={}), tmp_path).distro is None
    found = read(syft(BIND, distro={}), tmp_path).distro
    assert found is not None  # by its package URLs
    assert (found.id, found.version_id) == ("rhel", "9.4")
