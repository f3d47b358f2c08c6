"""The distribution by each file that may name it, in the right order, links followed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchorecli.analyzers.os import release
from anchorecli.analyzers.os.distro import DistroAnalyzer
from tests.analyzers.view import make_view
from tests.builders import link

BOOKWORM = """\
PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION="12 (bookworm)"
VERSION_CODENAME=bookworm
ID=debian
"""
UBUNTU = """\
NAME="Ubuntu"
VERSION_ID="22.04"
VERSION="22.04.4 LTS (Jammy Jellyfish)"
VERSION_CODENAME=jammy
ID=ubuntu
ID_LIKE=debian
"""
FEDORA = 'NAME="Fedora Linux"\nID=fedora\nVERSION_ID=40\nPRETTY_NAME="Fedora Linux 40 (Container Image)"\n'
ROCKY = 'NAME="Rocky Linux"\nID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID=\'9.3\'\n'


def find(*layers):
    analyzer = DistroAnalyzer()
    view = make_view(analyzer, layers)
    return analyzer.assemble(view)


def summary(*layers):
    distro = find(*layers).distro
    return None if distro is None else (distro.id, distro.version_id, distro.codename)


def test_os_release_with_debian_point_release():
    distro = find({"etc/os-release": BOOKWORM, "etc/debian_version": "12.5\n"}).distro
    assert (distro.id, distro.version_id, distro.codename) == ("debian", "12", "bookworm")
    assert distro.name == "Debian GNU/Linux"
    assert distro.pretty_name == "Debian GNU/Linux 12.5 (bookworm)"
    assert distro.source == "etc/os-release"


def test_a_derivative_is_not_refined_by_debian_version():
    distro = find({"etc/os-release": UBUNTU, "etc/debian_version": "bookworm/sid\n"}).distro
    assert (distro.id, distro.version_id, distro.codename, distro.like) == ("ubuntu", "22.04", "jammy", ("debian",))


def test_quotes_of_both_kinds_and_escapes():
    distro = find({"etc/os-release": ROCKY + 'PRETTY_NAME="say \\"hi\\" \\$x"\n'}).distro
    assert (distro.version_id, distro.like) == ("9.3", ("rhel", "centos", "fedora"))
    assert distro.pretty_name == 'say "hi" $x'


@pytest.mark.parametrize("version", ["trixie/sid\n", "trixie\n"])
def test_testing_and_sid_have_a_codename_only(version):
    files = {"etc/os-release": "ID=debian\nNAME=Debian\n", "etc/debian_version": version}
    assert summary(files) == ("debian", "", "trixie")


def test_os_release_without_version_takes_the_major_of_debian_version():
    assert summary({"etc/os-release": "ID=debian\n", "etc/debian_version": "13.1"}) == ("debian", "13", "")


def test_links_lead_to_the_file():
    files = {
        "etc/os-release": link("../usr/lib/os-release"),
        "usr/lib/os-release": link("./os.release.d/os-release-container"),
        "usr/lib/os.release.d/os-release-container": FEDORA,
        "usr/lib/os.release.d/os-release-cloud": FEDORA.replace("40", "39"),
    }
    distro = find(files).distro
    assert (distro.id, distro.version_id) == ("fedora", "40")
    assert distro.source == "usr/lib/os.release.d/os-release-container"


def test_only_usr_lib_as_in_distroless():
    assert summary({"usr/lib/os-release": BOOKWORM}) == ("debian", "12", "bookworm")


def test_a_dangling_link_does_not_hide_usr_lib():
    files = {"etc/os-release": link("/nowhere"), "usr/lib/os-release": UBUNTU}
    assert summary(files) == ("ubuntu", "22.04", "jammy")


def test_the_upper_layer_decides():
    assert summary({"etc/os-release": BOOKWORM}, {"etc/os-release": UBUNTU}) == ("ubuntu", "22.04", "jammy")
    assert summary({"etc/os-release": BOOKWORM}, {"etc/.wh.os-release": ""}) is None


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("etc/system-release-cpe", "cpe:/o:amazon:linux:2018.03:ga\n", ("amzn", "2018.03", "")),
        ("etc/system-release-cpe", "cpe:/o:centos:linux:6:GA", ("centos", "6", "")),
        ("etc/system-release-cpe", "cpe:/o:oracle:linux:6server:ga:server", ("ol", "6", "")),
        ("etc/system-release-cpe", "cpe:2.3:o:amazon:amazon_linux:2", ("amzn", "2", "")),
        ("etc/system-release-cpe", "cpe:/o:redhat:enterprise_linux:7.9:GA:server", ("rhel", "7.9", "")),
        ("etc/redhat-release", "CentOS release 6.10 (Final)\n", ("centos", "6.10", "Final")),
        ("etc/redhat-release", "CentOS Linux release 7.9.2009 (Core)", ("centos", "7.9.2009", "Core")),
        ("etc/redhat-release", "Red Hat Enterprise Linux Server release 6.10 (Santiago)", ("rhel", "6.10", "Santiago")),
        ("etc/redhat-release", "Fedora release 20 (Heisenbug)", ("fedora", "20", "Heisenbug")),
        ("etc/system-release", "Amazon Linux AMI release 2018.03", ("amzn", "2018.03", "")),
        ("etc/photon-release", "VMware Photon OS 3.0\nPHOTON_BUILD_NUMBER=1", ("photon", "3.0", "")),
        ("etc/mariner-release", "CBL-Mariner 2.0.20230805", ("mariner", "2.0.20230805", "")),
        (
            "etc/SuSE-release",
            "SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 4\n",
            ("sles", "11.4", ""),
        ),
        (
            "etc/lsb-release",
            'DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=10.04\nDISTRIB_CODENAME=lucid\nDISTRIB_DESCRIPTION="Ubuntu 10.04"',
            ("ubuntu", "10.04", "lucid"),
        ),
        ("etc/alpine-release", "3.20.3\n", ("alpine", "3.20.3", "")),
        ("etc/alpine-release", "3.21.0_alpha20240807", ("alpine", "3.21.0_alpha20240807", "")),
        ("etc/debian_version", "6.0.10\n", ("debian", "6", "")),
        ("etc/debian_version", "wheezy/sid\n", ("debian", "", "wheezy")),
        (
            "etc/apk/repositories",
            "#x\n@edge https://a.example/alpine/edge/main\nhttps://dl-cdn.alpinelinux.org/alpine/v3.19/main",
            ("alpine", "3.19", ""),
        ),
        ("etc/apk/repositories", "https://dl-cdn.alpinelinux.org/alpine/edge/main", ("alpine", "edge", "")),
        ("etc/apk/repositories", "https://packages.wolfi.dev/os", ("wolfi", "", "")),
        ("bin/busybox", b"\x7fELF\0\0BusyBox v1.36.1 (2023-11-07 18:53:09 UTC)\0", ("busybox", "1.36.1", "")),
    ],
)
def test_older_files(path, text, expected):
    assert summary({path: text}) == expected


def test_oracle_is_not_red_hat_and_alpine_is_not_busybox():
    red_hat = "Red Hat Enterprise Linux Server release 6.10 (Santiago)"
    oracle = {"etc/redhat-release": red_hat, "etc/oracle-release": "Oracle Linux Server release 6.10"}
    assert summary(oracle) == ("ol", "6.10", "")
    assert summary({"bin/busybox": b"BusyBox v1.36.1", "etc/alpine-release": "3.18.4"})[0] == "alpine"
    assert summary({"etc/lsb-release": "DISTRIB_ID=Ubuntu", "etc/debian_version": "wheezy/sid"})[0] == "ubuntu"


def test_an_os_release_without_id_falls_through():
    assert summary({"etc/os-release": "NAME=x\n", "etc/alpine-release": "3.18.4"}) == ("alpine", "3.18.4", "")
    assert summary({"etc/os-release": 'NAME="CentOS Linux"\nVERSION_ID=7\n'}) == ("centos", "7", "")


def test_an_empty_image_has_none_without_complaint():
    found = find({"app/main": "x"})
    assert found.distro is None
    assert found.problems == ()


@pytest.mark.parametrize("text", ["", "\0\0\0", "garbage", "ID=\n", "ID=a b c\n"])
def test_a_damaged_os_release_is_told(text):
    found = find({"etc/os-release": text})
    assert found.distro is None
    assert [problem.subject for problem in found.problems] == ["etc/os-release"]


def test_a_link_out_of_sight_is_told():
    found = find({"etc/os-release": link("/opt/release"), "opt/release": BOOKWORM})
    assert "opt/release" in found.problems[0].message


@settings(deadline=None)
@given(st.text(max_size=300))
def test_no_text_breaks_a_reader(text):
    readers = (
        release.os_release,
        release.lsb_release,
        release.system_cpe,
        release.titled,
        release.alpine_release,
        release.debian_version,
        release.apk_repositories,
        release.busybox,
    )
    for reader in readers:
        found = reader(text)
        assert found is None or found.id


@pytest.mark.parametrize("text", [BOOKWORM, UBUNTU, FEDORA, ROCKY])
def test_cut_anywhere(text):
    for length in range(len(text)):
        find({"etc/os-release": text[:length], "etc/debian_version": text[:length]})
