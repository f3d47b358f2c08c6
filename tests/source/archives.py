"""Image files that tests/builders.py does not write: several images in one, new docker save, indexes, damage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests import builders

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"

AMD64 = {"os": "linux", "architecture": "amd64"}
ARM64 = {"os": "linux", "architecture": "arm64", "variant": "v8"}
ARMV7 = {"os": "linux", "architecture": "arm", "variant": "v7"}
UNKNOWN = {"os": "unknown", "architecture": "unknown"}


class Layout:
    """An OCI image layout under construction: ``files`` maps names to bytes."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}

    def put(self, data: bytes, media_type: str, **more: Any) -> dict[str, Any]:
        """Add a blob; its descriptor."""
        self.files["blobs/sha256/" + builders.digest(data)[7:]] = data
        return {"mediaType": media_type, "digest": builders.digest(data), "size": len(data), **more}

    def image(self, content: str, platform: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
        """Add an image with one layer that holds the file ``content``; its descriptor, with ``more`` in it."""
        tar = builders.layer({content: content})
        config = builders.config([tar], **(platform or AMD64))
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.put(json.dumps(config).encode(), "application/vnd.oci.image.config.v1+json"),
            "layers": [self.put(builders.compressed(tar, "gzip"), "application/vnd.oci.image.layer.v1.tar+gzip")],
        }
        if platform:
            more["platform"] = platform
        return self.put(json.dumps(manifest).encode(), MANIFEST, **more)

    def index(self, entries: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        """Add an index; its descriptor."""
        document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
        return self.put(json.dumps(document).encode(), INDEX, **more)

    def write(self, path: Path, entries: list[dict[str, Any]]) -> Path:
        """Write it as a directory with these entries in ``index.json``."""
        self.files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": entries}).encode()
        for name, data in self.files.items():
            target = path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        return path


def named(name: str) -> dict[str, Any]:
    """The annotation that gives an image of a layout its name."""
    return {"annotations": {"org.opencontainers.image.ref.name": name}}


def docker_images(path: Path, images: list[tuple[str, dict[str, Any], list[bytes]]]) -> Path:
    """A classic `docker save` archive of several (tag, configuration, layer tars)."""
    members: dict[str, Any] = {}
    manifest = []
    for tag, config, layers in images:
        document = json.dumps(config).encode()
        name = builders.digest(document)[7:] + ".json"
        names = [builders.digest(tar)[7:] + "/layer.tar" for tar in layers]
        members |= {name: document} | dict(zip(names, layers, strict=True))
        manifest.append({"Config": name, "RepoTags": [tag] if tag else None, "Layers": names})
    path.write_bytes(builders.layer(members | {"manifest.json": json.dumps(manifest)}))
    return path


def new_docker_save(path: Path, layers: list[bytes], tags: list[str], compress: str = "") -> tuple[Path, str]:
    """What `docker save` writes since version 25: an OCI layout with a ``manifest.json``; and the manifest's digest."""
    files: dict[str, Any] = dict(builders.oci_files(layers, name="1", compress=compress))
    digest = json.loads(files["index.json"])["manifests"][0]["digest"]
    manifest = json.loads(files["blobs/sha256/" + digest[7:]])
    sources = {builders.digest(tar): descriptor for tar, descriptor in zip(layers, manifest["layers"], strict=True)}
    entry = {
        "Config": "blobs/sha256/" + manifest["config"]["digest"][7:],
        "RepoTags": tags,
        "Layers": ["blobs/sha256/" + each["digest"][7:] for each in manifest["layers"]],
        "LayerSources": sources,
    }
    files["manifest.json"] = json.dumps([entry])
    path.write_bytes(builders.layer(files))
    return path, digest


def legacy_save(path: Path, layers: list[bytes], names: dict[str, dict[str, str]] | None = None) -> Path:
    """What `docker save` wrote before version 1.10: ``repositories`` and a ``json`` beside each ``layer.tar``."""
    members: dict[str, Any] = {}
    parent = ""
    for number, tar in enumerate(layers, 1):
        layer_id = f"{number:064x}"
        document = {
            "id": layer_id,
            "created": f"2015-01-0{number}T00:00:00Z",
            "os": "linux",
            "architecture": "amd64",
            "container_config": {"Cmd": ["/bin/sh", "-c", f"step {number}"]},
            "config": {"Cmd": ["sh"], "Env": [f"N={number}"]},
        }
        if parent:
            document["parent"] = parent
        members |= {f"{layer_id}/json": json.dumps(document), f"{layer_id}/layer.tar": tar}
        parent = layer_id
    members["repositories"] = json.dumps(names or {"old": {"1": parent}})
    path.write_bytes(builders.layer(members))
    return path
