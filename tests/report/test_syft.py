"""The SBOM in Syft's JSON: its words for kinds, sources, owners, and what it has no field for."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from anchorecli.model import Image, Package, Problem, Report
from anchorecli.report import RenderOptions
from anchorecli.report.syft_json import SyftJson
from tests.report import samples


def render(report: Report) -> Any:
    return json.loads(SyftJson().render(report, RenderOptions(timestamp="2026-11-21T00:00:00Z")))


def with_packages(*packages: Package) -> Report:
    report = samples.report()
    return replace(report, analysis=replace(report.analysis, packages=packages))


def artifact(report: Report, name: str) -> Any:
    (found,) = (each for each in render(report)["artifacts"] if each["name"] == name)
    return found


def package(kind: str, name: str = "x", version: str = "1", **more: Any) -> Package:
    return Package(name, version, kind, "fuzzy", **({"purl": f"pkg:{kind}/{name}@{version}"} | more))


def test_every_part_is_there_and_no_time() -> None:
    document = render(samples.report())
    wanted = {"artifacts", "artifactRelationships", "source", "distro", "descriptor", "schema", "anchore"}
    assert set(document) == wanted
    assert document["schema"]["version"].startswith("16.")
    assert document["descriptor"]["name"] == "anchore"
    assert document["distro"]["id"] == "debian"
    assert document["distro"]["versionID"] == "12"
    assert "2026-11-21" not in json.dumps(document)
    fields = {"id", "name", "version", "type", "foundBy", "locations", "licenses", "language", "cpes", "purl"}
    assert all(fields <= set(each) for each in document["artifacts"])
    assert len({each["id"] for each in document["artifacts"]}) == len(document["artifacts"])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("pypi", "python"), ("golang", "go-module"), ("maven", "java-archive"), ("cargo", "rust-crate"), ("deb", "deb"),
     ("generic", "binary"), ("cran", "R-package"), ("surprise", "UnknownPackage")],
)  # fmt: skip
def test_kinds_have_syfts_names(kind: str, expected: str) -> None:
    assert artifact(with_packages(package(kind)), "x")["type"] == expected


def test_a_debian_package_tells_its_source_where_it_has_another_name() -> None:
    libssl = artifact(samples.report(), "libssl3")
    assert libssl["metadataType"] == "dpkg-db-entry"
    assert (libssl["metadata"]["source"], libssl["metadata"]["sourceVersion"]) == ("openssl", "")
    assert libssl["metadata"]["installedSize"] == 4
    first, second = libssl["locations"]
    assert first["path"] == "/var/lib/dpkg/status"
    assert first["layerID"] == samples.diff_id(0)
    assert (first["annotations"]["evidence"], second["annotations"]["evidence"]) == ("primary", "supporting")


def test_an_rpm_is_taken_apart() -> None:
    purl = "pkg:rpm/redhat/bind@9.16-1.el9?epoch=32&upstream=bind-9.16-1.el9.src.rpm"
    found = artifact(with_packages(package("rpm", "bind", "32:9.16-1.el9", purl=purl, module="m")), "bind")["metadata"]
    wanted = {"version": "9.16", "release": "1.el9", "epoch": 32, "modularityLabel": "m"}
    assert {key: found[key] for key in wanted} == wanted
    assert found["sourceRpm"] == "bind-9.16-1.el9.src.rpm"
    plain = artifact(with_packages(package("rpm", "bind", "9.16-1.el9")), "bind")["metadata"]
    assert (plain["epoch"], plain["sourceRpm"]) == (None, "")


def test_an_artifact_of_maven_has_its_coordinates() -> None:
    name, purl = "org.apache:log4j-core", "pkg:maven/org.apache/log4j-core@2"
    found = artifact(with_packages(package("maven", name, "2", purl=purl)), "log4j-core")
    coordinates = found["metadata"]["pomProperties"]
    assert (coordinates["groupId"], coordinates["artifactId"], coordinates["version"]) == (
        "org.apache",
        "log4j-core",
        "2",
    )


@pytest.mark.parametrize("kind", ["apk", "cargo", "gem", "golang", "npm", "pypi"])
def test_metadata_have_a_type(kind: str) -> None:
    found = artifact(with_packages(package(kind, source="origin", metadata={"h1": "h1:x", "private": "true"})), "x")
    assert found["metadataType"]
    assert found["metadata"]
    if kind == "apk":
        assert found["metadata"]["originPackage"] == "origin"
    if kind == "golang":
        assert found["metadata"]["h1Digest"] == "h1:x"
    if kind == "npm":
        assert found["metadata"]["private"] is True


def test_the_owner_of_files_and_the_image_stand_in_relationships() -> None:
    document = render(samples.report())
    ids = {each["name"]: each["id"] for each in document["artifacts"]}
    (owned,) = (each for each in document["artifactRelationships"] if each["type"] == "ownership-by-file-overlap")
    assert (owned["parent"], owned["child"]) == (ids["python3-jinja2"], ids["Jinja2"])
    assert owned["metadata"]["files"]
    contained = {each["child"] for each in document["artifactRelationships"] if each["type"] == "contains"}
    assert contained == set(ids.values())


def test_the_source_is_the_image() -> None:
    image: Image = replace(samples.image(), manifest='{"a": 1}')
    report = samples.report()
    source = render(replace(report, analysis=replace(report.analysis, image=image)))["source"]
    digest = samples.hexes("manifest")
    assert (source["type"], source["version"], source["id"]) == ("image", digest, digest.removeprefix("sha256:"))
    metadata = source["metadata"]
    assert metadata["imageID"] == samples.hexes("config")
    assert base64.b64decode(metadata["manifest"]) == b'{"a": 1}'
    assert metadata["repoDigests"] == [f"docker.io/shop/api@{digest}"]
    assert [layer["digest"] for layer in metadata["layers"]] == [samples.diff_id(index) for index in range(4)]


def test_licences_and_cpes_say_where_they_are_from() -> None:
    known = package("generic", licenses=("MIT", "Ours"), cpes=("cpe:2.3:a:x:x:1:*:*:*:*:*:*:*", "no"))
    found = artifact(with_packages(known), "x")
    assert [(each["value"], each["spdxExpression"]) for each in found["licenses"]] == [("MIT", "MIT"), ("Ours", "")]
    assert found["cpes"] == [{"cpe": "cpe:2.3:a:x:x:1:*:*:*:*:*:*:*", "source": "declared"}]
    guessed = artifact(with_packages(package("pypi", "requests", "2.28")), "requests")["cpes"]
    assert {each["source"] for each in guessed} == {"anchore-generated"}


def test_what_could_not_be_looked_at_is_told() -> None:
    problem = Problem("analyze", "var/lib/dpkg/status", "damaged", "build it again")
    report = samples.report()
    document = render(replace(report, analysis=replace(report.analysis, problems=(problem,))))
    (told,) = document["anchore"]["problems"]
    assert (told["subject"], told["message"], told["incomplete"]) == ("var/lib/dpkg/status", "damaged", True)
