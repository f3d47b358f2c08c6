"""The CycloneDX SBOM: valid, reproducible, and what the library itself would have written."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest
from cyclonedx.model.bom import Bom
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from cyclonedx.validation.xml import XmlValidator
from packageurl import PackageURL

from anchorecli.model import ImagePath, Location, Package, Problem, Report
from anchorecli.report import RenderOptions
from anchorecli.report.cyclonedx_json import CycloneDxJson
from anchorecli.report.cyclonedx_xml import CycloneDxXml
from anchorecli.spdx import IDS, is_license
from tests.report import samples

SAMPLES = {
    "fail": samples.report(),
    "pass": samples.clean_report(),
    "unevaluated": samples.unevaluated_report(),
    "hostile": samples.hostile_report(),
    "incomplete": samples.indeterminate_report(),
    "empty": samples.report(analysis=replace(samples.report().analysis, packages=(), distro=None)),
}


def ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: ordered(each) for key, each in value.items()}
    if isinstance(value, list):
        return sorted(map(ordered, value), key=lambda each: json.dumps(each, sort_keys=True))
    # It spells package URLs in its own way.
    return PackageURL.from_string(value).to_string() if str(value).startswith("pkg:") else value


def render(report: Report, timestamp: str = "") -> Any:
    return json.loads(CycloneDxJson().render(report, RenderOptions(timestamp=timestamp)))


def with_packages(*packages: Package) -> Report:
    report = samples.report()
    return replace(report, analysis=replace(report.analysis, packages=packages))


def component(report: Report, name: str) -> Any:
    (found,) = (each for each in render(report)["components"] if each["name"] == name)
    return found


@pytest.mark.parametrize("name", SAMPLES)
def test_it_is_valid(name: str) -> None:
    text = CycloneDxJson().render(SAMPLES[name], RenderOptions(timestamp="2026-11-21T00:00:00+00:00"))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


@pytest.mark.parametrize("name", SAMPLES)
def test_the_xml_is_valid_and_says_the_same(name: str) -> None:
    options = RenderOptions(timestamp="2026-11-21T00:00:00+00:00")
    text = CycloneDxXml().render(SAMPLES[name], options)
    assert XmlValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert "##" not in text
    ours = json.loads(CycloneDxJson().render(SAMPLES[name], options))
    theirs = Bom.from_xml(ElementTree.fromstring(text))  # type: ignore[attr-defined]
    assert theirs.serial_number.urn == ours["serialNumber"]
    if name == "hostile":
        return  # XML has no way to write a control character
    written = json.loads(JsonV1Dot6(Bom.from_json(ours)).output_as_string())  # type: ignore[attr-defined]
    assert ordered(json.loads(JsonV1Dot6(theirs).output_as_string())) == ordered(written)


def test_every_licence_of_the_list_is_valid() -> None:
    licenses = sorted(name for name in IDS if is_license(name))
    packages = [replace(samples.NGINX, licenses=(name,), name=f"n{at}") for at, name in enumerate(licenses)]
    document = CycloneDxJson().render(with_packages(*packages), RenderOptions())
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(document) is None
    assert document.count('"license": {"id"') == len(licenses)


def test_what_could_not_be_looked_at_makes_the_composition_incomplete() -> None:
    base = samples.report()
    problem = Problem("analyze", "var/lib/dpkg/status", "damaged", "build it again")
    document = render(replace(base, analysis=replace(base.analysis, problems=(problem,))))
    assert document["compositions"] == [{"aggregate": "incomplete", "assemblies": ["image"]}]
    (told,) = document["metadata"]["properties"]
    assert told["name"] == "anchore:problem:0"
    assert json.loads(told["value"])["message"] == "damaged"
    remark = replace(problem, incomplete=False)
    document = render(replace(base, analysis=replace(base.analysis, problems=(remark,))))
    assert "compositions" not in document
    assert len(document["metadata"]["properties"]) == 1


def test_group_supplier_hashes_and_evidence() -> None:
    log4j = Package(
        "org.apache:log4j-core", "2.14.1", "maven", "maven", purl="pkg:maven/org.apache/log4j-core@2.14.1",
        vendor="The Apache Software Foundation <dev@apache.org>", metadata={"sha1": "AB" * 20, "md5": "no digest"},
        locations=(Location(ImagePath("app.jar:log4j.jar"), samples.diff_id(1)),), layer=samples.diff_id(0),
    )  # fmt: skip
    found = component(with_packages(log4j), "log4j-core")
    assert found["group"] == "org.apache"
    assert found["supplier"] == {"name": "The Apache Software Foundation", "contact": [{"email": "dev@apache.org"}]}
    assert found["hashes"] == [{"alg": "SHA-1", "content": "ab" * 20}]
    context = f"layer {samples.diff_id(1)}"
    assert found["evidence"] == {"occurrences": [{"location": "/app.jar:log4j.jar", "additionalContext": context}]}
    properties = {each["name"]: each["value"] for each in found["properties"]}
    assert found["cpe"] == "cpe:2.3:a:apache:log4j-core:2.14.1:*:*:*:*:*:*:*"
    assert properties["anchore:cpe:source"] == "guessed"


def test_it_is_what_the_library_reads_and_writes_itself() -> None:
    ours = render(samples.report(), "2026-11-21T00:00:00Z")
    theirs = json.loads(JsonV1Dot6(Bom.from_json(ours)).output_as_string())  # type: ignore[attr-defined]

    def normal(document: Any) -> Any:
        # The library names every component as a node of the graph, also those without an edge.
        edges = {each["ref"]: sorted(each["dependsOn"]) for each in document["dependencies"] if "dependsOn" in each}
        components = sorted(document["components"], key=lambda each: str(each["bom-ref"]))
        return {**document, "dependencies": edges, "components": components}

    ours["metadata"]["timestamp"] = "2026-11-21T00:00:00+00:00"
    assert ordered(normal(theirs)) == ordered(normal(ours))


def test_equal_content_gives_equal_bytes_and_another_content_another_serial_number() -> None:
    report = samples.report()
    turned = with_packages(*report.analysis.packages[::-1])
    first = CycloneDxJson().render(report, RenderOptions())
    assert CycloneDxJson().render(turned, RenderOptions()) == first
    other = render(with_packages(samples.NGINX))
    assert other["serialNumber"] != json.loads(first)["serialNumber"]
    assert other["serialNumber"].startswith("urn:uuid:")


def test_there_is_no_time_but_the_one_passed_in() -> None:
    assert "timestamp" not in render(samples.report())["metadata"]
    stamped = render(samples.report(), "2026-11-21T00:00:00Z")
    assert stamped["metadata"]["timestamp"] == "2026-11-21T00:00:00Z"


def test_the_image_is_the_subject() -> None:
    image = render(samples.report())["metadata"]["component"]
    digest = samples.hexes("manifest")
    assert image["type"] == "container"
    assert image["name"] == "docker.io/shop/api:1.4.2"
    assert image["version"] == digest
    assert image["purl"] == f"pkg:oci/api@{digest}?arch=amd64&repository_url=docker.io/shop/api&tag=1.4.2"
    properties = {each["name"]: each["value"] for each in image["properties"]}
    assert properties["anchore:layer:3:diff_id"] == samples.diff_id(3)
    assert properties["anchore:layer:3:instruction"] == "RUN pip install --no-cache-dir -r requirements.txt"


def test_the_distribution_is_an_operating_system() -> None:
    distro = component(samples.report(), "debian")
    assert (distro["type"], distro["version"]) == ("operating-system", "12")


def test_a_package_keeps_source_place_layer_and_analyzer() -> None:
    openssl = component(samples.report(), "libssl3")
    assert openssl["purl"] == "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12"
    assert openssl["type"] == "library"
    assert {each["name"]: each["value"] for each in openssl["properties"]} == {
        "anchore:analyzer": "dpkg",
        "anchore:layer:diff_id": samples.diff_id(0),
        "anchore:metadata:section": "libs",
        "anchore:size": "4096",
        "anchore:source:name": "openssl",
    }
    paths = [each["location"] for each in openssl["evidence"]["occurrences"]]
    assert paths == ["/var/lib/dpkg/status", "/var/lib/dpkg/info/libssl3.list"]


def test_the_owner_depends_on_what_it_owns() -> None:
    document = render(samples.report())
    references = {each["name"]: each["bom-ref"] for each in document["components"]}
    edges = {each["ref"]: each["dependsOn"] for each in document["dependencies"]}
    assert edges[references["python3-jinja2"]] == [references["Jinja2"]]
    assert references["Jinja2"] not in edges["image"]
    assert set(edges["image"]) | {references["Jinja2"]} == set(references.values())


def test_an_owner_that_is_not_there_leaves_the_package_to_the_image() -> None:
    document = render(with_packages(samples.JINJA))
    (reference,) = (each["bom-ref"] for each in document["components"] if each["name"] == "Jinja2")
    assert reference in document["dependencies"][0]["dependsOn"]


@pytest.mark.parametrize(
    ("licenses", "expected"),
    [
        (("MIT",), [{"license": {"id": "MIT"}}]),
        (("Apache-2.0 OR MIT",), [{"expression": "Apache-2.0 OR MIT"}]),
        (("GPL-2.0-or-later WITH Classpath-exception-2.0",), None),
        (("Our own terms",), [{"license": {"name": "Our own terms"}}]),
        (("MIT OR nonsense words",), [{"license": {"name": "MIT OR nonsense words"}}]),
        (
            ("MIT", "Apache-2.0 OR MIT"),
            [{"license": {"id": "MIT"}}, {"license": {"name": "Apache-2.0 OR MIT"}}],
        ),
        (("MIT", "MIT", ""), [{"license": {"id": "MIT"}}]),
    ],
)
def test_licences(licenses: tuple[str, ...], expected: Any) -> None:
    found = component(with_packages(replace(samples.NGINX, licenses=licenses)), "nginx")["licenses"]
    assert found == (expected or [{"expression": licenses[0]}])


def test_one_package_after_another_leaves_nothing_behind() -> None:
    full = replace(samples.NGINX, vendor="Debian", cpes=("cpe:2.3:a:nginx:nginx:1.22.1:*:*:*:*:*:*:*",))
    bare = Package("zzz", "1", "npm", "npm", purl="pkg:npm/zzz@1", cpes=("cpe:/a:old",))
    found = component(with_packages(full, bare), "zzz")
    assert set(found) == {"bom-ref", "name", "type", "version", "purl", "properties"}
    assert found["properties"] == [{"name": "anchore:cpe:0", "value": "cpe:/a:old"}]


def test_what_is_no_cpe_or_purl_is_kept_as_a_property() -> None:
    odd = replace(samples.NGINX, purl="nonsense", cpes=("cpe:2.3:a:b", "cpe:2.3:a:n:nginx:1.22.1:*:*:*:*:*:*:*"))
    nginx = component(with_packages(odd), "nginx")
    assert nginx["cpe"] == odd.cpes[1]
    assert "purl" not in nginx
    properties = {each["name"]: each["value"] for each in nginx["properties"]}
    assert properties["anchore:purl"] == "nonsense"
    assert properties["anchore:cpe:0"] == "cpe:2.3:a:b"


def test_packages_that_share_an_id_get_references_of_their_own() -> None:
    twin = replace(samples.NGINX, purl="pkg:deb/debian/nginx@1.22.1-9?arch=amd64&twin=1")
    references = [each["bom-ref"] for each in render(with_packages(samples.NGINX, twin))["components"]]
    assert len(set(references)) == 3
