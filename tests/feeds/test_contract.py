"""What is asked of every driver, of one that is registered tomorrow too: good input is read whole, and what bad input
lacks is never passed over in silence. A held revision outlives whatever upstream sends.
"""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from anchorecli.errors import FeedError
from anchorecli.feeds import REGISTERED, find, snapshot
from anchorecli.feeds.base import Driver
from anchorecli.feeds.record import from_json, from_row, to_json, to_row
from anchorecli.feeds.sync import SyncOptions, SyncOutcome, sync
from anchorecli.model import Advisory, pack_ranges, unpack_ranges
from anchorecli.net import Credentials, Fetcher, NetLimits
from tests.feeds.samples import MemorySink, parsed, written, zipped
from tests.feeds.server import Answer, Server, serving
from tests.feeds.specimens import SPECIMENS, Files, tarball

NAMES = [each.name for each in REGISTERED]
NOW = "2026-01-01T00:00:00Z"
LIMITS = NetLimits(connect=2, read=2, total=10, attempts=1)
WANTED = [("npm", "express"), ("gem", "rake")]


def test_every_feed_has_a_specimen() -> None:
    assert set(SPECIMENS) == set(NAMES)


def driver_of(name: str) -> Driver:
    """The driver; that of the registries asks for what images hold."""
    found = find(name)
    return found.wanting(WANTED) if name == "packages" else found  # type: ignore[attr-defined,no-any-return]


def tree(folder: Path, files: Files) -> Path:
    for name, data in files.items():
        written(folder / name, data)
    return folder


def taken_in(name: str, sink: MemorySink, path: Path) -> SyncOutcome:
    """A sync from a path, however much smaller it has become."""
    options = SyncOptions(source=path, allow_shrink=True)
    return sync(driver_of(name), sink, now=NOW, fetcher=Fetcher(LIMITS), options=options)


def held(name: str, sink: MemorySink) -> dict[str, Advisory]:
    return dict(sink.records[name])


def sound(advisory: Advisory, feed: str) -> None:
    """Nothing in it that the store, the offline file or a report could not take."""
    assert advisory.feed == feed
    assert advisory.id
    assert advisory.id.isprintable()
    assert advisory.id not in advisory.aliases
    assert len(set(advisory.aliases)) == len(advisory.aliases)
    assert all(each and each.isprintable() for each in advisory.aliases)
    assert advisory.summary.isprintable()
    assert from_row(to_row(advisory)) == advisory
    assert from_json(json.loads(json.dumps(to_json(advisory))), feed) == advisory
    for statement in advisory.affected:
        assert statement.ecosystem
        assert statement.package
        assert statement.package.isprintable()
        assert unpack_ranges(pack_ranges(statement.ranges)) == statement.ranges
        texts = [text for span in statement.ranges for text in (span.introduced, span.fixed, span.last_affected)]
        assert all(each.isprintable() for each in (*texts, *statement.versions, *statement.arches))


@pytest.mark.parametrize("name", NAMES)
def test_a_specimen_is_read_whole_in_any_packing_and_always_alike(tmp_path: Path, name: str) -> None:
    files = SPECIMENS[name].files
    folder = tree(tmp_path / "tree", files)
    plain = parsed(find(name), folder)
    assert len(plain[0]) >= 2
    assert [each for each in plain[1] if each.incomplete] == []
    for record in plain[0].values():
        sound(record, name)
    assert list(parsed(find(name), folder)[0]) == list(plain[0])
    for packing in (zipped(files), tarball(files, "w:gz"), tarball(files, "w:xz"), tarball(files, "w:bz2")):
        assert parsed(find(name), written(tmp_path / "packed", packing)) == plain
    for part, data in files.items():
        for ending, packed in (("gz", gzip.compress(data)), ("xz", lzma.compress(data)), ("bz2", bz2.compress(data))):
            single = parsed(find(name), tree(tmp_path / f"{part}.{ending}", {f"{part}.{ending}": packed}))
            assert single[0]
            assert single == parsed(find(name), tree(tmp_path / f"{part}-plain", {part: data}))


@pytest.mark.parametrize("name", NAMES)
def test_the_same_twice_is_the_same_once(tmp_path: Path, name: str) -> None:
    files = SPECIMENS[name].files
    sink, again = MemorySink(), MemorySink()
    taken_in(name, sink, tree(tmp_path / "once", files))
    outcome = taken_in(name, again, tree(tmp_path / "twice", {**files, **{f"z/{k}": v for k, v in files.items()}}))
    assert (held(name, again), outcome.problem_count) == (held(name, sink), 0)


# Files that are not what they were


def damaged(data: bytes) -> Iterator[bytes]:
    """Cut off, empty, and in another encoding."""
    size = len(data.rstrip())
    yield from (data[:0], data[: size // 10], data[: size // 2], data[: size * 9 // 10], data[: size - 1])
    text = data.decode()
    yield text.encode("utf-16-be")
    yield text.encode("utf-32")
    middle = size // 2
    yield data[:middle] + b"\xff\xfe\x80" + data[middle:]
    yield data[:middle] + b"\0" * 40 + data[middle:]
    yield b"\x1f\x8b\x08\x00" + data
    yield gzip.compress(data)[:-12]
    yield lzma.compress(data)[:-20]
    yield b"<html><body>Service unavailable</body></html>"
    yield b"[" * 200_000


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_file_is_told_and_leaves_what_was_there(tmp_path: Path, name: str) -> None:
    specimen = SPECIMENS[name]
    sink = MemorySink()
    folder = tree(tmp_path, specimen.files)
    taken_in(name, sink, folder)
    whole = held(name, sink)
    for part, data in specimen.files.items():
        for number, bad in enumerate(damaged(data)):
            before = held(name, sink)
            written(folder / part, bad)
            try:
                outcome = taken_in(name, sink, folder)
            except FeedError as error:
                assert error.hint
                assert held(name, sink) == before
                continue
            told = outcome.problem_count > 0 or held(name, sink) == whole
            assert told or (specimen.lines and number < 5), (part, bad[:80], outcome)
            for record in held(name, sink).values():
                sound(record, name)
        written(folder / part, data)
        taken_in(name, sink, folder)
        assert held(name, sink) == whole


def mutations(value: Any) -> Iterator[Any]:
    """The document with one of its values replaced by one of another kind."""
    if isinstance(value, dict | list) and value:
        keys = list(value) if isinstance(value, dict) else range(min(len(value), 4))
        for key in keys:
            for other in mutations(value[key]):
                yield {**value, key: other} if isinstance(value, dict) else [*value[:key], other, *value[key + 1 :]]
        if isinstance(value, dict):
            yield from ({k: v for k, v in value.items() if k != key} for key in keys)
    yield from (None, 7, -1.5, True, "x\ny\t\u202e", "", [], {}, [[]], [7], {"x": 7}, "9" * 5000)


MOST = 350
"""Of the mutations of one file: those of large documents are taken at equal distances."""


def of_another_shape(data: bytes) -> list[bytes]:
    try:
        found = [json.dumps(each).encode() for each in mutations(json.loads(data))]
    except ValueError:
        lines = data.splitlines(keepends=True)
        found = []
        for number, line in enumerate(lines):
            rest = (lines[:number], lines[number + 1 :])
            for other in (b"", line * 2, b"\n", b"garbage\n", line.replace(b'"', b""), line.replace(b">", b" ", 1),
                          line.replace(b":", b": [", 1), line.replace(b"CVE-", b"CVE "), line.upper()):  # fmt: skip
                found.append(b"".join((*rest[0], other, *rest[1])))
    step = max(1, len(found) // MOST)
    return found[::step]


@pytest.mark.parametrize("name", NAMES)
def test_values_of_another_kind_give_sound_records_problems_or_a_feed_error(tmp_path: Path, name: str) -> None:
    files = SPECIMENS[name].files
    part = next(iter(files))
    for bad in of_another_shape(files[part]):
        path = written(tmp_path / part, bad)
        try:
            with closing(driver_of(name).open(path)) as opened:
                for found in driver_of(name).parse(opened):
                    if isinstance(found, Advisory):
                        sound(found, name)
        except FeedError as error:
            assert error.hint, bad[:2000]


def bombs(name: str, size: int) -> Iterator[bytes]:
    """A member of ``size`` blanks, in every packing."""
    from backports import zstd

    blanks = b" " * size
    yield from (gzip.compress(blanks), bz2.compress(blanks), lzma.compress(blanks), zstd.compress(blanks))
    yield from (zipped({name: blanks}), tarball({name: blanks}, "w:gz"))


@pytest.mark.parametrize("name", NAMES)
def test_what_inflates_without_end_is_refused(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "MAX_RECORD", 1 << 20)
    monkeypatch.setattr(snapshot, "MAX_STREAM", 1 << 20)
    files = SPECIMENS[name].files
    sink = MemorySink()
    folder = tree(tmp_path, files)
    taken_in(name, sink, folder)
    part = next(iter(files))
    for bomb in bombs(part, 3 << 20):
        before = held(name, sink)
        written(folder / part, bomb)
        try:
            outcome = taken_in(name, sink, folder)
        except FeedError:
            assert held(name, sink) == before
        else:
            assert outcome.problem_count


# A site that is not what it was


class Site:
    """A specimen served as its upstream does, whose answers can be spoiled one at a time."""

    def __init__(self, server: Server, name: str, *, etag: bool = False) -> None:
        self.server, self.name = server, name
        self.answers = {p: Answer(data, etag=etag) for p, data in SPECIMENS[name].site(SPECIMENS[name].files).items()}
        server.answer = lambda path: self.answers.get(urlsplit(path).path, Answer(b"none", 404))  # type: ignore[method-assign]

    def synced(self, sink: MemorySink, limits: NetLimits = LIMITS) -> SyncOutcome:
        secret = (Credentials(urlsplit(self.server.url).netloc, token="secret"),)
        fetcher = Fetcher(limits, secret, sleep=lambda _: None)
        options = SyncOptions(url=self.server.url + SPECIMENS[self.name].url, allow_shrink=True)
        return sync(driver_of(self.name), sink, now=NOW, fetcher=fetcher, options=options)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with serving() as found:
        yield found


@pytest.mark.parametrize("name", NAMES)
def test_a_site_gives_what_its_files_give_and_nothing_new_the_second_time(
    tmp_path: Path, server: Server, name: str
) -> None:
    sink = MemorySink()
    outcome = Site(server, name, etag=True).synced(sink)
    whole = held(name, sink)
    assert whole == parsed(find(name), tree(tmp_path, SPECIMENS[name].files))[0]
    assert outcome.state.url.startswith(server.url)
    outcome = Site(server, name, etag=True).synced(sink)
    assert outcome.unchanged or outcome.result is None or not (outcome.result.added or outcome.result.changed)
    assert held(name, sink) == whole


SPOILED = {
    "wrongly not modified": Answer(b"", 304),
    "without content": Answer(b"", 204),
    "empty": Answer(b""),
    "another page": Answer(b"<html>maintenance</html>"),
    "gone": Answer(b"no", 404),
    "failing": Answer(b"no", 500),
    "forbidden": Answer(b"no", 403),
    "round in circles": Answer(b"", 302, {"Location": "/elsewhere"}),
    "of another kind": Answer(b"\x00\x01\x02" * 100, headers={"Content-Encoding": "br"}),
    "damaged on the way": Answer(b"\x1f\x8b\x08\x00 not gzip", headers={"Content-Encoding": "gzip"}),
}


SAYS_NO = {"gone", "round in circles"}
"""That a registry has no package of a name is news, and no failure; in circles it leads to a page that is not there."""


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", SPOILED)
def test_a_site_that_fails_is_told_and_leaves_what_was_there(server: Server, name: str, kind: str) -> None:
    sink = MemorySink()
    site = Site(server, name)
    site.synced(sink)
    whole = held(name, sink)
    for path in list(site.answers)[:6]:
        if name == "packages" and kind in SAYS_NO:
            continue
        good = site.answers[path]
        site.answers[path] = SPOILED[kind]
        before = held(name, sink)
        try:
            outcome = site.synced(sink)
        except FeedError as error:
            assert error.message
            assert held(name, sink) == before
        else:
            assert outcome.state.problems or held(name, sink) == whole, path
        site.answers[path] = good


@pytest.mark.parametrize("name", NAMES)
def test_a_transfer_that_ends_early_or_never_is_given_up(server: Server, name: str) -> None:
    sink = MemorySink()
    site = Site(server, name)
    site.synced(sink)
    server.requests.clear()
    site.synced(sink)
    asked = [urlsplit(each).path for each in server.paths()]
    path = max(asked, key=lambda each: len(site.answers[each].body) if each in site.answers else 0)
    body = site.answers[path].body
    for bad in (Answer(body, cut=len(body) // 2), Answer(body, wait=0.5)):
        before = held(name, sink)
        site.answers[path] = bad
        try:
            outcome = site.synced(sink, NetLimits(connect=1, read=0.15, total=0.3, attempts=1))
        except FeedError as error:
            assert "127.0.0.1" in error.message
        else:
            assert outcome.state.problems
        assert held(name, sink) == before


@pytest.mark.parametrize("name", NAMES)
def test_another_host_gets_no_credentials(server: Server, name: str) -> None:
    sink = MemorySink()
    site = Site(server, name)
    with serving() as other:
        Site(other, name)
        there = {path: Answer(b"", 307, {"Location": other.url + path}) for path in site.answers}
        site.answers = there
        site.synced(sink)
        assert len(held(name, sink)) >= 2
        assert all("Authorization" in headers for _, _, headers, _ in server.requests)
        assert other.requests
        assert all("Authorization" not in headers for _, _, headers, _ in other.requests)
