"""`docker save` archives: classic, new, from before digests; several images in one; damage."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from anchorecli.errors import IntegrityError, NotFoundError, SourceError
from tests import builders
from tests.source.archives import docker_images, legacy_save, new_docker_save
from tests.source.opening import blobs, described, names, opened, platform

ONE, TWO = builders.layer({"one": "1"}), builders.layer({"two": "2" * 100})


def test_classic_archive(tmp_path: Path) -> None:
    path = builders.docker_archive(tmp_path / "image.tar", [ONE, TWO], tags=["debian:12", "quay.io/team/app:1"])
    with opened(path) as source:
        image = source.image
        source.prefetch(image.layers)
        assert blobs(source) == [ONE, TWO]
    assert [layer.diff_id for layer in image.layers] == [builders.digest(ONE), builders.digest(TWO)]
    assert [layer.instruction for layer in image.layers] == ["RUN step 1", "RUN step 2"]
    assert [layer.size for layer in image.layers] == [len(ONE), len(TWO)]
    assert [layer.digest for layer in image.layers] == ["", ""]
    assert image.names == ("docker.io/debian:12", "quay.io/team/app:1")
    assert image.image_id == image.digest == builders.digest(json.dumps(builders.config([ONE, TWO])).encode())
    assert image.index_digest == ""
    assert image.ref.transport == "docker-archive"


def test_gzipped_layers_are_given_as_they_are(tmp_path: Path) -> None:
    packed = builders.compressed(ONE, "gzip")
    config = json.dumps(builders.config([ONE])).encode()
    manifest = [{"Config": "config.json", "RepoTags": [], "Layers": ["layer.tar.gz"]}]
    path = tmp_path / "image.tar"
    path.write_bytes(
        builders.layer({"layer.tar.gz": packed, "config.json": config, "manifest.json": json.dumps(manifest)})
    )
    with opened(path) as source:
        assert blobs(source) == [packed]
        assert source.image.names == ()
        assert source.image.image_id == builders.digest(config)


@pytest.mark.parametrize("compress", ["", "gzip", "zstd"])
def test_new_archive_gives_the_true_manifest(tmp_path: Path, compress: str) -> None:
    path, digest = new_docker_save(tmp_path / "image.tar", [ONE, TWO], ["debian:12"], compress)
    with opened(path) as source:
        image = source.image
        assert [names(blob) for blob in blobs(source)] == [["one"], ["two"]]
        with source.open_layer(image.layers[0]) as blob:
            assert blob.digest == image.layers[0].digest != ""  # type: ignore[union-attr]
    assert image.ref.transport == "docker-archive"
    assert image.digest == digest
    assert builders.digest(image.manifest.encode()) == digest
    assert image.names == ("docker.io/debian:12",)
    assert image.layers[0].media_type.startswith("application/vnd.oci.image.layer.v1.tar")
    assert described(f"{path}@{digest}").image_id == image.image_id


def test_new_archive_with_dangling_platforms(tmp_path: Path) -> None:
    path, _ = new_docker_save(tmp_path / "image.tar", [ONE], ["debian:12"])
    with tarfile.open(path) as tar:
        files = {name: tar.extractfile(name).read() for name in tar.getnames()}  # type: ignore[union-attr]
    absent = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "sha256:" + "0" * 64, "size": 1}
    nested = absent | {"mediaType": "application/vnd.oci.image.index.v1+json"}
    index = json.loads(files["index.json"])
    index["manifests"] = [absent, nested, *index["manifests"]]
    path.write_bytes(builders.layer(files | {"index.json": json.dumps(index)}))
    image = described(path)
    assert image.digest != image.image_id


def test_linked_layers_are_found(tmp_path: Path) -> None:
    """docker writes a layer that occurs twice as a symbolic link to its first place."""
    config = builders.config([ONE, ONE])
    document = json.dumps(config).encode()
    manifest = [{"Config": "c.json", "RepoTags": ["a:1"], "Layers": ["a/layer.tar", "b/layer.tar", "c/layer.tar"]}]
    config["rootfs"]["diff_ids"].append(builders.digest(ONE))
    document = json.dumps(config).encode()
    members = {
        "a/layer.tar": ONE,
        "b/layer.tar": builders.link("../a/layer.tar"),
        "c/layer.tar": builders.hardlink("a/layer.tar"),
        "c.json": document,
        "manifest.json": json.dumps(manifest),
    }
    path = tmp_path / "image.tar"
    path.write_bytes(builders.layer(members))
    with opened(path) as source:
        assert blobs(source) == [ONE, ONE, ONE]
        assert [layer.instruction for layer in source.image.layers] == ["", "", ""]  # the history has two steps only


def test_link_loops_end(tmp_path: Path) -> None:
    members = {"manifest.json": builders.link("b"), "b": builders.link("manifest.json")}
    path = tmp_path / "image.tar"
    path.write_bytes(builders.layer(members))
    with pytest.raises(SourceError, match="holds no image"):
        described(path)


def test_several_images_are_chosen_by_name_digest_or_not_at_all(tmp_path: Path) -> None:
    path = docker_images(
        tmp_path / "two.tar",
        [("debian:12", builders.config([ONE]), [ONE]), ("quay.io/app:1", builders.config([TWO]), [TWO])],
    )
    with pytest.raises(SourceError) as caught:
        described(path)
    assert "debian:12, quay.io/app:1" in caught.value.message
    assert caught.value.hint == f"choose one: docker-archive:{path}:debian:12"
    for name in ("debian:12", "docker.io/library/debian:12"):
        assert described(f"{path}:{name}").layers[0].diff_id == builders.digest(ONE)
    second = described(f"docker-archive:{path}:quay.io/app:1")
    assert second.layers[0].diff_id == builders.digest(TWO)
    assert described(f"{path}@{second.image_id}").names == ("quay.io/app:1",)
    with pytest.raises(NotFoundError, match=r"holds no image debian:11") as absent:
        described(f"{path}:debian:11")
    assert "debian:12" in absent.value.hint
    with pytest.raises(NotFoundError):
        described(f"{path}@sha256:{'0' * 64}")


def test_one_image_under_two_entries_is_one_image(tmp_path: Path) -> None:
    config = builders.config([ONE])
    path = docker_images(tmp_path / "x.tar", [("a:1", config, [ONE]), ("b:1", config, [ONE])])
    assert described(path).names == ("docker.io/a:1", "docker.io/b:1")


def test_platforms_under_one_name(tmp_path: Path) -> None:
    images = [
        ("a:1", builders.config([ONE], architecture="s390x"), [ONE]),
        ("a:1", builders.config([TWO], architecture="riscv64"), [TWO]),
    ]
    path = docker_images(tmp_path / "x.tar", images)
    assert described(path, platform=platform("linux/riscv64")).layers[0].diff_id == builders.digest(TWO)
    with pytest.raises(NotFoundError) as caught:
        described(path, platform=platform("linux/ppc64le"))
    assert "linux/riscv64, linux/s390x" in caught.value.hint


def test_single_image_of_another_platform(tmp_path: Path) -> None:
    path = builders.docker_archive(tmp_path / "x.tar", [ONE], builders.config([ONE], architecture="s390x"))
    assert described(path).config.platform == platform("linux/s390x")
    with pytest.raises(NotFoundError, match="linux/amd64"):
        described(path, platform=platform("linux/amd64"))


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_whole_archive_compressed(tmp_path: Path, kind: str) -> None:
    plain = builders.docker_archive(tmp_path / "x.tar", [ONE, TWO])
    packed = tmp_path / "image.tar.packed"
    packed.write_bytes(builders.compressed(plain.read_bytes(), kind))
    with opened(packed) as source:
        assert blobs(source) == [ONE, TWO]
    damaged = tmp_path / "half.tar.gz"
    damaged.write_bytes(packed.read_bytes()[:-200])
    with pytest.raises(IntegrityError, match="damaged"):
        described(damaged)


def test_compressed_oci_archive_without_prefix(tmp_path: Path) -> None:
    plain = builders.oci_archive(tmp_path / "x.tar", [ONE])
    packed = tmp_path / "image.tar.gz"
    packed.write_bytes(builders.compressed(plain.read_bytes(), "gzip"))
    assert described(packed).ref.transport == "oci-archive"
    with pytest.raises(SourceError) as caught:
        described(f"docker-archive:{packed}")
    assert caught.value.message == f"{packed} is not a docker-archive but an oci-archive"
    assert caught.value.hint == f"write oci-archive:{packed}"


def test_archive_that_inflates_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from anchorecli import archive

    monkeypatch.setattr(archive, "MAX_INFLATED", 100_000)
    packed = tmp_path / "bomb.tar.gz"
    packed.write_bytes(builders.compressed(b"\0" * 3_000_000, "gzip"))
    with pytest.raises(IntegrityError, match="inflates to more than 100000 bytes"):
        described(packed)


def test_legacy_archive(tmp_path: Path) -> None:
    path = legacy_save(tmp_path / "old.tar", [ONE, TWO])
    with opened(path) as source:
        image = source.image
        assert blobs(source) == [ONE, TWO]
    assert [layer.diff_id for layer in image.layers] == [builders.digest(ONE), builders.digest(TWO)]
    assert [layer.instruction for layer in image.layers] == ["RUN step 1", "RUN step 2"]
    assert image.names == ("docker.io/old:1",)
    assert image.config.env == ("N=2",)
    assert described(f"{path}:old:1").image_id == image.image_id
    with pytest.raises(NotFoundError, match="old:2"):
        described(f"{path}:old:2")


def test_legacy_archive_with_several_images(tmp_path: Path) -> None:
    ids = [f"{number:064x}" for number in (1, 2)]
    path = legacy_save(tmp_path / "old.tar", [ONE, TWO], {"old": {"1": ids[0], "2": ids[1]}})
    with pytest.raises(SourceError, match="old:1, old:2"):
        described(path)
    assert len(described(f"{path}:old:1").layers) == 1


def test_legacy_archive_with_a_loop(tmp_path: Path) -> None:
    layer_id = "a" * 64
    members = {
        f"{layer_id}/json": json.dumps({"parent": layer_id}),
        f"{layer_id}/layer.tar": ONE,
        "repositories": json.dumps({"x": {"1": layer_id}}),
    }
    path = tmp_path / "old.tar"
    path.write_bytes(builders.layer(members))
    with pytest.raises(IntegrityError, match="no chain"):
        described(path)


# ── bad input ───────────────────────────────────────────────────────────────────────────────────────────────


def test_truncated_archive_at_every_kilobyte(tmp_path: Path) -> None:
    whole = builders.docker_archive(tmp_path / "x.tar", [ONE, TWO]).read_bytes()
    path = tmp_path / "cut.tar"
    last = whole.rstrip(b"\0")
    for length in range(1, len(last), 1000):
        path.write_bytes(whole[:length])
        with pytest.raises(SourceError) as caught:
            described(f"docker-archive:{path}")
        assert str(path) in caught.value.message


def test_damaged_header(tmp_path: Path) -> None:
    path = builders.docker_archive(tmp_path / "x.tar", [ONE, TWO])
    data = bytearray(path.read_bytes())
    data[512 + len(ONE) + 20] ^= 0xFF  # the name of the second member
    path.write_bytes(data)
    with pytest.raises(IntegrityError, match="no tar header at byte"):
        described(f"docker-archive:{path}")


def test_missing_layer_is_named_when_it_is_opened(tmp_path: Path) -> None:
    manifest = [{"Config": "c.json", "RepoTags": ["a:1"], "Layers": ["gone/layer.tar"]}]
    path = tmp_path / "x.tar"
    path.write_bytes(
        builders.layer({"c.json": json.dumps(builders.config([ONE])), "manifest.json": json.dumps(manifest)})
    )
    with opened(path) as source, pytest.raises(IntegrityError, match=r"gone/layer\.tar is missing"):
        source.open_layer(source.image.layers[0])


def test_missing_configuration_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(builders.layer({"manifest.json": '[{"Config": "gone.json", "Layers": []}]'}))
    with pytest.raises(IntegrityError, match=r"configuration gone\.json is missing"):
        described(path)


def test_configuration_that_is_not_its_name(tmp_path: Path) -> None:
    path = builders.docker_archive(tmp_path / "x.tar", [ONE])
    path.write_bytes(path.read_bytes().replace(b"2024-01-02", b"2024-01-03"))
    with pytest.raises(IntegrityError, match="is not what its digest says: expected sha256:"):
        described(path)


def test_layers_that_do_not_fit_the_configuration(tmp_path: Path) -> None:
    path = docker_images(tmp_path / "x.tar", [("a:1", builders.config([ONE]), [ONE, TWO])])
    with pytest.raises(IntegrityError, match="the manifest has 2 layers, the configuration 1"):
        described(path)


@pytest.mark.parametrize(
    "manifest",
    ["", "{", "null", "{}", "[1]", '[{"Config": 1}]', '[{"Config": "c", "Layers": 5}]', "[" * 100_000, '["\\ud800"]'],
)
def test_unusable_manifest(tmp_path: Path, manifest: str) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(builders.layer({"manifest.json": manifest}))
    with pytest.raises(IntegrityError, match=r"manifest\.json"):
        described(f"docker-archive:{path}")


def test_empty_manifest_list(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(builders.layer({"manifest.json": "[]"}))
    with pytest.raises(NotFoundError, match="empty list"):
        described(path)


def test_sparse_member_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("manifest.json")
        info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}
        tar.addfile(info)
    path.write_bytes(out.getvalue())
    with pytest.raises(SourceError, match="stored sparse"):
        described(f"docker-archive:{path}")


def test_names_that_point_outside_stay_inside(tmp_path: Path) -> None:
    """A layer named ``../../x`` is looked up in the archive, never on the host."""
    (tmp_path / "x").write_text("host")
    manifest = [{"Config": "c.json", "RepoTags": [], "Layers": ["../x"]}]
    (tmp_path / "sub").mkdir()
    path = tmp_path / "sub" / "image.tar"
    path.write_bytes(
        builders.layer({"c.json": json.dumps(builders.config([ONE])), "manifest.json": json.dumps(manifest)})
    )
    with opened(path) as source, pytest.raises(IntegrityError, match="missing"):
        source.open_layer(source.image.layers[0])
