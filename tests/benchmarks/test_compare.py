"""`make compare`: package URLs as the ecosystem's tool would write them, what is counted, and what is there."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import compare
import compare_rpm
import pytest
import truth
import truth_smaller
from truth import Truth


@pytest.mark.parametrize(
    ("purl", "kind", "pair"),
    [
        ("pkg:deb/debian/zlib1g@1.2.13-1?arch=amd64&epoch=1", "deb", ("zlib1g", "1:1.2.13-1")),
        ("pkg:deb/debian/zlib1g@1%3A1.2.13-1?arch=amd64", "deb", ("zlib1g", "1:1.2.13-1")),
        ("pkg:rpm/rhel/bash@5.1-1?epoch=0", "rpm", ("bash", "5.1-1")),
        ("pkg:npm/%40babel/core@7.0.0", "npm", ("@babel/core", "7.0.0")),
        ("pkg:pypi/Zope.Interface@1", "pypi", ("zope-interface", "1")),
        ("pkg:maven/a.b/c@1", "maven", ("a.b:c", "1")),
        ("pkg:golang/github.com/a/b@v2.2.0#v2", "golang", ("github.com/a/b/v2", "2.2.0")),
        ("pkg:golang/stdlib@v1.22.1", "golang", ("stdlib", "1.22.1")),
    ],
)
def test_tools_spell_alike(purl, kind, pair):
    assert compare.by_type([purl, "pkg:generic/without-version"]) == {kind: {pair}}


def test_missed_and_wrong_and_what_nobody_can_judge():
    there = Truth(frozenset({("a", "1"), ("b", "1")}), frozenset({("c", "1")}))
    assert compare.apart(there, {("a", "1"), ("c", "1"), ("d", "1")}) == ({("b", "1")}, {("d", "1")})
    assert compare.apart(there._replace(closed=False), {("d", "1")})[1] == set()
    programs = Truth(frozenset({("stdlib", "1")}), paths=frozenset({"g.org/x/v2/cmd/x"}))
    assert compare.apart(programs, {("g.org/x/v2", "2"), ("g.org/y", "1")}) == ({("stdlib", "1")}, {("g.org/y", "1")})
    assert compare.percent(200, 1, 0) == "99.50%, 100.00%"
    assert compare.percent(2, 2, 0) == "0.00%, -"


def test_the_tables_and_the_list_of_differences():
    result = compare.Judged("image", {"npm": Truth(frozenset({("a", "1")})), "apk": None}, {
        "ours": {"npm": {("a", "1")}}, "Syft": {"npm": {("b", "1")}},
    })  # fmt: skip
    text = compare.report([result], "")
    assert "| image | npm | 1 | 0, 0 | 1, 1 |" in text
    assert "| image | apk | its tool is not here | - | - |" in text
    assert "| npm | 1 | 100.00%, 100.00% | 0.00%, 0.00% |" in text
    assert list(compare.differences([result], "")) == ["image\tnpm\ta\t1\t-Syft", "image\tnpm\tb\t1\t+Syft"]


def layer(**files: str) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return content.getvalue()


@pytest.mark.skipif(sys.platform != "linux", reason="GNU tar")
def test_an_image_is_unpacked_layer_upon_layer(tmp_path: Path):
    layers = [
        layer(**{"d/a": "1", "d/b": "1", "e/c": "1"}),
        layer(**{"d/.wh.a": "", "d/b": "2", "e/.wh..wh..opq": "", "e/f": "1"}),
    ]
    with tarfile.open(tmp_path / "image.tar", "w") as tar:
        manifest = json.dumps([{"Config": "c", "Layers": ["0", "1"]}]).encode()
        for name, data in (("manifest.json", manifest), *((str(n), each) for n, each in enumerate(layers))):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    truth.unpack(tmp_path / "image.tar", tmp_path / "root")
    files = {
        str(each.relative_to(tmp_path / "root")): each.read_text()
        for each in (tmp_path / "root").rglob("*")
        if each.is_file()
    }
    assert files == {"d/b": "2", "e/f": "1"}


def test_distributions_of_python(tmp_path: Path):
    for name, version in (("Zope.Interface", "1.0"), ("b", "2.0")):
        folder = tmp_path / f"lib/{name}-{version}.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    assert truth.pypi(tmp_path).there == {("zope-interface", "1.0"), ("b", "2.0")}


def test_jars_by_their_properties_and_what_was_merged_into_them(tmp_path: Path):
    def jar(path, *names, inner=b""):
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                text = f"groupId=g\nartifactId={name}\nversion=1\n"
                archive.writestr(f"META-INF/maven/g/{name}/pom.properties", text)
            if inner:
                archive.writestr("lib/inner-1.jar", inner)

    jar(tmp_path / "inner-1.jar", "inner")
    inner = (tmp_path / "inner-1.jar").read_bytes()
    (tmp_path / "inner-1.jar").unlink()
    jar(tmp_path / "fat-1.jar", "fat", "merged", inner=inner)
    found = truth.maven(tmp_path)
    assert found.there == {("g:fat", "1"), ("g:inner", "1")}
    assert found.allowed - found.there == {("g:merged", "1")}
    assert not found.closed


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_modules_of_node(tmp_path: Path):
    places = {
        "node_modules/a": "a",
        "node_modules/@s/b": "@s/b",
        "src": "no-module",
        "node_modules/a/compiled/c": "copy",
    }
    for place, name in places.items():
        folder = tmp_path / place
        folder.mkdir(parents=True)
        (folder / "package.json").write_text(json.dumps({"name": name, "version": "1.0.0"}))
    (tmp_path / "node_modules/a/compiled/c/index.js").write_text("")
    found = truth.npm(tmp_path)
    assert found.there == {("a", "1.0.0"), ("@s/b", "1.0.0")}
    assert found.allowed - found.there == {("copy", "1.0.0")}


def test_an_ecosystem_without_its_tool_is_not_passed_over(tmp_path: Path, monkeypatch):
    (tmp_path / "lib/apk/db").mkdir(parents=True)
    (tmp_path / "lib/apk/db/installed").write_text("P:a\nV:1-r0\n")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(truth, "ASK", {"apk": truth.apk, "deb": truth.deb})
    assert truth.of(tmp_path) == {"apk": None}


@pytest.mark.skipif(not shutil.which("dpkg-query"), reason="dpkg is not installed")
def test_packages_of_dpkg(tmp_path: Path):
    (tmp_path / "var/lib/dpkg").mkdir(parents=True)
    stanza = "Package: {}\nStatus: {}\nMaintainer: m\nArchitecture: all\nVersion: 1:2-3\nDescription: d\n\n"
    status = stanza.format("a", "install ok installed") + stanza.format("b", "deinstall ok config-files")
    (tmp_path / "var/lib/dpkg/status").write_text(status)
    assert subprocess.run(["dpkg-query", "--version"], check=False, capture_output=True).returncode == 0
    assert truth.deb(tmp_path).there == {("a", "1:2-3")}


def test_a_berkeley_database_ends_with_the_headers_it_is_asked_for() -> None:
    headers = {number: bytes([number]) * 9 for number in range(1, 31)}
    for order, name in (("<", "little"), (">", "big")):
        database: dict[int, bytes] = {}
        removed = 0
        for line in compare_rpm._history(headers, order):
            what, key, value = line.split()
            if what == "put":
                database[int.from_bytes(bytes.fromhex(key), name)] = bytes.fromhex(value)
            else:
                del database[int.from_bytes(bytes.fromhex(key), name)]
                removed += 1
        assert database.pop(0) == (30).to_bytes(4, name)
        assert database == headers
        assert removed == 10


def test_a_perl_module_has_the_name_of_the_distribution_that_cpanm_recorded(tmp_path: Path) -> None:
    library = tmp_path / "lib/perl5"
    for module in ("List/Util", "Try/Tiny"):
        place = library / f"{module}.pm"
        place.parent.mkdir(parents=True)
        place.write_text(f"package {module.replace('/', '::')};\nour $VERSION = '1.60';\n1;\n")
        packed = library / f"auto/{module}/.packlist"
        packed.parent.mkdir(parents=True)
        packed.write_text(f"{place}\n")
    (library / "perllocal.pod").touch()
    record = library / ".meta/Scalar-List-Utils-1.60/install.json"
    record.parent.mkdir(parents=True)
    record.write_text('{"name": "List::Util", "version": 1.60}')
    found = truth_smaller.cpan(tmp_path)
    if found is None:
        pytest.skip("no perl")
    assert found.there == {("Scalar-List-Utils", "1.60"), ("Try-Tiny", "1.60")}
    assert set(truth_smaller.of(tmp_path)) == {"cpan"}
