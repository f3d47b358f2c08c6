"""Red Hat's VEX documents, API objects and OVAL definitions, and how they are fetched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from anchorecli.errors import FeedError
from anchorecli.feeds.rpm.redhat import Redhat
from anchorecli.feeds.rpm.redhat_names import space
from anchorecli.feeds.sync import SyncOptions, sync
from anchorecli.model import Severity
from anchorecli.net import Fetcher
from tests.feeds.rpm.samples import bzipped, joined, oval, read, rpm_test, said, tarred, vex
from tests.feeds.samples import MemorySink, parsed, written
from tests.feeds.server import Answer, serving

PRODUCTS = {
    "AppStream-9.4": "cpe:/a:redhat:enterprise_linux:9::appstream",
    "BaseOS-9.2.EUS": "cpe:/o:redhat:rhel_eus:9.2::baseos",
    "rhel8": "cpe:/o:redhat:enterprise_linux:8",
    "rhel7": "cpe:/o:redhat:enterprise_linux:7",
    "ocp": "cpe:/a:redhat:openshift:4",
}


def purl(name: str, version: str = "", query: str = "") -> str:
    return f"pkg:rpm/redhat/{name}" + (f"@{version}" if version else "") + (f"?{query}" if query else "")


PACKAGES = {
    "thing-1:2.0-3.el9_4.src": purl("thing", "2.0-3.el9_4", "arch=src&epoch=1"),
    "thing-libs-1:2.0-3.el9_4.x86_64": purl("thing-libs", "2.0-3.el9_4", "arch=x86_64&epoch=1"),
    "thing-libs-1:2.0-3.el9_4.aarch64": purl("thing-libs", "2.0-3.el9_4", "arch=aarch64&epoch=1"),
    "thing-1:1.9-7.el9_2.src": purl("thing", "1.9-7.el9_2", "arch=src&epoch=1"),
    "thing.src": purl("thing", query="arch=src"),
    "thing-libs": purl("thing-libs"),
    "other": purl("other"),
    "thing-image": "pkg:oci/thing?repository_url=registry.example.com/thing",
}


def document(**more: Any) -> dict[str, Any]:
    statuses = {
        "fixed": [
            "AppStream-9.4|thing-1:2.0-3.el9_4.src",
            "AppStream-9.4|thing-libs-1:2.0-3.el9_4.x86_64",
            "AppStream-9.4|thing-libs-1:2.0-3.el9_4.aarch64",
            "BaseOS-9.2.EUS|thing-1:1.9-7.el9_2.src",
        ],
        "known_affected": ["rhel8|thing.src", "rhel8|thing-libs", "rhel7|thing.src", "ocp|thing.src"],
        "known_not_affected": ["rhel8|other", "ocp|thing-image"],
        "under_investigation": ["rhel7|other"],
    }
    details: dict[str, Any] = {
        "threats": [{"category": "impact", "details": "Important"}],
        "remediations": [
            {"category": "no_fix_planned", "details": "Out of support scope", "product_ids": ["rhel7|thing.src"]},
            {"category": "none_available", "details": "Fix deferred", "product_ids": ["rhel8|thing.src"]},
            {
                "category": "vendor_fix",
                "details": "update",
                "url": "https://access.redhat.com/errata/RHSA-2024:1111",
                "product_ids": ["AppStream-9.4|thing-1:2.0-3.el9_4.src"],
            },
            {
                "category": "vendor_fix",
                "details": "update",
                "url": "https://access.redhat.com/errata/RHSA-2024:2222",
                "product_ids": ["BaseOS-9.2.EUS|thing-1:1.9-7.el9_2.src"],
            },
        ],
    }
    return vex("CVE-2024-0001", PRODUCTS, PACKAGES, statuses, **(details | more))


SAID = [
    ("rhel:7", "other", "under-investigation"),
    ("rhel:7", "thing", "wont-fix"),
    ("rhel:8", "other", "not-affected"),
    ("rhel:8", "thing", "affected"),
    ("rhel:9", "thing", "..1:2.0-3.el9_4"),
    ("rhel:9.2+eus", "thing", "..1:1.9-7.el9_2"),
]


def test_a_vex_document(tmp_path: Path) -> None:
    records, problems = parsed(Redhat(), written(tmp_path / "cve-2024-0001.json", document()))
    assert problems == []
    record = records["CVE-2024-0001"]
    assert said(record) == SAID
    assert record.severity is Severity.HIGH
    # The erratum of a stream that has to be paid for is nobody's who has not.
    assert record.aliases == ("RHSA-2024:1111",)
    assert [(each.version, each.score, each.source) for each in record.cvss] == [("3.1", 9.8, "Red Hat")]
    assert (record.published, record.modified) == ("2024-01-02T03:04:05Z", "2024-06-01T12:00:00Z")
    assert record.summary == "thing: it breaks"
    assert record.url == "https://access.redhat.com/security/cve/CVE-2024-0001"


def test_severities_of_single_products(tmp_path: Path) -> None:
    threats = [
        {"category": "impact", "details": "Important", "product_ids": ["rhel8|thing.src"]},
        {"category": "impact", "details": "Low", "product_ids": ["rhel7|thing.src"]},
    ]
    records, _ = parsed(Redhat(), written(tmp_path / "x.json", document(threats=threats)))
    found = {each.ecosystem: each.severity for each in records["CVE-2024-0001"].affected if each.package == "thing"}
    assert found["rhel:7"] is Severity.LOW
    assert found["rhel:8"] is Severity.UNKNOWN


def test_modules_in_all_their_spellings(tmp_path: Path) -> None:
    packages = {
        "p-0:1-2.module+el8.src::m:1": purl("p", "1-2.module%2Bel8", "arch=src"),
        "q-0:1-2.module+el8.x86_64": purl("q", "1-2.module%2Bel8", "arch=x86_64&rpmmod=m:1:8060:abc"),
        "m:2/r": purl("r"),
        "s:flatpak/s": purl("s"),
    }
    statuses = {
        "fixed": ["rhel8|p-0:1-2.module+el8.src::m:1", "rhel8|q-0:1-2.module+el8.x86_64"],
        "known_affected": ["rhel8|m:2/r", "rhel8|s:flatpak/s"],
    }
    records, _ = parsed(Redhat(), written(tmp_path / "x.json", vex("CVE-2024-0002", PRODUCTS, packages, statuses)))
    assert said(records["CVE-2024-0002"]) == [
        # Of one build in one module: what is built from the source is asked by it.
        ("rhel:8", "p", "..1-2.module+el8", "m:1"),
        ("rhel:8", "r", "affected", "m:2"),
    ]


def test_a_module_that_stands_between_package_and_product(tmp_path: Path) -> None:
    content = vex("CVE-2024-0003", PRODUCTS, {"p-0:1-2.src": purl("p", "1-2", "arch=src")}, {})
    tree = content["product_tree"]
    tree["branches"][0]["branches"].append(
        {
            "category": "product_version",
            "name": "m:1:8060:abc",
            "product": {
                "product_id": "m:1:8060:abc",
                "product_identification_helper": {"purl": "pkg:rpmmod/redhat/m@1%3A8060%3Aabc"},
            },
        }
    )
    pairs = {"rhel8:m": ("m:1:8060:abc", "rhel8"), "rhel8:m:p": ("p-0:1-2.src", "rhel8:m")}
    tree["relationships"] = [
        {
            "full_product_name": {"product_id": identifier},
            "product_reference": component,
            "relates_to_product_reference": platform,
        }
        for identifier, (component, platform) in pairs.items()
    ]
    content["vulnerabilities"][0]["product_status"] = {"fixed": ["rhel8:m:p", "rhel8:m"]}
    records, _ = parsed(Redhat(), written(tmp_path / "x.json", content))
    assert said(records["CVE-2024-0003"]) == [("rhel:8", "p", "..1-2", "m:1")]


def test_what_source_packages_do_not_say_is_kept(tmp_path: Path) -> None:
    packages = {"kernel.src": purl("kernel", query="arch=src"), "kernel-rt-core": purl("kernel-rt-core")}
    packages |= {"bpftool": purl("bpftool"), "kernel-core": purl("kernel-core")}
    statuses = {
        "known_affected": ["rhel8|kernel.src", "rhel8|kernel-core", "rhel8|bpftool"],
        "known_not_affected": ["rhel8|kernel-rt-core"],
    }
    records, _ = parsed(Redhat(), written(tmp_path / "x.json", vex("CVE-2024-0004", PRODUCTS, packages, statuses)))
    assert said(records["CVE-2024-0004"]) == [
        ("rhel:8", "bpftool", "affected"),
        ("rhel:8", "kernel", "affected"),
        ("rhel:8", "kernel-rt-core", "not-affected"),
    ]


def test_an_erratum_bundles_its_cves(tmp_path: Path) -> None:
    content = document(category="csaf_security_advisory", id="RHSA-2024:1111")
    content["vulnerabilities"].append({**content["vulnerabilities"][0], "cve": "CVE-2024-0009"})
    records, problems = parsed(Redhat(), written(tmp_path / "x.json", content))
    assert problems == []
    assert records["RHSA-2024:1111"].aliases == ("CVE-2024-0001", "CVE-2024-0009")
    assert said(records["RHSA-2024:1111"]) == [line for line in SAID if ".." in line[2]]


@pytest.mark.parametrize(
    ("cpe", "name"),
    [
        ("cpe:/a:redhat:enterprise_linux:9::appstream", "rhel:9"),
        ("cpe:/o:redhat:enterprise_linux:10.0", "rhel:10"),
        ("cpe:/o:redhat:enterprise_linux:7::server", "rhel:7"),
        ("cpe:/a:redhat:rhel_eus:9.2::appstream", "rhel:9.2+eus"),
        ("cpe:/o:redhat:enterprise_linux_eus:10.0", "rhel:10.0+eus"),
        ("cpe:/o:redhat:rhel_aus:8.4::baseos", "rhel:8.4+aus"),
        ("cpe:/a:redhat:rhel_e4s:8.1::appstream", "rhel:8.1+e4s"),
        ("cpe:/a:redhat:rhel_tus:8.4::nfv", "rhel:8.4+tus"),
        ("cpe:/o:redhat:rhel_els:7", "rhel:7+els"),
        ("cpe:/a:redhat:rhel_extras:7", "rhel:7"),
        ("cpe:/a:redhat:rhel_software_collections:3::el7", "rhel:7"),
        ("cpe:/a:redhat:rhel_software_collections:3", "rhel:7"),
        ("cpe:/o:redhat:enterprise_linux:4", ""),
        ("cpe:/a:redhat:enterprise_linux_ai:1", ""),
        ("cpe:/a:redhat:openshift:4.14::el9", ""),
        ("cpe:/a:redhat:jboss_core_services:1::el8", ""),
        ("", ""),
    ],
)
def test_products(cpe: str, name: str) -> None:
    assert space(cpe) == name


API = {
    "name": "CVE-2024-0001",
    "threat_severity": "Important",
    "public_date": "2024-01-02T00:00:00Z",
    "bugzilla": {"description": "thing: it breaks", "id": "1"},
    "cvss3": {"cvss3_base_score": "9.8", "cvss3_scoring_vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},
    "details": ["long"],
    "affected_release": [
        {"cpe": PRODUCTS["AppStream-9.4"], "advisory": "RHSA-2024:1111", "package": "thing-1:2.0-3.el9_4"},
        {"cpe": PRODUCTS["BaseOS-9.2.EUS"], "advisory": "RHSA-2024:2222", "package": "thing-1:1.9-7.el9_2"},
        {"cpe": PRODUCTS["ocp"], "advisory": "RHSA-2024:3333", "package": "thing-1:1.9-7.rhaos4"},
        {"cpe": PRODUCTS["rhel8"], "advisory": "RHSA-2024:4444", "package": "m:1-8060020220120164031.5294be16"},
        {"cpe": PRODUCTS["rhel8"], "advisory": "RHSA-2024:5555", "package": "ubi8/thing:1-2"},
    ],
    "package_state": [
        {"cpe": PRODUCTS["rhel7"], "fix_state": "Out of support scope", "package_name": "thing"},
        {"cpe": PRODUCTS["rhel7"], "fix_state": "Under investigation", "package_name": "other"},
        {"cpe": PRODUCTS["rhel8"], "fix_state": "Fix deferred", "package_name": "thing"},
        {"cpe": PRODUCTS["rhel8"], "fix_state": "Not affected", "package_name": "other"},
        {"cpe": PRODUCTS["rhel8"], "fix_state": "Will not fix", "package_name": "m:2/r"},
        {"cpe": PRODUCTS["rhel8"], "fix_state": "Affected", "package_name": "rhel8/image"},
        {"cpe": PRODUCTS["rhel8"], "fix_state": "Affected", "package_name": "gimp:flatpak/python2"},
    ],
}


def test_the_api_says_the_same(tmp_path: Path) -> None:
    records, problems = parsed(Redhat(), written(tmp_path / "CVE-2024-0001", API))
    record = records["CVE-2024-0001"]
    assert said(record) == sorted([*SAID, ("rhel:8", "r", "wont-fix", "m:2")])
    assert (record.severity, record.published) == (Severity.HIGH, "2024-01-02T00:00:00Z")
    assert record.aliases == ("RHSA-2024:1111", "RHSA-2024:4444", "RHSA-2024:5555")
    assert [each.message for each in problems] == [
        "fixed by m:1-8060020220120164031.5294be16, whose packages are not named"
    ]


def test_what_only_the_extended_support_of_a_release_fixes_everybody_else_has(tmp_path: Path) -> None:
    fix = {"cpe": "cpe:/o:redhat:rhel_els:6", "advisory": "RHSA-2024:9999", "package": "old-2.28-11.el6_10"}
    records, _ = parsed(Redhat(), written(tmp_path / "CVE-2024-0001", API | {"affected_release": [fix]}))
    about = [each for each in said(records["CVE-2024-0001"]) if each[1] == "old"]
    assert [each[:3] for each in about] == [("rhel:6", "old", "wont-fix"), ("rhel:6+els", "old", "..2.28-11.el6_10")]


def rhel_oval() -> str:
    cpes = "<affected_cpe_list><cpe>cpe:/a:redhat:enterprise_linux:9::appstream</cpe></affected_cpe_list>"
    start = '<criterion comment="Red Hat Enterprise Linux must be installed" test_ref="tst:90"/>'
    release = '<criterion comment="Red Hat Enterprise Linux 9 is installed" test_ref="tst:91"/>'

    def one(kind: str, identifier: str, title: str, inside: str, criterion: str) -> str:
        return (
            f'<definition class="{kind}" id="{identifier}"><metadata><title>{title}</title>{inside}</metadata>'
            f'<criteria operator="OR">{start}<criteria operator="AND">{release}{criterion}</criteria></criteria>'
            "</definition>"
        )

    patch = one(
        "patch",
        "oval:rhsa:def:1",
        "RHSA-2024:1111: thing security update (Important)",
        '<reference source="RHSA" ref_id="RHSA-2024:1111"/><reference source="CVE" ref_id="CVE-2024-0001"/>'
        f'<advisory><severity>Important</severity><issued date="2024-01-02"/>{cpes}</advisory>',
        '<criterion comment="thing is earlier than 1:2.0-3.el9_4" test_ref="tst:1"/>'
        '<criterion comment="Module m:1 is enabled" test_ref="tst:92"/>'
        '<criterion comment="thing is signed with Red Hat redhatrelease2 key" test_ref="tst:93"/>',
    )
    open_ = one(
        "vulnerability",
        "oval:cve:def:2",
        "CVE-2024-0002 other: breaks (low)",
        '<advisory><severity>Low</severity><cve cvss3="3.1/CVSS:3.1/AV:L/AC:L/PR:L/UI:R/S:U/C:N/I:N/A:L">CVE-2024-0002'
        f'</cve><affected><resolution state="Will not fix"><component>other</component></resolution></affected>{cpes}'
        "</advisory>",
        '<criterion comment="other is installed" test_ref="tst:2"/>',
    )
    denied = one(
        "vulnerability",
        "oval:com.redhat.unaffected:def:2",
        "Unaffected components for: CVE-2024-0002 other: breaks (low)",
        f"<advisory><severity>Low</severity><cve>CVE-2024-0002</cve>{cpes}</advisory>",
        '<criterion comment="third is installed" test_ref="tst:3"/>'
        '<criterion comment="third is not installed" test_ref="tst:94"/>',
    )
    tests = joined(rpm_test(1, "thing", "less than", "1:2.0-3.el9_4"), rpm_test(2, "other"), rpm_test(3, "third"))
    return oval(patch + open_ + denied, *tests)


def test_oval_definitions(tmp_path: Path) -> None:
    records, problems = parsed(Redhat(), written(tmp_path / "rhel-9.oval.xml.bz2", bzipped(rhel_oval())))
    assert problems == []
    assert said(records["RHSA-2024:1111"]) == [("rhel:9", "thing", "..1:2.0-3.el9_4", "m:1")]
    assert records["RHSA-2024:1111"].aliases == ("CVE-2024-0001",)
    assert said(records["CVE-2024-0002"]) == [("rhel:9", "other", "wont-fix"), ("rhel:9", "third", "not-affected")]
    assert records["CVE-2024-0002"].severity is Severity.LOW
    assert records["CVE-2024-0002"].summary == "other: breaks (low)"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "neither a VEX document nor"),
        ("[" * 100_000, "nested too deep"),
        (b'{"name": "\xff"}', "not UTF-8"),
        ({"document": {"category": "csaf_vex"}}, "no tracking"),
        ({"document": {"category": "csaf_base", "tracking": {"id": "a"}}}, "of another kind: 'csaf_base'"),
        ({"document": {"csaf_version": "2.0"}}, "not a CSAF document"),
        (document(product_status=[]) | {"vulnerabilities": {}}, None),
        (document() | {"vulnerabilities": [1]}, "vulnerabilities is not a list of objects"),
        (document() | {"vulnerabilities": [{"title": "x"}]}, "a vulnerability without a CVE"),
        (document() | {"product_tree": {"branches": 3}}, "branches is not a list of objects"),
        (document(product_status={"fixed": "all"}), "not a list of product ids"),
        (
            API | {"package_state": [{"cpe": PRODUCTS["rhel8"], "fix_state": "Odd", "package_name": "p"}]},
            "fix_state 'odd'",
        ),
        (API | {"name": 3}, "no usable name"),
        (API | {"affected_release": "all"}, "affected_release is not a list"),
    ],
)
def test_a_document_that_cannot_be_read_is_a_problem(tmp_path: Path, content: Any, reason: str | None) -> None:
    written(tmp_path / "2024" / "cve-2024-0001.json", content)
    good = document()
    good["vulnerabilities"][0]["cve"] = "CVE-2024-7777"
    written(tmp_path / "2024" / "cve-2024-7777.json", good)
    records, problems = parsed(Redhat(), tmp_path)
    assert list(records) == ["CVE-2024-7777"]
    assert [reason in each.message for each in problems if reason] == ([True] if reason else [])


def test_branches_that_go_too_deep(tmp_path: Path) -> None:
    content = document()
    branch: dict[str, Any] = {"name": "x"}
    for _ in range(60):
        branch = {"name": "x", "branches": [branch]}
    content["product_tree"]["branches"] = [branch]
    _, problems = parsed(Redhat(), written(tmp_path / "x.json", content))
    assert "branches nested too deep" in problems[0].message


def archive(*names: str, **more: Any) -> bytes:
    members = {}
    for name in names:
        cve = name.rpartition("/")[2].removesuffix(".json").upper()
        members[name] = json.dumps(document(**more) | {}).replace("CVE-2024-0001", cve).encode()
    return tarred(members, "w:bz2")


def test_a_mirror_in_a_folder(tmp_path: Path) -> None:
    """Single documents are newer than the archive; what was deleted after it was made is not read."""
    old = archive("2024/cve-2024-0001.json", "2024/cve-2024-0002.json", "2024/cve-2024-0003.json")
    written(tmp_path / "csaf_vex_2024-06-01.tar.bz2", old)
    newer = document(title="thing: it breaks again")
    written(tmp_path / "2024" / "cve-2024-0001.json", newer)
    written(tmp_path / "deletions.csv", '"2024/cve-2024-0003.json","2024-07-01T00:00:00+00:00"\n')
    written(tmp_path / "changes.csv", '"2024/cve-2024-0001.json","2024-07-01T00:00:00+00:00"\n')
    written(tmp_path / "README.md", "not a record")
    records, problems = parsed(Redhat(), tmp_path)
    assert problems == []
    assert {name: record.summary for name, record in records.items()} == {
        "CVE-2024-0001": "thing: it breaks again",
        "CVE-2024-0002": "thing: it breaks",
    }


def test_fetch(tmp_path: Path) -> None:
    changes = (
        '"2024/cve-2024-0001.json","2024-06-02T00:00:00+00:00"\n'
        '"2024/cve-2024-0005.json","2024-06-01T10:00:00+00:00"\n'
        '"2024/cve-2024-0002.json","2024-05-01T00:00:00+00:00"\n'
        '"../../etc/passwd","2024-06-09T00:00:00+00:00"\n'
    )
    with serving() as server:
        server.answers |= {
            "/changes.csv": Answer(changes.encode(), etag=True),
            "/archive_latest.txt": Answer(b"csaf_vex_2024-06-01.tar.bz2\n"),
            "/csaf_vex_2024-06-01.tar.bz2": Answer(archive("2024/cve-2024-0001.json", "2024/cve-2024-0002.json")),
            "/2024/cve-2024-0001.json": Answer(json.dumps(document(title="newer")).encode()),
            "/deletions.csv": Answer(b""),
        }
        sink = MemorySink()
        fetcher = Fetcher(sleep=lambda seconds: None)
        options = SyncOptions(url=server.url)
        outcome = sync(Redhat(), sink, now="2024-06-03T00:00:00Z", fetcher=fetcher, options=options)
        assert outcome.problems == ()
        assert {name: each.summary for name, each in sink.records["redhat"].items()} == {
            "CVE-2024-0001": "newer",
            "CVE-2024-0002": "thing: it breaks",
        }
        assert not [path for path in server.paths() if "passwd" in path]
        # Asked for, though it has gone since the list was made.
        assert "/2024/cve-2024-0005.json" in server.paths()
        server.requests.clear()
        again = sync(Redhat(), sink, now="2024-06-04T00:00:00Z", fetcher=fetcher, options=options)
        assert again.unchanged
        assert server.paths() == ["/changes.csv"]


@pytest.mark.parametrize(
    ("archive_name", "reason"), [("<html>sign in</html>", "names no archive"), ("x.tar.zst", r"x\.tar\.zst")]
)
def test_fetch_from_what_is_no_mirror(archive_name: str, reason: str) -> None:
    answers = {"changes.csv": Answer(b""), "archive_latest.txt": Answer(archive_name.encode())}
    with serving(**answers) as server, pytest.raises(FeedError, match=reason):
        Redhat().fetch(Fetcher(), None, server.url, lambda *_: None)


def test_reading_is_repeatable(tmp_path: Path) -> None:
    path = written(tmp_path / "x.json", document())
    driver = Redhat()
    assert read(driver, driver.open(path)) == read(driver, driver.open(path))
