"""Image names: canonical forms, transports, choices inside archives, and what is refused with which advice."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from anchorecli.errors import IntegrityError, NotFoundError, SourceError, UsageError
from anchorecli.reference import canonical, parse_reference, pull_string, split_name
from tests import builders

HEX = "0123456789abcdef" * 4
DIGEST = f"sha256:{HEX}"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("debian", "docker.io/debian:latest"),
        ("debian:12", "docker.io/debian:12"),
        ("library/debian:12", "docker.io/debian:12"),
        ("docker.io/library/debian:12", "docker.io/debian:12"),
        ("index.docker.io/library/debian", "docker.io/debian:latest"),
        ("grafana/grafana:9.1", "docker.io/grafana/grafana:9.1"),
        ("quay.io/team/app", "quay.io/team/app:latest"),
        ("QUAY.io/team/app", "quay.io/team/app:latest"),
        ("localhost/app:1", "localhost/app:1"),
        ("localbuild/app:1", "localbuild/app:1"),
        ("localhost:5000/app", "localhost:5000/app:latest"),
        ("[::1]:5000/app:2", "[::1]:5000/app:2"),
        ("host.example:5000/a/b/c:v1.2-rc_3", "host.example:5000/a/b/c:v1.2-rc_3"),
        ("a__b/c--d/e.f", "docker.io/a__b/c--d/e.f:latest"),
        (f"debian@{DIGEST}", f"docker.io/debian@{DIGEST}"),
        (f"debian:12@{DIGEST}", f"docker.io/debian@{DIGEST}"),
        (f"quay.io/x/y@{DIGEST}", f"quay.io/x/y@{DIGEST}"),
        ("library/library/x", "docker.io/library/library/x:latest"),
    ],
)
def test_canonical_names(text: str, name: str) -> None:
    assert canonical(text) == name
    assert parse_reference(f"registry:{text}").name == name


def test_tag_is_kept_beside_digest() -> None:
    ref = parse_reference(f"debian:12@{DIGEST}")
    assert (ref.tag, ref.digest) == ("12", DIGEST)
    assert split_name(f"debian@{DIGEST}") == ("docker.io", "debian", "", DIGEST)


def test_pull_string_restores_library() -> None:
    assert pull_string(parse_reference("debian:12")) == "docker.io/library/debian:12"
    assert pull_string(parse_reference("debian:12"), DIGEST) == f"docker.io/library/debian@{DIGEST}"
    assert pull_string(parse_reference(f"debian:12@{DIGEST}")) == f"docker.io/library/debian@{DIGEST}"
    assert pull_string(parse_reference("grafana/grafana")) == "docker.io/grafana/grafana:latest"
    assert pull_string(parse_reference("quay.io/app:1")) == "quay.io/app:1"


@pytest.mark.parametrize("transport", ["registry", "docker", "podman"])
def test_transports_of_names(transport: str) -> None:
    ref = parse_reference(f"{transport}:debian:12")
    assert (ref.transport, ref.registry, ref.repository, ref.tag) == (transport, "docker.io", "debian", "12")
    assert ref.original == f"{transport}:debian:12"


@pytest.mark.parametrize("text", [f"docker:{HEX}", f"docker:sha256:{HEX}", f"podman:{HEX}"])
def test_image_ids_of_engines(text: str) -> None:
    ref = parse_reference(text)
    assert (ref.repository, ref.digest, ref.name) == ("", DIGEST, DIGEST)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "name:tag"),
        (" debian", "name:tag"),
        ("deb\nian", "name:tag"),
        ("Debian:12", "did you mean 'debian:12'?"),
        ("Debian", "did you mean 'debian'?"),
        (f"Debian:12@{DIGEST}", f"did you mean 'debian:12@{DIGEST}'?"),
        (f"MyHost:5000/Team/App@{DIGEST}", f"did you mean 'MyHost:5000/team/app@{DIGEST}'?"),
        ("[::1]:5000/App:V1", "did you mean '[::1]:5000/app:V1'?"),
        ("docker.io/library/Debian:12", "did you mean 'docker.io/library/debian:12'?"),
        ("docker:Debian:12", "did you mean 'docker:debian:12'?"),
        ("registry:quay.io/Org/App:1", "did you mean 'registry:quay.io/org/app:1'?"),
        ("quay.io/:1", "write [host/]repository"),
        ("my image", "'my-image'"),
        ("a//b", "'a/b'"),
        ("-x/y", "'x/y'"),
        ("debian:", "a tag has"),
        ("debian:a b", "a tag has"),
        ("debian:" + "x" * 129, "a tag has"),
        ("debian@sha256:12", "64 lower-case hex"),
        ("debian@md5:" + "0" * 32, "64 lower-case hex"),
        (DIGEST, "name@sha256:"),
        (HEX, f"docker:{HEX}"),
        ("ex_ample.com:50/x/y", "host[:port]"),
        ("docker://debian:12", "registry:debian:12"),
        ("https://quay.io/app", "leave https:// away: quay.io/app"),
        ("docker-daemon:/x", "docker:/x"),
        ("oci:./layout", "oci-dir:./layout"),
        ("oci:layout", "write oci-dir:layout; for the image of that name registry:oci:layout"),
        ("oci:layout:1.2", "write oci-dir:layout:1.2"),
        ("oci-layout://layout", "oci-dir:layout"),
        ("oci-archive://image.tar", "oci-archive:image.tar"),
        ("dir:///srv/root", "dir:/srv/root"),
        ("podman://app:1", "podman:app:1"),
        ("docker-daemon:app:1", "write docker:app:1"),
        ("containers-storage:localhost/app:1", "write podman:localhost/app:1"),
        ("containers-storage:[overlay@/var/lib/x]localhost/app", "write podman:localhost/app"),
        ("fs:srv", "write dir:srv"),
        ("docker:/image.tar", "leave docker: away"),
        ("https://hub.docker.com/_/nginx", "leave https:// away: nginx"),
        ("https://hub.docker.com/r/grafana/grafana/tags", "leave https:// away: grafana/grafana"),
        ("containerd://x", "the prefixes are"),
        ("registry:", "registry:debian:12"),
        ("docker-archive:", "docker-archive:image.tar"),
        ("x" * 300, "repository"),
    ],
)
def test_refused_names_come_with_advice(text: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_reference(text)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "text", ["/no/such", "./no.tar", "../no", "no.tar", "no.tar.gz", "dir:/no/such", "oci-dir:/no/such"]
)
def test_missing_paths_are_no_registry_names(text: str) -> None:
    with pytest.raises(NotFoundError, match="no such"):
        parse_reference(text)


@pytest.mark.parametrize("prefix", ["", "docker-archive:", "rootfs:", "sbom:", "dir:"])
def test_a_missing_path_comes_with_the_nearest_one(tmp_path: Path, prefix: str) -> None:
    near = tmp_path / "image.tar"
    near.mkdir()
    for text, hint in (
        (tmp_path / "imgae.tar", f"did you mean {near}?"),
        (tmp_path / "other.tar", "check the path"),
        (tmp_path / "no" / "image.tar", f"there is no directory {tmp_path / 'no'} that can be read"),
    ):
        with pytest.raises(NotFoundError, match="no such") as caught:
            parse_reference(f"{prefix}{text}")
        assert caught.value.hint == hint


def test_a_prefix_for_a_file_that_is_there_comes_with_its_right_spelling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    builders.docker_archive(tmp_path / "image.tar", [builders.layer({"a": "b"})])
    for text, hint in (
        ("file:image.tar", "write image.tar; "),
        ("tarball:./image.tar", "write ./image.tar"),
        ("oci:image.tar", "write oci-archive:image.tar; "),
        ("docker:./image.tar", "write ./image.tar"),
        ("docker-archve:image.tar", "did you mean docker-archive:image.tar?"),
        ("what:image.tar", "did you mean image.tar?"),
    ):
        with pytest.raises((UsageError, NotFoundError)) as caught:
            parse_reference(text)
        assert caught.value.hint.startswith(hint), text


@pytest.mark.parametrize("prefix", ["", "dir:"])
def test_a_directory_of_blobs_is_not_taken_for_the_files_of_an_image(tmp_path: Path, prefix: str) -> None:
    kept, saved, plain = (tmp_path / name for name in ("kept", "saved", "plain"))
    for each, manifest in ((kept, "{}"), (saved, '[{"Config": "c.json", "Layers": ["l.tar"]}]'), (plain, "[]")):
        each.mkdir()
        (each / "manifest.json").write_text(manifest)
    (kept / "version").write_text("Directory Transport Version: 1.1\n")
    for path, hint in ((kept, "skopeo copy"), (saved, "tar -cf")):
        with pytest.raises(SourceError, match="not ") as caught:
            parse_reference(f"{prefix}{path}")
        assert caught.value.hint.startswith(hint) or hint in caught.value.hint
    assert parse_reference(f"{prefix}{plain}").transport == "dir"


def test_an_oci_layout_is_no_directory_of_files(tmp_path: Path) -> None:
    (tmp_path / "oci-layout").write_text("{}")
    with pytest.raises(UsageError, match="OCI layout") as caught:
        parse_reference(f"dir:{tmp_path}")
    assert caught.value.hint == f"write oci-dir:{tmp_path}"
    assert parse_reference(str(tmp_path)).transport == "oci-dir"


def test_archive_with_name_or_digest(tmp_path: Path) -> None:
    path = builders.docker_archive(tmp_path / "image.tar", [builders.layer({"a": "b"})])
    ref = parse_reference(f"docker-archive:{path}:debian:12")
    assert (ref.transport, ref.path, ref.tag, ref.digest, ref.name) == (
        "docker-archive",
        str(path),
        "debian:12",
        "",
        str(path),
    )
    assert parse_reference(f"docker-archive:{path}@{DIGEST}").digest == DIGEST
    both = parse_reference(f"docker-archive:{path}:debian@{DIGEST}")
    assert (both.path, both.tag, both.digest) == (str(path), "debian", DIGEST)
    bare = parse_reference(f"{path}:debian:12")
    assert (bare.transport, bare.path, bare.tag) == ("docker-archive", str(path), "debian:12")
    with pytest.raises(UsageError, match="not a digest"):
        parse_reference(f"docker-archive:{path}@latest")


def test_existing_path_with_colons_wins(tmp_path: Path) -> None:
    short = builders.docker_archive(tmp_path / "image", [builders.layer({"a": "b"})])
    long = builders.docker_archive(tmp_path / "image:debian@12", [builders.layer({"a": "b"})])
    assert parse_reference(f"docker-archive:{long}").path == str(long)
    assert parse_reference(f"docker-archive:{long}:x").path == str(long)
    ref = parse_reference(f"docker-archive:{short}:debian")
    assert (ref.path, ref.tag) == (str(short), "debian")


def test_bare_paths_are_recognised_by_content(tmp_path: Path) -> None:
    layers = [builders.layer({"etc/os-release": "ID=x\n"})]
    assert parse_reference(str(builders.docker_archive(tmp_path / "a", layers))).transport == "docker-archive"
    assert parse_reference(str(builders.oci_archive(tmp_path / "b", layers))).transport == "oci-archive"
    assert parse_reference(str(builders.oci_dir(tmp_path / "c", layers))).transport == "oci-dir"
    assert parse_reference(str(tmp_path)).transport == "dir"
    (tmp_path / "index.json").write_text("{}")  # a web project's, say
    assert parse_reference(str(tmp_path)).transport == "dir"


def test_manifest_at_the_end_of_an_archive_is_found(tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(builders.layer([("x" * 200, "long"), ("blob", b"\0" * 70000), ("./manifest.json", "[]")]))
    assert parse_reference(str(path)).transport == "docker-archive"


@pytest.mark.parametrize("suffix", ["gz", "zst", "xz", "bz2"])
def test_compressed_archives_are_recognised(tmp_path: Path, suffix: str) -> None:
    import bz2
    import lzma

    pack = {
        "gz": lambda data: builders.compressed(data, "gzip"),
        "zst": lambda data: builders.compressed(data, "zstd"),
        "xz": lzma.compress,
        "bz2": bz2.compress,
    }[suffix]
    path = tmp_path / f"image.tar.{suffix}"
    path.write_bytes(pack(builders.layer({"manifest.json": "[]"})))
    assert parse_reference(str(path)).transport == "docker-archive"


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (b"", IntegrityError, "is empty"),
        (b"PK\x03\x04" + b"x" * 600, SourceError, "a zip archive"),
        (b"\x7fELF" + b"\1" * 600, SourceError, "an ELF program"),
        (b'{"a": 1}', SourceError, "JSON text"),
        (b"hello\n", SourceError, "looks like text"),
        (b"\1\2\3" * 300, SourceError, "unknown binary data"),
        (b"\0" * 10240, SourceError, "an empty tar"),
        (builders.layer({"app/main.py": "x"}), SourceError, "plain files (app/main.py"),
        (builders.layer({"etc/passwd": "root"}), SourceError, "plain files (etc/passwd"),
    ],
)
def test_other_files_are_named_for_what_they_look_like(
    tmp_path: Path, content: bytes, kind: type[Exception], message: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(kind) as caught:
        parse_reference(str(path))
    assert message in str(caught.value)


def test_directory_that_is_also_a_name_must_be_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "debian").mkdir()
    with pytest.raises(UsageError) as caught:
        parse_reference("debian")
    assert "dir:debian" in caught.value.hint and "registry:debian" in caught.value.hint
    assert parse_reference("./debian").transport == "dir"
    assert parse_reference("dir:debian").path == "debian"
    assert parse_reference("registry:debian").name == "docker.io/debian:latest"
    assert parse_reference(".").transport == "dir"
    (tmp_path / "python").write_text("#!/bin/sh\n")
    with pytest.raises(SourceError) as refused:
        parse_reference("python")
    assert "registry:python" in refused.value.hint


def test_prefix_of_a_directory_wants_a_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="not a directory"):
        parse_reference(f"dir:{tmp_path / 'file'}")


def test_unreadable_things_are_errors_not_tracebacks(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError, match="a device, pipe or socket"):
        parse_reference(str(tmp_path / "pipe"))
    with pytest.raises((UsageError, NotFoundError)):
        parse_reference("/" + "x" * 5000)


def test_gzip_without_a_tar_is_named(tmp_path: Path) -> None:
    from anchorecli.archive import Archive

    path = tmp_path / "notes.gz"
    path.write_bytes(gzip.compress(b"only text\n" * 100))
    with pytest.raises(SourceError, match="gzip data with text"):
        Archive(path)


def test_tar_formats_give_the_same_index(tmp_path: Path) -> None:
    from anchorecli.archive import Archive

    long = "d/" * 120 + "layer.tar"
    for number, format in enumerate((tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT)):
        name = long[-150:] if format == tarfile.USTAR_FORMAT else long
        name = name.lstrip("/")
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=format) as tar:
            for member, data in ((name, b"layer"), ("./manifest.json", b"[]")):
                info = tarfile.TarInfo(member)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
            link = tarfile.TarInfo("link/layer.tar")
            link.type, link.linkname = tarfile.SYMTYPE, f"../{name[:90]}"
            tar.addfile(link)
        path = tmp_path / str(number)
        path.write_bytes(out.getvalue())
        with Archive(path) as archive:
            assert archive.read(name, 100) == b"layer"
            assert archive.read("manifest.json", 100) == b"[]"
            assert "absent" not in archive
            assert archive.terminated
