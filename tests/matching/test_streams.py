"""Builds of a support stream that has to be paid for are judged by its fixes, and nobody else is."""

from __future__ import annotations

import pytest

from anchorecli.matching.streams import is_stream, streams
from anchorecli.model import Advisory, Affected, Distro, Range, Statement
from tests.matching.feeds import Feeds, package

RHEL = Distro("rhel", "9.2")


def said(
    space: str, name: str, fixed: str = "", module: str = "", statement: Statement = Statement.AFFECTED
) -> Affected:
    return Affected(space, name, "rpm", statement, (Range(fixed=fixed),) if fixed else (), module=module)


FIXED = Advisory(
    "CVE-2024-0001",
    "redhat",
    affected=(
        said("rhel:9", "kernel", "5.14.0-427.13.1.el9_4"),
        said("rhel:9.2+eus", "kernel", "5.14.0-284.80.1.el9_2"),
    ),
)
OPEN = Advisory(
    "CVE-2024-0002",
    "redhat",
    affected=(
        said("rhel:9", "kernel", statement=Statement.WONT_FIX),
        said("rhel:9+els", "kernel", "5.14.0-427.99.1.el9_4"),
    ),
)
MODULE = Advisory(
    "CVE-2024-0003",
    "redhat",
    affected=(
        said("rhel:8", "p", "2-1.module+el8.10.0+2+b", "m:1"),
        said("rhel:8.6+eus", "p", "1-5.module+el8.6.0+2+b", "m:1"),
    ),
)


def found(version: str, advisory: Advisory, *, distro: Distro = RHEL, name: str = "kernel", **more: str) -> list[str]:
    matches = Feeds([advisory]).match(package(name, version, "rpm", **more), distro=distro).matches
    return [each.suppressed or ",".join(each.fixed_in) or each.fix_state.value for each in matches]


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        # A build of the stream from before its fix: what everybody can install is told.
        ("5.14.0-284.30.1.el9_2", ["5.14.0-427.13.1.el9_4"]),
        ("5.14.0-284.80.1.el9_2", ["redhat has it fixed in rhel:9.2+eus (CVE-2024-0001)"]),
        ("5.14.0-284.90.1.el9_2", ["redhat has it fixed in rhel:9.2+eus (CVE-2024-0001)"]),
        # Above the number of the stream's fix, but of another branch.
        ("5.14.0-362.8.1.el9_3", ["5.14.0-427.13.1.el9_4"]),
        ("5.14.0-362.8.1.el9", ["5.14.0-427.13.1.el9_4"]),
        ("5.14.0-427.13.1.el9_4", []),
    ],
)
def test_a_build_with_the_fix_of_its_stream_is_not_affected(version: str, expected: list[str]) -> None:
    assert found(version, FIXED) == expected


def test_binary_packages_by_their_source() -> None:
    expected = ["redhat has it fixed in rhel:9.2+eus (CVE-2024-0001)"]
    assert found("5.14.0-284.80.1.el9_2", FIXED, name="kernel-core", source="kernel") == expected


def test_what_is_fixed_after_the_end_of_a_release() -> None:
    assert found("5.14.0-427.50.1.el9_4", OPEN) == ["wont-fix"]
    assert found("5.14.0-427.99.1.el9_4", OPEN) == ["redhat has it fixed in rhel:9+els (CVE-2024-0002)"]


def test_modules_stay_apart() -> None:
    distro = Distro("rhel", "8.6")
    expected = ["redhat has it fixed in rhel:8.6+eus (CVE-2024-0003)"]
    assert found("1-5.module+el8.6.0+2+b", MODULE, distro=distro, name="p", module="m:1") == expected
    # Of another module neither the claim nor what settles it holds.
    assert found("1-5.module+el8.6.0+2+b", MODULE, distro=distro, name="p", module="m:2") == []


def test_other_distributions_are_not_asked_about_streams() -> None:
    names = ("rhel:9.2+eus", "rhel:9.2+aus", "rhel:9.2+e4s", "rhel:9.2+tus", "rhel:9+els")
    covered = {*names, "rhel:9.4+eus", "rhel:9"}
    assert streams(package("kernel", "5.14.0-284.80.1.el9_2", "rpm"), "rocky:9", covered) == ("rhel:9",)
    assert streams(package("kernel", "5.14.0-284.80.1.el9_2", "rpm"), "rhel:8", covered) == ()
    assert streams(package("kernel", "5.14.0-284.80.1.el9", "rpm"), "rhel:9", covered) == ()
    assert streams(package("kernel", "5.14.0-284.80.1.el9_2", "deb"), "rhel:9", covered) == ()
    build = package("openssl-libs", "1:3.0.7-6.el9_2.3", "rpm")
    assert streams(build, "rhel:9", covered) == names
    assert streams(build, "rhel:9", {"rhel:9.2+e4s"}) == ("rhel:9.2+e4s",)
    assert all(is_stream(name, "rhel:9") for name in names)
    assert not is_stream("rhel:9", "rhel:9")
    assert not is_stream("ubuntu:22.04+esm", "ubuntu:22.04")
    assert is_stream("debian:unstable", "debian:12")
    assert not is_stream("debian:unstable", "debian:unstable")


def test_a_fix_that_cannot_be_compared_settles_nothing() -> None:
    odd = Advisory("CVE-2024-0004", "redhat", affected=(*FIXED.affected[:1], said("rhel:9.2+eus", "kernel", "5.14,6")))
    assert found("5.14.0-284.90.1.el9_2", odd) == ["5.14.0-427.13.1.el9_4"]


def test_backports_are_asked_about_unstable_alone_and_only_where_it_is_there() -> None:
    covered = frozenset({"debian:12", "debian:unstable"})
    backport = package("bash", "5.2.15-2~bpo12+1")
    assert streams(backport, "debian:12", covered) == ("debian:unstable",)
    assert streams(backport, "debian:12", {"debian:12"}) == ()
    assert streams(backport, "debian:unstable", covered) == ()
    assert streams(backport, "ubuntu:22.04", covered) == ()
    assert streams(package("bash", "5.2.15-2+b1"), "debian:12", covered) == ()


ERRATUM = Advisory(
    "ALSA-2024:1",
    "osv:AlmaLinux",
    aliases=("CVE-2024-0005",),
    affected=(said("almalinux:9", "kernel", "5.14.0-9.el9"),),
)
UNFIXED = [
    Advisory(name, "redhat", affected=(said("rhel:9", "kernel", statement=statement),))
    for name, statement in (
        ("CVE-2024-0004", Statement.WONT_FIX),
        ("CVE-2024-0005", Statement.AFFECTED),
        ("CVE-2024-0006", Statement.NOT_AFFECTED),
        ("CVE-2024-0007", Statement.UNDER_INVESTIGATION),
    )
]
REBUILT = [ERRATUM, *UNFIXED, FIXED]


def rebuilt(version: str, advisories: list[Advisory], name: str = "almalinux") -> dict[str, str]:
    found = Feeds(advisories).match(package("kernel", version, "rpm"), distro=Distro(name, "9.4")).matches
    return {each.id: each.suppressed or ",".join(each.fixed_in) or each.fix_state.value for each in found}


def test_what_has_no_fix_at_red_hat_has_none_in_a_rebuild() -> None:
    assert rebuilt("5.14.0-8.el9", REBUILT) == {
        "CVE-2024-0004": "wont-fix",
        "CVE-2024-0005": "5.14.0-9.el9",
        "CVE-2024-0007": "unknown",
    }
    assert "CVE-2024-0001" not in rebuilt("5.14.0-8.el9", REBUILT)  # Red Hat's fix is another build


def test_what_the_rebuild_mended_itself_is_settled() -> None:
    found = rebuilt("5.14.0-9.el9", REBUILT)
    assert found.pop("CVE-2024-0005") == "osv:AlmaLinux has it fixed in almalinux:9 (ALSA-2024:1)"
    assert found == {"CVE-2024-0004": "wont-fix", "CVE-2024-0007": "unknown"}


def test_without_red_hats_feed_the_errata_are_all_there_is() -> None:
    assert rebuilt("5.14.0-8.el9", [ERRATUM]) == {"CVE-2024-0005": "5.14.0-9.el9"}
    assert rebuilt("5.14.0-9.el9", [ERRATUM]) == {}


@pytest.mark.parametrize("name", ["rocky", "ol"])
def test_other_rebuilds(name: str) -> None:
    other = Advisory("CVE-2024-0009", "f", affected=(said(f"{name}:9", "kernel", "5.14.0-9.el9"),))
    assert set(rebuilt("5.14.0-8.el9", [other, *UNFIXED], name)) == {
        "CVE-2024-0004", "CVE-2024-0005", "CVE-2024-0007", "CVE-2024-0009",
    }  # fmt: skip
