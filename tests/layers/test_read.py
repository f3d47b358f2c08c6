"""Reading a layer whole: compression, both digests, large files, damage."""

from __future__ import annotations

import errno
import gzip
import os
import threading
import tracemalloc
from pathlib import Path

import pytest

from anchorecli.errors import IntegrityError
from anchorecli.layers import Limits, read_layer
from anchorecli.model import DiffId, Digest, Layer
from anchorecli.tree import LayerIndex
from tests.builders import compressed, digest, layer
from tests.layers.reading import BytesBlob, FileBlob, Keeper, read

TAR = layer({"etc/os-release": "ID=debian\n", "data": "d" * 300_000})


@pytest.mark.parametrize("kind", ["", "gzip", "zstd"])
@pytest.mark.parametrize("as_file", [False, True], ids=["stream", "file"])
def test_both_digests_are_computed(tmp_path: Path, kind: str, as_file: bool) -> None:
    stored = compressed(TAR, kind)
    (tmp_path / "blob").write_bytes(stored)
    keeper = Keeper(lambda path: path == "etc/os-release")
    result = read(TAR, FileBlob(tmp_path / "blob") if as_file else BytesBlob(stored), keeper)
    assert (result.digest, result.size) == (digest(stored), len(stored))
    assert result.inflated == len(TAR)
    assert keeper.seen == {"etc/os-release": b"ID=debian\n"}


def test_several_gzip_members_and_trailing_zeros() -> None:
    stored = gzip.compress(TAR[:5000]) + gzip.compress(TAR[5000:]) + bytes(512)
    assert read(TAR, BytesBlob(stored)).index.paths == ["etc/os-release", "data"]


@pytest.mark.parametrize("kind", ["", "gzip", "zstd"])
@pytest.mark.parametrize("as_file", [False, True], ids=["stream", "file"])
def test_a_wrong_digest_of_the_blob_or_the_content_is_refused(tmp_path: Path, kind: str, as_file: bool) -> None:
    stored = compressed(TAR, kind)
    (tmp_path / "blob").write_bytes(stored)
    other = digest(b"other")

    def blob(expected: str) -> BytesBlob | FileBlob:
        return FileBlob(tmp_path / "blob", expected) if as_file else BytesBlob(stored, expected)

    with pytest.raises(IntegrityError, match="digest"):
        read_layer(blob(other), Layer(DiffId(digest(TAR))), Keeper())
    with pytest.raises(IntegrityError, match="digest"):
        read_layer(blob(""), Layer(DiffId(other)), Keeper())
    with pytest.raises(IntegrityError, match="digest"):
        read_layer(blob(""), Layer(DiffId(digest(TAR)), Digest(other)), Keeper())


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_a_damaged_stream_is_refused(kind: str) -> None:
    stored = compressed(TAR, kind)
    flipped = bytearray(stored)
    flipped[len(flipped) // 2] ^= 0xFF
    for bad in (stored[: len(stored) // 2], stored[:-3], bytes(flipped)):
        with pytest.raises(IntegrityError):
            read(TAR, BytesBlob(bad))


def test_an_unknown_compression_is_named() -> None:
    with pytest.raises(IntegrityError, match="bzip2"):
        read(TAR, BytesBlob(b"BZh91AY&SY" + bytes(100)))


def test_a_large_wanted_file_goes_through_a_temporary_file() -> None:
    content = bytes(range(256)) * 40_000
    keeper = Keeper(as_stream=True)
    read(layer({"big": content, "after": "x"}), keeper=keeper)
    assert keeper.seen == {"big": content, "after": b"x"}


def test_memory_is_bounded_whatever_the_layer_and_its_files_hold() -> None:
    tar = layer({"huge": bytes(200_000_000), "after": "x"})
    stored = gzip.compress(tar, 1)
    expected = digest(tar)
    del tar
    tracemalloc.start()
    keeper = Keeper(lambda path: path == "after")
    result = read_layer(BytesBlob(stored), Layer(DiffId(expected)), keeper)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert result.index.paths == ["huge", "after"]
    assert peak < 30_000_000


def test_a_bomb_stops_at_the_limit() -> None:
    stored = gzip.compress(layer({"zeros": bytes(50_000_000)}), 9)
    with pytest.raises(IntegrityError, match="more than 1000000 bytes"):
        read_layer(BytesBlob(stored), Layer(DiffId("")), Keeper(lambda _: False), Limits(layer_bytes=1_000_000))


def test_what_inflates_beyond_all_measure_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    tar = layer({"zeros": bytes(64 << 20)})
    monkeypatch.setattr("anchorecli.layers.read.RATIO_FROM", 16 << 20)
    with pytest.raises(IntegrityError, match="more than 1100 times its size"):
        read_layer(BytesBlob(compressed(tar, "zstd")), Layer(DiffId("")), Keeper(lambda _: False))
    assert read_layer(BytesBlob(compressed(tar, "gzip")), Layer(DiffId("")), Keeper(lambda _: False)).complete


@pytest.mark.parametrize("as_file", [False, True], ids=["stream", "file"])
def test_every_file_is_hashed_when_asked(tmp_path: Path, as_file: bool) -> None:
    files = {"empty": b"", "small": b"s" * 600, "large": bytes(range(256)) * 30_000}
    tar = layer(files)
    (tmp_path / "blob").write_bytes(tar)
    for keeper in (Keeper(lambda _: False), Keeper(), Keeper(as_stream=True)):
        blob = FileBlob(tmp_path / "blob") if as_file else BytesBlob(tar)
        index = read(tar, blob, keeper, Limits(digests=True)).index
        assert [index.digests[index.rows[name]].hex() for name in files] == [
            digest(data)[7:] for data in files.values()
        ]
        assert LayerIndex.decode(index.encode()).digests == index.digests
    assert not len(read(tar).index.digests)


# ── a reader that is stopped ────────────────────────────────────────────────────────────────────────────────


def test_an_interrupt_while_the_digest_is_waited_for_leaves_no_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = layer({"a": b"1"})
    path = tmp_path / "layer.tar"
    path.write_bytes(data)
    begun, gone_on = threading.Event(), threading.Event()
    pread, join = os.pread, threading.Thread.join

    def slow(fd: int, count: int, offset: int) -> bytes:
        if threading.current_thread().name == "hash":
            begun.set()
            gone_on.wait(60)
        return pread(fd, count, offset)

    def interrupted(thread: threading.Thread, timeout: float | None = None) -> None:
        if thread.name == "hash" and not gone_on.is_set():
            assert begun.wait(60)
            gone_on.set()
            raise KeyboardInterrupt
        join(thread, timeout)

    monkeypatch.setattr(os, "pread", slow)
    monkeypatch.setattr(threading.Thread, "join", interrupted)
    blob = FileBlob(path)
    with pytest.raises(KeyboardInterrupt):
        read_layer(blob, Layer(DiffId(digest(data))), Keeper())
    assert [thread for thread in threading.enumerate() if thread.name == "hash"] == []


def test_a_disk_that_fails_under_the_digest_is_an_error_of_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = layer({"a": b"1"})
    path = tmp_path / "layer.tar"
    path.write_bytes(data)
    pread = os.pread

    def failing(fd: int, count: int, offset: int) -> bytes:
        if threading.current_thread().name == "hash":
            raise OSError(errno.EIO, "Input/output error")
        return pread(fd, count, offset)

    monkeypatch.setattr(os, "pread", failing)
    with pytest.raises(OSError, match="Input/output error"):
        read_layer(FileBlob(path), Layer(DiffId(digest(data))), Keeper())
