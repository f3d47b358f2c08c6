"""What hangs on an image in a registry: the referrers API, or the tags that stand in for it.

Format: OCI distribution-spec 1.1, "Listing Referrers": ``GET /v2/<name>/referrers/<digest>``, further pages by
``Link``. A registry without the API answers 404. Not used: ``artifactType`` as a filter; which types matter is known
only when they are seen, and one question is cheaper than one per type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

from anchorecli.errors import IntegrityError, SourceError
from anchorecli.model import ImageRef, Json
from anchorecli.reference import pull_string
from anchorecli.registry import Access, connect
from anchorecli.source.base import SourceOptions
from anchorecli.source.documents import MAX_DOCUMENT, is_index, load_json

MAX_PAGES = 20
_ACCEPT = (
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, "
    "application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json"
)
_INDEX = "application/vnd.oci.image.index.v1+json"
_NEXT = re.compile(r'<([^<>]{1,2000})>\s*;[^,]{0,200}?rel="?next"?')


class RegistryShelf:
    """A repository of a registry. Raises: SourceError where it does not answer."""

    def __init__(self, ref: ImageRef, options: SourceOptions) -> None:
        self.name = pull_string(ref)
        repository = self.name.partition("@")[0]
        head, colon, tail = repository.rpartition(":")
        access = Access(options.tls_verify, options.authfile, options.timeout)
        self._registry = connect(head if colon and "/" not in tail else repository, access, SourceError)

    def referrers(self, digest: str) -> list[Json] | None:
        """What the API lists, all pages of it; None where there is no such API."""
        found: list[Json] = []
        for number, data in enumerate(self._pages(f"referrers/{digest}")):
            entries = _entries(data)
            if entries is None and not number:
                # Some registries answer every path with a page of their own: that is no API either.
                return None
            if entries is None:
                raise IntegrityError(f"{self.name}: a page of the list of referrers is no index")
            found += entries
        return found

    def tagged(self, tag: str) -> list[bytes]:
        """The manifest under a tag."""
        data = self._manifest(tag)
        return [] if data is None else [data]

    def manifest(self, digest: str) -> bytes | None:
        """A manifest's bytes."""
        return self._manifest(digest)

    def blob(self, digest: str, limit: int) -> bytes:
        """A blob's bytes."""
        with self._registry.explained():
            return self._registry.body(self._registry.get(f"blobs/{digest}"), limit)

    def _manifest(self, reference: str) -> bytes | None:
        with self._registry.explained():
            response = self._registry.get(f"manifests/{reference}", Accept=_ACCEPT)
            if response.status_code == 404:
                response.close()
                return None
            return self._registry.body(response, MAX_DOCUMENT)

    def _pages(self, path: str) -> Iterator[bytes]:
        """The pages of a list; one that is empty where there is no list."""
        for _ in range(MAX_PAGES):
            with self._registry.explained():
                response = self._registry.get(path, Accept=_INDEX)
                if response.status_code == 404:
                    response.close()
                    yield b""
                    return
                data = self._registry.body(response, MAX_DOCUMENT)
            yield data
            following = self._following(response)
            if not following:
                return
            path = following
        raise SourceError(f"{self.name}: more than {MAX_PAGES} pages of referrers: the rest was not looked at")

    def _following(self, response: Any) -> str:
        """The path of the next page, empty for none; a link that leads elsewhere is not followed."""
        link = _NEXT.search(response.headers.get("Link", ""))
        if link is None:
            return ""
        here = urlsplit(response.url)
        there = urlsplit(urljoin(response.url, link[1]))
        root, mark, rest = there.path.partition("/referrers/")
        if there.netloc != here.netloc or not mark or root != here.path.partition("/referrers/")[0]:
            raise SourceError(f"{self.name}: the list of referrers goes on elsewhere: {there.netloc}{there.path[:200]}")
        return f"referrers/{rest}" + (f"?{there.query}" if there.query else "")


def _entries(data: bytes) -> list[Json] | None:
    """What an index lists; None where it is none."""
    try:
        index = load_json(data, "list of referrers")
    except IntegrityError:
        return None
    entries = index.get("manifests") if is_index(index) else None
    return entries if isinstance(entries, list) else None
