"""Amazon Linux: updateinfo of its repositories, and how they are found."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from anchorecli.errors import FeedError
from anchorecli.feeds.rpm.amazon import Amazon
from anchorecli.feeds.sync import SyncOptions, sync
from anchorecli.model import Severity
from anchorecli.net import Fetcher
from tests.feeds.rpm.samples import said
from tests.feeds.samples import MemorySink, parsed, written
from tests.feeds.server import Answer, serving


def update(identifier: str, collection: str, *builds: str, cves: tuple[str, ...] = ("CVE-2024-0001",)) -> str:
    """``builds`` are ``name epoch version release arch``."""
    packages = "".join(
        '<package name="{}" epoch="{}" version="{}" release="{}" arch="{}"/>'.format(*each.split()) for each in builds
    )
    references = "".join(f'<reference href="x" id="{each}" title="" type="cve"/>' for each in cves)
    return (
        f'<update type="security"><id>{identifier}</id><title>Amazon Linux - {identifier}: package update</title>'
        f'<issued date="2024-01-02 03:04"/><updated date="2024-01-03 03:04:05"/><severity>important</severity>'
        f"<description>long</description><references>{references}</references>"
        f'<pkglist><collection short="{collection}"><name>n</name>{packages}</collection></pkglist></update>'
    )


def updates(*inside: str) -> str:
    return f'<?xml version="1.0"?><updates>{"".join(inside)}</updates>'


CORE = update("ALAS2-2024-1", "amazon-linux-2", "p 0 1.2 3.amzn2 x86_64", "p-debuginfo 0 1.2 3.amzn2 x86_64")
CORE_ARM = update("ALAS2-2024-1", "amazon-linux-2", "p 0 1.2 3.amzn2 aarch64", "p-arm 0 1.2 3.amzn2 aarch64")
KERNEL = update(
    "ALAS2KERNEL-5.15-2024-2",
    "amazon-linux-2---kernel-5.15",
    "kernel 0 5.15.43 20.amzn2 x86_64",
    "kernel-livepatch-5.15.43-20 0 1.0 0.amzn2 x86_64",
    cves=("CVE-2024-0002", "CVE-2024-0003"),
)
NEWER = update("ALAS2023-2024-3", "amazon-linux-2023---core", "p 1 2.0 1.amzn2023 noarch")
FIRST = update("ALAS-2011-1", "amazon-linux-ami", "httpd 0 2.2.21 1.18.amzn1 x86_64")


def test_updateinfo(tmp_path: Path) -> None:
    written(tmp_path / "a" / "updateinfo.xml.gz", gzip.compress(updates(CORE, KERNEL, NEWER, FIRST).encode()))
    written(tmp_path / "b" / "updateinfo.xml", updates(CORE_ARM))
    written(tmp_path / "b" / "primary.sqlite", "not read")
    records, problems = parsed(Amazon(), tmp_path)
    assert problems == []
    assert {name: said(each) for name, each in records.items()} == {
        "ALAS2-2024-1": [("amzn:2", "p", "..0:1.2-3.amzn2"), ("amzn:2", "p-arm", "..0:1.2-3.amzn2")],
        # The core's kernel has the same name, and is older than anything an extra's erratum speaks of.
        "ALAS2KERNEL-5.15-2024-2": [
            ("amzn:2", "kernel", "0:5.15..0:5.15.43-20.amzn2"),
            ("amzn:2", "kernel-livepatch-5.15.43-20", "..0:1.0-0.amzn2"),
        ],
        "ALAS2023-2024-3": [("amzn:2023", "p", "..1:2.0-1.amzn2023")],
        "ALAS-2011-1": [("amzn:1", "httpd", "..0:2.2.21-1.18.amzn1")],
    }
    record = records["ALAS2KERNEL-5.15-2024-2"]
    assert record.aliases == ("CVE-2024-0002", "CVE-2024-0003")
    assert record.severity is Severity.HIGH
    assert (record.published, record.modified) == ("2024-01-02T00:00:00Z", "2024-01-03T03:04:05Z")
    assert records["ALAS2-2024-1"].url == "https://alas.aws.amazon.com/AL2/ALAS-2024-1.html"
    assert record.url == "https://alas.aws.amazon.com/AL2/ALASKERNEL-5.15-2024-2.html"


@pytest.mark.parametrize(
    ("identifier", "build", "expected"),
    [
        ("ALAS2POSTGRESQL14-2024-1", "postgresql 0 14.9 1.amzn2 x86_64", "0:14..0:14.9-1.amzn2"),
        ("ALAS2PHP8.0-2024-1", "php 0 8.0.30 1.amzn2 x86_64", "0:8.0..0:8.0.30-1.amzn2"),
        ("ALAS2PHP8.0-2024-1", "php-pecl-apcu 0 5.1 1.amzn2 x86_64", "..0:5.1-1.amzn2"),
        ("ALAS2DOCKER-2024-1", "docker 0 20.1 1.amzn2 x86_64", "..0:20.1-1.amzn2"),
        ("ALASKERNEL-5.4-2022-1", "kernel 0 5.4.9 1.amzn2 x86_64", "0:5.4..0:5.4.9-1.amzn2"),
        ("ALASKERNEL-5.4-2022-1", "kernel 0 5.40.9 1.amzn2 x86_64", "..0:5.40.9-1.amzn2"),
    ],
)
def test_where_the_versions_of_an_extra_begin(tmp_path: Path, identifier: str, build: str, expected: str) -> None:
    text = updates(update(identifier, "amazon-linux-2---extra", build))
    records, _ = parsed(Amazon(), written(tmp_path / "u.xml", text))
    assert [line[2] for line in said(records[identifier])] == [expected]


def as_json(**more: Any) -> dict[str, Any]:
    package = {"Arch": "x86_64", "Epoch": "0", "Name": "p", "Release": "3.amzn2", "Version": "1.2"}
    return {
        "ID": "ALAS2-2024-1",
        "Type": "security",
        "Title": "Amazon Linux - ALAS2-2024-1: package update",
        "Issued": {"Date": "2024-01-02 03:04:05"},
        "Updated": {"Date": "2024-01-03 03:04:05"},
        "Severity": "important",
        "References": {"Reference": [{"ID": "CVE-2024-0001", "Type": "cve"}]},
        "Pkglist": {"Collection": {"Short": "amazon-linux-2", "Package": [package]}},
    } | more


def test_the_json_form_says_the_same(tmp_path: Path) -> None:
    xml, _ = parsed(Amazon(), written(tmp_path / "a.xml", updates(CORE)))
    json_, problems = parsed(Amazon(), written(tmp_path / "a.json", as_json()))
    assert problems == []
    assert said(json_["ALAS2-2024-1"]) == said(xml["ALAS2-2024-1"])
    assert json_["ALAS2-2024-1"].aliases == ("CVE-2024-0001",)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "not an erratum"),
        (as_json(Issued=3), "a field is missing or of another type"),
        (as_json(ID="X-1"), "not the id of an erratum"),
        (as_json(Pkglist={"Collection": {"Short": "amazon-linux-1999", "Package": []}}), "of an unknown repository"),
        (as_json(Pkglist={"Collection": {"Short": "amazon-linux-2", "Package": None}}), "it lists no packages"),
    ],
)
def test_an_erratum_that_cannot_be_read_is_a_problem(tmp_path: Path, content: Any, reason: str) -> None:
    written(tmp_path / "good.json", as_json(ID="ALAS2-2024-9"))
    written(tmp_path / "bad.json", content)
    records, problems = parsed(Amazon(), tmp_path)
    assert list(records) == ["ALAS2-2024-9"]
    assert reason in problems[0].message


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<updates>",
        b"<html/>",
        gzip.compress(b"<updates/>", mtime=0)[:-9],
        b'<!DOCTYPE u [<!ENTITY a "b">]><updates/>',
    ],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, data: bytes) -> None:
    written(tmp_path / "f" / "good.xml", updates(CORE))
    written(tmp_path / "f" / "updateinfo.xml", data)
    with pytest.raises(FeedError, match=r"amazon: .*cannot be read"):
        parsed(Amazon(), tmp_path / "f")


REPOMD = """<repomd xmlns="http://linux.duke.edu/metadata/repo"><data type="primary"><location href="repodata/p.xml"/>
</data>{}</repomd>"""
UPDATEINFO = '<data type="updateinfo"><location href="repodata/{}-updateinfo.xml.gz"/></data>'


def repository(path: str, base: str, digest: str, *inside: str) -> dict[str, Answer]:
    """A repository with its mirror list, of one architecture."""
    found = {
        f"/{path}/mirror.list": Answer(f"{base}/blob/{digest}/\nhttps://other.example.com/\n".encode()),
        f"/blob/{digest}/repodata/repomd.xml": Answer(REPOMD.format(UPDATEINFO.format(digest)).encode()),
    }
    name = f"/blob/{digest}/repodata/{digest}-updateinfo.xml.gz"
    return found | {name: Answer(gzip.compress(updates(*inside).encode(), mtime=0), etag=True)}


def test_fetch() -> None:
    with serving() as server:
        # As in a mirror that was copied: the lists name Amazon's own server.
        own = Amazon().url
        server.answers |= repository("2/core/latest/x86_64", own, "aa", CORE)
        server.answers |= repository("2/core/latest/aarch64", server.url, "bb", CORE_ARM)
        server.answers |= repository("al2023/core/mirrors/latest/x86_64", server.url, "cc", NEWER)
        server.answers |= repository("2/extras/kernel-5.15/latest/x86_64", server.url, "dd", KERNEL)
        server.answers |= repository("2/extras/empty/latest/x86_64", server.url, "ee")
        server.answers["/blob/ee/repodata/repomd.xml"] = Answer(REPOMD.format("").encode())
        topics = [{"n": "kernel-5.15"}, {"n": "empty"}, {"n": "../odd"}]
        server.answers["/2/extras-catalog.json"] = Answer(json.dumps({"topics": topics}).encode())
        sink, fetcher = MemorySink(), Fetcher(sleep=lambda seconds: None)
        options = SyncOptions(url=server.url)
        first = sync(Amazon(), sink, now="2024-06-03T00:00:00Z", fetcher=fetcher, options=options)
        # Every core repository has errata: one that is not there is told.
        assert [each.subject for each in first.problems] == ["amazon: 2023/core/aarch64"]
        assert sorted(sink.records["amazon"]) == ["ALAS2-2024-1", "ALAS2023-2024-3", "ALAS2KERNEL-5.15-2024-2"]
        assert [each.package for each in sink.records["amazon"]["ALAS2-2024-1"].affected] == ["p", "p-arm"]
        assert not [path for path in server.paths() if "odd" in path]
        assert sync(Amazon(), sink, now="2024-06-04T00:00:00Z", fetcher=fetcher, options=options).unchanged
        another = update("ALAS2023-2024-4", "amazon-linux-2023", "q 0 1 1 x86_64")
        server.answers |= repository("al2023/core/mirrors/latest/x86_64", server.url, "ff", NEWER, another)
        third = sync(Amazon(), sink, now="2024-06-05T00:00:00Z", fetcher=fetcher, options=options)
        assert third.result is not None
        assert (third.result.added, third.result.changed, third.result.removed) == (1, 0, 0)


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({"/2/extras-catalog.json": Answer(b"<html/>")}, "not the catalog of extras"),
        ({"/2/core/latest/x86_64/mirror.list": Answer(b"nothing")}, "names no mirror"),
        ({"/blob/aa/repodata/repomd.xml": Answer(b"<html/>")}, "not repomd"),
        ({"/blob/aa/repodata/aa-updateinfo.xml.gz": Answer(b"", status=404)}, "none of the files"),
    ],
)
def test_fetch_from_what_is_no_mirror(answers: dict[str, Answer], reason: str) -> None:
    with serving() as server:
        server.answers["/2/extras-catalog.json"] = Answer(b'{"topics": []}')
        server.answers |= repository("2/core/latest/x86_64", server.url, "aa", CORE) | answers
        with pytest.raises(FeedError, match=reason):
            Amazon().fetch(Fetcher(), None, server.url, lambda *_: None)
