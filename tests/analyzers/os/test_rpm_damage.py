"""Damaged and hostile rpm databases: what is whole is kept, what is not is told, nothing hangs."""

from __future__ import annotations

import io
import struct
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchorecli.analyzers.base import PARTIAL
from anchorecli.analyzers.limits import with_limits
from anchorecli.analyzers.os.rpm import RpmAnalyzer, bdb, header, ndb, plugin, sqlite
from tests.analyzers.os import rpmdb
from tests.analyzers.view import MemoryFile, make_view

BASH = rpmdb.header("bash", "5.1.8-6.el9", ["/usr/bin/bash", "/usr/bin/sh"])
LIBS = rpmdb.header("openssl-libs", "3.0.7-24.el9", epoch=1)
BIG = rpmdb.header("kernel-core", "5.14.0-362.el9", [f"/lib/modules/{n // 50}/m{n}.ko" for n in range(2000)])
CONTAINERS = {
    "sqlite": ("var/lib/rpm/rpmdb.sqlite", rpmdb.sqlite([BASH, LIBS, BIG])),
    "ndb": ("var/lib/rpm/Packages.db", rpmdb.ndb([BASH, LIBS, BIG])),
    "bdb": ("var/lib/rpm/Packages", rpmdb.bdb([BASH, LIBS, BIG])),
}


def find(*layers):
    analyzer = RpmAnalyzer()
    view = make_view(analyzer, layers)
    return view, analyzer.assemble(view)


def read(path, data):
    """Names of the packages read, and the message where it was partial."""
    value = RpmAnalyzer().read(MemoryFile(path, data))
    if isinstance(value, list):
        return rpmdb.names(value), ""
    return rpmdb.names(value["value"]), value[PARTIAL]


@pytest.mark.parametrize(
    ("data", "step"),
    [
        (rpmdb.ndb([BASH, LIBS]), 3),
        (rpmdb.bdb([BASH, LIBS]), 7),
        (rpmdb.bdb([BASH, LIBS], page=512), 1),
        (rpmdb.bdb([BASH, LIBS], page=512, order=">"), 1),
    ],
)
def test_cut_anywhere_keeps_what_is_whole(data, step):
    for length in [*range(0, len(data), step), len(data) - 1]:
        names, message = read("var/lib/rpm/Packages", data[:length])
        assert set(names) <= {"bash", "openssl-libs"}
        assert message.startswith("damaged: ")


def test_sqlite_cut_anywhere():
    data = rpmdb.sqlite([BASH, BIG])
    for length in [*range(0, 1024, 64), *range(1024, len(data), 4096), len(data) - 1]:
        names, message = read("var/lib/rpm/rpmdb.sqlite", data[:length])
        assert set(names) <= {"bash", "kernel-core"}
        assert message.startswith("damaged: ") or names == ["bash", "kernel-core"]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["sqlite", "ndb", "bdb"]),
    st.lists(st.tuples(st.integers(16, 50_000), st.binary(min_size=1, max_size=4))),
)
def test_overwritten_anywhere(kind, changes):
    path, data = CONTAINERS[kind]
    changed = bytearray(data)
    for place, junk in changes:
        place %= len(data) - 8
        if place >= 16:
            changed[place : place + len(junk)] = junk
    names, _ = read(path, bytes(changed))
    assert len(names) <= 10


def test_a_schema_that_is_not_even_text_is_damage():
    path, data = CONTAINERS["sqlite"]
    changed = bytearray(data)
    changed[4014] = 0x80
    names, message = read(path, bytes(changed))
    assert names == []
    assert message


@pytest.mark.parametrize("data", [b"", b"\0" * 4096, b"Rpm", b"not a database at all, but text"])
def test_what_is_no_database_is_told(data):
    names, message = read("var/lib/rpm/Packages", data)
    assert names == []
    assert "no rpm database by its first bytes" in message


def blobs(module, data):
    damage = []
    return list(module.headers(io.BytesIO(data), len(data), damage)), damage


def test_bdb_loops_and_shared_pages():
    data = bytearray(rpmdb.bdb([BIG]))
    # Page 3 is the first overflow page: let it follow itself.
    data[3 * 4096 + 16 : 3 * 4096 + 20] = struct.pack("<I", 3)
    found, damage = blobs(bdb, bytes(data))
    assert found == []
    assert "cannot be read" in damage[0]
    data = bytearray(rpmdb.bdb([BIG, LIBS]))
    data[-4096:] = data[2 * 4096 : 3 * 4096]
    found, damage = blobs(bdb, bytes(data))
    assert len(found) == 1
    assert len(damage) == 1


def test_bdb_absurd_sizes():
    data = bytearray(rpmdb.bdb([BIG]))
    # The value ends where the key of 5 bytes begins, and its last 4 bytes are the length.
    assert struct.unpack_from("<I", data, 3 * 4096 - 9)[0] == len(BIG)
    struct.pack_into("<I", data, 3 * 4096 - 9, 0xFFFFFFFF)
    found, damage = blobs(bdb, bytes(data))
    assert found == []
    assert "cannot be read" in damage[0]
    data = bytearray(rpmdb.bdb([BASH]))
    struct.pack_into("<H", data, 4096 + 20, 0xFFFF)
    assert "claims 65535 entries" in blobs(bdb, bytes(data))[1][0]
    for place, value in ((20, 3), (20, 1 << 20), (24, 1), (25, 9)):
        data = bytearray(rpmdb.bdb([BASH]))
        data[place : place + 4] = (
            struct.pack("<I", value) if place == 20 else bytes([value, *data[place + 1 : place + 4]])
        )
        assert "encrypted, or no hash table" in blobs(bdb, bytes(data))[1][0]


def test_ndb_absurd_sizes():
    data = bytearray(rpmdb.ndb([BASH]))
    struct.pack_into("<I", data, 12, 0xFFFFFFFF)
    _, damage = blobs(ndb, bytes(data))
    assert damage[0] == "ndb: 4294967295 slot pages, more than 2048"
    data = bytearray(rpmdb.ndb([BASH]))
    place = data.index(b"BlbS")
    struct.pack_into("<I", data, place + 12, 0x7FFFFFFF)
    assert blobs(ndb, bytes(data)) == ([], ["ndb: package 1 is not where its slot says"])


def test_ndb_slots_that_share_a_package():
    data = bytearray(rpmdb.ndb([BIG], free=200))
    slot = next(place for place in range(32, 4096, 16) if data[place + 4 : place + 8] != b"\0\0\0\0")
    for place in range(32, 32 + 200 * 16, 16):
        data[place : place + 16] = data[slot : slot + 16]
    found, damage = blobs(ndb, bytes(data))
    assert len(found) == 1
    assert len(damage) == 200


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE Other (x)"],
        ["CREATE TABLE x (hnum, blob)", "CREATE VIEW Packages AS SELECT * FROM x"],
        ["CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, data BLOB)"],
        ["CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob AS (zeroblob(1000000000)))"],
        ["CREATE VIRTUAL TABLE Packages USING fts5(hnum, blob)"],
        [
            "CREATE VIEW Packages AS WITH RECURSIVE c(hnum) AS (SELECT 1 UNION ALL SELECT hnum + 1 FROM c)"
            " SELECT hnum, x'00' AS blob FROM c"
        ],
    ],
)
def test_sqlite_of_another_schema_is_not_run(statements):
    found, damage = blobs(sqlite, rpmdb.sqlite_file(statements))
    assert found == []
    assert damage == ["no table Packages of the form that rpm makes"]


def test_sqlite_values_that_are_no_headers():
    table = ["CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob)", "INSERT INTO Packages VALUES (7, 'text')"]
    found, damage = blobs(sqlite, rpmdb.sqlite_file(table, [BASH]))
    assert found == [BASH]
    assert damage == ["record 7 is no header, or one of absurd size"]


def test_a_write_ahead_log_is_told():
    path = "var/lib/rpm/rpmdb.sqlite"
    data = rpmdb.sqlite([BASH], wal=True)
    _, found = find({path: data, f"{path}-wal": rpmdb.wal_log(frames=3, stale=2)})
    (problem,) = found.problems
    assert problem.subject == f"{path}-wal"
    assert problem.message == "a write-ahead log of 3 pages was not read"
    assert len(found.packages) == 1


@pytest.mark.parametrize("log", [b"", rpmdb.wal_log(frames=0, stale=4), b"\0" * 4096, rpmdb.wal_log(frames=0)[:31]])
def test_an_empty_or_stale_log_is_no_problem(log):
    path = "var/lib/rpm/rpmdb.sqlite"
    _, found = find({path: rpmdb.sqlite([BASH]), f"{path}-wal": log})
    assert found.problems == ()


def test_a_log_of_a_lower_layer_belongs_to_another_database():
    path = "var/lib/rpm/rpmdb.sqlite"
    _, found = find({f"{path}-wal": rpmdb.wal_log(frames=3)}, {path: rpmdb.sqlite([BASH])})
    assert found.problems == ()


def test_no_copy_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    read("var/lib/rpm/rpmdb.sqlite", rpmdb.sqlite([BASH]))
    read("var/lib/rpm/rpmdb.sqlite", rpmdb.sqlite([BASH])[:5000])
    assert list(tmp_path.iterdir()) == []


def test_limits_are_told():
    def limited(**limits):
        analyzer = with_limits(RpmAnalyzer(), "", {name.replace("_", "-"): value for name, value in limits.items()})
        value = analyzer.read(MemoryFile("var/lib/rpm/Packages", rpmdb.ndb([LIBS, BASH])))
        assert value[PARTIAL] == ""
        return rpmdb.names(value["value"]), value["limit"]

    names, said = limited(path_bytes=10)
    assert names == ["openssl-libs", "bash"]
    assert said.startswith("the files of bash were left out: more than 10 characters")
    assert said.endswith("(limit rpm.path-bytes)")
    names, said = limited(packages=1)
    assert names == ["openssl-libs"]
    assert said == "more than 1 packages in one database (limit rpm.packages); those before bash were kept"
    names, said = limited(text_bytes=100)
    assert names == ["openssl-libs"]
    assert said.endswith("(limit rpm.text-bytes); those before bash were kept")


def test_what_packages_need_of_one_another_has_a_bound_of_its_own():
    analyzer = with_limits(RpmAnalyzer(), "", {"relation-bytes": 20})
    data = rpmdb.ndb([rpmdb.header("one", provides=["x" * 21]), rpmdb.header("two", requires=["one"])])
    value = analyzer.read(MemoryFile("var/lib/rpm/Packages", data))
    assert [row[-2:] for row in value["value"][1:]] == [["", ""], ["one", ""]]
    assert value["limit"].startswith("what one requires and provides was left out: more than 20 characters")


@pytest.mark.parametrize("compact_from", [0, 1 << 20])
def test_what_nobody_asks_for_is_not_kept(compact_from, monkeypatch):
    monkeypatch.setattr(plugin, "_COMPACT_FROM", compact_from)
    one = rpmdb.header("one", provides=["libone.so", "libone.so(ONE_1)", "unasked"], requires=["/bin/sh", "two"])
    two = rpmdb.header("two", requires=["libone.so", "libone.so(ONE_1)", "rpmlib(X)", "not there"])
    value = RpmAnalyzer().read(MemoryFile("var/lib/rpm/Packages", rpmdb.ndb([one, two])))
    assert [row[-2:] for row in value[1:]] == [
        ["two", "libone.so libone.so(ONE_1)"],
        ["libone.so libone.so(ONE_1)", ""],
    ]


def test_of_a_list_that_is_too_long_nothing_is_kept_and_it_is_told(monkeypatch):
    monkeypatch.setattr(header, "MAX_RELATIONS", 2)
    blob = rpmdb.header("one", requires=["a", "b", "c"])
    value = RpmAnalyzer().read(MemoryFile("var/lib/rpm/Packages", rpmdb.ndb([blob])))
    assert rpmdb.names(value["value"]) == ["one"]
    assert value[PARTIAL] == "damaged: one: tag 1049 claims 3 strings, more than 2; 1 packages were kept"
