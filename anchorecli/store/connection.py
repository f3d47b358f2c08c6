"""Opening the store's file, its transactions, and SQLite's errors in words.

WAL with ``synchronous=NORMAL``: a process killed at any moment loses nothing it committed; readers never wait, and
writers wait for each other. Every write is a short ``BEGIN IMMEDIATE`` transaction and every read has one snapshot.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from errno import EACCES
from pathlib import Path

from anchorecli.errors import SpaceError, StoreError
from anchorecli.store import migrations

BUSY_SECONDS = 30.0
_CACHE_KIB = 32 * 1024
_SMALLEST = 512
"""Bytes: the smallest page, hence the smallest database that is not empty."""
_WAL_KEEP_BYTES = 16 * 1024 * 1024


class Session:
    """One connection for several threads: one transaction at a time, errors as StoreError."""

    def __init__(self, path: Path, db: sqlite3.Connection, *, readonly: bool) -> None:
        self.path = path
        self.readonly = readonly
        self._db = db
        self._lock = threading.RLock()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A transaction that only reads: one snapshot, one lock for all its queries.

        Inside another one of the same thread it is a part of that.
        """
        with self._lock, storage_errors(self.path):
            if self._db.in_transaction:
                yield self._db
                return
            with transaction(self._db, "BEGIN"):
                yield self._db

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that writes: all of it or nothing."""
        self.require_write()
        with self._lock, storage_errors(self.path), transaction(self._db, "BEGIN IMMEDIATE"):
            yield self._db

    def require_write(self) -> None:
        """Raises: StoreError for a store that was opened for reading only."""
        if self.readonly:
            raise StoreError(f"{self.path}: the store is open for reading only", hint="open it with write permission")

    @contextmanager
    def private(self) -> Iterator[sqlite3.Connection]:
        """Another connection to the same file, for work that takes long; the caller begins its transactions."""
        with storage_errors(self.path):
            db = connect(self.path, readonly=self.readonly)
            try:
                yield db
            finally:
                db.close()

    def attempt(self, action: Callable[[sqlite3.Connection], None]) -> None:
        """A write that is given up rather than waited for, such as the time something was last used."""
        with self._without_waiting(), transaction(self._db, "BEGIN IMMEDIATE"):
            action(self._db)

    def trim(self) -> None:
        """Move the log into the file and cut it to nothing, unless somebody is using it."""
        with self._without_waiting():
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close the connection; more than once is fine."""
        with self._lock:
            self._db.close()

    @contextmanager
    def _without_waiting(self) -> Iterator[None]:
        with self._lock, suppress(sqlite3.OperationalError):
            self._db.execute("PRAGMA busy_timeout = 0")
            try:
                yield
            finally:
                self._db.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")


def open_session(path: Path, *, readonly: bool) -> Session:
    """Open the store at ``path``; for writing it is made, with its directories, where there is none.

    Raises: StoreError where it cannot be opened, is no store, is damaged, or is of a newer version.
    """
    path = path.absolute()
    with storage_errors(path):
        if path.is_dir():
            raise StoreError(f"{path} is a directory, the store is a file", hint=f"write --store {path / 'store.db'}")
        if not readonly:
            _make_file(path)
        elif not path.exists():
            raise StoreError(f"{path}: there is no store", hint=_FILL_IT)
        if 0 < _size(path) < _SMALLEST:  # SQLite takes this for an empty database and would write over it
            raise StoreError(f"{path}: this is not a store (not an SQLite database)", hint=_ANOTHER_FILE)
        db = connect(path, readonly=readonly)
        try:
            _settle_schema(db, path, readonly=readonly)
        except BaseException:
            db.close()
            raise
        return Session(path, db, readonly=readonly)


def connect(path: Path, *, readonly: bool) -> sqlite3.Connection:
    """A connection to an existing file, without transactions of its own making.

    A directory nobody may write to has no place for SQLite's lock and log files: there a reader takes the file as it
    is, provided that no log holds newer pages.
    """
    uri = path.as_uri()
    try:
        return _connect(f"{uri}?mode={'ro' if readonly else 'rw'}")
    except sqlite3.OperationalError as error:
        wal = path.with_name(path.name + "-wal")
        code = error.sqlite_errorcode & 0xFF
        if not readonly or code not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY) or _size(wal):
            raise
        return _connect(f"{uri}?mode=ro&immutable=1")


def clean_size(number: int) -> int:
    """A number that SQLite can hold; images may claim any."""
    return max(-1, min(number, 2**63 - 1))


def clean_text(text: str) -> str:
    """Text that SQLite can hold: what is no Unicode (a file name's raw byte, half a surrogate pair) becomes ``?``."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def clean(value: str | int) -> str | int:
    """Either of the two."""
    return clean_text(value) if isinstance(value, str) else clean_size(value)


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system raise into a StoreError that names the file and the next step."""
    try:
        yield
    except sqlite3.Error as error:
        raise _store_error(path, error) from error


@contextmanager
def transaction(db: sqlite3.Connection, begin: str) -> Iterator[None]:
    """A transaction begun by the statement ``begin``: committed at the end, undone by any exception."""
    db.execute(begin)
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            with suppress(sqlite3.Error):
                db.execute("ROLLBACK")
        raise


def _connect(uri: str) -> sqlite3.Connection:
    db = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        db.execute(f"PRAGMA journal_size_limit = {_WAL_KEEP_BYTES}")
        # Nothing of the file has been read so far; whether it can be is known here, not in the middle of a scan.
        db.execute("PRAGMA schema_version").fetchone()
    except BaseException:
        db.close()
        raise
    return db


def _make_file(path: Path) -> None:
    """Directories 0700 and file 0600: what images contain is nobody else's business."""
    try:
        for parent in reversed(path.parents):
            if not parent.exists():
                with suppress(FileExistsError):
                    parent.mkdir(mode=0o700)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            return
        # Not opened to find out: closing a file drops every lock that this process's other connections have on it.
        # Without this SQLite would open it for reading and complain at the first write.
        if not os.access(path, os.W_OK):
            raise PermissionError(EACCES, os.strerror(EACCES))
    except OSError as error:
        message = f"{path}: the store cannot be written: {error.strerror}"
        raise StoreError(message, hint=_ANOTHER_PLACE) from error


def _settle_schema(db: sqlite3.Connection, path: Path, *, readonly: bool) -> None:
    version = _version(db, path)
    if version == migrations.SCHEMA_VERSION:
        return
    if readonly:
        if not version:
            raise StoreError(f"{path}: the file is empty", hint=_FILL_IT)
        _upgrade_beside(path, version)
        return
    if version == 0:
        _wal(db)
    with transaction(db, "BEGIN IMMEDIATE"):
        version = _version(db, path)  # another process may have been faster
        if version == 0:
            migrations.create(db)
            return
        if version < migrations.SCHEMA_VERSION:
            migrations.upgrade(db)
    shrink(db)


def shrink(db: sqlite3.Connection) -> None:
    """Give free pages back to the file system, a few at a time so that others can write in between."""
    while (before := _free_pages(db)) > 0:
        db.execute("PRAGMA incremental_vacuum(2000)").fetchall()
        if _free_pages(db) >= before:
            return


def _free_pages(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA freelist_count").fetchone()[0])


def _upgrade_beside(path: Path, version: int) -> None:
    """Bring an older store up to date for somebody who only reads it: who may write it need not think of that.

    Raises: StoreError where nobody may write it, on a medium or in a directory for reading only.
    """
    try:
        db = connect(path, readonly=False)
        try:
            _settle_schema(db, path, readonly=False)
        finally:
            db.close()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
            raise
        ours = migrations.SCHEMA_VERSION
        raise StoreError(
            f"{path}: the store has schema version {version}, older than this program's {ours}, and cannot be written",
            hint="copy it to where you may write, and name the copy with --store: it is brought up to date there",
        ) from error


def _version(db: sqlite3.Connection, path: Path) -> int:
    """The schema version, 0 for an empty file; StoreError for somebody else's file or a newer version."""
    # One statement, hence one moment: another process may be making the store.
    application, version, filled = db.execute(
        "SELECT application_id, user_version, EXISTS (SELECT 1 FROM sqlite_master)"
        " FROM pragma_application_id, pragma_user_version"
    ).fetchone()
    if application != migrations.APPLICATION_ID:
        if application or version or filled:
            raise StoreError(f"{path}: this is an SQLite database, but not a store of anchore", hint=_ANOTHER_FILE)
        return 0
    if version > migrations.SCHEMA_VERSION:
        raise StoreError(
            f"{path}: the store is of schema version {version}; this program knows up to {migrations.SCHEMA_VERSION}",
            hint="it was written by a newer anchore: update this one, or name another store with --store",
        )
    return int(version)


def _wal(db: sqlite3.Connection) -> None:
    """Set what must be set before the first page is written. Two processes may do so at the same moment."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            # A cold file of feeds is read a tenth sooner in pages of this size than in those of 4 KiB.
            db.execute("PRAGMA page_size = 8192")
            db.execute("PRAGMA auto_vacuum = INCREMENTAL")
            db.execute("PRAGMA journal_mode = WAL").fetchone()
            return
        except sqlite3.OperationalError as error:
            # The change of mode does not wait as statements do: it reports busy at once.
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


_ANOTHER_FILE = "name another file with --store PATH or ANCHORE_STORE"
_FILL_IT = "scan an image or sync the feeds first"
_ANOTHER_PLACE = "choose another place with --store PATH or ANCHORE_STORE, or correct its permissions"
_REBUILD = (
    "move it away: the next scan and `anchore feeds sync` build a new one (`sqlite3 FILE .recover` may save more)"
)

_MAKE_ROOM = "make room there or in $TMPDIR, or put the store elsewhere with --store; what it held is still there"
_BESIDE_BYTES = 64 * 1024

_FAULTS: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_NOTADB: ("this is not a store (not an SQLite database)", _ANOTHER_FILE),
    sqlite3.SQLITE_CORRUPT: ("the store is damaged", _REBUILD),
    sqlite3.SQLITE_READONLY: ("the store cannot be written", _ANOTHER_PLACE),
    sqlite3.SQLITE_CANTOPEN: ("the store cannot be opened", _ANOTHER_PLACE),
    sqlite3.SQLITE_PERM: ("the store cannot be opened", _ANOTHER_PLACE),
    sqlite3.SQLITE_IOERR: ("the disk reports an error", "check the disk; nothing committed before was lost"),
    sqlite3.SQLITE_BUSY: (
        f"another process has been writing for more than {BUSY_SECONDS:.0f} seconds",
        "wait for it to finish and run the command again",
    ),
}


def _store_error(path: Path, error: sqlite3.Error) -> StoreError:
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None and (code & 0xFF == sqlite3.SQLITE_FULL or (_is_about_the_disk(code) and _is_full(path))):
        return _no_room(path)
    known = _FAULTS.get(code & 0xFF) if code is not None else None
    if known is None:
        return StoreError(f"{path}: {error}", hint="please report this, with the command that led to it")
    fault, hint = known
    return StoreError(f"{path}: {fault} ({error.sqlite_errorname})", hint=hint)


def _free(place: Path) -> int:
    from shutil import disk_usage  # with every kind of compression

    return disk_usage(place).free


def _is_about_the_disk(code: int) -> bool:
    return code & 0xFF in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)


def _is_full(path: Path) -> bool:
    """Whether there is no room for what SQLite keeps beside the file even for reading."""
    try:
        return _free(path.parent) < _BESIDE_BYTES
    except OSError:
        return False


def _no_room(path: Path) -> SpaceError:
    """Says which file system it is: that of a home is seldom the one with the room."""
    place = path.parent
    while not place.is_mount() and place != place.parent:
        place = place.parent
    try:
        left = f", {_free(place) / 1e6:,.1f} MB free"
    except OSError:
        left = ""
    return SpaceError(f"{path}: the disk is full ({place}{left})", hint=_MAKE_ROOM)
