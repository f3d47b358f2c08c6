"""rpm packages from every back end: fields, layers, damage, and what the real tools say."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from anchorecli.analyzers.base import PARTIAL
from anchorecli.analyzers.os.rpm import RpmAnalyzer
from anchorecli.model import Distro
from tests.analyzers.os import rpmdb
from tests.analyzers.view import MemoryFile, make_view
from tests.builders import link

ROCKY = Distro("rocky", "9.3", like=("rhel", "centos", "fedora"))
BASH = rpmdb.header("bash", "5.1.8-6.el9", ["/usr/bin/bash", "/usr/bin/sh", "/etc/skel/.bashrc"])
LIBS = rpmdb.header("openssl-libs", "3.0.7-24.el9", epoch=1, source="openssl-3.0.7-24.el9.src.rpm", license="ASL 2.0")
KEY = rpmdb.header("gpg-pubkey", "8483c65d-5ccc5b19", arch="(none)", source="(none)")
# The longer values must go to overflow pages.
BIG = rpmdb.header("kernel-core", "5.14.0-362.el9", [f"/lib/modules/{n // 50}/m{n}.ko" for n in range(2000)])
ALL = [BASH, KEY, LIBS, BIG]
CONTAINERS = {
    "sqlite": ("usr/lib/sysimage/rpm/rpmdb.sqlite", rpmdb.sqlite(ALL)),
    "sqlite-wal-mode": ("var/lib/rpm/rpmdb.sqlite", rpmdb.sqlite(ALL, wal=True)),
    "ndb": ("usr/lib/sysimage/rpm/Packages.db", rpmdb.ndb(ALL)),
    "bdb": ("var/lib/rpm/Packages", rpmdb.bdb(ALL)),
    "bdb-big-endian": ("var/lib/rpm/Packages", rpmdb.bdb(ALL, order=">")),
    "bdb-small-pages": ("usr/share/rpm/Packages", rpmdb.bdb(ALL, page=512)),
    "bdb-large-pages": ("var/lib/rpm/Packages", rpmdb.bdb(ALL, page=65536 // 2)),
    "bdb-rhel5": ("var/lib/rpm/Packages", rpmdb.bdb(ALL, page_type=2)),
    "misnamed": ("var/lib/rpm/Packages", rpmdb.sqlite(ALL)),
}


def find(*layers, distro=ROCKY):
    analyzer = RpmAnalyzer()
    view = make_view(analyzer, layers, distro)
    return view, analyzer.assemble(view)


def read(path, data):
    """Names of the packages read, and the message where it was partial."""
    value = RpmAnalyzer().read(MemoryFile(path, data))
    if isinstance(value, list):
        return rpmdb.names(value), ""
    return rpmdb.names(value["value"]), value[PARTIAL]


@pytest.mark.parametrize("kind", CONTAINERS)
def test_every_container_gives_the_same_packages(kind):
    path, data = CONTAINERS[kind]
    view, found = find({path: data})
    packages = {package.name: package for package in found.packages}
    assert sorted(packages) == ["bash", "kernel-core", "openssl-libs"]
    assert view.read_problems == ()
    bash, libs = packages["bash"], packages["openssl-libs"]
    assert (bash.version, bash.source, bash.source_version) == ("5.1.8-6.el9", "bash", "5.1.8-6.el9")
    assert bash.purl == "pkg:rpm/rocky/bash@5.1.8-6.el9?arch=x86_64&distro=rocky-9.3&upstream=bash-5.1.8-6.el9.src.rpm"
    assert (bash.arch, bash.vendor, bash.size) == ("x86_64", "Example", 4096)
    assert bash.licenses == ("GPL-3.0-or-later",)
    assert (libs.version, libs.source, libs.source_version) == ("1:3.0.7-24.el9", "openssl", "3.0.7-24.el9")
    assert libs.licenses == ("Apache-2.0",)
    assert "openssl-libs@3.0.7-24.el9?arch=x86_64&distro=rocky-9.3&epoch=1&upstream=openssl-" in libs.purl
    assert sorted(found.owned[bash.purl]) == ["etc/skel/.bashrc", "usr/bin/bash", "usr/bin/sh"]
    assert len(list(found.owned[packages["kernel-core"].purl])) == 2000
    assert [location.path for location in bash.locations] == [path]


def test_epoch_zero_is_no_epoch():
    _, found = find({"var/lib/rpm/Packages": rpmdb.bdb([rpmdb.header("a", "1-1", epoch=0)])})
    assert found.packages[0].version == "1-1"
    assert "epoch" not in found.packages[0].purl


def test_module_and_namespaces():
    label = "perl:5.30:8050020210427:466ea64f"
    data = rpmdb.sqlite([rpmdb.header("perl", "5.30.1-452.module", module=label)])
    _, found = find({"var/lib/rpm/rpmdb.sqlite": data}, distro=Distro("rhel", "8.5"))
    assert found.packages[0].module == label
    assert found.packages[0].purl.startswith(
        "pkg:rpm/redhat/perl@5.30.1-452.module?arch=x86_64&distro=rhel-8.5&rpmmod="
    )
    _, found = find({"var/lib/rpm/rpmdb.sqlite": data}, distro=Distro("opensuse-leap", "15.5"))
    assert found.packages[0].purl.startswith("pkg:rpm/opensuse/perl@")


def test_several_kernels_and_architectures():
    headers = [rpmdb.header("kernel", "1-1"), rpmdb.header("kernel", "2-1"), rpmdb.header("kernel", "2-1", arch="i686")]
    _, found = find({"var/lib/rpm/Packages.db": rpmdb.ndb(headers)})
    assert [(p.version, p.arch) for p in found.packages] == [("1-1", "x86_64"), ("2-1", "x86_64"), ("2-1", "i686")]


def test_a_linked_directory_counts_once():
    files = {
        "var/lib/rpm": link("../../usr/lib/sysimage/rpm"),
        "usr/lib/sysimage/rpm/rpmdb.sqlite": rpmdb.sqlite([BASH]),
    }
    _, found = find(files)
    assert len(found.packages) == 1


def test_of_two_databases_in_one_directory_the_newer_kind_counts():
    old = rpmdb.bdb([rpmdb.header("bash", "4-1")])
    _, found = find({"var/lib/rpm/Packages": old, "var/lib/rpm/rpmdb.sqlite": rpmdb.sqlite([BASH])})
    assert [p.version for p in found.packages] == ["5.1.8-6.el9"]
    (problem,) = found.problems
    assert (problem.subject, problem.incomplete) == ("var/lib/rpm/Packages", False)
    _, found = find({"var/lib/rpm/Packages": old, "var/lib/rpm/rpmdb.sqlite": rpmdb.sqlite([])})
    assert [p.version for p in found.packages] == ["4-1"]


def test_each_package_has_the_layer_that_brought_it():
    one, two = rpmdb.sqlite([BASH]), rpmdb.sqlite([BASH, LIBS])
    three = rpmdb.sqlite([rpmdb.header("bash", "5.2-1"), LIBS])
    path = "var/lib/rpm/rpmdb.sqlite"
    view, found = find({path: one}, {path: two}, {path: three})
    assert [(p.name, p.layer) for p in found.packages] == [
        ("bash", view.diff_id(2)),
        ("openssl-libs", view.diff_id(1)),
    ]


def test_a_nested_root():
    _, found = find({"opt/root/var/lib/rpm/Packages": rpmdb.bdb([BASH])})
    assert next(iter(found.owned[found.packages[0].purl])).startswith("opt/root/")


def test_manifest_of_distroless_images():
    lines = (
        "openssl\t1.1.1k-1.cm2\t1651000000\t1650000000\tMicrosoft Corporation\t(none)\t1000\tx86_64\t0"
        "\topenssl-1.1.1k-1.cm2.src.rpm\n\n"
        "short\tline\n"
        "shadow\t4.9-1.cm2\t1\t1\tMicrosoft Corporation\t2\t5\tx86_64\t2\t(none)"
    )
    view, found = find({"var/lib/rpmmanifest/container-manifest-2": lines}, distro=Distro("mariner", "2.0"))
    assert [(p.name, p.version, p.source, p.size) for p in found.packages] == [
        ("openssl", "1.1.1k-1.cm2", "openssl", 1000),
        ("shadow", "2:4.9-1.cm2", "shadow", 5),
    ]
    assert "line 3 is no package" in view.read_problems[0].message


# ── the real thing ──────────────────────────────────────────────────────────────────────────────────────────


SPEC = """\
Name: alpha
Version: 2.3~rc1
Release: 2
Epoch: 1
Summary: s
License: GPLv2+ and MIT
Vendor: Somebody
BuildArch: noarch
ModularityLabel: alpha:2:1:x
%description
d
%install
mkdir -p %{buildroot}/usr/share/alpha
for i in 1 2 3; do echo $i > %{buildroot}/usr/share/alpha/f$i; done
%files
/usr/share/alpha
"""


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.skipif(not shutil.which("rpmbuild"), reason="no rpmbuild here")
def test_a_database_that_rpm_made(tmp_path):
    (tmp_path / "alpha.spec").write_text(SPEC)
    output("rpmbuild", "-bb", "--define", f"_topdir {tmp_path}", tmp_path / "alpha.spec")
    (package,) = (tmp_path / "RPMS").glob("*/*.rpm")
    database = tmp_path / "db"
    rpm = ["rpm", "--define", "_db_backend sqlite", "--dbpath", database]
    output(*rpm, "--justdb", "--nodeps", "--noscripts", "-i", package)
    form = "%{NAME} %{EPOCH}:%{VERSION}-%{RELEASE} %{ARCH} %{MODULARITYLABEL} %{VENDOR} %{SIZE}"
    theirs = output(*rpm, "-qa", "--qf", form)
    files = output(*rpm, "-ql", "alpha").split()
    _, found = find({"var/lib/rpm/rpmdb.sqlite": (database / "rpmdb.sqlite").read_bytes()})
    (ours,) = found.packages
    assert f"{ours.name} {ours.version} {ours.arch} {ours.module} {ours.vendor} {ours.size}" == theirs
    assert [f"/{path}" for path in found.owned[ours.purl]] == files
