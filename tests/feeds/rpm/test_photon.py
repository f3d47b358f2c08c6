"""Photon's lists of CVEs, and its older OVAL definitions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from anchorecli.errors import FeedError
from anchorecli.feeds.rpm.photon import Photon
from anchorecli.feeds.sync import SyncOptions, sync
from anchorecli.model import Severity
from anchorecli.net import Fetcher
from tests.feeds.rpm.samples import joined, oval, rpm_test, said
from tests.feeds.samples import MemorySink, parsed, written
from tests.feeds.server import Answer, serving


def entry(cve: str, package: str, fixed: str = "NA", status: str = "Fixed", score: Any = 7.5) -> dict[str, Any]:
    return {"cve_id": cve, "pkg": package, "cve_score": score, "aff_ver": "…", "res_ver": fixed, "status": status}


FOUR = [
    entry("CVE-2024-0001", "curl", "8.16.0-1.ph4"),
    entry("CVE-2024-0001", "curl", "8.16.0-1.ph4"),
    entry("CVE-2024-0001", "curl-libs", "8.16.0-1.ph4", score=9.8),
    entry("UNK-1", "curl", status="Not Affected", score=None),
]
FIVE = [entry("CVE-2024-0001", "curl", "8.17.0-1.ph5"), entry("CVE-2024-0002", "zlib", status="Unfixed", score=3.1)]


def test_branches(tmp_path: Path) -> None:
    written(tmp_path / "cve_data_photon4.0.json", json.dumps(FOUR))
    written(tmp_path / "cve_data_photon5.0.json", json.dumps(FIVE))
    written(tmp_path / "photon_versions.json", json.dumps({"branches": ["4.0", "5.0"]}))
    records, problems = parsed(Photon(), tmp_path)
    assert problems == []
    assert {name: said(each) for name, each in records.items()} == {
        "CVE-2024-0001": [
            ("photon:4.0", "curl", "..8.16.0-1.ph4"),
            ("photon:4.0", "curl-libs", "..8.16.0-1.ph4"),
            ("photon:5.0", "curl", "..8.17.0-1.ph5"),
        ],
        "CVE-2024-0002": [("photon:5.0", "zlib", "affected")],
        "UNK-1": [("photon:4.0", "curl", "not-affected")],
    }
    assert [each.severity for each in records.values()] == [Severity.CRITICAL, Severity.LOW, Severity.UNKNOWN]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (3, "not an object"),
        (entry("Re", "linux"), "no usable cve_id"),
        (entry("CVE-2024-0009", ""), "no usable pkg"),
        (entry("CVE-2024-0009", "p", status="Odd"), "unknown status 'Odd'"),
        (entry("CVE-2024-0009", "p"), "fixed, but without a version"),
        (entry("CVE-2024-0009", "p", status=3), "not text"),  # type: ignore[arg-type]
    ],
)
def test_an_entry_that_cannot_be_read_is_a_problem(tmp_path: Path, bad: Any, reason: str) -> None:
    records, problems = parsed(Photon(), written(tmp_path / "cve_data_photon4.0.json", json.dumps([bad, *FOUR])))
    assert sorted(records) == ["CVE-2024-0001", "UNK-1"]
    assert [reason in each.message for each in problems] == [True]


@pytest.mark.parametrize("content", ["[{]", '{"a": 1}', b"\xff", "[" * 100_000])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: Any) -> None:
    written(tmp_path / "cve_data_photon5.0.json", json.dumps(FIVE))
    written(tmp_path / "cve_data_photon4.0.json", content)
    with pytest.raises(FeedError, match=r"cve_data_photon4\.0\.json cannot be read"):
        parsed(Photon(), tmp_path)


def test_oval_definitions(tmp_path: Path) -> None:
    text = oval(
        '<definition class="patch" id="d"><metadata><title>PHSA-2020:00001 sqlite Security Update.</title>'
        '<reference ref_id="PHSA:00001:3.0:0036" source="PHSA"/><advisory><severity>Important</severity>'
        '<issued date="2019-10-23"/><updated date="2019-10-24"/><cve>CVE-2019-16168</cve><cve>CVE-2019-16169</cve>'
        '</advisory></metadata><criteria operator="AND">'
        '<criterion comment="Photon OS 3 is installed" test_ref="tst:9"/>'
        '<criteria operator="AND"><criterion comment="sqlite is earlier" test_ref="tst:1"/>'
        '<criterion comment="sqlite is signed with VMware key" test_ref="tst:2"/></criteria></criteria></definition>',
        *joined(rpm_test(1, "sqlite", "less than", "0:3.27.2-5.ph3")),
    )
    records, problems = parsed(Photon(), written(tmp_path / "com.vmware.phsa-photon3.xml", text))
    assert problems == []
    assert sorted(records) == ["CVE-2019-16168", "CVE-2019-16169"]
    record = records["CVE-2019-16168"]
    assert said(record) == [("photon:3.0", "sqlite", "..0:3.27.2-5.ph3")]
    assert (record.severity, record.published) == (Severity.HIGH, "2019-10-23T00:00:00Z")


def test_fetch() -> None:
    with serving() as server:
        server.answers |= {
            "/photon_versions.json": Answer(b'{"branches": ["4.0", "5.0", "../x"]}'),
            "/cve_data_photon4.0.json": Answer(json.dumps(FOUR).encode(), etag=True),
            "/cve_data_photon5.0.json": Answer(json.dumps(FIVE).encode(), etag=True),
        }
        sink, fetcher = MemorySink(), Fetcher(sleep=lambda seconds: None)
        options = SyncOptions(url=server.url)
        outcome = sync(Photon(), sink, now="2024-06-03T00:00:00Z", fetcher=fetcher, options=options)
        assert outcome.state.ecosystems == ("photon:4.0", "photon:5.0")
        assert not [path for path in server.paths() if path.endswith("/x")]
        assert sync(Photon(), sink, now="2024-06-04T00:00:00Z", fetcher=fetcher, options=options).unchanged
        server.answers["/photon_versions.json"] = Answer(b"<html/>")
        with pytest.raises(FeedError, match="lists no branches"):
            sync(Photon(), sink, now="2024-06-05T00:00:00Z", fetcher=fetcher, options=options)
