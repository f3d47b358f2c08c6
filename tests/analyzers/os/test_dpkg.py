"""Packages of dpkg and opkg over layers: states, sources, files, licences, attribution, damage."""

from __future__ import annotations

import pytest

from anchorecli.analyzers.os.dpkg import DpkgAnalyzer
from anchorecli.model import Distro
from tests.analyzers.view import make_view
from tests.builders import link

BOOKWORM = Distro("debian", "12", codename="bookworm")
DEP5 = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nCopyright: x\n"


def stanza(name, version="1.0-1", arch="amd64", extra=""):
    return f"Package: {name}\nStatus: install ok installed\nArchitecture: {arch}\nVersion: {version}\n{extra}\n"


def find(*layers, distro=BOOKWORM):
    analyzer = DpkgAnalyzer()
    view = make_view(analyzer, layers, distro)
    return view, analyzer.assemble(view)


def packages(*layers, distro=BOOKWORM):
    return find(*layers, distro=distro)[1].packages


def test_a_package_whole():
    text = stanza("libssl3", "3.0.11-1~deb12u2+b1", extra="Source: openssl (3.0.11-1~deb12u2)\nInstalled-Size: 4\n")
    files = {
        "var/lib/dpkg/status": text,
        "var/lib/dpkg/info/libssl3:amd64.list": "/.\n/usr\n/usr/lib/libssl.so.3\n",
        "usr/share/doc/libssl3/copyright": DEP5 + "License: Apache-2.0\n text\n\nLicense: Expat or GPL-2+\n",
    }
    view, found = find(files)
    (package,) = found.packages
    assert (package.name, package.version, package.type, package.scheme) == (
        "libssl3",
        "3.0.11-1~deb12u2+b1",
        "deb",
        "deb",
    )
    assert (package.source, package.source_version) == ("openssl", "3.0.11-1~deb12u2")
    assert package.purl == (
        "pkg:deb/debian/libssl3@3.0.11-1~deb12u2%2Bb1?arch=amd64&distro=debian-12&upstream=openssl%403.0.11-1~deb12u2"
    )
    assert package.licenses == ("Apache-2.0", "MIT OR GPL-2.0-or-later")
    assert [location.path for location in package.locations] == ["var/lib/dpkg/status"]
    assert package.size == 4096
    assert list(found.owned[package.purl]) == ["/.", "/usr", "/usr/lib/libssl.so.3"]
    assert view.read_problems == ()


def test_upstream_stands_in_the_purl_only_where_it_differs():
    (same,) = packages({"var/lib/dpkg/status": stanza("bash")})
    assert "upstream" not in same.purl
    (source,) = packages({"var/lib/dpkg/status": stanza("libgcc-s1", extra="Source: gcc-12\n")})
    assert source.purl.endswith("upstream=gcc-12")


def test_a_list_without_architecture_serves_as_well():
    _, found = find({"var/lib/dpkg/status": stanza("a"), "var/lib/dpkg/info/a.list": "/a\n"})
    assert list(found.owned[found.packages[0].purl]) == ["/a"]


def test_two_architectures_are_two_packages():
    status = stanza("libc6") + stanza("libc6", arch="i386")
    files = {"var/lib/dpkg/status": status, "var/lib/dpkg/info/libc6:i386.list": "/i386\n"}
    _, found = find(files)
    assert [package.arch for package in found.packages] == ["amd64", "i386"]
    assert [list(found.owned[package.purl]) for package in found.packages] == [[], ["/i386"]]


def test_an_unfinished_installation_is_said():
    text = stanza("a").replace("ok installed", "ok half-configured")
    assert packages({"var/lib/dpkg/status": text})[0].metadata == {"status": "half-configured"}


def test_each_package_has_the_layer_that_brought_it():
    one = {"var/lib/dpkg/status": stanza("a") + stanza("b") + stanza("gone")}
    two = {"var/lib/dpkg/status": stanza("a") + stanza("b", "2.0-1") + stanza("c")}
    three = {"var/lib/dpkg/status": stanza("a") + stanza("b", "2.0-1") + stanza("c") + stanza("gone")}
    view, found = find(one, two, {"etc/x": ""}, three)
    layers = {package.name: package.layer for package in found.packages}
    assert layers == {"a": view.diff_id(0), "b": view.diff_id(1), "c": view.diff_id(1), "gone": view.diff_id(3)}
    assert {package.locations[0].layer for package in found.packages} == {view.diff_id(3)}


def test_a_removed_database_has_no_packages():
    assert packages({"var/lib/dpkg/status": stanza("a")}, {"var/lib/dpkg/.wh.status": ""}) == ()


def test_a_database_removed_and_made_again_starts_anew():
    text = stanza("a")
    status = {"var/lib/dpkg/status": text}
    view, found = find(status, {"var/lib/.wh.dpkg": ""}, status)
    assert found.packages[0].layer == view.diff_id(2)


def test_distroless():
    files = {
        "var/lib/dpkg/status.d/base": "Package: base-files\nVersion: 12.4\nArchitecture: amd64\n",
        "var/lib/dpkg/status.d/base.md5sums": f"{'0' * 32}  etc/debian_version\n{'1' * 32}  ./usr/lib/os-release\n",
        "var/lib/dpkg/status.d/dHpkYXRh": "Package: tzdata\nVersion: 2024a\nArchitecture: all\nSource: tzdata\n\n",
    }
    view, found = find(files, {"var/lib/dpkg/status.d/x": stanza("late")})
    assert [package.name for package in found.packages] == ["base-files", "tzdata", "late"]
    assert list(found.owned[found.packages[0].purl]) == ["etc/debian_version", "usr/lib/os-release"]
    assert found.packages[2].layer == view.diff_id(1)
    assert view.read_problems == ()


def test_licences_through_a_linked_doc_directory():
    files = {
        "var/lib/dpkg/status": stanza("libb") + stanza("a"),
        "usr/share/doc/libb": link("a"),
        "usr/share/doc/a/copyright": "/usr/share/common-licenses/GPL-2, or /usr/share/common-licenses/Apache-2.0.\n",
    }
    assert [package.licenses for package in packages(files)] == [("Apache-2.0", "GPL-2")] * 2


def test_a_licence_text_in_place_of_a_name_is_no_name():
    text = (
        DEP5
        + "License: Permission is hereby granted, free of charge, to any person\n\nLicense: GPL-2+ with X exception\n"
    )
    files = {"var/lib/dpkg/status": stanza("a"), "usr/share/doc/a/copyright": text}
    assert packages(files)[0].licenses == ("GPL-2+ with X exception",)


def test_a_nested_root_keeps_its_paths_apart():
    files = {
        "var/lib/dpkg/status": stanza("a"),
        "opt/root/var/lib/dpkg/status": stanza("a") + stanza("b"),
        "opt/root/var/lib/dpkg/info/a.list": "/usr/bin/a\n",
        "opt/root/usr/share/doc/b/copyright": DEP5 + "License: ISC\n",
    }
    _, found = find(files)
    assert [(p.name, p.locations[0].path) for p in found.packages] == [
        ("a", "opt/root/var/lib/dpkg/status"),
        ("b", "opt/root/var/lib/dpkg/status"),
        ("a", "var/lib/dpkg/status"),
    ]
    assert list(found.owned[found.packages[0].purl]) == ["opt/root/usr/bin/a"]
    assert found.packages[1].licenses == ("ISC",)


def test_opkg():
    control = "Package: busybox\nVersion: 1.36.1-1\nLicense: GPL-2.0\nSection: base\nArchitecture: x86_64\n"
    files = {
        "usr/lib/opkg/status": "Package: busybox\nVersion: 1.36.1-1\nStatus: install user installed\n"
        "Architecture: x86_64\n\nPackage: gone\nVersion: 1\nStatus: deinstall user not-installed\n\n",
        "usr/lib/opkg/info/busybox.control": control,
        "usr/lib/opkg/info/busybox.list": "/bin/busybox\n",
    }
    _, found = find(files, distro=Distro("openwrt", "23.05.2"))
    (package,) = found.packages
    assert package.purl == "pkg:opkg/openwrt/busybox@1.36.1-1?arch=x86_64&distro=openwrt-23.05.2"
    assert package.licenses == ("GPL-2.0-only",)
    assert list(found.owned[package.purl]) == ["/bin/busybox"]
    (alone,) = packages({"usr/lib/opkg/info/busybox.control": control})
    assert alone.name == "busybox"


def test_what_is_no_database_is_not_read():
    files = {
        "home/x/status": stanza("a"),
        "usr/share/doc/a/b/copyright": "x",
        "var/lib/dpkg/info/a.md5sums": "x",
        "var/lib/dpkg/alternatives/x.list": "x",
        "var/lib/dpkg/status-old": stanza("a"),
    }
    view, found = find(files)
    assert list(view.facts()) == []
    assert found.packages == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            stanza("a") + "Package: b\n\n",
            "damaged: 1 of 2 stanzas without a usable name or version, the first in line 6",
        ),
        (stanza("a") + "Package: b\nVersion: 1\nDescr", "the last line has no end"),
        ("\0" * 100, "0 packages were kept"),
    ],
)
def test_damage_is_told_and_the_rest_kept(text, message):
    view, found = find({"var/lib/dpkg/status": text})
    (problem,) = view.read_problems
    assert problem.subject == "var/lib/dpkg/status"
    assert message in problem.message
    assert [package.name for package in found.packages][:1] == (["a"] if "a" in text else [])


def test_an_empty_database_is_no_damage():
    view, found = find({"var/lib/dpkg/status": ""})
    assert (found.packages, view.read_problems) == ((), ())


def test_undecodable_bytes_survive():
    files = {
        "var/lib/dpkg/status": stanza("a").encode() + b"Package: b\nVersion: 1\nMaintainer: \xff\xfe\n\n",
        "var/lib/dpkg/info/a.list": b"/x/\xff\n",
    }
    _, found = find(files)
    assert [package.name for package in found.packages] == ["a", "b"]
    assert list(found.owned[found.packages[0].purl]) == ["/x/\udcff"]


def test_scripts_beside_a_stanza_are_no_stanzas():
    files = {"var/lib/dpkg/status.d/tz": stanza("tz"), "var/lib/dpkg/status.d/tz.preinst": "#!/bin/sh\nset -e\n"}
    view, found = find(files)
    assert [package.name for package in found.packages] == ["tz"]
    assert view.read_problems == ()


def test_packages_whose_entries_were_taken_out_of_the_database_are_a_gap():
    files = {
        "var/lib/dpkg/status": stanza("bash") + stanza("libc6"),
        "var/lib/dpkg/info/bash.list": "/.\n/usr/bin/bash\n",
        "var/lib/dpkg/info/libc6:amd64.list": "/.\n/lib/libc.so.6\n",
        "var/lib/dpkg/info/libssl3:amd64.list": "/.\n/lib\n/lib/libssl.so.3\n",
        "var/lib/dpkg/info/zlib1g:amd64.list": "/.\n/usr/lib/libz.so.1\n",
        "usr/lib/libssl.so.3": "x",
        "usr/lib/libz.so.1": "x",
        "lib": link("usr/lib"),
    }
    _, found = find(files)
    (problem,) = found.problems
    assert problem.incomplete
    assert problem.subject == "var/lib/dpkg/status"
    assert "2 packages" in problem.message and "libssl3, zlib1g" in problem.message
    # The same where there is no entry at all, and in a root below.
    _, found = find({f"srv/root/{path}": data for path, data in files.items() if not path.endswith("status")} | {})
    assert [problem.subject for problem in found.problems] == ["srv/root/var/lib/dpkg/status"]


def test_lists_of_packages_that_are_gone_are_none():
    gone = stanza("cron").replace("install ok installed", "deinstall ok config-files")
    files = {
        "var/lib/dpkg/status": stanza("bash") + gone,
        # Its configuration is left, and what another package's file of the same path is.
        "var/lib/dpkg/info/cron.list": "/.\n/etc\n/etc/crontab\n/opt/cron/settings\n",
        "etc/crontab": "x",
        "opt/cron/settings": "x",
        # Files that a build deleted, and its directory that others share.
        "var/lib/dpkg/info/docs.list": "/.\n/usr\n/usr/share/doc/docs/x\n",
        "usr/share/doc/bash/x": "x",
        "var/lib/dpkg/status.d/tzdata": stanza("tzdata"),
        "var/lib/dpkg/info/tzdata.list": "/usr/share/zoneinfo/UTC\n",
        "usr/share/zoneinfo/UTC": "x",
        "usr/lib/opkg/info/busybox.control": "Package: busybox\nVersion: 1.36\n",
        "usr/lib/opkg/info/lost.list": "/usr/share/zoneinfo/UTC\n",
    }
    _, found = find(files)
    assert found.problems == ()


def test_a_package_that_is_gone_was_not_there_before():
    gone = stanza("cron").replace("install ok installed", "deinstall ok config-files")
    states = [{"var/lib/dpkg/status": text} for text in (stanza("cron"), gone, stanza("cron"))]
    view, found = find(*states)
    assert [(each.name, each.layer) for each in found.packages] == [("cron", view.diff_id(2))]
    control = {"usr/lib/opkg/info/a.control": "Package: a\nVersion: 1\nStatus: deinstall ok config-files\n"}
    _, found = find({**control, "usr/lib/opkg/status": "Package: a\nVersion: 1\n"})
    assert [(each.name, each.licenses) for each in found.packages] == [("a", ())]
