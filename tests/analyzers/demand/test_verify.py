"""Files of packages against the package database: dpkg, apk and rpm, each as its own tool would say."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping, Sequence

import pytest

from anchorecli.analyzers.base import Found
from anchorecli.analyzers.demand.verify import VerifyAnalyzer
from anchorecli.analyzers.os.apk import ApkAnalyzer
from anchorecli.analyzers.os.dpkg import DpkgAnalyzer
from anchorecli.analyzers.os.rpm.plugin import RpmAnalyzer
from tests.analyzers.os import rpmdb
from tests.analyzers.view import make_view
from tests.builders import Entry, directory, hardlink, link

Files = Mapping[str, bytes | str | Entry]


def verified(analyzer: DpkgAnalyzer | ApkAnalyzer | RpmAnalyzer, *layers: Files) -> Found:
    """What verification says of layers, by the packages that the real analyzer finds there."""
    packages = analyzer.assemble(make_view(analyzer, layers))
    verify = VerifyAnalyzer.of("")
    view = make_view(verify, layers)
    view.packages, view.owned, view.all_read = packages.packages, packages.owned, True
    found = verify.assemble(view)
    assert view.read_problems == () and view.problems == []
    assert "verify" in found.looked_for
    return found


def rows(found: Found) -> list[tuple[str, str, str, str]]:
    return sorted((each.package, each.path, each.status, each.detail) for each in found.differences)


# ── dpkg ────────────────────────────────────────────────────────────────────────────────────────────────────


def md5(content: str) -> str:
    return hashlib.md5(content.encode()).hexdigest()


def dpkg(packages: Mapping[str, Mapping[str, str]], conffiles: Mapping[str, Sequence[str]] | None = None) -> Files:
    """A database of packages with the contents of their files; those named as conffiles with what follows the path."""
    status, files = "", {}
    for name, contents in packages.items():
        lines = (conffiles or {}).get(name, ())
        status += f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\nInstalled-Size: 9\n"
        status += "Conffiles:\n" + "".join(f" {line}\n" for line in lines) if lines else ""
        status += "Description: x\n\n"
        named = [line.split()[0].lstrip("/") for line in lines]
        sums = [f"{md5(content)}  {path}" for path, content in contents.items() if path not in named]
        files[f"var/lib/dpkg/info/{name}.md5sums"] = "\n".join(sums) + "\n"
        files[f"var/lib/dpkg/info/{name}.list"] = "/.\n" + "".join(f"/{path}\n" for path in contents)
    return {"var/lib/dpkg/status": status, **files}


TOOL = {"usr/bin/tool": "program", "usr/lib/libtool.so": "library", "etc/tool.conf": "a=1"}
CONFFILE = {"tool": [f"/etc/tool.conf {md5('a=1')}"]}


def test_files_as_they_were_installed_are_no_difference() -> None:
    found = verified(DpkgAnalyzer(), {**dpkg({"tool": TOOL}, CONFFILE), **TOOL})
    assert rows(found) == []
    assert found.looked_for["verify"] == "3 files of 1 packages"
    assert found.problems == ()


def test_an_upper_layer_that_tampers_is_told_file_by_file() -> None:
    upper: Files = {"usr/bin/tool": "Program", "usr/lib/.wh.libtool.so": "", "etc/tool.conf": "a=2"}
    found = verified(DpkgAnalyzer(), {**dpkg({"tool": TOOL}, CONFFILE), **TOOL}, upper)
    assert rows(found) == [
        ("tool", "usr/bin/tool", "changed", "digest"),
        ("tool", "usr/lib/libtool.so", "missing", ""),
    ]
    assert {each.purl for each in found.differences} == {"pkg:deb/tool@1?arch=amd64"}


def test_configuration_counts_only_where_it_is_missing() -> None:
    base = {**dpkg({"tool": TOOL}, CONFFILE), **TOOL}
    assert rows(verified(DpkgAnalyzer(), base, {"etc/tool.conf": "edited"})) == []
    assert rows(verified(DpkgAnalyzer(), base, {"etc/.wh.tool.conf": ""})) == [("tool", "etc/tool.conf", "missing", "")]
    obsolete = {"tool": [f"/etc/tool.conf {md5('a=1')} obsolete"]}
    base = {**dpkg({"tool": TOOL}, obsolete), **TOOL}
    assert rows(verified(DpkgAnalyzer(), base, {"etc/.wh.tool.conf": ""})) == []


def test_a_file_that_became_something_else_is_changed() -> None:
    base = {**dpkg({"tool": TOOL}, CONFFILE), **TOOL}
    for other in (link("sh"), directory()):
        found = verified(DpkgAnalyzer(), base, {"usr/bin/tool": other})
        assert rows(found) == [("tool", "usr/bin/tool", "changed", "mode")]


def test_linked_directories_and_hard_links_are_seen_through() -> None:
    contents = {"lib/x.so": "library", "bin/tool": "program"}
    files: Files = {
        "lib": link("usr/lib"), "bin": link("usr/bin"), "usr/lib/x.so": "library",
        "opt/tool": "program", "usr/bin/tool": hardlink("opt/tool"),
    }  # fmt: skip
    base = {**dpkg({"tool": contents}), **files}
    assert rows(verified(DpkgAnalyzer(), base)) == []
    assert rows(verified(DpkgAnalyzer(), base, {"usr/lib/x.so": "Library"})) == [
        ("tool", "lib/x.so", "changed", "digest")
    ]


def test_diverted_files_are_where_the_diversion_says() -> None:
    packages = {"dash": {"bin/sh": "dash"}, "bash": {"bin/sh": "bash"}}
    base: Files = {
        **dpkg(packages), "bin/sh": "dash", "bin/sh.distrib": "bash",
        "var/lib/dpkg/diversions": "/bin/sh\n/bin/sh.distrib\ndash\n",
    }  # fmt: skip
    assert rows(verified(DpkgAnalyzer(), base)) == []
    assert rows(verified(DpkgAnalyzer(), base, {"bin/.wh.sh.distrib": ""})) == [
        ("bash", "bin/sh.distrib", "missing", "")
    ]


def test_a_file_that_another_package_took_over_is_that_packages() -> None:
    base = {**dpkg({"old": {"usr/bin/x": "old"}, "new": {"usr/bin/x": "new"}}), "usr/bin/x": "new"}
    base["var/lib/dpkg/info/old.list"] = "/.\n/usr\n/usr/bin\n"
    assert rows(verified(DpkgAnalyzer(), base)) == []


def test_what_dpkg_was_told_to_leave_out_is_not_missing_but_remarked() -> None:
    contents = {f"usr/share/doc/tool/{name}": name for name in ("README", "copyright")} | {"usr/bin/tool": "program"}
    config = "path-exclude /usr/share/doc/*\npath-include=/usr/share/doc/*/copyright\n# a comment\nforce-unsafe-io\n"
    base = {**dpkg({"tool": contents}), "usr/bin/tool": "program", "etc/dpkg/dpkg.cfg.d/docker": config}
    found = verified(DpkgAnalyzer(), base)
    assert rows(found) == [("tool", "usr/share/doc/tool/copyright", "missing", "")]
    assert [(problem.message, problem.incomplete) for problem in found.problems] == [
        ("1 files are not there because its path-exclude says so; they were not counted as missing", False)
    ]


def test_packages_without_a_record_of_their_files_are_a_gap() -> None:
    base = dict(dpkg({"tool": TOOL, "other": {"usr/bin/o": "o"}}))
    del base["var/lib/dpkg/info/other.md5sums"]
    found = verified(DpkgAnalyzer(), {**base, **TOOL, "usr/bin/o": "O"})
    assert rows(found) == []
    assert [problem.message for problem in found.problems] == [
        "1 packages could not be verified: there is no record of what their files are: other"
    ]
    assert found.problems[0].incomplete


def test_the_pieces_that_distroless_images_keep_are_enough() -> None:
    files: Files = {
        "var/lib/dpkg/status.d/base": "Package: base\nVersion: 1\nArchitecture: amd64\n",
        "var/lib/dpkg/status.d/base.md5sums": f"{md5('x')}  usr/bin/x\n{md5('y')}  usr/bin/y\n",
        "usr/bin/x": "x",
        "usr/bin/y": "Y",
    }
    assert rows(verified(DpkgAnalyzer(), files)) == [("base", "usr/bin/y", "changed", "digest")]


# ── apk ─────────────────────────────────────────────────────────────────────────────────────────────────────


def q1(content: str, kind: str = "sha1") -> str:
    digest = b64encode(hashlib.new(kind, content.encode()).digest()).decode()
    return ("Q1" if kind == "sha1" else "Q2") + digest


def apk() -> dict[str, bytes | str | Entry]:
    database = (
        "C:Q1x\nP:busybox\nV:1.36-r1\nA:x86_64\nS:1\nI:9\n"
        f"F:\nF:bin\nR:busybox\na:0:0:755\nZ:{q1('box')}\nR:sh\na:0:0:777\nZ:{q1('/bin/busybox')}\n"
        f"F:etc\nR:securetty\nZ:{q1('tty')}\nF:usr/share\nM:0:0:1777\nR:udhcpd\nZ:{q1('dhcp', 'sha256')}\n\n"
    )
    return {
        "lib/apk/db/installed": database, "bin/busybox": Entry(b"box", mode=0o755), "bin/sh": link("/bin/busybox"),
        "etc/securetty": "tty", "usr/share/udhcpd": "dhcp",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("upper", "expected"),
    [
        ({}, []),
        ({"bin/busybox": Entry(b"Box", mode=0o755)}, [("bin/busybox", "changed", "digest")]),
        ({"bin/busybox": Entry(b"box", mode=0o4755)}, [("bin/busybox", "changed", "mode")]),
        ({"bin/sh": link("/bin/dash")}, [("bin/sh", "changed", "mode")]),
        ({"bin/.wh.sh": ""}, [("bin/sh", "missing", "")]),
        ({"etc/securetty": "edited"}, []),
        ({"etc/.wh.securetty": ""}, [("etc/securetty", "missing", "")]),
        ({"usr/share/udhcpd": "DHCP"}, [("usr/share/udhcpd", "changed", "digest")]),
    ],
)
def test_apk(upper: Files, expected: list[tuple[str, str, str]]) -> None:
    assert rows(verified(ApkAnalyzer(), apk(), upper)) == [("busybox", *each) for each in expected]


# ── rpm ─────────────────────────────────────────────────────────────────────────────────────────────────────

CONTENTS = {
    "/etc/demo.conf": "a=1", "/usr/bin/demo": "program", "/usr/bin/link": "", "/usr/share/doc/README": "doc",
    "/usr/share/log": "", "/usr/share/skipped": "skipped",
}  # fmt: skip


def rpm(algorithm: int = 8, kind: str = "sha256", **tags: object) -> dict[str, bytes | str | Entry]:
    paths = list(CONTENTS)
    digests = [hashlib.new(kind, content.encode()).hexdigest() if content else "" for content in CONTENTS.values()]
    every = {
        1028: (rpmdb.INT32, [len(content) for content in CONTENTS.values()]),
        1029: (rpmdb.CHAR, [0, 0, 0, 0, 0, 2]),
        1030: (rpmdb.INT16, [0o100644, 0o100755, 0o120777, 0o100644, 0o100600, 0o100644]),
        1035: (rpmdb.STRINGS, digests),
        1037: (rpmdb.INT32, [1, 0, 0, 2, 64, 0]),
        5011: (rpmdb.INT32, [algorithm]),
    }  # fmt: skip
    header = rpmdb.header("demo", "1.0-2", paths, epoch=3, tags=every | tags.get("tags", {}))  # type: ignore[operator]
    return {
        "var/lib/rpm/rpmdb.sqlite": rpmdb.sqlite([header]), "etc/demo.conf": "a=1",
        "usr/bin/demo": Entry(b"program", mode=0o755), "usr/bin/link": link("demo"), "usr/share/doc/README": "doc",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("upper", "expected"),
    [
        ({}, []),
        ({"usr/bin/demo": Entry(b"Program", mode=0o755)}, [("usr/bin/demo", "changed", "digest")]),
        ({"usr/bin/demo": Entry(b"longer program", mode=0o777)}, [("usr/bin/demo", "changed", "digest,mode,size")]),
        ({"usr/bin/.wh.link": ""}, [("usr/bin/link", "missing", "")]),
        ({"etc/demo.conf": "a=2"}, []),
        ({"etc/.wh.demo.conf": ""}, [("etc/demo.conf", "missing", "")]),
        ({"usr/share/doc/.wh.README": ""}, [("usr/share/doc/README", "missing", "")]),
    ],
)
def test_rpm(upper: Files, expected: list[tuple[str, str, str]]) -> None:
    found = verified(RpmAnalyzer(), rpm(), upper)
    assert rows(found) == [("demo", *each) for each in expected]
    # The ghost and the file that was not installed are not among them.
    assert found.looked_for["verify"] == "4 files of 1 packages"


@pytest.mark.parametrize(("algorithm", "kind", "seen"), [(0, "md5", True), (1, "md5", True), (10, "sha512", False)])
def test_rpm_digests_of_other_kinds(algorithm: int, kind: str, seen: bool) -> None:
    changed = {"usr/bin/demo": Entry(b"Program", mode=0o755)}
    found = verified(RpmAnalyzer(), rpm(algorithm, kind), changed)
    assert rows(found) == ([("demo", "usr/bin/demo", "changed", "digest")] if seen else [])
    assert rows(verified(RpmAnalyzer(), rpm(algorithm, kind))) == []


def test_what_a_packager_excludes_from_verification_is_excluded() -> None:
    flags = {1045: (rpmdb.INT32, [0xFFFFFFFF, 0xFFFFFFFF & ~(1 | 2), *[0xFFFFFFFF] * 4])}
    upper = {"usr/bin/demo": Entry(b"other", mode=0o700)}
    assert rows(verified(RpmAnalyzer(), rpm(tags=flags), upper)) == [("demo", "usr/bin/demo", "changed", "mode")]


def test_a_damaged_list_of_files_is_a_gap() -> None:
    found = verified(RpmAnalyzer(), rpm(tags={1030: (rpmdb.INT16, [0o100644])}))
    assert rows(found) == []
    assert found.problems[0].message.startswith("not verified: its list of files is damaged")
