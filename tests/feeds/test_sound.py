from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchorecli.feeds.lines import dump
from anchorecli.feeds.record import from_json, to_json
from anchorecli.feeds.sound import build, check
from anchorecli.model import Advisory
from tests.feeds.test_offline import WHOLE, advisories

RECORD = to_json(WHOLE) | {"fixes_since": [["debian:12", "bash", "1-1", "2025-01-01T00:00:00Z"]]}
ODD: list[Any] = [
    None,
    True,
    0,
    1.5,
    "",
    "x",
    "a\nb",
    "a\tb",
    [],
    ["x"],
    [""],
    [["a", "b", "c"]],
    [[1, 2, 3]],
    {},
    {"a": 1},
]

Path = tuple[str | int, ...]


def places(value: Any, path: Path = ()) -> list[Path]:
    """Where the values of a record stand, the record itself first."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in places(each, (*path, key)))]


def changed(place: Path, value: Any) -> Any:
    """The record with another value at a place; with ``...`` without it."""
    record = json.loads(dump(RECORD))
    if not place:
        return value
    holder = record
    for key in place[:-1]:
        holder = holder[key]
    if value is ...:
        del holder[place[-1]]
    else:
        holder[place[-1]] = value
    return record


def outcome(value: Any) -> Advisory | str:
    try:
        return from_json(value, "f")
    except ValueError as error:
        return str(error)


def agreed(value: Any) -> Advisory | str:
    """What both ways make of a value."""
    expected = outcome(value)
    if isinstance(expected, str):
        with pytest.raises(ValueError) as refused:
            check(value)
        assert str(refused.value) == expected
    else:
        check(value)
        assert build(value, "f") == expected
        assert build(value, "f").fixes_since == expected.fixes_since
    return expected


def test_every_value_replaced_or_left_out_is_judged_as_by_the_slow_way() -> None:
    assert isinstance(agreed(RECORD), Advisory)
    judged = [agreed(changed(place, odd)) for place in places(RECORD) for odd in ODD]
    judged += [agreed(changed(place, ...)) for place in places(RECORD) if place]
    refused = [each for each in judged if isinstance(each, str)]
    assert len(refused) > len(judged) / 2
    assert len(refused) < len(judged)


@pytest.mark.parametrize("more", [{"later": 7}, {"later": {"a": ["b"]}}, {"later": ["x"]}, {"later": [[1, 2, 3, 4]]}])
def test_fields_of_a_later_program_are_skipped(more: dict[str, Any]) -> None:
    statement = RECORD["affected"][0] | more
    assert agreed(RECORD | more) == agreed(RECORD)
    assert agreed(RECORD | {"affected": [statement]}) == agreed(RECORD | {"affected": RECORD["affected"][:1]})


@given(advisories)
def test_any_record(advisory: Advisory) -> None:
    assert agreed(json.loads(dump(to_json(advisory)))) == advisory


KEYS = st.sampled_from(["id", "affected", "cvss", "ecosystem", "package", "scheme", "ranges"])
plain = st.none() | st.booleans() | st.integers() | st.text(max_size=3)


@given(st.recursive(plain, lambda each: st.lists(each, max_size=4) | st.dictionaries(KEYS, each), max_leaves=12))
def test_anything(value: Any) -> None:
    agreed(value)
