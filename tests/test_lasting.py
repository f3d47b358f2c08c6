"""The lasting form of values: what a field more or less in a later version does to what was kept."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anchorecli import model
from anchorecli.codec import encode, read_lasting, shape, write_lasting
from tests.test_codec import CLASSES, package, values


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_round_trip(cls: Any) -> None:
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(values(cls))
    def check(value: Any) -> None:
        data = write_lasting(cls, value)
        back = read_lasting(cls, data)
        assert back == value
        assert type(back) is type(value)
        assert write_lasting(cls, back) == data

    check()


class Place(NamedTuple):
    line: int
    file: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    name: str
    place: Place
    count: int = 0


def later(name: str, *added: Any, of: str = "Item") -> Any:
    """A class of the same name as another version of the program may have it."""
    made = dataclasses.make_dataclass(of, added, frozen=True)
    made.__doc__ = name
    return made


def test_a_field_that_was_added_has_its_default() -> None:
    new = later(
        "with more",
        ("kind", str, field(default="plain")),
        ("name", str, field(default="")),
        ("labels", Mapping[str, str], field(default_factory=dict)),
        ("place", Place, field(default=Place(0))),
        ("count", int, field(default=7)),
    )
    back = read_lasting(
        tuple[new, ...], write_lasting(tuple[Item, ...], (Item("a", Place(3, "f"), 1), Item("b", Place(4))))
    )
    assert [(each.kind, each.name, each.labels, each.place, each.count) for each in back] == [
        ("plain", "a", {}, Place(3, "f"), 1),
        ("plain", "b", {}, Place(4), 0),
    ]


def test_a_field_that_is_gone_is_passed_over() -> None:
    old = later("with less", ("name", str))
    (back,) = read_lasting(tuple[old, ...], write_lasting(tuple[Item, ...], (Item("a", Place(3)),)))
    assert back == old("a")


def test_a_named_tuple_deep_inside_grows_too() -> None:
    class Grown(NamedTuple):
        file: str
        line: int
        column: int = -1

    Grown.__name__ = "Place"
    holder = later("with a grown place", ("name", str), ("place", Grown), ("count", int, 0))
    back = read_lasting(holder, write_lasting(Item, Item("a", Place(3, "f"), 1)))
    assert back.place == Grown("f", 3, -1)


def test_a_field_without_a_default_that_was_not_written_is_an_error() -> None:
    needy = later("needs more", ("name", str), ("needed", int))
    with pytest.raises(ValueError, match="needed"):
        read_lasting(needy, write_lasting(Item, Item("a", Place(3))))


def test_what_is_shared_is_written_once_and_comes_back_as_itself() -> None:
    packages = (package(), package(name="other"), package())
    kind = tuple[model.Match, ...]
    matches = tuple(
        model.Match(
            "CVE-1", each, "CVE-1", "debian", model.MatchVerdict.AFFECTED, model.Severity.LOW, model.FixState.FIXED
        )
        for each in packages
    )
    data = write_lasting(kind, matches, packages)
    assert b"zlib1g" not in data
    back = read_lasting(kind, data, packages)
    assert back == matches
    assert all(mine.package is theirs for mine, theirs in zip(back, packages, strict=True))
    with pytest.raises(LookupError):
        write_lasting(kind, (dataclasses.replace(matches[0], package=package()),), packages)
    with pytest.raises(ValueError, match="damaged"):
        read_lasting(kind, data, packages[:1])


def test_field_names_stand_in_it_once() -> None:
    data = write_lasting(tuple[Item, ...], tuple(Item(str(n), Place(n)) for n in range(50)))
    classes, rows = json.loads(data)
    assert classes == {"Item": ["name", "place", "count"], "Place": ["line", "file"]}
    assert len(rows) == 50
    assert data.count(b"place") == 1


def test_two_classes_of_one_name_are_an_error_of_the_programmer() -> None:
    other = later("another", ("name", str), of="Place")
    both = later("both", ("first", Place), ("second", other), of="Both")
    with pytest.raises(TypeError, match="two classes are called Place"):
        write_lasting(both, both(Place(1), other("x")))


@pytest.mark.parametrize(
    "data", [b"", b"{", b"null", b"[]", b"[{},[]]", b"[[],[1]]", b'[{"Item":5},["n"]]', b"\xff", b"[" * 100_000]
)
def test_damaged_documents_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="a damaged document"):
        read_lasting(Item, data)


@given(st.binary(max_size=60))
def test_garbage_never_escapes_as_another_error(body: bytes) -> None:
    with pytest.raises(ValueError, match="a damaged document"):
        read_lasting(Item, body)


def test_an_unknown_word_of_an_enum_is_refused() -> None:
    data = write_lasting(model.Distro, model.Distro("debian"))
    assert read_lasting(model.Distro, data) == model.Distro("debian")
    rule = write_lasting(model.Rule, model.Rule("1", "g", "t", model.Action.STOP)).replace(b",2,", b",7,")
    with pytest.raises(ValueError, match="damaged"):
        read_lasting(model.Rule, rule)


def test_the_shape_of_a_class_changes_with_its_fields() -> None:
    old, new = later("old", ("a", str)), later("new", ("a", str), ("b", int))
    assert shape(old) != shape(new)
    assert encode(old("x"))[1:5].hex() == shape(old)
