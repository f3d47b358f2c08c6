"""A real registry on loopback for tests: docker-registry with its storage below a temporary directory.

``with start_registry(tmp_path) as registry`` gives ``registry.host`` (``127.0.0.1:PORT``, plain HTTP), ``push`` (skopeo
from an OCI layout or docker-archive), ``put_blob``/``put_manifest`` for what skopeo would not write, and the paths that
the registry was asked for since ``forget()``. Tests that use it carry ``@needs_registry``.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Self

import pytest

SKOPEO = shutil.which("skopeo")
REGISTRY = shutil.which("docker-registry")

_ACCESS = re.compile(r'"(?P<method>[A-Z]+) (?P<path>/v2/\S*) HTTP/[0-9.]+" (?P<status>\d+)')


def needs_registry(test: Any) -> Any:
    """Mark a test that needs skopeo and docker-registry; it is skipped where they are not installed."""
    absent = SKOPEO is None or REGISTRY is None
    skipped = pytest.mark.skipif(absent, reason="needs skopeo and docker-registry")
    return pytest.mark.registry(skipped(test))


class Registry:
    """A running registry; a context manager."""

    def __init__(self, directory: Path, htpasswd: str | None = None) -> None:
        self.directory = directory / f"registry-{time.monotonic_ns()}"
        self.directory.mkdir(parents=True)
        self._log = self.directory / "log"
        self._start = 0
        self._auth = ""
        port = _free_port()
        self.host = f"127.0.0.1:{port}"
        self._process = self._run(port, htpasswd)
        self._wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the registry."""
        if self._process.poll() is None:
            self.resume()
            self._process.terminate()
            self._process.wait(10)

    def pause(self) -> None:
        """Let it hang: connections are accepted, nobody answers."""
        self._process.send_signal(signal.SIGSTOP)
        os.waitpid(self._process.pid, os.WUNTRACED)  # until then it may still answer

    def resume(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def login(self, user: str, password: str) -> Path:
        """Use these credentials for pushes and puts; the path of an auth file with them, for ``--authfile``."""
        self._auth = f"{user}:{password}"
        encoded = base64.b64encode(self._auth.encode()).decode()
        path = self.directory / f"auth-{user}-{password}.json"
        path.write_text(f'{{"auths": {{"{self.host}": {{"auth": "{encoded}"}}}}}}')
        return path

    def push(self, source: str, name: str, *options: str) -> str:
        """Push ``oci:DIR`` or ``docker-archive:FILE`` as ``name`` and return its full name; options go to skopeo."""
        target = f"{self.host}/{name}"
        credentials = ["--dest-creds", self._auth] if self._auth else []
        command = [str(SKOPEO), "--insecure-policy", "copy", "-q", "--dest-tls-verify=false", *credentials, *options]
        subprocess.run([*command, source, f"docker://{target}"], check=True, timeout=120)
        return target

    def put_blob(self, repository: str, data: bytes) -> str:
        """Upload one blob; its digest."""
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        location = self._request("POST", f"/v2/{repository}/blobs/uploads/").getheader("Location", "")
        path = location[location.index("/v2/") :]
        response = self._request("PUT", f"{path}&digest={digest}", data, "application/octet-stream")
        assert response.status == 201, response.status
        return digest

    def put_manifest(self, repository: str, reference: str, data: bytes, media_type: str) -> str:
        """Upload one manifest or index under a tag or digest; its digest."""
        response = self._request("PUT", f"/v2/{repository}/manifests/{reference}", data, media_type)
        assert response.status == 201, (response.status, response.read())
        return "sha256:" + hashlib.sha256(data).hexdigest()

    def forget(self) -> None:
        """Count from here on."""
        self._settle()
        self._start = len(self._lines())

    def blob_gets(self) -> list[str]:
        """The digests of blobs served since ``forget``, in order."""
        return self._served("/blobs/")

    def manifest_gets(self) -> list[str]:
        """The tags and digests of manifests served since ``forget``, in order."""
        return self._served("/manifests/")

    def _served(self, part: str) -> list[str]:
        self._settle()
        found = [match for line in self._lines()[self._start :] if (match := _ACCESS.search(line))]
        return [
            match["path"].partition(part)[2]
            for match in found
            if match["method"] == "GET" and part in match["path"] and match["status"] == "200"
        ]

    def _settle(self) -> None:
        """The log is written after the answer: ask something and wait until that is in it."""
        mark = f"/v2/settle-{time.monotonic_ns()}/tags/list"
        self._request("GET", mark)
        deadline = time.monotonic() + 10
        while not any(mark in line and _ACCESS.search(line) for line in self._lines()):
            assert time.monotonic() < deadline, "the registry does not log"
            time.sleep(0.01)

    def _lines(self) -> list[str]:
        return self._log.read_text(errors="replace").splitlines()

    def _request(
        self, method: str, path: str, body: bytes | None = None, media_type: str = ""
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(self.host, timeout=30)
        headers = {"Content-Type": media_type} if media_type else {}
        if self._auth:
            headers["Authorization"] = "Basic " + base64.b64encode(self._auth.encode()).decode()
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        if method == "GET":
            response.read()
        return response

    def _run(self, port: int, htpasswd: str | None) -> subprocess.Popen[bytes]:
        auth = ""
        if htpasswd is not None:
            passwords = self.directory / "htpasswd"
            passwords.write_text(htpasswd)
            auth = f"auth: {{htpasswd: {{realm: test, path: {passwords}}}}}\n"
        config = self.directory / "config.yml"
        config.write_text(
            "version: 0.1\n"
            "log: {level: error}\n"
            f"storage: {{filesystem: {{rootdirectory: {self.directory / 'data'}}}, delete: {{enabled: true}}}}\n"
            f"http: {{addr: '127.0.0.1:{port}'}}\n" + auth
        )
        with self._log.open("wb") as log:
            return subprocess.Popen([str(REGISTRY), "serve", str(config)], stdout=log, stderr=subprocess.STDOUT)

    def _wait(self) -> None:
        deadline = time.monotonic() + 30
        while True:
            try:
                self._request("GET", "/v2/")
                return
            except OSError:
                alive = self._process.poll() is None
                assert alive and time.monotonic() < deadline, self._log.read_text(errors="replace")
                time.sleep(0.02)


def start_registry(directory: Path, htpasswd: str | None = None) -> Registry:
    """Start a registry; ``htpasswd`` is the text of such a file (bcrypt) and makes it ask for credentials."""
    return Registry(directory, htpasswd)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
