"""Values for the tests of the store, each with only what a test says of it."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from anchorecli.model import (
    Advisory,
    Affected,
    DiffId,
    Digest,
    Evaluation,
    FactKey,
    FactStatus,
    FeedState,
    Image,
    ImageConfig,
    ImageRef,
    Layer,
    LayerFacts,
    Platform,
    Range,
    Severity,
)

NOW = "2026-03-01T12:00:00Z"
LATER = "2099-01-01T00:00:00Z"
"""After anything the store's own clock says."""
DPKG = FactKey("dpkg", 1)
FILES = FactKey("files", 2, "sha256")


def digest(text: str) -> Digest:
    return Digest("sha256:" + sha256(text.encode()).hexdigest())


def diff_id(text: str) -> DiffId:
    return DiffId(digest("layer " + text))


def facts(layer: str, key: FactKey = DPKG, status: FactStatus = FactStatus.OK, payload: bytes = b"facts") -> LayerFacts:
    return LayerFacts(diff_id(layer), key, status, payload)


def image(name: str, layers: str = "ab", tag: str = "12", **fields: Any) -> Image:
    return Image(
        ref=ImageRef("registry", f"{name}:{tag}", registry="docker.io", repository=name, tag=tag),
        image_id=digest("config " + name + layers),
        digest=digest("manifest " + name + layers),
        config=ImageConfig(Platform("linux", "amd64"), raw='{"os":"linux"}'),
        layers=tuple(Layer(diff_id(each), digest("blob " + each), 100) for each in layers),
        manifest='{"schemaVersion":2}',
        **fields,
    )


def put(store: Any, name: str, layers: str = "ab", now: str = NOW, **fields: Any) -> Image:
    """An image as a scan leaves it: facts of every layer, then the image and its analysis."""
    made = image(name, layers, **fields)
    for each in layers:
        store.put_layer(diff_id(each), digest("blob " + each), 100, [facts(each)])
    store.put_image(made, "set1", b"analysis of " + name.encode(), distro="debian 12", packages=90, size=10**6, now=now)
    return made


def evaluation(image_id: str = "sha256:1", reference: str = "docker.io/debian:12", **fields: Any) -> Evaluation:
    values: dict[str, Any] = {
        "id": 0,
        "digest": Digest("sha256:2"),
        "platform": "linux/amd64",
        "feed_revision": 7,
        "bundle_id": "default",
        "bundle_digest": "sha256:3",
        "analyzer_set": "set1",
        "tool_version": "1.0",
        "created_at": NOW,
        "status": "pass",
        "action": "go",
        "matches": 3,
        "report": b"\x00report",
    }
    return Evaluation(image_id=Digest(image_id), reference=reference, **(values | fields))


def feed(name: str = "debian", updated_at: str = NOW, **fields: Any) -> FeedState:
    return FeedState(name, updated_at=updated_at, **fields)


def advisory(name: str, *packages: str, fixed: str = "1.0", ecosystem: str = "debian:12", **fields: Any) -> Advisory:
    affected = tuple(
        Affected(ecosystem, package, "deb", ranges=(Range("", fixed),), severity=Severity.LOW) for package in packages
    )
    return Advisory(name, fields.pop("feed", "debian"), affected=affected, **fields)


def names(advisories: Iterable[Advisory]) -> list[str]:
    return [each.id for each in advisories]
