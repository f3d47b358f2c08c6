"""``registry:`` — an image in a registry, through skopeo.

The manifest and the configuration are asked for on their own; layers come only where somebody wants them. For that an
empty file is put in the place of every blob that is *not* wanted before ``skopeo copy`` fills an OCI layout: a blob
that is there already is not asked of the registry.

Format: OCI distribution-spec, "Pulling manifests" and "Pulling blobs".
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from anchorecli.errors import IntegrityError, NotFoundError, SourceError
from anchorecli.model import Digest, Image, ImageRef, Layer, Platform
from anchorecli.reference import pull_string
from anchorecli.source.archives import DirectoryFiles, blob_name
from anchorecli.source.base import FileBlob, SourceOptions
from anchorecli.source.documents import (
    Descriptor,
    Manifest,
    check_digest,
    digest_of,
    is_index,
    leaves,
    load_json,
    read_manifest,
)
from anchorecli.source.imageconfig import describe_layers, read_config
from anchorecli.source.platforms import check_platform, choose
from anchorecli.source.pull import Pull
from anchorecli.source.skopeo import Skopeo

_LAYOUT = "layout"


class RegistrySource:
    """One image of a registry."""

    def __init__(self, ref: ImageRef, options: SourceOptions) -> None:
        self._ref = ref
        self._skopeo = Skopeo(ref.name, options)
        self._lock = threading.Lock()
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self._pulls: list[Pull] = []
        self.image = _describe(ref, self._skopeo, options)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def prefetch(self, layers: Sequence[Layer]) -> None:
        """Start pulling these layers and no others."""
        with self._lock:
            self._start(layers)

    def open_layer(self, layer: Layer) -> FileBlob:
        """The layer's blob, as soon as it is complete; starts pulling it where nobody did."""
        with self._lock:
            pull = self._pull_of(layer) or self._start([layer])
        if pull is None:
            raise SourceError(f"{self._ref.name}: layer {layer.digest} is not kept in the registry", hint=_FOREIGN)
        path = pull.wait(layer.digest)
        blob = DirectoryFiles(path.parent).blob(path.name, layer.digest)
        if blob is None:
            raise IntegrityError(f"{self._ref.name}: layer {layer.digest} vanished from the temporary directory")
        return blob

    def close(self) -> None:
        """Stop pulling and remove what was pulled."""
        with self._lock:
            pulls, self._pulls = self._pulls, []
            directory, self._directory = self._directory, None
        for pull in pulls:
            pull.close()
        if directory is not None:
            directory.cleanup()

    def _pull_of(self, layer: Layer) -> Pull | None:
        return next((pull for pull in self._pulls if layer.digest in pull.wanted), None)

    def _start(self, layers: Sequence[Layer]) -> Pull | None:
        """Start a pull of those layers that no other pull brings; None where there are none."""
        wanted: dict[str, int] = {
            layer.digest: layer.size
            for layer in layers
            if self._pull_of(layer) is None and not Descriptor(layer.digest, 0, layer.media_type).foreign
        }
        if not wanted:
            return None
        if self._directory is None:
            self._directory = tempfile.TemporaryDirectory(prefix="anchore-")  # mode 0700
        directory = Path(self._directory.name, str(len(self._pulls)))
        source = f"docker://{pull_string(self._ref, self.image.digest)}"
        self._pulls.append(self._copy(source, wanted, directory))
        return self._pulls[-1]

    def _copy(self, source: str, wanted: dict[str, int], directory: Path) -> Pull:
        blobs = directory / _LAYOUT / "blobs" / "sha256"
        blobs.mkdir(parents=True)
        for layer in self.image.layers:
            if layer.digest not in wanted:
                (directory / _LAYOUT / blob_name(layer.digest)).touch()
        process = self._skopeo.start_copy(source, f"oci:{_LAYOUT}", directory)

        def find(digest: str) -> Path | None:
            path = directory / _LAYOUT / blob_name(digest)
            return path if path.exists() else None

        return Pull(self._skopeo, process, directory, wanted, find)


_FOREIGN = "its licence forbids that (Windows base layers); export the image to an archive where it is installed"


def _describe(ref: ImageRef, skopeo: Skopeo, options: SourceOptions) -> Image:
    """The image, by three questions at most to the registry (more where indexes are nested)."""
    try:
        data = skopeo.inspect_raw(f"docker://{pull_string(ref)}")
    except NotFoundError as error:
        error.hint = _other_meaning(ref) or error.hint
        raise
    check_digest(data, ref.digest, f"{ref.name}: manifest")
    index_digest, declared = Digest(""), None
    document = load_json(data, f"{ref.name}: manifest")
    if is_index(document):
        leaf = _choose(ref, skopeo, document, options.platform)
        index_digest, declared = digest_of(data), leaf.platform
        data = _fetch(ref, skopeo, leaf)
    manifest = read_manifest(data, f"{ref.name}: manifest")
    raw_config = _configuration(ref, skopeo, manifest, options)
    config, diff_ids = read_config(raw_config, f"{ref.name}: configuration")
    if declared is None:
        check_platform(config.platform, options.platform, ref.name)
    return Image(
        ref=ref,
        image_id=manifest.config.digest,
        digest=manifest.digest,
        config=config,
        layers=describe_layers(config, diff_ids, manifest.layers, ref.name),
        index_digest=index_digest,
        manifest=manifest.raw,
        names=(ref.name,),
        annotations=manifest.annotations,
    )


def _configuration(ref: ImageRef, skopeo: Skopeo, manifest: Manifest, options: SourceOptions) -> bytes:
    wanted = manifest.config.digest
    known = options.known_config(wanted) if options.known_config else None
    if known is not None and digest_of(known) == wanted:
        return known
    data = skopeo.inspect_config(f"docker://{pull_string(ref, manifest.digest)}")
    check_digest(data, wanted, f"{ref.name}: configuration")
    return data


def _choose(ref: ImageRef, skopeo: Skopeo, index: object, platform: Platform | None) -> Descriptor:
    found = leaves(index, lambda nested: _fetch(ref, skopeo, nested), f"{ref.name}: index")
    if not found:
        raise SourceError(f"{ref.name} holds no image: its index is empty")
    platforms = [leaf.platform or Platform("unknown", "") for leaf in found]
    if len(found) == 1 and found[0].platform is None:
        return found[0]
    return found[choose(platforms, platform, ref.name)]


def _fetch(ref: ImageRef, skopeo: Skopeo, entry: Descriptor) -> bytes:
    data = skopeo.inspect_raw(f"docker://{pull_string(ref, entry.digest)}")
    check_digest(data, entry.digest, f"{ref.name}: manifest {entry.digest}")
    return data


def _other_meaning(ref: ImageRef) -> str:
    """``registry:2`` asks for an image named 2, while the image named registry may have been meant."""
    prefix, _, rest = ref.original.partition(":")
    if prefix != ref.transport or "/" in rest or ":" in rest:
        return ""
    return f"for the image named {prefix!r} with the tag {rest!r} write docker.io/{prefix}:{rest}"
