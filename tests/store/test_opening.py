from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from anchorecli.errors import StoreError
from anchorecli.model import FactKey
from anchorecli.store import connection, default_path, migrations, open_store
from tests.store.test_migrations import migrated
from tests.store.values import DPKG, advisory, diff_id, facts, feed, put

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"HOME": "/home/u"}, "/home/u/.local/share/anchore/store.db"),
        ({"HOME": "/home/u", "XDG_DATA_HOME": "/data"}, "/data/anchore/store.db"),
        ({"HOME": "/home/u", "XDG_DATA_HOME": "relative"}, "/home/u/.local/share/anchore/store.db"),
        ({"HOME": "/home/u", "XDG_DATA_HOME": ""}, "/home/u/.local/share/anchore/store.db"),
        ({}, str(Path.home() / ".local/share/anchore/store.db")),
    ],
)
def test_the_default_place(env: dict[str, str], expected: str) -> None:
    assert str(default_path(env)) == expected


def test_a_new_store_is_nobody_elses_business(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "store.db"
    old = os.umask(0)
    try:
        with open_store(path) as store:
            store.put_layer(diff_id("a"), "", 0, [facts("a")])
            modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    finally:
        os.umask(old)
    assert modes == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}
    assert [stat.S_IMODE(each.stat().st_mode) for each in (tmp_path / "a", tmp_path / "a" / "b")] == [0o700, 0o700]


def test_opening_again_finds_everything(path: Path) -> None:
    with open_store(path) as store:
        put(store, "debian")
        store.sync_feed(feed(), [advisory("CVE-1", "bash")])
    with open_store(path) as store:
        assert len(store.images()) == 1
        assert store.revision() == 1
        assert store.path == path


def test_strange_file_names(tmp_path: Path) -> None:
    for name in ("a b", "100%25?mode=memory#x", "ä", os.fsdecode(b"\xff")):
        path = tmp_path / name / "store.db"
        with open_store(path) as store:
            store.put_layer(diff_id("a"), "", 0, [facts("a")])
        assert path.stat().st_size > 0
        with open_store(path, readonly=True) as store:
            assert store.known_facts([diff_id("a")], [DPKG])[diff_id("a")] == {DPKG}


def test_a_scan_does_not_load_sqlite_utils(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from anchorecli.store import open_store\n"
        "with open_store(Path(sys.argv[1])) as s: s.lookup([('pypi', 'x')]); s.images(); s.known_facts([], [])\n"
        "print(*sorted(m for m in sys.modules if m.partition('.')[0] in {'sqlite_utils', 'click', 'email', 'rich'}))"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "store.db")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_reading_only(path: Path) -> None:
    with pytest.raises(StoreError, match="there is no store"):
        open_store(path, readonly=True)
    assert not path.parent.exists()
    with open_store(path) as store:
        put(store, "debian")
        with open_store(path, readonly=True) as reader:
            assert len(reader.images()) == 1
            assert reader.known_facts([diff_id("a")], [DPKG, FactKey("x", 1)])[diff_id("a")] == {DPKG}
            writes: list[Callable[[], object]] = [
                lambda: reader.remove_image("x"),
                lambda: reader.sync_feed(feed(), []),
                lambda: reader.gc(older_than_days=None, keep=None, now="2026-01-01T00:00:00Z"),
                lambda: reader.put_layer(diff_id("a"), "", 0, []),
            ]
            for write in writes:
                with pytest.raises(StoreError, match="for reading only"):
                    write()


def refused(path: Path, *, readonly: bool = False) -> StoreError:
    with pytest.raises(StoreError) as caught:
        open_store(path, readonly=readonly)
    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint
    assert caught.value.exit_code == 2
    return caught.value


@pytest.mark.parametrize("content", [b"x", b"not a database " * 1000, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_no_database(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    for readonly in (False, True):
        assert "not a store" in refused(path, readonly=readonly).message
    assert path.read_bytes() == content


def test_an_empty_file_becomes_a_store(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    assert "empty" in refused(path, readonly=True).message
    with open_store(path) as store:
        assert store.images() == ()


@pytest.mark.parametrize("pragma", ["user_version = 3", "application_id = 7", "user_version = 0"])
def test_somebody_elses_database(path: Path, pragma: str) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE theirs (x)")
        db.execute(f"PRAGMA {pragma}")
    db.close()
    before = path.read_bytes()
    assert "not a store of anchore" in refused(path).message
    assert path.read_bytes() == before


def test_a_newer_store_is_refused_and_left_alone(path: Path) -> None:
    with open_store(path) as store:
        put(store, "debian")
        with store._session.write() as db:
            db.execute(f"PRAGMA user_version = {migrations.SCHEMA_VERSION + 1}")
    before = path.read_bytes()
    for readonly in (False, True):
        error = refused(path, readonly=readonly)
        assert f"schema version {migrations.SCHEMA_VERSION + 1}" in error.message
        assert "newer anchore" in error.hint
    assert path.read_bytes() == before


def test_a_directory_in_its_place(path: Path) -> None:
    path.mkdir(parents=True)
    for readonly in (False, True):
        told = refused(path, readonly=readonly)
        assert "is a directory" in told.message
        assert told.hint == f"write --store {path / 'store.db'}"


def test_a_file_in_the_way_of_its_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be written" in refused(tmp_path / "file" / "anchore" / "store.db").message


@pytest.fixture
def public() -> Iterator[Path]:
    """A directory that other users can reach, as pytest's own are not."""
    made = Path(tempfile.mkdtemp(prefix="anchore-test-"))
    made.chmod(0o755)
    yield made
    for each in (made, *made.rglob("*")):
        each.chmod(0o755)
    shutil.rmtree(made)


def unprivileged(action: Callable[[], str]) -> str:
    """What ``action`` gives to somebody who is not root: in a process of its own, permissions apply."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        text = "some other error"
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            text = action()
        except StoreError as error:
            text = f"{type(error).__name__}: {error}"
        finally:
            os.write(writing, text.encode())
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return text


def test_a_store_one_may_only_read(public: Path) -> None:
    path = public / "store.db"
    with open_store(path) as store:
        put(store, "debian")
    path.chmod(0o444)
    public.chmod(0o555)

    def read() -> str:
        with open_store(path, readonly=True) as store:
            return store.images()[0].names[0]

    def write() -> str:
        with open_store(path) as store:
            return store.images()[0].names[0]

    assert unprivileged(read) == "docker.io/debian:12"
    assert "StoreError" in unprivileged(write)
    assert "cannot be written: Permission denied" in unprivileged(write)


def test_a_directory_one_may_not_write(public: Path) -> None:
    public.chmod(0o555)

    def create() -> str:
        with open_store(public / "new" / "store.db"):
            return "made"

    assert "cannot be written: Permission denied" in unprivileged(create)


def test_a_file_one_may_write_in_a_directory_one_may_not(public: Path) -> None:
    path = public / "store.db"
    with open_store(path) as store:
        put(store, "debian")
    path.chmod(0o666)
    public.chmod(0o555)

    def write() -> str:
        with open_store(path) as store:
            put(store, "alpine")
        return "written"

    assert unprivileged(write).startswith("StoreError: ")


def older(path: Path) -> None:
    """A store as the version before wrote it, with something in it."""
    migrated(path, stop_before=migrations.MIGRATIONS[-1][0]).close()
    db = sqlite3.connect(path)
    db.execute("INSERT INTO watch VALUES ('docker.io/x:1', 'now', '', '', 0, '', 1)")
    db.commit()
    db.close()


def test_an_older_store_is_brought_up_to_date_for_who_only_reads(path: Path) -> None:
    path.parent.mkdir()
    older(path)
    with open_store(path, readonly=True) as reader, open_store(path, readonly=True) as another:
        assert [tag.reference for tag in reader.watch_list()] == ["docker.io/x:1"]
        assert reader.images() == another.images() == ()
        with pytest.raises(StoreError, match="for reading only"):
            reader.watch_add("docker.io/y:1", "now")
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA user_version").fetchone() == (migrations.SCHEMA_VERSION,)
    db.close()


@pytest.mark.parametrize("file_mode", [0o444, 0o666])
def test_an_older_store_that_nobody_may_write(public: Path, file_mode: int) -> None:
    path = public / "store.db"
    older(path)
    before = path.read_bytes()
    path.chmod(file_mode)
    public.chmod(0o555)

    def read() -> str:
        try:
            with open_store(path, readonly=True):
                return "read"
        except StoreError as error:
            return f"{error.message} | {error.hint}"

    said = unprivileged(read)
    assert f"older than this program's {migrations.SCHEMA_VERSION}, and cannot be written" in said
    assert "--store" in said.partition(" | ")[2]
    assert path.read_bytes() == before


def test_a_store_nobody_may_read(public: Path) -> None:
    path = public / "store.db"
    with open_store(path):
        pass
    path.chmod(0)

    def read() -> str:
        with open_store(path, readonly=True):
            return "read"

    assert unprivileged(read).startswith(f"StoreError: {path}: the store cannot be opened")


def damage(path: Path, keep: int) -> None:
    content = bytearray(path.read_bytes())
    content[keep:] = b"\x5a" * (len(content) - keep)
    path.write_bytes(content)


@pytest.mark.parametrize("keep", [100, 4096, 8192])
def test_a_damaged_store_is_an_error_not_a_surprise(path: Path, keep: int) -> None:
    with open_store(path) as store:
        for name in ("debian", "alpine"):
            put(store, name)
        store.sync_feed(feed(), [advisory(f"CVE-{n}", "bash") for n in range(500)])
    damage(path, keep)
    with pytest.raises(StoreError) as caught, open_store(path) as store:
        store.images()
        store.lookup([("debian:12", "bash")])
    assert "damaged" in caught.value.message
    assert "move it away" in caught.value.hint


def test_a_truncated_store(path: Path) -> None:
    with open_store(path) as store:
        store.sync_feed(feed(), [advisory(f"CVE-{n}", "bash") for n in range(500)])
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(StoreError), open_store(path) as store:
        store.lookup([("debian:12", "bash")])
        store.images()
        list(store.feed_records("debian"))


def test_a_full_disk_loses_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_store(path) as store:
        put(store, "debian")
        store.sync_feed(feed(), [advisory("CVE-1", "bash")])
    plain = connection._connect

    def small(uri: str) -> sqlite3.Connection:
        db = plain(uri)
        db.execute("PRAGMA max_page_count = 60")
        return db

    monkeypatch.setattr(connection, "_connect", small)
    with open_store(path) as store:
        with pytest.raises(StoreError, match="the disk is full") as caught:
            store.put_layer(diff_id("new"), "", 0, [facts("new", payload=b"x" * 10**6)])
        assert str(path) in caught.value.message
        assert "make room there" in caught.value.hint
        with pytest.raises(StoreError, match="the disk is full"):
            store.sync_feed(feed(), [advisory(f"CVE-{n}", "bash", "dash") for n in range(5000)])
        assert store.known_facts([diff_id("new")], [DPKG]) == {diff_id("new"): frozenset()}
        assert [each.id for each in store.feed_records("debian")] == ["CVE-1"]
        assert len(store.images()) == 1
        store.put_layer(diff_id("new"), "", 0, [facts("new")])
        assert store.known_facts([diff_id("new")], [DPKG]) == {diff_id("new"): {DPKG}}


def test_a_full_disk_at_the_first_start(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = connection._connect

    def small(uri: str) -> sqlite3.Connection:
        db = plain(uri)
        db.execute("PRAGMA max_page_count = 5")
        return db

    with monkeypatch.context() as patch:
        patch.setattr(connection, "_connect", small)
        assert "the disk is full" in refused(path).message
    with open_store(path) as store:
        assert store.images() == ()


def test_a_writer_that_does_not_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "BUSY_SECONDS", 0.05)
    with open_store(path) as store, open_store(path) as other:
        put(store, "debian")
        with other._session.write():
            assert len(store.images()) == 1  # readers never wait
            with pytest.raises(StoreError, match="another process has been writing") as caught:
                store.remove_image("x")
    assert "wait" in caught.value.hint


def test_a_closed_store(path: Path) -> None:
    store = open_store(path)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.images()


def test_a_store_that_somebody_makes_meanwhile_is_not_somebody_elses(path: Path) -> None:
    path.parent.mkdir()
    path.touch()

    class Meanwhile:
        """A connection after whose first question another process makes the store."""

        def __init__(self, db: sqlite3.Connection) -> None:
            self.db = db

        def execute(self, statement: str) -> SimpleNamespace:
            row = self.db.execute(statement).fetchone()
            if not path.stat().st_size:
                open_store(path).close()
            return SimpleNamespace(fetchone=lambda: row)

    db = connection.connect(path, readonly=False)
    assert connection._version(Meanwhile(db), path) == 0  # type: ignore[arg-type]
    assert connection._version(db, path) == migrations.SCHEMA_VERSION
    db.close()


def test_many_open_a_new_store_at_once(path: Path) -> None:
    barrier = threading.Barrier(12)

    def start(number: int) -> bool:
        barrier.wait()
        with open_store(path) as store:
            return store.watch_add(str(number), "now")

    with ThreadPoolExecutor(12) as threads:
        assert list(threads.map(start, range(12))) == [True] * 12
    with open_store(path) as store:
        assert len(store.watch_list()) == 12
