"""Feed files in a real registry on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from anchorecli.errors import FeedError, UsageError
from anchorecli.feeds.oci import DELTA_TYPE, FULL_TYPE, INDEX_TYPE, MANIFEST_TYPE, Access, Artifact, open_artifact
from anchorecli.feeds.offline.read import ANY
from anchorecli.feeds.shelf import bring
from anchorecli.store import Store, open_store
from tests.feeds.test_delta import delta, full, held, synced
from tests.feeds.test_shelf import records
from tests.registry import Registry, needs_registry, start_registry
from tests.source.test_registry import HTPASSWD

PLAIN = Access(tls_verify=False, timeout=20)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with start_registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "here.db") as store:
        yield store


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "there.db") as store:
        yield store


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials of whoever runs the tests."""
    for name in ("REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "DOCKER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def follow(store: Store, artifact: Artifact) -> list[bool]:
    """Bring the store up to date; for each file that took, whether it was a delta."""
    return [item.delta for item, _ in bring(artifact.items(), artifact.fetch, store, ANY)]


@needs_registry
def test_a_full_file_and_deltas_beside_it(registry: Registry, here: Store, there: Store, tmp_path: Path) -> None:
    artifact = open_artifact(f"{registry.host}/mirror/feeds:latest", PLAIN)
    assert artifact.items() == []
    one = synced(here, 1, *records())
    assert [each.delta for each in artifact.push(full(here, tmp_path / "full.feeds"))] == [False]
    assert follow(there, artifact) == [False]
    two = synced(here, 2, *records(5))
    artifact.push(delta(here, tmp_path / "d1.feeds", one))
    synced(here, 3, *records(5, 6))
    items = artifact.push(delta(here, tmp_path / "d2.feeds", two))
    assert [(each.name, each.since, each.revision) for each in items] == [
        ("full.feeds", -1, 1), ("d1.feeds", 1, 2), ("d2.feeds", 2, 3),
    ]  # fmt: skip
    registry.forget()
    assert follow(there, artifact) == [True, True]
    # The index and the two deltas; not the full file.
    assert len(registry.blob_gets()) == 3
    assert held(there) == held(here)
    assert follow(there, artifact) == []
    with open_store(tmp_path / "new.db") as new:
        assert follow(new, open_artifact(artifact.name, PLAIN)) == [False, True, True]
        assert held(new) == held(here)


@needs_registry
def test_what_it_is_in_the_registry(registry: Registry, here: Store, tmp_path: Path) -> None:
    one = synced(here, 1, *records())
    artifact = open_artifact(f"{registry.host}/feeds:daily", PLAIN)
    artifact.push(full(here, tmp_path / "full.feeds"))
    synced(here, 2, *records(1))
    artifact.push(delta(here, tmp_path / "d.feeds", one))
    url = f"http://{artifact.container.manifest_url()}"
    manifest = artifact.connection.client.session.get(url, headers={"Accept": MANIFEST_TYPE}).json()
    assert (manifest["artifactType"], manifest["config"]["mediaType"]) == (INDEX_TYPE, INDEX_TYPE)
    assert [layer["mediaType"] for layer in manifest["layers"]] == [FULL_TYPE, DELTA_TYPE]
    assert manifest["layers"][1]["annotations"] == {
        "org.opencontainers.image.title": "d.feeds",
        "org.opencontainers.image.created": "2025-03-01T00:00:00Z",
        "io.anchore-scan.feeds.revision": "2",
        "io.anchore-scan.feeds.since": "1",
    }
    digest = sha256((tmp_path / "d.feeds").read_bytes()).hexdigest()
    assert manifest["layers"][1]["digest"] == f"sha256:{digest}"


@needs_registry
def test_pushed_twice_is_there_once(registry: Registry, here: Store, tmp_path: Path) -> None:
    synced(here, 1, *records())
    artifact = open_artifact(f"{registry.host}/twice:1", PLAIN)
    path = full(here, tmp_path / "full.feeds")
    assert artifact.push(path) == artifact.push(path)
    assert len(artifact.items()) == 1


@needs_registry
def test_a_later_full_file_takes_the_place_of_the_last(registry: Registry, here: Store, tmp_path: Path) -> None:
    artifact = open_artifact(f"{registry.host}/later:1", PLAIN)
    synced(here, 1, *records())
    old = full(here, tmp_path / "a.feeds")
    artifact.push(old)
    synced(here, 2, *records(1))
    assert [each.name for each in artifact.push(full(here, tmp_path / "b.feeds"))] == ["b.feeds"]
    with pytest.raises(FeedError, match="older than what"):
        artifact.push(old)


@needs_registry
def test_something_else_under_that_name(registry: Registry, here: Store, tmp_path: Path) -> None:
    config = registry.put_blob("app", b"{}")
    kind = "application/vnd.oci.image.config.v1+json"
    manifest = {
        "schemaVersion": 2, "mediaType": MANIFEST_TYPE, "layers": [],
        "config": {"mediaType": kind, "digest": config, "size": 2},
    }  # fmt: skip
    registry.put_manifest("app", "1", json.dumps(manifest).encode(), MANIFEST_TYPE)
    artifact = open_artifact(f"{registry.host}/app:1", PLAIN)
    with pytest.raises(FeedError, match="holds no feed files"):
        artifact.items()
    # It is not overwritten either.
    synced(here, 1, *records())
    with pytest.raises(FeedError, match="holds no feed files"):
        artifact.push(full(here, tmp_path / "f.feeds"))


@needs_registry
def test_a_blob_that_was_changed_in_the_registry(registry: Registry, here: Store, there: Store, tmp_path: Path) -> None:
    artifact = open_artifact(f"{registry.host}/changed:1", PLAIN)
    synced(here, 1, *records())
    (item,) = artifact.push(full(here, tmp_path / "f.feeds"))
    (blob,) = registry.directory.glob(f"data/**/{item.sha256}/data")
    good = blob.read_bytes()
    for bad in (good[:-1] + b"x", good[: len(good) // 2], good + b"x"):
        blob.write_bytes(bad)
        with pytest.raises(FeedError):
            follow(there, artifact)
        assert there.feed_states() == ()
    blob.write_bytes(good)
    assert follow(there, artifact) == [False]


@needs_registry
def test_credentials(registry: Registry, here: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced(here, 1, *records())
    path = full(here, tmp_path / "f.feeds")
    with start_registry(tmp_path, HTPASSWD) as private:
        name = f"{private.host}/team/feeds:1"
        wrong, right = private.login("joe", "wrong"), private.login("joe", "secret")
        with pytest.raises(FeedError, match="refuses access") as caught:
            open_artifact(name, PLAIN).push(path)
        assert "skopeo login" in caught.value.hint
        with pytest.raises(FeedError, match="refuses access"):
            open_artifact(name, PLAIN._replace(authfile=str(wrong))).push(path)
        open_artifact(name, PLAIN._replace(authfile=str(right))).push(path)
        monkeypatch.setenv("REGISTRY_AUTH_FILE", str(right))
        assert len(open_artifact(name, PLAIN).items()) == 1
        monkeypatch.delenv("REGISTRY_AUTH_FILE")
        (tmp_path / "docker").mkdir()
        (tmp_path / "docker" / "config.json").write_bytes(right.read_bytes())
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
        assert len(open_artifact(name, PLAIN).items()) == 1
        # The longest name decides.
        auths = json.loads(right.read_text())["auths"]
        bad = json.loads(wrong.read_text())["auths"][private.host]
        (tmp_path / "docker" / "config.json").write_text(json.dumps({"auths": auths | {f"{private.host}/team": bad}}))
        with pytest.raises(FeedError, match="refuses access"):
            open_artifact(name, PLAIN).items()
    with pytest.raises(FeedError, match="no such auth file"):
        open_artifact(f"{registry.host}/x:1", PLAIN._replace(authfile=str(tmp_path / "none")))


@needs_registry
def test_plain_http_only_where_it_is_asked_for(registry: Registry) -> None:
    with pytest.raises(FeedError, match="no TLS") as caught:
        open_artifact(f"{registry.host}/feeds:1", Access(timeout=5))
    assert "--no-tls-verify" in caught.value.hint


def test_a_registry_that_is_not_there() -> None:
    with pytest.raises(FeedError, match="cannot be reached"):
        open_artifact("127.0.0.1:1/feeds:1", PLAIN)


@needs_registry
def test_a_registry_that_hangs(registry: Registry) -> None:
    artifact = open_artifact(f"{registry.host}/feeds:1", PLAIN._replace(timeout=0.2))
    registry.pause()
    try:
        with pytest.raises(FeedError, match="no answer in time"):
            artifact.items()
    finally:
        registry.resume()


@pytest.mark.parametrize("name", ["", "UPPER/feeds", "host:5000/feeds:a b", "docker-archive:x.tar"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises((UsageError, FeedError)):
        open_artifact(name, PLAIN)
