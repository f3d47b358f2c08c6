"""Directories as images: nothing outside the root is ever opened, and what cannot be read is said."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from anchorecli.errors import IntegrityError, NotFoundError, SourceError
from anchorecli.model import ImageRef
from anchorecli.source import DirLayer, SourceOptions, directory, open_source
from anchorecli.source.platforms import host_platform
from tests.source.opening import described, opened


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc" / "os-release").write_text("ID=x\n")
    (root / "usr" / "lib").mkdir(parents=True)
    (root / "lib").symlink_to("usr/lib")
    (root / "out").symlink_to("..")
    (tmp_path / "secret").write_text("host")
    return root


def layer_of(path: Path) -> DirLayer:
    with opened(f"dir:{path}") as source:
        layer = source.open_layer(source.image.layers[0])
    assert isinstance(layer, DirLayer)
    return layer


def test_walk_is_sorted_and_complete(tree: Path) -> None:
    (tree / os.fsdecode(b"\xff")).write_bytes(b"")
    os.mkfifo(tree / "pipe")
    with layer_of(tree) as layer:
        found = list(layer.walk())
    assert [path for path, _, _ in found] == [
        "etc",
        "etc/os-release",
        "lib",
        "out",
        "pipe",
        "usr",
        "usr/lib",
        "\udcff",
    ]
    assert {path: target for path, _, target in found if target} == {"lib": "usr/lib", "out": ".."}
    assert dict((path, info.st_size) for path, info, _ in found)["etc/os-release"] == 5
    assert layer.problems == []


def test_files_open_below_the_root_only(tree: Path) -> None:
    with layer_of(tree) as layer:
        with layer.open("etc/os-release") as file:
            assert file.read() == b"ID=x\n"
        for path in ("out/secret", "lib", "etc", "../secret", "lib/x"):
            with pytest.raises(OSError):
                layer.open(path)
    (tree / "link").symlink_to(tree.parent / "secret")
    with layer_of(tree) as layer, pytest.raises(OSError):
        layer.open("link")


def test_parent_directories_are_refused(tree: Path) -> None:
    with layer_of(tree) as layer, pytest.raises(OSError, match="outside"):
        layer.open("etc/../../secret")


def test_pipe_does_not_block(tree: Path) -> None:
    os.mkfifo(tree / "pipe")
    with layer_of(tree) as layer, pytest.raises(OSError, match="regular"):
        layer.open("pipe")


def test_digest_follows_the_listing(tree: Path) -> None:
    first = described(f"dir:{tree}")
    assert first == described(f"dir:{tree}")
    assert first.image_id == first.digest == first.layers[0].diff_id
    assert first.config.platform == host_platform()
    (tree / "etc" / "os-release").chmod(0o600)
    second = described(f"dir:{tree}")
    (tree / "lib").unlink()
    (tree / "lib").symlink_to("usr/lib64")
    third = described(f"dir:{tree}")
    (tree / "new").mkdir()
    assert len({first.digest, second.digest, third.digest, described(f"dir:{tree}").digest}) == 4


def test_same_size_and_date_with_other_content_is_another_image(tree: Path) -> None:
    path = tree / "etc" / "os-release"
    os.utime(path, ns=(0, 0))
    first = described(f"dir:{tree}").digest
    path.write_text("ID=y\n")
    os.utime(path, ns=(0, 0))
    assert described(f"dir:{tree}").digest != first


def test_layer_can_be_opened_again_and_of_this_image_only(tree: Path) -> None:
    from dataclasses import replace

    with opened(f"dir:{tree}") as source:
        layer = source.image.layers[0]
        source.prefetch([layer])
        source.open_layer(layer).close()
        assert len(list(source.open_layer(layer).walk())) == 6  # type: ignore[union-attr]
        with pytest.raises(IntegrityError):
            source.open_layer(replace(layer, diff_id="sha256:" + "0" * 64))


def test_too_deep_directories_are_a_problem(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "MAX_DEPTH", 1)
    (tree / "a" / "b" / "c").mkdir(parents=True)
    with layer_of(tree) as layer:
        paths = [path for path, _, _ in layer.walk()]
        assert "a/b" in paths and "a/b/c" not in paths
        assert [(problem.subject, problem.stage) for problem in layer.problems] == [
            ("a/b", "source"),
            ("usr/lib", "source"),
        ]
        assert layer.problems[0].incomplete
        list(layer.walk())
        assert len(layer.problems) == 2


def test_unreadable_directory_is_a_problem(tree: Path, tmp_path: Path) -> None:
    """As another user, since root reads everything."""
    (tree / "usr").chmod(0)
    (tree / "etc" / "os-release").chmod(0)
    script = (
        "import os, sys\n"
        "from anchorecli.reference import parse_reference\n"
        "from anchorecli.source import SourceOptions, open_source\n"
        "if os.getuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "source = open_source(parse_reference('dir:.'), SourceOptions())\n"
        "layer = source.open_layer(source.image.layers[0])\n"
        "names = [path for path, _, _ in layer.walk()]\n"
        "try: layer.open('etc/os-release')\n"
        "except PermissionError: pass\n"
        "print(names, [(p.subject, p.message) for p in layer.problems])\n"
    )
    tree.parent.chmod(0o755)
    try:
        done = subprocess.run(
            [sys.executable, "-c", "import sys; sys.path[:0] = " + repr(sys.path) + "\n" + script],
            cwd=tree,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        (tree / "usr").chmod(0o755)
    if "ModuleNotFoundError" in done.stderr or "PermissionError" in done.stderr.splitlines()[-1:]:
        pytest.skip("another user may not read this checkout")
    assert "['etc', 'etc/os-release', 'lib', 'out', 'usr']" in done.stdout, done.stderr
    assert "('usr', 'cannot be read: Permission denied')" in done.stdout
    assert "('etc/os-release', 'cannot be read: Permission denied')" in done.stdout


def test_kernel_file_systems_are_left_out() -> None:
    if not Path("/proc/self").exists():
        pytest.skip("no /proc here")
    fd = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    with DirLayer(Path("/"), fd) as layer:
        top = set()
        for path, _, _ in layer.walk():
            top.add(path.partition("/")[0])
            if path > "proc~":
                break
    assert "etc" in top and "proc" not in top and "dev" not in top


def test_missing_and_other_roots() -> None:
    with pytest.raises(NotFoundError, match="no such directory"):
        open_source(ImageRef("dir", "dir:/no/such", path="/no/such"), SourceOptions())
    with pytest.raises(SourceError, match="cannot be opened as a directory"):
        open_source(ImageRef("dir", "dir:x", path="/etc/passwd"), SourceOptions())


def test_an_attribute_of_a_file_and_none(tree: Path) -> None:
    (tree / "plain").write_text("x")
    try:
        os.setxattr(tree / "plain", "user.note", b"\0yes")
    except OSError:
        pytest.skip("this file system keeps no attributes")
    with layer_of(tree) as layer:
        assert layer.attribute("plain", "user.note") == b"\0yes"
        assert layer.attribute("plain", "user.other") == b""
        assert layer.attribute("missing", "user.note") == b""
