"""The tar of a root file system as an image of one layer, recognised or named."""

from __future__ import annotations

from pathlib import Path

import pytest

from anchorecli import archive, archivekind
from anchorecli.errors import IntegrityError, NotFoundError, SourceError, UsageError
from anchorecli.model import Platform
from anchorecli.reference import parse_reference
from anchorecli.source.platforms import host_platform
from tests import builders
from tests.source.opening import blobs, described, opened

EXPORTED = builders.layer({".dockerenv": "", "etc/hosts": "", "app": "x"})
ROOT = builders.layer({"./etc/passwd": "root", "./usr/bin/sh": "x", "./bin": builders.link("usr/bin")})
PART = builders.layer({"opt/app/run": "x"})


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("tar", [ROOT, EXPORTED, builders.layer({"usr/lib/os-release": "ID=x"})])
def test_a_root_is_recognised(tmp_path: Path, tar: bytes) -> None:
    path = written(tmp_path / "root.tar", tar)
    image = described(path)
    assert image.ref.transport == parse_reference(str(path)).transport == "rootfs"
    assert [layer.diff_id for layer in image.layers] == [builders.digest(tar)]
    assert (image.image_id, image.digest) == (builders.digest(tar),) * 2
    assert (image.config.history, dict(image.config.labels), image.config.entrypoint, image.config.user) == (
        (),
        {},
        (),
        "",
    )
    assert image.config.platform == host_platform()
    assert described(path, platform=Platform("linux", "s390x")).config.platform == Platform("linux", "s390x")
    with opened(path) as source:
        assert blobs(source) == [tar]


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
@pytest.mark.parametrize("prefix", ["", "rootfs:"])
def test_a_compressed_root_is_named_by_what_is_inside(tmp_path: Path, kind: str, prefix: str) -> None:
    path = written(tmp_path / "root.tar.z", builders.compressed(ROOT, kind))
    image = described(f"{prefix}{path}")
    assert (image.ref.transport, image.layers[0].diff_id) == ("rootfs", builders.digest(ROOT))


def test_a_part_of_a_root_has_to_be_named(tmp_path: Path) -> None:
    path = written(tmp_path / "part.tar", PART)
    with pytest.raises(SourceError, match="plain files") as caught:
        parse_reference(str(path))
    assert f"rootfs:{path}" in caught.value.hint
    assert described(f"rootfs:{path}").layers[0].diff_id == builders.digest(PART)


def test_an_image_is_no_root_and_a_root_no_image(tmp_path: Path) -> None:
    image = builders.docker_archive(tmp_path / "image.tar", [ROOT])
    with pytest.raises(SourceError, match="is not the tar of a root file system but a docker-archive") as caught:
        described(f"rootfs:{image}")
    assert caught.value.hint == f"write docker-archive:{image}"
    root = written(tmp_path / "root.tar", ROOT)
    with pytest.raises(SourceError, match="is not an oci-archive but the tar of a root") as caught:
        described(f"oci-archive:{root}")
    assert caught.value.hint == f"write rootfs:{root}"


def test_a_root_with_a_file_called_manifest_json_can_be_named(tmp_path: Path) -> None:
    tar = builders.layer({"etc/os-release": "ID=x", "manifest.json": "[]"})
    path = written(tmp_path / "root.tar", tar)
    assert described(f"rootfs:{path}").layers[0].diff_id == builders.digest(tar)


def test_what_cannot_be_a_root(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such file"):
        parse_reference("rootfs:/no/such.tar")
    with pytest.raises(UsageError, match="is a directory") as caught:
        parse_reference(f"rootfs:{tmp_path}")
    assert caught.value.hint == f"write dir:{tmp_path}"
    with pytest.raises(SourceError, match="an empty tar"):
        described(f"rootfs:{written(tmp_path / 'empty.tar', bytes(10240))}")
    root = written(tmp_path / "root.tar", ROOT)
    with pytest.raises(UsageError, match="no image to choose by name"):
        parse_reference(f"{root}:app:1")


@pytest.mark.parametrize("end", [600, 1536])
def test_a_truncated_root_is_refused(tmp_path: Path, end: int) -> None:
    with pytest.raises(IntegrityError, match="truncated"):
        parse_reference(str(written(tmp_path / "root.tar", EXPORTED[:end])))


def test_a_root_may_have_more_members_than_an_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_MEMBERS", 10)
    monkeypatch.setattr(archivekind, "MAX_MEMBERS", 10)
    many = {f"usr/share/{number}": "" for number in range(20)}
    path = written(tmp_path / "root.tar", builders.layer({"etc/os-release": "ID=x", **many}))
    assert described(path).ref.transport == "rootfs"
    with pytest.raises(IntegrityError, match="more than 10 members"):
        parse_reference(str(written(tmp_path / "other.tar", builders.layer(many))))
