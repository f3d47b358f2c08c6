"""SUSE's VEX documents, advisories and OVAL definitions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from anchorecli.errors import FeedError
from anchorecli.feeds.rpm.suse import Suse
from anchorecli.feeds.rpm.suse_names import space
from anchorecli.feeds.sync import SyncOptions, sync
from anchorecli.model import Severity
from anchorecli.net import Fetcher
from tests.feeds.rpm.samples import joined, oval, rpm_test, said, tarred, vex
from tests.feeds.samples import MemorySink, parsed, written
from tests.feeds.server import Answer, serving

BASE = "SUSE Linux Enterprise Module for Basesystem 15 SP5"
SAP = "SUSE Linux Enterprise Server for SAP Applications 15 SP5"
PRODUCTS = dict.fromkeys((BASE, SAP, "SUSE Linux Enterprise Server 12 SP5", "openSUSE Tumbleweed"), "")
PRODUCTS |= {"SUSE Manager Server 4.3": ""}
STATUSES = {
    "recommended": [
        f"{BASE}|thing-1.35.0-150500.10.3.3.x86_64",
        f"{SAP}|thing-1.35.0-150500.10.3.3.x86_64",
        "openSUSE Tumbleweed|libthing2-4.19.2+git.322-1.1",
        "SUSE Manager Server 4.3|thing-1.35.0-150500.10.3.3.x86_64",
    ],
    "known_affected": ["SUSE Linux Enterprise Server 12 SP5|thing", "SUSE Linux Enterprise Server 12 SP5|old-thing"],
    "known_not_affected": [f"{BASE}|other", f"{BASE}|other-devel", f"{BASE}|others"],
}
PACKAGES = {each.partition("|")[2]: "" for ids in STATUSES.values() for each in ids}
SAID = [
    ("opensuse-tumbleweed", "libthing2", "..4.19.2+git.322-1.1"),
    ("sles:12.5", "old-thing", "wont-fix"),
    ("sles:12.5", "thing", "affected"),
    ("sles:15.5", "other", "not-affected"),
    ("sles:15.5", "others", "not-affected"),
    ("sles:15.5", "thing", "..1.35.0-150500.10.3.3"),
]


def document(cve: str = "CVE-2024-0001", **more: Any) -> dict[str, Any]:
    hopeless = [{"category": "no_fix_planned", "product_ids": ["SUSE Linux Enterprise Server 12 SP5|old-thing"]}]
    notes = [{"category": "general", "text": "it\nbreaks"}]
    return vex(cve, PRODUCTS, PACKAGES, STATUSES, **({"remediations": hopeless, "notes": notes} | more))


def test_vex_documents_in_an_archive(tmp_path: Path) -> None:
    members = {
        "csaf-vex/cve-2024-0001.json": json.dumps(document()).encode(),
        "csaf-vex/cve-2024-0001.json.sha256": b"abc",
        "csaf-vex/cve-2024-0002.json": b"{",
        "csaf-vex/index.txt": b"cve-2024-0001.json",
    }
    records, problems = parsed(Suse(), written(tmp_path / "csaf-vex.tar.bz2", tarred(members, "w:bz2")))
    assert [each.subject for each in problems] == ["suse: csaf-vex/cve-2024-0002.json"]
    record = records["CVE-2024-0001"]
    assert said(record) == SAID
    assert (record.severity, record.summary) == (Severity.HIGH, "it breaks")
    assert [(each.score, each.source) for each in record.cvss] == [(9.8, "SUSE")]
    assert record.url == "https://www.suse.com/security/cve/CVE-2024-0001"


def test_packages_named_by_purl(tmp_path: Path) -> None:
    packages = {"a": "pkg:rpm/suse/thing@1.35.0-150500.10.3.3?arch=x86_64&epoch=2", "b": "pkg:rpm/opensuse/libthing2"}
    statuses = {"fixed": [f"{BASE}|a"], "known_affected": [f"{BASE}|b"]}
    records, _ = parsed(Suse(), written(tmp_path / "x.json", vex("CVE-2024-0002", PRODUCTS, packages, statuses)))
    assert said(records["CVE-2024-0002"]) == [
        ("sles:15.5", "libthing2", "affected"),
        ("sles:15.5", "thing", "..2:1.35.0-150500.10.3.3"),
    ]


def test_advisories_bundle_their_cves(tmp_path: Path) -> None:
    content = document(category="csaf_security_advisory", id="SUSE-SU-2024:1-1")
    content["vulnerabilities"].append({**content["vulnerabilities"][0], "cve": "CVE-2024-0002"})
    records, problems = parsed(Suse(), written(tmp_path / "x.json", content))
    assert problems == []
    record = records["SUSE-SU-2024:1-1"]
    assert record.aliases == ("CVE-2024-0001", "CVE-2024-0002")
    assert said(record) == [line for line in SAID if ".." in line[2]]
    assert record.cvss == ()


@pytest.mark.parametrize(
    ("product", "name"),
    [
        (BASE, "sles:15.5"),
        (SAP, "sles:15.5"),
        ("SUSE Linux Enterprise Server 15", "sles:15"),
        ("SUSE Linux Enterprise Server 15 SP1-LTSS", "sles:15.1"),
        ("SUSE Linux Enterprise Server 15-LTSS", "sles:15"),
        ("SUSE Linux Enterprise Server 11 SP4 LTSS", "sles:11.4"),
        ("SUSE Linux Enterprise Server 11 SP4-LTSS-EXTREME-CORE", "sles:11.4"),
        ("SUSE Linux Enterprise High Performance Computing 15 SP3-ESPOS", "sles:15.3"),
        ("SUSE Linux Enterprise Server LTSS Extended Security 12 SP5", "sles:12.5"),
        ("SUSE Linux Enterprise Server 16.0", "sles:16.0"),
        ("SUSE Linux Enterprise Desktop 12 SP2", "sles:12.2"),
        ("SUSE Linux Enterprise Module for Python 3 15 SP4", "sles:15.4"),
        ("SUSE Package Hub 15 SP5", "sles:15.5"),
        ("SUSE Linux Enterprise Micro 5.5", "sle-micro:5.5"),
        ("SUSE Linux Enterprise Micro for Rancher 5.3", "sle-micro:5.3"),
        ("SUSE Linux Micro 6.0", "sl-micro:6.0"),
        ("openSUSE Leap 15.6", "opensuse-leap:15.6"),
        ("openSUSE Leap Micro 5.2", "opensuse-leap-micro:5.2"),
        ("openSUSE Tumbleweed", "opensuse-tumbleweed"),
        ("openSUSE 13.2", "opensuse-leap:13.2"),
        ("suse102", "opensuse-leap:10.2"),
        ("SUSE Manager Server 4.3", ""),
        ("SUSE Enterprise Storage 7.1", ""),
        ("SUSE CaaS Platform 4.0", ""),
        ("Open Enterprise Server 23.4", ""),
        ("", ""),
    ],
)
def test_products(product: str, name: str) -> None:
    assert space(product) == name


def definition(identifier: str, kind: str, cves: tuple[str, ...], criteria: str) -> str:
    named = "".join(f'<reference ref_id="Mitre {each}" source="CVE"/>' for each in cves)
    return (
        f'<definition id="{identifier}" class="{kind}"><metadata><title>{cves[0]}</title>{named}'
        '<description>it breaks</description><advisory><issued date="2024-01-02"/><updated date="2024-01-03"/>'
        "<severity>Moderate</severity></advisory></metadata>"
        f'<criteria operator="AND">{criteria}</criteria></definition>'
    )


def test_oval_definitions(tmp_path: Path) -> None:
    platforms = "".join(f'<criterion test_ref="tst:8" comment="{each} is installed"/>' for each in PRODUCTS)
    packages = "".join(f'<criterion test_ref="tst:{n}" comment="?"/>' for n in (1, 2, 3))
    tests = joined(
        rpm_test(1, "thing", "less than", "0:1.35.0-150500.10.3.3"),
        rpm_test(2, "other", "equals", "0", tag="version"),
        rpm_test(3, "open", "greater than", "0:0-0"),
    )
    criteria = f'<criteria operator="OR">{platforms}</criteria><criteria operator="OR">{packages}</criteria>'
    text = oval(
        definition("d:1", "vulnerability", ("CVE-2024-0001",), criteria)
        + definition("d:2", "patch", ("CVE-2024-0002", "CVE-2024-0003"), criteria),
        *tests,
    )
    written(tmp_path / "suse.linux.enterprise.15.xml", text)
    records, problems = parsed(Suse(), tmp_path)
    assert problems == []
    assert sorted(records) == ["CVE-2024-0001", "CVE-2024-0002", "CVE-2024-0003"]
    record = records["CVE-2024-0001"]
    assert [line for line in said(record) if line[0] == "sles:15.5"] == [
        ("sles:15.5", "open", "0:0-0.."),
        ("sles:15.5", "other", "not-affected"),
        ("sles:15.5", "thing", "..0:1.35.0-150500.10.3.3"),
    ]
    assert {each.ecosystem for each in record.affected} == {"sles:15.5", "sles:12.5", "opensuse-tumbleweed"}
    assert (record.severity, record.published, record.modified) == (
        Severity.MEDIUM,
        "2024-01-02T00:00:00Z",
        "2024-01-03T00:00:00Z",
    )


@pytest.mark.parametrize(
    "content", ["{}", "[]", "null", '{"document": {}}', b"\xff", document() | {"product_tree": []}]
)
def test_a_document_that_cannot_be_read_is_a_problem(tmp_path: Path, content: Any) -> None:
    written(tmp_path / "a.json", content)
    written(tmp_path / "b.json", document("CVE-2024-0009"))
    records, problems = parsed(Suse(), tmp_path)
    assert list(records) == ["CVE-2024-0009"]
    assert [each.subject for each in problems] == ["suse: a.json"]


def test_an_archive_that_is_cut_off_leaves_the_old_records() -> None:
    members = {f"cve-2024-{n:04}.json": json.dumps(document(f"CVE-2024-{n:04}")).encode() for n in range(1, 300)}
    whole = tarred(members, "w:bz2")
    with serving(x=Answer(whole)) as server:
        sink, fetcher = MemorySink(), Fetcher(sleep=lambda seconds: None)
        options = SyncOptions(url=f"{server.url}/x")
        assert sync(Suse(), sink, now="2024-06-03T00:00:00Z", fetcher=fetcher, options=options).state.records == 299
        server.answers["/x"] = Answer(whole[: len(whole) // 2])
        with pytest.raises(FeedError, match=r"damaged|holds no record"):
            sync(Suse(), sink, now="2024-06-04T00:00:00Z", fetcher=fetcher, options=options)
        assert len(sink.records["suse"]) == 299
