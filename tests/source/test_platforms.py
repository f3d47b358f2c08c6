"""Which platform of an index is taken."""

from __future__ import annotations

import platform as host

import pytest

from anchorecli.errors import NotFoundError
from anchorecli.source.platforms import check_platform, choose, host_platform, rank
from tests.source.opening import platform


@pytest.mark.parametrize(
    ("have", "want", "fit"),
    [
        ("linux/amd64", "linux/amd64", 0),
        ("linux/arm64/v8", "linux/arm64", 1),
        ("linux/arm64", "linux/arm64/v8", 1),
        ("linux/arm/v7", "linux/arm/v7", 0),
        ("linux/arm/v6", "linux/arm/v7", 2),
        ("linux/arm/v5", "linux/arm/v7", 3),
        ("linux/arm/v7", "linux/arm/v6", None),
        ("linux/arm/v7", "linux/arm", 1),
        ("linux/amd64/v3", "linux/amd64", None),
        ("linux/amd64", "linux/amd64/v3", 3),
        ("linux/amd64/v3", "linux/amd64/v3", 0),
        ("windows/amd64", "linux/amd64", None),
        ("linux/arm64", "linux/arm", None),
        ("linux/arm/odd", "linux/arm/v7", None),
        ("linux/arm/odd", "linux/arm/odd", 0),
    ],
)
def test_rank(have: str, want: str, fit: int | None) -> None:
    assert rank(platform(have), platform(want)) == fit


def test_the_best_variant_wins() -> None:
    candidates = [platform(f"linux/arm/v{number}") for number in (5, 7, 6)]
    assert choose(candidates, platform("linux/arm/v6"), "x") == 2
    assert choose(candidates, platform("linux/arm"), "x") == 1


def test_the_only_one_is_taken_unless_another_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "machine", lambda: "x86_64")
    only = [platform("linux/s390x")]
    assert choose(only, None, "x") == 0
    with pytest.raises(NotFoundError, match="x has no image for linux/amd64"):
        choose(only, platform("linux/amd64"), "x")
    check_platform(only[0], None, "x")
    with pytest.raises(NotFoundError):
        check_platform(only[0], platform("linux/amd64"), "x")


@pytest.mark.parametrize(
    ("system", "machine", "expected"),
    [
        ("Linux", "x86_64", "linux/amd64"),
        ("Darwin", "arm64", "linux/arm64"),
        ("Linux", "armv7l", "linux/arm/v7"),
        ("Linux", "ppc64le", "linux/ppc64le"),
        ("Windows", "AMD64", "windows/amd64"),
    ],
)
def test_host(monkeypatch: pytest.MonkeyPatch, system: str, machine: str, expected: str) -> None:
    monkeypatch.setattr(host, "system", lambda: system)
    monkeypatch.setattr(host, "machine", lambda: machine)
    assert str(host_platform()) == expected
