"""Ubuntu's three forms; what subscribers get, and what leaks to nobody else."""

from __future__ import annotations

import io
import json
import lzma
import tarfile
from pathlib import Path
from typing import Any

import pytest

from anchorecli.errors import FeedError
from anchorecli.feeds import find
from anchorecli.feeds.sync import SyncOptions, sync
from anchorecli.model import Severity, Statement
from tests.feeds.samples import MemorySink, affected, osv, parsed, written

UBUNTU = find("ubuntu")
A, N, W, U = Statement.AFFECTED, Statement.NOT_AFFECTED, Statement.WONT_FIX, Statement.UNDER_INVESTIGATION
JAMMY, PRO = "Ubuntu:22.04:LTS", "Ubuntu:Pro:22.04:LTS"


def entry(ecosystem: str, fixed: str = "", name: str = "curl", **more: Any) -> dict[str, Any]:
    events = [{"introduced": "0"}, *([{"fixed": fixed}] if fixed else [])]
    return affected(name, *events, ecosystem=ecosystem, **more)


def record(identifier: str = "UBUNTU-CVE-2024-1000", *entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    return osv(identifier, *(entries or (entry(JAMMY, "1.2-3"),)), **more)


def said(path: Path, identifier: str = "CVE-2024-1000") -> list[tuple[Any, ...]]:
    records, problems = parsed(UBUNTU, path)
    assert [each for each in problems if each.incomplete] == []
    return [
        (each.ecosystem, each.package, each.statement, *[(span.introduced, span.fixed) for span in each.ranges])
        for each in records[identifier].affected
    ]


def test_a_record(tmp_path: Path) -> None:
    more: dict[str, Any] = {
        "details": "A flaw\nin curl",
        "related": ["USN-1-1", "CVE-2024-1000"],
        "severity": [
            {"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N"},
            {"type": "Ubuntu", "score": "low"},
        ],
        "published": "2024-01-01T00:00:00Z",
    }
    one = entry(JAMMY, "1.2-3", versions=["1.0-1", "1.2-2"], ecosystem_specific={"ubuntu_priority": "high"})
    records, problems = parsed(UBUNTU, written(tmp_path / "x.json", record("UBUNTU-CVE-2024-1000", one, **more)))
    assert problems == []
    (found,) = records.values()
    assert (found.id, found.aliases, found.severity) == ("CVE-2024-1000", ("USN-1-1",), Severity.LOW)
    assert (found.summary, found.url) == ("A flaw in curl", "https://ubuntu.com/security/CVE-2024-1000")
    assert (found.published, found.modified) == ("2024-01-01T00:00:00Z", "2024-05-01T10:00:00Z")
    assert [score.score for score in found.cvss] == [7.5]
    (statement,) = found.affected
    assert (statement.ecosystem, statement.scheme, statement.versions) == ("ubuntu:22.04", "deb", ())
    assert statement.severity is Severity.HIGH


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([entry(JAMMY, "1.2-3")], [("ubuntu:22.04", "curl", A, ("", "1.2-3"))]),
        ([entry("Ubuntu:24.10")], [("ubuntu:24.10", "curl", A)]),
        # Fixed for subscribers alone: everybody else has the flaw and no fix.
        (
            [entry(PRO, "1.2-3+esm1")],
            [
                ("ubuntu:22.04+esm", "curl", A, ("", "1.2-3+esm1")),
                ("ubuntu:22.04", "curl", A),
                ("ubuntu:22.04", "curl", N, ("1.2-3+esm1", "")),
            ],
        ),
        ([entry(PRO)], [("ubuntu:22.04+esm", "curl", A), ("ubuntu:22.04", "curl", A)]),
        (
            [entry(JAMMY, "1.2-3"), entry(PRO, "1.2-9+esm1")],
            [
                ("ubuntu:22.04+esm", "curl", A, ("", "1.2-9+esm1")),
                ("ubuntu:22.04", "curl", A, ("", "1.2-3")),
            ],
        ),
        (
            [entry(JAMMY), entry(PRO, "1.2-9+esm1")],
            [
                ("ubuntu:22.04+esm", "curl", A, ("", "1.2-9+esm1")),
                ("ubuntu:22.04", "curl", A),
                ("ubuntu:22.04", "curl", N, ("1.2-9+esm1", "")),
            ],
        ),
    ],
)
def test_the_archive_and_the_channel_of_subscribers(
    tmp_path: Path, entries: list[dict[str, Any]], expected: list[Any]
) -> None:
    assert said(written(tmp_path / "x.json", record("UBUNTU-CVE-2024-1000", *entries))) == expected


@pytest.mark.parametrize(
    "ecosystem",
    [
        "Ubuntu:Pro:FIPS-updates:22.04:LTS",
        "Ubuntu:Pro:Realtime:22.04:LTS",
        "Ubuntu:Nvidia-BlueField:22.04:LTS",
        "Ubuntu",
    ],
)
def test_other_channels_are_counted_and_left_out(tmp_path: Path, ecosystem: str) -> None:
    path = written(tmp_path / "x.json", record("UBUNTU-CVE-2024-1000", entry(JAMMY, "1-1"), entry(ecosystem, "9-9")))
    assert said(path) == [("ubuntu:22.04", "curl", A, ("", "1-1"))]
    _, (problem,) = parsed(UBUNTU, path)
    assert (problem.subject, problem.incomplete) == (f"ubuntu: {ecosystem}", False)


def test_notices_are_other_names_unless_they_speak_alone(tmp_path: Path) -> None:
    written(tmp_path / "usn/USN-1-1.json", record("USN-1-1", related=["CVE-2024-1000"], summary="vulnerabilities"))
    written(tmp_path / "usn/USN-1-2.json", record("USN-1-2", summary="curl regression"))
    written(tmp_path / "usn/USN-2-1.json", record("USN-2-1", summary="curl vulnerability"))
    written(tmp_path / "lsn/LSN-1-1.json", record("LSN-1-1"))
    written(tmp_path / "cve/UBUNTU-CVE-2024-1000.json", record())
    records, problems = parsed(UBUNTU, tmp_path)
    assert (sorted(records), problems) == (["CVE-2024-1000", "USN-2-1"], [])


def test_a_withdrawn_record_stays_to_be_known_as_such(tmp_path: Path) -> None:
    gone = record(affected=[], withdrawn="2025-01-01T00:00:00Z")
    records, _ = parsed(UBUNTU, written(tmp_path / "x.json", gone))
    assert records["CVE-2024-1000"].withdrawn == "2025-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "Expecting"),
        ("[]", "not an OSV record"),
        (b'{"id": "\xff"}', "not UTF-8"),
        ("[" * 100_000, "nested too deep"),
        ({"id": 7}, "not an OSV record"),
        (record(details=7), "details is not text"),
        (record(related="x"), "related holds"),
        (record(affected=["x"]), "affected holds"),
        (record(affected=[{"package": {"name": "x"}}]), "no usable ecosystem"),
        (record("UBUNTU-CVE-2024-1000", {"package": {"ecosystem": JAMMY, "name": "x"}, "ranges": 7}), "ranges"),
        (record("UBUNTU-CVE-2024-1000", affected("x", {"fixed": "1"}, ecosystem=JAMMY)), "no introduced event"),
    ],
)
def test_one_bad_record_does_not_stop_the_rest(tmp_path: Path, content: Any, message: str) -> None:
    written(tmp_path / "a.json", content)
    written(tmp_path / "b.json", record("UBUNTU-CVE-2024-2000"))
    records, problems = parsed(UBUNTU, tmp_path)
    assert list(records) == ["CVE-2024-2000"]
    (problem,) = problems
    assert message in problem.message
    assert problem.incomplete


# VEX


def purl(version: str, distro: str, name: str = "curl", arch: str = "source") -> dict[str, str]:
    return {"@id": f"pkg:deb/ubuntu/{name}@{version}?arch={arch}&distro={distro}"}


def vex(*statements: dict[str, Any], name: str = "CVE-2024-1000") -> dict[str, Any]:
    about = {"name": name, "description": "A flaw", "aliases": ["https://ubuntu.com/security/notices/USN-1-1"]}
    return {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "statements": [{"vulnerability": about} | statement for statement in statements],
    }


def stated(status: str, *products: dict[str, str], **more: str) -> dict[str, Any]:
    return {"status": status, "products": list(products)} | more


END_OF_LIFE = "This package (for the given release) is no longer supported."


def test_vex_alone(tmp_path: Path) -> None:
    document = vex(
        stated("not_affected", purl("1-1", "jammy"), purl("1-1", "jammy", "curl-dbgsym", "amd64")),
        stated("affected", purl("1-1", "noble")),
        stated("affected", purl("1-1", "bionic"), action_statement=END_OF_LIFE),
        stated("under_investigation", purl("1:1-1%2Besm1", "esm-infra/xenial", "a+b".replace("+", "%2B"))),
        stated("fixed", purl("2-1", "focal"), purl("3-1", "fips-updates/focal"), {"@id": "pkg:deb/ubuntu/x"}),
    )
    path = written(tmp_path / "vex/cve/2024/CVE-2024-1000.json", document)
    assert said(path.parents[2]) == [
        ("ubuntu:16.04+esm", "a+b", U),
        ("ubuntu:16.04", "a+b", U),
        ("ubuntu:18.04", "curl", W),
        ("ubuntu:20.04", "curl", U, ("", "2-1")),
        ("ubuntu:22.04", "curl", N),
        ("ubuntu:24.04", "curl", A),
    ]
    records, _ = parsed(UBUNTU, path.parents[2])
    assert records["CVE-2024-1000"].aliases == ("USN-1-1",)


def test_vex_beside_the_export_tells_what_the_export_leaves_out(tmp_path: Path) -> None:
    entries = [entry(JAMMY, "1.2-3"), entry("Ubuntu:18.04:LTS"), entry("Ubuntu:24.10")]
    written(tmp_path / "osv/cve/2024/UBUNTU-CVE-2024-1000.json", record("UBUNTU-CVE-2024-1000", *entries))
    document = vex(
        stated("fixed", purl("1.2-9", "jammy")),
        stated("affected", purl("1-1", "bionic"), action_statement=END_OF_LIFE),
        stated("not_affected", purl("1-1", "noble"), purl("1-1", "oracular")),
    )
    written(tmp_path / "vex/cve/2024/CVE-2024-1000.json", document)
    written(
        tmp_path / "vex/cve/2024/CVE-2024-2000.json", vex(stated("affected", purl("1", "noble")), name="CVE-2024-2000")
    )
    written(tmp_path / "vex/usn/USN-1-1.json", vex(stated("fixed", purl("1.2-9", "jammy"))))
    assert said(tmp_path) == [
        ("ubuntu:18.04", "curl", W),
        ("ubuntu:22.04", "curl", A, ("", "1.2-3")),
        ("ubuntu:24.04", "curl", N),
        # The two contradict each other: the claim stays.
        ("ubuntu:24.10", "curl", A),
    ]
    assert sorted(parsed(UBUNTU, tmp_path)[0]) == ["CVE-2024-1000", "CVE-2024-2000"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "Expecting"),
        ({"id": "x"}, "not a VEX document"),
        (vex(stated("wonky", purl("1", "jammy"))), "status 'wonky'"),
        (vex(stated("affected"), name="GHSA-1"), "about no CVE"),
        ({"statements": [7]}, "about no vulnerability"),
        (
            {
                "statements": [
                    *vex(stated("affected"))["statements"],
                    *vex(stated("affected"), name="CVE-2")["statements"],
                ]
            },
            "several",
        ),
    ],
)
def test_a_bad_document_is_a_problem(tmp_path: Path, content: Any, message: str) -> None:
    written(tmp_path / "CVE-2024-1000.json", content)
    records, problems = parsed(UBUNTU, tmp_path)
    assert records == {}
    (problem,) = problems
    assert message in problem.message


# The tracker

TRACKED = """Candidate: CVE-2024-1000
PublicDate: 2024-01-02 03:04:05 UTC
References:
 https://ubuntu.com/security/notices/USN-1-1
Description:
 A flaw
 in curl
Notes:
 somebody> curl_x: released (1) means nothing here
Priority: medium
 Since it is so
Priority_openssl: high
CVSS:
 nvd: CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N [7.5 HIGH]

Patches_curl:
upstream_curl: released (8.0)
trusty/esm_curl: needs-triage
xenial_curl: ignored (end of standard support)
esm-infra/xenial_curl: released (7.47-1+esm1)
bionic_curl: needed
focal_curl: released (7.68-1ubuntu2)
jammy_curl: not-affected (7.81-1)
kinetic_curl: pending (7.85-1)
lunar_curl: deferred (2024-01-01)
mantic_curl: DNE
devel_curl: needed
fips-updates/jammy_curl: needed
snap_curl: needed

jammy_openssl: needs-triage
"""


def test_a_file_of_the_tracker(tmp_path: Path) -> None:
    written(tmp_path / "active/CVE-2024-1000", TRACKED)
    written(tmp_path / "active/00boilerplate", "Candidate:\n")
    assert said(tmp_path) == [
        ("ubuntu:14.04+esm", "curl", U),
        ("ubuntu:14.04", "curl", U),
        ("ubuntu:16.04+esm", "curl", A, ("", "7.47-1+esm1")),
        ("ubuntu:16.04", "curl", W),
        ("ubuntu:16.04", "curl", N, ("7.47-1+esm1", "")),
        ("ubuntu:18.04", "curl", A),
        ("ubuntu:20.04", "curl", A, ("", "7.68-1ubuntu2")),
        ("ubuntu:22.04", "curl", N),
        ("ubuntu:22.04", "openssl", U),
        ("ubuntu:22.10", "curl", A),
        ("ubuntu:23.04", "curl", A),
    ]
    (found,) = parsed(UBUNTU, tmp_path)[0].values()
    assert (found.severity, found.aliases, found.summary) == (Severity.MEDIUM, ("USN-1-1",), "A flaw in curl")
    assert (found.published, [each.score for each in found.cvss]) == ("2024-01-02T03:04:05Z", [7.5])
    assert {each.severity for each in found.affected if each.package == "openssl"} == {Severity.HIGH}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no Candidate"),
        ("Candidate: TEMP-1\n", "not a CVE"),
        (b"\xff\xfe", "not UTF-8"),
        ("Candidate: CVE-2024-1000\njammy_x: wonky\n", "unknown status 'wonky'"),
        ("Candidate: CVE-2024-1000\njammy_x: released\n", "is no version"),
        ("Candidate: CVE-2024-1000\njammy_x: released (see bug)\n", "is no version"),
    ],
)
def test_a_bad_file_of_the_tracker(tmp_path: Path, text: Any, message: str) -> None:
    written(tmp_path / "CVE-2024-1000", text)
    written(tmp_path / "CVE-2024-2000", TRACKED.replace("CVE-2024-1000", "CVE-2024-2000"))
    records, problems = parsed(UBUNTU, tmp_path)
    assert list(records) == ["CVE-2024-2000"]
    (problem,) = (each for each in problems if each.incomplete)
    assert message in problem.message


# End to end


def packed(members: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in members.items():
            data = json.dumps(content).encode()
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return lzma.compress(buffer.getvalue())


def test_a_sync_from_the_two_archives(tmp_path: Path) -> None:
    written(tmp_path / "osv-all.tar.xz", packed({"osv/cve/2024/UBUNTU-CVE-2024-1000.json": record()}))
    written(
        tmp_path / "vex-all.tar.xz",
        packed({"vex/cve/2024/CVE-2024-1000.json": vex(stated("not_affected", purl("1", "noble")))}),
    )
    sink = MemorySink()
    outcome = sync(UBUNTU, sink, now="2026-01-01T00:00:00Z", fetcher=None, options=SyncOptions(source=tmp_path))  # type: ignore[arg-type]
    assert outcome.state.ecosystems == ("ubuntu:22.04", "ubuntu:24.04")
    assert (outcome.problem_count, outcome.state.records) == (0, 1)


def test_an_archive_cut_off_is_refused(tmp_path: Path) -> None:
    whole = packed({f"osv/cve/UBUNTU-CVE-2024-{n}.json": record(f"UBUNTU-CVE-2024-{n}") for n in range(1000, 1040)})
    path = written(tmp_path / "osv-all.tar.xz", whole[: len(whole) // 2])
    sink = MemorySink()
    with pytest.raises(FeedError):
        sync(UBUNTU, sink, now="2026-01-01T00:00:00Z", fetcher=None, options=SyncOptions(source=path))  # type: ignore[arg-type]
    assert sink.records == {}


def test_every_series_is_a_release_or_is_counted(tmp_path: Path) -> None:
    text = """Candidate: CVE-2024-1000
Priority: low
upstream_curl: released (8.0)
devel_curl: needed
quantal_curl: released (7.27.0-1ubuntu1.9)
hardy_curl: ignored (end of life)
snap_curl: needed
fips/focal_curl: needed
vivid/ubuntu-core_curl: DNE
zippy_curl: needed
zippy_libcurl: released (1-1)
Tags_curl: universe-binary
Patches_curl: upstream
"""
    records, problems = parsed(UBUNTU, written(tmp_path / "active/CVE-2024-1000", text.encode()))
    found = [(each.ecosystem, each.statement) for each in records["CVE-2024-1000"].affected]
    assert found == [("ubuntu:12.10", A), ("ubuntu:8.04", W)]
    assert [(each.subject, each.message, each.incomplete) for each in problems] == [
        ("ubuntu: fips/focal", "1 statements nothing here asks for", False),
        ("ubuntu: snap", "1 statements nothing here asks for", False),
        ("ubuntu: zippy", "2 statements about a release that is not known here", True),
    ]


def test_every_series_of_a_vex_document_is_a_release_or_is_counted(tmp_path: Path) -> None:
    products = [
        {"@id": f"pkg:deb/ubuntu/curl@1-1?arch=source&distro={name}"} for name in ("jammy", "zippy", "fips/focal")
    ]
    document = {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "statements": [{"vulnerability": {"name": "CVE-2024-1000"}, "status": "not_affected", "products": products}],
    }
    path = written(tmp_path / "vex/cve/2024/CVE-2024-1000.json", document)
    records, problems = parsed(UBUNTU, path.parents[3])
    assert [each.ecosystem for each in records["CVE-2024-1000"].affected] == ["ubuntu:22.04"]
    assert [(each.subject, each.incomplete) for each in problems] == [
        ("ubuntu: fips/focal", False), ("ubuntu: zippy", True),
    ]  # fmt: skip
