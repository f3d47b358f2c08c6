"""SPDX documents of other tools, in each of their forms."""

from __future__ import annotations

from pathlib import Path

import pytest

from anchorecli.sbom.licenses import split
from tests.sbom.reading import messages, only, read, spdx, spdx_package

LIBC = spdx_package("libc6", "2.36-9", "pkg:deb/debian/libc6@2.36-9?distro=debian-12&upstream=glibc%402.36-8")


def relation(one: str, kind: str, other: str, comment: str = "") -> dict[str, str]:
    found = {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}
    return found | ({"comment": comment} if comment else {})


@pytest.mark.parametrize("version", ["SPDX-2.2", "SPDX-2.3"])
def test_a_package_is_what_its_url_says(version: str, tmp_path: Path) -> None:
    analysis = read(spdx(LIBC, spdxVersion=version), tmp_path)
    package = only(analysis)
    assert (package.type, package.name, package.version) == ("deb", "libc6", "2.36-9")
    assert (package.source, package.source_version) == ("glibc", "2.36-8")
    assert analysis.distro is not None
    assert (analysis.distro.id, analysis.distro.version_id) == ("debian", "12")
    assert messages(analysis) == []
    assert f"{version.replace('-', ' ')} by maker 1.2" in messages(analysis, incomplete=False)[-1]


def test_the_image_and_the_distribution_are_no_packages(tmp_path: Path) -> None:
    image = spdx_package("debian", "sha256:abc", "pkg:oci/debian@sha256:abc", primaryPackagePurpose="CONTAINER")
    distro = spdx_package("redhat", "9.4", primaryPackagePurpose="OPERATING-SYSTEM") | {"SPDXID": "SPDXRef-os"}
    analysis = read(spdx(image, distro, LIBC), tmp_path)
    assert only(analysis).name == "libc6"
    group = spdx_package("usr/bin/x", "", primaryPackagePurpose="APPLICATION")
    assert messages(read(spdx(group, LIBC), tmp_path)) == []
    assert analysis.image.annotations["anchore.sbom.subject"] == "debian"
    assert analysis.image.annotations["anchore.sbom.subject.digest"] == "sha256:abc"
    assert analysis.distro is not None
    assert (analysis.distro.id, analysis.distro.version_id) == ("rhel", "9.4")
    assert any("several distributions" in text for text in messages(analysis))


def test_what_is_described_is_the_subject_unless_it_is_a_package(tmp_path: Path) -> None:
    root = spdx_package("com.github.a/b", "main", "pkg:github/a/b@main")
    relations = [relation("SPDXRef-DOCUMENT", "DESCRIBES", root["SPDXID"])]
    analysis = read(spdx(root, LIBC, relationships=relations), tmp_path)
    assert only(analysis).name == "libc6"
    assert analysis.image.annotations["anchore.sbom.subject"] == "com.github.a/b"
    assert only(read(spdx(LIBC, documentDescribes=[LIBC["SPDXID"]]), tmp_path)).name == "libc6"
    both = spdx(root, LIBC, documentDescribes=[root["SPDXID"], LIBC["SPDXID"]])
    assert len(read(both, tmp_path).packages) == 2


def test_the_owner_of_files_is_read(tmp_path: Path) -> None:
    jinja = spdx_package("jinja2", "3.1", "pkg:pypi/jinja2@3.1")
    relations = [relation("SPDXRef-libc6", "OTHER", "SPDXRef-jinja2", "ownership-by-file-overlap: whatever")]
    libc, owned = read(spdx(LIBC, jinja, relationships=relations), tmp_path).packages
    assert owned.owner == libc.purl
    assert libc.owner == ""
    analysis = read(spdx(LIBC, jinja), tmp_path)
    assert any("may be judged twice" in text for text in messages(analysis, incomplete=False))


def test_what_trivy_and_syft_say_in_words(tmp_path: Path) -> None:
    trivy = spdx_package(
        "libc6", "2.36-9", "pkg:deb/debian/libc6@2.36-9", sourceInfo="built package from: glibc 2.36-8"
    )
    trivy["annotations"] = [{"annotationType": "OTHER", "comment": "LayerDiffID: sha256:a"}]
    package = only(read(spdx(trivy), tmp_path))
    assert (package.source, package.source_version, package.layer) == ("glibc", "2.36-8", "sha256:a")
    info = "acquired package info from DPKG DB: /usr/share/doc/x/copyright, /var/lib/dpkg/status"
    package = only(read(spdx(LIBC | {"sourceInfo": info}), tmp_path))
    assert [each.path for each in package.locations] == ["usr/share/doc/x/copyright", "var/lib/dpkg/status"]


def test_licences_and_supplier(tmp_path: Path) -> None:
    package = LIBC | {
        "licenseDeclared": "MIT AND (ISC OR Zlib) AND LicenseRef-a",
        "licenseConcluded": "NOASSERTION",
        "supplier": "Person: Jane Doe (jane@example.org)",
    }
    texts = [{"licenseId": "LicenseRef-a", "name": "NOASSERTION", "extractedText": "Our own"}]
    found = only(read(spdx(package, hasExtractedLicensingInfos=texts), tmp_path))
    assert found.licenses == ("MIT", "ISC OR Zlib", "Our own")
    assert found.vendor == "Jane Doe <jane@example.org>"
    package = LIBC | {"licenseDeclared": "NOASSERTION", "licenseConcluded": "MIT", "supplier": "Organization: Debian"}
    found = only(read(spdx(package), tmp_path))
    assert (found.licenses, found.vendor) == (("MIT",), "Debian")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("NOASSERTION", ()),
        ("", ()),
        ("MIT", ("MIT",)),
        ("MIT AND MIT", ("MIT",)),
        ("(MIT AND ISC)", ("MIT AND ISC",)),
        ("(MIT) AND (ISC OR (Zlib AND X11))", ("MIT", "ISC OR (Zlib AND X11)")),
        ("(MIT OR ISC) OR (Zlib)", ("(MIT OR ISC) OR (Zlib)",)),
        ("GPL-2.0-only WITH x AND MIT", ("GPL-2.0-only WITH x", "MIT")),
        ("((((", ("((((",)),
        ("AND AND", ()),
    ],
)
def test_expressions_are_taken_apart_at_the_top(expression: str, expected: tuple[str, ...]) -> None:
    assert split(expression, {}) == expected


TAGS = """# a comment
SPDXVersion: SPDX-2.2
DataLicense: CC0-1.0
SPDXID: SPDXRef-DOCUMENT
DocumentName: debian
Creator: Tool: maker-1.2
Created: 2026-01-01T00:00:00Z

FileName: ./bin/sh
SPDXID: SPDXRef-file
LicenseConcluded: NOASSERTION

PackageName: libc6
SPDXID: SPDXRef-libc6
PackageVersion: 2.36-9
PackageSupplier: Organization: Debian
PackageDescription: <text>several lines
PackageName: not one
</text>
PackageLicenseDeclared: MIT AND LicenseRef-a
ExternalRef: PACKAGE_MANAGER purl pkg:deb/debian/libc6@2.36-9?distro=debian-12
ExternalRefComment: <text>x</text>

PackageName: debian
SPDXID: SPDXRef-os
PackageVersion: 12
PrimaryPackagePurpose: OPERATING_SYSTEM

PackageName: jinja2
SPDXID: SPDXRef-jinja2
PackageVersion: 3.1
ExternalRef: PACKAGE-MANAGER purl pkg:pypi/jinja2@3.1

LicenseID: LicenseRef-a
ExtractedText: <text>a long
text</text>
LicenseName: Our own
SPDXREF: nothing

Relationship: SPDXRef-libc6 OTHER SPDXRef-jinja2
RelationshipComment: <text>ownership-by-file-overlap: x</text>
Annotator: Tool: x
AnnotationDate: 2026-01-01T00:00:00Z
AnnotationType: OTHER
SPDXREF: SPDXRef-libc6
AnnotationComment: <text>LayerDiffID: sha256:a</text>
"""


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_tags_say_the_same(ends: str, tmp_path: Path) -> None:
    analysis = read(TAGS.replace("\n", ends).encode(), tmp_path)
    libc, jinja = analysis.packages
    assert (libc.name, libc.version, libc.vendor, libc.layer) == ("libc6", "2.36-9", "Debian", "sha256:a")
    assert libc.licenses == ("MIT", "Our own")
    assert jinja.owner == libc.purl
    assert analysis.distro is not None
    assert analysis.distro.id == "debian"


def test_a_text_that_does_not_end_is_damage(tmp_path: Path) -> None:
    from anchorecli.errors import IntegrityError

    with pytest.raises(IntegrityError, match="ends inside a text"):
        read("SPDXVersion: SPDX-2.3\nPackageName: x\nPackageSummary: <text>never\nends", tmp_path)


def test_spdx_3(tmp_path: Path) -> None:
    graph = [
        {"type": "CreationInfo", "specVersion": "3.0.1"},
        {"type": "Tool", "name": "maker"},
        {"type": "software_Package", "name": "image", "software_primaryPurpose": "container"},
        {
            "type": "software_Package",
            "name": "debian",
            "software_packageVersion": "12",
            "software_primaryPurpose": "operatingSystem",
        },
        {
            "type": "software_Package",
            "spdxId": "urn:a",
            "name": "libc6",
            "software_packageVersion": "2.36-9",
            "software_packageUrl": "pkg:deb/debian/libc6@2.36-9",
        },
        {
            "type": "software_Package",
            "name": "x",
            "externalIdentifier": [{"externalIdentifierType": "packageUrl", "identifier": "pkg:npm/x@1"}],
        },
        {"type": "software_Package"},
        {"type": "simplelicensing_LicenseExpression", "spdxId": "urn:l", "simplelicensing_licenseExpression": "MIT"},
        {"type": "Relationship", "relationshipType": "hasDeclaredLicense", "from": "urn:a", "to": ["urn:l"]},
    ]
    document = {"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": graph}
    analysis = read(document, tmp_path)
    libc, other = analysis.packages
    assert (libc.name, libc.version, libc.licenses) == ("libc6", "2.36-9", ("MIT",))
    assert (other.name, other.version) == ("x", "1")
    assert analysis.distro is not None
    assert analysis.distro.version_id == "12"
    assert messages(analysis) == ["1 without a name"]
    assert any("SPDX 3.0.1 by maker of image" in text for text in messages(analysis, incomplete=False))
