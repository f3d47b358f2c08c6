"""``docker:`` and ``podman:`` — an image of the local engine, through skopeo.

Podman's storage is read in place: manifest and configuration first, layers only if one is wanted. The Docker daemon
can only export an image whole, so that happens at once. Both are copied in skopeo's ``dir:`` form, the only one that
changes neither the configuration nor a layer.

Format: containers-transports(5), "docker-daemon" and "containers-storage"; the directory form holds ``manifest.json``
and every blob under its hex digest.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

from anchorecli.errors import IntegrityError, NotFoundError, SourceError
from anchorecli.model import Image, ImageRef, Layer, Platform
from anchorecli.reference import pull_string
from anchorecli.source.archives import DirectoryFiles, missing
from anchorecli.source.base import FileBlob, SourceOptions
from anchorecli.source.documents import Manifest, check_digest, read_manifest
from anchorecli.source.imageconfig import describe_layers, read_config
from anchorecli.source.platforms import check_platform
from anchorecli.source.pull import Pull
from anchorecli.source.skopeo import Skopeo

_COPY = "image"


class EngineSource:
    """One image of the local Docker daemon or of Podman's storage."""

    def __init__(self, ref: ImageRef, options: SourceOptions) -> None:
        self._lock = threading.Lock()
        self._skopeo = Skopeo(ref.original, options, daemon_host=_daemon_host() if ref.transport == "docker" else "")
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self._pull: Pull | None = None
        self._copied: Manifest | None = None
        try:
            if ref.transport == "docker":
                self._target = f"docker-daemon:{_daemon_name(ref)}"
                self._start_copy({})
                manifest = self._finish_copy()
                config = DirectoryFiles(self._path).read(_hex(manifest.config.digest)) or b""
            else:
                ref, self._target, raw = _find_in_storage(ref, self._skopeo)
                manifest = read_manifest(raw, f"{ref.original}: manifest")
                config = self._skopeo.inspect_config(self._target)
            self.image = _describe(ref, manifest, config, options.platform)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def prefetch(self, layers: Sequence[Layer]) -> None:
        """Start copying the image out of the engine's storage, if any layer is wanted at all."""
        with self._lock:
            if layers and self._directory is None:
                self._start_copy({str(layer.digest): layer.size for layer in layers})

    def open_layer(self, layer: Layer) -> FileBlob:
        """The layer as the engine gives it: uncompressed, hence under another digest than in its manifest."""
        if layer not in self.image.layers:
            raise IntegrityError(f"{self.image.ref.original} has no layer {layer.diff_id}")
        self.prefetch([layer])
        with self._lock:
            copied = self._finish_copy()
        place = self.image.layers.index(layer)
        digest = copied.layers[place].digest if place < len(copied.layers) else ""
        blob = DirectoryFiles(self._path).blob(_hex(digest), digest)
        if blob is None:
            raise missing(self._path, "layer", layer.diff_id)
        return blob

    def close(self) -> None:
        """Stop copying and remove the copy."""
        if self._pull is not None:
            self._pull.close()
        if self._directory is not None:
            self._directory.cleanup()
        self._pull = self._directory = None

    @property
    def _path(self) -> Path:
        if self._directory is None:
            raise SourceError(f"{self._skopeo.subject}: the source is closed")
        return Path(self._directory.name, _COPY)

    def _start_copy(self, wanted: dict[str, int]) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="anchore-")  # mode 0700
        path = Path(self._directory.name)
        process = self._skopeo.start_copy(self._target, f"dir:{_COPY}", path)
        self._pull = Pull(self._skopeo, process, path, wanted, lambda digest: None)

    def _finish_copy(self) -> Manifest:
        if self._copied is None:
            if self._pull is not None:
                self._pull.finish()
            data = DirectoryFiles(self._path).read("manifest.json") or b""
            self._copied = read_manifest(data, f"{self._skopeo.subject}: manifest")
        return self._copied


def _find_in_storage(ref: ImageRef, skopeo: Skopeo) -> tuple[ImageRef, str, bytes]:
    """(reference, skopeo's name for it, manifest); what was built here stands under the registry ``localhost``."""
    if not ref.repository:
        target = f"containers-storage:@{_hex(ref.digest)}"
        return ref, target, skopeo.inspect_raw(target)
    choices = [ref]
    if not ref.original.partition(":")[2].startswith(f"{ref.registry}/"):
        choices.append(replace(ref, registry="localhost"))
    for choice in choices:
        target = f"containers-storage:{pull_string(choice)}"
        try:
            return choice, target, skopeo.inspect_raw(target)
        except NotFoundError:
            if choice is choices[-1]:
                raise
    raise NotFoundError(f"{ref.original}: no such image")


def _describe(ref: ImageRef, manifest: Manifest, raw_config: bytes, platform: Platform | None) -> Image:
    check_digest(raw_config, manifest.config.digest, f"{ref.original}: configuration")
    config, diff_ids = read_config(raw_config, f"{ref.original}: configuration")
    check_platform(config.platform, platform, ref.original)
    return Image(
        ref=ref,
        image_id=manifest.config.digest,
        digest=manifest.digest,
        config=config,
        layers=describe_layers(config, diff_ids, manifest.layers, ref.original),
        manifest=manifest.raw,
        names=(ref.name,) if ref.repository else (),
        annotations=manifest.annotations,
    )


def _daemon_name(ref: ImageRef) -> str:
    """The daemon knows Docker Hub's images by their short names, and images by id as ``sha256:…``."""
    return pull_string(ref) if ref.repository else ref.digest


def _daemon_host() -> str:
    """Where the daemon listens: DOCKER_HOST, else a rootless or desktop socket where the usual one is missing.

    Plain TCP is written ``http://`` for skopeo, which takes ``tcp://`` for TLS.
    """
    host = os.environ.get("DOCKER_HOST", "")
    if host.startswith("tcp://") and not os.environ.get("DOCKER_TLS_VERIFY"):
        return "http://" + host.removeprefix("tcp://")
    if host or Path("/var/run/docker.sock").exists():
        return host
    sockets = (
        Path(os.environ.get("XDG_RUNTIME_DIR", "/nonexistent"), "docker.sock"),
        Path.home() / ".docker" / "run" / "docker.sock",
    )
    return next((f"unix://{socket}" for socket in sockets if socket.exists()), "")


def _hex(digest: str) -> str:
    return digest.removeprefix("sha256:")
