"""Changes inside what is packed: bytes changed at random hardly ever get past a compression, a checksum or a length.

Each packing is taken apart, a part of it is changed (which may be packed itself), and all is put together again as the
format wants it: streams of a compression, also in the middle of a program; the members of zip, tar and ar; the headers
in an rpm database; base64 in PEM and JSON; the values of a JSON document; the texts of PHP's serialised form.
"""

from __future__ import annotations

import base64
import binascii
import bz2
import gzip
import io
import json
import lzma
import re
import sqlite3
import zipfile
import zlib
from collections.abc import Callable
from random import Random

from backports import zstd

from anchorecli.analyzers.os.rpm import bdb as bdb_reader
from anchorecli.analyzers.os.rpm import ndb as ndb_reader
from anchorecli.analyzers.os.rpm import sqlite as sqlite_reader
from tests.analyzers.os import rpmdb

Change = Callable[[bytes], bytes]
Step = Callable[[bytes, Change, Random], bytes]
MAX_INFLATED = 1 << 18
MAX_DEPTH = 4
_EMBEDDED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{24,}={0,2}")
_PEM = re.compile(rb"(?<=-----\n)[A-Za-z0-9+/=\n]{16,}(?=-----END)")
_PHP = re.compile(rb's:(\d{1,5}):"')
_RPM_TABLE = "CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)"


def changed_inside(data: bytes, change: Change, random: Random, depth: int = 0) -> bytes:
    """The bytes with a change inside of them; ``change`` itself where nothing is packed."""
    steps = [step for fits, step in PACKINGS if fits(data)] if depth < MAX_DEPTH else []
    random.shuffle(steps)

    def deeper(part: bytes) -> bytes:
        # What is packed itself is changed further in, but not always.
        return changed_inside(part, change, random, depth + 1) if random.random() < 0.8 else change(part)

    for step in steps:
        try:
            made = step(data, deeper, random)
        except _DAMAGE:
            continue  # it is damaged already
        if made != data:
            return made
    return change(data)


_DAMAGE = (
    *(ValueError, LookupError, OSError, EOFError, RecursionError, NotImplementedError, RuntimeError, TypeError),
    *(OverflowError, MemoryError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, zstd.ZstdError, sqlite3.Error),
)


# ── compressions ────────────────────────────────────────────────────────────────────────────────────────────────────


def _gzip(data: bytes, change: Change, _random: Random) -> bytes:
    with gzip.open(io.BytesIO(data)) as stream:
        return gzip.compress(change(stream.read(MAX_INFLATED)), 1, mtime=0)


def _zstd(data: bytes, change: Change, _random: Random) -> bytes:
    with zstd.open(io.BytesIO(data)) as stream:
        return bytes(zstd.compress(change(stream.read(MAX_INFLATED)), 1))


def _xz(data: bytes, change: Change, _random: Random) -> bytes:
    return lzma.compress(change(lzma.LZMADecompressor().decompress(data, MAX_INFLATED)), preset=0)


def _bzip2(data: bytes, change: Change, _random: Random) -> bytes:
    return bz2.compress(change(bz2.BZ2Decompressor().decompress(data, MAX_INFLATED)), 1)


def _embedded(data: bytes, change: Change, random: Random) -> bytes:
    """A stream in the middle: what follows stays where it is, as long as the stream is no longer than before."""
    at = random.choice([found.start() for found in _EMBEDDED.finditer(data)])
    wrapped = data[at : at + 1] == b"\x1f"
    stream = zlib.decompressobj(31 if wrapped else 15)
    inside = stream.decompress(data[at:], MAX_INFLATED)
    length = len(data) - at - len(stream.unused_data)
    inside = change(inside)
    packed = gzip.compress(inside, 9, mtime=0) if wrapped else zlib.compress(inside, 9)
    room = data[at + length : at + len(packed)]
    # Zeros behind it are nothing that could be shifted.
    length += len(room) - len(room.lstrip(b"\0"))
    return data[:at] + packed.ljust(length, b"\0") + data[at + length :]


# ── archives ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _zip(data: bytes, change: Change, random: Random) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(info, archive.read(info)) for info in archive.infolist()[:50] if info.file_size <= MAX_INFLATED]
        chosen = random.randrange(len(members))
        with zipfile.ZipFile(out, "w") as made:
            for place, (info, content) in enumerate(members):
                name = info.filename
                if place == chosen and random.random() < 0.1:
                    name = change(name.encode()).decode("utf-8", "replace")[:1000]
                elif place == chosen:
                    content = change(content)
                made.writestr(name, content, info.compress_type)
    # What stands in front of it is a program's, as of a PEX.
    start = data.find(b"PK\x03\x04")
    return data[: max(start, 0)] + out.getvalue()


def _tar(data: bytes, change: Change, random: Random) -> bytes:
    """A member's header or content, its checksum and size made right again."""
    members: list[tuple[int, int]] = []
    at = 0
    while at + 512 <= len(data) and data[at : at + 1] != b"\0" and len(members) < 200:
        size = int(data[at + 124 : at + 136].strip(b"\0 ") or b"0", 8)
        members.append((at, size))
        at += 512 + size + -size % 512
    at, size = random.choice(members)
    head, content, rest = data[at : at + 512], data[at + 512 : at + 512 + size], data[at + 512 + size + -size % 512 :]
    if size and random.random() < 0.7:
        content = change(content)
        head = head[:124] + b"%011o\0" % len(content) + head[136:]
    else:
        head = change(head)[:512].ljust(512, b"\0")
    head = head[:148] + b" " * 8 + head[156:]
    head = head[:148] + b"%06o\0 " % sum(head) + head[156:]
    return data[:at] + head + content + bytes(-len(content) % 512) + rest


def _ar(data: bytes, change: Change, random: Random) -> bytes:
    members = []
    at = 8
    while at + 60 <= len(data):
        size = int(data[at + 48 : at + 58])
        members.append((at, size))
        at += 60 + size + size % 2
    at, size = random.choice(members)
    content, rest = change(data[at + 60 : at + 60 + size]), data[at + 60 + size + size % 2 :]
    head = data[at : at + 48] + b"%-10d" % len(content) + data[at + 58 : at + 60]
    return data[:at] + head + content + b"\n" * (len(content) % 2) + rest


def _rpm(data: bytes, change: Change, random: Random) -> bytes:
    """A header in a database of any kind, which is made anew around it."""
    stream, damage = io.BytesIO(data), list[str]()
    if data.startswith(b"SQLite"):
        blobs = list(sqlite_reader.headers(stream, len(data), damage))
    elif data.startswith(b"RpmP"):
        blobs = list(ndb_reader.headers(stream, len(data), damage))
    else:
        blobs = list(bdb_reader.headers(stream, len(data), damage))
    chosen = random.randrange(len(blobs))
    blobs[chosen] = change(blobs[chosen])
    if data.startswith(b"SQLite"):
        return rpmdb.sqlite_file(["PRAGMA page_size = 512", _RPM_TABLE], blobs)
    if data.startswith(b"RpmP"):
        return rpmdb.ndb(blobs)
    order, kind = random.choice((("<", 13), (">", 13), ("<", 2), (">", 2)))
    return rpmdb.bdb(blobs, page=512, order=order, page_type=kind)


# ── texts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _base64(data: bytes, change: Change, random: Random) -> bytes:
    found = random.choice(list(_BASE64.finditer(data)))
    inside = base64.b64decode(found[0].replace(b"-", b"+").replace(b"_", b"/"), validate=True)
    return data[: found.start()] + base64.b64encode(change(inside)) + data[found.end() :]


def _pem(data: bytes, change: Change, random: Random) -> bytes:
    found = random.choice(list(_PEM.finditer(data)))
    inside = change(binascii.a2b_base64(found[0]))
    return data[: found.start()] + base64.encodebytes(inside) + data[found.end() :]


def _php(data: bytes, change: Change, random: Random) -> bytes:
    found = random.choice(list(_PHP.finditer(data)))
    end = found.end() + int(found[1])
    text = change(data[found.end() : end])
    return b'%ss:%d:"%s%s' % (data[: found.start()], len(text), text, data[end:])


_ODD: tuple[object, ...] = (
    None, True, 0, -1, 1e308, 10**30, "", "\0", "\ud800", "\u202e", " ", "1", "a" * 300, [], {}, [[]], [None], {"": 0},
)  # fmt: skip


def _json(data: bytes, change: Change, random: Random) -> bytes:
    """A value of the document: taken away, doubled, put elsewhere, made one of another kind or changed as text."""
    document = json.loads(data)
    places: list[tuple[dict[str, object] | list[object], object]] = []
    _walk(document, places)
    holder, key = random.choice(places)
    value = holder[key]  # type: ignore[index, call-overload]
    match random.randrange(6):
        case 0:
            del holder[key]  # type: ignore[arg-type]
        case 1:
            other, place = random.choice(places)
            holder[key] = json.loads(json.dumps(other[place]))  # type: ignore[index, call-overload]
        case 2 if isinstance(holder, list):
            holder.extend(holder[: random.randrange(1, 5)])
        case 3 | 4 if isinstance(value, str):
            text = change(value.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")
            holder[key] = text[:5000]  # type: ignore[index, call-overload]
        case _:
            holder[key] = random.choice(_ODD)  # type: ignore[index, call-overload]
    return json.dumps(document).encode()


def _walk(value: object, places: list[tuple[dict[str, object] | list[object], object]]) -> None:
    items: list[tuple[object, object]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    for key, inner in items[:200]:
        places.append((value, key))  # type: ignore[arg-type]
        if len(places) < 5000:
            _walk(inner, places)


def _json_line(data: bytes, change: Change, random: Random) -> bytes:
    lines = data.split(b"\n")
    place = random.randrange(len(lines))
    lines[place] = _json(lines[place], change, random)
    return b"\n".join(lines)


def _begins(*marks: bytes) -> Callable[[bytes], bool]:
    return lambda data: data.startswith(marks)


PACKINGS: tuple[tuple[Callable[[bytes], bool], Step], ...] = (
    (_begins(b"\x1f\x8b"), _gzip),
    (_begins(b"\x28\xb5\x2f\xfd"), _zstd),
    (_begins(b"\xfd7zXZ"), _xz),
    (_begins(b"BZh"), _bzip2),
    (lambda data: _EMBEDDED.search(data, 1) is not None, _embedded),
    (lambda data: b"PK\x05\x06" in data, _zip),
    (lambda data: data[257:262] == b"ustar", _tar),
    (_begins(b"!<arch>\n"), _ar),
    (_begins(b"SQLite", b"RpmP"), _rpm),
    (lambda data: data[12:16] in (b"\x61\x15\x06\0", b"\0\x06\x15\x61"), _rpm),
    (lambda data: b"-----BEGIN" in data, _pem),
    (_begins(b"{", b"["), _json),
    (_begins(b"{", b"["), _json_line),
    (lambda data: data[:1] in (b"{", b"[") and _BASE64.search(data) is not None, _base64),
    (_begins(b"a:"), _php),
)
"""How a packing is known, and what takes it apart and puts it together."""
