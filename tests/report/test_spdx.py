"""The SPDX SBOMs: valid by the SPDX library, reproducible, and complete."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from spdx_tools.spdx.model import Document, RelationshipType
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

from anchorecli.model import Package, Problem, Report
from anchorecli.report import RenderOptions
from anchorecli.report.spdx_json import SpdxJson
from anchorecli.report.spdx_tv import SpdxTagValue
from anchorecli.spdx import EXCEPTIONS, IDS, is_expression, is_license
from tests.report import samples

SAMPLES = {
    "fail": samples.report(),
    "pass": samples.clean_report(),
    "incomplete": samples.indeterminate_report(),
    "hostile": samples.hostile_report(),
    "empty": samples.report(analysis=replace(samples.report().analysis, packages=(), distro=None)),
}
FORMS = {"json": SpdxJson(), "spdx": SpdxTagValue()}


def render(report: Report, timestamp: str = "") -> Any:
    return json.loads(SpdxJson().render(report, RenderOptions(timestamp=timestamp)))


def parsed(report: Report, ending: str, folder: Path) -> Document:
    path = folder / f"bom.{ending}"
    path.write_text(FORMS[ending].render(report, RenderOptions()), "utf-8")
    return parse_file(str(path))


def with_packages(*packages: Package) -> Report:
    report = samples.report()
    return replace(report, analysis=replace(report.analysis, packages=packages))


def package(document: Any, name: str) -> Any:
    (found,) = (each for each in document["packages"] if each["name"] == name)
    return found


def facts(element: Any) -> dict[str, Any]:
    return {key: value for each in element["annotations"] for key, value in json.loads(each["comment"]).items()}


@pytest.mark.parametrize("ending", FORMS)
@pytest.mark.parametrize("name", SAMPLES)
def test_it_is_valid(name: str, ending: str, tmp_path: Path) -> None:
    document = parsed(SAMPLES[name], ending, tmp_path)
    assert [each.validation_message for each in validate_full_spdx_document(document)] == []
    distro = SAMPLES[name].analysis.distro is not None
    assert len(document.packages) == len(SAMPLES[name].analysis.packages) + 1 + distro


def test_both_forms_say_the_same(tmp_path: Path) -> None:
    one, two = (parsed(samples.report(), ending, tmp_path) for ending in FORMS)
    assert one.packages == two.packages
    assert one.relationships == two.relationships
    assert one.extracted_licensing_info == two.extracted_licensing_info
    assert [each.spdx_id for each in one.annotations] == [each.spdx_id for each in two.annotations]


def test_equal_content_gives_equal_bytes_and_another_content_another_namespace() -> None:
    report = samples.report()
    turned = with_packages(*report.analysis.packages[::-1])
    for form in FORMS.values():
        assert form.render(turned, RenderOptions()) == form.render(report, RenderOptions())
    first, later = render(report), render(report, "2027-01-01T00:00:00Z")
    assert later["creationInfo"]["created"] == "2027-01-01T00:00:00Z"
    assert later["documentNamespace"] == first["documentNamespace"]
    assert render(with_packages(samples.NGINX))["documentNamespace"] != first["documentNamespace"]


def test_the_time_is_the_one_passed_in_or_that_of_the_analysis_in_utc() -> None:
    report = replace(samples.report(), created_at="2026-11-21T10:00:00+02:00")
    assert render(report)["creationInfo"]["created"] == "2026-11-21T08:00:00Z"
    assert render(replace(report, created_at="soon"))["creationInfo"]["created"] == "1970-01-01T00:00:00Z"


def test_the_image_is_what_the_document_describes() -> None:
    document = render(samples.report())
    image = package(document, "docker.io/shop/api:1.4.2")
    digest = samples.hexes("manifest")
    assert image["versionInfo"] == digest
    assert image["primaryPackagePurpose"] == "CONTAINER"
    assert image["checksums"] == [{"algorithm": "SHA256", "checksumValue": digest.removeprefix("sha256:")}]
    assert image["externalRefs"][0]["referenceLocator"].startswith(f"pkg:oci/api@{digest}?")
    assert facts(image)["anchore:layer:3:instruction"] == "RUN pip install --no-cache-dir -r requirements.txt"
    assert document["relationships"][0] == {
        "spdxElementId": "SPDXRef-DOCUMENT",
        "relationshipType": "DESCRIBES",
        "relatedSpdxElement": image["SPDXID"],
    }


def test_a_package_keeps_what_no_field_holds() -> None:
    libssl = package(render(samples.report()), "libssl3")
    assert libssl["sourceInfo"] == "found by dpkg in /var/lib/dpkg/status, /var/lib/dpkg/info/libssl3.list"
    assert facts(libssl) == {
        "anchore:analyzer": "dpkg",
        "anchore:source:name": "openssl",
        "anchore:layer:diff_id": samples.diff_id(0),
        "anchore:size": "4096",
        "anchore:metadata:section": "libs",
        "anchore:locations": [["var/lib/dpkg/status"], ["var/lib/dpkg/info/libssl3.list"]],
    }


def test_the_owner_is_told() -> None:
    document = render(samples.report())
    owner, owned = (package(document, name)["SPDXID"] for name in ("python3-jinja2", "Jinja2"))
    (relation,) = (each for each in document["relationships"] if each["relationshipType"] == "OTHER")
    assert (relation["spdxElementId"], relation["relatedSpdxElement"]) == (owner, owned)
    assert relation["comment"].startswith("ownership-by-file-overlap")


@pytest.mark.parametrize(
    ("vendor", "expected"),
    [
        ("Debian OpenSSL Team <ssl@lists.debian.org>", "Person: Debian OpenSSL Team (ssl@lists.debian.org)"),
        ("Red Hat, Inc.", "Organization: Red Hat, Inc."),
        ("odd (name) <a@b.c>", "Organization: odd (name)"),
        ("two\nlines", "Organization: two lines"),
        ("", "NOASSERTION"),
    ],
)
def test_suppliers(vendor: str, expected: str, tmp_path: Path) -> None:
    report = with_packages(replace(samples.NGINX, vendor=vendor))
    assert package(render(report), "nginx")["supplier"] == expected
    for ending in FORMS:
        assert not validate_full_spdx_document(parsed(report, ending, tmp_path))


@pytest.mark.parametrize(
    ("licenses", "expected"),
    [
        ((), "NOASSERTION"),
        (("MIT",), "MIT"),
        (("Apache-2.0 OR MIT", "BSD-3-Clause"), "(Apache-2.0 OR MIT) AND BSD-3-Clause"),
        (("GPL-2.0-or-later WITH Classpath-exception-2.0",), "GPL-2.0-or-later WITH Classpath-exception-2.0"),
        (("MIT", "MIT", ""), "MIT"),
    ],
)
def test_licences(licenses: tuple[str, ...], expected: str) -> None:
    document = render(with_packages(replace(samples.NGINX, licenses=licenses)))
    assert package(document, "nginx")["licenseDeclared"] == expected
    assert "hasExtractedLicensingInfos" not in document


def test_a_name_that_is_no_licence_of_the_list_is_quoted(tmp_path: Path) -> None:
    report = with_packages(
        replace(samples.NGINX, licenses=("Our own </text> terms", "MIT")),
        replace(samples.ZLIB, licenses=("LicenseRef-of-somebody",)),
    )
    document = render(report)
    texts = {each["licenseId"]: each["extractedText"] for each in document["hasExtractedLicensingInfos"]}
    declared = package(document, "nginx")["licenseDeclared"]
    assert texts[declared.removesuffix(" AND MIT")] == "Our own </text> terms"
    assert texts[package(document, "zlib1g")["licenseDeclared"]] == "LicenseRef-of-somebody"
    for ending in FORMS:
        assert not validate_full_spdx_document(parsed(report, ending, tmp_path))


def test_what_could_not_be_looked_at_is_told() -> None:
    problem = Problem("analyze", "var/lib/dpkg/status", "damaged", "build it again")
    base = samples.report()
    document = render(replace(base, analysis=replace(base.analysis, problems=(problem,))))
    assert document["creationInfo"]["comment"].startswith("Incomplete")
    assert facts(document)["anchore:problem:0"]["message"] == "damaged"
    complete = render(replace(base, analysis=replace(base.analysis, problems=())))
    assert "comment" not in complete["creationInfo"]
    assert "annotations" not in complete


def test_no_value_of_a_tag_breaks_out_of_it(tmp_path: Path) -> None:
    evil = replace(samples.NGINX, name="a\nPackageName: b", version="1</text>\nSPDXID: x", licenses=("x</text>\ny",))
    document = parsed(with_packages(evil), "spdx", tmp_path)
    assert len(document.packages) == 3
    assert {each.relationship_type for each in document.relationships} == {
        RelationshipType.DESCRIBES,
        RelationshipType.CONTAINS,
    }


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("MIT", True),
        ("GPL-2.0+", True),
        ("Apache-2.0+", True),
        ("(MIT OR Apache-2.0) AND LicenseRef-x", True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", True),
        ("((MIT))", True),
        ("DocumentRef-a:LicenseRef-b", True),
        ("", False),
        ("MIT OR", False),
        ("MIT Apache-2.0", False),
        ("mit", False),
        ("MIT and ISC", False),
        ("Classpath-exception-2.0", False),
        ("MIT WITH ISC", False),
        ("(MIT) WITH Classpath-exception-2.0", False),
        ("(MIT", False),
        ("MIT)", False),
        ("()", False),
        ("MIT OR " * 1000 + "MIT", False),
    ],
)
def test_what_an_expression_is(text: str, valid: bool) -> None:
    assert is_expression(text) is valid


def test_exceptions_are_those_that_the_list_of_the_licence_library_knows() -> None:
    from license_expression import get_spdx_licensing

    known = get_spdx_licensing().known_symbols
    theirs = {name for name, symbol in known.items() if symbol.is_exception} & IDS
    deprecated = {name for name in theirs if is_license(name)}
    # Licences of old that had their exception in their name.
    assert all("-with-" in name or name in ("eCos-2.0", "MPL-2.0-no-copyleft-exception") for name in deprecated)
    assert theirs - deprecated <= EXCEPTIONS
