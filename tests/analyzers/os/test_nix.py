"""Packages in a Nix store."""

from __future__ import annotations

import pytest

from anchorecli.analyzers.os.nix import NixAnalyzer, split_name
from tests.analyzers.view import make_view
from tests.builders import directory

HASH = "0c5b8vw40d1178xlpddw65q9gf1h2186"


def find(analyzer, *layers, distro=None):
    view = make_view(analyzer, layers, distro)
    return view, analyzer.assemble(view)


def test_store_paths_with_a_version_are_packages():
    store = f"nix/store/{HASH}-openssl-3.0.13-bin"
    view, found = find(
        NixAnalyzer(),
        {"nix/store": directory(), store: directory(), f"{store}/bin/openssl": "x", f"nix/store/{HASH}-hook.sh": ""},
        {f"{store}/bin/more": "x"},
    )
    (package,) = found.packages
    assert (package.name, package.version, package.metadata) == ("openssl", "3.0.13", {"output": "bin"})
    assert package.purl == f"pkg:nix/openssl@3.0.13?output=bin&outputhash={HASH}"
    assert (package.layer, package.locations[0].path) == (view.diff_id(0), store)
    assert f"{store}/bin/openssl" in found.owned[package.purl]


def test_without_a_store_there_is_nothing():
    assert find(NixAnalyzer(), {"nix/readme": ""})[1].packages == ()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("python3.11-requests-2.31.0", ("python3.11-requests", "2.31.0", "")),
        ("glibc-2.39-52", ("glibc", "2.39-52", "")),
        ("gcc-13.2.0-lib", ("gcc", "13.2.0", "lib")),
        ("openssl-3.0.13.tar.gz.drv", ("openssl-3.0.13.tar.gz.drv", "", "")),
        ("fix-1.2.patch", ("fix-1.2.patch", "", "")),
        ("source", ("source", "", "")),
        ("-1", ("-1", "", "")),
    ],
)
def test_names_of_store_paths(name, expected):
    assert split_name(name) == expected
