"""The databases that are one zip each, over HTTP: once, unchanged, damaged, and shrunk."""

from __future__ import annotations

import pytest

from anchorecli.errors import FeedError
from anchorecli.feeds import find
from anchorecli.feeds.sync import SyncOptions, SyncOutcome, sync
from anchorecli.net import Fetcher, NetLimits
from tests.feeds.language.test_databases import GOOD
from tests.feeds.samples import MemorySink, zipped
from tests.feeds.server import Answer, Server, serving


def synced(server: Server, sink: MemorySink, feed: str, **options: object) -> SyncOutcome:
    fetcher = Fetcher(NetLimits(connect=2, read=2, total=5, attempts=2), sleep=lambda _: None)
    chosen = SyncOptions(url=f"{server.url}/all.zip", **options)  # type: ignore[arg-type]
    return sync(find(feed), sink, now="2026-01-01T00:00:00Z", fetcher=fetcher, options=chosen)


def archive(feed: str) -> bytes:
    name, text = GOOD[feed]
    return zipped({f"main/{name}": text, "main/README.md": "# x"})


@pytest.mark.parametrize("feed", GOOD)
def test_fetched_once_then_asked_whether_it_changed(feed: str) -> None:
    sink = MemorySink()
    with serving() as server:
        server.answers["/all.zip"] = Answer(archive(feed), etag=True)
        outcome = synced(server, sink, feed)
        assert (outcome.state.records, outcome.problems) == (1, ())
        assert synced(server, sink, feed).unchanged
        assert server.requests[-1][2]["If-None-Match"]


@pytest.mark.parametrize("feed", GOOD)
@pytest.mark.parametrize("kind", ["cut off", "empty", "another page", "another zip", "gone", "ends early"])
def test_what_is_damaged_leaves_what_was_there(feed: str, kind: str) -> None:
    sink, data = MemorySink(), archive(feed)
    broken = {
        "cut off": Answer(data[: len(data) // 2]), "empty": Answer(b""), "another page": Answer(b"<html>maintenance"),
        "another zip": Answer(zipped({"x.txt": "y"})), "gone": Answer(b"no", 404), "ends early": Answer(data, cut=9),
    }[kind]  # fmt: skip
    with serving() as server:
        server.answers["/all.zip"] = Answer(data)
        synced(server, sink, feed)
        before = sink.records[feed]
        server.answers["/all.zip"] = broken
        with pytest.raises(FeedError) as caught:
            synced(server, sink, feed)
        assert "127.0.0.1" in caught.value.message
        assert sink.records[feed] is before
