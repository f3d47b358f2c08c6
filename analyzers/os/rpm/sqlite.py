"""Headers from an rpm database in SQLite (rpm 4.16 and later).

Format: https://www.sqlite.org/fileformat2.html, a table ``Packages (hnum INTEGER PRIMARY KEY, blob BLOB)``. The file
comes from a stranger: it is opened from a private copy, read-only and immutable, without trust in its schema, and only
where ``Packages`` is a plain table of plain columns.

Not handled: changes that stand only in the write-ahead log; ``wal_frames`` tells whether there are any.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, BinaryIO

from anchorecli.analyzers.os.rpm.header import MAX_BYTES

if TYPE_CHECKING:
    import sqlite3

MAGIC = b"SQLite format 3\0"
MAX_STEPS = 200
"""Millions of virtual machine instructions; a real database of 5,000 packages takes a tenth of one."""

_WAL_MAGIC = frozenset({b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83"})
_MAX_FRAMES = 1_000_000


def headers(stream: BinaryIO, size: int, damage: list[str]) -> Iterator[bytes]:
    """Every header in the order of installation; what cannot be read is told in ``damage``."""
    import sqlite3
    import tempfile
    from pathlib import Path
    from shutil import copyfileobj

    stream.seek(0)
    if missing := _missing(stream.read(100), size):
        damage.append(f"SQLite: cut short, {missing} bytes are missing")
    stream.seek(0)
    with tempfile.NamedTemporaryFile(prefix="anchore-rpmdb-") as copy:
        copyfileobj(stream, copy, 1 << 20)
        copy.flush()
        place = f"{Path(copy.name).as_uri()}?mode=ro&immutable=1"
        try:
            with closing(sqlite3.connect(place, uri=True)) as connection:
                yield from _rows(connection, size, damage)
        except (sqlite3.Error, UnicodeDecodeError) as exc:
            # SQLite's own complaint quotes the damaged schema, which need not be UTF-8.
            damage.append(f"SQLite: {exc}")
        except MemoryError:
            # What it says of some damage too; there is no more in its memory than a page cache and one row.
            damage.append("SQLite: out of memory, as a damaged file may have it")


def wal_frames(stream: BinaryIO) -> int:
    """Frames of a write-ahead log that belong to its last run: changes that may not be in the database itself."""
    head = stream.read(32)
    if len(head) < 32 or head[:4] not in _WAL_MAGIC:
        return 0
    page = int.from_bytes(head[8:12], "big")
    if not 512 <= page <= 65536:
        return 0
    frames = 0
    while frames < _MAX_FRAMES:
        frame = stream.read(24)
        # What an earlier run left behind has another salt.
        if len(frame) < 24 or frame[8:16] != head[16:24]:
            break
        frames += 1
        stream.seek(page, 1)
    return frames


def _missing(head: bytes, size: int) -> int:
    """How many bytes the file should have beyond those that are there: SQLite takes them for zeros."""
    page = int.from_bytes(head[16:18], "big")
    page = 65536 if page == 1 else page
    # The count of pages holds only where the change counter it was written with is the file's.
    pages = int.from_bytes(head[28:32], "big") if head[24:28] == head[92:96] else 0
    return max(0, pages * page - size) or (-size % page if page else 0)


def _rows(connection: sqlite3.Connection, size: int, damage: list[str]) -> Iterator[bytes]:
    import sqlite3

    steps = iter(range(MAX_STEPS))
    # A non-zero answer interrupts the query: none over a plain table comes near it.
    connection.set_progress_handler(lambda: next(steps, None) is None, 1_000_000)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_BYTES + 1024)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    if not _is_plain_table(connection):
        damage.append("no table Packages of the form that rpm makes")
        return
    # Without ORDER BY the rows come as they stand, which for rpm's table is by number, and nothing is sorted.
    query = "SELECT hnum, CASE WHEN length(blob) <= ? THEN blob END FROM Packages"
    left = size
    for number, blob in connection.execute(query, (MAX_BYTES,)):
        # In a file that is sound the rows share no pages, so together they are no longer than it.
        if not isinstance(blob, bytes) or len(blob) > left:
            damage.append(f"record {number} is no header, or one of absurd size")
        else:
            left -= len(blob)
            yield blob


def _is_plain_table(connection: sqlite3.Connection) -> bool:
    # Views, virtual tables (without a root page) and computed columns would run what a stranger wrote.
    query = "SELECT count(*) FROM sqlite_master WHERE name = 'Packages' AND type = 'table' AND rootpage > 0"
    if connection.execute(query).fetchone() != (1,):
        return False
    columns = {row[1]: row[6] for row in connection.execute("PRAGMA table_xinfo(Packages)")}
    return columns.get("hnum") == 0 and columns.get("blob") == 0
