"""One absurd file of each kind: what bounds its memory is told with the file, and what stood before it is kept."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest

from anchorecli.analyzers import documents
from anchorecli.analyzers.language import rows
from anchorecli.analyzers.os import accounts, filelist
from anchorecli.model import Problem
from tests.analyzers.binary import executables
from tests.analyzers.view import MemoryFile, make_view
from tests.builders import Entry, compressed
from tests.fuzz.parsers import analyzers, parsers
from tests.fuzz.test_hostile import deflated

ANALYZERS = analyzers()
LOOK = parsers()
LONG = documents.LONGEST * 2 + 100
DPKG = b"Package: a\nVersion: 1\nStatus: install ok installed\n"
SMILE = "\N{GRINNING FACE}".encode()


def told(name: str, path: str, data: bytes) -> Problem:
    """The one problem that an analyzer tells of a file, which is that a limit was hit."""
    [problem] = make_view(ANALYZERS[name], [{path: Entry(data, mode=0o755)}]).read_problems
    assert (problem.subject, problem.cause, problem.incomplete) == (path, "limit_hit", True)
    return problem


def numbered(text: str, count: int, between: str = "") -> bytes:
    return between.join(text.replace("#", str(number)) for number in range(count)).encode()


# ── lines and entries without an end ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "path", "before", "after", "found"),
    [
        ("dpkg", "var/lib/dpkg/status", DPKG + b"\n", DPKG + b"Depends: ", "package deb a 1"),
        ("apk", "lib/apk/db/installed", b"P:a\nV:1\n\n", b"P:b\nV:1\nD:", "package apk a 1"),
        ("accounts", "etc/passwd", b"root:x:0:0::/:/bin/sh\n", b"a:x:1:1:", None),
        ("declared", "Gemfile.lock", b"GEM\n    a (1)\n", b"    b (1", "package gem a 1"),
        ("declared", "yarn.lock", b'a@1:\n  version "1"\nb@1:\n', b"#", "package npm a 1"),
        ("declared", "requirements.txt", b"a==1\n", b"b==1 \\\n" * 200_000, "package pypi a 1"),
    ],
)
def test_what_stands_before_a_line_without_an_end_is_kept(
    name: str, path: str, before: bytes, after: bytes, found: str | None
) -> None:
    data = before + after + b"x" * LONG + b"\n"
    assert f"of more than {documents.LONGEST} bytes (a fixed limit)" in told(name, path, data).message
    if found:
        assert found in LOOK[name](path, data).found


def test_pieces_are_the_whole_however_they_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "_PIECE", 4)
    monkeypatch.setattr(documents, "LONGEST", 5)
    for data in (b"", b"\n", b"ab\ncd\n\nefg", b"a\n" * 9, b"abcdefgh\n", b"\n" * 7 + b"abcdefghi"):
        assert b"".join(documents.pieces(data, b"\n")) == data
        assert list(documents.text_lines(data)) == data.decode().splitlines()
    given: list[str] = []
    assert list(documents.up_to(documents.text_lines(b"a\nb\n" + b"c" * 20 + b"\nd"), given)) == ["a", "b"]
    assert given == ["a line of more than 5 bytes (a fixed limit)"]
    assert list(documents.stream_lines([b"a\nb", b"c\n", b"", b"d"])) == [b"a", b"bc", b"d"]


def test_a_key_that_is_said_a_hundred_thousand_times_takes_linear_time() -> None:
    assert "package deb a 1" in LOOK["dpkg"]("var/lib/dpkg/status", DPKG + b"Status: x\n" * 100_000 + b"\n").found


# ── one package's list of files ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "path", "data"),
    [
        ("dpkg", "var/lib/dpkg/info/a.list", b"/u/\xff\n" * 900_000),
        ("dpkg", "var/lib/dpkg/status.d/a.md5sums", (b"0" * 32 + b"  " + SMILE + b"\n") * 300_000),
        ("pacman", "var/lib/pacman/local/a-1-1/files", b"%FILES%\n" + (b"u/" + SMILE + b"\n") * 300_000),
        ("portage", "var/db/pkg/a/b-1/CONTENTS", (b"obj /" + SMILE + b" 0 0\n") * 300_000),
    ],
)
def test_a_list_of_files_is_bounded_by_what_it_takes(
    name: str, path: str, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Bytes that are no UTF-8, and letters beyond the first alphabets, are written as six to twelve characters.
    monkeypatch.setattr(filelist, "MOST", 4 << 20)
    assert "a list of files that takes more than" in told(name, path, data).message


def test_a_list_in_pieces_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    from anchorecli.analyzers.os import dpkg, pacman

    monkeypatch.setattr(documents, "_PIECE", 8)
    data = b"/.\n/usr\n/usr/b\xff\n\n/usr/c\n"
    whole = ANALYZERS["dpkg"].read(MemoryFile("var/lib/dpkg/info/a.list", data))
    monkeypatch.setattr(dpkg, "_LARGE", 1)
    assert ANALYZERS["dpkg"].read(MemoryFile("var/lib/dpkg/info/a.list", data)) == whole
    monkeypatch.setattr(pacman, "_BATCH", 2)
    files = b"%FILES%\nusr/\nusr/a\nusr/b\nusr/c\n\n%BACKUP%\netc/x\n"
    place = "var/lib/pacman/local/a-1-1/"
    assert ANALYZERS["pacman"].read(MemoryFile(f"{place}files", files)) == "usr/a\nusr/b\nusr/c"
    assert f"{pacman.MAX_DESC} bytes in a desc" in told("pacman", f"{place}desc", b"%X%\n" * 300_000).message


def test_a_long_text_of_paths_is_taken_apart_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filelist, "_PIECE", 4)
    for text in ("a", "abcdef", "a\nb\n\nc/d/e/f\ng\n", "\n" * 9, "abcd\n"):
        assert list(filelist.Paths((text,))) == text.split("\n")


def test_the_files_of_one_package_alone_are_left_out() -> None:
    data = b"P:a\nV:1\nF:u\n" + b"R:x\n" * 250_000 + b"\nP:b\nV:2\nF:u\nR:y\n\n"
    assert told("apk", "lib/apk/db/installed", data).message.startswith(
        "the files of a were left out: more than 250000"
    )
    assert {"package apk a 1", "package apk b 2"} <= LOOK["apk"]("lib/apk/db/installed", data).found


# ── very many rows ──────────────────────────────────────────────────────────────────────────────────────────────────

MANY = {
    "Gemfile.lock": b"GEM\n" + numbered("    a# (1)\n", 9),
    "requirements.txt": numbered("a#==1\nb#>1\n", 9),
    "go.mod": b"require (\n" + numbered("a.b/# v1\n", 9),
    "mix.lock": numbered('"a#": {:hex, :a#, "1"},', 9),
    "packages.config": numbered('<package id="a#" version="1"/>', 9),
    "stack.yaml.lock": numbered("hackage: a#-1@", 9),
    "pnpm-lock.yaml": b"packages:\n" + numbered("  a@1.0.#:\n", 9),
    "pubspec.lock": b"packages:\n" + numbered("  a#:\n    source: hosted\n    version: 1\n", 9),
    "yarn.lock": numbered('a#@1:\n  version "1"\n', 9),
    "Cargo.lock": numbered('[[package]]\nname="a#"\nversion="1"\nsource="registry+x"\n', 9),
    "package-lock.json": b'{"packages":{' + numbered('"node_modules/a#":{"version":"1.0"}', 9, ",") + b"}}",
}


@pytest.mark.parametrize("path", MANY)
def test_of_a_lock_file_with_too_many_packages_the_first_are_kept(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from anchorecli.analyzers.declared import indented, texts

    for module in (rows, texts, indented):
        monkeypatch.setattr(module, "MOST_PACKAGES", 5)
    assert rows.TOO_MANY in told("declared", path, MANY[path]).message
    # Of go.mod nothing is known before its end: what replaces what stands anywhere in it.
    kept = sum(each.startswith("package ") for each in LOOK["declared"](path, MANY[path]).found)
    assert kept == 5 or path == "go.mod"


PHP = "'a/a#' => array('pretty_version' => '1')"


@pytest.mark.parametrize(
    ("name", "path", "data"),
    [
        ("composer", "vendor/composer/installed.php", b"'versions' =>" + numbered(PHP, 9)),
        ("composer", "vendor/composer/installed.json", b"[" + numbered('{"name":"a/a#","version":"1"}', 9, ",") + b"]"),
        ("bitnami", "opt/bitnami/.bitnami_components.json", b"{" + numbered('"a#":{"version":"1"}', 9, ",") + b"}"),
        ("others", "c/conaninfo.txt", b"[requires]\n" + numbered("a#/1\n", 9)),
        ("hints", "anchore_hints.json", b'{"packages":[{"name":"a","type":"gem","versions":[0,1,2,3,4,5,6,7,8]}]}'),
    ],
)  # fmt: skip
def test_of_other_files_too(name: str, path: str, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    from anchorecli.analyzers.language import composer

    for module in (rows, composer):
        monkeypatch.setattr(module, "MOST_PACKAGES", 5)
    assert told(name, path, data).message == f"{rows.TOO_MANY}; 5 were kept"
    assert sum(each.startswith("package ") for each in LOOK[name](path, data).found) == 5


def test_a_deps_json_of_too_many_packages() -> None:
    libraries = numbered('"A#/1.0":{"type":"package"}', rows.MOST_PACKAGES + 1, ",")
    assert rows.TOO_MANY in told("dotnet", "a.deps.json", b'{"libraries":{' + libraries + b"}}").message


def test_what_is_asked_for_by_hand_is_no_more_than_hands_write() -> None:
    assert "that people write by hand" in told("declared", "pom.xml", b"<a/>" * (1 << 20) + b"<a/>").message


def test_an_installation_of_nothing_is_no_fault() -> None:
    assert not make_view(
        ANALYZERS["composer"], [{"vendor/composer/installed.php": b"'versions' => array()"}]
    ).read_problems


# ── documents that take many times their size ───────────────────────────────────────────────────────────────────────

LISTS = b"[" + b"[]," * 600_000 + b"[]]"
JSON = {
    "npm": "app/node_modules/a/package.json",
    "python": "usr/lib/python3/site-packages/a-1.dist-info/direct_url.json",
    "bitnami": "opt/bitnami/redis/.spdx-redis.spdx",
    "hints": "anchore_hints.json",
    "others": "x/ansible_collections/a/b/MANIFEST.json",
}
OTHERS = [
    "p/.meta/A-1/MYMETA.json",
    "b/Cellar/jq/1.7/INSTALL_RECEIPT.json",
    "x/.spack/spec.json",
]


@pytest.mark.parametrize(("name", "path"), [*JSON.items(), *(("others", path) for path in OTHERS)])
def test_values_of_every_json_document_are_counted_before_they_are_made(name: str, path: str) -> None:
    assert "values in one JSON document" in told(name, path, b'{"x":' + LISTS + b"}").message


@pytest.mark.parametrize(
    "data", [b'"' + b"a" * 4000 + b'",', b'"' + SMILE * 1000 + b'",', b'{"k":1},', rb'"\ud83d\ude00",']
)
def test_a_document_is_bounded_by_what_its_values_take(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "_COSTLIEST", 6 << 20)
    monkeypatch.setattr(documents, "MOST_TEXT", 5 << 20)
    document = b'{"name":"a","version":"1","x":[' + data * ((2 << 20) // len(data)) + b"1]}"
    if b"aaa" in data:  # 2 MiB of one long text after the other take little more
        assert documents.read_json(document)["name"] == "a"
        document = document.replace(b"a" * 4000, b"a" * 14000)
    assert "of memory (a fixed limit)" in told("conda", "opt/conda/conda-meta/a-1-0.json", document).message


def test_a_toml_document_is_bounded_by_its_values() -> None:
    assert "values in one TOML document" in told("declared", "Cargo.lock", numbered("[a#]\n", 210_000)).message
    assert "a text that takes" in told("declared", "Cargo.lock", b'a="' + SMILE * (2 << 20) + b'"\n').message
    assert "keys inside each other" in told("declared", "Cargo.lock", b"a" + b".a" * 40_000 + b"=1\n").message


def test_a_text_in_one_piece_is_bounded_by_what_its_letters_take() -> None:
    data = b"'versions' =>" + SMILE + b"a" * (11 << 20)
    assert "a text that takes" in told("composer", "vendor/composer/installed.php", data).message


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("bom.xml", b'<bom xmlns="http://cyclonedx.org/schema/bom/1.5">' + b"<a/>" * 510_000 + b"</bom>"),
        ("bom.xml", b"<bom " + numbered(' a#=""', 510_000) + b"></bom>"),
        ("a.spdx", b"SPDXVersion: SPDX-2.3\n" + b"A: b\n" * 510_000),
        ("a.spdx", b"SPDXVersion: SPDX-2.3\nDocumentName: " + b"a" * (16 << 20)),
        ("a.spdx", b"SPDXVersion: SPDX-2.3\n" + b"PackageName: a\n" * 100_001),
    ],
)
def test_bills_of_materials_that_are_no_json(path: str, data: bytes) -> None:
    told("sboms", path, data)


# ── others ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_members_of_groups_are_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "MAX_MEMBERS", 5)
    assert "more than 5 members of groups" in told("accounts", "etc/group", b"a:x:1:b,c,d\ne:x:2:b,c,d\n").message
    # A name said over and over has the groups of that name each time.
    files = {"etc/passwd": b"u:x:1:7::/:\n" * 4, "etc/group": b"a:x:1:u\nb:x:2:u\n"}
    view = make_view(ANALYZERS["accounts"], [files])
    found = ANALYZERS["accounts"].assemble(view)
    assert not view.read_problems
    assert [len(each.groups) for each in found.accounts] == [2, 2, 0, 0]
    assert [(each.subject, each.cause) for each in found.problems] == [("etc/passwd", "limit_hit")]


def test_requirements_of_one_distribution_are_bounded() -> None:
    from anchorecli.analyzers.language.core_metadata import MOST_CLASSIFIERS, MOST_NAMES, read_metadata

    data = b"Name: a\nVersion: 1\n" + numbered("Requires-Dist: b#\nClassifier: License :: x#\n", 2000)
    found = read_metadata(data + b"License: MIT\n" + b" x\n" * 900_000)
    assert (len(found["requires"]), len(found["classifiers"])) == (MOST_NAMES, MOST_CLASSIFIERS)
    assert found["name"] == "a"


def test_dependencies_of_one_crate_are_bounded() -> None:
    crates = json.dumps({"packages": [{"name": "a", "version": "1", "dependencies": [0] * 5000}]}).encode()
    program = executables.elf({".dep-v0": zlib.compress(crates)})
    fact: Any = ANALYZERS["binary"].read(MemoryFile("app", program, 0o755))
    [row] = fact["crates"]
    assert len(row) == 4 + 1000


@pytest.mark.parametrize(("name", "path"), [("others", "a.egg"), ("others", "a.zip"), ("binary", "tool")])
def test_metadata_of_one_archive_are_bounded_together(name: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from anchorecli.analyzers.language.formats import zipapps

    monkeypatch.setattr(zipapps, "MAX_INFLATED", 100)
    data = deflated({f"a{number}.dist-info/METADATA": b"Name: a\nVersion: 1\n\n" + bytes(50) for number in range(3)})
    data = b"#!/usr/bin/python3\n".ljust(30_000, b" ") + data if name == "binary" else data
    assert "more than 100 bytes of metadata" in told(name, path, data).message


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("verify", "var/lib/dpkg/info/a.md5sums"),
        ("verify", "var/lib/dpkg/diversions"),
        ("verify", "lib/apk/db/installed"),
        ("unowned", "s/a-1.dist-info/RECORD"),
    ],
)
def test_databases_that_files_are_compared_with(name: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from anchorecli.analyzers.demand import unowned, verify_apk, verify_dpkg

    for module, bound in ((unowned, "MAX_RECORD"), (verify_apk, "MAX_DATABASE"), (verify_dpkg, "MAX_DATABASE")):
        monkeypatch.setattr(module, bound, 100)
    monkeypatch.setattr(verify_dpkg, "MAX_SETTINGS", 100)
    assert "more than 100 bytes" in told(name, path, b"P:a\nV:1\n" * 20).message


def test_paths_of_one_record_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    from anchorecli.analyzers.demand import unowned

    monkeypatch.setattr(unowned, "MOST_PATHS", 5)
    data = numbered("a/#.so,sha256=x,9\n", 9)
    assert "more than 5 paths in one record" in told("unowned", "s/a-1.dist-info/RECORD", data).message


def test_hints_are_bounded_by_what_they_say_for_each_version() -> None:
    said = {str(number): "v" * 90 for number in range(100)}
    entry = {"name": "a", "type": "gem", "versions": [*range(5000)], "metadata": said}
    assert (
        "hints of more than" in told("hints", "anchore_hints.json", json.dumps({"packages": [entry]}).encode()).message
    )


def test_texts_of_one_jar_are_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    from anchorecli.analyzers.language.java import contents

    pom = b"<project><groupId>g</groupId><artifactId>a</artifactId><version>1</version></project>"
    data = deflated({f"META-INF/maven/g/a{number}/pom.xml": pom for number in range(3)})
    assert "package maven g:a 1" in LOOK["java"]("a.jar", data).found
    monkeypatch.setattr(contents, "MAX_TEXTS", 2 * len(pom))
    assert "bytes of manifests, poms and licences" in told("java", "a.jar", data).message


def test_trailing_commas_of_bun_are_none_where_a_text_has_them() -> None:
    data = b'{"packages": {"a,}": ["a@1.0.0", ",]\\",}",], "b": ["b@2.0.0", {},],\n },}'
    assert {"package npm a 1.0.0", "package npm b 2.0.0"} <= LOOK["declared"]("bun.lock", data).found


@pytest.mark.parametrize("line", [b'{"kind":"package"', b"[" + b"[]," * 700_000])
def test_a_line_of_a_chisel_manifest_without_an_end(line: bytes) -> None:
    package = b'{"kind":"package","name":"a","version":"1","arch":"x"}\n'
    data = compressed(package + line.ljust(LONG) + b"\n", "zstd")
    assert "a line of more than" in told("chisel", "var/lib/chisel/manifest.wall", data).message
    assert "package deb a 1" in LOOK["chisel"]("var/lib/chisel/manifest.wall", data).found
