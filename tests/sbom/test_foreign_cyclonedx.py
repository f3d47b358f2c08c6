"""CycloneDX documents of other tools: packages, their sources, the distribution, and what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sbom.reading import cyclonedx, library, messages, only, read

OS = {"type": "operating-system", "name": "debian", "version": "12.5", "description": "Debian GNU/Linux 12"}


def properties(**pairs: str) -> dict[str, Any]:
    return {"properties": [{"name": name.replace("_", ":"), "value": value} for name, value in pairs.items()]}


@pytest.mark.parametrize("version", ["1.2", "1.3", "1.4", "1.5", "1.6"])
def test_a_package_is_what_its_url_says(version: str, tmp_path: Path) -> None:
    component = library("libc6", "2.36-9", "pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?arch=amd64&upstream=glibc%402.36-8")
    analysis = read(cyclonedx(component, OS, version=version), tmp_path)
    package = only(analysis)
    assert (package.type, package.scheme, package.name, package.version) == ("deb", "deb", "libc6", "2.36-9+deb12u4")
    assert (package.source, package.source_version, package.arch) == ("glibc", "2.36-8", "amd64")
    assert analysis.distro is not None
    assert (analysis.distro.id, analysis.distro.version_id) == ("debian", "12.5")
    assert analysis.distro.pretty_name == "Debian GNU/Linux 12"
    assert messages(analysis) == []
    assert f"CycloneDX {version}" in messages(analysis, incomplete=False)[0]


@pytest.mark.parametrize(
    ("name", "purl", "expected"),
    [
        ("core", "pkg:npm/%40babel/core@7.0.0", "@babel/core"),
        ("core", "pkg:npm/@babel/core@7.0.0", "@babel/core"),
        ("log4j-core", "pkg:maven/org.apache/log4j-core@7.0.0?type=jar", "org.apache:log4j-core"),
        ("docker", "pkg:golang/github.com/docker/docker@7.0.0#client", "github.com/docker/docker/client"),
        ("console", "pkg:composer/symfony/console@7.0.0", "symfony/console"),
        ("Jinja2", "pkg:pypi/jinja2@7.0.0", "Jinja2"),
        ("ruamel_yaml", "pkg:pypi/ruamel-yaml@7.0.0", "ruamel_yaml"),
        ("anything", "pkg:rpm/redhat/bash@7.0.0", "bash"),
        ("busybox", "pkg:apk/alpine/busybox@7.0.0", "busybox"),
        ("Newtonsoft.Json", "pkg:nuget/Newtonsoft.Json@7.0.0", "Newtonsoft.Json"),
    ],
)
def test_names(name: str, purl: str, expected: str, tmp_path: Path) -> None:
    package = only(read(cyclonedx(library(name, "7.0.0", purl)), tmp_path))
    assert (package.name, package.version) == (expected, "7.0.0")


@pytest.mark.parametrize(
    ("purl", "version"),
    [
        ("pkg:rpm/redhat/bind@9.16.23-1.el9?epoch=32", "32:9.16.23-1.el9"),
        ("pkg:rpm/redhat/bind@9.16.23-1.el9?epoch=0", "9.16.23-1.el9"),
        ("pkg:deb/debian/bind@9.16-1?epoch=1", "1:9.16-1"),
        ("pkg:deb/debian/bind@1%3A9.16-1?epoch=1", "1:9.16-1"),
        ("pkg:golang/stdlib@1.22.1", "1.22.1"),
        ("pkg:npm/x", "0.1"),
    ],
)
def test_versions(purl: str, version: str, tmp_path: Path) -> None:
    assert only(read(cyclonedx(library("x", "0.1", purl)), tmp_path)).version == version


def test_the_source_of_an_rpm_is_its_file(tmp_path: Path) -> None:
    purl = "pkg:rpm/redhat/bind-libs@9.16-1?upstream=bind-9.16-1.el9.src.rpm&rpmmod=a:1"
    package = only(read(cyclonedx(library("bind-libs", "9.16-1", purl)), tmp_path))
    assert (package.source, package.source_version, package.module) == ("bind", "9.16-1.el9", "a:1")


def test_trivy_says_the_source_in_properties(tmp_path: Path) -> None:
    said = {"SrcName": "glibc", "SrcVersion": "2.36", "SrcRelease": "9", "SrcEpoch": "2", "LayerDiffID": "sha256:a"}
    component = library("libc6", "2.36-9", "pkg:deb/debian/libc6@2.36-9") | {
        "properties": [{"name": f"aquasecurity:trivy:{name}", "value": value} for name, value in said.items()]
    }
    package = only(read(cyclonedx(component), tmp_path))
    assert (package.source, package.source_version, package.layer) == ("glibc", "2:2.36-9", "sha256:a")


def test_syft_says_paths_layers_and_source_in_properties(tmp_path: Path) -> None:
    component = library("libc6", "2.36-9", "pkg:deb/debian/libc6@2.36-9") | {
        "properties": [
            {"name": "syft:package:foundBy", "value": "dpkg-db-cataloger"},
            {"name": "syft:location:1:path", "value": "/usr/share/doc/libc6/copyright"},
            {"name": "syft:location:0:path", "value": "/var/lib/dpkg/status"},
            {"name": "syft:location:0:layerID", "value": "sha256:a"},
            {"name": "syft:metadata:source", "value": "glibc"},
        ],
        "cpe": "cpe:2.3:a:libc6:libc6:2.36-9:*:*:*:*:*:*:*",
    }
    package = only(read(cyclonedx(component), tmp_path))
    assert {each.path: each.layer for each in package.locations} == {
        "var/lib/dpkg/status": "sha256:a",
        "usr/share/doc/libc6/copyright": "",
    }
    assert package.source == "glibc"
    assert package.cpes == ()  # a guess


def test_licences_cpes_and_supplier(tmp_path: Path) -> None:
    component = library("x", "1", "pkg:generic/x@1") | {
        "licenses": [{"license": {"id": "MIT"}}, {"license": {"name": "Ours"}}, {"license": {"id": "MIT"}}],
        "cpe": "cpe:2.3:a:x:x:1:*:*:*:*:*:*:*",
        "supplier": {"name": "Somebody"},
    }
    package = only(read(cyclonedx(component), tmp_path))
    assert package.licenses == ("MIT", "Ours")
    assert package.cpes == ("cpe:2.3:a:x:x:1:*:*:*:*:*:*:*",)
    assert package.vendor == "Somebody"
    component = library("x", "1", "pkg:generic/x@1") | {"licenses": [{"expression": "MIT OR ISC"}]}
    assert only(read(cyclonedx(component), tmp_path)).licenses == ("MIT OR ISC",)


def test_components_inside_components_are_read_and_images_are_not(tmp_path: Path) -> None:
    inner = library("inner", "2", "pkg:npm/inner@2")
    outer = library("outer", "1", "pkg:npm/outer@1", components=[inner])
    image = {"type": "container", "name": "app", "version": "sha256:x", "purl": "pkg:oci/app@sha256:x"}
    analysis = read(cyclonedx(outer, image, {"type": "file", "name": "/bin/x"}), tmp_path)
    assert [each.name for each in analysis.packages] == ["outer", "inner"]
    assert messages(analysis) == []


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    components = [
        {"type": "library", "name": "no-kind", "version": "1"},
        {"type": "library", "version": "1"},
        library("no-version", "", "pkg:npm/no-version"),
        library("unknown-version", "UNKNOWN", "pkg:npm/unknown-version"),
        library("odd", "1", "pkg:/?"),
        {"type": "application", "name": "package-lock.json"},
    ]
    analysis = read(cyclonedx(*components), tmp_path)
    assert [each.version for each in analysis.packages] == ["", ""]
    found = messages(analysis)
    assert any(text.startswith("1 component without a package URL") and "no-kind" in text for text in found)
    remarks = messages(analysis, incomplete=False)
    assert any(text.startswith("2 components without a version") for text in remarks)
    assert any("cannot be read (pkg:/?)" in text for text in found)
    assert "1 without a name" in found
    assert len(found) == 3


def test_two_things_of_one_identifier_are_both_read_and_remarked(tmp_path: Path) -> None:
    one, two = library("x", "1", "pkg:npm/x@1"), library("x", "2", "pkg:npm/x@2")
    analysis = read(cyclonedx(one, two, one), tmp_path)
    assert [each.version for each in analysis.packages] == ["1", "2"]
    assert any("identifier of another" in text for text in messages(analysis, incomplete=False))


def test_a_document_that_calls_itself_incomplete_is(tmp_path: Path) -> None:
    document = cyclonedx(library("x", "1", "pkg:npm/x@1"), compositions=[{"aggregate": "incomplete_third_party_only"}])
    assert messages(read(document, tmp_path)) == ["the SBOM says of itself that it is incomplete"]
    document["compositions"] = [{"aggregate": "complete"}]
    assert messages(read(document, tmp_path)) == []


def test_whose_files_are_whose_is_not_told_by_dependencies(tmp_path: Path) -> None:
    components = (library("a", "1", "pkg:deb/debian/a@1"), library("b", "1", "pkg:pypi/b@1"))
    document = cyclonedx(*components, dependencies=[{"ref": "ref-a", "dependsOn": ["ref-b"]}])
    analysis = read(document, tmp_path)
    assert {each.owner for each in analysis.packages} == {""}
    assert any("may be judged twice" in text for text in messages(analysis, incomplete=False))


def test_the_subject_and_the_tool_are_told_and_claimed_only(tmp_path: Path) -> None:
    for tools in ([{"name": "syft", "version": "1"}], {"components": [{"name": "syft", "version": "1"}]}):
        subject = {"type": "container", "name": "debian:12", "version": "sha256:abc"}
        document = cyclonedx(library("x", "1", "pkg:npm/x@1"), metadata={"tools": tools, "component": subject})
        image = read(document, tmp_path).image
        assert image.digest == ""
        assert image.image_id.startswith("sha256:")
        assert image.annotations["anchore.sbom.tool"] == "syft 1"
        assert image.annotations["anchore.sbom.subject"] == "debian:12"
        assert image.annotations["anchore.sbom.subject.digest"] == "sha256:abc"


XML = """<?xml version="1.0"?>
<bom xmlns="http://cyclonedx.org/schema/bom/1.{minor}" version="1">
  <metadata>
    <tools>{tools}</tools>
    <component type="container"><name>debian:12</name></component>
  </metadata>
  <components>
    <component type="library" bom-ref="a">
      <supplier><name>Somebody</name></supplier><name>libc6</name><version>2.36-9</version>
      <licenses><license><id>MIT</id></license><license><name>Ours &amp; theirs</name></license></licenses>
      <purl>pkg:deb/debian/libc6@2.36-9?upstream=glibc&amp;distro=debian-12</purl>
      <properties><property name="syft:location:0:path">/var/lib/dpkg/status</property></properties>
      <components><component type="library"><name>x</name><version>1</version><purl>pkg:npm/x@1</purl></component>
      </components>
    </component>
    <component type="operating-system"><name>debian</name><version>12</version></component>
  </components>
</bom>"""


@pytest.mark.parametrize(
    ("minor", "tools"),
    [
        (2, "<tool><vendor>anchore</vendor><name>syft</name><version>1</version></tool>"),
        (6, "<components><component type='application'><name>syft</name><version>1</version></component></components>"),
    ],
)
def test_xml_says_the_same(minor: int, tools: str, tmp_path: Path) -> None:
    analysis = read(XML.format(minor=minor, tools=tools), tmp_path)
    libc, inner = analysis.packages
    assert (libc.name, libc.source, libc.vendor) == ("libc6", "glibc", "Somebody")
    assert libc.licenses == ("MIT", "Ours & theirs")
    assert [each.path for each in libc.locations] == ["var/lib/dpkg/status"]
    assert inner.name == "x"
    assert analysis.distro is not None
    assert analysis.distro.version_id == "12"
    assert analysis.image.annotations["anchore.sbom.tool"] == "syft 1"
    assert f"CycloneDX 1.{minor}" in messages(analysis, incomplete=False)[-1]
