"""Executables without a package: what counts as one, and who may own it."""

from __future__ import annotations

import struct

import pytest

from anchorecli.analyzers.demand.unowned import UnownedAnalyzer, is_program
from anchorecli.model import DiffId, ImagePath, Location, Package
from tests.analyzers.view import make_view
from tests.builders import Entry, hardlink, link


def elf(kind: int = 3, *, big: bool = False) -> bytes:
    order = b"\x02" if big else b"\x01"
    return b"\x7fELF\x02" + order + b"\x01" + bytes(9) + kind.to_bytes(2, "big" if big else "little") + bytes(100)


PE = b"MZ" + bytes(58) + struct.pack("<I", 0x80) + bytes(0x40) + b"PE\0\0" + bytes(20)
FAT = b"\xca\xfe\xba\xbe\0\0\0\x02" + bytes(100)
CLASS = b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(100)


@pytest.mark.parametrize("data", [elf(2), elf(3), elf(3, big=True), PE, FAT, b"\xcf\xfa\xed\xfe" + bytes(60)])
def test_programs_are_known_by_their_first_bytes(data: bytes) -> None:
    assert is_program(data)


@pytest.mark.parametrize(
    "data", [elf(1), elf(4), b"MZ" + bytes(100), CLASS, b"#!/bin/sh\n" + bytes(60), b"\x7fEL", b""]
)
def test_object_files_class_files_and_texts_are_none(data: bytes) -> None:
    assert not is_program(data)


def unowned(*layers: dict[str, object], owned: dict[str, list[str]] | None = None, packages: tuple[Package, ...] = ()):
    analyzer = UnownedAnalyzer.of("")
    view = make_view(analyzer, layers)  # type: ignore[arg-type]
    view.owned, view.packages, view.all_read = owned or {}, packages, True
    found = analyzer.assemble(view)
    assert "unowned" in found.looked_for and not view.problems
    return list(found.unowned)


def package(name: str, kind: str, path: str) -> Package:
    return Package(name, "1.0", kind, kind, locations=(Location(ImagePath(path), DiffId("x")),))


SCRIPT = Entry(b"#!/bin/sh\n", mode=0o755)


def test_programs_and_whatever_may_be_executed_count_without_an_owner() -> None:
    files = {"usr/bin/a": Entry(elf(), mode=0o755), "usr/lib/b.so": elf(), "opt/run": SCRIPT, "etc/text": "text" * 50}
    assert unowned(files) == ["opt/run", "usr/bin/a", "usr/lib/b.so"]
    assert unowned(files, {"usr/lib/.wh.b.so": "", "opt/run": "now a text"}) == ["usr/bin/a"]
    assert unowned(files, owned={"pkg:deb/a": ["/usr/bin/a", "/usr/lib/b.so"]}) == ["opt/run"]


def test_a_package_may_name_a_file_through_a_linked_directory() -> None:
    files = {"usr/bin/a": Entry(elf(), mode=0o755), "bin": link("usr/bin"), "usr/bin/b": hardlink("usr/bin/a")}
    assert unowned(files, owned={"pkg:deb/a": ["/bin/a", "/bin/b"]}) == []


def test_what_an_installer_of_a_language_recorded_is_owned() -> None:
    site = "usr/local/lib/python3.11/site-packages"
    record = 'six.py,sha256=x,3\nnum/_core.so,,\n../../../bin/tool,,\n"odd,name.so",,\nsix-1.dist-info/RECORD,,\n'
    files = {
        f"{site}/six-1.dist-info/RECORD": record,
        f"{site}/num/_core.so": elf(),
        f"{site}/odd,name.so": elf(),
        f"{site}/other/_evil.so": elf(),
        "usr/local/bin/tool": SCRIPT,
        "usr/local/bin/stranger": SCRIPT,
        "usr/lib/node_modules/x/package.json": "{}",
        "usr/lib/node_modules/x/cli.js": SCRIPT,
        "usr/lib/node_modules/y/cli.js": SCRIPT,
    }
    packages = (package("x", "npm", "usr/lib/node_modules/x/package.json"),)
    assert unowned(files, packages=packages) == [
        "usr/lib/node_modules/y/cli.js",
        "usr/local/bin/stranger",
        f"{site}/other/_evil.so",
    ]


def test_a_record_anywhere_else_owns_nothing() -> None:
    files = {"app/RECORD": "../usr/bin/a,,\n" * 10, "usr/bin/a": SCRIPT}
    assert unowned(files) == ["usr/bin/a"]


def test_what_package_managers_keep_for_themselves_is_theirs() -> None:
    assert unowned({"var/lib/dpkg/info/a.postinst": SCRIPT, "lib/apk/db/scripts.x": SCRIPT}) == []
