"""Tar archives of records, packed in any way, and archives that are damaged or bombs."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
from pathlib import Path

import pytest

from anchorecli.errors import FeedError
from anchorecli.feeds import snapshot
from anchorecli.feeds.tars import is_tar
from anchorecli.model import Problem
from tests.feeds.rpm.samples import tarred
from tests.feeds.samples import written

MEMBERS = {"2023/a.json": b'{"a": 1}', "b.json": b"x" * 1500, "d/" + "n" * 180 + ".json": b"", "ü.json": b"end"}


def read(path: Path) -> dict[str, bytes]:
    found = snapshot.from_path(path)
    try:
        items = list(found.members())
    finally:
        found.close()
    assert not [each for each in items if isinstance(each, Problem)]
    return {each[0]: each[1] for each in items if not isinstance(each, Problem)}


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_members_of_every_kind_of_tar(tmp_path: Path, kind: int) -> None:
    buffer = io.BytesIO()
    members = {("e/" * 20 + name if kind == tarfile.USTAR_FORMAT else name): data for name, data in MEMBERS.items()}
    members = {name: data for name, data in members.items() if kind != tarfile.USTAR_FORMAT or len(name) < 100}
    with tarfile.open(fileobj=buffer, mode="w", format=kind) as archive:
        folder = tarfile.TarInfo("d")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        link = tarfile.TarInfo("l.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    assert read(written(tmp_path / "x.tar", buffer.getvalue())) == members


def test_packed_in_any_way(tmp_path: Path) -> None:
    from anchorecli.compression import _zstd_module

    plain = tarred(MEMBERS)
    packed = {
        "gz": gzip.compress(plain),
        "bz2": bz2.compress(plain),
        "xz": lzma.compress(plain),
        "zst": _zstd_module().compress(plain),
        "two.bz2": bz2.compress(plain[:700]) + bz2.compress(plain[700:]),
    }
    for name, data in packed.items():
        assert read(written(tmp_path / f"x.tar.{name}", data)) == MEMBERS, name


def test_a_folder_may_hold_archives_beside_files(tmp_path: Path) -> None:
    written(tmp_path / "mirror" / "x.tar.bz2", bz2.compress(tarred({"a.json": b"1"})))
    written(tmp_path / "mirror" / "b.json", b"2")
    assert read(tmp_path / "mirror") == {"a.json": b"1", "b.json": b"2"}


def test_the_order_of_a_folder_can_be_given(tmp_path: Path) -> None:
    for name in "abc":
        written(tmp_path / "f" / name, name.encode())
    found = snapshot.from_path(tmp_path / "f", order=lambda name: -ord(name))
    assert [each[0] for each in found.members() if not isinstance(each, Problem)] == ["c", "b", "a"]


def test_members_need_not_be_read(tmp_path: Path) -> None:
    found = snapshot.from_path(written(tmp_path / "x.tar", tarred({"a": b"1" * 9000, "b": b"2"})))
    assert [each[0] for each in found.streams() if not isinstance(each, Problem)] == ["a", "b"]


@pytest.mark.parametrize("kind", ["tar", "gz", "bz2", "xz"])
def test_what_is_cut_off_is_refused(tmp_path: Path, kind: str) -> None:
    import random

    plain = tarred({"a": random.Random(1).randbytes(2_000_000), "b": b"2" * 600})
    whole = {"tar": plain, "gz": gzip.compress(plain), "bz2": bz2.compress(plain), "xz": lzma.compress(plain)}[kind]
    # A tar ends in blocks of zeros that nobody misses.
    cut = len(whole) * 2 // 3
    found = snapshot.from_path(written(tmp_path / "x.tar", whole[:cut]))
    with pytest.raises(FeedError, match=r"damaged tar file.*(cut off|ends early|damaged)"):
        list(found.members())


def test_a_damaged_header_is_refused(tmp_path: Path) -> None:
    plain = bytearray(tarred({"a": b"1", "b": b"2"}))
    plain[1024] ^= 1
    with pytest.raises(FeedError, match="checksum"):
        list(snapshot.from_path(written(tmp_path / "x.tar", bytes(plain))).members())


def test_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = tarred({"a.json": b"\0" * 3_000_000, "b.json": b"2"})
    monkeypatch.setattr(snapshot, "_TOTAL_FLOOR", 1 << 20)
    for data in (gzip.compress(plain), bz2.compress(plain), lzma.compress(plain)):
        monkeypatch.setattr(snapshot, "_TAR_FACTOR", 10)
        with pytest.raises(FeedError, match="more than is plausible"):
            list(snapshot.from_path(written(tmp_path / "x.tar", data)).members())
        monkeypatch.setattr(snapshot, "_TAR_FACTOR", 1 << 20)
        monkeypatch.setattr(snapshot, "MAX_RECORD", 1 << 20)
        first, second = snapshot.from_path(written(tmp_path / "x.tar", data)).members()
        assert isinstance(first, Problem)
        assert "more than 1048576 bytes" in first.message
        assert second == ("b.json", b"2")


def test_a_name_of_a_megabyte_is_refused(tmp_path: Path) -> None:
    plain = tarred({"n" * 1_000_000: b"1"})
    with pytest.raises(FeedError, match="a name of"):
        list(snapshot.from_path(written(tmp_path / "x.tar", plain)).members())


def test_an_xz_header_does_not_get_gigabytes(tmp_path: Path) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 30}]
    data = lzma.compress(b"{}", filters=filters)
    found = list(snapshot.from_path(written(tmp_path / "x.xz", data)).members())
    assert isinstance(found[0], Problem)
    assert "damaged xz stream" in found[0].message


def test_other_files_are_no_tar() -> None:
    assert not is_tar(b"")
    assert not is_tar(b"\0" * 512)
    assert not is_tar(b'{"a": 1}' * 100)


def test_names_without_what_they_are_packed_in() -> None:
    assert [snapshot.unpacked_name(each) for each in ("a.xml.bz2", "a.json", "a", "a.gz")] == [
        *("a.xml", "a.json", "a", "a"),
    ]
