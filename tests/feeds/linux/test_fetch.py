"""Fetching: one file each, asked for conditionally, and nothing lost where it goes wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from anchorecli.errors import FeedError
from anchorecli.feeds import find
from anchorecli.feeds.sync import SyncOptions, sync
from anchorecli.net import Fetcher
from tests.feeds.linux.test_arch import group
from tests.feeds.linux.test_secdb import rolling
from tests.feeds.linux.test_ubuntu import packed, record
from tests.feeds.samples import MemorySink
from tests.feeds.server import Answer, Server, serving

NOW = "2026-01-01T00:00:00Z"
DATA = {
    "arch": json.dumps([group()]).encode(),
    "wolfi": json.dumps(rolling({"curl": {"8.9-r0": ["CVE-2024-1000"]}})).encode(),
    "ubuntu": packed({"osv/cve/2024/UBUNTU-CVE-2024-1000.json": record()}),
}


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as found:
        yield found


@pytest.mark.parametrize("name", DATA)
def test_upstream_is_asked_whether_anything_changed(server: Server, name: str) -> None:
    driver, sink = find(name), MemorySink()
    path = "/" + driver.url.rpartition("/")[2]
    server.answers[path] = Answer(DATA[name], etag=True)
    options = SyncOptions(url=server.url + path)
    outcome = sync(driver, sink, now=NOW, fetcher=Fetcher(), options=options)
    assert (list(sink.records[name]), outcome.problem_count) == (["CVE-2024-1000"], 0)
    assert sync(driver, sink, now=NOW, fetcher=Fetcher(), options=options).unchanged
    assert "If-None-Match" in server.requests[-1][2]


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("body", [b"", b"<html>not here</html>", b"\xff" * 100])
def test_something_else_in_its_place_changes_nothing(server: Server, name: str, body: bytes) -> None:
    driver, sink = find(name), MemorySink()
    path = "/" + driver.url.rpartition("/")[2]
    options = SyncOptions(url=server.url + path)
    server.answers[path] = Answer(DATA[name])
    sync(driver, sink, now=NOW, fetcher=Fetcher(), options=options)
    before = dict(sink.records)
    server.answers[path] = Answer(body)
    with pytest.raises(FeedError):
        sync(driver, sink, now=NOW, fetcher=Fetcher(), options=options)
    assert sink.records == before
