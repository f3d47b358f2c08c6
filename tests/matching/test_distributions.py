"""Whose records judge a distribution: its own, or its parent's with a remark, or nobody's with a problem."""

import pytest

from anchorecli.matching import ecosystems_of
from anchorecli.matching.distributions import lineage
from anchorecli.model import Distro, MatchVerdict, Range, Statement
from tests.matching.feeds import Feeds, advisory, affected, denial, package

MINT = Distro("linuxmint", "21.3", codename="virginia", like=("ubuntu", "debian"), base_codename="jammy")


@pytest.mark.parametrize(
    ("distro", "inherited"),
    [
        (Distro("debian", "12"), ()),
        (Distro("ubuntu", "22.04", like=("debian",)), ()),
        (Distro("raspbian", "12", like=("debian",)), ("debian:12",)),
        (Distro("kali", "2024.2", codename="kali-rolling", like=("debian",)), ("debian:unstable",)),
        (Distro("devuan", "5", codename="daedalus", like=("debian",)), ("debian:12",)),
        (Distro("linuxmint", "6", like=("debian",), base_codename="bookworm"), ("debian:12",)),
        (MINT, ("ubuntu:22.04", "ubuntu:22.04+esm")),
        (
            Distro("pop", "22.04", like=("ubuntu", "debian"), base_codename="jammy"),
            ("ubuntu:22.04", "ubuntu:22.04+esm"),
        ),
        (Distro("elementary", "7.1", like=("ubuntu",), base_codename="jammy"), ("ubuntu:22.04", "ubuntu:22.04+esm")),
        (Distro("neon", "24.04", like=("ubuntu", "debian")), ("ubuntu:24.04", "ubuntu:24.04+esm")),
        # A release that nothing names: nobody can be asked.
        (Distro("linuxmint", "21.3", like=("ubuntu", "debian")), ()),
        (Distro("pureos", "10", codename="byzantium", like=("debian",)), ()),
        (Distro("centos", "9", like=("rhel", "fedora")), ("rhel:9",)),
        (Distro("scientific", "7.9"), ("rhel:7",)),
        (Distro("anolis", "8.8", like=("rhel", "fedora", "centos")), ("rhel:8",)),
        (Distro("almalinux", "9.4", like=("rhel", "centos", "fedora")), ("rhel:9",)),
        (Distro("ol", "8.9", like=("fedora",)), ("rhel:8",)),
        # Like it, but not made of its packages.
        (Distro("amzn", "2", like=("centos", "rhel", "fedora")), ()),
        (Distro("azurelinux", "3.0"), ()),
        (Distro("fedora", "40"), ()),
        (Distro("nobara", "39", like=("fedora",)), ("fedora:39",)),
        (Distro("manjaro", like=("arch",)), ("arch",)),
        (Distro("archarm", like=("arch",)), ("arch",)),
        (Distro("cachyos", like=("arch",)), ("arch",)),
        (Distro("garuda", like=("arch",)), ("arch",)),
        (Distro("postmarketos", "v24.06", like=("alpine",)), ("alpine:3.20",)),
        (Distro("postmarketos", "21.12", like=("alpine",)), ("alpine:3.15",)),
        (Distro("postmarketos", "edge", like=("alpine",)), ("alpine:edge",)),
        (Distro("chainguard", "20230214"), ("wolfi",)),
        (Distro("wolfi", "20230201"), ()),
        (Distro("opensuse-leap", "15.6", like=("suse", "opensuse")), ("sles:15.6", "sles:15")),
        (Distro("opensuse-microos", "20240101", like=("suse", "opensuse")), ("opensuse-tumbleweed",)),
        (Distro("sle-micro", "5.5"), ("sles:15.5", "sles:15")),
        (Distro("nosuch", "1"), ()),
    ],
)
def test_parents(distro, inherited):
    assert lineage(distro).inherited == inherited


@pytest.mark.parametrize(
    ("distro", "own"),
    [
        (Distro("debian", codename="forky"), ("debian:unstable", "debian:14", "debian:testing")),
        (Distro("debian", codename="sid"), ("debian:unstable",)),
        (Distro("debian", codename="bookworm"), ("debian:12",)),
        (Distro("amzn", "2018.03"), ("amzn:1",)),
        (Distro("mariner", "2.0"), ("mariner:2.0",)),
        (Distro("mariner", "3.0"), ("azurelinux:3.0",)),
        (Distro("opensuse-tumbleweed", "20240101"), ("opensuse-tumbleweed",)),
        (Distro("sles", "15.5"), ("sles:15.5", "sles:15")),
        (Distro("rhel", ""), ("rhel",)),
        (Distro("arch"), ("arch",)),
    ],
)
def test_own_names(distro, own):
    assert lineage(distro).own == own
    assert ecosystems_of(distro)[: len(own)] == own


@pytest.mark.parametrize(
    ("distro", "kind", "covered", "versions"),
    [
        (Distro("raspbian", "12"), "deb", "debian:12", ("1", "2")),
        (MINT, "deb", "ubuntu:22.04", ("1", "2")),
        (Distro("kali", "2024.2", like=("debian",)), "deb", "debian:unstable", ("1", "2")),
        (Distro("centos", "9"), "rpm", "rhel:9", ("1-1", "2-1")),
        (Distro("manjaro", like=("arch",)), "alpm", "arch", ("1-1", "2-1")),
        (Distro("postmarketos", "24.06"), "apk", "alpine:3.20", ("1-r0", "2-r0")),
        (Distro("chainguard"), "apk", "wolfi", ("1-r0", "2-r0")),
    ],
)
def test_a_derivative_is_judged_as_its_parent_and_that_is_said(distro, kind, covered, versions):
    scheme = {"alpm": "pacman"}.get(kind, kind)
    feeds = Feeds([advisory("CVE-2024-0001", affected(covered, "x", versions[1], scheme=scheme))])
    result = feeds.match(package("x", versions[0], kind), package("y", "1", kind), distro=distro)
    assert [(found.id, found.ecosystem) for found in result.matches] == [("CVE-2024-0001", covered)]
    (problem,) = result.problems
    assert problem.message.startswith(f"judged as {covered}, since no feed covers {distro.id}")
    assert not problem.incomplete


def test_a_release_whose_own_feed_is_there_is_not_judged_as_another():
    feeds = Feeds([advisory("CVE-1", affected("almalinux:9", "x", "1-1"), affected("rhel:9", "x", "9-1"))])
    result = feeds.match(package("x", "2-1", "rpm"), distro=Distro("almalinux", "9.4"))
    assert (result.matches, result.problems) == ((), ())


@pytest.mark.parametrize(
    ("distro", "names"),
    [
        (Distro("fedora", "40"), "fedora:40"),
        (Distro("linuxmint", "21.3", like=("ubuntu", "debian")), "linuxmint:21.3"),
        (Distro("centos", "9"), "centos:9 or rhel:9"),
    ],
)
def test_what_nobody_speaks_of_is_a_problem(distro, names):
    kind = "deb" if distro.id == "linuxmint" else "rpm"
    (problem,) = (
        Feeds([advisory("CVE-1", affected("debian:12", "x", "2"))])
        .match(package("x", "1", kind), distro=distro)
        .problems
    )
    assert problem.message == f"no feed covers {names}: 1 package was not checked for vulnerabilities"
    assert problem.incomplete


def test_an_image_without_packages_of_its_distribution_needs_no_feed():
    assert Feeds([]).match(distro=Distro("busybox", "1.36.1")).problems == ()


# Ubuntu's paid channel

ESM = [
    advisory(
        "CVE-2024-0001",
        affected("ubuntu:22.04", "netty"),
        denial("ubuntu:22.04", "netty", ranges=(Range(introduced="2-1ubuntu0.1~esm1"),)),
        affected("ubuntu:22.04+esm", "netty", "2-1ubuntu0.1~esm1"),
        feed="ubuntu",
    )
]
JAMMY = Distro("ubuntu", "22.04", codename="jammy", like=("debian",), base_codename="jammy")


def test_a_fix_for_subscribers_is_none_for_others():
    (found,) = Feeds(ESM).match(package("netty", "2-1"), distro=JAMMY).matches
    assert (found.ecosystem, found.fixed_in, found.fix_state.value) == ("ubuntu:22.04", (), "not-fixed")


def test_a_fix_for_subscribers_is_one_where_the_image_has_packages_of_theirs():
    result = Feeds(ESM).match(package("netty", "2-1"), package("other", "1-1ubuntu1+esm2"), distro=JAMMY)
    (found,) = result.matches
    assert (found.verdict, found.fixed_in) == (MatchVerdict.AFFECTED, ("2-1ubuntu0.1~esm1",))
    assert result.problems == ()


def test_what_the_channel_fixed_does_not_count():
    (found,) = Feeds(ESM).match(package("netty", "2-1ubuntu0.1~esm1"), distro=JAMMY).matches
    assert "not affected" in found.suppressed
    assert all(each.statement is not Statement.WONT_FIX for each in ESM[0].affected)


@pytest.mark.parametrize(
    ("distro", "own"),
    [
        (Distro("openeuler", "24.03", pretty_name="openEuler 24.03 (LTS-SP1)"), ("openeuler:24.03-LTS-SP1",)),
        (Distro("openeuler", "24.03", pretty_name="openEuler 24.03 (LTS)"), ("openeuler:24.03-LTS",)),
        (Distro("openeuler", "22.03", pretty_name="openEuler 22.03 LTS"), ("openeuler:22.03-LTS",)),
        (Distro("openeuler", "23.09", pretty_name="openEuler 23.09"), ("openeuler:23.09",)),
        (Distro("hummingbird", "20251124"), ("hummingbird",)),
        (Distro("echo", "1"), ("echo",)),
        (Distro("secureos", "1"), ("secureos",)),
    ],
)
def test_distributions_by_the_names_their_feeds_use(distro, own):
    assert lineage(distro).own == own
