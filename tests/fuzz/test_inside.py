"""Changes inside what is packed come out as the same packing, changed within."""

from __future__ import annotations

import base64
import bz2
import gzip
import json
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from io import BytesIO
from random import Random

import pytest
from backports import zstd

from anchorecli.analyzers.os.rpm import bdb, ndb, sqlite
from tests import builders
from tests.analyzers.binary import executables
from tests.analyzers.binary import test_nativeimage as nativeimage
from tests.analyzers.language.jars import jar
from tests.analyzers.os import rpmdb
from tests.fuzz.inside import changed_inside
from tests.fuzz.parsers import parsers
from tests.fuzz.samples import samples


def marked(data: bytes) -> bytes:
    """A change that is known again."""
    return data[: len(data) // 2] + b"MARK" + data[len(data) // 2 :]


def changed(data: bytes, seed: int) -> bytes:
    return changed_inside(data, marked, Random(seed))


@pytest.mark.parametrize("seed", range(20))
def test_members_of_archives(seed: int) -> None:
    inner = jar({"inner.txt": "inner"})
    with zipfile.ZipFile(BytesIO(changed(jar({"a.txt": "a", "b.jar": inner}), seed))) as archive:
        whole = b"".join(name.encode() + archive.read(name) for name in archive.namelist())
        assert archive.testzip() is None
    assert whole != b"a.txt" + b"a" + b"b.jar" + inner
    packed = changed(gzip.compress(builders.layer({"a": "x" * 9, "b/c": "y"})), seed)
    with tarfile.open(fileobj=BytesIO(gzip.decompress(packed)), errorlevel=2) as tar:
        assert len(tar.getnames()) == 2


@pytest.mark.parametrize(
    ("pack", "unpack"),
    [
        (gzip.compress, gzip.decompress), (zstd.compress, zstd.decompress), (lzma.compress, lzma.decompress),
        (bz2.compress, bz2.decompress),
    ],
)  # fmt: skip
def test_streams(pack: Callable[[bytes], bytes], unpack: Callable[[bytes], bytes]) -> None:
    assert unpack(changed(pack(b"plain text"), 1)) == b"plainMARK text"


def test_a_stream_in_a_program_stays_where_it_is() -> None:
    program = executables.elf({".svm_heap": b"heap", ".data": nativeimage.packed() + bytes(200)})
    made = changed(program, 3)
    assert len(made) == len(program) and made != program
    assert made.index(b"\x1f\x8b\x08") == program.index(b"\x1f\x8b\x08")


@pytest.mark.parametrize("seed", range(5))
def test_headers_of_rpm_databases(seed: int) -> None:
    blobs = [rpmdb.header("bash"), rpmdb.header("zlib")]
    table = "CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)"
    made = {sqlite: rpmdb.sqlite_file([table], blobs), ndb: rpmdb.ndb(blobs), bdb: rpmdb.bdb(blobs, page=512)}
    for reader, database in made.items():
        data = changed(database, seed)
        damage: list[str] = []
        read = list(reader.headers(BytesIO(data), len(data), damage))
        assert not damage
        assert sorted(b"MARK" in each for each in read) == [False, True]


def test_texts() -> None:
    pem = changed(b"-----BEGIN X-----\n" + base64.encodebytes(bytes(30)) + b"-----END X-----\n", 1)
    assert b"MARK" in base64.b64decode(pem.splitlines()[1])
    found = {changed(b'a:1:{s:4:"name";s:5:"value";}', seed) for seed in range(9)}
    assert found == {b'a:1:{s:8:"naMARKme";s:5:"value";}', b'a:1:{s:4:"name";s:9:"vaMARKlue";}'}
    document = {"a": "text", "b": [1, {"c": base64.b64encode(b"payload" * 9).decode()}]}
    for seed in range(50):
        json.loads(changed(json.dumps(document).encode(), seed).split(b"\n")[0])


def test_what_is_not_packed_is_changed_itself() -> None:
    assert changed(b"plain text", 1) == marked(b"plain text")
    # A damaged packing is plain bytes.
    assert changed(b"\x1f\x8bplain text", 1) == marked(b"\x1f\x8bplain text")


@pytest.mark.parametrize("parser", sorted({sample.parser for sample in samples()} - {"malware", "retrieve"}))
def test_every_sample_can_be_changed_inside(parser: str) -> None:
    look = parsers()[parser]
    for sample in samples():
        if sample.parser == parser:
            made = [changed(sample.data, seed) for seed in range(4)]
            assert any(each != sample.data for each in made)
            for each in made:
                look(sample.path, each)
