"""Whatever bytes come, the answer is an image or one of our errors: never a traceback, never a hang."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anchorecli.archive import Archive
from anchorecli.archivekind import kind_of
from anchorecli.errors import AnchoreError, SourceError
from anchorecli.source.docker_archive import read_entries
from anchorecli.source.documents import Descriptor, leaves, read_manifest
from anchorecli.source.imageconfig import describe_layers, read_config
from tests import builders
from tests.source.archives import docker_images, legacy_save, new_docker_save
from tests.source.opening import described, opened

DIGEST = "sha256:" + "0" * 64
KEYS = (
    "config",
    "layers",
    "manifests",
    "digest",
    "mediaType",
    "size",
    "platform",
    "os",
    "history",
    "rootfs",
    "diff_ids",
)
WORDS = (DIGEST, "application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.config.v1+json", "\ud800", "")

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS) | st.text(max_size=5)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner), max_leaves=20
)
quick = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def read_index(data: bytes) -> Any:
    return leaves(json.loads(data), lambda entry: data, "subject")


def read_layers(data: bytes) -> Any:
    config, diff_ids = read_config(data, "subject")
    return describe_layers(config, diff_ids, [Descriptor(diff_id) for diff_id in diff_ids], "subject")  # type: ignore[arg-type]


READERS: tuple[Callable[[bytes], Any], ...] = (
    lambda data: read_manifest(data, "subject"),
    read_index,
    read_layers,
    lambda data: read_entries(data, Path("subject")),
)


@quick
@given(value=values)
def test_documents_of_any_shape(value: Any) -> None:
    data = json.dumps(value).encode()
    for read in READERS:
        try:
            read(data)
        except AnchoreError as error:
            assert "subject" in error.message or "index sha256" in error.message


@quick
@given(data=st.data())
def test_archives_with_bytes_changed(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    tmp_path = tmp_path_factory.mktemp("hostile")
    tar = builders.layer({"a": "b" * 600})
    make = data.draw(
        st.sampled_from(
            (
                lambda path: builders.docker_archive(path, [tar]),
                lambda path: builders.oci_archive(path, [tar]),
                lambda path: new_docker_save(path, [tar], ["a:1"])[0],
                lambda path: legacy_save(path, [tar]),
            )
        )
    )
    path = make(tmp_path / "image")
    content = bytearray(path.read_bytes())
    block = 512 * data.draw(st.integers(0, len(content) // 512 - 1))
    field = data.draw(st.sampled_from((0, 100, 124, 130, 156, 157, 257, 345, 482)))
    content[block + field : block + field + 8] = data.draw(st.binary(min_size=8, max_size=8))
    content[block + 148 : block + 156] = b" " * 8
    content[block + 148 : block + 156] = b"%06o\0 " % sum(content[block : block + 512])
    path.write_bytes(content)
    try:
        with opened(path) as source:
            for layer in source.image.layers:
                for _ in source.open_layer(layer).chunks():  # type: ignore[union-attr]
                    pass
    except AnchoreError as error:
        assert "\n" not in error.message


def test_names_out_of_an_image_are_printable_in_messages(tmp_path: Path) -> None:
    path = docker_images(
        tmp_path / "x.tar",
        [(f"evil\x1b[31m\n{number}:1", builders.config([]) | {"author": str(number)}, []) for number in range(30)],
    )
    with pytest.raises(SourceError, match="several images") as caught:
        described(path)
    assert (caught.value.message + caught.value.hint).isprintable()
    assert len(caught.value.message) < 1000


@pytest.mark.parametrize(
    "size",
    [b"-0000000001\0", b"+0000000001\0", b"000000000_1\0", b"99999999999\0", b"\xff" * 12, b"\x80" + b"\xff" * 11],
)
def test_sizes_that_are_none(tmp_path: Path, size: bytes) -> None:
    content = bytearray(builders.layer({"manifest.json": "[]"}))
    content[124:136] = size
    content[148:156] = b" " * 8
    content[148:156] = b"%06o\0 " % sum(content[:512])
    path = tmp_path / "image"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"damaged|truncated"):
        described(f"docker-archive:{path}")


def test_archive_packed_sparse_by_tar_itself(tmp_path: Path) -> None:
    """Old GNU sparse members with a map that needs more blocks: walked over, and refused when asked for."""
    with (tmp_path / "blob").open("wb") as file:
        for number in range(40):
            file.seek(number * 1_000_000)
            file.write(b"x")
    (tmp_path / "manifest.json").write_text("[]")
    command = ["tar", "--format=gnu", "--sparse", "-cf", "image.tar", "blob", "manifest.json"]
    if subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode != 0:
        pytest.skip("no GNU tar here")
    with Archive(tmp_path / "image.tar") as archive:
        assert kind_of(archive) == "docker-archive"
        assert archive.read("manifest.json", 10) == b"[]"
        if (tmp_path / "image.tar").stat().st_size < 1_000_000:
            with pytest.raises(SourceError, match="stored sparse"):
                archive.locate("blob")
