from __future__ import annotations

import re
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlite_utils import Database

from anchorecli.errors import StoreError
from anchorecli.store import asked_tables, migrations, open_store
from tests.store.values import advisory, facts, feed, put

LAST = migrations.MIGRATIONS[-1][0]


def schema(db: sqlite3.Connection) -> list[tuple[str, ...]]:
    rows = db.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    # sqlite-utils' own table may be laid out differently from one of its versions to the next.
    return sorted(
        (kind, name, table, " ".join((sql or "").split()))
        for kind, name, table, sql in rows
        if "_sqlite_mi" not in name
    )


def record(db: sqlite3.Connection) -> list[object]:
    columns = [(row[1], row[2], row[5]) for row in db.execute("PRAGMA table_info(_sqlite_migrations)")]
    unique = sorted(
        tuple(row) for row in db.execute("SELECT name, \"unique\" FROM pragma_index_list('_sqlite_migrations')")
    )
    applied = db.execute("SELECT migration_set, name FROM _sqlite_migrations ORDER BY id").fetchall()
    return [columns, unique, applied]


def migrated(path: Path, stop_before: str | None = None) -> sqlite3.Connection:
    """A store as sqlite-utils makes it, up to a migration."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA auto_vacuum = INCREMENTAL")
    db.execute("PRAGMA journal_mode = WAL")
    migrations.registered().apply(Database(db), stop_before=stop_before)
    return db


def test_a_new_store_and_a_migrated_one_are_alike(path: Path, tmp_path: Path) -> None:
    other = migrated(tmp_path / "other.db")
    with open_store(path) as store, store._session.read() as db:
        assert schema(db) == schema(other)
        assert record(db) == record(other)
        for pragma in ("user_version", "application_id", "auto_vacuum", "journal_mode"):
            mine, theirs = (each.execute(f"PRAGMA {pragma}").fetchone() for each in (db, other))
            assert mine == theirs, pragma
        assert db.execute("SELECT * FROM history").fetchall() == other.execute("SELECT * FROM history").fetchall()
    other.close()


def test_sqlite_utils_finds_nothing_left_to_apply(path: Path) -> None:
    with open_store(path):
        pass
    assert migrations.registered().pending(Database(str(path))) == []


def older(path: Path) -> None:
    """A store with content, from before the last migration."""
    path.parent.mkdir()
    migrated(path, stop_before=LAST).close()
    db = sqlite3.connect(path)
    db.execute("INSERT INTO layer VALUES (1, 'sha256:a', '', 0, NULL)")
    db.execute("INSERT INTO fact VALUES (1, 1, 'dpkg', 1, '', 'ok', '', x'00ff')")
    db.execute("INSERT INTO ecosystem VALUES (1, 'pypi')")
    db.commit()
    db.close()


def test_an_older_store_is_brought_up_to_date_without_loss(path: Path, tmp_path: Path) -> None:
    older(path)
    with open_store(path) as store:
        put(store, "debian")
        store.sync_feed(feed(), [advisory("CVE-1", "x", ecosystem="pypi")])
        store.watch_add("a", "now")
        (row,) = store.get_facts(["sha256:a"], [facts("a").key])  # type: ignore[list-item]
        assert row.payload == b"\x00\xff"
        with store._session.read() as db, migrated_copy(tmp_path) as other:
            assert schema(db) == schema(other)
            assert record(db) == record(other)
            assert db.execute("SELECT id, name FROM ecosystem").fetchall() == [(1, "pypi")]
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def migrated_copy(tmp_path: Path) -> sqlite3.Connection:
    return migrated(tmp_path / "whole.db")


def test_an_upgrade_that_fails_leaves_the_old_store(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older(path)
    broken = (*migrations.MIGRATIONS[:-1], (LAST, migrations.MIGRATIONS[-1][1] + "CREATE TABLE layer (x);"))
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", broken)
        with pytest.raises(StoreError, match="layer already exists"):
            open_store(path)
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA user_version").fetchone() == (migrations.SCHEMA_VERSION - 1,)
    assert db.execute("SELECT count(*) FROM fact").fetchone() == (1,)
    db.close()
    with open_store(path) as store:
        assert store.watch_list() == ()


def test_several_upgrade_at_once(path: Path) -> None:
    older(path)
    barrier = threading.Barrier(6)

    def start(_: int) -> int:
        barrier.wait()
        with open_store(path) as store:
            return len(store.watch_list())

    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(start, range(6))) == [0] * 6


def test_every_table_is_described(path: Path) -> None:
    with open_store(path) as store, store._session.read() as db:
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")}
    words = f"{migrations.__doc__}\n{asked_tables.__doc__}"
    described = set(re.findall(r"^``(\w+)``", words, flags=re.MULTILINE))
    assert described == {name for name in tables if not name.startswith("_") and not name.startswith("sqlite_")}
