"""Scans of images in a real registry: what is asked of it, what is pulled, and what a refusal says."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.builders import config, docker_archive, layer, oci_dir
from tests.cli.conftest import Run
from tests.cli.world import OPENSSL, debian, tracker
from tests.feeds.server import Answer, Server, serving
from tests.registry import Registry, needs_registry, start_registry
from tests.source.archives import AMD64, ARM64, INDEX, MANIFEST, Layout
from tests.source.test_registry import HTPASSWD

PLAIN = "--no-tls-verify"
BASE = layer(debian("openssl=3.0.11-1~deb12u1"))


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with start_registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


def pushed(registry: Registry, directory: Path, name: str, *layers: bytes, compress: str = "gzip") -> str:
    layout = oci_dir(directory / name.replace(":", "-").replace("/", "-"), layers or [BASE], compress=compress)
    return registry.push(f"oci:{layout}", name)


def layer_digests(report: dict[str, dict[str, list[dict[str, str]]]]) -> list[str]:
    return [each["digest"] for each in report["image"]["layers"]]


@needs_registry
def test_tag_digest_and_both_are_the_same_image(run: Run, registry: Registry, tmp_path: Path) -> None:
    assert run("feeds", "sync", "debian", "--from", tracker(tmp_path / "tracker.json", OPENSSL)).code == 0
    name = pushed(registry, tmp_path, "same:1", BASE, layer({"srv/a": "1"}))
    by_tag = run("scan", name, PLAIN, "-o", "json")
    assert by_tag.code == 1, by_tag.err
    image = by_tag.json["image"]
    assert (image["reference"], image["transport"], image["index_digest"]) == (name, "registry", "")
    assert {match["id"] for match in by_tag.json["matches"]} == {"CVE-2024-1001", "CVE-2024-1002"}
    repository = name.removesuffix(":1")
    for other in (f"{repository}@{image['digest']}", f"{name}@{image['digest']}", f"registry:{name}"):
        again = run("scan", other, PLAIN, "-o", "json")
        assert (again.code, again.json["image"]["id"]) == (1, image["id"])
    assert len(run("images", "list", "--json").json) == 1


@needs_registry
@pytest.mark.parametrize("compress", ["gzip", "zstd", ""])
def test_layers_however_they_are_compressed(run: Run, registry: Registry, tmp_path: Path, compress: str) -> None:
    name = pushed(registry, tmp_path, f"packed-{compress or 'plain'}:1", compress=compress)
    done = run("scan", name, PLAIN, "-o", "json")
    assert [package["name"] for package in done.json["packages"]] == ["openssl"], done.err
    assert (compress or "tar") in done.json["image"]["layers"][0]["media_type"]


@needs_registry
def test_docker_manifests(run: Run, registry: Registry, tmp_path: Path) -> None:
    archive = docker_archive(tmp_path / "image.tar", [BASE])
    name = registry.push(f"docker-archive:{archive}", "docker:1", "--format=v2s2")
    done = run("scan", name, PLAIN, "-o", "json")
    assert "docker" in done.json["image"]["layers"][0]["media_type"]
    assert [package["name"] for package in done.json["packages"]] == ["openssl"]


@needs_registry
def test_an_index_gives_the_platform_asked_for_and_both_digests(run: Run, registry: Registry) -> None:
    layout = Layout()
    leaves = {"amd64": layout.image("amd64", AMD64), "arm64": layout.image("arm64", ARM64)}
    index = layout.index(list(leaves.values()))
    for name, data in layout.files.items():
        if name.startswith("blobs/"):
            registry.put_blob("multi", data)
    for entry, kind in ((leaves["amd64"], MANIFEST), (leaves["arm64"], MANIFEST), (index, INDEX)):
        data = layout.files["blobs/sha256/" + entry["digest"].removeprefix("sha256:")]
        registry.put_manifest("multi", "1" if entry is index else entry["digest"], data, kind)
    for architecture, leaf in leaves.items():
        done = run("scan", f"{registry.host}/multi:1", PLAIN, "--platform", f"linux/{architecture}", "-o", "json")
        image = done.json["image"]
        assert (image["digest"], image["index_digest"]) == (leaf["digest"], index["digest"])
        assert image["platform"].startswith(f"linux/{architecture}")
    assert len(run("images", "list", "--json").json) == 2
    done = run("scan", f"{registry.host}/multi:1", PLAIN, "--platform", "linux/s390x")
    assert (done.code, done.out) == (3, "")
    assert "no image for linux/s390x" in done.err
    assert "linux/amd64, linux/arm64/v8" in done.err


# ── what is pulled ──────────────────────────────────────────────────────────────────────────────────────────


@needs_registry
def test_a_known_image_is_asked_for_its_manifest_and_nothing_else(run: Run, registry: Registry, tmp_path: Path) -> None:
    name = pushed(registry, tmp_path, "known:1", BASE, layer({"srv/a": "known"}))
    first = run("scan", name, PLAIN, "-o", "json")
    registry.forget()
    again = run("scan", name, PLAIN, "-o", "json")
    assert again.json["packages"] == first.json["packages"]
    assert registry.blob_gets() == []
    assert registry.manifest_gets() == ["1"]
    # Read all of it once more, only when told to.
    assert run("scan", name, PLAIN, "--force").code == first.code
    assert set(layer_digests(first.json)) <= set(registry.blob_gets())


@needs_registry
def test_of_a_new_image_only_the_unseen_layer_is_pulled(run: Run, registry: Registry, tmp_path: Path) -> None:
    middle = layer({"srv/middle": os.urandom(20_000)})
    run("scan", pushed(registry, tmp_path, "one:1", BASE, middle, layer({"srv/top": "1"})), PLAIN)
    name = pushed(registry, tmp_path, "two:1", BASE, middle, layer({"srv/top": "2"}))
    registry.forget()
    done = run("scan", name, PLAIN, "-o", "json")
    assert [package["name"] for package in done.json["packages"]] == ["openssl"], done.err
    served = [digest for digest in registry.blob_gets() if digest != done.json["image"]["id"]]
    assert served == layer_digests(done.json)[-1:]


@needs_registry
def test_a_new_image_of_known_layers_pulls_no_layer(run: Run, registry: Registry, tmp_path: Path) -> None:
    top = layer({"srv/top": "1"})
    run("scan", pushed(registry, tmp_path, "whole:1", BASE, top), PLAIN)
    layout = oci_dir(tmp_path / "relabelled", [BASE, top], config([BASE, top], author="somebody"))
    name = registry.push(f"oci:{layout}", "relabelled:1")
    registry.forget()
    done = run("scan", name, PLAIN, "-o", "json")
    assert done.json["image"]["config"]["author"] == "somebody"
    assert registry.blob_gets() == [done.json["image"]["id"]]


# ── credentials ─────────────────────────────────────────────────────────────────────────────────────────────


@needs_registry
def test_credentials_from_wherever_people_keep_them(run: Run, tmp_path: Path) -> None:
    with start_registry(tmp_path, HTPASSWD) as private:
        wrong, right = private.login("joe", "wrong"), private.login("joe", "secret")
        name = pushed(private, tmp_path, "private:1")
        env = {"XDG_RUNTIME_DIR": str(tmp_path / "none")}
        for args in ((), ("--authfile", wrong)):
            done = run("scan", name, PLAIN, *args, env=env)
            assert (done.code, done.out) == (3, "")
            assert f"{name}: the registry wants other credentials" in done.err
            assert "skopeo login" in done.err
            assert "wrong" not in done.err
        docker = tmp_path / "docker"
        docker.mkdir()
        (docker / "config.json").write_text(right.read_text())
        for args, more in (
            (("--authfile", right), {}),
            ((), {"ANCHORE_AUTHFILE": str(right)}),
            ((), {"REGISTRY_AUTH_FILE": str(right)}),
            ((), {"DOCKER_CONFIG": str(docker)}),
            # A pull does not start where its user stands.
            (("--authfile", os.path.relpath(right, tmp_path / "home")), {}),
            ((), {"REGISTRY_AUTH_FILE": os.path.relpath(right, tmp_path / "home")}),
            ((), {"DOCKER_CONFIG": "../docker"}),
        ):
            done = run("scan", name, PLAIN, "--force", "-o", "json", *args, env=env | more)
            assert [package["name"] for package in done.json["packages"]] == ["openssl"], done.err
    done = run("scan", name, PLAIN, "--authfile", tmp_path / "none")
    assert done.code == 2
    assert f"no such auth file: {tmp_path}/none" in done.err


# ── refusals ────────────────────────────────────────────────────────────────────────────────────────────────


def refused(run: Run, name: str, *args: str, env: dict[str, str] | None = None) -> str:
    """One line that names the image, one with the next step, exit 3, nothing stored; the two lines."""
    done = run("scan", name, *args, env=env or {})
    assert (done.code, done.out) == (3, "")
    first, second = done.err.splitlines()
    assert first.startswith("anchore: ") and name.rpartition("/")[2] in first
    assert second.startswith("  next: ")
    assert run("images", "list", "--json").json == []
    return done.err


@needs_registry
@pytest.mark.parametrize("name", ["app:none", "absent:1", f"app@sha256:{'0' * 64}"])
def test_what_the_registry_does_not_have(run: Run, registry: Registry, tmp_path: Path, name: str) -> None:
    pushed(registry, tmp_path, "app:1")
    assert "no such image or tag" in refused(run, f"{registry.host}/{name}", PLAIN)


@needs_registry
def test_plain_http_without_the_flag(run: Run, registry: Registry) -> None:
    assert PLAIN in refused(run, f"{registry.host}/app:1")


@needs_registry
def test_a_host_that_refuses_hangs_or_is_no_registry(run: Run) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{closed.getsockname()[1]}"
        assert "refuses connections" in refused(run, f"{host}/app:1", PLAIN)
        closed.listen()
        assert "no answer within 0.4 s" in refused(run, f"{host}/app:1", PLAIN, "--timeout", "0.4")
    with answering(b"\x00\xffgarbage\r\n\r\n") as host:
        assert "no registry" in refused(run, f"{host}/app:1", PLAIN)
    with answering(b"") as host:
        assert "cannot be reached" in refused(run, f"{host}/app:1", PLAIN)


@needs_registry
def test_a_web_server_that_is_no_registry_or_a_sick_one(run: Run) -> None:
    path = "/v2/app/manifests/1"
    with serving() as web:
        name = f"{web.url.removeprefix('http://')}/app:1"
        web.answers["/v2/"] = Answer(b"oops", status=500)
        assert "the registry has a fault" in refused(run, name, PLAIN)
        web.answers["/v2/"] = Answer(b"{}")
        for body in (b"<html>hello", b"", b"[]", b'{"schemaVersion": 2}', b"\xff" * 100):
            web.answers[path] = Answer(body, headers={"Content-Type": MANIFEST})
            assert "manifest" in refused(run, name, PLAIN)
        web.answers[path] = Answer(b"oops", status=503)
        assert "the registry has a fault" in refused(run, name, PLAIN)


@needs_registry
def test_a_registry_that_stops_in_the_middle_of_a_layer(run: Run, tmp_path: Path) -> None:
    """The manifest and the configuration come, the layer does not: nothing of it is kept, no directory is left."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with serving() as web:
        name, blobs = served_image(web, tmp_path / "layout", BASE)
        web.answers[blobs[0]].wait = 4  # type: ignore[union-attr]
        text = refused(run, name, PLAIN, "--timeout", "0.7", env={"TMPDIR": str(temporary)})
        assert "no answer within 0.7 s" in text
    assert list(temporary.iterdir()) == []


@needs_registry
def test_docker_hub_without_a_network(run: Run) -> None:
    env = {"HTTPS_PROXY": "http://127.0.0.1:9"}
    text = refused(run, "debian:12", env=env)
    assert text.startswith("anchore: docker.io/debian:12: the proxy cannot be used")
    assert "HTTPS_PROXY" in text
    done = run("scan", "debian:12", "--offline")
    assert done.code == 2
    assert "--offline forbids the network" in done.err
    assert "docker save" in done.err


def served_image(web: Server, directory: Path, *layers: bytes) -> tuple[str, list[str]]:
    """Let a web server play the registry of one image; its name there, and the paths of its layers' blobs."""
    files = {path.name: path.read_bytes() for path in oci_dir(directory, layers).glob("blobs/sha256/*")}
    manifest = json.loads((directory / "index.json").read_text())["manifests"][0]["digest"]
    document = json.loads(files[manifest.removeprefix("sha256:")])
    web.answers["/v2/"] = Answer(b"{}")
    for name, data in files.items():
        web.answers[f"/v2/app/blobs/sha256:{name}"] = Answer(data)
    for reference in ("1", manifest):
        body = files[manifest.removeprefix("sha256:")]
        web.answers[f"/v2/app/manifests/{reference}"] = Answer(body, headers={"Content-Type": MANIFEST})
    return f"{web.url.removeprefix('http://')}/app:1", [
        f"/v2/app/blobs/{each['digest']}" for each in document["layers"]
    ]


@contextmanager
def answering(reply: bytes) -> Iterator[str]:
    """A server that says the same to everybody and hangs up; its host and port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(4096)
                    connection.sendall(reply)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)
