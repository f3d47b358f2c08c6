"""rpm headers: order, overrides, old forms, damage."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchorecli.analyzers.os.filelist import unpack
from anchorecli.analyzers.os.rpm import header
from tests.analyzers.os import rpmdb

BASH = rpmdb.header("bash", "5.1.8-6.el9", ["/usr/bin/bash", "/usr/bin/sh", "/etc/skel/.bashrc"])


def parse(blob):
    damage = []
    return header.parse(blob, damage), damage


def test_later_entries_override_and_order_does_not_matter():
    tags = [
        (rpmdb.RELEASE, rpmdb.STRING, "1"),
        (62, rpmdb.BINARY, struct.pack(">IIiI", 62, 7, -64, 16)),
        (rpmdb.VENDOR, rpmdb.STRING, "first"),
        (rpmdb.VERSION, rpmdb.STRING, "1"),
        (rpmdb.NAME, rpmdb.STRING, "a"),
        (rpmdb.VENDOR, rpmdb.STRING, "second"),
        (rpmdb.LONG_SIZE, rpmdb.INT64, [1 << 40]),
    ]
    found, damage = parse(rpmdb.raw_header(tags))
    assert (found.name, found.vendor, found.size, damage) == ("a", "second", 1 << 40, [])


def test_old_file_names_and_names_with_line_breaks():
    found, _ = parse(rpmdb.header(tags={rpmdb.OLD_NAMES: (rpmdb.STRINGS, ["/bin/sh", "/bin/ls", "/x"])}))
    assert list(unpack(found.files)) == ["bin/sh", "bin/ls", "x"]
    found, _ = parse(rpmdb.header(files=["/a/b\nc", "/a/d", "/e\n/f"]))
    assert list(unpack(found.files)) == ["a/d"]


@pytest.mark.parametrize(
    "tags",
    [
        {rpmdb.INDEXES: (rpmdb.INT32, [0, 7])},
        {rpmdb.INDEXES: (rpmdb.INT32, [0])},
        {rpmdb.INDEXES: (rpmdb.STRING, "x")},
        {rpmdb.DIRECTORIES: (rpmdb.STRINGS, ["/x/"])},
    ],
)
def test_a_damaged_file_list_costs_no_package(tags):
    found, damage = parse(rpmdb.header("a", "1-1", ["/x/y", "/z/y"], tags=tags))
    assert (found.name, found.files) == ("a", "")
    assert damage == ["a: its file list does not add up"]


def test_a_value_outside_counts_as_missing():
    blob = bytearray(rpmdb.raw_header([(tag, rpmdb.STRING, "1") for tag in (1000, 1001, 1002, 1011)]))
    blob[8 + 3 * 16 + 8 : 8 + 3 * 16 + 12] = b"\xff\xff\xff\xff"
    found, damage = parse(bytes(blob))
    assert found.vendor == ""
    assert damage == ["tag 1011 of a package's header lies outside of it"]


@pytest.mark.parametrize("blob", [b"", b"\0" * 8, b"\xff" * 64, rpmdb.header("", "1-1"), rpmdb.header("a", "1")])
def test_what_is_no_header(blob):
    with pytest.raises(header.HeaderError):
        parse(blob)


def test_a_header_cut_anywhere():
    for length in range(len(BASH)):
        with pytest.raises(header.HeaderError):
            parse(BASH[:length])


def test_absurd_counts():
    with pytest.raises(header.HeaderError):
        parse(struct.pack(">II", 0x10000, 0) + bytes(16 * 0x10000))
    blob = bytearray(BASH)
    place = blob.index(struct.pack(">II", rpmdb.BASES, rpmdb.STRINGS))
    blob[place + 12 : place + 16] = b"\x7f\xff\xff\xff"
    found, damage = parse(bytes(blob))
    assert (found.name, found.files) == ("bash", "")
    assert damage == ["bash: tag 1117 claims 2147483647 strings, more than 250000"]


@settings(deadline=None)
@given(st.integers(0, len(BASH) - 1), st.binary(min_size=1, max_size=8))
def test_a_header_overwritten_anywhere(place, junk):
    blob = BASH[:place] + junk + BASH[place + len(junk) :]
    try:
        parse(blob)
    except header.HeaderError:
        pass
