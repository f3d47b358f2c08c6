from __future__ import annotations

import io
import os
import random
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchorecli.errors import FeedError, LimitError
from anchorecli.feeds import zips
from anchorecli.feeds.zips import Budget, MemberStream, entries
from tests.feeds.samples import zipped


def read(data: bytes, limit: int = 1 << 20, budget: int = 1 << 24) -> dict[str, bytes]:
    file, left = io.BytesIO(data), Budget(budget)
    return {entry.name: MemberStream(file, entry, limit, left, "x.zip").read() for entry in entries(file, "x.zip")}


@given(st.dictionaries(st.text(st.characters(min_codepoint=48, max_codepoint=0x2FF), min_size=1), st.binary()))
def test_members_are_those_the_standard_library_wrote(members: dict[str, bytes]) -> None:
    members = {name: content for name, content in members.items() if not name.endswith("/")}
    assert read(zipped(members)) == members
    assert read(zipped(members, zipfile.ZIP_STORED)) == members


def test_leading_data_directories_and_comments() -> None:
    buffer = io.BytesIO(b"#!/bin/sh\nexit\n")
    buffer.seek(0, os.SEEK_END)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.mkdir("a")
        archive.writestr("a/b.json", b"{}")
        archive.comment = b"PK\x05 a comment"
    assert read(buffer.getvalue()) == {"a/b.json": b"{}"}


def test_zip64(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    members = {"a": os.urandom(50), "b": b"x" * 5000}
    assert read(zipped(members)) == members


def test_more_than_65535_members() -> None:
    members = {f"{number}": b"" for number in range(66_000)}
    assert len(read(zipped(members))) == 66_000


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "C:\\x", "a\0b", "..", "\u202e"])
def test_names_are_only_keys(name: str) -> None:
    assert list(read(zipped({name: b"content"})).values()) == [b"content"]


def test_streams_can_be_read_in_pieces_and_interleaved() -> None:
    content = {"a": os.urandom(300_000), "b": b"y" * 300_000}
    file, budget = io.BytesIO(zipped(content)), Budget(1 << 20)
    streams = {entry.name: MemberStream(file, entry, 1 << 20, budget, "x") for entry in entries(file, "x")}
    found = {"a": b"", "b": b""}
    for _ in range(100_000):
        pieces = {name: stream.read(1000) for name, stream in streams.items()}
        if not any(pieces.values()):
            break
        for name, piece in pieces.items():
            assert len(piece) <= 1000
            found[name] += piece
    assert found == content


def test_every_truncation_is_an_error() -> None:
    data = zipped({"a.json": b"{}" * 50, "b.json": b"[]"})
    for length in range(len(data)):
        with pytest.raises(FeedError):
            read(data[:length])


def test_random_damage_is_never_a_traceback() -> None:
    data = zipped({"a.json": b"{}" * 50, "b.json": os.urandom(200)})
    chance = random.Random(7)
    for _ in range(2000):
        broken = bytearray(data)
        for _ in range(chance.randint(1, 4)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        try:
            read(bytes(broken))
        except (FeedError, ValueError):
            pass


def test_a_changed_byte_of_content_is_noticed() -> None:
    data = zipped({"a": b"some content"}, zipfile.ZIP_STORED).replace(b"some content", b"same content")
    with pytest.raises(ValueError, match="checksum"):
        read(data)


def test_a_bomb_is_cut_off() -> None:
    data = zipped({"a": b"\0" * 40_000_000})
    with pytest.raises(LimitError, match="more than 1048576 bytes"):
        read(data)
    with pytest.raises(LimitError, match="300 times"):
        read(data, limit=1 << 30, budget=1 << 30)
    with pytest.raises(FeedError, match="plausible"):
        read(data, limit=1 << 30, budget=100_000)


def test_overlapping_members_spend_one_budget() -> None:
    body = zlib.compress(os.urandom(20_000) + b"z" * 1000)
    data = zipped({"a": body}, zipfile.ZIP_STORED)
    # The directory lists the one member a hundred times.
    start = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    directory = data[start:end] * 100
    tail = bytearray(data[end:])
    tail[8:12] = (100).to_bytes(2, "little") * 2
    tail[12:16] = len(directory).to_bytes(4, "little")
    with pytest.raises(FeedError, match="plausible"):
        read(data[:start] + directory + bytes(tail), budget=1_000_000)


def test_encrypted_and_strange_methods_are_refused() -> None:
    for changed, at in ((1, 6), (12, 8)):
        data = bytearray(zipped({"a": b"x"}))
        start = data.index(b"PK\x01\x02")
        data[start + at + 2] = changed
        with pytest.raises(ValueError, match="encrypted"):
            read(bytes(data))


def test_too_many_members(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zips, "MAX_ENTRIES", 3)
    with pytest.raises(FeedError, match="contradicts"):
        read(zipped({str(number): b"" for number in range(4)}))
