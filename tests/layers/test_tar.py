"""The header walk: every tar dialect that image builders write, against the standard library's reader and GNU tar."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchorecli.layers import Limits
from anchorecli.layers.tar import normalise
from tests.builders import Entry, directory, hardlink, layer, link
from tests.layers.reading import BytesBlob, FileBlob, Keeper, read

FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}


@pytest.mark.parametrize("format", FORMATS.values(), ids=FORMATS.keys())
@pytest.mark.parametrize("as_file", [False, True], ids=["stream", "file"])
def test_every_dialect_gives_paths_modes_owners_and_content(tmp_path: Path, format: int, as_file: bool) -> None:
    files = {
        "etc": directory(0o750),
        "etc/passwd": Entry(b"root:x:0:0\n", mode=0o640, uid=7, gid=9),
        "bin": link("usr/bin"),
        "usr/bin/su": Entry(b"\x7fELF", mode=0o4755),
        "usr/bin/su2": hardlink("usr/bin/su"),
        "dev/null": Entry(type=tarfile.CHRTYPE),
        "run/fifo": Entry(type=tarfile.FIFOTYPE),
        "a/" + "d" * 90 + "/" + "f" * 60: "long",
        "block": b"x" * 512,
        "blocks": b"y" * 1025,
    }
    tar = layer(files, format=format)
    (tmp_path / "layer").write_bytes(tar)
    keeper = Keeper()
    result = read(tar, FileBlob(tmp_path / "layer") if as_file else BytesBlob(tar), keeper)
    index = result.index
    assert result.problems == ()
    assert index.paths == list(files)
    assert dict(zip(index.paths, index.kinds, strict=True)) == {
        "etc": "d", "etc/passwd": "f", "bin": "l", "usr/bin/su": "f", "usr/bin/su2": "h", "dev/null": "c",
        "run/fifo": "p", "a/" + "d" * 90 + "/" + "f" * 60: "f", "block": "f", "blocks": "f",
    }  # fmt: skip
    row = index.rows["etc/passwd"]
    assert (index.modes[row], index.uids[row], index.gids[row], index.sizes[row]) == (0o640, 7, 9, 11)
    assert index.modes[index.rows["usr/bin/su"]] == 0o4755
    assert index.targets == {2: "usr/bin", 4: "usr/bin/su"}
    assert keeper.seen["blocks"] == b"y" * 1025
    assert keeper.seen["block"] == b"x" * 512
    assert set(keeper.seen) == {path for path, kind in zip(index.paths, index.kinds, strict=True) if kind == "f"}


@pytest.mark.parametrize("format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT], ids=["gnu", "pax"])
def test_names_and_links_longer_than_the_header(format: int) -> None:
    name = "/".join(["directory-with-a-long-name"] * 20) + "/file"
    target = "../" * 60 + "etc/somewhere"
    index = read(layer({name: "x", "l": link(target), "after": "y"}, format=format)).index
    assert index.paths == [name, "l", "after"]
    assert index.targets == {1: target}


def test_huge_numbers_are_base_256() -> None:
    tar = bytearray(layer({"big": "", "after": "z"}))
    uid = 3_000_000_000
    tar[108:116] = (0x80 << 56 | uid).to_bytes(8, "big")
    _fix_checksum(tar, 0)
    index = read(bytes(tar)).index
    assert index.paths == ["big", "after"]
    assert index.uids[0] == uid


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("./usr//bin/./x", "usr/bin/x"),
        ("/etc/passwd", "etc/passwd"),
        ("../../etc/passwd", "etc/passwd"),
        ("a/../../b", "b"),
        ("./.hidden", ".hidden"),
        ("a/.b/..c", "a/.b/..c"),
    ],
)
def test_names_are_folded_inside_the_root(raw: str, path: str) -> None:
    assert read(layer({raw: "x"})).index.paths == [path]


def test_the_root_itself_is_no_entry_and_bytes_that_are_not_utf8_survive() -> None:
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    index = read(layer({"./": directory(), name: "x"}, format=tarfile.GNU_FORMAT)).index
    assert index.paths == [name]
    assert index.paths[0].encode("utf-8", "surrogateescape") == b"caf\xe9"


def test_whiteouts_and_opaque_directories_are_notes_not_files() -> None:
    index = read(layer({"a/.wh.b": "", "c/.wh..wh..opq": "", ".wh..wh.plnk/x": "", "a/.wh..wh.aufs": ""})).index
    assert index.whiteouts == ["a/b"]
    assert index.opaques == ["c"]


def test_a_later_entry_of_one_name_wins() -> None:
    index = read(layer([("a", "first"), ("b", "x"), ("a", "second!")])).index
    assert index.sizes[index.rows["a"]] == 7


def test_concatenated_padding_and_missing_end_mark_are_fine() -> None:
    tar = layer({"a": "x"})
    assert read(tar[:1024]).index.paths == ["a"]
    assert read(tar + bytes(100_000)).index.paths == ["a"]


def test_damage_is_a_problem_with_what_was_seen_before_it(tmp_path: Path) -> None:
    whole = layer({"a": "x", "b": "y" * 5000})
    cut = whole[: 1024 + 300]
    result = read(cut)
    assert result.index.paths == ["a"]
    assert "ends inside a header" in result.problems[0].message
    for as_file in (False, True):
        (tmp_path / "cut").write_bytes(cut := whole[: 1024 + 512 + 700])
        result = read(cut, FileBlob(tmp_path / "cut") if as_file else None)
        assert "ends inside a file" in result.problems[0].message
    garbage = layer({"a": "x"})[:1024] + os.urandom(2048)
    result = read(garbage)
    assert result.index.paths == ["a"]
    assert result.problems


def test_an_old_tar_without_magic_is_read_and_garbage_is_not() -> None:
    tar = bytearray(layer({"old": "content"}))
    tar[257:265] = bytes(8)
    _fix_checksum(tar, 0)
    assert read(bytes(tar)).index.paths == ["old"]
    tar[0:1] = b"X"
    assert "checksum" in read(bytes(tar)).problems[0].message


def test_limits_are_problems_that_name_them() -> None:
    tar = layer({f"f{n}": "" for n in range(20)})
    result = read(tar, limits=Limits(entries=10))
    assert len(result.index.paths) == 10
    assert "more than 10 entries" in result.problems[0].message
    assert not result.complete
    tar = layer({"p" * 3000: ""})
    assert "3000 bytes (limit 100)" in read(tar, limits=Limits(path_bytes=100)).problems[0].message


@pytest.mark.skipif(shutil.which("tar") is None, reason="GNU tar is not installed")
@pytest.mark.parametrize("version", ["gnu", "0.0", "0.1", "1.0"])
@pytest.mark.parametrize("pieces", [1, 3, 60])
def test_sparse_files_of_every_format_are_put_together(tmp_path: Path, version: str, pieces: int) -> None:
    source = tmp_path / "sparse"
    with source.open("wb") as file:
        for number in range(pieces):
            file.seek(number * 300_000)
            file.write(b"piece %d" % number * 50)
        file.truncate(pieces * 300_000 + 12345)
    options = ["--format=gnu"] if version == "gnu" else ["--format=pax", f"--sparse-version={version}"]
    command = ["tar", "-S", *options, "-cf", "out.tar", "sparse"]
    done = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(done.stderr)
    (tmp_path / "after").write_text("after")
    subprocess.run(["tar", "-rf", "out.tar", "after"], cwd=tmp_path, check=True)
    tar = (tmp_path / "out.tar").read_bytes()
    keeper = Keeper()
    result = read(tar, keeper=keeper)
    assert result.problems == ()
    assert result.index.paths == ["sparse", "after"]
    assert keeper.seen["sparse"] == source.read_bytes()
    assert read(tar).index.paths == ["sparse", "after"]


@settings(max_examples=150, deadline=None)
@given(position=st.integers(0, 5119), value=st.integers(0, 255))
def test_a_flipped_byte_never_raises(position: int, value: int) -> None:
    tar = bytearray(layer({"a/b": "x" * 700, "c": link("a/b"), "d" * 120: "long"}, format=tarfile.PAX_FORMAT))
    tar[position % len(tar)] = value
    read(bytes(tar), keeper=Keeper(lambda path: True))


@given(st.text(alphabet="/.ab", max_size=30))
def test_normalise_never_leaves_the_root(text: str) -> None:
    path = normalise(text)
    assert not path.startswith("/")
    assert ".." not in path.split("/")
    assert normalise(path) == path


def _fix_checksum(tar: bytearray, start: int) -> None:
    tar[start + 148 : start + 156] = b" " * 8
    tar[start + 148 : start + 156] = b"%06o\0 " % sum(tar[start : start + 512])


def test_the_walk_agrees_with_the_standard_library(tmp_path: Path) -> None:
    root = Path(__file__).parents[2] / "anchorecli"
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        tar.add(root, "src", recursive=True)
    data = out.getvalue()
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        theirs = [(m.name, m.size if m.isreg() else 0, m.mode & 0o7777, m.uid, m.gid) for m in tar]
    index = read(data).index
    assert list(zip(index.paths, index.sizes, index.modes, index.uids, index.gids, strict=True)) == theirs
