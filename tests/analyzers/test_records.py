"""A layer's facts, few and very many: what was put in comes out, and what was stored before is read."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchorecli import compression
from anchorecli.analyzers import records
from anchorecli.analyzers.records import Records, Rows, opened, read
from anchorecli.errors import LimitError
from anchorecli.layerindex import LayerIndex
from tests.test_codec import JSON, TEXT

PUTS = st.lists(st.tuples(st.sampled_from("abcdefg") | TEXT, JSON.filter(lambda value: value is not None)), max_size=20)


@given(PUTS, st.dictionaries(TEXT, TEXT, max_size=2), st.integers(1, 8))
def test_what_was_put_in_comes_out(puts: list[tuple[str, records.Json]], links: dict[str, str], least: int) -> None:
    facts = Records()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "WRITTEN_FROM", least)
        for path, value in puts:
            facts.put(path, value)
    expected = dict(puts)
    back = read(facts.packed(links), LayerIndex())
    for each in (facts, back.values):
        assert dict(each) == expected
        assert len(each) == len(expected) == len(list(each))
        assert all(path in each and opened(each.held(path)) == value for path, value in expected.items())
        assert "no such" not in each
    assert back.links == links


def test_a_written_fact_is_as_fresh_as_ever_and_has_the_path_of_the_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "WRITTEN_FROM", 2)
    facts, index = Records(), LayerIndex()
    for number in range(5):
        facts.put(f"a/{number}", {"list": [number]})
        index.add(f"a/{number}", "f", (0o644, 0, 0), 1)
    back = read(facts.packed({}), index)
    back.values["a/1"]["list"].append("spoiled")
    assert back.values["a/1"] == {"list": [1]}
    written = [path for path in back.values if isinstance(back.values.held(path), bytes)]
    assert len(written) == 4
    assert all(path is index.paths[index.rows[path]] for path in written)


def test_facts_stored_by_an_earlier_version_are_read() -> None:
    document = {"values": {"a": {"name": "x"}}, "links": {"b": "a"}}
    back = read(compression.pack(json.dumps(document).encode()), LayerIndex())
    assert (dict(back.values), back.links) == (document["values"], document["links"])


def test_damage_is_an_error() -> None:
    facts = Records({"a": 1})
    packed = facts.packed({})
    for damaged in (b"", packed[:-6], b"x" + packed, compression.pack(b"no json")):
        with pytest.raises((ValueError, LimitError)):
            read(damaged, LayerIndex())
    with pytest.raises(KeyError):
        facts["b"]


def test_rows_of_a_long_list_are_taken_while_they_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "WRITTEN_BYTES", 1000)
    rows = [[f"name-{number}", {"x": [number]}] for number in range(records._ROWS + 7)]
    expected = copy.deepcopy(rows)
    facts = Records()
    facts.put("a", rows)
    assert rows == []
    assert facts["a"] == expected
    assert list(read(facts.packed({}), LayerIndex()).values["a"]) == expected


@pytest.mark.parametrize("piece", [1, 2, 5, 16, 17, 64])
def test_rows_are_read_wherever_a_piece_of_their_text_ends(piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "_PIECE", piece)
    rows = [["a,]", 1], [], [["b", {"c": "d" * 30}]], ['\u00fc"'], [-12.5, None, True]]
    text = json.dumps(rows, separators=(",", ":")).encode()
    assert list(Rows(text)) == rows
    assert [json.loads(text[start:stop]) for _, start, stop in Rows(text).placed()] == rows
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        list(Rows(text[:-3]))


@pytest.mark.parametrize("size", [1, 3, 8, 9, 10, 11, 1000])
def test_a_line_is_read_wherever_its_pieces_end(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = Records()
    expected = {"dir/a": "x" * 50, 'b"\\"': [1, 2], "c": {"d": "e"}}
    for path, value in expected.items():
        facts.put(path, value)
    facts.write_down()
    text = b"".join(compression.unpacked(facts.packed({})))
    monkeypatch.setattr(compression, "unpacked", lambda _: (text[at : at + size] for at in range(0, len(text), size)))
    assert dict(read(b"", LayerIndex()).values) == expected
