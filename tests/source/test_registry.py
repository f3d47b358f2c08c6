"""Images in a real registry on loopback: only what is asked for is pulled, and refusals say what to do."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from anchorecli.errors import AccessError, IntegrityError, NotFoundError, SourceError
from tests import builders
from tests.registry import Registry, needs_registry, start_registry
from tests.source.archives import AMD64, ARM64, DOCKER_MANIFEST, INDEX, MANIFEST, UNKNOWN, Layout
from tests.source.opening import blobs, described, names, opened, platform

ONE, TWO, THREE = (builders.layer({name: os.urandom(50_000)}) for name in ("one", "two", "three"))

# bcrypt of "secret" for the user "joe", as htpasswd -nbB writes it.
HTPASSWD = "joe:$2y$05$/MK.Ku.t.L6fl9Znv1.5Z.H3ULGCrDG.zL18l44EkUPtSidE2tq2S"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with start_registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


def pushed(registry: Registry, tmp_path: Path, name: str, *options: str, compress: str = "gzip") -> str:
    layout = builders.oci_dir(tmp_path / f"layout-{compress}", [ONE, TWO, THREE], compress=compress)
    return registry.push(f"oci:{layout}", name, *options)


@needs_registry
def test_tag_and_digest(registry: Registry, tmp_path: Path) -> None:
    name = pushed(registry, tmp_path, "app:1")
    registry.forget()
    with opened(name, tls_verify=False) as source:
        image = source.image
        assert registry.blob_gets() == [image.image_id]
        assert [names(blob) for blob in blobs(source)] == [["one"], ["two"], ["three"]]
    assert [layer.diff_id for layer in image.layers] == [builders.digest(tar) for tar in (ONE, TWO, THREE)]
    assert [layer.instruction for layer in image.layers] == ["RUN step 1", "RUN step 2", "RUN step 3"]
    assert builders.digest(image.manifest.encode()) == image.digest
    assert image.index_digest == ""
    assert image.names == (name,)
    by_digest = described(f"registry:{registry.host}/app@{image.digest}", tls_verify=False)
    assert by_digest.image_id == image.image_id
    assert by_digest.names == (f"{registry.host}/app@{image.digest}",)


@needs_registry
@pytest.mark.parametrize("compress", ["", "gzip", "zstd"])
@pytest.mark.parametrize("wanted", [(2,), (0, 2), (), (0, 1, 2)])
def test_only_the_layers_asked_for_are_pulled(
    registry: Registry, tmp_path: Path, compress: str, wanted: tuple[int, ...]
) -> None:
    name = pushed(registry, tmp_path, f"some-{compress or 'plain'}:1", compress=compress)
    with opened(name, tls_verify=False) as source:
        layers = [source.image.layers[number] for number in wanted]
        registry.forget()
        source.prefetch(layers)
        for layer in layers:
            with source.open_layer(layer) as blob:
                data = b"".join(blob.chunks())  # type: ignore[union-attr]
            assert builders.digest(data) == layer.digest
            assert len(data) == layer.size
        served = set(registry.blob_gets()) - {source.image.image_id}
    assert served == {layer.digest for layer in layers}


@needs_registry
def test_a_layer_that_was_not_announced_is_pulled_too(registry: Registry, tmp_path: Path) -> None:
    name = pushed(registry, tmp_path, "late:1")
    with opened(name, tls_verify=False) as source:
        first, second, _ = source.image.layers
        source.prefetch([first])
        for layer in (second, first, second):
            with source.open_layer(layer) as blob:
                assert blob.digest == layer.digest  # type: ignore[union-attr]
        assert registry.blob_gets().count(second.digest) == 1


@needs_registry
def test_docker_manifests_keep_configuration_and_layers(registry: Registry, tmp_path: Path) -> None:
    """An OCI layout is where the blobs go; the image must stay what the Docker manifest says."""
    settings = builders.config([ONE])
    settings["config"]["Healthcheck"] = {"Test": ["CMD", "true"]}
    archive = builders.docker_archive(tmp_path / "x.tar", [ONE], settings)
    name = registry.push(f"docker-archive:{archive}", "docker:1", "--format=v2s2")
    with opened(name, tls_verify=False) as source:
        image = source.image
        assert [names(blob) for blob in blobs(source)] == [["one"]]
    assert json.loads(image.manifest)["mediaType"] == DOCKER_MANIFEST
    assert image.config.healthcheck == ("CMD", "true")
    assert image.image_id == builders.digest(json.dumps(settings).encode())


def put_image(registry: Registry, repository: str, media_type: str, layer_type: str, blob: bytes) -> str:
    """Push a manifest by hand, with one layer whose type skopeo would not write; the image's name."""
    config = json.dumps(builders.config([ONE])).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": {
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "digest": registry.put_blob(repository, config),
            "size": len(config),
        },
        "layers": [{"mediaType": layer_type, "digest": registry.put_blob(repository, blob), "size": len(blob)}],
    }
    registry.put_manifest(repository, "1", json.dumps(manifest).encode(), media_type)
    return f"{registry.host}/{repository}:1"


@needs_registry
def test_unknown_layer_types_are_pulled_as_they_are(registry: Registry) -> None:
    name = put_image(registry, "odd", MANIFEST, "application/x-some.layer", builders.compressed(ONE, "zstd"))
    with opened(name, tls_verify=False) as source:
        assert names(blobs(source)[0]) == ["one"]


@needs_registry
def test_layer_types_that_skopeo_refuses_are_named(registry: Registry) -> None:
    """Old releases of skopeo read no zstd in Docker manifests; newer ones may."""
    zstd = "application/vnd.docker.image.rootfs.diff.tar.zstd"
    name = put_image(registry, "odder", DOCKER_MANIFEST, zstd, builders.compressed(ONE, "zstd"))
    try:
        with opened(name, tls_verify=False) as source:
            assert names(blobs(source)[0]) == ["one"]
    except SourceError as error:
        assert zstd in error.message and "OCI media types" in error.hint


@needs_registry
def test_layers_kept_elsewhere_are_named_and_not_pulled(registry: Registry) -> None:
    foreign = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
    name = put_image(registry, "windows", MANIFEST, foreign, builders.compressed(ONE, "gzip"))
    with opened(name, tls_verify=False) as source:
        source.prefetch(source.image.layers)
        with pytest.raises(SourceError, match="is not kept in the registry"):
            source.open_layer(source.image.layers[0])


@needs_registry
def test_index_keeps_both_digests(registry: Registry, tmp_path: Path) -> None:
    layout = Layout()
    leaves = {"amd64": layout.image("amd64", AMD64), "arm64": layout.image("arm64", ARM64)}
    nested = layout.index([leaves["arm64"]])
    top = layout.index([layout.image("attestation", UNKNOWN), leaves["amd64"], nested])
    for name, data in layout.files.items():
        if name.startswith("blobs/"):
            registry.put_blob("multi", data)
    for entry in (*leaves.values(), layout.image("attestation", UNKNOWN)):
        registry.put_manifest("multi", entry["digest"], blob(layout, entry), MANIFEST)
    registry.put_manifest("multi", nested["digest"], blob(layout, nested), INDEX)
    registry.put_manifest("multi", "1", blob(layout, top), INDEX)
    name = f"{registry.host}/multi:1"
    for architecture, leaf in leaves.items():
        with opened(name, tls_verify=False, platform=platform(f"linux/{architecture}")) as source:
            assert (source.image.digest, source.image.index_digest) == (leaf["digest"], top["digest"])
            assert names(blobs(source)[0]) == [architecture]
    by_digest = f"{registry.host}/multi@{top['digest']}"
    assert described(by_digest, tls_verify=False, platform=platform("linux/arm64")).digest == leaves["arm64"]["digest"]
    with pytest.raises(NotFoundError, match=f"{name} has no image for linux/s390x") as caught:
        described(name, tls_verify=False, platform=platform("linux/s390x"))
    assert "linux/amd64, linux/arm64/v8" in caught.value.hint


@needs_registry
def test_single_image_of_another_platform(registry: Registry, tmp_path: Path) -> None:
    name = pushed(registry, tmp_path, "single:1")
    with pytest.raises(NotFoundError, match="no image for linux/s390x"):
        described(name, tls_verify=False, platform=platform("linux/s390x"))


@needs_registry
def test_progress_ends_at_the_sum_of_what_was_asked(registry: Registry, tmp_path: Path) -> None:
    name = pushed(registry, tmp_path, "progress:1")
    told: list[tuple[str, int, int]] = []
    with opened(name, tls_verify=False, progress=lambda *step: told.append(step)) as source:
        layers = source.image.layers[1:]
        source.prefetch(layers)
        for layer in layers:
            source.open_layer(layer).close()
        deadline = time.monotonic() + 30
        total = sum(layer.size for layer in layers)
        while told[-1:] != [(f"pulling {name}", total, total)]:
            assert time.monotonic() < deadline, told
            time.sleep(0.01)
    assert all(0 <= done <= all_of_it == total for _, done, all_of_it in told)


# ── refusals ────────────────────────────────────────────────────────────────────────────────────────────────


@needs_registry
@pytest.mark.parametrize("name", ["app:none", "absent:1", "absent/more:1"])
def test_unknown_images(registry: Registry, name: str) -> None:
    with pytest.raises(NotFoundError, match=f"{registry.host}/{name}: no such image or tag"):
        described(f"{registry.host}/{name}", tls_verify=False)


@needs_registry
def test_unknown_digest(registry: Registry, tmp_path: Path) -> None:
    pushed(registry, tmp_path, "app:1")
    with pytest.raises(NotFoundError):
        described(f"{registry.host}/app@sha256:{'0' * 64}", tls_verify=False)


@needs_registry
def test_plain_http_registry_hints_at_the_flag(registry: Registry) -> None:
    with pytest.raises(SourceError, match="speaks plain HTTP") as caught:
        described(f"{registry.host}/app:1")
    assert "--no-tls-verify" in caught.value.hint


@needs_registry
def test_nobody_listens(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        with pytest.raises(SourceError, match="refuses connections"):
            described(f"127.0.0.1:{probe.getsockname()[1]}/app:1", tls_verify=False)


@needs_registry
def test_silent_registry_times_out() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        name = f"127.0.0.1:{silent.getsockname()[1]}/app:1"
        with pytest.raises(SourceError, match=r"no answer within 0\.3 s"):
            described(name, tls_verify=False, timeout=0.3)


@needs_registry
def test_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REGISTRY_AUTH_FILE", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path))
    with start_registry(tmp_path, HTPASSWD) as registry:
        wrong = registry.login("joe", "wrong")
        right = registry.login("joe", "secret")
        name = pushed(registry, tmp_path, "private:1")
        for options in ({}, {"authfile": str(wrong)}):
            with pytest.raises(AccessError, match=f"{name}: the registry wants other credentials") as caught:
                described(name, tls_verify=False, **options)
            assert "login" in caught.value.hint
            assert "wrong" not in str(caught.value) + caught.value.hint
        with opened(name, tls_verify=False, authfile=str(right)) as source:
            assert names(blobs(source)[2]) == ["three"]
        monkeypatch.setenv("REGISTRY_AUTH_FILE", str(right))
        assert described(name, tls_verify=False).layers
        monkeypatch.delenv("REGISTRY_AUTH_FILE")
        (tmp_path / "docker").mkdir()
        (tmp_path / "docker" / "config.json").write_text(right.read_text())
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
        with opened(name, tls_verify=False) as source:
            assert names(blobs(source)[0]) == ["one"]


@needs_registry
def test_layer_the_registry_lost(registry: Registry, tmp_path: Path) -> None:
    name = pushed(registry, tmp_path, "lost:1")
    with opened(name, tls_verify=False) as source:
        layer = source.image.layers[1]
        for place in registry.directory.rglob(f"{layer.digest.removeprefix('sha256:')}/data"):
            place.unlink()
        with pytest.raises(IntegrityError, match=f"{name}: the registry has lost a layer"):
            source.open_layer(layer)


@needs_registry
def test_layer_the_registry_altered(registry: Registry, tmp_path: Path) -> None:
    tar = builders.layer({"altered": os.urandom(1000)})
    layout = builders.oci_dir(tmp_path / "altered", [tar])
    name = registry.push(f"oci:{layout}", "altered:1")
    with opened(name, tls_verify=False) as source:
        layer = source.image.layers[0]
        for place in registry.directory.rglob(f"{layer.digest.removeprefix('sha256:')}/data"):
            data = bytearray(place.read_bytes())
            data[-1] ^= 1
            place.write_bytes(data)
        with pytest.raises(IntegrityError, match="are not what their digest says"):
            source.open_layer(layer)


@needs_registry
def test_artifact_is_no_image(registry: Registry) -> None:
    config = b"{}"
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {
            "mediaType": "application/vnd.cncf.helm.config.v1+json",
            "digest": registry.put_blob("chart", config),
            "size": len(config),
        },
        "layers": [],
    }
    registry.put_manifest("chart", "1", json.dumps(manifest).encode(), MANIFEST)
    with pytest.raises(SourceError, match=r"an artifact of type 'application/vnd\.cncf\.helm"):
        described(f"{registry.host}/chart:1", tls_verify=False)


def blob(layout: Layout, entry: dict[str, str]) -> bytes:
    return layout.files["blobs/sha256/" + entry["digest"].removeprefix("sha256:")]
