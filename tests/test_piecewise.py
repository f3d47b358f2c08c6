"""Long values piece by piece: the bytes and the values are those of the lasting form."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anchorecli import model, piecewise
from anchorecli.codec import read_lasting, write_lasting
from tests.scan.deciding import LAYERS, analysis, deb
from tests.test_codec import values

LOCATION = (model.Location(model.ImagePath("var/lib/dpkg/status"), LAYERS[0].diff_id),)
LONG = analysis(
    *(deb(f"package{number}", "1", locations=LOCATION, metadata={"kind": "module"}) for number in range(5000))
)


@pytest.fixture(params=[1, 2, 1024])
def at_a_time(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(piecewise, "AT_A_TIME", request.param)


@pytest.mark.usefixtures("at_a_time")
@pytest.mark.parametrize("cls", [model.Analysis, model.Package, model.Verdict, model.Report])
def test_the_bytes_and_the_value_are_those_of_the_lasting_form(cls: Any) -> None:
    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
    @given(values(cls))
    def check(value: Any) -> None:
        data = b"".join(piecewise.write(cls, value))
        assert data == write_lasting(cls, value)
        back = piecewise.read(cls, data)
        assert back == value == read_lasting(cls, data)
        assert type(back) is type(value)

    check()


def test_a_long_value_is_never_whole() -> None:
    pieces = list(piecewise.write(model.Analysis, LONG))
    assert b"".join(pieces) == write_lasting(model.Analysis, LONG)
    assert max(map(len, pieces)) < sum(map(len, pieces)) / 4


def test_what_stands_in_many_rows_is_there_once() -> None:
    back = piecewise.read(model.Analysis, write_lasting(model.Analysis, LONG))
    assert back == LONG
    for name in ("type", "scheme", "layer", "metadata"):
        assert len({id(getattr(each, name)) for each in back.packages}) < 10
    assert len({id(each.locations[0].path) for each in back.packages}) < 10


def test_a_document_of_another_version_is_read_by_the_names_of_its_fields() -> None:
    classes, rows = json.loads(write_lasting(model.Analysis, LONG))
    packages = rows[classes["Analysis"].index("packages")]
    at = classes["Package"].index("provides")
    del classes["Package"][at]
    classes["Package"].append("gone")
    classes["Analysis"].insert(0, "also_gone")
    rows.insert(0, [[1], 2])
    for row in packages:
        del row[at]
        row.append("x")
    data = json.dumps([classes, rows], separators=(",", ":")).encode()
    assert piecewise.read(model.Analysis, data) == LONG == read_lasting(model.Analysis, data)


MATCHES = tuple(
    model.Match(
        f"CVE-2024-{number}",
        LONG.packages[number % 7],
        advisory=f"DSA-{number}",
        feed="debian",
        verdict=model.MatchVerdict.AFFECTED,
        severity=model.Severity.HIGH,
        fix_state=model.FixState.FIXED,
        fixed_in=("2",),
        summary=f"of {number // 100} …",
        cvss=(model.Cvss("3.1", "AV:N", 9.8),),
    )
    for number in range(3000)
)


@pytest.mark.usefixtures("at_a_time")
def test_items_that_share_others_are_the_same_in_pieces() -> None:
    data = b"".join(piecewise.write_items(model.Match, MATCHES, LONG.packages))
    assert data == write_lasting(tuple[model.Match, ...], MATCHES, LONG.packages)
    back = piecewise.read_items(model.Match, data, LONG.packages)
    assert back == MATCHES
    assert all(one.package is other.package for one, other in zip(back, MATCHES, strict=True))
    assert len({id(each.summary) for each in back}) == len({each.summary for each in MATCHES})
    for damaged in (data[:-1], data + b"]", data[:-40], data.replace(b"[", b"{", 1)):
        with pytest.raises(ValueError, match="a damaged document"):
            piecewise.read_items(model.Match, damaged, LONG.packages)
    with pytest.raises(ValueError, match="a damaged document"):
        piecewise.read_items(model.Match, data, LONG.packages[:3])


def test_no_items_are_the_same_in_pieces() -> None:
    data = b"".join(piecewise.write_items(model.Match, (), ()))
    assert data == write_lasting(tuple[model.Match, ...], ())
    assert piecewise.read_items(model.Match, data) == ()


SMALL = write_lasting(model.Analysis, dataclasses.replace(LONG, packages=LONG.packages[:2]))


@pytest.mark.parametrize("end", range(0, len(SMALL), 7))
def test_a_document_that_was_cut_is_refused(end: int) -> None:
    with pytest.raises(ValueError, match="a damaged document"):
        piecewise.read(model.Analysis, SMALL[:end])


@given(st.integers(0, len(SMALL) - 1), st.binary(min_size=1, max_size=3))
def test_a_damaged_document_is_refused_or_read_as_the_lasting_form_is(at: int, other: bytes) -> None:
    data = SMALL[:at] + other + SMALL[at + len(other) :]
    try:
        expected = read_lasting(model.Analysis, data)
    except ValueError:
        with pytest.raises(ValueError, match="a damaged document"):
            piecewise.read(model.Analysis, data)
        return
    try:
        assert piecewise.read(model.Analysis, data) == expected
    except ValueError:
        # White space between the parts, which nobody writes.
        assert b" " in other or b"\t" in other or b"\n" in other or b"\r" in other
