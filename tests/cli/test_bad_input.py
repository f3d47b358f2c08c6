"""What a user may point the scanner at by mistake or malice: one clear line, the right code, nothing lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders import config, docker_archive, layer, oci_archive, oci_files
from tests.cli.conftest import Run
from tests.cli.world import debian

TAR = layer(debian("openssl=1"))


def whole(path: Path) -> Path:
    return docker_archive(path, [TAR])


CASES = {
    "empty file": (lambda p: p.write_bytes(b""), "empty"),
    "not an archive": (lambda p: p.write_bytes(b"hello, this is no archive" * 100), ""),
    "truncated archive": (lambda p: p.write_bytes(whole(p).read_bytes()[:5000]), ""),
    "another tar": (lambda p: p.write_bytes(layer({"a": "b"})), ""),
    "layer missing": (
        lambda p: p.write_bytes(layer({k: v for k, v in oci_files([TAR]).items() if not v.startswith(b"\x1f\x8b")})),
        "sha256:",
    ),
    "wrong diff_id": (lambda p: docker_archive(p, [TAR], config([layer({"other": ""})])), "digest"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_no_image_is_exit_3_and_leaves_nothing(run: Run, tmp_path: Path, case: str) -> None:
    path = tmp_path / "image.tar"
    build, words = CASES[case]
    build(path)  # type: ignore[no-untyped-call]
    done = run("scan", path)
    assert done.code == 3, (done.out, done.err)
    assert done.err.startswith("anchore: ")
    assert words in done.err
    assert done.out == ""
    assert run("images", "list", "--json").json == []
    assert "no evaluations" in run("history").err


def test_damaged_compression_is_exit_3(run: Run, tmp_path: Path) -> None:
    path = oci_archive(tmp_path / "image.tar", [TAR])
    data = bytearray(path.read_bytes())
    start = data.index(b"\x1f\x8b")
    data[start + 60] ^= 0xFF
    path.write_bytes(bytes(data))
    done = run("scan", path)
    assert done.code == 3
    assert "sha256:" in done.err


def test_an_image_that_is_not_there_is_exit_3(run: Run, tmp_path: Path) -> None:
    done = run("scan", f"docker-archive:{tmp_path}/none.tar")
    assert done.code == 3
    assert "none.tar" in done.err
    done = run("scan", "registry:127.0.0.1:1/none:1", "--no-tls-verify")
    assert done.code == 3
    assert "127.0.0.1:1" in done.err


def test_a_name_in_the_archive_that_is_not_there_lists_those_that_are(run: Run, tmp_path: Path) -> None:
    path = docker_archive(tmp_path / "image.tar", [TAR], tags=("app:1", "app:2"))
    done = run("scan", f"docker-archive:{path}:app:3")
    assert done.code == 3
    assert "app:1" in done.err


def test_an_unknown_command_or_image_name_is_told_apart(run: Run) -> None:
    done = run("scn")
    assert done.code == 2
    assert "scan" in done.err
    done = run("scan", "not a name")
    assert done.code in (2, 3)
    assert "not a name" in done.err


@pytest.mark.parametrize("data", [b"", b"{", b"[]", bytes(100), b"PK\x03\x04garbage"], ids=repr)
def test_a_damaged_feed_file_is_exit_5_and_the_old_feed_stays(run: Run, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "feed").write_bytes(data)
    for name in ("debian", "alpine", "osv:PyPI", "ghsa"):
        done = run("feeds", "sync", name, "--from", tmp_path / "feed")
        assert done.code == 5, (name, done.err)
        assert name in done.err
    done = run("feeds", "import", tmp_path / "feed")
    assert done.code == 5
    assert run("feeds", "status", "--json").json == []
