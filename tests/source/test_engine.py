"""Images of the local engines: Podman's storage for real, the Docker daemon's one answer played by a socket."""

from __future__ import annotations

import http.server
import os
import shutil
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from anchorecli.errors import NotFoundError, SourceError
from tests import builders
from tests.source.opening import blobs, described, opened, platform

ONE, TWO = builders.layer({"one": "1"}), builders.layer({"two": "2"})

needs_skopeo = pytest.mark.skipif(shutil.which("skopeo") is None, reason="needs skopeo")


# ── docker ──────────────────────────────────────────────────────────────────────────────────────────────────


class Daemon(http.server.BaseHTTPRequestHandler):
    """What the Docker Engine API answers to an export of ``name``; asked names are kept."""

    name = "docker.io/library/app:1"
    archive = b""
    asked: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if not url.path.endswith("/images/get"):
            self.answer(200, b"OK")
            return
        (wanted,) = parse_qs(url.query)["names"]
        self.asked.append(wanted)
        short = self.name.removeprefix("docker.io/library/")
        if wanted in (self.name, short) or wanted == self.image_id():
            self.answer(200, self.archive)
        else:
            self.answer(404, b'{"message": "reference does not exist"}')

    do_HEAD = do_GET

    @classmethod
    def image_id(cls) -> str:
        import json

        return builders.digest(json.dumps(builders.config([ONE, TWO])).encode())

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Api-Version", "1.41")
        self.send_header("Content-Type", "application/json" if status != 200 else "application/x-tar")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def address_string(self) -> str:
        return "socket"

    def log_message(self, *words: object) -> None:
        pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Daemon]]:
    Daemon.archive = builders.docker_archive(tmp_path / "save.tar", [ONE, TWO], tags=["app:1"]).read_bytes()
    Daemon.asked = []
    path = f"/tmp/anchore-test-{os.getpid()}.sock"  # a socket's path must be short
    with Server(path, Daemon) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
        yield Daemon
        server.shutdown()
    Path(path).unlink()


@needs_skopeo
def test_docker_image(daemon: type[Daemon]) -> None:
    with opened("docker:app:1") as source:
        image = source.image
        source.prefetch(image.layers)
        assert blobs(source) == [ONE, TWO]
    assert image.image_id == daemon.image_id()  # the configuration came through unchanged
    assert [layer.diff_id for layer in image.layers] == [builders.digest(ONE), builders.digest(TWO)]
    assert [layer.instruction for layer in image.layers] == ["RUN step 1", "RUN step 2"]
    assert image.names == ("docker.io/app:1",)
    assert builders.digest(image.manifest.encode()) == image.digest
    assert len(daemon.asked) == 1  # the daemon exports the image whole: once is enough


@needs_skopeo
def test_docker_image_by_id(daemon: type[Daemon]) -> None:
    assert described(f"docker:{daemon.image_id()}").image_id == daemon.image_id()


@needs_skopeo
def test_unknown_docker_image(daemon: type[Daemon]) -> None:
    with pytest.raises(NotFoundError, match="docker:app:2: no such image or tag"):
        described("docker:app:2")


@needs_skopeo
def test_docker_image_of_another_platform(daemon: type[Daemon]) -> None:
    with pytest.raises(NotFoundError, match="no image for linux/s390x"):
        described("docker:app:1", platform=platform("linux/s390x"))


@needs_skopeo
@pytest.mark.parametrize("host", ["unix:///no/such/docker.sock", "tcp://127.0.0.1:1"])
def test_docker_daemon_that_does_not_run(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)
    with pytest.raises(SourceError, match="the Docker daemon does not answer") as caught:
        described("docker:app:1")
    assert "DOCKER_HOST" in caught.value.hint


# ── podman ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty containers-storage of our own; skipped where this user may have none."""
    config = tmp_path / "storage.conf"
    config.write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{tmp_path / "graph"}"\nrunroot = "{tmp_path / "run"}"\n'
    )
    monkeypatch.setenv("CONTAINERS_STORAGE_CONF", str(config))
    layout = builders.oci_dir(tmp_path / "layout", [ONE, TWO])
    for name in ("docker.io/library/app:1", "localhost/built:1"):
        command = ["skopeo", "--insecure-policy", "copy", "-q", f"oci:{layout}", f"containers-storage:{name}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"no containers-storage here: {done.stderr[-200:]}")
    yield


@needs_skopeo
def test_podman_image(storage: None, tmp_path: Path) -> None:
    layout = described(f"oci-dir:{tmp_path / 'layout'}")
    with opened("podman:app:1") as source:
        image = source.image
        assert (image.image_id, image.digest) == (layout.image_id, layout.digest)
        assert image.layers == layout.layers
        source.prefetch(image.layers[1:])
        assert blobs(source) == [ONE, TWO]
    assert image.names == ("docker.io/app:1",)
    assert described(f"podman:{image.image_id}").digest == image.digest


@needs_skopeo
def test_podman_image_that_was_built_here(storage: None) -> None:
    image = described("podman:built:1")
    assert image.names == ("localhost/built:1",)
    with pytest.raises(NotFoundError, match=r"podman:docker\.io/built:1"):
        described("podman:docker.io/built:1")


@needs_skopeo
def test_podman_copies_nothing_before_a_layer_is_asked_for(
    storage: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tempfile

    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    with opened("podman:app:1") as source:
        source.prefetch([])
        assert list((tmp_path / "tmp").iterdir()) == []
        source.open_layer(source.image.layers[0]).close()
        assert len(list((tmp_path / "tmp").iterdir())) == 1
    assert list((tmp_path / "tmp").iterdir()) == []


@needs_skopeo
def test_unknown_podman_image(storage: None) -> None:
    with pytest.raises(NotFoundError, match="podman:none: no such image or tag"):
        described("podman:none")
