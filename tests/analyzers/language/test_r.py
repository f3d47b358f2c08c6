"""Installed R packages."""

from __future__ import annotations

from anchorecli.analyzers.base import Found
from anchorecli.analyzers.language.r import RPackages, read_description
from tests.analyzers.view import make_view

MASS = """Package: MASS
Priority: recommended
Version: 7.3-58.2
Authors@R: c(person("Brian", "Ripley"),
\t     Version: 9
License: GPL-2 |
  GPL-3
Repository: CRAN
Built: R 4.2.2; x86_64-pc-linux-gnu; 'Mon, 23 Jan 2023'; unix
"""


def assemble(files: dict[str, bytes | str]) -> Found:
    return RPackages().assemble(make_view(RPackages(), [files]))


def test_an_installed_package() -> None:
    [package] = assemble({"usr/lib/R/library/MASS/DESCRIPTION": MASS}).packages
    assert package.purl == "pkg:cran/MASS@7.3-58.2"
    assert (package.type, package.scheme) == ("cran", "cran")
    assert package.licenses == ("GPL-2.0-only", "GPL-3.0-only")
    assert package.metadata == {"priority": "recommended", "repository": "CRAN"}


def test_a_licence_file_is_no_licence() -> None:
    text = "Package: a\nVersion: 1\nBuilt: R 4\nLicense: MIT + file LICENSE\n"
    assert [package.licenses for package in assemble({"R/a/DESCRIPTION": text}).packages] == [("MIT",)]
    text = "Package: a\nVersion: 1\nBuilt: R 4\nLicense: file LICENSE\n"
    assert [package.licenses for package in assemble({"R/a/DESCRIPTION": text}).packages] == [()]


def test_sources_and_other_files_of_that_name_are_no_packages() -> None:
    source = MASS.replace("Built:", "Packaged:")
    found = assemble({"src/MASS/DESCRIPTION": source, "a/DESCRIPTION": b"\xff\x00", "b/DESCRIPTION": "Built: x"})
    assert found == Found()


def test_long_and_odd_texts_are_cut() -> None:
    found = read_description(b"Version: " + b"9" * 100_000 + b"\n " + b"x" * 100_000 + b"\nVersion: 2\n :\nPackage:\n")
    assert list(found) == ["version"]
    assert len(found["version"]) == 300
