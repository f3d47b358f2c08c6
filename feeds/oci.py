"""Feed files in a registry, beside the images they are about: a shelf as one OCI artifact under one name.

Format: an OCI image manifest (image-spec 1.1, "Guidance for artifacts"): its configuration is the index of the shelf
(see ``shelf``), each layer one file as it is, annotated with its title, revision and where it starts from. Blobs are
checked against their digests whatever the registry says. Only the layers that a store needs are fetched.
"""

from __future__ import annotations

import json
from hashlib import file_digest, sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from anchorecli.errors import FeedError
from anchorecli.feeds.lines import dump
from anchorecli.feeds.shelf import MAX_INDEX, Item, item, pruned, read_index, write_index
from anchorecli.reference import parse_reference, pull_string
from anchorecli.registry import Access, Connection, connect, explained
from anchorecli.values import dataclass

__all__ = ["Access", "Artifact", "open_artifact"]

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE = "application/vnd.anchore-scan.feeds.index.v1+json"
FULL_TYPE = "application/vnd.anchore-scan.feeds.full.v1+tar"
DELTA_TYPE = "application/vnd.anchore-scan.feeds.delta.v1+tar"
_TITLE = "org.opencontainers.image.title"
_CREATED = "org.opencontainers.image.created"
_OURS = "io.anchore-scan.feeds."
_MAX_MANIFEST = 4 << 20
_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Artifact:
    """A name in a registry where feed files are, or will be; ``open_artifact`` makes it."""

    name: str
    connection: Connection
    container: Any

    def items(self) -> list[Item]:
        """The files there, none where there is no such artifact yet. Raises: FeedError."""
        with explained(self.name, FeedError):
            response = self._get(self.container.manifest_url(), Accept=MANIFEST_TYPE)
            if response.status_code == 404:
                return []
            manifest = self._manifest(self.connection.body(response, _MAX_MANIFEST))
            digest = manifest["config"]["digest"]
            index = self._small(digest)
        return read_index(index, self.name)

    def push(self, path: Path) -> list[Item]:
        """Put a file beside those that are there, and let go of what it makes useless; gives what is there then.

        Raises: FeedError.
        """
        new = item(path)
        kept = pruned([*(each for each in self.items() if each.sha256 != new.sha256), new])
        if new not in kept:
            hint = "push a later one, or push it under another tag"
            raise FeedError(f"{path} is older than what {self.name} holds", hint=hint)
        index = write_index(kept)
        with explained(self.name, FeedError), NamedTemporaryFile() as file:
            file.write(index)
            file.flush()
            self._put_blob(path, new.sha256, new.size)
            self._put_blob(Path(file.name), sha256(index).hexdigest(), len(index))
            self._put_manifest(kept, index, new)
        return kept

    def fetch(self, wanted: Item, path: Path) -> None:
        """Write a file of the artifact to a path. Raises: FeedError where it is not what the index says."""
        digest, size = sha256(), 0
        with explained(self.name, FeedError), path.open("wb") as file:
            response = self._get(self.container.get_blob_url(f"sha256:{wanted.sha256}"), stream=True)
            self.connection.expect(response)
            with response:
                for piece in response.iter_content(_CHUNK):
                    size += len(piece)
                    if size > wanted.size:
                        break
                    digest.update(piece)
                    file.write(piece)
        if size != wanted.size or digest.hexdigest() != wanted.sha256:
            hint = "the registry or something before it changes or cuts off blobs; nothing of it was imported"
            raise FeedError(f"{self.name}: {wanted.name} is not what its digest says", hint=hint)

    def _manifest(self, body: bytes) -> dict[str, Any]:
        manifest = json.loads(body)
        config = manifest.get("config") if isinstance(manifest, dict) else None
        if not isinstance(config, dict) or config.get("mediaType") != INDEX_TYPE or "digest" not in config:
            raise FeedError(f"{self.name} holds no feed files", hint="push them there: anchore feeds push FILE REF")
        return manifest  # type: ignore[no-any-return]

    def _small(self, digest: str) -> bytes:
        response = self._get(self.container.get_blob_url(digest), stream=True)
        body = self.connection.body(response, MAX_INDEX)
        if f"sha256:{sha256(body).hexdigest()}" != digest:
            raise FeedError(f"{self.name}: its index is not what its digest says", hint="push the files again")
        return body

    def _get(self, url: str, *, stream: bool = True, **headers: str) -> Any:
        client = self.connection.client
        return client.do_request(f"{client.prefix}://{url}", "GET", headers=headers, stream=stream)

    def _put_blob(self, path: Path, digest: str, size: int) -> None:
        layer = {"digest": f"sha256:{digest}", "size": size}
        with path.open("rb") as file:
            if file_digest(file, "sha256").hexdigest() != digest:
                raise FeedError(f"{path} was changed while it was pushed", hint="push it again")
        client = self.connection.client
        self.connection.expect(client.upload_blob(str(path), self.container, layer))

    def _put_manifest(self, items: list[Item], index: bytes, new: Item) -> None:
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "artifactType": INDEX_TYPE,
            "config": _descriptor(INDEX_TYPE, sha256(index).hexdigest(), len(index)),
            "layers": [_layer(each) for each in items],
            "annotations": {_CREATED: new.created_at, f"{_OURS}revision": str(items[-1].revision)},
        }
        url = f"{self.connection.client.prefix}://{self.container.manifest_url()}"
        body = dump(manifest).encode()
        client = self.connection.client
        self.connection.expect(client.do_request(url, "PUT", data=body, headers={"Content-Type": MANIFEST_TYPE}))


def open_artifact(reference: str, access: Access = Access()) -> Artifact:  # noqa: B008 - a tuple of constants
    """The artifact of a name, like ``registry.example/feeds:latest``; asks the registry how it wants to be spoken to.

    Raises: UsageError for what is no name, FeedError where the registry cannot be reached.
    """
    found = parse_reference(reference if "://" in reference else f"registry:{reference}")
    name = pull_string(found)
    with explained(name, FeedError):
        from oras.container import Container

        container = Container(name)
    return Artifact(name, connect(f"{found.registry}/{found.repository}", access, FeedError), container)


def _descriptor(kind: str, digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": kind, "digest": f"sha256:{digest}", "size": size}


def _layer(each: Item) -> dict[str, Any]:
    notes = {_TITLE: each.name, _CREATED: each.created_at, f"{_OURS}revision": str(each.revision)}
    if each.delta:
        notes[f"{_OURS}since"] = str(each.since)
    return _descriptor(DELTA_TYPE if each.delta else FULL_TYPE, each.sha256, each.size) | {"annotations": notes}
