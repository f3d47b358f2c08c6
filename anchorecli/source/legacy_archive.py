"""Archives of `docker save` from before Docker 1.10, which know no digests.

Format: moby's image/spec v1: ``repositories`` is ``{"debian": {"7": "<layer id>"}}``; ``<layer id>/json`` holds one
layer's configuration and names its ``parent``, ``<layer id>/layer.tar`` is the plain tar. Nothing here is addressed by
content, so the layers are hashed once to give them their diff_ids. Not handled: compressed layers in such archives.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Self

from anchorecli import compression
from anchorecli.errors import IntegrityError, SourceError
from anchorecli.model import DiffId, Digest, Image, ImageRef, Json, Layer, Platform
from anchorecli.source.archives import ArchiveFiles, canonical_or_empty, missing, not_in, nothing_chosen, same_name
from anchorecli.source.base import FileBlob
from anchorecli.source.documents import MAX_LAYERS, digest_of, load_json
from anchorecli.source.imageconfig import build_config, instruction
from anchorecli.source.platforms import check_platform
from anchorecli.values import dataclass

_LAYER_ID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class _Step:
    """One layer's ``json``."""

    layer_id: str
    data: bytes
    document: dict[str, Json]


class LegacyArchiveSource:
    """One image of an archive that has a ``repositories`` file only."""

    def __init__(self, ref: ImageRef, files: ArchiveFiles, platform: Platform | None) -> None:
        self._files = files
        try:
            top, names = _choose(files, ref)
            steps = _chain(files, top)
            diff_ids = [_hash_layer(files, step.layer_id) for step in steps]
            self._ids = dict(zip(diff_ids, (step.layer_id for step in steps), strict=True))
            self.image = _describe(ref, files, steps, diff_ids, names)
            check_platform(self.image.config.platform, platform, str(files.path))
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
        """The layer as a slice of the archive. Raises: IntegrityError for a layer of another image."""
        blob = self._files.blob(f"{self._ids.get(layer.diff_id, '')}/layer.tar", layer.digest)
        if blob is None:
            raise missing(self._files.path, "layer", layer.diff_id)
        return blob

    def close(self) -> None:
        """Close the archive."""
        self._files.close()


def _choose(files: ArchiveFiles, ref: ImageRef) -> tuple[str, tuple[str, ...]]:
    """(id of the top layer, names it has)."""
    subject = f"{files.path}: repositories"
    document = load_json(files.read("repositories") or b"", subject)
    by_id: dict[str, list[str]] = {}
    for repository, tags in document.items() if isinstance(document, dict) else ():
        for tag, layer_id in tags.items() if isinstance(tags, dict) else ():
            if not isinstance(layer_id, str) or not _LAYER_ID.fullmatch(layer_id):
                raise IntegrityError(f"{subject} names no layer for {repository}:{tag}", hint="save the image again")
            by_id.setdefault(layer_id, []).append(f"{repository}:{tag}")
    every_name = {name for names in by_id.values() for name in names}
    if ref.digest:
        raise not_in(files.path, ref.digest, every_name)
    if ref.tag:
        by_id = {key: names for key, names in by_id.items() if any(same_name(name, ref.tag) for name in names)}
    if not by_id:
        raise not_in(files.path, ref.tag or "at all", every_name)
    if len(by_id) > 1:
        raise nothing_chosen(files.path, every_name, "docker-archive")
    layer_id, names = next(iter(by_id.items()))
    return layer_id, tuple(filter(None, map(canonical_or_empty, names)))


def _chain(files: ArchiveFiles, top: str) -> list[_Step]:
    """The layers from the lowest to the top one."""
    steps: list[_Step] = []
    seen: set[str] = set()
    layer_id = top
    while layer_id:
        data = files.read(f"{layer_id}/json")
        if data is None:
            raise missing(files.path, "configuration of layer", layer_id)
        document = load_json(data, f"{files.path}: {layer_id}/json")
        seen.add(layer_id)
        steps.append(_Step(layer_id, data, document if isinstance(document, dict) else {}))
        layer_id = steps[-1].document.get("parent") or ""
        if layer_id in seen or len(seen) > MAX_LAYERS or not isinstance(layer_id, str):
            raise IntegrityError(f"{files.path}: the layers' parents form no chain", hint="save the image again")
    return steps[::-1]


def _hash_layer(files: ArchiveFiles, layer_id: str) -> DiffId:
    blob = files.blob(f"{layer_id}/layer.tar", "")
    if blob is None:
        raise missing(files.path, "layer", layer_id)
    digest = hashlib.sha256()
    for number, chunk in enumerate(blob.chunks()):
        if number == 0 and compression.sniff(chunk):
            raise SourceError(
                f"{files.path}: layer {layer_id} is compressed, in an archive without digests",
                hint="load it with docker and save it again",
            )
        digest.update(chunk)
    return DiffId("sha256:" + digest.hexdigest())


def _describe(
    ref: ImageRef, files: ArchiveFiles, steps: list[_Step], diff_ids: list[DiffId], names: tuple[str, ...]
) -> Image:
    history = [_history(step.document) for step in steps]
    top = steps[-1]
    config = build_config(top.document | {"history": history}, top.data.decode("utf-8"))
    layers = []
    for step, diff_id, entry in zip(steps, diff_ids, config.history, strict=True):
        place = files.archive.locate(f"{step.layer_id}/layer.tar")
        size = place[1] if place else 0
        layers.append(
            Layer(diff_id, Digest(diff_id), size, instruction=instruction(entry.created_by), created=entry.created)
        )
    return Image(
        ref=ref,
        image_id=digest_of(top.data),
        digest=digest_of(top.data),
        config=config,
        layers=tuple(layers),
        names=names,
    )


def _history(document: dict[str, Json]) -> dict[str, Json]:
    """A layer's ``json`` in the form of today's history."""
    built = document.get("container_config")
    command = built.get("Cmd") if isinstance(built, dict) else None
    words = [word for word in command if isinstance(word, str)] if isinstance(command, list) else []
    return {
        "created_by": " ".join(words),
        "created": document.get("created"),
        "comment": document.get("comment"),
        "author": document.get("author"),
    }
