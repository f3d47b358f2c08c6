"""What hangs on an image in an OCI layout: manifests in its index that name the image as their subject.

Format: OCI image-spec 1.1, manifest.md, ``subject``; names like those of a registry's tags
(``org.opencontainers.image.ref.name: sha256-<hex>.sig``); and what ``cosign save`` writes: entries marked by the
annotation ``kind`` (``dev.cosignproject.cosign/sigs``, ``atts``, ``sboms``), which do not say of which image they are.
"""

from __future__ import annotations

from collections.abc import Iterator

from anchorecli.errors import IntegrityError
from anchorecli.model import Image, Json
from anchorecli.source.archives import Files, blob_name, missing
from anchorecli.source.documents import is_index, load_json, read_descriptor, text_map

_NAME = "org.opencontainers.image.ref.name"
_KINDS = {
    ".sig": "dev.cosignproject.cosign/sigs",
    ".att": "dev.cosignproject.cosign/atts",
    ".sbom": "dev.cosignproject.cosign/sboms",
}
_MAX_ENTRIES = 1000


class LayoutShelf:
    """A layout, in a tar or a directory."""

    def __init__(self, files: Files, image: Image) -> None:
        self.name = str(files.path)
        self._files = files
        self._own = frozenset((image.digest, image.index_digest)) - {""}

    def referrers(self, digest: str) -> list[Json] | None:
        """The entries of the index whose manifest names the digest."""
        return [entry for entry in self._entries() if self._subject(entry) == digest]

    def tagged(self, tag: str) -> list[bytes]:
        """The manifests of entries of that name, or marked by cosign as what the name stands for."""
        subject, dot, suffix = tag.partition(".")
        # A layout of cosign's holds one image, and its marks mean that.
        marked = _KINDS.get(dot + suffix, "") if subject.replace("-", ":", 1) in self._own else ""
        found = []
        for entry in self._entries():
            notes = text_map(entry.get("annotations"))
            if notes.get(_NAME) == tag or (marked and notes.get("kind") == marked):
                data = self.manifest(read_descriptor(entry, self.name).digest)
                if data is not None:
                    found.append(data)
        return found

    def manifest(self, digest: str) -> bytes | None:
        """A manifest's bytes."""
        return self._files.read(blob_name(digest))

    def blob(self, digest: str, limit: int) -> bytes:
        """A blob's bytes. Raises: IntegrityError where it is missing."""
        data = self._files.read(blob_name(digest), limit)
        if data is None:
            raise missing(self._files.path, "blob", digest)
        return data

    def _entries(self) -> Iterator[Json]:
        data = self._files.read("index.json") or b"{}"
        index = load_json(data, f"{self.name}: index.json")
        entries = index.get("manifests") if isinstance(index, dict) else None
        for entry in entries[:_MAX_ENTRIES] if isinstance(entries, list) else ():
            if isinstance(entry, dict):
                yield entry

    def _subject(self, entry: Json) -> str:
        """The digest that an entry's manifest names as its subject."""
        digest = read_descriptor(entry, self.name).digest
        data = self.manifest(digest)
        if data is None or b'"subject"' not in data:
            return ""
        try:
            document = load_json(data, f"{self.name}: {digest}")
        except IntegrityError:
            return ""
        subject = document.get("subject") if isinstance(document, dict) and not is_index(document) else None
        named = subject.get("digest") if isinstance(subject, dict) else None
        return named if isinstance(named, str) else ""
