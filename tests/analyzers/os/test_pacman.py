"""Packages of pacman's local database."""

from __future__ import annotations

from anchorecli.analyzers.os.pacman import PacmanAnalyzer, read_blocks
from anchorecli.model import Distro
from tests.analyzers.view import make_view

ARCH = Distro("arch")
DESC = """%NAME%
gcc-libs

%VERSION%
14.2.1+r134+gab884fffe3fc-2

%BASE%
gcc

%ARCH%
x86_64

%LICENSE%
GPL-3.0-with-GCC-exception
GFDL-1.3-or-later

%SIZE%
1024

%DEPENDS%
glibc>=2.27

"""
FILES = "%FILES%\nusr/\nusr/lib/\nusr/lib/libgcc_s.so.1\netc/gcc.conf\n\n%BACKUP%\netc/gcc.conf\td41d8cd98f00b204e98\n"
PLACE = "var/lib/pacman/local/gcc-libs-14.2.1-2"


def find(*layers):
    analyzer = PacmanAnalyzer()
    view = make_view(analyzer, layers, ARCH)
    return view, analyzer.assemble(view)


def test_a_package_whole():
    _, found = find({f"{PLACE}/desc": DESC, f"{PLACE}/files": FILES, "var/lib/pacman/local/ALPM_DB_VERSION": "9\n"})
    (package,) = found.packages
    assert package.purl == (
        "pkg:alpm/arch/gcc-libs@14.2.1%2Br134%2Bgab884fffe3fc-2?arch=x86_64&distro=arch&upstream=gcc"
    )
    assert (package.type, package.scheme, package.source, package.size) == ("alpm", "pacman", "gcc", 1024)
    assert "GFDL-1.3-or-later" in package.licenses
    assert list(found.owned[package.purl]) == ["usr/lib/libgcc_s.so.1", "etc/gcc.conf"]


def test_a_package_without_files_or_base_is_its_own_source():
    (package,) = find({f"{PLACE}/desc": "%NAME%\na\n\n%VERSION%\n1-1\n"})[1].packages
    assert (package.source, "upstream" in package.purl, package.size) == ("a", False, 0)


def test_the_layer_that_installed_it_counts_not_the_one_that_touched_it():
    view, found = find({f"{PLACE}/desc": DESC}, {"a": ""}, {f"{PLACE}/desc": DESC})
    assert found.packages[0].layer == view.diff_id(0)


def test_a_desc_without_a_version_is_a_problem_and_files_elsewhere_are_nobodys():
    view, found = find({f"{PLACE}/desc": "%NAME%\na\n", "usr/share/desc": DESC, "xvar/lib/pacman/local/a/desc": DESC})
    assert found.packages == ()
    assert [problem.subject for problem in view.read_problems] == [f"{PLACE}/desc"]


def test_blocks_of_any_bytes():
    assert read_blocks(b"%%\n%A%\n\n%B%\n\xff\n%C%\n") == {"A": [], "B": ["�", "%C%"]}
