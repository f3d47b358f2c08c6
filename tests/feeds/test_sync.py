from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from anchorecli.errors import FeedError
from anchorecli.feeds import find
from anchorecli.feeds.debian import Debian
from anchorecli.feeds.osv import Osv
from anchorecli.feeds.sync import SyncOptions, SyncOutcome, sync
from anchorecli.model import Advisory, FeedState, SyncResult
from anchorecli.net import Fetcher, NetLimits
from tests.feeds.samples import TRACKER, MemorySink, affected, osv, secdb, written, zipped
from tests.feeds.server import Answer, Server, serving

NOW, LATER = "2025-03-01T00:00:00Z", "2025-03-02T00:00:00Z"
PYPI = "/PyPI/all.zip"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def sink() -> MemorySink:
    return MemorySink()


def records(*names: str, **more: Any) -> bytes:
    return zipped({f"{name}.json": osv(name, **more) for name in names})


def run(sink: MemorySink, server: Server, name: str = "osv:PyPI", now: str = NOW, **options: Any) -> SyncOutcome:
    limits = NetLimits(connect=2, read=2, total=5, attempts=2)
    fetcher = Fetcher(limits, sleep=lambda seconds: None)
    return sync(find(name), sink, now=now, fetcher=fetcher, options=SyncOptions(url=server.url, **options))


def held(sink: MemorySink, name: str = "osv:PyPI") -> list[str]:
    return sorted(sink.records.get(name, ()))


def test_the_first_sync_and_what_it_notes(server: Server, sink: MemorySink) -> None:
    server.answers[PYPI] = Answer(records("A-1", "A-2"), etag=True)
    outcome = run(sink, server)
    state = sink.states["osv:PyPI"]
    assert held(sink) == ["A-1", "A-2"]
    assert outcome.state == state
    assert not outcome.unchanged
    assert (state.records, state.problems, state.ecosystems) == (2, 0, ("pypi",))
    assert (state.updated_at, state.source_date) == (NOW, "2024-05-01T10:00:00Z")
    assert state.url == server.url + PYPI
    assert len(state.digest) == 64


def test_unchanged_upstream_is_asked_conditionally_and_only_confirmed(server: Server, sink: MemorySink) -> None:
    server.answers[PYPI] = Answer(records("A-1"), etag=True)
    run(sink, server)
    outcome = run(sink, server, now=LATER)
    assert outcome.unchanged
    assert sink.confirmed == [("osv:PyPI", LATER)]
    assert "If-None-Match" in server.requests[1][2]
    assert outcome.state.updated_at == LATER


def test_the_same_bytes_without_a_tag_are_unchanged_too(server: Server, sink: MemorySink) -> None:
    server.answers[PYPI] = Answer(records("A-1"))
    run(sink, server)
    assert run(sink, server).unchanged
    assert not run(sink, server, force=True).unchanged


def test_changed_upstream_is_taken_over(server: Server, sink: MemorySink) -> None:
    server.answers[PYPI] = Answer(records("A-1", "A-2"), etag=True)
    run(sink, server)
    server.answers[PYPI] = Answer(records("A-1", "A-3"), etag=True)
    outcome = run(sink, server, now=LATER)
    assert outcome.result is not None
    assert (outcome.result.added, outcome.result.removed) == (1, 1)
    assert held(sink) == ["A-1", "A-3"]


def test_another_version_of_the_driver_reads_the_same_bytes_again(server: Server, sink: MemorySink) -> None:
    server.answers[PYPI] = Answer(records("A-1"), etag=True)
    run(sink, server)
    newer = Osv("PyPI", version=99)
    outcome = sync(newer, sink, now=LATER, fetcher=Fetcher(), options=SyncOptions(url=server.url))
    assert not outcome.unchanged
    assert "If-None-Match" not in server.requests[-1][2]


def test_tags_of_one_address_are_not_shown_to_another(server: Server, sink: MemorySink) -> None:
    server.answers[PYPI] = Answer(records("A-1"), etag=True)
    run(sink, server)
    with serving() as mirror:
        mirror.answers[PYPI] = Answer(records("A-2"), etag=True)
        run(sink, mirror)
        assert "If-None-Match" not in mirror.requests[0][2]
    assert held(sink) == ["A-2"]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=404),
        Answer(status=500),
        Answer(status=304),
        Answer(b"<html>down for maintenance</html>"),
        Answer(b""),
        Answer(records("A-9")[:-30]),
        Answer(records("A-9"), cut=30),
        Answer(zipped({})),
        Answer(zipped({"a.json": "garbage", "b.json": "[]"})),
        Answer(records("A-9", affected=[affected("p", {"introduced": "0"}, ecosystem="npm")])),
        Answer(records("A-9") * 2 + b"\0" * 70_000),
    ],
    ids=["404", "500", "304", "html", "empty", "torn", "cut", "no-members", "garbage", "foreign", "twice"],
)
def test_whatever_goes_wrong_the_old_data_stay(server: Server, sink: MemorySink, answer: Answer) -> None:
    server.answers[PYPI] = Answer(records("A-1"))
    run(sink, server)
    before = dict(sink.states), dict(sink.records)
    server.answers[PYPI] = answer
    with pytest.raises(FeedError) as caught:
        run(sink, server, force=True)
    assert caught.value.exit_code == 5
    assert "\n" not in str(caught.value)
    assert (sink.states, sink.records) == before
    assert sink.confirmed == []


def test_a_redirect_to_another_host_is_followed(server: Server, sink: MemorySink) -> None:
    with serving(moved=Answer(records("A-1"))) as other:
        server.answers[PYPI] = Answer(status=302, headers={"Location": f"{other.url}/moved"})
        run(sink, server)
    assert held(sink) == ["A-1"]


def test_records_that_cannot_be_read_are_counted_and_do_not_stop_the_rest(server: Server, sink: MemorySink) -> None:
    bad = {f"bad{number}.json": "{" for number in range(150)}
    server.answers[PYPI] = Answer(zipped({"a.json": osv("A-1"), **bad, "z.json": osv("A-2")}))
    outcome = run(sink, server)
    assert held(sink) == ["A-1", "A-2"]
    assert (outcome.problem_count, len(outcome.problems), sink.states["osv:PyPI"].problems) == (150, 100, 150)


def test_a_loss_of_a_third_is_refused_unless_allowed(server: Server, sink: MemorySink) -> None:
    names = [f"A-{number}" for number in range(10)]
    server.answers[PYPI] = Answer(records(*names))
    run(sink, server)
    server.answers[PYPI] = Answer(records(*names[:7]))
    run(sink, server)
    assert len(held(sink)) == 7
    server.answers[PYPI] = Answer(records(*names[:4]))
    with pytest.raises(FeedError, match="only 4 records of osv:PyPI where there were 7") as caught:
        run(sink, server)
    assert "--allow-shrink" in caught.value.hint
    assert len(held(sink)) == 7
    run(sink, server, allow_shrink=True)
    assert len(held(sink)) == 4


def test_an_id_that_comes_twice(tmp_path: Path, sink: MemorySink) -> None:
    npm = affected("q", {"introduced": "0"}, ecosystem="npm")
    pypi = affected("p", {"introduced": "0"})
    ids = ["GHSA-aaaa-aaaa-aaaa", "GHSA-bbbb-bbbb-bbbb", "GHSA-cccc-cccc-cccc"]
    files = {
        "same1": osv(ids[0], pypi), "same2": osv(ids[0], pypi),
        "part1": osv(ids[1], pypi), "part2": osv(ids[1], npm),
        "old": osv(ids[2], pypi, npm, modified="2020-01-01T00:00:00Z"), "new": osv(ids[2], npm),
    }  # fmt: skip
    tree = {f"{name}/{content['id']}.json": content for name, content in files.items()}
    path = written(tmp_path / "all.zip", zipped(tree))
    outcome = sync(find("ghsa"), sink, now=NOW, fetcher=Fetcher(), options=SyncOptions(source=path))
    found = {name: [each.ecosystem for each in record.affected] for name, record in sink.records["ghsa"].items()}
    assert found == {ids[0]: ["pypi"], ids[1]: ["pypi", "npm"], ids[2]: ["npm"]}
    assert [each.subject for each in outcome.problems] == [f"ghsa: {ids[2]}"]
    assert outcome.state.records == 3


def test_ecosystems_nobody_knows_are_kept_and_counted(tmp_path: Path, sink: MemorySink) -> None:
    path = written(tmp_path / "GHSA-1.json", osv("GHSA-1", affected("p", {"introduced": "0"}, ecosystem="Brand New")))
    outcome = sync(find("ghsa"), sink, now=NOW, fetcher=Fetcher(), options=SyncOptions(source=path))
    assert sink.states["ghsa"].ecosystems == ("brand new",)
    assert [(each.subject, each.incomplete) for each in outcome.problems] == [("ghsa: brand new", False)]
    assert outcome.problem_count == 0


def test_a_store_that_fails_is_left_as_it_was(server: Server) -> None:
    class Failing(MemorySink):
        def sync_feed(self, state: FeedState, advisories: Iterable[Advisory], *, past: bool = True) -> SyncResult:
            raise OSError("disk full")

    server.answers[PYPI] = Answer(records("A-1"))
    sink = Failing()
    with pytest.raises(OSError, match="disk full"):
        run(sink, server)
    assert sink.states == {}


def test_the_starter_is_no_state_to_compare_with(server: Server, sink: MemorySink) -> None:
    sink.states["osv:PyPI"] = FeedState("osv:PyPI", records=1000, starter=True)
    server.answers[PYPI] = Answer(records("A-1"))
    run(sink, server)
    assert held(sink) == ["A-1"]


def test_progress_is_told(server: Server, sink: MemorySink) -> None:
    told: list[str] = []
    server.answers[PYPI] = Answer(records(*(f"A-{number}" for number in range(1200))))
    sync(
        Osv("PyPI"),
        sink,
        now=NOW,
        fetcher=Fetcher(),
        options=SyncOptions(url=server.url),
        progress=lambda stage, done, total: told.append(stage),
    )
    assert list(dict.fromkeys(told)) == ["download", "read", "store"]


# Debian and Alpine over HTTP


def test_debian_over_http(server: Server, sink: MemorySink) -> None:
    server.answers["/data/json"] = Answer(
        json.dumps(TRACKER).encode(), headers={"Last-Modified": "Sat, 01 Feb 2025 10:00:00 GMT"}, etag=True
    )
    options = SyncOptions(url=f"{server.url}/data/json")
    sync(Debian(), sink, now=NOW, fetcher=Fetcher(), options=options)
    assert sink.states["debian"].source_date == "2025-02-01T10:00:00Z"
    assert held(sink, "debian") == ["CVE-2020-0001", "CVE-2022-3715", "TEMP-0841856-B18BAF"]
    assert sync(Debian(), sink, now=LATER, fetcher=Fetcher(), options=options).unchanged


INDEX = (
    b'<a href="../">../</a><a href="edge/">edge/</a><a href="v3.20/">v3.20/</a><a href="last-update">last-update</a>'
)


@pytest.fixture
def alpine(server: Server) -> Server:
    server.answers["/"] = Answer(INDEX)
    for release in ("v3.20", "edge"):
        for repository in ("main", "community"):
            content = secdb(release, repository, {f"{repository}-p": {"1-r0": ["CVE-2024-1000"]}})
            server.answers[f"/{release}/{repository}.json"] = Answer(json.dumps(content).encode(), etag=True)
    return server


def test_alpine_finds_its_releases(alpine: Server, sink: MemorySink) -> None:
    run(sink, alpine, "alpine")
    (record,) = sink.records["alpine"].values()
    assert [(each.ecosystem, each.package) for each in record.affected] == [
        ("alpine:3.20", "community-p"), ("alpine:3.20", "main-p"),
        ("alpine:edge", "community-p"), ("alpine:edge", "main-p"),
    ]  # fmt: skip
    assert sink.states["alpine"].ecosystems == ("alpine:3.20", "alpine:edge")


def test_alpine_unchanged_needs_no_file(alpine: Server, sink: MemorySink) -> None:
    run(sink, alpine, "alpine")
    asked = len(alpine.requests)
    assert run(sink, alpine, "alpine", now=LATER).unchanged
    assert all("If-None-Match" in headers for _, path, headers, _ in alpine.requests[asked:] if path != "/")


def test_alpine_one_changed_file_is_noticed(alpine: Server, sink: MemorySink) -> None:
    run(sink, alpine, "alpine")
    content = secdb("v3.20", "main", {"other": {"2-r0": ["CVE-2024-2000"]}})
    alpine.answers["/v3.20/main.json"] = Answer(json.dumps(content).encode(), etag=True)
    outcome = run(sink, alpine, "alpine", now=LATER)
    assert not outcome.unchanged
    assert held(sink, "alpine") == ["CVE-2024-1000", "CVE-2024-2000"]


def test_alpine_a_file_that_is_not_there_is_a_problem(alpine: Server, sink: MemorySink) -> None:
    del alpine.answers["/edge/community.json"]
    outcome = run(sink, alpine, "alpine")
    assert [each.subject for each in outcome.problems] == ["alpine: edge/community.json"]
    assert len(sink.records["alpine"]["CVE-2024-1000"].affected) == 3
    assert run(sink, alpine, "alpine", now=LATER).unchanged


def test_alpine_without_an_index_or_any_file(server: Server, sink: MemorySink) -> None:
    server.answers["/"] = Answer(b"<html>welcome</html>")
    with pytest.raises(FeedError, match="lists no releases"):
        run(sink, server, "alpine")
    server.answers["/"] = Answer(INDEX)
    with pytest.raises(FeedError, match="none of the files"):
        run(sink, server, "alpine")
    assert sink.states == {}


def test_alpine_a_server_that_fails_halfway(alpine: Server, sink: MemorySink) -> None:
    alpine.answers["/v3.20/main.json"] = Answer(status=500)
    with pytest.raises(FeedError, match="500"):
        run(sink, alpine, "alpine")
    assert sink.states == {}
