"""Packages of portage's database of installed packages."""

from __future__ import annotations

import pytest

from anchorecli.analyzers.os.portage import PortageAnalyzer, licenses, split_name
from anchorecli.model import Distro
from tests.analyzers.view import make_view

GENTOO = Distro("gentoo", "2.15")
CONTENTS = """dir /usr
obj /usr/lib64/libssl.so.3 d41d8cd98f00b204e9800998ecf8427e 1700000000
sym /usr/lib64/libssl.so -> libssl.so.3 1700000000
obj /usr/share/a file d41d8cd98f00b204e9800998ecf8427e 1700000000
"""


def find(files):
    analyzer = PortageAnalyzer()
    return analyzer.assemble(make_view(analyzer, [files], GENTOO))


def test_a_package_whole():
    place = "var/db/pkg/dev-libs/openssl-3.0.13-r2"
    found = find({f"{place}/CONTENTS": CONTENTS, f"{place}/LICENSE": "Apache-2.0\n", f"{place}/SIZE": "4096\n"})
    (package,) = found.packages
    assert (package.name, package.version, package.type, package.scheme) == (
        "dev-libs/openssl",
        "3.0.13-r2",
        "ebuild",
        "portage",
    )
    assert package.purl == "pkg:ebuild/dev-libs/openssl@3.0.13-r2?distro=gentoo-2.15"
    assert (package.licenses, package.size) == (("Apache-2.0",), 4096)
    assert list(found.owned[package.purl]) == ["usr/lib64/libssl.so.3", "usr/lib64/libssl.so", "usr/share/a file"]


def test_a_virtual_package_has_no_files_and_is_one_yet():
    found = find({"var/db/pkg/virtual/libc-1-r1/CONTENTS": "", "var/db/pkg/-MERGING-x/a-1/CONTENTS": ""})
    assert {package.name for package in found.packages} >= {"virtual/libc"}
    assert all(list(paths) == [] for paths in found.owned.values())


@pytest.mark.parametrize(
    ("directory", "name", "version"),
    [
        ("bash-5.1_p16-r6", "bash", "5.1_p16-r6"),
        ("gtk+-2.24.33-r3", "gtk+", "2.24.33-r3"),
        ("font-adobe-100dpi-1.0.4", "font-adobe-100dpi", "1.0.4"),
        ("libjpeg-turbo-3.0.0", "libjpeg-turbo", "3.0.0"),
        ("openssl-1.1.1w", "openssl", "1.1.1w"),
        ("x-9999", "x", "9999"),
        ("a-1_alpha2_pre3", "a", "1_alpha2_pre3"),
        ("no-version", "no-version", ""),
    ],
)
def test_names_and_versions(directory, name, version):
    assert split_name(directory) == (name, version)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GPL-2", ["GPL-2"]),
        ("GPL-2 MIT", ["GPL-2", "MIT"]),
        ("|| ( GPL-2 MIT )", ["GPL-2 OR MIT"]),
        ("BSD || ( GPL-2 ( MIT ISC ) )", ["BSD", "GPL-2 OR (MIT AND ISC)"]),
        ("doc? ( FDL-1.1 ) MIT", ["FDL-1.1", "MIT"]),
        (") ) || (", []),
    ],
)
def test_licences(text, expected):
    assert licenses(text) == expected
