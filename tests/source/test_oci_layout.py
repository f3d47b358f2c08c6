"""OCI layouts in a tar and in a directory: names, platforms, nested indexes, damage."""

from __future__ import annotations

import json
import os
import platform as host
from pathlib import Path

import pytest

from anchorecli.errors import IntegrityError, NotFoundError, SourceError
from tests import builders
from tests.source.archives import AMD64, ARM64, ARMV7, INDEX, UNKNOWN, Layout, named
from tests.source.opening import blobs, described, names, opened, platform

ONE, TWO = builders.layer({"one": "1"}), builders.layer({"two": "2"})


@pytest.mark.parametrize("compress", ["", "gzip", "zstd"])
@pytest.mark.parametrize("kind", ["archive", "dir"])
def test_layers_of_every_compression(tmp_path: Path, compress: str, kind: str) -> None:
    make = builders.oci_archive if kind == "archive" else builders.oci_dir
    path = make(tmp_path / "image", [ONE, TWO], compress=compress, name="debian:12")
    with opened(path) as source:
        image = source.image
        assert [names(blob) for blob in blobs(source)] == [["one"], ["two"]]
    assert image.ref.transport == f"oci-{kind}"
    assert [layer.diff_id for layer in image.layers] == [builders.digest(ONE), builders.digest(TWO)]
    assert [layer.instruction for layer in image.layers] == ["RUN step 1", "RUN step 2"]
    assert builders.digest(image.manifest.encode()) == image.digest
    assert builders.digest(image.config.raw.encode()) == image.image_id
    assert image.names == ("docker.io/debian:12",)
    assert image.index_digest == ""


def test_platform_is_chosen_from_a_nested_index(tmp_path: Path) -> None:
    layout = Layout()
    arms = layout.index([layout.image("arm64", ARM64), layout.image("armv7", ARMV7)])
    top = layout.index([layout.image("amd64", AMD64), arms, layout.image("attestation", UNKNOWN)])
    path = layout.write(tmp_path / "image", [top])
    for wanted, content in (("linux/arm64", "arm64"), ("linux/arm/v7", "armv7"), ("linux/amd64", "amd64")):
        with opened(path, platform=platform(wanted)) as source:
            assert names(blobs(source)[0]) == [content]
            assert source.image.index_digest == top["digest"]
    with pytest.raises(NotFoundError, match="no image for linux/s390x") as caught:
        described(path, platform=platform("linux/s390x"))
    assert caught.value.hint == "available: linux/amd64, linux/arm/v7, linux/arm64/v8; choose with --platform"


def test_index_json_may_itself_be_the_list_of_platforms(tmp_path: Path) -> None:
    layout = Layout()
    path = layout.write(tmp_path / "image", [layout.image("amd64", AMD64), layout.image("arm64", ARM64)])
    image = described(path, platform=platform("linux/arm64"))
    assert image.index_digest == builders.digest((path / "index.json").read_bytes())


def test_the_hosts_platform_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:

    layout = Layout()
    path = layout.write(tmp_path / "image", [layout.image("amd64", AMD64), layout.image("arm64", ARM64)])
    for machine, found in (("x86_64", "amd64"), ("aarch64", "arm64")):
        monkeypatch.setattr(host, "machine", lambda machine=machine: machine)
        assert described(path).config.platform.architecture == found
    monkeypatch.setattr(host, "machine", lambda: "s390x")
    with pytest.raises(NotFoundError):
        described(path)


def test_several_images_are_chosen_by_name_or_digest(tmp_path: Path) -> None:
    layout = Layout()
    first, second = layout.image("a", **named("quay.io/x/a:1")), layout.image("b", **named("2"))
    path = layout.write(tmp_path / "image", [first, second])
    with pytest.raises(SourceError) as caught:
        described(path)
    assert "2, quay.io/x/a:1" in caught.value.message
    # "image:2", said in that directory, would be an image in a registry.
    assert caught.value.hint == f"choose one: oci-{'archive' if path.is_file() else 'dir'}:{path}:2"
    assert described(caught.value.hint.removeprefix("choose one: ")).digest == second["digest"]
    assert described(f"{path}:2").digest == second["digest"]
    assert described(f"{path}:quay.io/x/a:1").names == ("quay.io/x/a:1",)
    assert described(f"oci-dir:{path}@{second['digest']}").names == ()
    config = described(f"{path}:2").image_id
    assert described(f"{path}@{config}").digest == second["digest"]
    for absent in (f"{path}:3", f"{path}@sha256:{'0' * 64}"):
        with pytest.raises(NotFoundError) as missing:
            described(absent)
        assert "quay.io/x/a:1" in missing.value.hint


def test_unnamed_images_are_listed_by_digest(tmp_path: Path) -> None:
    layout = Layout()
    entries = [layout.image("a"), layout.image("b")]
    path = layout.write(tmp_path / "image", entries)
    with pytest.raises(SourceError, match=f"@{min(entry['digest'] for entry in entries)}"):
        described(path)
    assert described(f"{path}@{entries[1]['digest']}").digest == entries[1]["digest"]


def test_digest_of_a_nested_manifest(tmp_path: Path) -> None:
    layout = Layout()
    leaf = layout.image("arm64", ARM64)
    path = layout.write(tmp_path / "image", [layout.index([layout.image("amd64", AMD64), leaf])])
    assert described(f"{path}@{leaf['digest']}").config.platform == platform("linux/arm64/v8")


def test_containerd_names(tmp_path: Path) -> None:
    layout = Layout()
    entry = layout.image("a")
    entry["annotations"] = {
        "io.containerd.image.name": "docker.io/library/debian:12",
        "org.opencontainers.image.ref.name": "12",
    }
    path = layout.write(tmp_path / "image", [entry])
    assert described(path).names == ("docker.io/debian:12",)
    assert described(f"{path}:debian:12").names == ("docker.io/debian:12",)
    assert described(f"{path}:12").names == ("docker.io/debian:12",)


def test_archive_with_members_in_any_order_and_shape(tmp_path: Path) -> None:
    files = builders.oci_files([ONE])
    for number, order in enumerate((sorted(files), sorted(files, reverse=True))):
        path = tmp_path / str(number)
        entries = [("./", builders.directory()), *((f"./{name}", files[name]) for name in order)]
        path.write_bytes(builders.layer(entries))
        with opened(path) as source:
            assert names(blobs(source)[0]) == ["one"]


# ── bad input ───────────────────────────────────────────────────────────────────────────────────────────────


def blob_of(path: Path, digest: str) -> Path:
    return path / "blobs" / "sha256" / digest.removeprefix("sha256:")


def test_missing_blobs_are_named(tmp_path: Path) -> None:
    path = builders.oci_dir(tmp_path / "image", [ONE])
    image = described(path)
    for digest, what in (
        (image.layers[0].digest, "layer"),
        (image.image_id, "configuration"),
        (image.digest, "manifest"),
    ):
        blob_of(path, digest).unlink()
        with pytest.raises(IntegrityError, match=f"{what} {digest} is missing"), opened(path) as source:
            source.open_layer(source.image.layers[0])


def test_altered_documents_are_refused(tmp_path: Path) -> None:
    path = builders.oci_dir(tmp_path / "image", [ONE])
    image = described(path)
    for digest, what in ((image.image_id, "configuration"), (image.digest, "manifest")):
        data = blob_of(path, digest).read_bytes()
        blob_of(path, digest).write_bytes(data + b" ")
        with pytest.raises(IntegrityError, match=f"{what} is not what its digest says: expected {digest}"):
            described(path)
        blob_of(path, digest).write_bytes(data)


def test_pipe_in_a_blobs_place_does_not_block(tmp_path: Path) -> None:
    path = builders.oci_dir(tmp_path / "image", [ONE])
    digest = described(path).layers[0].digest
    blob_of(path, digest).unlink()
    os.mkfifo(blob_of(path, digest))
    with opened(path) as source, pytest.raises(IntegrityError, match="missing"):
        source.open_layer(source.image.layers[0])


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (b"", "is not a JSON document"),
        (b"\xff\xfe", "is not a JSON document"),
        (b"<html>log in first</html>", "is not a JSON document but a web page"),
        (b"[]", "not a usable image index"),
        (b'{"manifests": 3}', "not a usable image index"),
        (b'{"manifests": [{"digest": "sha256:../../etc/passwd"}]}', "is not a sha256 digest"),
        (b'{"manifests": [{"digest": "sha512:' + b"0" * 128 + b'"}]}', "only sha256|is not a sha256 digest"),
        (b'{"manifests": [7]}', "is not a sha256 digest"),
        (b'{"manifests": []}', "its index is empty"),
    ],
)
def test_unusable_index(tmp_path: Path, index: bytes, message: str) -> None:
    path = builders.oci_dir(tmp_path / "image", [ONE])
    (path / "index.json").write_bytes(index)
    with pytest.raises(SourceError, match=message):
        described(path)


def test_missing_index(tmp_path: Path) -> None:
    path = builders.oci_dir(tmp_path / "image", [ONE])
    (path / "index.json").unlink()
    with pytest.raises(IntegrityError, match=r"index\.json is missing"):
        described(path)


def test_index_that_is_nested_too_deep(tmp_path: Path) -> None:
    layout = Layout()
    entry = layout.image("deep", AMD64)
    for _ in range(12):
        entry = layout.index([entry])
    path = layout.write(tmp_path / "image", [entry])
    with pytest.raises(IntegrityError, match="nested too deep"):
        described(path)


def test_index_that_fans_out_is_bounded(tmp_path: Path) -> None:
    layout = Layout()
    entry = layout.image("wide", AMD64)
    for _ in range(5):
        entry = layout.index([entry] * 50)
    path = layout.write(tmp_path / "image", [entry])
    with pytest.raises(IntegrityError, match="more than 64 indexes"):
        described(path)


def test_manifests_that_are_no_images(tmp_path: Path) -> None:
    from anchorecli.source.documents import read_manifest

    ok = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "sha256:" + "0" * 64}
    helm = ok | {"mediaType": "application/vnd.cncf.helm.config.v1+json"}
    secret = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "digest": ok["digest"]}
    for document, kind, message in (
        ({"schemaVersion": 1, "fsLayers": []}, SourceError, "schema 1"),
        ({"config": helm, "layers": []}, SourceError, "helm.config"),
        ({"config": ok, "layers": [secret]}, SourceError, "is encrypted"),
        ({"config": ok, "layers": {}}, IntegrityError, "no usable list of layers"),
        ({"config": ok, "layers": [ok] * 5000}, IntegrityError, "5000 layers, more than the 1024 allowed"),
        ({"config": ok}, SourceError, "no container image"),
        ({"layers": []}, IntegrityError, "not a sha256 digest"),
        ([], IntegrityError, "not a JSON object"),
    ):
        with pytest.raises(kind, match=message):
            read_manifest(json.dumps(document).encode(), "subject")


def test_document_larger_than_any_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from anchorecli.source import documents

    monkeypatch.setattr(documents, "MAX_DOCUMENT", 100)
    with pytest.raises(IntegrityError, match="more than the 100 allowed"):
        documents.load_json(b" " * 101, "subject")
    with pytest.raises(IntegrityError, match="more memory than any has"):
        documents.load_json(b'"%s"' % ("\N{GRINNING FACE}".encode() * 20), "subject")
    with pytest.raises(IntegrityError, match="more memory than any has"):
        documents.load_json(b'"%s"' % (rb"\ud83d\ude00" * 6), "subject")
    monkeypatch.setattr(documents, "MAX_VALUES", 9)
    with pytest.raises(IntegrityError, match="more than the 9 values allowed"):
        documents.load_json(b"[" + b"{}," * 9 + b"{}]", "subject")


def test_huge_file_in_place_of_a_document(tmp_path: Path) -> None:
    path = builders.oci_dir(tmp_path / "image", [ONE])
    with (path / "index.json").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(IntegrityError, match="bytes allowed"):
        described(path)


def test_entry_that_says_index_but_is_a_manifest(tmp_path: Path) -> None:
    layout = Layout()
    entry = layout.image("a") | {"mediaType": INDEX}
    path = layout.write(tmp_path / "image", [entry])
    assert described(path).digest == entry["digest"]


def test_oci_prefix_on_other_things(tmp_path: Path) -> None:
    path = builders.docker_archive(tmp_path / "x.tar", [ONE])
    with pytest.raises(SourceError) as caught:
        described(f"oci-archive:{path}")
    assert caught.value.hint == f"write docker-archive:{path}"
    with pytest.raises(SourceError, match="is not a directory"):
        described(f"oci-dir:{path}")
    with pytest.raises(SourceError, match="is a directory"):
        described(f"oci-archive:{tmp_path}")
