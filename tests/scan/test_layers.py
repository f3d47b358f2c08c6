"""Packages of every layer: what each state of the image held."""

from __future__ import annotations

from anchorecli.model import Analysis, DiffId, Distro, Image, Layer, Location, Package, Problem
from anchorecli.model.base import ImagePath
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


def test_what_later_layers_removed_or_replaced_is_there_and_says_so():
    whole = image([Layer(DiffId(f"sha256:{number:064x}")) for number in range(3)])
    found = with_hidden(state(whole), state)
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

    whole = image([Layer(DiffId(f"sha256:{number:064x}")) for number in range(2)])
    found = with_hidden(bare(whole), bare)
    assert found.problems == () and found.packages[0].metadata == {"layers": "1"}


def test_ranges():
    assert [ranges(each) for each in ([], [3], [0, 1, 2], [0, 2, 3, 7])] == ["", "3", "0-2", "0,2-3,7"]
