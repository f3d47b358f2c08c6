"""Who speaks of which release: the traps of distributions with channels, streams and rolling releases, each by name."""

from __future__ import annotations

import pytest

from anchorecli.matching import ecosystems_of
from anchorecli.model import Advisory, Distro, Package, Range, Statement
from tests.matching.feeds import Feeds, advisory, affected, denial, package

CVE = "CVE-2024-0001"
RHEL9 = Distro("rhel", "9.4")


def names(*packages: Package, distro: Distro, feeds: list[Advisory]) -> list[str]:
    found = Feeds(feeds).match(*packages, distro=distro).matches
    return [each.package.name for each in found if not each.suppressed]


@pytest.mark.parametrize(
    ("distro", "first"),
    [
        # Universal base images are RHEL by ID; their minor release has no feed of its own.
        (Distro("rhel", "9.4", name="Red Hat Enterprise Linux", like=("fedora",)), "rhel:9"),
        (Distro("centos", "8", like=("rhel", "fedora")), "centos:8"),
        (Distro("rocky", "9.4", like=("rhel", "centos", "fedora")), "rocky:9"),
        (Distro("almalinux", "9.4", like=("rhel", "centos", "fedora")), "almalinux:9"),
        (Distro("ol", "9.4", like=("fedora",)), "ol:9"),
        (Distro("amzn", "2", like=("centos", "rhel", "fedora")), "amzn:2"),
        (Distro("amzn", "2023", like=("fedora",)), "amzn:2023"),
        (Distro("wolfi", "20230201"), "wolfi"),
        (Distro("arch"), "arch"),
        (Distro("opensuse-tumbleweed", "20241101", like=("opensuse", "suse")), "opensuse-tumbleweed"),
        (Distro("alpine", "3.21_alpha20240807"), "alpine:edge"),
        (Distro("alpine", "3.20.3"), "alpine:3.20"),
        (Distro("debian", codename="trixie"), "debian:13"),
        (Distro("debian", codename="sid"), "debian:unstable"),
        (Distro("raspbian", "11", codename="bullseye", like=("debian",)), "raspbian:11"),
        (Distro("sles", "15.6", like=("suse",)), "sles:15.6"),
        (Distro("photon", "5.0"), "photon:5.0"),
    ],
)
def test_the_first_word_is_that_of_the_release_itself(distro: Distro, first: str) -> None:
    assert ecosystems_of(distro)[0] == first


@pytest.mark.parametrize(
    ("distro", "parent"),
    [
        (Distro("linuxmint", "21.3", like=("ubuntu", "debian"), base_codename="jammy"), "ubuntu:22.04"),
        (Distro("linuxmint", "6", like=("debian",), base_codename="bookworm"), "debian:12"),
        (Distro("pop", "22.04", like=("ubuntu", "debian"), base_codename="jammy"), "ubuntu:22.04"),
        (Distro("kali", "2024.4", codename="kali-rolling", like=("debian",)), "debian:unstable"),
        (Distro("devuan", "5", codename="daedalus", like=("debian",)), "debian:12"),
        (Distro("parrot", "6.1", codename="lory", like=("debian",), base_codename="bookworm"), "debian:12"),
        (Distro("raspbian", "12", like=("debian",)), "debian:12"),
        (Distro("zorin", "17", like=("ubuntu", "debian"), base_codename="jammy"), "ubuntu:22.04"),
    ],
)
def test_a_derivative_without_a_feed_is_judged_by_its_parent_and_the_report_says_so(
    distro: Distro, parent: str
) -> None:
    result = Feeds([advisory(CVE, affected(parent, "x", "2"))]).match(package("x", "1"), distro=distro)
    assert [each.ecosystem for each in result.matches] == [parent]
    (problem,) = result.problems
    assert parent in problem.message
    assert not problem.incomplete


def test_a_derivative_whose_release_nothing_names_is_a_gap() -> None:
    # Parrot without DEBIAN_CODENAME: 6.1 is no release of Debian's.
    feeds = Feeds([advisory(CVE, affected("debian:12", "x", "2"), affected("debian:6", "x", "2"))])
    result = feeds.match(package("x", "1"), distro=Distro("parrot", "6.1", codename="lory", like=("debian",)))
    assert result.matches == ()
    assert [problem.incomplete for problem in result.problems] == [True]


def test_a_release_is_not_judged_by_the_next_one() -> None:
    feeds = [advisory(CVE, affected("alpine:3.21", "x", "2-r0"), affected("alpine:3.20", "y", "2-r0"))]
    assert names(package("x", "1-r0", "apk"), distro=Distro("alpine", "3.20.3"), feeds=feeds) == []


def test_extras_of_amazon_linux_2_are_versions_of_their_own() -> None:
    # An extra's erratum starts at the version the extra begins with: the base's older package is not concerned.
    ranges = (Range("5.10.0", "5.10.210-201.852.amzn2"),)
    feeds = [advisory("ALAS2KERNEL-5.10-2024-051", affected("amzn:2", "kernel", ranges=ranges), feed="amazon")]
    amazon = Distro("amzn", "2", like=("centos", "rhel", "fedora"))
    assert names(package("kernel", "4.14.336-257.562.amzn2", "rpm"), distro=amazon, feeds=feeds) == []
    assert names(package("kernel", "5.10.205-195.807.amzn2", "rpm"), distro=amazon, feeds=feeds) == ["kernel"]


def test_a_statement_about_a_binary_package_is_not_about_others_of_its_source() -> None:
    feeds = [advisory(CVE, affected("rhel:9", "python3-libs", "3.9.18-3.el9"), feed="redhat")]
    python = [package(name, "3.9.18-1.el9", "rpm", source="python3.9") for name in ("python3", "python3-libs")]
    assert names(*python, distro=RHEL9, feeds=feeds) == ["python3-libs"]


def test_a_statement_about_the_source_is_about_all_its_binary_packages() -> None:
    feeds = [advisory(CVE, affected("rhel:9", "python3.9", "3.9.18-3.el9"), feed="redhat")]
    python = [package(name, "3.9.18-1.el9", "rpm", source="python3.9") for name in ("python3", "python3-libs")]
    assert names(*python, distro=RHEL9, feeds=feeds) == ["python3", "python3-libs"]


def test_an_extended_stream_settles_only_what_was_built_for_it() -> None:
    feeds = [
        advisory(
            CVE,
            affected("rhel:8", "sudo", "1.9.5p2-1.el8_9"),
            affected("rhel:8.6+aus", "sudo", "1.8.29-8.el8_6.1"),
            feed="redhat",
        )
    ]
    builds = [package("sudo", version, "rpm") for version in ("1.8.29-8.el8_6.1", "1.8.29-8.el8_8.1", "1.8.29-10.el8")]
    result = Feeds(feeds).match(*builds, distro=Distro("rhel", "8.6"))
    counted = [each.package.version for each in result.matches if not each.suppressed]
    # Of another minor release, and of the main stream: newer by number, and without the fix.
    assert counted == ["1.8.29-10.el8", "1.8.29-8.el8_8.1"]
    (settled,) = (each for each in result.matches if each.suppressed)
    assert settled.suppressed == f"redhat has it fixed in rhel:8.6+aus ({CVE})"


def test_a_backport_says_what_settled_it() -> None:
    feeds = [
        advisory(
            CVE,
            affected("debian:12", "bash", statement=Statement.AFFECTED),
            affected("debian:unstable", "bash", "5.2.21-1"),
        )
    ]
    bookworm = Distro("debian", "12", codename="bookworm")
    (found,) = Feeds(feeds).match(package("bash", "5.2.21-2~bpo12+1"), distro=bookworm).matches
    assert found.suppressed == f"debian has it fixed in debian:unstable ({CVE})"
    # Unstable's own word claims nothing of a release.
    feeds = [advisory(CVE, affected("debian:unstable", "bash", "9")), advisory("CVE-2", affected("debian:12", "y"))]
    assert names(package("bash", "5.2.21-2~bpo12+1"), distro=bookworm, feeds=feeds) == []


def test_distroless_packages_are_debians() -> None:
    # No dpkg status, a file for each package; the source stands in it as in any other.
    package_ = package("libssl3", "3.0.11-1~deb12u2", source="openssl", metadata={"section": "libs"})
    feeds = [advisory(CVE, affected("debian:12", "openssl", "3.0.13-1~deb12u1"))]
    distroless = Distro("debian", "12", name="Distroless", pretty_name="Distroless")
    assert names(package_, distro=distroless, feeds=feeds) == ["libssl3"]


def test_a_vendored_copy_is_nobodys_but_its_languages() -> None:
    # pip brings copies of libraries: no OS package owns the file, so that the language's feed decides.
    copy = package("urllib3", "1.26.5", "pypi", metadata={"vendored": "pip"})
    owned = package("urllib3", "1.26.5", "pypi", owner="pkg:deb/debian/python3-urllib3@1.26.12-1")
    feeds = [
        advisory("GHSA-1", affected("pypi", "urllib3", "1.26.18"), feed="ghsa", aliases=(CVE,)),
        advisory("CVE-2023-0001", affected("debian:12", "other", "1")),
    ]
    result = Feeds(feeds).match(copy, owned, distro=Distro("debian", "12"))
    assert [bool(each.suppressed) for each in result.matches] == [False, True]
    assert result.matches[1].suppressed == f"owned by {owned.owner}: the distribution's feed decides"


def test_without_the_distributions_feed_nobody_else_is_silenced() -> None:
    owned = package("urllib3", "1.26.5", "pypi", owner="pkg:deb/debian/python3-urllib3@1.26.12-1")
    feeds = [advisory("GHSA-1", affected("pypi", "urllib3", "1.26.18"), feed="ghsa")]
    assert names(owned, distro=Distro("debian", "12"), feeds=feeds) == ["urllib3"]


@pytest.mark.parametrize(
    ("installed", "fixed", "hit"),
    [
        # The epoch that a whole feed leaves out is the package's.
        ("32:9.16.23-1.el9", "9.16.23-5.el9", True),
        ("32:9.16.23-5.el9", "9.16.23-5.el9", False),
        # One that is written counts, zero as well.
        ("32:9.16.23-1.el9", "0:9.16.23-5.el9", False),
        ("32:9.16.23-1.el9", "32:9.16.23-5.el9", True),
        ("9.16.23-9.el9", "32:9.16.23-5.el9", True),
    ],
)
def test_epochs_that_errata_leave_out(installed: str, fixed: str, hit: bool) -> None:
    feeds = [advisory(CVE, affected("rocky:9", "bind", fixed), feed="osv:Rocky Linux")]
    rocky = Distro("rocky", "9.4", like=("rhel", "centos", "fedora"))
    assert bool(names(package("bind", installed, "rpm"), distro=rocky, feeds=feeds)) is hit


@pytest.mark.parametrize(
    ("installed", "fixed", "hit"),
    [
        ("2.4.6-97.el7.centos.5", "0:2.4.6-97.el7_9.1", False),
        ("2.4.6-97.el7.centos.5", "0:2.4.6-97.el7_9.6", True),
        ("2.4.6-95.el7.centos.5", "0:2.4.6-97.el7_9.1", True),
        # Nothing says which minor release it is of: taken as it is.
        ("2.4.6-97.el7.centos", "0:2.4.6-97.el7_9.1", True),
        ("2.4.6-97.el7.centos.5", "0:2.4.6-98.el7", True),
    ],
)
def test_what_centos_changes_has_red_hats_fix_under_another_name(installed: str, fixed: str, hit: bool) -> None:
    feeds = [advisory(CVE, affected("rhel:7", "httpd", fixed), feed="redhat")]
    centos = Distro("centos", "7", like=("rhel", "fedora"))
    assert bool(names(package("httpd", installed, "rpm"), distro=centos, feeds=feeds)) is hit


def test_what_the_vendor_denies_of_one_release_holds_for_that_release_alone() -> None:
    feeds = [advisory(CVE, denial("sles:15.5", "x"), affected("sles:15.6", "x", "2-1"), feed="suse")]
    assert names(package("x", "1-1", "rpm"), distro=Distro("sles", "15.5"), feeds=feeds) == []
    assert names(package("x", "1-1", "rpm"), distro=Distro("sles", "15.6"), feeds=feeds) == ["x"]
