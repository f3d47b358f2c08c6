"""Bills of materials in an image: what they add, and what they only repeat."""

from __future__ import annotations

import json

import pytest

from anchorecli.analyzers.os.sboms import SbomAnalyzer
from anchorecli.analyzers.ownership import link_owners
from anchorecli.matching.coverage import plan
from anchorecli.model import Distro, Package
from tests.analyzers.view import TestView, make_view


def cyclonedx(*purls: str) -> str:
    components = [{"type": "library", "name": "x", "purl": purl} for purl in purls]
    return json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.5", "components": components})


def spdx(*purls: str) -> str:
    packages = [
        {
            "SPDXID": f"SPDXRef-{number}",
            "name": "x",
            "licenseDeclared": "MIT",
            "externalRefs": [{"referenceType": "purl", "referenceLocator": purl}],
        }
        for number, purl in enumerate(purls)
    ]
    return json.dumps({"spdxVersion": "SPDX-2.3", "packages": packages})


def found(files: dict[str, str], known: tuple[Package, ...] = ()) -> tuple[TestView, list[Package]]:
    view = make_view(SbomAnalyzer(), [files])
    return view, link_owners([*known, *SbomAnalyzer().assemble(view).packages], {}, view.tree)


XML = (
    '<bom xmlns="http://cyclonedx.org/schema/bom/1.5"><components><component type="library"><name>a</name>'
    "<version>1</version><purl>pkg:npm/a@1</purl></component></components></bom>"
)
TAGS = (
    "SPDXVersion: SPDX-2.3\nPackageName: a\nSPDXID: SPDXRef-a\nPackageVersion: 1\n"
    "ExternalRef: PACKAGE-MANAGER purl pkg:npm/a@1\n"
)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("app/x.cdx.json", cyclonedx("pkg:npm/a@1")),
        ("app/bom.json", cyclonedx("pkg:npm/a@1")),
        ("var/lib/db/sbom/a-1.spdx.json", spdx("pkg:npm/a@1")),
        ("opt/docker/sbom/anything", spdx("pkg:npm/a@1")),
        ("app/bom.xml", XML),
        ("app/a.spdx", TAGS),
    ],
)
def test_each_form_by_the_names_it_has(path: str, text: str) -> None:
    view, (package,) = found({path: text})
    assert (package.purl, package.name, package.version, package.scheme) == ("pkg:npm/a@1", "a", "1", "npm")
    assert package.metadata == {"evidence": "sbom"} and package.analyzer == "sboms"
    assert [each.path for each in package.locations] == [path]
    assert not view.read_problems


@pytest.mark.parametrize(
    "path",
    [
        "app/package.json",
        "app/node_modules/x/bom.json",
        "src/testdata/x.cdx.json",
        "opt/bitnami/redis/.spdx-redis.spdx",
    ],
)
def test_other_places_say_nothing(path: str) -> None:
    assert found({path: cyclonedx("pkg:npm/a@1")})[1] == []


def test_what_two_documents_say_is_said_once() -> None:
    _, (package,) = found({"a.cdx.json": cyclonedx("pkg:npm/a@1"), "b.spdx.json": spdx("pkg:npm/a@1")})
    assert [each.path for each in package.locations] == ["a.cdx.json", "b.spdx.json"]


APK = Package("busybox", "1.36.1-r20", "apk", "apk", "pkg:apk/wolfi/busybox@1.36.1-r20?arch=x86_64&distro=wolfi")


@pytest.mark.parametrize("version", ["1.36.1-r20", "1.36.1-r2"])
def test_a_package_that_its_database_lists_is_that_one(version: str) -> None:
    document = spdx(f"pkg:apk/wolfi/busybox@{version}?arch=x86_64", "pkg:github/wolfi-dev/os@abc#busybox.yaml")
    _, (package,) = found({"var/lib/db/sbom/busybox.spdx.json": document}, (APK,))
    assert (package.version, package.licenses) == ("1.36.1-r20", ("MIT",))
    assert package.metadata == {"documented": "var/lib/db/sbom/busybox.spdx.json"}


def test_a_language_package_is_known_again_by_its_version() -> None:
    python = Package("zope-interface", "5.4", "pypi", "pep440", "pkg:pypi/zope-interface@5.4")
    jar = Package("core", "2.1", "maven", "maven", "pkg:maven/core@2.1")
    purls = ("pkg:pypi/zope_interface@5.4", "pkg:pypi/zope_interface@5.5", "pkg:maven/org.example/core@2.1")
    _, packages = found({"app/x.cdx.json": cyclonedx(*purls)}, (python, jar))
    assert [(package.purl, "documented" in package.metadata) for package in packages] == [
        ("pkg:pypi/zope-interface@5.4", True),
        ("pkg:maven/core@2.1", True),
        ("pkg:pypi/zope_interface@5.5", False),
    ]


def test_sources_and_what_has_no_version_are_no_packages() -> None:
    purls = ("pkg:github/a/b@1", "pkg:generic/b@1?download_url=https://x/y.tgz", "pkg:npm/a", "pkg:oci/x@sha256:1")
    assert found({"a.cdx.json": cyclonedx(*purls)})[1] == []


@pytest.mark.parametrize(("scope", "listed"), [("required", 1), ("", 1), ("excluded", 0), ("optional", 0)])
def test_what_a_document_leaves_out_of_what_runs_is_not_there(scope: str, listed: int) -> None:
    document = json.loads(cyclonedx("pkg:cargo/cc@1.4.0"))
    document["components"][0]["scope"] = scope
    xml = XML.replace("</version>", f"</version><scope>{scope}</scope>") if scope else XML
    view, packages = found({"w-1.dist-info/sboms/w.cdx.json": json.dumps(document)})
    assert len(packages) == listed
    assert len(found({"app/bom.xml": xml})[1]) == listed
    assert SbomAnalyzer().assemble(view).problems == ()


def test_libraries_that_a_wheel_brings() -> None:
    path = "usr/lib/python3/site-packages/numpy-2.1.0.dist-info/sboms/auditwheel.cdx.json"
    system = Package("libgfortran", "8.5.0-1.el8", "rpm", "rpm", "pkg:rpm/almalinux/libgfortran@8.5.0-1.el8")
    _, (own, copy) = found({path: cyclonedx("pkg:rpm/almalinux/libgfortran@8.5.0-22.el8_10")}, (system,))
    assert own == system
    assert copy.metadata == {"evidence": "sbom", "distribution": "almalinux", "bundled_by": "numpy"}
    planned = plan([copy], Distro("debian", "12"), frozenset({"debian:12"}))
    assert [problem.message for problem in planned.problems] == [
        "named by documents in the image, of another distribution: 1 package was not checked for vulnerabilities"
    ]
    assert not planned.problems[0].incomplete


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": "x"}', "\x7f", '{"bomFormat": "CycloneDX"'])
def test_a_document_that_is_none_is_a_remark_where_its_name_says_it_is_one(text: str) -> None:
    view = make_view(SbomAnalyzer(), [{"a/x.spdx.json": text, "a/bom.json": text}])
    result = SbomAnalyzer().assemble(view)
    assert not result.packages and not view.read_problems
    assert [(problem.subject, problem.incomplete) for problem in result.problems] == [("a/x.spdx.json", False)]


def test_components_without_a_package_url_are_counted() -> None:
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "components": [{"type": "library", "name": "a", "version": "1"}, {"type": "library", "purl": "pkg:npm/b@1"}],
    }
    view = make_view(SbomAnalyzer(), [{"a/x.cdx.json": json.dumps(document)}])
    result = SbomAnalyzer().assemble(view)
    assert [package.purl for package in result.packages] == ["pkg:npm/b@1"]
    assert [problem.message for problem in result.problems] == [
        "1 of 2 components have no package URL: they are not listed"
    ]
