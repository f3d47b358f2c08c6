"""``docker-archive:`` — what `docker save` and `podman save` write, old and new.

Format: moby's image/spec v1.2: ``manifest.json`` is ``[{"Config": "<id>.json", "RepoTags": ["debian:12"], "Layers":
["<dir>/layer.tar"]}]``. Since Docker 25 the archive is an OCI image layout as well, and the paths point into
``blobs/sha256/``; there the platform's true manifest is found, too. A classic archive has no manifest, so the digest
of the configuration stands in for its digest. Archives from before Docker 1.10 are read by ``legacy_archive``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from anchorecli.errors import IntegrityError, NotFoundError
from anchorecli.model import DiffId, Digest, Image, ImageConfig, ImageRef, Json, Layer, Platform
from anchorecli.source.archives import (
    ArchiveFiles,
    blob_name,
    canonical_or_empty,
    missing,
    not_in,
    nothing_chosen,
    same_name,
)
from anchorecli.source.base import FileBlob
from anchorecli.source.documents import (
    Descriptor,
    Manifest,
    check_digest,
    digest_of,
    leaves,
    load_json,
    read_descriptor,
    read_manifest,
)
from anchorecli.source.imageconfig import describe_layers, read_config
from anchorecli.source.platforms import check_platform, choose
from anchorecli.values import dataclass

_HEX = re.compile(r"(?:^|[/:])([0-9a-f]{64})(?:\.json)?$")
_BLOB = re.compile(r"^blobs/sha256/([0-9a-f]{64})$")


@dataclass(frozen=True, slots=True)
class Entry:
    """One image of ``manifest.json``; ``config_name`` and ``layers`` are names in the archive."""

    config_name: str
    names: tuple[str, ...]
    layers: tuple[str, ...]
    blobs: dict[str, Descriptor]
    """diff_id → what Docker 25 says of the layer's blob (``LayerSources``)."""
    raw: str

    @property
    def config_digest(self) -> str:
        """The digest in the configuration's name; empty where the name is free."""
        match = _HEX.search(self.config_name)
        return f"sha256:{match[1]}" if match else ""


@dataclass(frozen=True, slots=True)
class _Found:
    entry: Entry
    digest: Digest
    config: ImageConfig
    diff_ids: tuple[DiffId, ...]


class DockerArchiveSource:
    """One image of a `docker save` archive."""

    def __init__(self, ref: ImageRef, files: ArchiveFiles, platform: Platform | None) -> None:
        self._files = files
        try:
            found = _choose(files, ref, platform)
            self._names = dict(zip(found.diff_ids, found.entry.layers, strict=False))
            self.image = _describe(ref, files, found)
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
        """The layer as a slice of the archive. Raises: IntegrityError where it is missing."""
        name = self._names.get(layer.diff_id, "")
        # The manifest's digest and LayerSources may speak of the compressed blob in the registry; only a blob's own
        # name speaks of the bytes that are here.
        match = _BLOB.match(name)
        blob = self._files.blob(name, f"sha256:{match[1]}" if match else "")
        if blob is None:
            raise missing(self._files.path, "layer", name or layer.diff_id)
        return blob

    def close(self) -> None:
        """Close the archive."""
        self._files.close()


def read_entries(data: bytes, path: Path) -> list[Entry]:
    """The images of a ``manifest.json``; entries of one configuration are one image.

    Raises: IntegrityError where it is not such a list.
    """
    subject = f"{path}: manifest.json"
    document = load_json(data, subject)
    entries: dict[str, Entry] = {}
    for item in document if isinstance(document, list) else [None]:
        entry = _read_entry(item, subject)
        twin = entries.get(entry.config_name)
        if twin is not None:
            entry = Entry(twin.config_name, twin.names + entry.names, twin.layers, twin.blobs, twin.raw)
        entries[entry.config_name] = entry
    return list(entries.values())


def _read_entry(item: Json, subject: str) -> Entry:
    import json

    fields = item if isinstance(item, dict) else {}
    config, layers, tags = fields.get("Config"), fields.get("Layers") or [], fields.get("RepoTags") or []
    if not isinstance(config, str) or not _are_texts(layers) or not _are_texts(tags):
        raise IntegrityError(f"{subject} is not what docker save writes", hint="save the image again")
    sources = fields.get("LayerSources")
    blobs = {}
    for diff_id, value in sources.items() if isinstance(sources, dict) else ():
        blobs[diff_id] = read_descriptor(value, subject)
    return Entry(config, tuple(tags), tuple(_plain(name) for name in layers), blobs, json.dumps(item))


def _choose(files: ArchiveFiles, ref: ImageRef, platform: Platform | None) -> _Found:
    data = files.read("manifest.json")
    if data is None:
        raise missing(files.path, "the manifest", "manifest.json")
    entries = read_entries(data, files.path)
    every_name = {name for entry in entries for name in entry.names} or {f"@{e.config_digest}" for e in entries}
    if not entries:
        raise NotFoundError(f"{files.path} holds no image: its manifest.json is an empty list")
    if ref.tag:
        entries = [entry for entry in entries if any(same_name(name, ref.tag) for name in entry.names)]
    if ref.digest:
        entries = _by_digest(files, entries, ref.digest)
    if not entries:
        raise not_in(files.path, ref.digest or ref.tag, every_name)
    found = [_open(files, entry) for entry in entries]
    if len(found) == 1:
        check_platform(found[0].config.platform, platform, str(files.path))
        return found[0]
    # `docker save --platform` of several platforms writes one entry each, under the same names.
    platforms = [each.config.platform for each in found]
    if len({each.entry.names for each in found}) > 1 or len(set(platforms)) < len(platforms):
        raise nothing_chosen(files.path, every_name, "docker-archive")
    return found[choose(platforms, platform, str(files.path))]


def _by_digest(files: ArchiveFiles, entries: list[Entry], digest: str) -> list[Entry]:
    """By the image id, or by the manifest's digest where the archive is an OCI layout too."""
    exact = [entry for entry in entries if entry.config_digest == digest]
    if exact:
        return exact
    manifests = {manifest.digest: manifest for manifest in _manifests(files)}
    config = manifests[Digest(digest)].config.digest if digest in manifests else ""
    return [entry for entry in entries if config and entry.config_digest == config]


def _open(files: ArchiveFiles, entry: Entry) -> _Found:
    data = files.read(_plain(entry.config_name))
    if data is None:
        raise missing(files.path, "configuration", entry.config_name)
    subject = f"{files.path}: configuration {entry.config_name}"
    check_digest(data, entry.config_digest, subject)
    config, diff_ids = read_config(data, subject)
    return _Found(entry, digest_of(data), config, diff_ids)


def _describe(ref: ImageRef, files: ArchiveFiles, found: _Found) -> Image:
    entry = found.entry
    manifest = next((each for each in _manifests(files) if each.config.digest == found.digest), None)
    blobs = [
        entry.blobs.get(diff_id) or _descriptor(files, name)
        for diff_id, name in zip(found.diff_ids, entry.layers, strict=False)
    ]
    if manifest is not None and len(manifest.layers) == len(entry.layers):
        blobs = list(manifest.layers)
    if len(entry.layers) != len(blobs):
        blobs = [_descriptor(files, name) for name in entry.layers]
    names = (canonical_or_empty(name) for name in entry.names)
    return Image(
        ref=ref,
        image_id=found.digest,
        digest=manifest.digest if manifest else found.digest,
        config=found.config,
        layers=describe_layers(found.config, found.diff_ids, blobs, str(files.path)),
        manifest=manifest.raw if manifest else entry.raw,
        names=tuple(dict.fromkeys(name for name in names if name)),
        annotations=manifest.annotations if manifest else {},
    )


def _descriptor(files: ArchiveFiles, name: str) -> Descriptor:
    """What the archive itself tells of a layer: its size, and its digest where that is its name."""
    place = files.archive.locate(name)
    match = _BLOB.match(name)
    return Descriptor(Digest(f"sha256:{match[1]}" if match else ""), place[1] if place else 0)


def _manifests(files: ArchiveFiles) -> list[Manifest]:
    """The manifests of the OCI layout in the same archive, as far as they are there: docker save of an image whose
    other platforms were never pulled leaves dangling entries."""
    data = files.read("index.json")
    if data is None:
        return []

    def fetch(nested: Descriptor) -> bytes:
        found = files.read(blob_name(nested.digest))
        check_digest(found or b"", nested.digest if found else "", f"{files.path}: index")
        return found or b'{"manifests": []}'

    found = []
    for entry in leaves(load_json(data, f"{files.path}: index.json"), fetch, f"{files.path}: index.json"):
        blob = files.read(blob_name(entry.digest))
        if blob is not None:
            check_digest(blob, entry.digest, f"{files.path}: manifest")
            found.append(read_manifest(blob, f"{files.path}: manifest {entry.digest}"))
    return found


def _are_texts(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _plain(name: str) -> str:
    return name.removeprefix("./")
