"""Images built in code: a dict of paths per layer, so that a whiteout case is five lines.

``layer({"etc/os-release": "ID=debian\\n", "lib": link("usr/lib"), "etc/.wh.motd": ""})`` gives the bytes of a tar;
``docker_archive(path, [tar, …], config)`` and ``oci_archive``/``oci_dir`` write an image around such layers.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Entry:
    """One tar member; ``content`` is ignored for everything but files."""

    content: bytes = b""
    type: bytes = tarfile.REGTYPE
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    target: str = ""
    pax: Mapping[str, str] = field(default_factory=dict)


def link(target: str) -> Entry:
    """A symbolic link."""
    return Entry(type=tarfile.SYMTYPE, mode=0o777, target=target)


def hardlink(target: str) -> Entry:
    """A hard link to another path of the tar (or of a lower layer)."""
    return Entry(type=tarfile.LNKTYPE, target=target)


def directory(mode: int = 0o755) -> Entry:
    """A directory entry."""
    return Entry(type=tarfile.DIRTYPE, mode=mode)


def layer(
    files: Mapping[str, bytes | str | Entry] | Sequence[tuple[str, bytes | str | Entry]],
    *,
    format: int = tarfile.GNU_FORMAT,
) -> bytes:
    """The bytes of one layer's tar; give pairs instead of a mapping to repeat a name."""
    out = io.BytesIO()
    pairs = files.items() if isinstance(files, Mapping) else files
    with tarfile.open(fileobj=out, mode="w", format=format, errors="surrogateescape") as tar:
        for name, value in pairs:
            entry = value if isinstance(value, Entry) else Entry(value.encode() if isinstance(value, str) else value)
            info = tarfile.TarInfo(name)
            info.type, info.mode, info.uid, info.gid = entry.type, entry.mode, entry.uid, entry.gid
            info.linkname, info.pax_headers = entry.target, dict(entry.pax)
            info.size = len(entry.content) if entry.type == tarfile.REGTYPE else 0
            tar.addfile(info, io.BytesIO(entry.content))
    return out.getvalue()


def digest(data: bytes) -> str:
    """``sha256:…`` of some bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def config(layers: Sequence[bytes], **overrides: Any) -> dict[str, Any]:
    """An image configuration for plain layer tars; ``overrides`` replace top-level keys."""
    base: dict[str, Any] = {
        "architecture": "amd64",
        "os": "linux",
        "created": "2024-01-02T03:04:05Z",
        "config": {"Env": ["PATH=/usr/bin"], "Cmd": ["/bin/sh"]},
        "rootfs": {"type": "layers", "diff_ids": [digest(tar) for tar in layers]},
        "history": [
            {"created": "2024-01-02T03:04:05Z", "created_by": f"/bin/sh -c step {number}"}
            for number, _ in enumerate(layers, 1)
        ],
    }
    return base | overrides


def docker_archive(
    path: Path, layers: Sequence[bytes], settings: dict[str, Any] | None = None, *, tags: Sequence[str] = ("test:1",)
) -> Path:
    """A classic `docker save` archive with plain layers."""
    document = json.dumps(settings if settings is not None else config(layers)).encode()
    config_name = hashlib.sha256(document).hexdigest() + ".json"
    names = [f"{hashlib.sha256(tar).hexdigest()}/layer.tar" for tar in layers]
    manifest = json.dumps([{"Config": config_name, "RepoTags": list(tags), "Layers": names}]).encode()
    members: dict[str, bytes | str | Entry] = dict(zip(names, layers, strict=True))
    path.write_bytes(layer(members | {config_name: document, "manifest.json": manifest}))
    return path


def oci_files(
    layers: Sequence[bytes], settings: dict[str, Any] | None = None, *, name: str = "", compress: str = "gzip"
) -> dict[str, bytes]:
    """The files of an OCI image layout; ``compress`` is gzip, zstd or empty."""
    blobs: dict[str, bytes] = {}

    def put(data: bytes, media_type: str) -> dict[str, Any]:
        blobs["blobs/sha256/" + digest(data)[7:]] = data
        return {"mediaType": media_type, "digest": digest(data), "size": len(data)}

    document = json.dumps(settings if settings is not None else config(layers)).encode()
    suffix = f"+{compress}" if compress else ""
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": put(document, "application/vnd.oci.image.config.v1+json"),
        "layers": [put(compressed(tar, compress), "application/vnd.oci.image.layer.v1.tar" + suffix) for tar in layers],
    }
    entry = put(json.dumps(manifest).encode(), "application/vnd.oci.image.manifest.v1+json")
    if name:
        entry["annotations"] = {"org.opencontainers.image.ref.name": name}
    index = {"schemaVersion": 2, "manifests": [entry]}
    return {
        "oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
        "index.json": json.dumps(index).encode(),
        **blobs,
    }


def oci_dir(path: Path, layers: Sequence[bytes], settings: dict[str, Any] | None = None, **options: Any) -> Path:
    """An OCI layout directory."""
    for name, data in oci_files(layers, settings, **options).items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return path


def oci_archive(path: Path, layers: Sequence[bytes], settings: dict[str, Any] | None = None, **options: Any) -> Path:
    """An OCI layout as one tar, without directory entries."""
    path.write_bytes(layer(oci_files(layers, settings, **options)))
    return path


def compressed(data: bytes, kind: str) -> bytes:
    """Bytes as a layer blob: gzip, zstd or plain."""
    if kind == "gzip":
        return gzip.compress(data, compresslevel=1, mtime=0)
    if kind == "zstd":
        from backports import zstd

        return zstd.compress(data)
    return data
