"""The distribution of a document, in the words of several tools."""

from __future__ import annotations

import pytest

from anchorecli.model import Distro
from anchorecli.sbom.distros import chosen, named
from anchorecli.sbom.purls import Purl, parse


def purls(*texts: str) -> list[Purl]:
    return [found for text in texts if (found := parse(text)) is not None]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("debian", "debian"),
        ("redhat", "rhel"),
        ("amazon", "amzn"),
        ("opensuse.leap", "opensuse-leap"),
        ("SUSE Linux Enterprise Server", "sles"),
        ("cbl-mariner", "mariner"),
        ("Some Thing", "some-thing"),
    ],
)
def test_names_of_tools(name: str, expected: str) -> None:
    found = named(name, "1")
    assert found is not None
    assert found.id == expected


@pytest.mark.parametrize(
    ("purl", "expected"),
    [
        ("pkg:deb/debian/x@1?distro=debian-12", ("debian", "12")),
        ("pkg:rpm/opensuse/x@1?distro=opensuse-leap-15.6", ("opensuse-leap", "15.6")),
        ("pkg:rpm/opensuse/x@1?distro=opensuse-tumbleweed-20240101", ("opensuse-tumbleweed", "20240101")),
        ("pkg:apk/alpine/x@1?distro=3.18.2", ("alpine", "3.18.2")),
        ("pkg:apk/wolfi/x@1?distro=wolfi", ("wolfi", "")),
        ("pkg:apk/alpine/x@1?distro=alpine-3.21_alpha20240606", ("alpine", "3.21_alpha20240606")),
        ("pkg:deb/debian/x@1?distro=debian", None),
        ("pkg:deb/debian/x@1", None),
        ("pkg:npm/x@1?distro=debian-12", None),
    ],
)
def test_labels_of_package_urls(purl: str, expected: tuple[str, str] | None) -> None:
    distro, problems = chosen((), purls(purl))
    assert (distro and (distro.id, distro.version_id)) == expected
    assert problems == []


def test_what_is_said_goes_before_what_urls_say_and_a_finer_version_is_no_other() -> None:
    label = "pkg:deb/debian/x@1?distro=debian-12"
    assert chosen([Distro("debian", "12.5")], purls(label)) == (Distro("debian", "12.5"), [])
    distro, (problem,) = chosen([Distro("ubuntu", "22.04")], purls(label))
    assert distro == Distro("ubuntu", "22.04")
    assert "also named: debian 12" in problem.message
    assert problem.incomplete
    assert problem.gap == "unknown_distro"
    distro, problems = chosen((), purls(label, label, "pkg:deb/debian/y@1?distro=debian-11"))
    assert distro == Distro("debian", "12")
    assert len(problems) == 1


def test_a_derivative_and_what_it_is_like_are_one() -> None:
    mint = Distro("linuxmint", "21", like=("ubuntu",))
    assert chosen([mint], purls("pkg:deb/ubuntu/x@1?distro=ubuntu-22.04"))[1] == []
