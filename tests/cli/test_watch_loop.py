"""The watch loop as a process: it stops when it is told to, outlives faults, and loses no change when it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.builders import layer
from tests.cli.conftest import Run
from tests.cli.test_registry import served_image
from tests.cli.watching import BASH, LOUD, Watched, kinds, watching
from tests.cli.world import ROOT
from tests.feeds.server import Answer
from tests.registry import Registry, needs_registry, start_registry


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with start_registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture
def watched(run: Run, registry: Registry, tmp_path: Path) -> Iterator[Watched]:
    with watching(run, registry, tmp_path) as world:
        yield world


@pytest.fixture
def loop(watched: Watched, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts ``watch run`` in the background, with a directory of its own for temporary files."""
    started: list[subprocess.Popen[str]] = []
    (tmp_path / "temporary").mkdir()

    def start(*args: object) -> subprocess.Popen[str]:
        env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "HOME": str(tmp_path / "home"),
            "XDG_CONFIG_HOME": str(tmp_path / "home"),
            "ANCHORE_STORE": str(tmp_path / "store.db"),
            "TMPDIR": str(tmp_path / "temporary"),
            **watched.env,
        }
        command = [sys.executable, "-m", "anchorecli", "watch", "run", "--no-tls-verify", *map(str, args)]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, env=env, cwd=tmp_path, stdout=pipe, stderr=pipe, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@needs_registry
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_the_loop_goes_round_until_it_is_told_to_stop(
    watched: Watched, loop: Callable[..., subprocess.Popen[str]], tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    watched.add(watched.push("app:1", BASH))
    process = loop("--interval", "1s")
    wait_for(lambda: watched.web.paths().count("/debian.json") >= 1, "no first round")
    watched.feed(LOUD)
    assert process.stdout and "vuln_update" in process.stdout.readline()
    assert "policy_eval" in process.stdout.readline()
    # The next round has begun, or is waited for.
    process.send_signal(sent)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (code, ""), err
    assert "Traceback" not in err
    assert list((tmp_path / "temporary").iterdir()) == []


@needs_registry
def test_the_loop_outlives_a_round_that_fails(
    watched: Watched, loop: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    watched.feed(LOUD)
    watched.add(watched.push("app:1", BASH))
    bundle = tmp_path / "bundle.yaml"
    good = watched.run("policy", "init", bundle)
    assert good.code == 0, good.err
    text = bundle.read_text()
    process = loop("--interval", "1s", "--policy", bundle)
    assert process.stderr
    wait_for(lambda: "looked at 1" in process.stderr.readline(), "no round")  # type: ignore[union-attr]
    bundle.write_text("id: [")
    wait_for(lambda: f"{bundle}:" in process.stderr.readline(), "no complaint")  # type: ignore[union-attr]
    bundle.write_text(text)
    wait_for(lambda: "looked at 1" in process.stderr.readline(), "no round any more")  # type: ignore[union-attr]
    process.terminate()
    assert process.wait(30) == 143


@needs_registry
def test_what_was_not_told_to_the_end_is_told_again(
    watched: Watched, loop: Callable[..., subprocess.Popen[str]]
) -> None:
    """A round is killed while a webhook takes its time: the change must not be lost."""
    watched.add(watched.push("app:1", BASH))
    watched.round()
    watched.feed(LOUD)
    watched.web.answers["/hook"] = Answer(wait=2)
    process = loop("--once", "--webhook", f"{watched.web.url}/hook")
    wait_for(lambda: "/hook" in watched.web.paths(), "nothing was posted")
    process.kill()
    process.wait()
    watched.web.answers["/hook"] = Answer()
    done = watched.round("--webhook", f"{watched.web.url}/hook")
    assert kinds(done) == ["vuln_update", "policy_eval"]
    assert watched.round().out == ""


@needs_registry
@pytest.mark.parametrize("meanwhile", ["another round", "removed"])
def test_two_rounds_at_once_tell_a_change_once(
    watched: Watched, loop: Callable[..., subprocess.Popen[str]], tmp_path: Path, meanwhile: str
) -> None:
    """As when cron starts a round while the one before still pulls."""
    name, _ = served_image(watched.web, tmp_path / "one", BASH)
    watched.add(name)
    assert watched.round().code == 0
    _, blobs = served_image(watched.web, tmp_path / "two", BASH, layer({"srv/a": "1"}))
    quick = watched.web.answers[blobs[1]]
    assert isinstance(quick, Answer)
    watched.web.answers[blobs[1]] = [replace(quick, wait=4), quick]
    slow = loop("--once")
    wait_for(lambda: blobs[1] in watched.web.paths(), "nothing was pulled")
    if meanwhile == "removed":
        assert watched.run("watch", "remove", name).code == 0
    else:
        assert kinds(watched.round()) == ["tag_update"]
    out, err = slow.communicate(timeout=60)
    assert (slow.returncode, out) == (0, ""), err
