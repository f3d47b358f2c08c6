"""Several programs at once on one store, and programs that are killed in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from anchorecli.analyzers import ANALYZERS
from anchorecli.analyzers.keys import fact_keys
from anchorecli.errors import StoreError
from anchorecli.model import DiffId
from anchorecli.store import open_store
from tests.builders import digest, layer, oci_archive, oci_dir
from tests.cli.conftest import Run
from tests.cli.test_registry import served_image
from tests.cli.world import OPENSSL, ROOT, archive, debian, osv_record, osv_zip, tracker
from tests.feeds.server import serving
from tests.registry import Registry, needs_registry, start_registry

needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the program in the background, on the store that ``run`` uses too; a group of processes of its own."""
    running: list[subprocess.Popen[str]] = []
    (tmp_path / "temporary").mkdir()

    def go(*args: object, **more: str) -> subprocess.Popen[str]:
        env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "HOME": str(tmp_path),
            "XDG_CONFIG_HOME": str(tmp_path),
            "ANCHORE_STORE": str(tmp_path / "store.db"),
            "TMPDIR": str(tmp_path / "temporary"),
            **more,
        }
        command = [sys.executable, "-m", "anchorecli", *map(str, args)]
        pipe = subprocess.PIPE
        running.append(subprocess.Popen(command, env=env, cwd=tmp_path, stdout=pipe, stderr=pipe, text=True))
        return running[-1]

    yield go
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_for(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image with packages, 60 MB of noise and many small files: it takes a while to read."""
    noise = layer({f"srv/noise-{number}": os.urandom(30_000_000) for number in range(2)})
    small = layer({f"srv/small-{number}": str(number) for number in range(5000)})
    return oci_archive(
        tmp_path_factory.mktemp("large") / "large.tar", [layer(debian("openssl=3.0.11-1~deb12u1")), noise, small]
    )


# ── at once ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_six_scans_at_once_on_a_new_store(run: Run, start: Start, tmp_path: Path) -> None:
    base = debian("openssl=3.0.11-1~deb12u1")
    images = [archive(tmp_path / f"{n}.tar", base, {"srv/n": str(n)}) for n in range(6)]
    processes = [start("scan", image, "-o", "json") for image in images]
    ends = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [4] * 6, ends
    assert [err for _, err in ends] == [""] * 6
    assert {name for row in run("images", "list", "--json").json for name in row["names"]} >= set(map(str, images))
    assert sorted(row["image"] for row in run("history", "--json").json) == sorted(map(str, images))
    assert len({row["id"] for row in run("images", "list", "--json").json}) == 6


def test_scans_syncs_and_clean_ups_at_once(run: Run, start: Start, tmp_path: Path) -> None:
    image = archive(tmp_path / "image.tar", debian("openssl=3.0.11-1~deb12u1"))
    feed = tracker(tmp_path / "tracker.json", OPENSSL)
    records = [osv_record(f"PYSEC-{n}", "PyPI", f"package-{n}", "2") for n in range(2000)]
    assert run("feeds", "sync", "debian", "--from", feed).code == 0
    processes = [
        start("scan", image, "-o", "json"),
        start("feeds", "sync", "osv:PyPI", "--from", osv_zip(tmp_path / "all.zip", *records)),
        start("scan", image, "--force", "-o", "json"),
        start("store", "gc", "--keep", "1"),
        start("feeds", "sync", "debian", "--refresh", "--from", feed),
    ]
    ends = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [1, 0, 1, 0, 0], ends
    assert {row["feed"]: row["records"] for row in run("feeds", "status", "--json").json} == {
        "debian": 3,
        "osv:PyPI": 2000,
    }


# ── killed ──────────────────────────────────────────────────────────────────────────────────────────────────


@needs_proc
def test_a_scan_that_is_killed_leaves_a_store_that_works(run: Run, start: Start, large: Path, tmp_path: Path) -> None:
    small = archive(tmp_path / "small.tar", debian("bash=5.2-1"))
    assert run("scan", small).code == 4
    (kept,) = run("images", "list", "--json").json
    for pause in (0.0, 0.1, 0.2):
        process = start("scan", large, "--force")
        wait_for(lambda: opened(process, large), "the image was not opened")  # noqa: B023 - called at once
        time.sleep(pause)
        process.kill()
        process.wait()
        assert kept in run("images", "list", "--json").json
    done = run("scan", large, "-o", "json")
    assert done.code == 4, done.err
    assert [package["name"] for package in done.json["packages"]] == ["openssl"]
    assert len(run("images", "list", "--json").json) == 2
    assert run("store", "gc").code == 0


@needs_proc
@needs_registry
def test_layers_that_were_read_before_a_kill_are_not_pulled_again(run: Run, start: Start, tmp_path: Path) -> None:
    layers = [layer(debian("openssl=3.0.11-1~deb12u1")), layer({"srv/a": "1"}), layer({"srv/b": "2"})]
    with serving() as web:
        name, blobs = served_image(web, tmp_path / "layout", *layers)
        web.answers[blobs[2]].wait = 60  # type: ignore[union-attr]
        process = start("scan", name, "--no-tls-verify")
        wait_for(lambda: len(known(tmp_path / "store.db", layers)) == 2, "no layer was stored")
        skopeo = children(process.pid)
        process.kill()
        process.wait()
        for pid in skopeo:
            os.kill(pid, signal.SIGKILL)
        assert run("images", "list", "--json").json == []
        web.answers[blobs[2]].wait = 0  # type: ignore[union-attr]
        web.requests.clear()
        done = run("scan", name, "--no-tls-verify", "-o", "json")
        assert [package["name"] for package in done.json["packages"]] == ["openssl"], done.err
        assert [path for path in web.paths() if path in blobs] == [blobs[2]]


@needs_proc
def test_a_sync_that_is_killed_leaves_the_feed_as_it_was(run: Run, start: Start, tmp_path: Path) -> None:
    name = "osv:PyPI"
    old = osv_zip(tmp_path / "old.zip", osv_record("PYSEC-1", "PyPI", "jinja2", "2"))
    assert run("feeds", "sync", name, "--from", old).code == 0
    new = osv_zip(tmp_path / "new.zip", *(osv_record(f"PYSEC-{n}", "PyPI", f"p-{n}", "2") for n in range(20_000)))
    for pause in (0.0, 0.2, 0.5):
        process = start("feeds", "sync", name, "--from", new)
        wait_for(lambda: opened(process, new), "the feed was not opened")  # noqa: B023 - called at once
        time.sleep(pause)
        process.kill()
        process.wait()
        # All of it or nothing, whenever that was.
        (state,) = run("feeds", "status", "--json").json
        assert (state["records"], state["revision"]) in ((1, 1), (20_000, 2))
    assert run("feeds", "sync", name, "--from", new).code == 0
    assert run("feeds", "status", "--json").json[0]["records"] == 20_000


@needs_proc
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_scan_that_is_told_to_stop_says_so_by_its_code(
    start: Start, large: Path, tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    for _ in range(5):
        process = start("scan", large, "--force")
        wait_for(lambda: opened(process, large), "the image was not opened")  # noqa: B023 - called at once
        process.send_signal(sent)
        out, err = process.communicate(timeout=30)
        if process.returncode != 4:  # on a busy machine it may have come to its end before
            break
    assert (process.returncode, out) == (code, ""), err
    assert "Traceback" not in err
    assert list((tmp_path / "temporary").iterdir()) == []


@needs_proc
@needs_registry
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_a_pull_that_is_told_to_stop_leaves_nothing_behind(
    run: Run, start: Start, tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    temporary = tmp_path / "temporary"
    with start_registry(tmp_path) as registry:
        layout = oci_dir(tmp_path / "layout", [layer(debian("bash=1") | {"srv/noise": os.urandom(30_000_000)})])
        name = registry.push(f"oci:{layout}", "app:1")
        process = start("scan", name, "--no-tls-verify")
        wait_for(lambda: list(temporary.glob("anchore-*/*/layout/blobs")), "no pull")
        registry.pause()
        skopeo = children(process.pid)
        process.send_signal(sent)
        out, err = process.communicate(timeout=30)
        registry.resume()
        assert (process.returncode, out) == (code, ""), err
        assert "Traceback" not in err
        assert list(temporary.iterdir()) == []
        for pid in skopeo:
            wait_for(lambda: not Path(f"/proc/{pid}").exists(), "skopeo still runs")  # noqa: B023 - called at once
        assert run("images", "list", "--json").json == []
        assert run("scan", name, "--no-tls-verify").code == 4


# ── full ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A file system of 600 kB."""
    place = tmp_path / "tiny"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", str(place)]
    try:
        mounted = os.geteuid() == 0 and subprocess.run(command, check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_under_the_store(run: Run, tiny: Path, tmp_path: Path) -> None:
    small = archive(tmp_path / "small.tar", debian("bash=5.2-1"))
    store = {"ANCHORE_STORE": str(tiny / "store.db")}
    assert run("scan", small, env=store).code == 4
    before = run("images", "list", "--json", env=store).json
    many = layer({f"srv/{os.urandom(40).hex()}": "x" for number in range(40000)})
    image = oci_archive(tmp_path / "image.tar", [many])
    feed = osv_zip(tmp_path / "all.zip", *(osv_record(f"PYSEC-{n}", "PyPI", f"p-{n}", "2") for n in range(9000)))
    syncing = ("feeds", "sync", "osv:PyPI", "--from", feed)
    for args, advice in ((("scan", image), "make room there"), (syncing, "taking in osv:PyPI needs up to 5 MB")):
        done = run(*args, env=store)
        assert (done.code, done.out) == (2, "")
        assert f"the disk is full ({tiny}, 0." in done.err
        assert f"next: {advice}" in done.err
        assert run("images", "list", "--json", env=store).json == before
    assert run("scan", small, env=store).code == 4


@needs_registry
def test_a_full_disk_for_what_is_pulled(run: Run, tiny: Path, tmp_path: Path, registry: Registry) -> None:
    name = registry.push(f"oci:{oci_dir(tmp_path / 'layout', [layer({'srv/x': os.urandom(2_000_000)})])}", "app:1")
    done = run("scan", name, "--no-tls-verify", env={"TMPDIR": str(tiny)})
    assert (done.code, done.out) == (3, "")
    assert "the disk is full" in done.err
    assert "TMPDIR" in done.err
    assert list(tiny.iterdir()) == []


def test_a_full_disk_for_temporary_files_of_a_sync(run: Run, tiny: Path, tmp_path: Path) -> None:
    feed = osv_zip(tmp_path / "all.zip", *(osv_record(f"PYSEC-{n}", "PyPI", f"p-{n}", "2") for n in range(9000)))
    done = run("feeds", "sync", "osv:PyPI", "--from", feed, env={"TMPDIR": str(tiny)})
    assert (done.code, done.out) == (5, "")
    assert "osv:PyPI: " in done.err and "No space left" in done.err
    assert "TMPDIR" in done.err
    assert run("feeds", "status", "--json").json == []


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with start_registry(tmp_path) as running:
        yield running


def opened(process: subprocess.Popen[str], path: Path) -> bool:
    """Whether a process has a file open, or is at its end already."""
    try:
        return process.poll() is not None or path in map(Path.readlink, Path(f"/proc/{process.pid}/fd").iterdir())
    except OSError:
        return False


def known(store: Path, layers: list[bytes]) -> set[str]:
    """The layers whose facts a store has."""
    if not store.exists():
        return set()
    diff_ids = [DiffId(digest(tar)) for tar in layers]
    try:
        with open_store(store, readonly=True) as held:
            found = held.known_facts(diff_ids, list(fact_keys(ANALYZERS)))
    except StoreError:  # it is being made
        return set()
    return {diff_id for diff_id, keys in found.items() if keys}


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError):  # a thread that has ended since it was listed
            found += map(int, (task / "children").read_text().split())
    return found
