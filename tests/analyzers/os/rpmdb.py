"""rpm databases built in code: headers, and each of the three containers around them."""

from __future__ import annotations

import sqlite3
import struct
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path

STRING, STRINGS, I18N, CHAR, INT16, INT32, INT64, BINARY = 6, 8, 9, 1, 3, 4, 5, 7
_NUMBERS = {CHAR: "B", INT16: "H", INT32: "I", INT64: "Q"}
NAME, VERSION, RELEASE, EPOCH, SIZE, VENDOR, LICENSE, ARCH, SOURCE = (
    *(1000, 1001, 1002, 1003, 1009, 1011, 1014, 1022, 1044),
)
INDEXES, BASES, DIRECTORIES, OLD_NAMES, LONG_SIZE, MODULE, SUMMARY = 1116, 1117, 1118, 1027, 5009, 5096, 1004
PROVIDES, REQUIRES = 1047, 1049

Tags = dict[int, tuple[int, object]]


def header(name: str = "bash", evr: str = "5.1.8-6.el9", files: Sequence[str] = (), **extra: object) -> bytes:
    """A package's header; ``extra`` is epoch, arch, source, license, vendor, size, module, provides, requires, or
    ``tags`` as they are."""
    version, _, release = evr.partition("-")
    tags: Tags = {
        NAME: (STRING, name),
        VERSION: (STRING, version),
        RELEASE: (STRING, release),
        SUMMARY: (I18N, ["a summary", "eine Zusammenfassung"]),
        ARCH: (STRING, extra.get("arch", "x86_64")),
        SOURCE: (STRING, extra.get("source", f"{name}-{evr}.src.rpm")),
        LICENSE: (STRING, extra.get("license", "GPLv3+")),
        VENDOR: (STRING, extra.get("vendor", "Example")),
        SIZE: (INT32, [extra.get("size", 4096)]),
    }
    if "epoch" in extra:
        tags[EPOCH] = (INT32, [extra["epoch"]])
    if "module" in extra:
        tags[MODULE] = (STRING, extra["module"])
    if files:
        directories = sorted({path.rpartition("/")[0] + "/" for path in files})
        tags[INDEXES] = (INT32, [directories.index(path.rpartition("/")[0] + "/") for path in files])
        tags[BASES] = (STRINGS, [path.rpartition("/")[2] for path in files])
        tags[DIRECTORIES] = (STRINGS, directories)
    for tag, key in ((PROVIDES, "provides"), (REQUIRES, "requires")):
        if key in extra:
            tags[tag] = (STRINGS, extra[key])
    tags.update(extra.get("tags", {}))  # type: ignore[call-overload]
    return raw_header([(tag, *value) for tag, value in tags.items()])


def names(fact: Sequence[Sequence[str]]) -> list[str]:
    """Of the packages in a database's fact, which has its kind as first row."""
    return [row[0] for row in fact[1:]]


def raw_header(tags: Sequence[tuple[int, int, object]]) -> bytes:
    """Index and data of tags in the order given, which may repeat."""
    index = b""
    data = b""
    for tag, kind, value in tags:
        encoded, count = _encoded(kind, value)
        if kind in _NUMBERS:
            data += b"\0" * (-len(data) % struct.calcsize(_NUMBERS[kind]))
        index += struct.pack(">IIII", tag, kind, len(data), count)
        data += encoded
    return struct.pack(">II", len(tags), len(data)) + index + data


def _encoded(kind: int, value: object) -> tuple[bytes, int]:
    if kind in (STRING, BINARY):
        data = value if isinstance(value, bytes) else str(value).encode() + b"\0"
        return data, 1 if kind == STRING else len(data)
    items = list(value)  # type: ignore[call-overload]
    if kind in _NUMBERS:
        return struct.pack(f">{len(items)}{_NUMBERS[kind]}", *items), len(items)
    return b"".join(str(item).encode() + b"\0" for item in items), len(items)


def sqlite(headers: Sequence[bytes], *, wal: bool = False) -> bytes:
    """``rpmdb.sqlite``."""
    statements = ["CREATE TABLE IF NOT EXISTS 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)"]
    return sqlite_file(statements, headers, wal=wal)


def sqlite_file(statements: Sequence[str], headers: Sequence[bytes] = (), *, wal: bool = False) -> bytes:
    """A SQLite file of any schema, with the headers in its table ``Packages``."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "db"
        connection = sqlite3.connect(path)
        if wal:
            connection.execute("PRAGMA journal_mode = WAL")
        for statement in statements:
            connection.execute(statement)
        if headers:
            connection.executemany("INSERT INTO Packages (blob) VALUES (?)", [(blob,) for blob in headers])
        connection.commit()
        connection.close()
        return path.read_bytes()


def wal_log(*, frames: int, stale: int = 0, page: int = 512) -> bytes:
    """``rpmdb.sqlite-wal`` with frames of its own run and of an earlier one."""
    head = struct.pack(">IIIIIIII", 0x377F0682, 3007000, page, 1, 111, 222, 0, 0)
    own = struct.pack(">IIIIII", 1, 1, 111, 222, 0, 0) + bytes(page)
    old = struct.pack(">IIIIII", 1, 1, 99, 98, 0, 0) + bytes(page)
    return head + own * frames + old * stale


def ndb(headers: Sequence[bytes], *, free: int = 1) -> bytes:
    """``Packages.db``; the first slots are free, the last package comes first on the disk."""
    slots = 4096 // 16 - 2
    pages = 1 + (len(headers) + free) // slots
    table = [(0, 0, 0)] * free
    body = bytearray()
    offset = pages * 256
    for number, blob in reversed(list(enumerate(headers, 1))):
        padding = -(16 + len(blob) + 12) % 16
        head = b"BlbS" + struct.pack("<III", number, 7, len(blob))
        check = zlib.adler32(head + blob + bytes(padding))
        record = head + blob + bytes(padding) + struct.pack("<II", check, len(blob)) + b"BlbE"
        table.append((number, offset, len(record) // 16))
        body += record
        offset += len(record) // 16
    table += [(0, 0, 0)] * (pages * 256 - 2 - len(table))
    head = b"RpmP" + struct.pack("<IIII", 0, 3, pages, len(headers) + 1) + bytes(12)
    return head + b"".join(b"Slot" + struct.pack("<III", *slot) for slot in table) + body


def bdb(headers: Sequence[bytes], *, order: str = "<", page: int = 4096, page_type: int = 13) -> bytes:
    """``Packages``: one hash page per package, values of more than a quarter page on overflow pages."""
    pages: list[bytes] = [b""]
    counter = (0).to_bytes(4, "little"), struct.pack(f"{order}I", len(headers))
    pages.append(_hash_page(order, page, page_type, 1, [(b"\1" + counter[0], b"\1" + counter[1])]))
    for number, blob in enumerate(headers, 1):
        key = b"\1" + struct.pack(f"{order}I", number)
        place = len(pages)
        if len(blob) <= page // 4:
            pages.append(_hash_page(order, page, page_type, place, [(key, b"\1" + blob)]))
            continue
        value = b"\3\0\0\0" + struct.pack(f"{order}II", place + 1, len(blob))
        pages.append(_hash_page(order, page, page_type, place, [(key, value)]))
        step = page - 26
        chunks = [blob[start : start + step] for start in range(0, len(blob), step)]
        for more, chunk in enumerate(chunks, 1):
            following = place + 1 + more if more < len(chunks) else 0
            head = struct.pack(f"{order}8xIIIHHBB", place + more, place + more - 1, following, 1, len(chunk), 0, 7)
            pages.append((head + chunk).ljust(page, b"\0"))
    meta = struct.pack(f"{order}8xIIIIBBBBII", 0, 0x061561, 9, page, 0, 8, 0, 0, 0, len(pages) - 1)
    pages[0] = meta.ljust(page, b"\0")
    return b"".join(pages)


def _hash_page(order: str, page: int, kind: int, number: int, pairs: Sequence[tuple[bytes, bytes]]) -> bytes:
    items = [item for pair in pairs for item in pair]
    body = b""
    offsets = []
    for item in items:
        body = item + body
        offsets.append(page - len(body))
    index = struct.pack(f"{order}{len(items)}H", *offsets)
    head = struct.pack(f"{order}8xIIIHHBB", number, 0, 0, len(items), offsets[-1], 0, kind)
    return head + index + bytes(page - len(head) - len(index) - len(body)) + body
