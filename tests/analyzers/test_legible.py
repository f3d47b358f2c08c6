"""Names and versions with characters that are no text are cleaned, and told."""

from __future__ import annotations

from anchorecli.analyzers.base import Found
from anchorecli.analyzers.legible import legible
from anchorecli.analyzers.os.dpkg import DpkgAnalyzer
from anchorecli.analyzers.purl import purl
from anchorecli.model import Distro, ImagePath, Location, Package
from anchorecli.values import replace
from tests.analyzers.test_run import analyze


def package(name: str, version: str = "1", **more: str) -> Package:
    places = (Location(ImagePath("a/b")),)
    return Package(name, version, "npm", "npm", purl("npm", name, version), locations=places, **more)  # type: ignore[arg-type]


def test_what_is_text_stays_the_very_same() -> None:
    found = Found(packages=(package("a"), package("größe", "1\u00a0b\u202e")), distro=Distro("debian", "12"))
    assert legible(found) is found


def test_a_control_character_is_replaced_everywhere_and_told() -> None:
    odd = package("a\x1b[31m\x00", "1\x9b\ud800", arch="\n", owner="pkg:deb/debian/%07x@1")
    found = legible(Found(packages=(package("b"), odd), owned={odd.purl: ("x",), "pkg:deb/c@1": ("y",)}))
    assert found.packages[0] == package("b")
    cleaned = found.packages[1]
    assert (cleaned.name, cleaned.version, cleaned.arch) == ("a\ufffd[31m\ufffd", "1\ufffd\ufffd", "\ufffd")
    assert cleaned.purl == "pkg:npm/a%EF%BF%BD%5B31m%EF%BF%BD@1%EF%BF%BD%3F"
    assert cleaned.owner == "pkg:deb/debian/%EF%BF%BDx@1"
    assert found.owned == {cleaned.purl: ("x",), "pkg:deb/c@1": ("y",)}
    [problem] = found.problems
    assert (problem.subject, problem.incomplete) == ("a/b", True)
    assert "characters that are no text: 'a\\x1b[31m\\x00 1\\x9b\\ud800'" in problem.message


def test_a_package_without_name_or_version_is_left_out_and_told() -> None:
    found = legible(Found(packages=(package(" "), package("a", ""), package("b"), package("\t", "\n"))))
    assert found.packages == (package("b"),)
    assert [each.incomplete for each in found.problems] == [True] * 3
    assert found.problems[1].message == "a package without a name or a version was left out: 'a '"


def test_a_name_that_ends_behind_its_group_is_none() -> None:
    group, scope = package("example.org/a/", "v1"), package("@a/b")
    found = legible(Found(packages=(group, scope, replace(scope, purl="pkg:npm/@a/b@1?x=/@1"))))
    assert group.purl == "pkg:npm/example.org/a/@v1"
    assert [each.name for each in found.packages] == ["@a/b", "@a/b"]
    assert "without a name" in found.problems[0].message


def test_a_package_of_an_endless_name_or_version_is_left_out_and_told() -> None:
    found = legible(Found(packages=(package("a" * 1000, "1" * 1000), package("b", "1" * 1001), package("c" * 1001))))
    assert [each.name[0] for each in found.packages] == ["a"]
    assert [each.message[:74] for each in found.problems] == [
        "a package whose name or version has more than 1000 characters was left out"
    ] * 2


def test_a_distribution_is_cleaned_too() -> None:
    found = legible(Found(distro=Distro("a\0", "1\x01", like=("b\x02",))))
    assert found.distro == Distro("a\ufffd", "1\ufffd", like=("b\ufffd",))
    assert legible(Found(distro=Distro("a", "1" * 2000))).distro == Distro("a", "1" * 1000)


def test_a_scan_tells_of_it() -> None:
    status = "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: amd\x0764\n"
    found = analyze({"var/lib/dpkg/status": status}, analyzers=(DpkgAnalyzer(),))
    assert [each.arch for each in found.packages] == ["amd\ufffd64"]
    assert "no text" in "".join(each.message for each in found.problems)
