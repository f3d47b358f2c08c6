"""CSAF documents: their product trees, and what they say of vulnerabilities."""

from __future__ import annotations

import json
from typing import Any

import pytest

from anchorecli.feeds import csaf
from anchorecli.feeds.csaf import Product
from anchorecli.model import Severity
from tests.feeds.rpm.samples import vex

CPE = "cpe:/o:vendor:system:9"


def tree(packages: dict[str, str]) -> dict[str, Product]:
    content = vex("CVE-2024-0001", {"S": CPE}, packages, {"fixed": [f"S|{name}" for name in packages]})
    return {key.partition("|")[2]: each for key, each in csaf.read(json.dumps(content).encode()).products.items()}


@pytest.mark.parametrize(
    ("name", "purl", "expected"),
    [
        ("x", "pkg:rpm/v/curl@7.76-23.el9?arch=x86_64&epoch=1", ("curl", "1:7.76-23.el9", "x86_64", "", "rpm")),
        ("x", "pkg:rpm/v/curl@1:7.76-23.el9", ("curl", "1:7.76-23.el9", "", "", "rpm")),
        ("x", "pkg:rpm/curl", ("curl", "", "", "", "rpm")),
        ("x", "pkg:rpm/v/lib%2B%2B@1%2B2-3", ("lib++", "1+2-3", "", "", "rpm")),
        ("x", "pkg:rpm/v/p@1-2?arch=src&rpmmod=m%3A1%3A806%3Aabc", ("p", "1-2", "src", "m:1", "rpm")),
        ("p-1-2.src::m:1", "pkg:rpm/v/p@1-2?arch=src", ("p", "1-2", "src", "m:1", "rpm")),
        ("m:1/p", "pkg:rpm/v/p", ("p", "", "", "m:1", "rpm")),
        ("m:1/p", "", ("p", "", "", "m:1", "rpm")),
        ("m:1:806:abc", "pkg:rpmmod/v/m@1%3A806%3Aabc", ("m", "", "", "m:1", "rpmmod")),
        ("image", "pkg:oci/image@sha256:ab?tag=1", ("image", "sha256:ab", "", "", "oci")),
        ("a/b", "pkg:maven/org.a/b@1.0", ("b", "1.0", "", "", "maven")),
        ("odd", "not a purl", ("odd", "", "", "", "")),
        ("busybox-1.35.0-150500.10.3.3.aarch64", "", ("busybox", "1.35.0-150500.10.3.3", "aarch64", "", "rpm")),
        ("thing-1:2-3.el9.noarch", "", ("thing", "1:2-3.el9", "noarch", "", "rpm")),
        ("lib-client-4.19+git.3-1.22", "", ("lib-client", "4.19+git.3-1.22", "", "", "rpm")),
        ("openssl.src", "", ("openssl", "", "src", "", "rpm")),
        ("lib-client-devel", "", ("lib-client-devel", "", "", "", "rpm")),
        ("libdcerpc0-32bit", "", ("libdcerpc0-32bit", "", "", "", "rpm")),
        ("curl", "", ("curl", "", "", "", "rpm")),
    ],
)
def test_packages(name: str, purl: str, expected: tuple[str, ...]) -> None:
    found = tree({name: purl})[name]
    assert found == Product("S", CPE, *expected)


def document(**head: Any) -> dict[str, Any]:
    content = vex("CVE-2024-0001", {"S": CPE}, {"p": "pkg:rpm/v/p"}, {"fixed": ["S|p"]})
    content["document"] |= head
    return content


def read(content: Any) -> csaf.Document:
    return csaf.read(json.dumps(content).encode())


def test_the_head() -> None:
    found = read(document())
    assert (found.id, found.category, found.title, found.severity) == (
        "CVE-2024-0001",
        "csaf_vex",
        "a flaw",
        Severity.HIGH,
    )
    assert (found.published, found.modified) == ("2024-01-01T00:00:00Z", "2024-06-01T12:00:00Z")
    assert read(document(aggregate_severity="high")).severity is Severity.UNKNOWN


def test_full_product_names_are_products_too() -> None:
    content = document()
    content["product_tree"]["full_product_names"] = [
        {"name": "q-1-2.noarch", "product_id": "q", "product_identification_helper": None}
    ]
    content["product_tree"]["relationships"].append(
        {
            "full_product_name": {"product_id": "S:q"},
            "product_reference": "q",
            "relates_to_product_reference": "S",
        }
    )
    assert read(content).products["S:q"] == Product("S", CPE, "q", "1-2", "noarch", "", "rpm")


def test_architectures_of_branches() -> None:
    content = document()
    content["product_tree"]["branches"].append(
        {
            "category": "architecture",
            "name": "s390x",
            "branches": [{"category": "product_version", "name": "q-1-2", "product": {"product_id": "q"}}],
        }
    )
    content["product_tree"]["relationships"][0]["product_reference"] = "q"
    assert read(content).products["S|p"].arch == "s390x"


def test_products_that_lead_nowhere_are_left_out() -> None:
    content = document()
    (relation,) = content["product_tree"]["relationships"]
    for component, platform in (("none", "S"), ("p", "none"), ("p", "S|p")):
        relation |= {"product_reference": component, "relates_to_product_reference": platform}
        assert read(content).products == {}, (component, platform)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([], "no document"),
        ({"document": []}, "no document"),
        (document(category="csaf_informational_advisory"), "of another kind"),
        (document(category=3), "not a CSAF document"),
        (document(tracking={"id": "a\nb"}), "no usable document.tracking.id"),
        (document() | {"product_tree": 3}, "product_tree is not an object"),
        (document() | {"product_tree": {"relationships": [{}]}}, "no full_product_name"),
        (
            document() | {"product_tree": {"relationships": [{"full_product_name": {"product_id": 1}}]}},
            "without its three product ids",
        ),
        (document() | {"product_tree": {"full_product_names": [{"name": "x"}]}}, "without product_id"),
        (document() | {"vulnerabilities": "none"}, "vulnerabilities is not a list"),
    ],
)
def test_what_is_no_csaf(content: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read(content)


def test_products_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csaf, "MAX_PRODUCTS", 3)
    with pytest.raises(ValueError, match="more than 3 products"):
        tree({f"p{n}": f"pkg:rpm/v/p{n}" for n in range(9)})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-06-01T12:00:00+00:00", "2024-06-01T12:00:00Z"),
        ("2024-06-01T12:00:00.123456Z", "2024-06-01T12:00:00Z"),
        ("2024-06-01T12:00:00+02:00", "2024-06-01T10:00:00Z"),
        ("2024-06-01T12:00:00", "2024-06-01T12:00:00Z"),
        ("0001-01-01T00:00:00Z", ""),
        ("2024-13-01T12:00:00+02:00", ""),
        ("yesterday", ""),
        (None, ""),
    ],
)
def test_times(text: Any, expected: str) -> None:
    assert csaf.time(text) == expected


def test_what_is_said_of_a_vulnerability() -> None:
    vulnerability = {
        "product_status": {"fixed": ["a", "b"], "known_affected": []},
        "remediations": [{"category": "vendor_fix", "details": "d", "url": "u", "product_ids": ["a", 3]}],
        "threats": [
            {"category": "impact", "details": "Moderate: because", "product_ids": ["a"]},
            {"category": "impact", "details": "odd"},
            {"category": "exploit_status", "details": "Critical"},
        ],
        "scores": [
            {"cvss_v3": {"vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}},
            {"cvss_v3": {"vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}},
            {"cvss_v2": {"vectorString": "AV:N/AC:L/Au:N/C:P/I:P/A:P"}, "cvss_v3": "none"},
        ],
        "notes": [{"category": "other", "text": "o"}, {"category": "summary", "text": "s"}],
    }
    assert list(csaf.statuses(vulnerability)) == [("fixed", "a"), ("fixed", "b")]
    assert list(csaf.remediations(vulnerability)) == [("vendor_fix", "d", "u", ["a"])]
    assert list(csaf.impacts(vulnerability)) == [(Severity.MEDIUM, ["a"])]
    assert [(each.version, each.score, each.source) for each in csaf.scores(vulnerability, "V")] == [
        ("3.1", 9.8, "V"),
        ("2.0", 7.5, "V"),
    ]
    assert csaf.note(vulnerability, "description", "summary") == "s"
    assert csaf.note(vulnerability, "description") == ""
    assert list(csaf.statuses({})) == []
