"""Artifacts put where a source finds them: into a registry, or into a layout."""

from __future__ import annotations

import json
from typing import Any

from tests.registry import Registry
from tests.source.archives import Layout

from .making import EMPTY, INDEX, MANIFEST, Blob, digest


def dashed(subject: str, suffix: str = "") -> str:
    """The tag that stands for a digest."""
    return subject.replace(":", "-") + suffix


def put(registry: Registry, repository: str, blob: Blob, reference: str = "", subject: str = "") -> str:
    """Push an artifact under a tag, or by its digest; its digest."""
    registry.put_blob(repository, b"{}")
    registry.put_blob(repository, blob.data)
    manifest = blob.manifest(subject)
    return registry.put_manifest(repository, reference or digest(manifest), manifest, MANIFEST)


def refer(registry: Registry, repository: str, subject: str, *blobs: Blob) -> None:
    """Attach artifacts by the tag that stands in for the referrers API."""
    for blob in blobs:
        put(registry, repository, blob, subject=subject)
    registry.put_manifest(repository, dashed(subject), index(subject, *blobs), INDEX)


def index(subject: str, *blobs: Blob) -> bytes:
    """A list of referrers."""
    return json.dumps(
        {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry(each, subject) for each in blobs]}
    ).encode()


def entry(blob: Blob, subject: str) -> dict[str, Any]:
    """An artifact's descriptor as registries list it."""
    manifest = blob.manifest(subject)
    said = {"mediaType": MANIFEST, "digest": digest(manifest), "size": len(manifest)}
    return said | {"artifactType": blob.artifact_type or EMPTY}


def lay(layout: Layout, blob: Blob, subject: str = "", **notes: str) -> dict[str, Any]:
    """Add an artifact to a layout; its descriptor for the index."""
    layout.put(blob.data, blob.media_type)
    layout.put(b"{}", EMPTY)
    more: dict[str, Any] = {"annotations": notes} if notes else {}
    if blob.artifact_type:
        more["artifactType"] = blob.artifact_type
    return layout.put(blob.manifest(subject), MANIFEST, **more)
