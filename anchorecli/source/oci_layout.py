"""``oci-archive:`` and ``oci-dir:`` — an OCI image layout, in a tar or in a directory.

Format: OCI image-spec, image-layout.md: ``index.json`` names manifests (or nested indexes), ``blobs/sha256/<hex>``
holds every document and layer; an image's name is the annotation ``org.opencontainers.image.ref.name``, and
containerd's exports write the whole name as ``io.containerd.image.name``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from anchorecli.errors import SourceError
from anchorecli.model import Digest, Image, ImageRef, Layer, Platform
from anchorecli.source.archives import (
    Files,
    blob_name,
    canonical_or_empty,
    missing,
    not_in,
    nothing_chosen,
    read_blob,
    same_name,
)
from anchorecli.source.base import FileBlob
from anchorecli.source.documents import (
    Descriptor,
    Manifest,
    digest_of,
    is_index,
    leaves,
    load_json,
    read_index,
    read_manifest,
)
from anchorecli.source.imageconfig import describe_layers, read_config
from anchorecli.source.platforms import choose
from anchorecli.values import dataclass

_NAMES = ("io.containerd.image.name", "org.opencontainers.image.ref.name")


@dataclass(frozen=True, slots=True)
class Choice:
    """One manifest of a layout, with the index it was chosen from and the names it has there."""

    manifest: Manifest
    index_digest: Digest
    names: tuple[str, ...]


class OciLayoutSource:
    """One image of an OCI layout."""

    def __init__(self, ref: ImageRef, files: Files, platform: Platform | None) -> None:
        self._files = files
        try:
            choice = choose_manifest(files, ref, platform)
            self.image = describe(ref, files, choice)
        except BaseException:
            files.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def prefetch(self, layers: Sequence[Layer]) -> None:
        """Nothing to do: everything is here."""

    def open_layer(self, layer: Layer) -> FileBlob:
        """The layer's blob. Raises: IntegrityError where it is missing."""
        blob = self._files.blob(blob_name(layer.digest), layer.digest)
        if blob is None:
            raise missing(self._files.path, "layer", layer.digest)
        return blob

    def close(self) -> None:
        """Close the archive."""
        self._files.close()


def choose_manifest(files: Files, ref: ImageRef, platform: Platform | None) -> Choice:
    """The manifest asked for by name or digest, and by platform.

    Raises: SourceError that lists the images where there are several and none was asked for, NotFoundError where
    the one asked for is not there, IntegrityError for damage.
    """
    data = files.read("index.json")
    if data is None:
        raise missing(files.path, "the index", "index.json")
    index = load_json(data, f"{files.path}: index.json")
    entries = read_index(index, f"{files.path}: index.json")
    if not entries:
        raise SourceError(f"{files.path} holds no image: its index is empty", hint="save the image again")
    asked = _asked(entries, ref, files)
    found = [(leaf, entry) for entry in asked for leaf in _leaves(entry, files)]
    if ref.digest:
        exact = [(leaf, entry) for leaf, entry in found if ref.digest in (leaf.digest, entry.digest)]
        found = exact or [(leaf, entry) for leaf, entry in found if _config_digest(files, leaf) == ref.digest]
    if not found:
        raise not_in(files.path, ref.digest or ref.tag, {name for entry in entries for name in _entry_names(entry)})
    leaf, entry = found[_choose_leaf(files, [leaf for leaf, _ in found], platform)]
    manifest = read_manifest(read_blob(files, leaf.digest, "manifest"), f"{files.path}: manifest {leaf.digest}")
    top = digest_of(data) if len(asked) > 1 else Digest("")
    return Choice(manifest, entry.digest if entry.is_index else top, _canonical_names(entry))


def _asked(entries: list[Descriptor], ref: ImageRef, files: Files) -> list[Descriptor]:
    """The index's entries that may be meant: those of one name, differing in platform at most."""
    if ref.tag:
        named = [entry for entry in entries if any(same_name(name, ref.tag) for name in _entry_names(entry))]
        if not named:
            raise not_in(files.path, ref.tag, {name for entry in entries for name in _entry_names(entry)})
        return named
    if ref.digest or len({entry.digest for entry in entries}) == 1:
        return entries
    names = {_entry_names(entry)[:1] for entry in entries}
    platforms = [entry.platform for entry in entries]
    if len(names) > 1 or None in platforms or len(set(platforms)) < len(platforms):
        shown = {(_entry_names(entry) or (f"@{entry.digest}",))[0] for entry in entries}
        raise nothing_chosen(files.path, shown, "oci-dir" if files.path.is_dir() else "oci-archive")
    return entries


def _leaves(entry: Descriptor, files: Files) -> list[Descriptor]:
    """The manifests an entry leads to: itself, or all below it where it is an index."""
    if entry.media_type and not entry.is_index:
        return [entry]
    document = load_json(read_blob(files, entry.digest, "manifest"), f"{files.path}: {entry.digest}")
    if not is_index(document):
        return [entry]
    subject = f"{files.path}: index {entry.digest}"
    return leaves(document, lambda nested: read_blob(files, nested.digest, "index"), subject)


def _choose_leaf(files: Files, found: list[Descriptor], platform: Platform | None) -> int:
    platforms = [leaf.platform or _config_platform(files, leaf) for leaf in found]
    return choose(platforms, platform, str(files.path))


def _config_platform(files: Files, leaf: Descriptor) -> Platform:
    """The platform of a manifest that the index does not tell: skopeo writes none."""
    manifest = read_manifest(read_blob(files, leaf.digest, "manifest"), f"{files.path}: manifest {leaf.digest}")
    config, _ = read_config(read_blob(files, manifest.config.digest, "configuration"), f"{files.path}: configuration")
    return config.platform


def _config_digest(files: Files, leaf: Descriptor) -> Digest:
    data = files.read(blob_name(leaf.digest))
    return read_manifest(data, f"{files.path}: {leaf.digest}").config.digest if data else Digest("")


def describe(ref: ImageRef, files: Files, choice: Choice) -> Image:
    """The image of a chosen manifest. Raises: IntegrityError where its configuration is missing or damaged."""
    manifest = choice.manifest
    data = read_blob(files, manifest.config.digest, "configuration")
    config, diff_ids = read_config(data, f"{files.path}: configuration {manifest.config.digest}")
    return Image(
        ref=ref,
        image_id=manifest.config.digest,
        digest=manifest.digest,
        config=config,
        layers=describe_layers(config, diff_ids, manifest.layers, str(files.path)),
        index_digest=choice.index_digest,
        manifest=manifest.raw,
        names=choice.names,
        annotations=manifest.annotations,
    )


def _entry_names(entry: Descriptor) -> tuple[str, ...]:
    return tuple(entry.annotations[key] for key in _NAMES if entry.annotations.get(key))


def _canonical_names(entry: Descriptor) -> tuple[str, ...]:
    """Whole names only: the reference annotation is often just a tag."""
    names = (canonical_or_empty(name) for name in _entry_names(entry) if "/" in name or ":" in name)
    return tuple(dict.fromkeys(name for name in names if name))
