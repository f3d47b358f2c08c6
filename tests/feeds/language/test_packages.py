"""The packages feed: asked for the names that images hold, and read from files in three forms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from anchorecli.errors import FeedError
from anchorecli.feeds import find
from anchorecli.feeds.language.packages import Packages
from anchorecli.feeds.sync import SyncOptions, SyncOutcome, sync
from anchorecli.net import Fetcher
from tests.feeds.samples import MemorySink, parsed, written, zipped
from tests.feeds.server import Answer, Server, serving

EXPRESS = {
    "name": "express",
    "dist-tags": {"latest": "4.19.2", "next": "5.0.0-b"},
    "versions": {"4.19.2": {}, "4.18.0": {}},
}
NOKOGIRI = [
    {"number": "1.16.0", "platform": "java", "prerelease": False},
    {"number": "1.16.0", "platform": "ruby", "prerelease": False},
    {"number": "1.9.0", "platform": "ruby", "prerelease": False},
    {"number": "1.17.0.rc1", "platform": "ruby", "prerelease": True},
]
HELD = [("npm", "express"), ("npm", "@angular/core"), ("gem", "nokogiri"), ("npm", "left-pad-2")]


def answers(server: Server) -> None:
    scoped = {"dist-tags": {"latest": "17.0.1"}, "versions": {"17.0.1": {}}}
    server.answers |= {
        "/npm/express": Answer(json.dumps(EXPRESS).encode()),
        "/npm/@angular%2Fcore": Answer(json.dumps(scoped).encode()),
        "/gem/api/v1/versions/nokogiri.json": Answer(json.dumps(NOKOGIRI).encode()),
    }


def synced(server: Server, sink: MemorySink, names: list[tuple[str, str]], url: str = "{0}") -> SyncOutcome:
    fetcher = Fetcher(sleep=lambda _: None)
    options = SyncOptions(url=url.format(server.url))
    return sync(Packages().wanting(names), sink, now="2026-01-01T00:00:00Z", fetcher=fetcher, options=options)


def held(sink: MemorySink) -> dict[tuple[str, str], tuple[str, ...]]:
    return {
        (statement.ecosystem, statement.package): statement.versions
        for record in sink.records["packages"].values()
        for statement in record.affected
    }


def test_registries_are_asked_for_the_names_that_are_held() -> None:
    sink = MemorySink()
    with serving() as server:
        answers(server)
        outcome = synced(server, sink, HELD)
        assert (outcome.problems, outcome.state.records) == ((), 4)
        assert held(sink) == {
            ("npm-registry", "express"): ("4.19.2", "4.19.2", "4.18.0"),
            ("npm-registry", "@angular/core"): ("17.0.1", "17.0.1"),
            ("npm-registry", "left-pad-2"): (),
            ("gem-registry", "nokogiri"): ("1.16.0", "1.16.0", "1.9.0", "1.17.0.rc1", "1.16.0-java"),
        }
        assert outcome.state.ecosystems == ("gem-registry", "npm-registry")
        accepted = {path: headers["Accept"] for _, path, headers, _ in server.requests if "Accept" in headers}
        assert set(accepted) == {"/npm/express", "/npm/@angular%2Fcore", "/npm/left-pad-2"}


def test_what_was_asked_before_stays() -> None:
    sink = MemorySink()
    with serving() as server:
        answers(server)
        synced(server, sink, HELD)
        server.answers["/npm/express"] = Answer(json.dumps(EXPRESS | {"dist-tags": {"latest": "5.0.0"}}).encode())
        synced(server, sink, [("npm", "express")])
        assert len(held(sink)) == 4
        assert held(sink)["npm-registry", "express"][0] == "5.0.0"


def test_two_registries_at_two_addresses() -> None:
    sink = MemorySink()
    with serving() as server:
        server.answers["/x/express"] = Answer(json.dumps(EXPRESS).encode())
        server.answers["/y/api/v1/versions/nokogiri.json"] = Answer(json.dumps(NOKOGIRI).encode())
        synced(server, sink, HELD[::2], "{0}/x,{0}/y/")
        assert sorted(held(sink)) == [("gem-registry", "nokogiri"), ("npm-registry", "express")]


def test_names_that_no_registry_has_are_never_sent() -> None:
    odd = [
        ("npm", "../../etc/passwd"),
        ("npm", "a b"),
        ("npm", "x?y"),
        ("npm", ""),
        ("gem", "a/b"),
        ("pypi", "requests"),
        ("npm", "@a/b/c"),
    ]
    assert Packages().wanting([*odd, ("gem", "rake"), ("npm", "@a/b")]).names == (("gem", "rake"), ("npm", "@a/b"))


def test_a_registry_that_fails_for_one_name_is_told_and_the_rest_is_kept() -> None:
    sink = MemorySink()
    with serving() as server:
        answers(server)
        server.answers["/npm/left-pad-2"] = Answer(b"no", 500)
        server.answers["/gem/api/v1/versions/nokogiri.json"] = Answer(b"<html>")
        outcome = synced(server, sink, HELD)
        assert sorted(each.subject for each in outcome.problems) == [
            "packages: gem nokogiri",
            "packages: npm left-pad-2",
        ]
        assert len(held(sink)) == 2


def test_a_registry_that_is_not_there_changes_nothing() -> None:
    sink = MemorySink()
    with serving() as server:
        server.answer = lambda path: Answer(b"no", 403)  # type: ignore[method-assign]
        with pytest.raises(FeedError, match="403"):
            synced(server, sink, HELD)
    assert sink.records == {}


def test_without_names_there_is_nothing_to_ask() -> None:
    with serving() as server, pytest.raises(FeedError, match="no stored image holds"):
        synced(server, MemorySink(), [])


# From files


def read(path: Path) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    records, problems = parsed(find("packages"), path)
    return {name: record.affected[0].versions for name, record in records.items()}, [each.message for each in problems]


def test_the_registries_own_documents_in_folders(tmp_path: Path) -> None:
    written(tmp_path / "npm/express.json", EXPRESS)
    written(tmp_path / "npm/@angular/core.json", {"dist-tags": {"latest": "1.0.0"}, "versions": ["1.0.0"]})
    written(tmp_path / "gems/nokogiri.json", json.dumps(NOKOGIRI))
    found, problems = read(tmp_path)
    assert problems == []
    assert found == {
        "npm/express": ("4.19.2", "4.19.2", "4.18.0"),
        "npm/@angular/core": ("1.0.0", "1.0.0"),
        "gem/nokogiri": ("1.16.0", "1.16.0", "1.9.0", "1.17.0.rc1", "1.16.0-java"),
    }


def test_anchore_engines_lists(tmp_path: Path) -> None:
    listed = {"rake": {"latest": "13.0", "versions": ["13.0", "12.0"], "origins": [], "lics": []}}
    path = written(
        tmp_path / "a.zip", zipped({"x/gem.json": listed, "x/npms.json": {"rake": {"latest": "", "versions": []}}})
    )
    assert read(path) == ({"gem/rake": ("13.0", "13.0", "12.0"), "npm/rake": ()}, [])


def test_lines(tmp_path: Path) -> None:
    lines = '{"registry": "npm", "name": "a", "latest": "1.0", "versions": ["1.0"]}\n\n{"registry": "gem", "name": "b"}'
    assert read(written(tmp_path / "p.jsonl", lines)) == ({"npm/a": ("1.0", "1.0"), "gem/b": ()}, [])


@pytest.mark.parametrize(
    ("name", "text", "problems"),
    [
        ("npm/x.json", "[]", 1), ("npm/x.json", '{"dist-tags": {}}', 1),
        ("gem/x.json", "{}", 1), ("gem/x.json", "[7]", 1),
        ("npm.json", "[]", 1), ("npm.json", '{"a b": {}, "c": 7, "d": {"versions": 7}}', 3), ("gem.json", '{"a"', 1),
        ("p.jsonl", "{", 1), ("p.jsonl", '{"registry": "pypi"}', 1), ("p.jsonl", '{"registry": "npm", "name": 7}', 1),
        ("other.json", "{}", 1), ("npm/x.json", "[" * 9000, 1), ("npm.json", "\xff\xfe", 1),
    ],
)  # fmt: skip
def test_what_is_broken_is_told(tmp_path: Path, name: str, text: Any, problems: int) -> None:
    written(tmp_path / name, text.encode("latin-1"))
    written(tmp_path / "z/npm/good.json", EXPRESS)
    found, told = read(tmp_path)
    assert (list(found), len(told)) == (["npm/good"], problems)


def test_versions_that_are_none_are_left_out(tmp_path: Path) -> None:
    value = {"dist-tags": {"latest": "1.0\n2"}, "versions": {"1.0": {}, "a\tb": {}, "": {}}}
    assert read(written(tmp_path / "npm/x.json", value).parents[1]) == ({"npm/x": ("", "1.0")}, [])
