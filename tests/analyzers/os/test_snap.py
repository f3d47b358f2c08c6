"""Snaps and what is in them."""

from __future__ import annotations

from anchorecli.analyzers.os.snap import SnapAnalyzer
from anchorecli.model import Distro
from tests.analyzers.view import make_view

JAMMY = Distro("ubuntu", "22.04")


def find(analyzer, *layers, distro=None):
    view = make_view(analyzer, layers, distro)
    return view, analyzer.assemble(view)


SNAP = "name: hello\nversion: '2.10'  # of upstream\nsummary: x\nbase: core22\nlicense: GPL-3.0\napps:\n  name: no\n"
MANIFEST = "snapcraft-version: 7\nprimed-stage-packages:\n- libc6=2.35-0ubuntu3.6\n- zlib1g:amd64=1.2\nparts:\n- a=b\n"


def test_a_snap_and_its_debian_packages():
    files = {"snap/hello/1/meta/snap.yaml": SNAP, "snap/hello/1/snap/manifest.yaml": MANIFEST}
    _, found = find(SnapAnalyzer(), files, distro=JAMMY)
    assert [(each.type, each.name, each.version) for each in found.packages] == [
        ("snap", "hello", "2.10"),
        ("deb", "libc6", "2.35-0ubuntu3.6"),
        ("deb", "zlib1g", "1.2"),
    ]
    assert found.packages[0].purl == "pkg:generic/snap/hello@2.10"
    _, foreign = find(SnapAnalyzer(), files, distro=Distro("ubuntu", "24.04"))
    assert [each.name for each in foreign.packages] == ["hello"]
    assert foreign.problems[0].message.startswith("2 Debian packages of Ubuntu 22.04")


def test_the_table_of_a_base_snap():
    table = "Desired=Unknown\n||/ Name  Version  Arch\nii  bash  5.1-6  amd64  the shell\nrc  gone  1  amd64  x\n"
    files = {"meta/snap.yaml": "name: core22\nversion: 1\n", "usr/share/snappy/dpkg.list": table}
    _, found = find(SnapAnalyzer(), files, distro=JAMMY)
    assert [each.name for each in found.packages] == ["core22", "bash"]


def test_the_list_of_a_newer_base_snap():
    text = "package-repositories:\n- type: apt\n  ppa: x\npackages:\n- bash=5.1-6\n- libc6:amd64=2.35-1\n"
    files = {"meta/snap.yaml": "name: core22\nversion: 1\n", "usr/share/snappy/dpkg.yaml": text}
    _, found = find(SnapAnalyzer(), files, distro=JAMMY)
    assert [(each.name, each.version) for each in found.packages] == [
        ("core22", "1"),
        ("bash", "5.1-6"),
        ("libc6", "2.35-1"),
    ]
