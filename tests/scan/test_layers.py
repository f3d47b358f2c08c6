"""Packages of every layer: what each state of the image held."""

from __future__ import annotations

import pytest

from anchorecli.model import Analysis, DiffId, Distro, Image, Layer, Location, Package, Problem
from anchorecli.model.base import ImagePath
from anchorecli.scan import layers
from anchorecli.scan.layers import ranges, with_hidden
from tests.analyzers.view import image


def package(name, version="1"):
    place = (Location(ImagePath("var/lib/dpkg/status")),)
    return Package(name, version, "deb", "deb", f"pkg:deb/debian/{name}@{version}", locations=place)


STATES = {
    1: (package("bash"), package("curl", "7")),
    2: (package("bash"), package("curl", "8"), package("gcc")),
    3: (package("bash"), package("curl", "8")),
}


def state(part: Image) -> Analysis:
    number = len(part.layers)
    told = {
        1: (Problem("analyze", "a/METADATA", "no name in it"),),
        2: (Problem("analyze", "programs", "x", "", False),),
    }
    return Analysis(part, None, STATES[number], problems=told.get(number, ()))


def layered(count: int) -> Image:
    return image([Layer(DiffId(f"sha256:{number:064x}")) for number in range(count)])


@pytest.mark.parametrize("put_away_from", [1, 1000])
def test_what_later_layers_removed_or_replaced_is_there_and_says_so(put_away_from, monkeypatch):
    monkeypatch.setattr(layers, "_PUT_AWAY_FROM", put_away_from)
    found = with_hidden(layered(3), state)
    assert [(each.name, each.version, each.metadata) for each in found.packages] == [
        ("bash", "1", {"layers": "0-2"}),
        ("curl", "7", {"layers": "0", "hidden": "true"}),
        ("curl", "8", {"layers": "1-2"}),
        ("gcc", "1", {"layers": "1", "hidden": "true"}),
    ]
    assert found.looked_for == {"layers": "all"}
    assert [problem.message for problem in found.problems] == ["no name in it (in the image as it was after layer 0)"]


def test_a_distribution_that_comes_before_its_packages_is_no_gap():
    def bare(part: Image) -> Analysis:
        from anchorecli.analyzers.uncataloged import unlisted

        distro = Distro("debian", "12", source=ImagePath("etc/os-release"))
        packages = (package("bash"),) if len(part.layers) == 2 else ()
        return Analysis(part, distro, packages, problems=tuple(unlisted(distro, packages)))

    found = with_hidden(layered(2), bare)
    assert found.problems == () and found.packages[0].metadata == {"layers": "1"}


def test_a_package_that_goes_and_comes_again_tells_each_span():
    def by_turns(part: Image) -> Analysis:
        there = {1: "ab", 2: "b", 3: "", 4: "a", 5: "a", 6: "b"}[len(part.layers)]
        return Analysis(part, None, tuple(package(name) for name in there))

    found = with_hidden(layered(6), by_turns)
    assert [(each.name, each.metadata) for each in found.packages] == [
        ("a", {"layers": "0,3-4", "hidden": "true"}),
        ("b", {"layers": "0-1,5"}),
    ]


@pytest.mark.parametrize(("most", "most_hidden"), [(7, 0), (0, 4)])
def test_of_too_many_hidden_packages_the_lowest_are_left_out_and_it_is_told(most, most_hidden, monkeypatch):
    def replaced(part: Image) -> Analysis:
        number = len(part.layers)
        return Analysis(part, None, tuple(package(f"{name}", str(number)) for name in "abc"))

    monkeypatch.setattr(layers, "MOST_HIDDEN", most_hidden)
    monkeypatch.setattr(layers, "MOST", most)
    found = with_hidden(layered(4), replaced)
    assert [(each.name, each.version) for each in found.packages if "hidden" in each.metadata] == [
        *(("a", "2"), ("a", "3")),
        *(("b", "3"), ("c", "3")),
    ]
    [problem] = found.problems
    assert (problem.subject, problem.cause, problem.incomplete) == ("all-layers", "limit_hit", True)


def test_ranges():
    assert [ranges(each) for each in ([], [3, 3], [2, 0], [7, 7, 3, 2, 0, 0])] == ["", "3", "0-2", "0,2-3,7"]
