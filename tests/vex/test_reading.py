"""VEX documents of three formats, read; and what is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import anchorecli.vex as vex
from anchorecli.errors import UsageError
from anchorecli.vex import VexStatement, VexStatus
from tests.vex.documents import BASH, EARLY, LATE, openvex, read, said

IMAGE = "pkg:oci/app@sha256%3Aaa?repository_url=registry.example/team/app"
UTC_EARLY, UTC_LATE = "2024-06-01T00:00:00.000000Z", "2024-06-02T00:00:00.000000Z"


def test_openvex() -> None:
    document = read(
        openvex(
            said({"name": "CVE-2024-1", "aliases": ["GHSA-1"]}, impact_statement="not built in", timestamp=LATE),
            said(
                {"@id": "https://nvd.nist.gov/vuln/detail/CVE-2024-2"},
                [{"@id": "any:id", "identifiers": {"purl": IMAGE}, "subcomponents": [{"@id": BASH}]}],
                "affected",
                action_statement="update",
            ),
        )
    )
    assert (document.name, document.form, document.author) == ("a.vex.json", "openvex", "Example Org")
    assert document.digest.startswith("sha256:")
    assert document.statements == (
        VexStatement(
            ("CVE-2024-1", "GHSA-1"), VexStatus.NOT_AFFECTED, (BASH,), (),
            "vulnerable_code_not_present", "not built in", "", UTC_LATE,
        ),
        VexStatement(
            ("CVE-2024-2",), VexStatus.AFFECTED, ("any:id", IMAGE), (BASH,), action="update", timestamp=UTC_EARLY
        ),
    )  # fmt: skip


def test_openvex_of_the_first_version_has_texts_for_objects() -> None:
    statement = {"vulnerability": "CVE-2024-1", "products": [IMAGE], "subcomponents": [BASH], "status": "fixed"}
    (found,) = read(openvex(statement, **{"@context": "https://openvex.dev/ns"})).statements
    assert (found.names, found.products, found.subcomponents) == (("CVE-2024-1",), (IMAGE,), (BASH,))


def test_openvex_as_canonical_writes_it() -> None:
    aliases = ["https://www.cve.org/CVERecord?id=CVE-2024-1", "https://ubuntu.com/security/CVE-2024-1"]
    vulnerability = {"@id": "https://nvd.nist.gov/vuln/detail/CVE-2024-1", "name": "CVE-2024-1", "aliases": aliases}
    head = {"@context": "https://openvex.dev/ns/v0.2.0", "author": "Canonical Ltd.", "timestamp": EARLY}
    document = read(json.dumps({"metadata": head, "statements": [said(vulnerability, status="fixed")]}).encode())
    assert document.author == "Canonical Ltd."
    (found,) = document.statements
    assert (found.names, found.timestamp) == (("CVE-2024-1",), UTC_EARLY)


def csaf(**vulnerability: Any) -> bytes:
    def product(name: str, purl: str = "") -> dict[str, Any]:
        helper = {"product_identification_helper": {"purl": purl}} if purl else {}
        return {"product_id": name, "name": name, **helper}

    branch = {"category": "product_name", "name": "x", "product": product("BASH", BASH)}
    tree = {
        "branches": [{"category": "vendor", "name": "x", "branches": [branch]}],
        "full_product_names": [product("APP", IMAGE), product("OS")],
        "relationships": [
            {
                "category": "default_component_of", "product_reference": "BASH",
                "relates_to_product_reference": whole, "full_product_name": product(f"{whole}:BASH"),
            }
            for whole in ("APP", "OS")
        ],
    }  # fmt: skip
    inner = {
        "csaf_version": "2.0", "category": "csaf_vex", "publisher": {"name": "Example Org"},
        "tracking": {"current_release_date": EARLY},
    }  # fmt: skip
    document = {"document": inner, "product_tree": tree, "vulnerabilities": [{"cve": "CVE-2024-1", **vulnerability}]}
    return json.dumps(document).encode()


def test_csaf() -> None:
    status = {"known_not_affected": ["APP:BASH", "OS:BASH"], "known_affected": ["APP"], "fixed": ["BASH", "nobody"]}
    flags = [{"label": "component_not_present", "product_ids": ["APP:BASH"]}]
    threats = [{"category": "impact", "details": "not there", "product_ids": ["APP:BASH"]}]
    document = read(csaf(product_status=status, flags=flags, threats=threats, ids=[{"text": "GHSA-1"}]))
    names = ("CVE-2024-1", "GHSA-1")
    assert (document.form, document.author) == ("csaf", "Example Org")
    assert document.statements == (
        VexStatement(
            names, VexStatus.NOT_AFFECTED, (IMAGE,), (BASH,), "component_not_present", "not there", "", UTC_EARLY
        ),
        VexStatement(names, VexStatus.FIXED, (BASH,), timestamp=UTC_EARLY),
        VexStatement(names, VexStatus.AFFECTED, (IMAGE,), timestamp=UTC_EARLY),
    )
    assert document.remarks == (
        "2 products are not identified by a purl, a digest or a CPE: what is said of them is unused",
    )  # fmt: skip


def test_csaf_may_name_no_vulnerability() -> None:
    document = read(csaf().replace(b'"vulnerabilities"', b'"nothing"'))
    assert (document.statements, document.remarks) == ((), ("it names no vulnerabilities",))


def cyclonedx(analysis: dict[str, Any], *refs: str, subject: dict[str, Any] | None = None) -> bytes:
    document = {
        "bomFormat": "CycloneDX", "specVersion": "1.6",
        "metadata": {"timestamp": EARLY, "supplier": {"name": "Example Org"}, "component": subject or {}},
        "components": [{"bom-ref": "1", "type": "library", "name": "bash", "purl": BASH}, {"bom-ref": "2"}],
        "vulnerabilities": [
            {"id": "CVE-2024-1", "references": [{"id": "GHSA-1"}], "analysis": analysis,
             "affects": [{"ref": ref} for ref in refs]},
            {"id": "CVE-2024-2", "affects": [{"ref": "1"}]},
        ],
    }  # fmt: skip
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("exploitable", VexStatus.AFFECTED),
        ("in_triage", VexStatus.UNDER_INVESTIGATION),
        ("resolved", VexStatus.FIXED),
        ("not_affected", VexStatus.NOT_AFFECTED),
        ("false_positive", VexStatus.NOT_AFFECTED),
    ],
)
def test_cyclonedx(state: str, status: VexStatus) -> None:
    analysis = {"state": state, "justification": "code_not_reachable", "detail": "no", "response": ["update"]}
    document = read(cyclonedx(analysis | {"lastUpdated": LATE}, "1", "2", f"urn:cdx:0/1#{BASH}"))
    assert (document.form, document.author) == ("cyclonedx", "Example Org")
    (found,) = document.statements
    assert found == VexStatement(
        ("CVE-2024-1", "GHSA-1"), status, (BASH,), (), "code_not_reachable", "no", "update", UTC_LATE
    )
    assert document.remarks == ("1 components are not identified by a purl or a CPE: what is said of them is unused",)


def test_cyclonedx_about_an_image_speaks_of_what_is_inside() -> None:
    subject = {"bom-ref": "app", "type": "container", "name": "registry.example/app", "version": "1"}
    inside, whole = (read(cyclonedx({"state": "resolved"}, ref, subject=subject)).statements[0] for ref in ("1", "app"))
    assert (inside.products, inside.subcomponents) == (("registry.example/app:1",), (BASH,))
    assert (whole.products, whole.subcomponents) == (("registry.example/app:1",), ())


BAD: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "no JSON"),
    "cut": (openvex(said())[:-9], "no JSON"),
    "binary": (b"\xff\xfe\x00", "no JSON"),
    "list": (b"[]", "no VEX document"),
    "another": (b'{"SPDXID": "x"}', "no VEX document"),
    "deep": (b"[" * 200_000, "nested too deeply"),
    "no statements": (openvex().replace(b"[]", b"null"), "statements: a list is wanted"),
    "status": (openvex(said(status="fine")), "statements[0].status: 'fine' is none of"),
    "no reason": (openvex(said(justification="")), "not_affected without a justification"),
    "no name": (openvex(said({})), "statements[0].vulnerability: it has no name"),
    "no products": (openvex(said(product=[])).replace(b"[]", b"{}"), "statements[0].products: a list is wanted"),
    "product": (openvex(said(product=[7])), "statements[0].products[0]: an object is wanted"),
    "time": (openvex(said(timestamp="yesterday")), "statements[0].timestamp: 'yesterday' is no time"),
    "far time": (openvex(said(timestamp="0001-01-01T00:00:00+23:00")), "is no time"),
    "csaf": (csaf(product_status={"fixed": "BASH"}), "product_status.fixed: a list is wanted"),
    "csaf without a name": (csaf(cve=None), "vulnerabilities[0]: it has neither cve nor ids"),
    "cyclonedx": (cyclonedx({"state": "fine"}, "1"), "vulnerabilities[0].analysis.state: 'fine' is none of"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_used_is_refused_by_name(name: str) -> None:
    data, fault = BAD[name]
    with pytest.raises(UsageError) as caught:
        read(data, "dir/file.json")
    assert caught.value.message.startswith("dir/file.json: ")
    assert fault in caught.value.message
    assert caught.value.hint


def test_what_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(openvex(said(), said()))
    monkeypatch.setattr(vex, "MAX_STATEMENTS", 1)
    with pytest.raises(UsageError, match="more than 1 statements"):
        vex.read(file)
    monkeypatch.setattr(vex, "MAX_BYTES", 100)
    with pytest.raises(UsageError, match="more than 0 MiB"):
        vex.read(file)
    with pytest.raises(UsageError, match="cannot be read"):
        vex.read(tmp_path / "nowhere")


def deep_branches(depth: int) -> bytes:
    branch: dict[str, Any] = {"name": "x"}
    for _ in range(depth):
        branch = {"name": "x", "branches": [branch]}
    document = json.loads(csaf())
    document["product_tree"]["branches"] = [branch]
    return json.dumps(document).encode()


def test_branches_without_end_are_refused() -> None:
    with pytest.raises(UsageError, match="nested too deeply"):
        read(deep_branches(200))
