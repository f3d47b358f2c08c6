"""Packages of others than the distribution: whose they are, who is asked about them, and what is told."""

import pytest

from anchorecli.matching import match
from anchorecli.matching.origins import Origin, outsiders
from anchorecli.model import Distro
from tests.matching.feeds import ALMA, DEBIAN, Feeds, advisory, affected, package

RHEL = Distro("rhel", "9.4")
UBUNTU = Distro("ubuntu", "22.04", codename="jammy")


def origin(version, vendor="", distro=DEBIAN, beside=()):
    one = package("x", version, "deb" if distro.id in ("debian", "ubuntu") else "rpm", vendor=vendor)
    return outsiders([one, *beside], distro).get(one.purl)


def rpms(vendor, count=3):
    return [package(f"p{number}", "1-1.el9", "rpm", vendor=vendor) for number in range(count)]


@pytest.mark.parametrize(
    ("version", "maintainer", "name"),
    [
        ("5:24.0.7-1~debian.12~bookworm", "Docker <support@docker.com>", "Docker"),
        ("1.6.25-1", "Containerd team <help@containerd.io>", ""),
        ("18.19.0-1nodesource1", "Ivan Iguaran <ivan@nodesource.com>", "NodeSource"),
        ("8.2.14-1+0~20231221.60+debian12~1.gbp1234", "Debian PHP Maintainers <t@debian.org>", "deb.sury.org"),
        ("15.5-1.pgdg120+1", "Debian PostgreSQL Maintainers <t@debian.org>", "PostgreSQL (PGDG)"),
        ("1.25.3-1~bookworm", "NGINX Packaging <nginx-packaging@f5.com>", "nginx.org"),
        ("1.25.3-1~bookworm", "Somebody Else <who@example.org>", "Somebody Else"),
        ("1.25.3-1~bookworm", "", "another repository"),
        ("8.0.35-1debian12", "MySQL Release Engineering <mysql-build@oss.oracle.com>", "MySQL"),
        ("1:10.11.6+maria~deb12", "MariaDB Developers <d@lists.mariadb.org>", "MariaDB"),
        ("12.2.140-1", "cudatools <cudatools@nvidia.com>", "NVIDIA"),
        ("2.0-1ubuntu3", "Ubuntu Developers <u@lists.ubuntu.com>", "Ubuntu"),
        # Debian's own, however odd.
        ("246.10-1debian1", "Andreas Boll <aboll@debian.org>", ""),
        ("0.01.1~debian-5", "Debian Perl Group <p@lists.alioth.debian.org>", ""),
        ("2:3.0.10+debian1-3", "Alex Doyle <adoyle@nvidia.com>", ""),
        ("3.3.1-1+deb13u1~deb12u1", "Debian Perl Group <p@lists.alioth.debian.org>", ""),
        ("5.2.15-2~bpo12+1", "Matthias Klose <doko@debian.org>", ""),
        ("1:2.47.3-0+deb13u1~bpo12+1", "Jonathan Nieder <j@example.org>", ""),
        ("2.20140430.1~bpo70+1", "Henrique <hmh@debian.org>", ""),
        ("1.2-3+deb11u1", "Bdale Garbee <bdale@gag.com>", ""),
        ("7.26.0-1+wheezy13", "Ramakrishnan Muthukrishnan <r@debian.org>", ""),
        ("1.4.6-1~wheezy", "Somebody Else <who@example.org>", "Somebody Else"),
    ],
)
def test_whose_a_deb_is(version, maintainer, name):
    found = origin(version, maintainer)
    assert (found.name if found else "") == name


@pytest.mark.parametrize(
    ("version", "name"),
    [
        ("1:2.43.0-0ppa1~ubuntu22.04.1", "a PPA"),
        ("3.12.1-1+jammy1", "Deadsnakes"),
        ("8.3.1-1+ubuntu22.04.1+deb.sury.org+1", "deb.sury.org"),
        ("5:20.10.7~3-0~ubuntu-focal", "Docker"),
        ("1.12.0-1~ubuntu16.04.3+esm1", ""),
        ("237-3ubuntu10.38", ""),
        ("12.3.0-1ubuntu1~22.04", ""),
    ],
)
def test_whose_a_deb_of_ubuntu_is(version, name):
    found = origin(version, "Deadsnakes <d@example.org>", UBUNTU)
    assert (found.name if found else "") == name


def test_a_deb_of_a_later_debian_is_judged_by_that_one():
    assert origin("1.2-3+deb13u1") == origin("1.2-3~bpo13+1") == Origin("Debian 13", "debian:13")
    own = advisory("CVE-2024-0001", affected("debian:12", "x", "1.1-1+deb12u1"))
    later = advisory("CVE-2024-0001", affected("debian:13", "x", "1.2-3+deb13u2"))
    result = Feeds([own, later]).match(package("x", "1.2-3+deb13u1"))
    assert [(each.id, each.fixed_in) for each in result.matches] == [("CVE-2024-0001", ("1.2-3+deb13u2",))]
    assert result.problems == ()


def test_a_backport_to_a_later_debian_has_what_unstable_has():
    later = advisory("CVE-2024-0001", affected("debian:13", "x"))
    unstable = advisory("CVE-2024-0001", affected("debian:unstable", "x", "1.2-2"))
    (alone,) = Feeds([later]).match(package("x", "1.2-3~bpo13+1")).matches
    assert not alone.suppressed
    assert all(each.suppressed for each in Feeds([later, unstable]).match(package("x", "1.2-3~bpo13+1")).matches)


@pytest.mark.parametrize(
    ("vendor", "version", "expected"),
    [
        ("Red Hat, Inc.", "1-1.el9", None),
        ("Red Hat, Inc. <http://bugzilla.redhat.com/bugzilla>", "1-1.el9", None),
        ("CentOS", "1-1.el9", None),
        ("Rocky Enterprise Software Foundation", "1-1.el9", None),
        ("", "1-1.el9", None),
        ("", "1-1", None),
        ("", "1-1.fc39", Origin("Fedora")),
        ("Fedora Project", "1-1.el9", Origin("EPEL 9", "epel:9")),
        ("Fedora Project", "2:1-3.20240101git.el8_6.1", Origin("EPEL 8", "epel:8")),
        ("Fedora Project", "1-1.el10_1", Origin("EPEL 10.1", "epel:10.1")),
        ("Fedora Project", "1-1.fc39", Origin("Fedora Project")),
        ("Fedora Copr - user somebody", "1-1.el9", Origin("Fedora Copr - user somebody")),
        ("Docker", "1-1.el9", Origin("Docker")),
        ("CentOS Storage SIG", "1-1.el9", Origin("CentOS Storage SIG")),
        ("Oracle and/or its affiliates", "1-1.el9", Origin("Oracle and/or its affiliates")),
        ("Packager <who@example.org>", "1-1", Origin("Packager")),
    ],
)
@pytest.mark.parametrize("distro", [RHEL, ALMA, Distro("centos", "9"), Distro("navy", "9", like=("rhel",))])
def test_whose_an_rpm_is(vendor, version, expected, distro):
    assert origin(version, vendor, distro, rpms("Red Hat, Inc.")) == expected


@pytest.mark.parametrize(
    ("distro", "vendor"),
    [
        (Distro("fedora", "40"), "Fedora Project"),
        (Distro("amzn", "2"), "Amazon.com"),
        (Distro("sles", "15.5"), "SUSE LLC <https://www.suse.com/>"),
        (Distro("opensuse-leap", "15.5"), "openSUSE"),
        (Distro("opensuse-leap", "15.5"), "SUSE LLC <https://www.suse.com/>"),
        (Distro("azurelinux", "3.0"), "Microsoft Corporation"),
        (Distro("photon", "5.0"), "VMware, Inc."),
        (Distro("ol", "9.4"), "Oracle America"),
        (Distro("hummingbird", ""), "Whoever"),
        (Distro("openeuler", "24.03"), "http://openeuler.org"),
    ],
)
def test_the_vendors_of_distributions(distro, vendor):
    assert origin("1-1", vendor, distro) is None


def test_most_packages_of_an_unknown_vendor_are_the_distribution():
    one = package("x", "1-1.el9", "rpm", vendor="Docker")
    assert outsiders([one, *rpms("Navy Systems")], Distro("navy", "9", like=("rhel",))) == {one.purl: Origin("Docker")}
    # But another distribution is another, be it most of the image.
    assert len(outsiders(rpms("Fedora Project"), RHEL)) == 3


def test_the_name_of_somebody_elses_package_finds_nothing():
    feeds = Feeds([advisory("CVE-2024-0001", affected("rhel:9", "nodejs", "16.20-1.el9"))])
    own = package("nodejs", "16.0-1.el9", "rpm", vendor="Red Hat, Inc.")
    other = package("nodejs", "14.0-1nodesource", "rpm", vendor="Node Source")
    result = feeds.match(own, other, *rpms("Red Hat, Inc."), distro=RHEL)
    assert [each.package.version for each in result.matches] == ["16.0-1.el9"]
    (problem,) = result.problems
    assert (problem.stage, problem.subject, problem.incomplete) == ("match", "Node Source", False)
    assert problem.message == (
        "not of rhel 9.4, and no feed speaks of these packages: 1 package was not checked by name (nodejs)"
    )


def test_epel_is_asked_about_its_packages_and_missed_where_it_is_not_held():
    fix = advisory("FEDORA-EPEL-2025-1", affected("epel:9", "nginx", "2:1.24.0-1.el9"), aliases=("CVE-2025-1000",))
    wrong = advisory("CVE-2025-2", affected("rhel:9", "nginx", "9"))
    one = package("nginx", "2:1.22.0-1.el9", "rpm", vendor="Fedora Project")
    result = Feeds([fix, wrong]).match(one, *rpms("Red Hat, Inc."), distro=RHEL)
    assert [(each.id, each.ecosystem) for each in result.matches] == [("CVE-2025-1000", "epel:9")]
    assert result.problems == ()
    (problem,) = Feeds([wrong]).match(one, *rpms("Red Hat, Inc."), distro=RHEL).problems
    assert (problem.subject, problem.incomplete) == ("EPEL 9", True)
    assert problem.message == "no feed covers epel:9: 1 package was not checked for vulnerabilities"
    assert problem.hint.startswith("anchore feeds sync fedora;")


@pytest.mark.parametrize(("vendor", "counts"), [("Node Source", True), ("Red Hat, Inc.", False)])
def test_what_somebody_elses_package_brought_is_not_for_the_distribution_to_decide(vendor, counts):
    feeds = Feeds(
        [advisory("GHSA-1", affected("npm", "undici", "6")), advisory("CVE-1", affected("rhel:9", "nodejs", "1"))]
    )
    server = package("nodejs", "16.0-1nodesource", "rpm", vendor=vendor)
    module = package("undici", "5.0.0", "npm", owner=server.purl)
    (found,) = feeds.match(server, module, *rpms("Red Hat, Inc."), distro=RHEL).matches
    assert (not found.suppressed) is counts


def test_what_is_asked_does_not_hang_on_what_is_covered():
    one = package("nginx", "1-1.el9", "rpm", vendor="Fedora Project")
    asked = []
    match([one, *rpms("Red Hat, Inc.")], RHEL, lambda keys: asked.extend(keys) or [], lambda _: {}, frozenset())
    assert ("epel:9", "nginx") in asked
    assert ("rhel:9", "nginx") not in asked


def test_an_image_without_a_distribution_or_of_another_kind_has_no_outsiders():
    one = package("x", "1.0-1.pgdg120+1", "deb")
    assert outsiders([one], None) == outsiders([one], RHEL) == outsiders([one], Distro("alpine", "3.20")) == {}
