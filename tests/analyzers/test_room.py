"""What is found in an image is bounded: what is more than that is left out, told, and the rest is kept."""

from __future__ import annotations

import json

import pytest

from anchorecli.analyzers import load, records, view
from anchorecli.analyzers.base import Analyzer
from anchorecli.analyzers.limits import apart, limited
from anchorecli.analyzers.os import nix
from anchorecli.analyzers.records import Records, Rows, fitted, opened, read
from anchorecli.analyzers.room import BYTES, Room, weight
from anchorecli.analyzers.run import Collector, assemble
from anchorecli.config.settings import Settings
from anchorecli.layerindex import LayerIndex
from anchorecli.model import Analysis, DiffId
from anchorecli.scan.options import AnalyzeOptions
from anchorecli.values import fields
from tests.analyzers.test_run import Files, facts_of, image_of
from tests.builders import digest, directory
from tests.layers.reading import BytesBlob
from tests.layers.reading import read as read_layer

ANALYZERS: tuple[Analyzer, ...] = tuple(each for each in load() if each.name in ("dpkg", "npm", "composer", "nix"))


def npm(count: int, version: str = "1") -> Files:
    return {
        f"app/node_modules/p{number}/package.json": json.dumps({"name": f"p{number}", "version": version})
        for number in range(count)
    }


def status(*names: str) -> str:
    return "".join(f"Package: {name}\nStatus: install ok installed\nVersion: 1\nDepends: a, b\n\n" for name in names)


def analyze(*layers: Files, fact_bytes: int) -> Analysis:
    image, tars = image_of(*layers)
    return assemble(image, ANALYZERS, facts_of(tars, ANALYZERS), fact_bytes=fact_bytes)


def told(analysis: Analysis) -> list[tuple[str, str]]:
    return [(each.subject, each.cause) for each in analysis.problems if each.incomplete]


@pytest.fixture(autouse=True)
def weighed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if little were very much."""
    monkeypatch.setattr(view, "WEIGHED_FROM", 0)
    monkeypatch.setattr(records, "WRITTEN_FROM", 2)
    monkeypatch.setattr(records, "ROWS_FROM", 1)


def test_packages_beyond_the_bound_are_left_out_and_told() -> None:
    whole = analyze(npm(20), fact_bytes=1 << 30)
    assert (len(whole.packages), told(whole)) == (20, [])
    part = analyze(npm(20), fact_bytes=10_000)
    assert 0 < len(part.packages) < 20
    assert all(package in whole.packages for package in part.packages)
    [problem] = [each for each in part.problems if each.incomplete]
    assert (problem.subject, problem.cause) == ("npm", "limit_hit")
    assert "more was found than 10000 bytes hold (limit limits.fact-bytes)" in problem.message
    assert f"{20 - len(part.packages)} files" in problem.message


def test_the_bound_is_one_of_all_analyzers_and_layers() -> None:
    files = {"var/lib/dpkg/status": status("bash")}
    room = 3 * weight(b'{"name":"p1","version":"1"}')
    found = analyze(files, npm(9), fact_bytes=room + 2000)
    assert found.packages[0].type == "deb"
    assert 1 < len(found.packages) < 6
    assert told(found) == [("npm", "limit_hit")]


def test_of_a_database_as_many_rows_are_kept_as_there_is_room_for() -> None:
    names = [f"pack{number}" for number in range(30)]
    found = analyze({"var/lib/dpkg/status": status(*names)}, fact_bytes=20_000)
    assert [each.name for each in found.packages] == sorted(names[: len(found.packages)])
    assert 5 < len(found.packages) < 30
    assert ("dpkg", "limit_hit") in told(found)


def test_facts_of_files_that_nobody_sees_take_no_room() -> None:
    rewritten = [{"var/lib/dpkg/status": status("bash", f"p{number}")} for number in range(20)]
    found = analyze(*rewritten, fact_bytes=8000)
    assert [each.name for each in found.packages] == ["bash", "p19"]
    assert found.packages[0].layer == found.image.layers[0].diff_id
    assert told(found) == []


def test_the_lowest_layers_are_left_out_where_all_of_them_are_too_much() -> None:
    low, high = npm(9, f"1.0.0-{'x' * 500}"), {"srv/node_modules/q/package.json": '{"name": "q", "version": "1"}'}
    image, tars = image_of(low, high)
    found = assemble(image, ANALYZERS, facts_of(tars, ANALYZERS), fact_bytes=4000)
    assert [each.name for each in found.packages] == ["q"]
    [problem] = [each for each in found.problems if each.incomplete]
    assert problem.message.endswith("those of the lowest 1 layers are left out")
    assert problem.cause == "limit_hit"


def test_a_layer_keeps_no_more_than_there_is_room_for_and_says_so() -> None:
    tar = image_of(npm(20))[1][0]
    collector = Collector(ANALYZERS, fact_bytes=8000)
    result = read_layer(tar, BytesBlob(tar), collector)  # type: ignore[arg-type]
    rows = {row.key.analyzer: row for row in collector.facts(DiffId(digest(tar)), result.index)}
    [problem] = rows["npm"].problems
    assert (problem.subject, problem.cause) == ("npm", "limit_hit")
    kept = read(rows["npm"].payload, result.index).values
    assert 0 < len(kept) < 20


def test_what_does_not_fit_leaves_nothing_older_in_its_place() -> None:
    facts = Records(room=Room(3000))
    facts.put("a", {"old": 1})
    facts.put("b", 1)
    facts.put("a", {"new": "x" * 5000})
    facts.put("c", 1)
    assert "a" not in facts
    assert (facts.left_out, sorted(facts)) == (["a"], ["b", "c"])


def test_rows_are_what_the_list_is() -> None:
    value = [["a", 1], ["b,]", 2], [], ["ü", {"c": []}]]
    rows = opened(json.dumps(value, separators=(",", ":")).encode())
    assert isinstance(rows, Rows)
    assert (list(rows), len(rows), rows[1], rows[1:3]) == (value, 4, value[1], value[1:3])
    assert rows == value
    assert rows == Rows(b'[["a",1],["b,]",2],[],["\\u00fc",{"c":[]}]]')
    assert rows != value[:2]


def test_a_fact_that_is_no_list_fits_or_does_not() -> None:
    assert fitted({"a": "x" * 9000}, Room(5000)) is None
    assert fitted([["x" * 9000]], Room(5000)) is None
    held = {"a": 1}
    assert fitted(held, Room(5000)) is held


def test_facts_are_kept_as_text_where_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = Records({"a": {"b": 1}})
    back = read(facts.packed({}), LayerIndex(), written=True)
    assert back.values.held("a") == b'{"b":1}'
    assert (back.size, back.weight > 0) == (len(b'{"values":{"a":{"b":1}},"links":{}}'), True)


def test_another_bound_is_part_of_the_key_of_facts() -> None:
    registered = limited((), {}, None, 1000)
    assert registered == ()
    from anchorecli.analyzers import REGISTERED

    [first, *_] = limited(REGISTERED, {}, None, 1000)
    assert first.options != REGISTERED[0].options
    assert apart(first.options)[1] == {"together": 1000}
    assert load((first,))[0].wants == load((REGISTERED[0],))[0].wants


def test_the_bound_is_the_same_wherever_it_is_a_default() -> None:
    defaults = {each.name: each.default for cls in (Settings, AnalyzeOptions) for each in fields(cls)}
    assert defaults["limits_fact_bytes"] == defaults["fact_bytes"] == BYTES


def test_packages_of_a_nix_store_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nix, "MOST", 5)
    files: Files = {f"nix/store/{number:032}-pack{number}-1.{number}/bin/x": "" for number in range(9)}
    found = analyze({"nix/store": directory(), **files}, fact_bytes=1 << 20)
    assert [each.name for each in found.packages] == [f"pack{number}" for number in range(5)]
    [problem] = [each for each in found.problems if each.cause]
    assert (problem.subject, problem.cause) == ("nix/store", "limit_hit")
    assert "more than 5 packages (a fixed limit)" in problem.message
