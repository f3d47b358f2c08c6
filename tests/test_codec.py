"""The codec of stored values: what goes in comes out, and nothing else is taken for it."""

from __future__ import annotations

import dataclasses
import gc
import inspect
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Any, NewType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anchorecli import model
from anchorecli.codec import decode, encode

# Every code point, surrogates too: a path of an image is any bytes (surrogateescape).
TEXT = st.text(st.characters(), max_size=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=3,
)
PLAIN = {
    str: TEXT,
    int: st.integers(),
    bool: st.booleans(),
    float: st.floats(allow_nan=False),
    bytes: st.binary(max_size=6),
    NoneType: st.none(),
    Any: JSON,
}


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of an annotation of the model."""
    while isinstance(kind, NewType):
        kind = kind.__supertype__
    if kind in PLAIN:
        return PLAIN[kind]
    args = typing.get_args(kind)
    origin = typing.get_origin(kind)
    if origin is tuple:
        return st.lists(values(args[0]), max_size=2).map(tuple)
    if origin is UnionType:
        return st.one_of(*(values(arg) for arg in args))
    if origin is Mapping:
        return st.dictionaries(TEXT, values(args[1]), max_size=2)
    if issubclass(kind, Enum):
        return st.sampled_from(kind)
    if kind is model.Epss:
        return st.builds(kind, st.floats(0, 1), st.floats(0, 1))
    hints = typing.get_type_hints(kind)
    return st.builds(kind, **{name: st.deferred(lambda hint=hints[name]: values(hint)) for name in names(kind)})


def names(cls: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(cls)] if dataclasses.is_dataclass(cls) else list(cls._fields)


CLASSES = [
    cls
    for cls in vars(model).values()
    if inspect.isclass(cls) and (dataclasses.is_dataclass(cls) or hasattr(cls, "_fields"))
]


def test_every_class_of_the_model_is_looked_at() -> None:
    found = {cls.__name__ for cls in CLASSES}
    assert {"Analysis", "Report", "Candidate", "FactKey", "Problem", "LayerFacts"} <= found
    assert len(found) >= 30


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_round_trip(cls: Any) -> None:
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(values(cls))
    def check(value: Any) -> None:
        data = encode(value)
        back = decode(cls, data)
        assert back == value
        assert type(back) is type(value)
        assert encode(back) == data

    check()


def package(**changes: Any) -> model.Package:
    return dataclasses.replace(
        model.Package("zlib1g", "1:1.2.13.dfsg-1", "deb", "deb", metadata={"b": "2", "a": "1"}), **changes
    )


def test_types_come_back_exactly() -> None:
    match = model.Match(
        "CVE-1", package(), "DSA-1", "debian", model.MatchVerdict.UNKNOWN, model.Severity.HIGH, model.FixState.WONT_FIX
    )
    back = decode(model.Match, encode(match))
    assert back.severity is model.Severity.HIGH
    assert back.verdict is model.MatchVerdict.UNKNOWN
    assert isinstance(back.package, model.Package)
    assert back.package.licenses == ()


def test_equal_values_have_equal_bytes_whatever_the_order_of_their_mappings() -> None:
    assert encode(package()) == encode(package(metadata={"a": "1", "b": "2"}))


def test_large_values_are_compressed() -> None:
    plain, large = encode(package()), encode(package(metadata={"description": "word " * 1000}))
    assert plain[0] == 0xA1
    assert large[0] == 0xA2
    assert len(large) < 1000


@dataclass(frozen=True, slots=True)
class Old:
    name: str
    count: int = 0


def test_a_value_of_an_older_shape_is_not_there() -> None:
    @dataclass(frozen=True, slots=True)
    class New:
        name: str
        count: int = 0
        added: str = ""

    New.__name__ = "Old"
    with pytest.raises(ValueError, match="not a Old as this version writes it"):
        decode(New, encode(Old("x")))


def test_a_changed_type_deep_inside_is_another_shape() -> None:
    @dataclass(frozen=True, slots=True)
    class Holder:
        items: tuple[Old, ...] = ()

    @dataclass(frozen=True, slots=True)
    class Other:
        items: tuple[model.Location, ...] = ()

    Other.__name__ = "Holder"
    data = encode(Holder((Old("x", 1),)))
    assert decode(Holder, data) == Holder((Old("x", 1),))
    with pytest.raises(ValueError, match="not a Holder"):
        decode(Other, data)


def test_the_collector_is_left_as_it_was() -> None:
    data = encode(package())
    try:
        for before in (gc.disable, gc.enable):
            before()
            expected = gc.isenabled()
            decode(model.Package, data)
            with pytest.raises(ValueError, match="damaged"):
                decode(model.Package, data[:5])
            assert gc.isenabled() is expected
    finally:
        gc.enable()


def test_another_class_is_refused() -> None:
    with pytest.raises(ValueError, match="not a Distro"):
        decode(model.Distro, encode(package()))


@pytest.mark.parametrize("size", [0, 1, 4, 5, 6, 20])
def test_truncated_bytes_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match="Package"):
        decode(model.Package, encode(package())[:size])


@pytest.mark.parametrize(
    "body", [b"", b"{", b"null", b"{}", b"[]", b'"text"', b"[1,2]", b"\xff", b"[" * 100_000, b'["n","v",3,4,5]']
)
def test_damaged_bodies_are_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="a damaged Package"):
        decode(model.Package, encode(package())[:5] + body)


@given(st.binary(max_size=40), st.sampled_from([b"\xa1", b"\xa2", b"\xa3"]))
def test_garbage_never_escapes_as_another_error(body: bytes, first: bytes) -> None:
    with pytest.raises(ValueError, match="Package"):
        decode(model.Package, first + encode(package())[1:5] + body)


def test_damaged_compressed_bytes_are_refused() -> None:
    data = bytearray(encode(package(metadata={"description": "word " * 1000})))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(ValueError, match="a damaged Package"):
        decode(model.Package, bytes(data))


def test_an_unknown_enum_value_is_refused() -> None:
    data = encode(model.Rule("1", "g", "t", model.Action.STOP)).replace(b",2,", b",7,")
    with pytest.raises(ValueError, match="a damaged Rule"):
        decode(model.Rule, data)


@pytest.mark.parametrize("kind", [set[str], tuple[str, int], Mapping[int, str], str | int])
def test_what_json_cannot_hold_is_an_error_of_the_programmer(kind: Any) -> None:
    made = dataclasses.make_dataclass("Made", [("field", kind)], frozen=True)
    with pytest.raises(TypeError):
        encode(made(None))
