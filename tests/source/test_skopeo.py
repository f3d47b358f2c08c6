"""skopeo's complaints as errors of ours, and a skopeo that is missing, silent or hostile."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from anchorecli.errors import AccessError, IntegrityError, NotFoundError, SourceError, UsageError
from anchorecli.source.skopeo import explain
from tests import builders
from tests.source.opening import described, opened


def fatal(message: str) -> str:
    escaped = message.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'time="2026-01-01T00:00:00Z" level=warning msg="retrying"\ntime="x" level=fatal msg="{escaped}"\n'


@pytest.mark.parametrize(
    ("complaint", "kind", "message", "hint"),
    [
        ("reading manifest 9 in h/t: manifest unknown: manifest unknown", NotFoundError, "no such image or tag", "tag"),
        ("reading manifest x: name unknown: repository not known", NotFoundError, "no such image", "name"),
        ("reading manifest 1 in h/t: unauthorized: authentication required", AccessError, "credentials", "login"),
        ("unable to retrieve auth token: invalid username/password: unauthorized", AccessError, "credentials", "login"),
        (
            "errors:\ndenied: requested access to the resource is denied",
            AccessError,
            "private, or it does not",
            "login",
        ),
        ("invalid status code from registry 403 (Forbidden)", AccessError, "denies access", "login"),
        ("http: server gave HTTP response to HTTPS client", SourceError, "plain HTTP", "--no-tls-verify"),
        ('Get "https://x/v2/": proxyconnect tcp: dial tcp: connection refused', SourceError, "proxy", "HTTPS_PROXY"),
        ('Get "http://x/v2/": EOF', SourceError, "cannot be reached", "network"),
        ('Get "http://x/v2/": malformed HTTP response "x"', SourceError, "is no registry", "the port"),
        ("x509: certificate signed by unknown authority", SourceError, "not trusted", "SSL_CERT_FILE"),
        ("dial tcp: lookup h on 1.1.1.1:53: no such host", SourceError, "name is unknown", "network"),
        ("dial tcp 127.0.0.1:1: connect: connection refused", SourceError, "refuses connections", "port"),
        ("dial tcp 10.0.0.1:443: i/o timeout", SourceError, "cannot be reached", "proxy"),
        ("toomanyrequests: You have reached your pull rate limit", SourceError, "limits requests", "wait"),
        ("write /tmp/x: no space left on device", SourceError, "disk is full", "TMPDIR"),
        ("Digest did not match, expected sha256:a, got sha256:b", IntegrityError, "digest", "push it again"),
        ("Cannot connect to the Docker daemon at unix:///x", SourceError, "does not answer", "DOCKER_HOST"),
        ("open /var/lib/containers/x.lock: permission denied", SourceError, "may not be read", "run as"),
        (
            'getting username and password: 1 error occurred: * reading JSON file "/r/auth.json": open /r/auth.json: '
            "permission denied",
            SourceError,
            "file of credentials may not be read",
            "--authfile",
        ),
        ("received unexpected HTTP status: 502 Bad Gateway", SourceError, "has a fault", "later"),
        ("fetching blob: invalid status code from registry 404 (Not Found)", IntegrityError, "lost a layer", "push"),
        ('unsupported docker v2s2 media type: "x"', SourceError, 'type: "x"', "update skopeo"),
        ("something new", SourceError, "something new", ""),
    ],
)
def test_complaints(complaint: str, kind: type[SourceError], message: str, hint: str) -> None:
    error = explain(fatal(complaint), "app:1")
    assert type(error) is kind
    assert error.message.startswith("app:1")
    assert message in error.message
    assert hint in error.hint
    assert "\n" not in error.message


def test_other_forms_of_complaint() -> None:
    assert "plain words" in explain("plain words\n", "x").message
    assert "without a word" in explain("", "x").message
    hostile = explain(fatal("evil \x1b[31m\x00\u202e text " + "x" * 5000), "x").message
    assert "\x1b" not in hostile and "\u202e" not in hostile and len(hostile) < 600


def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a skopeo of our own first on PATH."""
    (tmp_path / "bin").mkdir()
    path = tmp_path / "bin" / "skopeo"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}:{os.environ['PATH']}")


@pytest.mark.parametrize("text", ["registry:app:1", "docker:app:1", "podman:app:1"])
def test_skopeo_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="skopeo is not installed") as caught:
        described(text)
    assert "apt-get install skopeo" in caught.value.hint


@pytest.mark.parametrize("output", ["", "garbage", "[]", '{"schemaVersion": 2}'])
@pytest.mark.parametrize("text", ["registry:app:1", "docker:app:1", "podman:app:1"])
def test_answers_that_are_no_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, output: str) -> None:
    fake(tmp_path, monkeypatch, f"printf '%s' '{output}'")
    with pytest.raises(SourceError, match="app:1"):
        described(text)


def test_manifest_that_is_not_the_digest_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(tmp_path, monkeypatch, "printf '%s' '{\"schemaVersion\": 2, \"layers\": []}'")
    with pytest.raises(IntegrityError, match="is not what its digest says: expected sha256:0000"):
        described(f"registry:app@sha256:{'0' * 64}")


def test_arguments_are_never_seen_by_a_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log"
    fake(tmp_path, monkeypatch, f'for word; do printf "%s\\n" "$word" >> {log}; done; exit 1')
    (tmp_path / "a $(touch x);b").write_text("{}")
    with pytest.raises(SourceError):
        described("registry:app:1", authfile=str(tmp_path / "a $(touch x);b"), tls_verify=False)
    assert log.read_text().splitlines() == [
        "inspect",
        "--tls-verify=false",
        f"--authfile={tmp_path}/a $(touch x);b",
        "--raw",
        "docker://docker.io/library/app:1",
    ]


def test_silent_skopeo_and_its_children_are_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pids = tmp_path / "pids"
    fake(tmp_path, monkeypatch, f"echo $$ >> {pids}; sleep 600 & echo $! >> {pids}; wait")
    with pytest.raises(SourceError, match=r"no answer within 0\.5 s"):
        described("registry:app:1", timeout=0.5)
    deadline = time.monotonic() + 10
    for pid in map(int, pids.read_text().split()):
        while alive(pid):
            assert time.monotonic() < deadline, f"process {pid} still runs"
            time.sleep(0.01)


def test_a_layer_is_ours_while_the_next_one_is_still_coming(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = builders.oci_dir(tmp_path / "layout", [builders.layer({name: name}) for name in ("one", "two")])
    wanted = described(layout)
    manifest, config, first = (
        layout / "blobs" / "sha256" / digest[7:] for digest in (wanted.digest, wanted.image_id, wanted.layers[0].digest)
    )
    pid = tmp_path / "pid"
    fake(
        tmp_path,
        monkeypatch,
        f"""case "$*" in
        *--config*) cat {config};;
        *--raw*) cat {manifest};;
        *copy*) echo $$ > {pid}; cp {first} part; mv part layout/blobs/sha256/{first.name}; sleep 600;;
        esac""",
    )
    with opened("registry:app:1") as source:
        source.prefetch(source.image.layers)
        with source.open_layer(source.image.layers[0]) as blob:
            assert b"".join(blob.chunks()) == first.read_bytes()  # type: ignore[union-attr]
        assert alive(int(pid.read_text()))
    assert not alive(int(pid.read_text()))


def test_auth_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such auth file"):
        described("registry:app:1", authfile=str(tmp_path / "none"))


def test_prefix_that_is_also_an_image_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(tmp_path, monkeypatch, "echo 'manifest unknown' >&2; exit 1")
    with pytest.raises(NotFoundError) as caught:
        described("registry:2")
    assert "docker.io/registry:2" in caught.value.hint


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
