"""Packages of chisel's manifests."""

from __future__ import annotations

import json

import pytest

from anchorecli.analyzers.os.chisel import ChiselAnalyzer
from anchorecli.analyzers.os.chisel_sources import source_of
from anchorecli.model import Distro
from tests.analyzers.view import make_view
from tests.builders import compressed

JAMMY = Distro("ubuntu", "22.04")


def find(analyzer, *layers, distro=None):
    view = make_view(analyzer, layers, distro)
    return view, analyzer.assemble(view)


WALL = [
    {"jsonwall": "1.0", "schema": "1.0", "count": 6},
    {"kind": "content", "slice": "libssl3_libs", "path": "/usr/lib/libssl.so.3"},
    {"kind": "package", "name": "libssl3", "version": "3.0.2-0ubuntu1.18", "sha256": "00", "arch": "amd64"},
    {"kind": "package", "name": "oddity", "version": "1", "sha256": "00", "arch": "amd64"},
    {"kind": "path", "path": "/usr/lib/", "mode": "0755", "slices": ["libssl3_libs"]},
    {"kind": "path", "path": "/usr/lib/libssl.so.3", "mode": "0644", "slices": ["libssl3_libs"], "size": 1},
    {"kind": "slice", "name": "libssl3_libs"},
]


def wall(entries):
    return compressed("".join(json.dumps(each, separators=(",", ":")) + "\n" for each in entries).encode(), "zstd")


def test_a_chisel_manifest():
    _, found = find(ChiselAnalyzer(), {"var/lib/chisel/manifest.wall": wall(WALL)}, distro=JAMMY)
    openssl, oddity = found.packages
    assert openssl.purl == ("pkg:deb/ubuntu/libssl3@3.0.2-0ubuntu1.18?arch=amd64&distro=ubuntu-22.04&upstream=openssl")
    assert (openssl.type, openssl.scheme, openssl.source) == ("deb", "deb", "openssl")
    assert list(found.owned[openssl.purl]) == ["/usr/lib/libssl.so.3"]
    assert oddity.source == "oddity"
    (problem,) = found.problems
    assert problem.incomplete and "oddity" in problem.message


def test_a_damaged_chisel_manifest_is_a_problem():
    whole = wall(WALL)
    for data in (b"\x28\xb5\x2f\xfd", whole[:-5], b"nonsense"):
        view, _ = find(ChiselAnalyzer(), {"var/lib/chisel/manifest.wall": data}, distro=JAMMY)
        assert [problem.subject for problem in view.read_problems] == ["var/lib/chisel/manifest.wall"]


def test_a_package_stays_the_one_of_the_layer_that_brought_it():
    more = [*WALL, {"kind": "package", "name": "zlib1g", "version": "1", "sha256": "0", "arch": "amd64"}]
    place = "var/lib/chisel/manifest.wall"
    view, found = find(ChiselAnalyzer(), {place: wall(WALL)}, {place: wall(more)}, distro=JAMMY)
    layers = {package.name: package.layer for package in found.packages}
    assert (layers["libssl3"], layers["zlib1g"]) == (view.diff_id(0), view.diff_id(1))


@pytest.mark.parametrize(
    ("name", "version", "source"),
    [
        ("libssl3t64", "3.0.13-0ubuntu3", "openssl"),
        ("libgcc-s1", "12.3.0-1ubuntu1~22.04", "gcc-12"),
        ("libpython3.12-stdlib", "3.12.3-1", "python3.12"),
        ("openjdk-21-jre-headless", "21.0.5+11-1", "openjdk-21"),
        ("aspnetcore-runtime-8.0", "8.0.11-0ubuntu1", "dotnet8"),
        ("unheard-of", "1", ""),
    ],
)
def test_sources(name, version, source):
    assert source_of(name, version) == source
