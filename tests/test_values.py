"""Our ``dataclass`` against the standard library's: the same values, the same errors."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from anchorecli import values

DECORATORS = {"ours": values.dataclass, "standard": dataclasses.dataclass}


@pytest.fixture(params=DECORATORS.values(), ids=DECORATORS.keys())
def decorate(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Each test runs with both decorators: what holds for one must hold for the other."""
    return request.param  # type: ignore[no-any-return]


def make(decorate: Callable[..., Any], **options: Any) -> Any:
    class Point:
        x: int
        y: int = 2
        tags: dict[str, int] = dataclasses.field(default_factory=dict)
        hidden: str = dataclasses.field(default="secret", repr=False, compare=False)

    return decorate(**options)(Point)


@pytest.mark.parametrize("slots", [False, True])
@pytest.mark.parametrize("frozen", [False, True])
def test_construction_defaults_and_errors(decorate: Callable[..., Any], slots: bool, frozen: bool) -> None:
    cls = make(decorate, slots=slots, frozen=frozen)
    point = cls(1)
    assert (point.x, point.y, point.tags, point.hidden) == (1, 2, {}, "secret")
    assert cls(1, y=5).y == 5
    assert cls(1).tags is not cls(1).tags
    for wrong in (cls, lambda: cls(1, z=2), lambda: cls(1, 2, {}, "", "more")):
        with pytest.raises(TypeError):
            wrong()
    assert hasattr(point, "__dict__") is not slots


@pytest.mark.parametrize("slots", [False, True])
def test_frozen_is_frozen_and_hashable(decorate: Callable[..., Any], slots: bool) -> None:
    cls = make(decorate, slots=slots, frozen=True)
    point = cls(1, 2, ())
    with pytest.raises(dataclasses.FrozenInstanceError):
        point.x = 3
    with pytest.raises(dataclasses.FrozenInstanceError):
        del point.x
    assert hash(point) == hash(cls(1, 2, (), "other"))
    with pytest.raises(TypeError):
        hash(make(decorate, slots=slots)(1))


def test_equality_order_and_repr(decorate: Callable[..., Any]) -> None:
    cls = make(decorate, slots=True, frozen=True, order=True)
    assert cls(1) == cls(1, hidden="else")
    assert cls(1) != cls(2)
    assert cls(1) != (1, 2, {})
    assert cls(1, 2, ()) < cls(1, 3, ())
    assert cls(2, 0, ()) >= cls(1, 9, ())
    assert sorted([cls(2, 0, ()), cls(1, 0, ())])[0].x == 1
    with pytest.raises(TypeError):
        cls(1) < 5  # noqa: B015
    assert repr(cls(1)).endswith("Point(x=1, y=2, tags={})")


def test_the_standard_tools_work_on_it(decorate: Callable[..., Any]) -> None:
    cls = make(decorate, slots=True, frozen=True)
    point = cls(1)
    assert [f.name for f in dataclasses.fields(point)] == ["x", "y", "tags", "hidden"]
    assert dataclasses.replace(point, y=7) == cls(1, 7)
    assert dataclasses.asdict(point) == {"x": 1, "y": 2, "tags": {}, "hidden": "secret"}
    assert dataclasses.is_dataclass(cls)


def test_own_methods_stay(decorate: Callable[..., Any]) -> None:
    class Named:
        name: str

        def __repr__(self) -> str:
            return "mine"

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 7

    cls = decorate(Named)
    assert hash(cls("a")) == 7
    assert repr(cls("a")) == "mine"
    assert cls("a") == cls("b")


def test_post_init_runs(decorate: Callable[..., Any]) -> None:
    class Checked:
        number: int

        def __post_init__(self) -> None:
            if self.number < 0:
                raise ValueError(self.number)

    cls = decorate(frozen=True)(Checked)
    with pytest.raises(ValueError, match="-1"):
        cls(-1)


def test_one_field_and_none(decorate: Callable[..., Any]) -> None:
    class One:
        only: str = "x"

    class Empty:
        pass

    one, empty = decorate(frozen=True, order=True)(One), decorate(frozen=True)(Empty)
    assert one("a") < one("b")
    assert len({one("a"), one("a")}) == 1
    assert empty() == empty()
    assert hash(empty()) == hash(empty())


def test_fields_without_init(decorate: Callable[..., Any]) -> None:
    class Later:
        given: int
        counted: int = dataclasses.field(default=0, init=False)
        listed: list[int] = dataclasses.field(default_factory=list, init=False)

    point = decorate(slots=True)(Later)(4)
    assert (point.given, point.counted, point.listed) == (4, 0, [])


@pytest.mark.parametrize("slots", [False, True])
def test_copies(slots: bool) -> None:
    point = make(values.dataclass, slots=slots)(1)
    assert copy.copy(point) == point
