from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchorecli.errors import LimitError
from anchorecli.feeds import json_stream


class Dripping:
    """A stream that gives a few bytes at a time, so that every token is cut somewhere."""

    def __init__(self, data: bytes, step: int) -> None:
        self._data = io.BytesIO(data)
        self._step = step

    def read(self, size: int = -1, /) -> bytes:
        return self._data.read(self._step)


def read(data: bytes, step: int = 3) -> list[tuple[str, Any]]:
    return list(json_stream.items(Dripping(data, step)))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), values, max_size=6), st.integers(1, 9), st.booleans(), st.booleans())
def test_the_items_are_those_of_the_object(document: dict[str, Any], step: int, ascii_only: bool, indent: bool) -> None:
    text = json.dumps(document, ensure_ascii=ascii_only, indent=2 if indent else None)
    data = text.encode("utf-8", "surrogatepass")
    try:
        data.decode()
    except UnicodeDecodeError:
        return  # a lone surrogate cannot be written as UTF-8
    assert read(data, step) == list(document.items())


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"null", b"invalid", b"{", b'{"a"', b'{"a":', b'{"a":1', b'{"a":1,', b'{"a":1,}', b'{"a":1 "b":2}',
     b"{1:2}", b'{"a":1}}', b'{"a":1}x', b'{"a":tru}', b'{"a":"\xff"}', b'{"a": [1, 2}', b'{"a":"' + b"x" * 70000],
)  # fmt: skip
def test_damage_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read(data)


def test_depth_is_bounded() -> None:
    with pytest.raises(ValueError, match="deep"):
        read(b'{"a":' + b"[" * 200_000, 100_000)


def test_the_size_of_an_item_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "MAX_ITEM", 1_000_000)
    with pytest.raises(LimitError):
        read(b'{"a":"' + b"x" * 5_000_000 + b'"}', 100_000)


def elements(text: str) -> list[Any]:
    return list(json_stream.elements(Dripping(text.encode(), 3), "list"))


def test_elements_of_one_list() -> None:
    text = '{"a": [1], "b": {"list": [0]}, "list": [1, {"x": [2]}, "three"], "c": null}'
    assert elements(text) == [1, {"x": [2]}, "three"]
    assert elements('{"list": []}') == []
    assert elements('{"list": 7, "list": [1]}') == [1]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"a": 1}', '{"list": 1}', '{"list": [1', '{"list": [1,', '{"list": [1}', '{"list": [1]} x',
     '{"list": [1 2]}', '{1: []}'],
)  # fmt: skip
def test_no_such_list(text: str) -> None:
    with pytest.raises(ValueError, match=r"JSON|list"):
        elements(text)
