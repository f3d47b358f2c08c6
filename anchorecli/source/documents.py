"""Manifests and indexes: JSON documents, read with suspicion and checked against their digests.

Format: OCI image-spec (manifest.md, image-index.md, descriptor.md) and Docker's image manifest version 2, schema 2,
which differ in their media types only: ``{"schemaVersion": 2, "config": {…}, "layers": [{"mediaType": …, "digest":
"sha256:…", "size": 1234}]}``. Not handled: schema 1, encrypted layers and artifacts that are no images; each is
refused by name.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping

from anchorecli.errors import IntegrityError, SourceError
from anchorecli.model import Digest, Json, Platform
from anchorecli.source.platforms import read_platform
from anchorecli.values import dataclass, field, replace

MAX_DOCUMENT = 8 << 20
"""Bytes of the largest manifest, index or configuration that is read."""
MAX_VALUES = 250_000
"""Of one of them; real ones have some hundred."""
MAX_LAYERS = 1024
MAX_INDEX_DEPTH = 8
MAX_INDEXES = 64
MAX_INDEX_ENTRIES = 4096

_NARROW = bytes(range(0xF0))
_WIDE = re.compile(rb"\\u[dD][89abAB]")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_MANIFEST_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_OCTETS = "application/octet-stream"  # what the first registries called an image's configuration
_FOREIGN_TYPES = ("nondistributable", "foreign.diff")
_REF_NAME = "org.opencontainers.image.ref.name"
_ATTACHED_NAME = re.compile(r"sha256-[0-9a-f]{64}(?:\.(?:sig|att|sbom))?")
_COSIGN_KINDS = frozenset(f"dev.cosignproject.cosign/{kind}" for kind in ("sigs", "atts", "sboms"))


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A pointer to a blob, as it stands in a manifest or index. ``foreign`` blobs are not kept in registries."""

    digest: Digest
    size: int = 0
    media_type: str = ""
    platform: Platform | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_index(self) -> bool:
        """Whether it points to another index."""
        return self.media_type in _INDEX_TYPES

    @property
    def foreign(self) -> bool:
        """Whether it is a layer that registries do not keep (Windows base layers)."""
        return any(mark in self.media_type for mark in _FOREIGN_TYPES)


@dataclass(frozen=True, slots=True)
class Manifest:
    """One platform's manifest; ``raw`` is its text, ``digest`` that of the bytes."""

    digest: Digest
    config: Descriptor
    layers: tuple[Descriptor, ...]
    raw: str
    annotations: Mapping[str, str]


def load_json(data: bytes, subject: str) -> Json:
    """Parse a document. Raises: IntegrityError where it is no JSON, or takes more than any manifest."""
    if len(data) > MAX_DOCUMENT:
        raise IntegrityError(f"{subject} has {len(data)} bytes, more than the {MAX_DOCUMENT} allowed")
    if sum(map(data.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise IntegrityError(f"{subject} has more than the {MAX_VALUES} values allowed")
    # One letter beyond the first 65,536 makes each of a text four bytes, of which there are several copies.
    if len(data) > MAX_DOCUMENT // 2 and (data.translate(None, _NARROW) or _WIDE.search(data)):
        raise IntegrityError(f"{subject} is a text that takes more memory than any has")
    try:
        return json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        if data.lstrip()[:1] == b"<":
            hint = "a proxy or a portal may have answered in the registry's place: check the host and HTTPS_PROXY"
            raise IntegrityError(f"{subject} is not a JSON document but a web page", hint=hint) from error
        raise IntegrityError(
            f"{subject} is not a JSON document", hint="the image is damaged: fetch it again"
        ) from error


def digest_of(data: bytes) -> Digest:
    """``sha256:…`` of some bytes."""
    return Digest("sha256:" + hashlib.sha256(data).hexdigest())


def check_digest(data: bytes, expected: str, subject: str) -> None:
    """Raises: IntegrityError where the bytes are not what ``expected`` (a digest, or empty) says."""
    if not expected:
        return
    actual = digest_of(data)
    if actual != expected:
        raise IntegrityError(
            f"{subject} is not what its digest says: expected {expected}, the bytes give {actual}",
            hint="the image is damaged or was tampered with: fetch it again",
        )


def is_index(document: Json) -> bool:
    """Whether a document is an index (a manifest list)."""
    if not isinstance(document, dict):
        return False
    media_type = document.get("mediaType")
    return media_type in _INDEX_TYPES or (media_type not in _MANIFEST_TYPES and "manifests" in document)


def read_index(document: Json, subject: str) -> list[Descriptor]:
    """The images of an index; attestations and other artifacts that hang beside them are left out."""
    entries = document.get("manifests") if isinstance(document, dict) else None
    if not isinstance(entries, list) or len(entries) > MAX_INDEX_ENTRIES:
        raise IntegrityError(f"{subject} is not a usable image index", hint="the image is damaged: fetch it again")
    found = [read_descriptor(entry, subject) for entry in entries if not _is_attestation(entry)]
    return [entry for entry in found if not entry.media_type or entry.is_index or entry.media_type in _MANIFEST_TYPES]


def leaves(document: Json, fetch: Callable[[Descriptor], bytes], subject: str) -> list[Descriptor]:
    """Every image below an index, through nested indexes, in their order.

    An entry without a platform inherits that of the index it stands in. Raises: IntegrityError past the bounds.
    """
    found: list[Descriptor] = []
    waiting = [(entry, 1) for entry in reversed(read_index(document, subject))]
    fetched = 0
    while waiting:
        entry, depth = waiting.pop()
        if not entry.is_index:
            found.append(entry)
            continue
        fetched += 1
        if depth > MAX_INDEX_DEPTH or fetched > MAX_INDEXES:
            raise IntegrityError(f"{subject}: more than {MAX_INDEXES} indexes, or nested too deep")
        nested = read_index(load_json(fetch(entry), f"index {entry.digest}"), f"index {entry.digest}")
        waiting += [
            (replace(child, platform=child.platform or entry.platform), depth + 1) for child in reversed(nested)
        ]
    return found


def read_manifest(data: bytes, subject: str) -> Manifest:
    """One platform's manifest. Raises: SourceError for what is no image we can read, IntegrityError for damage."""
    document = load_json(data, subject)
    _refuse_others(document, subject)
    layers = document.get("layers")
    if not isinstance(layers, list):
        raise IntegrityError(f"{subject} has no usable list of layers", hint="the image is damaged: fetch it again")
    if len(layers) > MAX_LAYERS:
        hint = "runtimes take some hundred at most: this is no image to be run"
        raise IntegrityError(f"{subject} names {len(layers)} layers, more than the {MAX_LAYERS} allowed", hint=hint)
    descriptors = tuple(read_descriptor(layer, subject) for layer in layers)
    for layer in descriptors:
        if layer.media_type.endswith("+encrypted"):
            raise SourceError(
                f"{subject}: layer {layer.digest} is encrypted", hint="decrypt it: skopeo copy --decryption-key …"
            )
    return Manifest(
        digest=digest_of(data),
        config=read_descriptor(document.get("config"), subject),
        layers=descriptors,
        raw=data.decode("utf-8"),
        annotations=text_map(document.get("annotations")),
    )


def read_descriptor(value: Json, subject: str) -> Descriptor:
    """One descriptor. Raises: IntegrityError where its digest is missing or not sha256."""
    entry = value if isinstance(value, dict) else {}
    digest, size, media_type = entry.get("digest"), entry.get("size"), entry.get("mediaType")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise IntegrityError(
            f"{subject}: {str(digest)[:100]!r} is not a sha256 digest", hint="only sha256 digests are supported"
        )
    return Descriptor(
        digest=Digest(digest),
        size=size if isinstance(size, int) and not isinstance(size, bool) and size > 0 else 0,
        media_type=media_type if isinstance(media_type, str) else "",
        platform=read_platform(entry.get("platform")),
        annotations=text_map(entry.get("annotations")),
    )


def text_map(value: Json) -> dict[str, str]:
    """The string entries of a JSON object; anything else gives an empty one."""
    if not isinstance(value, dict):
        return {}
    return {clean(key): clean(text) for key, text in value.items() if isinstance(text, str)}


def clean(text: str) -> str:
    """Text that UTF-8 can hold: JSON's escapes may spell lone surrogates."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _is_attestation(entry: Json) -> bool:
    """BuildKit's provenance and SBOM manifests stand in the index under the platform unknown/unknown.

    What cosign attaches looks like an image; its name, or the mark in a layout of its own, tells.
    """
    if not isinstance(entry, dict):
        return False
    platform = read_platform(entry.get("platform"))
    if platform is not None and "unknown" in (platform.os, platform.architecture):
        return True
    notes = text_map(entry.get("annotations"))
    cosign = notes.get("kind", "") in _COSIGN_KINDS or _ATTACHED_NAME.fullmatch(notes.get(_REF_NAME, ""))
    return bool(entry.get("artifactType") or cosign) or "vnd.docker.reference.type" in notes


def _refuse_others(document: Json, subject: str) -> None:
    if not isinstance(document, dict):
        raise IntegrityError(f"{subject} is not a JSON object", hint="the image is damaged: fetch it again")
    if document.get("schemaVersion") == 1 or "fsLayers" in document:
        raise SourceError(
            f"{subject} is a schema 1 manifest, which Docker gave up in 2017",
            hint="push the image again with a current docker, podman or skopeo",
        )
    config = document.get("config")
    kind = config.get("mediaType", "") if isinstance(config, dict) else ""
    artifact = document.get("artifactType") or ("" if not kind or "image" in str(kind) or kind == _OCTETS else kind)
    if artifact or "layers" not in document:
        what = f"an artifact of type {str(artifact)[:100]!r}" if artifact else "something else"
        raise SourceError(f"{subject} is no container image but {what}", hint="name an image")
