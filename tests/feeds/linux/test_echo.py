"""Echo's list of advisories, and SecureOS's database behind its note of the newest."""

from __future__ import annotations

import gzip
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from anchorecli.errors import FeedError
from anchorecli.feeds import find
from anchorecli.feeds.sync import SyncOptions, SyncOutcome, sync
from anchorecli.model import Range, Severity, Statement
from anchorecli.net import Fetcher
from tests.feeds.linux.test_secdb import rolling
from tests.feeds.samples import MemorySink, parsed, written
from tests.feeds.server import Answer, Server, serving

ECHO: dict[str, Any] = {
    "bash": {"CVE-2024-1000": {"fixed_version": "5.2-1", "severity": "high"}, "CVE-2024-1001": {}},
    "zlib": {"CVE-2024-1000": {"fixed_version": ""}, "TEMP-0000000-0A1B2C": {"severity": "low"}},
}


def test_echo(tmp_path: Path) -> None:
    records, problems = parsed(find("echo"), written(tmp_path / "data.json", ECHO))
    assert problems == []
    assert list(records) == ["CVE-2024-1000", "CVE-2024-1001", "TEMP-0000000-0A1B2C"]
    both = records["CVE-2024-1000"]
    assert both.severity is Severity.HIGH
    assert [(each.ecosystem, each.package, each.scheme, each.ranges) for each in both.affected] == [
        ("echo", "bash", "deb", (Range(fixed="5.2-1"),)),
        ("echo", "zlib", "deb", ()),
    ]
    assert {each.statement for record in records.values() for each in record.affected} == {Statement.AFFECTED}


def test_echo_takes_problems_one_by_one(tmp_path: Path) -> None:
    content = {**ECHO, "a": [], "b\n": {}, "c": {"no id": {}, "CVE-2024-2": 7, "CVE-2024-3": {"fixed_version": 1}}}
    records, problems = parsed(find("echo"), written(tmp_path / "data.json", content))
    assert len(records) == 3
    assert len(problems) == 5
    assert all(each.incomplete for each in problems)


@pytest.mark.parametrize("data", [b"[]", b"<html>", json.dumps(ECHO).encode()[:-2], b'{"a": "\xff"}'])
def test_echo_refuses_what_is_no_list(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(FeedError, match="not Echo's list"):
        parsed(find("echo"), written(tmp_path / "data.json", data))


# SecureOS

SECDB = rolling({"curl": {"8.9-r0": ["CVE-2024-1000"], "0": ["CVE-2024-1001"]}}) | {
    "distroversion": "v1",
    "urlprefix": "https://apk.cve0.io",
}


def served(server: Server, content: bytes, digest: str = "") -> None:
    note = {"latest_url": "https://elsewhere.example/v1/secdb.json.gz", "sha256": digest or sha256(content).hexdigest()}
    server.answers["/v1/latest.json"] = Answer(json.dumps(note).encode())
    server.answers["/v1/secdb.json.gz"] = Answer(content)


def synced(server: Server, sink: MemorySink) -> SyncOutcome:
    options = SyncOptions(url=f"{server.url}/v1")
    return sync(find("secureos"), sink, now="2026-01-01T00:00:00Z", fetcher=Fetcher(), options=options)


def test_secureos_is_fetched_where_the_note_says_it_changed() -> None:
    sink = MemorySink()
    with serving() as server:
        served(server, gzip.compress(json.dumps(SECDB).encode(), mtime=0))
        assert synced(server, sink).state.ecosystems == ("secureos",)
        assert synced(server, sink).unchanged
        assert server.paths().count("/v1/secdb.json.gz") == 1
        newer = SECDB | {"packages": SECDB["packages"] * 2 + rolling({"x": {"1": ["CVE-2024-3"]}})["packages"]}
        served(server, gzip.compress(json.dumps(newer).encode(), mtime=0))
        assert synced(server, sink).state.records == 3


@pytest.mark.parametrize("note", [b"{}", b"[]", b"<html>", b'{"latest_url": 7}'])
def test_secureos_without_its_note_changes_nothing(note: bytes) -> None:
    sink = MemorySink()
    with serving() as server:
        served(server, gzip.compress(json.dumps(SECDB).encode(), mtime=0))
        synced(server, sink)
        before = sink.records["secureos"]
        server.answers["/v1/latest.json"] = Answer(note)
        with pytest.raises(FeedError, match=r"names no database"):
            synced(server, sink)
        assert sink.records["secureos"] is before


def test_secureos_of_another_digest_is_refused() -> None:
    with serving() as server:
        served(server, gzip.compress(json.dumps(SECDB).encode(), mtime=0), digest="0" * 64)
        with pytest.raises(FeedError, match=r"not what latest\.json says"):
            synced(server, MemorySink())


def test_a_mirror_of_secureos_holds_the_note_too(tmp_path: Path) -> None:
    written(tmp_path / "latest.json", {"latest_url": "x", "sha256": "0"})
    written(tmp_path / "secdb.json", SECDB)
    records, problems = parsed(find("secureos"), tmp_path)
    assert (sorted(records), problems) == (["CVE-2024-1000", "CVE-2024-1001"], [])
