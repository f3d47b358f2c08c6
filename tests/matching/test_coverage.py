"""What no feed covers is a problem; what a better source settles is suppressed with its reason."""

import pytest

from anchorecli.feeds import find
from anchorecli.model import Distro
from tests.matching.feeds import ALMA, ALPINE, DEBIAN, Feeds, advisory, affected, package

PYPI = advisory("GHSA-1", affected("pypi", "x", "2"), feed="ghsa")
DEB = advisory("CVE-2024-0001", affected("debian:12", "x", "2"))


def test_a_distribution_nobody_covers():
    (problem,) = Feeds([DEB]).match(package("x", "1", "apk"), package("y", "1", "apk"), distro=ALPINE).problems
    assert (problem.stage, problem.subject, problem.incomplete) == ("match", "alpine 3.20.3", True)
    assert problem.message == "no feed covers alpine:3.20: 2 packages were not checked for vulnerabilities"
    assert "anchore feeds sync alpine" in problem.hint


@pytest.mark.parametrize(("kind", "incomplete"), [("vscode-extension", False), ("ml-model", False), ("hackage", True)])
def test_a_type_that_no_source_knows_is_told_but_makes_nothing_incomplete(kind, incomplete):
    (problem,) = Feeds([DEB]).match(package("x", "1", kind), distro=DEBIAN).problems
    assert problem.message == f"no feed covers {kind}: 1 package was not checked for vulnerabilities"
    assert problem.incomplete is incomplete


@pytest.mark.parametrize(
    ("distro", "kind", "command"),
    [
        (Distro("ubuntu", "24.04"), "deb", "ubuntu"),
        (Distro("rocky", "9.4"), "rpm", "'osv:Rocky Linux'"),
        (Distro("centos", "9"), "rpm", "redhat"),
        (Distro("ol", "9.4"), "rpm", "oracle"),
        (Distro("amzn", "2023"), "rpm", "amazon"),
        (Distro("sles", "15.5"), "rpm", "suse"),
        (Distro("sl-micro", "6.0"), "rpm", "suse"),
        (Distro("mariner", "2.0.20230407"), "rpm", "azurelinux"),
        (Distro("wolfi", "2023"), "apk", "wolfi"),
        (ALPINE, "npm", "ghsa"),
        (ALPINE, "cran", "osv:CRAN"),
        (ALPINE, "hackage", "osv:Hackage"),
    ],
)
def test_the_hint_names_a_feed_that_can_be_synced(distro, kind, command):
    (problem,) = Feeds([DEB]).match(package("x", "1", kind), distro=distro).problems
    assert problem.hint.startswith(f"anchore feeds sync {command};")
    assert find(command.strip("'")).name == command.strip("'")


def test_what_no_feed_speaks_of_is_not_told_to_be_synced():
    (problem,) = Feeds([DEB]).match(package("x", "1"), distro=Distro("solus", "4.5")).problems
    assert (problem.incomplete, problem.hint.partition(";")[0]) == (True, "no feed is known for it")


def test_a_distribution_without_packages_is_no_problem():
    assert Feeds([]).match(distro=ALPINE).problems == ()
    assert Feeds([DEB]).match(package("x", "1")).problems == ()


def test_a_language_nobody_covers():
    (problem,) = Feeds([DEB]).match(package("x", "1", "pypi")).problems
    assert (problem.subject, problem.message.partition(":")[0]) == ("pypi", "no feed covers pypi")


def test_packages_of_an_unknown_or_another_distribution():
    (problem,) = Feeds([DEB]).match(package("x", "1"), distro=None).problems
    assert problem.subject == "deb packages"
    assert "distribution is not known" in problem.message
    (problem,) = Feeds([DEB]).match(package("x", "1", "rpm")).problems
    assert "not packages of debian 12" in problem.message


def test_a_rebuild_without_its_own_feed_is_judged_by_the_nearest_and_says_so():
    feeds = Feeds([advisory("RHSA-1", affected("rhel:9", "x", "2-1"), feed="osv:Red Hat")])
    result = feeds.match(package("x", "1-1", "rpm"), distro=ALMA)
    assert [m.ecosystem for m in result.matches] == ["rhel:9"]
    (problem,) = result.problems
    assert ("judged as rhel:9" in problem.message, problem.incomplete) == (True, False)


@pytest.mark.parametrize("covered", ["debian:14", "debian:testing", "debian:unstable"])
def test_a_debian_in_the_making_goes_by_what_the_feed_calls_it(covered):
    feeds = Feeds([advisory("CVE-2024-0001", affected(covered, "x", "2"))])
    assert len(feeds.match(package("x", "1"), distro=Distro("debian", codename="forky")).matches) == 1


OWNED = package("x", "1", "pypi", owner="pkg:deb/debian/python3-x@1")


def test_what_a_distribution_packages_is_left_to_its_feed_where_it_has_one():
    (found,) = Feeds([PYPI, DEB]).match(OWNED, distro=DEBIAN).matches
    assert found.suppressed == "owned by pkg:deb/debian/python3-x@1: the distribution's feed decides"
    (found,) = Feeds([PYPI]).match(OWNED, distro=DEBIAN).matches
    assert found.suppressed == ""
    (found,) = Feeds([PYPI, DEB]).match(package("x", "1", "pypi"), distro=DEBIAN).matches
    assert found.suppressed == ""


def test_what_is_left_to_the_distribution_needs_no_language_feed():
    assert Feeds([DEB]).match(OWNED).problems == ()


@pytest.mark.parametrize(
    ("name", "suppressed"),
    [
        ("linux-libc-dev", True),
        ("linux-headers-6.1.0-18-amd64", True),
        ("linux-headers-6.1.0-18-common", True),
        ("linux-aws-headers-5.15.0-1019", True),
        ("linux-kbuild-6.1", True),
        ("linux-image-6.1.0-18-amd64", False),
        ("linux-perf", False),
    ],
)
def test_kernel_headers_are_shown_but_do_not_count(name, suppressed):
    feeds = Feeds([advisory("CVE-2024-0001", affected("debian:12", "linux", "6.1.99-1"))])
    (found,) = feeds.match(package(name, "6.1.90-1", source="linux")).matches
    assert ("kernel headers" in found.suppressed) is suppressed


def test_kernel_headers_of_rpm_and_apk():
    feeds = Feeds(
        [
            advisory(
                "ALSA-1",
                affected("almalinux:9", "kernel", "5.15-1"),
                affected("almalinux:9", "kernel-headers", "5.15-1"),
            ),
            advisory("CVE-1", affected("alpine:3.20", "linux-headers", "6.6-r1"), feed="alpine"),
        ]
    )
    for distro, headers in (
        (ALMA, package("kernel-headers", "5.14-1", "rpm", source="kernel")),
        (ALPINE, package("linux-headers", "6.6-r0", "apk", source="linux-headers")),
    ):
        (found,) = feeds.match(headers, distro=distro).matches
        assert "kernel headers" in found.suppressed


def test_copies_of_a_package_each_get_their_matches():
    copies = [package("x", "1", "pypi", metadata={"at": str(n)}) for n in range(3)]
    feeds = Feeds([PYPI])
    assert len(feeds.match(*copies, distro=None).matches) == 3
    assert feeds.asked == [[("pypi", "x")]]


@pytest.mark.parametrize("name", ["almalinux", "rocky", "ol"])
def test_a_rebuild_says_who_knows_of_what_has_no_fix(name):
    errata = advisory("X-1", affected(f"{name}:9", "x", "2-1"))
    origin = advisory("CVE-2024-0001", affected("rhel:9", "x"), feed="redhat")
    (problem,) = Feeds([errata]).match(package("x", "1-1", "rpm"), distro=Distro(name, "9.4")).problems
    assert (problem.subject, problem.incomplete) == (f"{name} 9.4", False)
    assert problem.message.startswith(f"{name}:9 tells of fixes only: ")
    assert problem.hint.startswith("anchore feeds sync redhat;")
    assert Feeds([errata, origin]).match(package("x", "1-1", "rpm"), distro=Distro(name, "9.4")).problems == ()
