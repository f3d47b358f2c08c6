"""Pulls that are broken off: nothing stays on disk, nothing keeps running, nobody waits for ever."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from anchorecli.errors import SourceError
from tests import builders
from tests.registry import Registry, needs_registry, start_registry
from tests.source.opening import opened


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with start_registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


def pushed(registry: Registry, tmp_path: Path, name: str) -> str:
    layout = builders.oci_dir(tmp_path / "layout", [builders.layer({name: os.urandom(50_000)})])
    return registry.push(f"oci:{layout}", name)


@needs_registry
def test_temporary_directory_is_private_and_goes_away(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    name = pushed(registry, tmp_path, "tidy:1")
    with pytest.raises(RuntimeError), opened(name, tls_verify=False) as source:
        assert list((tmp_path / "tmp").iterdir()) == []  # nothing on disk before a layer is asked for
        source.open_layer(source.image.layers[0]).close()
        (made,) = (tmp_path / "tmp").iterdir()
        assert made.stat().st_mode & 0o777 == 0o700
        raise RuntimeError
    assert list((tmp_path / "tmp").iterdir()) == []


@needs_registry
def test_closing_ends_a_pull_that_hangs(registry: Registry, tmp_path: Path) -> None:
    name = pushed(registry, tmp_path, "hang:1")
    source = opened(name, tls_verify=False)
    registry.pause()
    errors: list[BaseException] = []

    def wait() -> None:
        try:
            source.open_layer(source.image.layers[0])
        except SourceError as error:
            errors.append(error)

    try:
        source.prefetch(source.image.layers)
        waiting = threading.Thread(target=wait)
        waiting.start()
        source.close()
        waiting.join(30)
        assert not waiting.is_alive()
        assert len(errors) == 1
    finally:
        registry.resume()


@needs_registry
def test_pull_without_progress_is_given_up(registry: Registry, tmp_path: Path) -> None:
    name = pushed(registry, tmp_path, "stall:1")
    with opened(name, tls_verify=False, timeout=5) as source:
        registry.pause()
        try:
            object.__setattr__(source._skopeo.options, "timeout", 0.3)  # type: ignore[attr-defined]
            with pytest.raises(SourceError, match="no answer within"):
                source.open_layer(source.image.layers[0])
        finally:
            registry.resume()


@needs_registry
def test_interrupt_leaves_nothing_behind(registry: Registry, tmp_path: Path) -> None:
    name = pushed(registry, tmp_path, "ctrl-c:1")
    (tmp_path / "tmp").mkdir()
    script = (
        f"import sys; sys.path[:0] = {sys.path!r}\n"
        "from tests.source.opening import opened\n"
        f"with opened({name!r}, tls_verify=False) as source:\n"
        "    print('ready', flush=True); sys.stdin.readline()\n"
        "    source.prefetch(source.image.layers)\n"
        "    print('pulling', flush=True)\n"
        "    source.open_layer(source.image.layers[0])\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path / "tmp")},
    )
    assert child.stdin is not None and child.stdout is not None
    try:
        assert child.stdout.readline() == "ready\n", child.communicate()[1]
        registry.pause()
        child.stdin.write("\n")
        child.stdin.flush()
        assert child.stdout.readline() == "pulling\n"
        assert list((tmp_path / "tmp").iterdir())
        child.send_signal(signal.SIGINT)
        assert "KeyboardInterrupt" in child.communicate(timeout=30)[1]
    finally:
        registry.resume()
        child.kill()
        child.wait()
    assert list((tmp_path / "tmp").iterdir()) == []
