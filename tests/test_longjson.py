"""Long documents are read wherever a piece of them ends, and as ``json.loads`` reads them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchorecli import longjson
from anchorecli.longjson import Reader
from tests.test_codec import JSON


def written(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


@given(st.lists(JSON, max_size=8), st.integers(4, 40), st.booleans())
def test_items_are_those_of_the_list(items: list[object], piece: int, first: bool) -> None:
    data = written([items, "behind"]) if first else written(["before", items])
    reader = Reader(data, data.index(written(items)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(longjson, "PIECE", piece)
        found = list(reader.items())
    assert [json.dumps(item) for item, _, _ in found] == [json.dumps(item) for item in items]
    assert [json.loads(data[start:stop].decode("utf-8", "surrogatepass")) for _, start, stop in found] == items
    assert reader.next() == (b"," if first else b"]")


@given(JSON, st.integers(1, 9))
def test_a_value_is_read_as_a_whole(value: object, size: int) -> None:
    data = written([value, 1])
    reader = Reader(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(longjson, "_LITTLE", size)
        reader.sign(b"[")
        assert json.dumps(reader.value()) == json.dumps(value)
        reader.sign(b",")
        assert reader.value() == 1
        reader.sign(b"]")
    assert reader.next() == b""


@pytest.mark.parametrize("data", ["", "{", "[", "[1", "[1,", "[,1]", "[1 ,2]", "[1,]", "[1[2]]", '["a]', "[1}", "[12"])
@pytest.mark.parametrize("piece", [1, 2, 100])
def test_what_is_damaged_is_no_list(data: str, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(longjson, "PIECE", piece)
    with pytest.raises(ValueError, match=r"no |Expecting|Unterminated"):
        list(Reader(data.encode()).items())


def test_bytes_that_are_no_text_are_damage() -> None:
    with pytest.raises(ValueError, match="utf-8"):
        list(Reader(b'["\xff"]').items())
    with pytest.raises(ValueError, match="utf-8"):
        Reader(b'"\xe2\x80').value()
