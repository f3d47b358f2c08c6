"""What hangs on an image: signatures, attestations and documents, wherever a source keeps them.

Format: OCI image-spec 1.1 (a manifest with ``subject``), OCI distribution-spec 1.1 ("Listing Referrers": the API, and
the tag ``sha256-<hex>`` where a registry has none), cosign's tags ``sha256-<hex>.sig``, ``.att`` and ``.sbom``
(https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md), and BuildKit's attestation manifests beside the
image in its index. Both the digest of the index and that of the platform's manifest are asked about.

What is found here has no authority: whoever may push may attach. Signatures of attached documents are looked for too,
so that a document can be believed for its signer's sake.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Protocol

from anchorecli.errors import IntegrityError, SourceError
from anchorecli.model import Attached, Attachment, Digest, Image, Json, Problem
from anchorecli.source.base import SourceOptions
from anchorecli.source.documents import check_digest, digest_of, is_index, load_json, read_descriptor, text_map

SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
ENVELOPE = "application/vnd.dsse.envelope.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle"
"""The beginning: versions are spelled in several ways."""
STATEMENT = "application/vnd.in-toto+json"

MAX_MANIFESTS = 200
MAX_BLOB = 16 << 20
MAX_IN_ALL = 64 << 20
_MAX_SIGNED_DOCUMENTS = 16
_SIGNED = (SIMPLE_SIGNING, ENVELOPE, BUNDLE, STATEMENT)
_DOCUMENTS = ("openvex", "csaf", "cyclonedx", "vex")
"""Parts of the media types of what may be a VEX document."""
_MANIFEST_OF = "vnd.docker.reference.digest"
_SUFFIXES = (".sig", ".att", ".sbom")


class Shelf(Protocol):
    """A place where an image and what hangs on it lie side by side. What is not there is None."""

    @property
    def name(self) -> str:
        """What messages call it."""

    def referrers(self, digest: str) -> list[Json] | None:
        """Descriptors of what names a manifest as its subject; None where the place cannot tell."""

    def tagged(self, tag: str) -> list[bytes]:
        """The manifests under a tag: one in a registry, none where there is no such tag."""

    def manifest(self, digest: str) -> bytes | None:
        """A manifest's bytes, not checked yet."""

    def blob(self, digest: str, limit: int) -> bytes:
        """A blob's bytes, not checked yet. Raises: SourceError, also past the limit."""


def find_attached(image: Image, options: SourceOptions) -> Attached:
    """What hangs on an image where it came from. What goes wrong is among the result's problems."""
    try:
        with _shelf(image, options) as shelf:
            return _Walk(shelf).of(image) if shelf else nowhere(image.ref.transport)
    except SourceError as error:
        return Attached((), (_problem(image.ref.name, error),))


def hangs_otherwise(image: Image, known: Attached, options: SourceOptions) -> bool:
    """Whether anything came or went since ``known`` was found: by lists and tags alone, no artifact is fetched.

    Where the lists cannot be had, whether that is news.
    """
    try:
        with _shelf(image, options) as shelf:
            return shelf is not None and _Walk(shelf).lists(image, known) != known.listed
    except SourceError:
        return not known.problems


@contextmanager
def _shelf(image: Image, options: SourceOptions) -> Iterator[Shelf | None]:
    """Where an image came from; None for what keeps nothing beside images."""
    if image.ref.transport == "registry":
        from anchorecli.source.attached_registry import RegistryShelf

        yield RegistryShelf(image.ref, options)
    elif image.ref.transport in ("oci-archive", "oci-dir"):
        from anchorecli.archive import Archive
        from anchorecli.source.archives import ArchiveFiles, DirectoryFiles
        from anchorecli.source.attached_layout import LayoutShelf

        path = Path(image.ref.path)
        files = DirectoryFiles(path) if image.ref.transport == "oci-dir" else ArchiveFiles(Archive(path))
        try:
            yield LayoutShelf(files, image)
        finally:
            files.close()
    else:
        yield None


def nowhere(transport: str) -> Attached:
    """What can be said of an image from a source that keeps nothing beside images."""
    message = f"what is attached to the image could not be looked at: {transport} keeps nothing beside images"
    hint = "scan it from its registry, or from an oci-archive that holds its signatures too (cosign save, oras backup)"
    return Attached((), (Problem("source", "attachments", message, hint, incomplete=False),))


class _Artifact(NamedTuple):
    """A manifest that hangs on something."""

    digest: Digest
    raw: bytes
    document: Json
    subject: str


class _Walk:
    """Looks at everything that hangs on an image, within bounds."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._items: dict[tuple[str, str, str], Attachment] = {}
        self._problems: dict[Problem, None] = {}
        self._listed_there: set[str] = set()
        self._manifests = 0
        self._bytes = 0

    def of(self, image: Image) -> Attached:
        """All that hangs on the image; what cannot be had ends the search and is a problem."""
        try:
            for digest in _subjects(image):
                self._look(digest)
            if image.index_digest:
                for manifest in self._beside(image):
                    self._take(image.digest, manifest, self._shelf.manifest(manifest), claims=False)
            for digest in _documents(image, self._items.values()):
                self._look(digest)
        except SourceError as error:
            self._problems[_problem(self._shelf.name, error)] = None
            with suppress(SourceError):
                self._listed_there.update(self.lists(image, Attached(tuple(self._items.values()))))
        order = sorted(self._items.values(), key=lambda each: (each.subject, each.manifest, each.blob))
        return Attached(tuple(order), tuple(sorted(self._problems)), tuple(sorted(self._listed_there)))

    def lists(self, image: Image, known: Attached) -> tuple[str, ...]:
        """``Attached.listed`` as it would be now, where the documents are those that are known. Raises: SourceError."""
        found = {_place(image.digest, digest) for digest in self._beside(image)} if image.index_digest else set()
        for subject in (*_subjects(image), *_documents(image, known.items)):
            found |= {_place(subject, digest) for digest in self._listed(subject)}
            found |= {_place(subject, digest_of(data)) for data in self._tagged(subject)}
        return tuple(sorted(found))

    def _look(self, subject: str) -> None:
        """Everything that hangs on one digest."""
        for digest in self._listed(subject):
            self._take(subject, digest, self._shelf.manifest(digest), claims=True)
        for data in self._tagged(subject):
            self._take(subject, digest_of(data), data, claims=False)

    def _tagged(self, subject: str) -> Iterator[bytes]:
        """The manifests under cosign's tags for a digest."""
        plain = subject.replace(":", "-", 1)
        for suffix in _SUFFIXES:
            yield from self._shelf.tagged(plain + suffix)

    def _listed(self, subject: str) -> Iterator[str]:
        """The digests of manifests that are said to name a subject."""
        entries = self._shelf.referrers(subject)
        if entries is None:
            for data in self._shelf.tagged(subject.replace(":", "-", 1)):
                index = load_json(data, f"{self._shelf.name}: referrers of {subject}")
                entries = index.get("manifests") if is_index(index) else None
        for entry in entries if isinstance(entries, list) else ():
            yield read_descriptor(entry, f"{self._shelf.name}: referrers of {subject}").digest

    def _beside(self, image: Image) -> Iterator[str]:
        """The digests of what BuildKit puts into the index beside the image. It is not signed."""
        data = self._shelf.manifest(image.index_digest)
        if data is None:
            return
        check_digest(data, image.index_digest, f"{self._shelf.name}: index")
        index = load_json(data, f"{self._shelf.name}: index")
        for entry in index.get("manifests") or () if isinstance(index, dict) else ():
            notes = text_map(entry.get("annotations")) if isinstance(entry, dict) else {}
            if notes.get(_MANIFEST_OF) == image.digest:
                yield read_descriptor(entry, f"{self._shelf.name}: index").digest

    def _take(self, subject: str, digest: str, data: bytes | None, *, claims: bool) -> None:
        """The blobs of one artifact; with ``claims`` its manifest has to name the subject itself."""
        self._manifests += 1
        self._listed_there.add(_place(subject, digest))
        if self._manifests > MAX_MANIFESTS:
            raise SourceError(
                f"more than {MAX_MANIFESTS} artifacts are attached: the rest was not looked at",
                hint="remove those that nobody needs",
            )
        what = f"{self._shelf.name}: {digest}"
        try:
            if data is None:
                raise IntegrityError(f"{what} is named as attached and is not there", hint="attach it again")
            check_digest(data, digest, what)
            artifact = _Artifact(Digest(digest), data, load_json(data, what), subject)
            if is_index(artifact.document):
                return
            named = _subject(artifact.document)
            if named != subject and (named or claims):
                raise IntegrityError(f"{what} is listed as attached to {subject} but names {named or 'nothing'}")
            self._blobs(artifact, what)
        except IntegrityError as error:
            self._problems[_problem(self._shelf.name, error)] = None

    def _blobs(self, artifact: _Artifact, what: str) -> None:
        document = artifact.document
        layers = document.get("layers") if isinstance(document, dict) else None
        for layer in layers if isinstance(layers, list) else ():
            found = read_descriptor(layer, what)
            kind = _artifact_type(document)
            vex = any(mark in f"{kind} {found.media_type}".lower() for mark in _DOCUMENTS)
            signed = found.media_type.startswith(_SIGNED)
            content = self._content(found.digest, found.size, what) if signed or vex else b""
            raw = artifact.raw.decode("utf-8") if content and not signed else ""
            self._items[artifact.subject, artifact.digest, found.digest + _marks(found.annotations)] = Attachment(
                Digest(artifact.subject),
                artifact.digest,
                found.digest,
                found.media_type,
                kind,
                found.size,
                content,
                found.annotations,
                raw,
            )

    def _content(self, digest: str, size: int, what: str) -> bytes:
        if size > MAX_BLOB or self._bytes + size > MAX_IN_ALL:
            limit = min(MAX_BLOB, MAX_IN_ALL - self._bytes)
            raise IntegrityError(f"{what}: a blob of {size} bytes, more than the {limit} allowed, was not looked at")
        data = self._shelf.blob(digest, min(MAX_BLOB, MAX_IN_ALL - self._bytes))
        self._bytes += len(data)
        check_digest(data, digest, f"{what}: blob")
        return data


def _subjects(image: Image) -> Collection[Digest]:
    """The digests that something may hang on."""
    return dict.fromkeys(filter(None, (image.digest, image.index_digest)))


def _documents(image: Image, items: Iterable[Attachment]) -> list[Digest]:
    """The manifests of documents that hang on the image itself, of which signatures are looked for too."""
    own = _subjects(image)
    order = sorted(items, key=lambda each: (each.subject, each.manifest, each.blob))
    found = dict.fromkeys(each.manifest for each in order if each.document and each.subject in own)
    return list(found)[:_MAX_SIGNED_DOCUMENTS]


def _place(subject: str, manifest: str) -> str:
    return f"{subject} {manifest}"


def _subject(document: Json) -> str:
    named = document.get("subject") if isinstance(document, dict) else None
    digest = named.get("digest") if isinstance(named, dict) else None
    return digest if isinstance(digest, str) else ""


def _artifact_type(document: Json) -> str:
    """What kind of artifact a manifest says it is. Format: image-spec, manifest.md, "artifactType"."""
    kind = document.get("artifactType")
    config = document.get("config")
    if not isinstance(kind, str) or not kind:
        kind = config.get("mediaType") if isinstance(config, dict) else ""
    return kind if isinstance(kind, str) else ""


def _marks(annotations: Mapping[str, str]) -> str:
    """One payload may be there several times, each with its own signature."""
    return "".join(f"\n{name}={annotations[name]}" for name in sorted(annotations))


def _problem(subject: str, error: SourceError) -> Problem:
    message = f"what is attached to the image could not be looked at: {error.message}"
    return Problem("source", subject, message, error.hint, incomplete=False)
