"""Conditions on versions, and what lies outside of all of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchorecli.feeds.language.constraints import outside, parse, successor
from anchorecli.model import Range
from anchorecli.versions import compare, contains


def affected(scheme: str, *safe: str) -> list[tuple[str, str, str]]:
    ranges = outside(scheme, [parse(scheme, each) for each in safe])
    return [(each.introduced, each.fixed, each.last_affected) for each in ranges]


@pytest.mark.parametrize(
    ("safe", "ranges"),
    [
        ([], [("", "", "")]),
        ([">= 1.2.3"], [("", "1.2.3", "")]),
        ([">= 0.12.3, < 0.13.0", ">= 0.13.1", "< 0.12"], [("0.12", "0.12.3", ""), ("0.13.0", "0.13.1", "")]),
        (["^1.2.3", ">= 2.0.1"], [("", "1.2.3", ""), ("2.0.0-0", "2.0.1", "")]),
        (["^0.4.5", ">=0.5.2"], [("", "0.4.5", ""), ("0.5.0-0", "0.5.2", "")]),
        (["> 1.2.3"], [("", "", "1.2.3")]),
        (["<= 1.2.3", ">1.4.0"], [("1.2.4-0", "", "1.4.0")]),
        (["= 1.2.3"], [("", "1.2.3", ""), ("1.2.4-0", "", "")]),
        (["1.2.3"], [("", "1.2.3", ""), ("2.0.0-0", "", "")]),
        (["~1.2"], [("", "1.2", ""), ("1.3.0-0", "", "")]),
        (["> 1.2"], [("", "1.3.0", "")]),
        (["<= 1.2"], [("1.3.0-0", "", "")]),
        (["1.*"], [("", "1", ""), ("2.0.0-0", "", "")]),
        (["< 2.0.0", ">= 1.0.0"], []),
        ([">= 1.0.0", ">= 2.0.0"], [("", "1.0.0", "")]),
        (["< 1.0.0", "< 2.0.0, >= 1.5.0", ">= 1.0.0, < 1.2.0"], [("1.2.0", "1.5.0", ""), ("2.0.0", "", "")]),
        (["<= 1.0.0", ">= 1.0.0"], []),
        (["< 1.0.0", "> 1.0.0"], [("1.0.0", "", "1.0.0")]),
    ],
)
def test_cargo(safe: list[str], ranges: list[tuple[str, str, str]]) -> None:
    assert affected("cargo", *safe) == ranges


@pytest.mark.parametrize(
    ("safe", "ranges"),
    [
        (["~> 1.2.3", ">= 1.3.1"], [("", "1.2.3", ""), ("1.3.a", "1.3.1", "")]),
        (["~> 1.2"], [("", "1.2", ""), ("2.a", "", "")]),
        (["~> 2"], [("", "2", ""), ("3.a", "", "")]),
        (["~> 3.2.22, >= 3.2.22.5", ">= 4"], [("", "3.2.22.5", ""), ("3.3.a", "4", "")]),
        (["~> 1.2.3.rc1"], [("", "1.2.3.rc1", ""), ("1.3.a", "", "")]),
        (["<= 1.2"], [("1.2.0.0.0.1", "", "")]),
        (["1.2"], [("", "1.2", ""), ("1.2.0.0.0.1", "", "")]),
    ],
)
def test_rubygems(safe: list[str], ranges: list[tuple[str, str, str]]) -> None:
    assert affected("gem", *safe) == ranges


@pytest.mark.parametrize("text", ["", ">= ", "abc", "!= 1.0", ">= 2, < 1", "> 1, < 1", "1.0 || 2.0", ">=1;<2", "=> 1"])
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="condition"):
        parse("cargo", text)


@pytest.mark.parametrize("scheme", ["cargo", "gem", "composer", "fuzzy"])
def test_a_successor_lies_between_a_version_and_the_next(scheme: str) -> None:
    for version, following in (("1.2.3", "1.2.4"), ("1.0.0", "1.0.1"), ("2.9.9", "2.9.10")):
        assert compare(scheme, version, successor(scheme, version)) < 0
        assert compare(scheme, successor(scheme, version), following) < 0


VERSIONS = st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2)).map(lambda v: ".".join(map(str, v)))
CONDITIONS = st.tuples(st.sampled_from([">=", "<", ">", "<=", "=", "^", "~"]), VERSIONS).map(" ".join)


@given(st.lists(CONDITIONS, max_size=4), VERSIONS)
def test_a_version_is_affected_where_no_condition_holds(safe: list[str], version: str) -> None:
    """``inside`` is not used for it: each condition is decided here by its own words."""

    def holds(condition: str) -> bool:
        operator, _, bound = condition.partition(" ")
        a, b = (tuple(map(int, each.split("."))) for each in (version, bound))
        place = next((i for i, n in enumerate(b) if n), 2) if operator == "^" else 1
        return {
            ">=": a >= b, ">": a > b, "<": a < b, "<=": a <= b, "=": a == b,
            "^": a >= b and a[: place + 1] == b[: place + 1], "~": a >= b and a[:2] == b[:2],
        }[operator]  # fmt: skip

    ranges = outside("cargo", [parse("cargo", each) for each in safe])
    assert any(contains("cargo", each, version) for each in ranges) is not any(map(holds, safe))


def test_nothing_known_is_everything() -> None:
    assert outside("gem", []) == (Range(),)
