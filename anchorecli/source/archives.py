"""What the local sources share: places that hold files by name, and layers that are slices of them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from anchorecli.archive import Archive
from anchorecli.errors import IntegrityError, NotFoundError, SourceError, UsageError
from anchorecli.reference import canonical
from anchorecli.source.base import FileBlob
from anchorecli.source.documents import MAX_DOCUMENT, check_digest


class Files(Protocol):
    """Named files in an archive or below a directory; names come from the image and are never joined to a path
    unless they are known to be plain."""

    @property
    def path(self) -> Path:
        """The archive or directory, for messages."""

    def read(self, name: str, limit: int = MAX_DOCUMENT) -> bytes | None:
        """A small file's bytes; None where it is not there."""

    def blob(self, name: str, digest: str) -> FileBlob | None:
        """A layer's bytes; None where they are not there."""

    def close(self) -> None:
        """Give everything back."""


class ArchiveFiles:
    """The members of an archive."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.path = archive.path

    def read(self, name: str, limit: int = MAX_DOCUMENT) -> bytes | None:
        """A small member's bytes; None where it is not there."""
        return self.archive.read(name, limit)

    def blob(self, name: str, digest: str) -> FileBlob | None:
        """A layer as a slice of the archive; None where it is not there."""
        place = self.archive.locate(name)
        return None if place is None else FileBlob(self.archive.fd, place[0], place[1], digest)

    def close(self) -> None:
        """Close the archive."""
        self.archive.close()


class DirectoryFiles:
    """The files below a directory of ours or of the user's; only names without ``..`` are looked up."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, name: str, limit: int = MAX_DOCUMENT) -> bytes | None:
        """A small file's bytes; None where it is not there."""
        fd = self._open(name)
        if fd is None:
            return None
        with os.fdopen(fd, "rb") as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise IntegrityError(f"{self.path / name} has more than the {limit} bytes allowed")
        return data

    def blob(self, name: str, digest: str) -> FileBlob | None:
        """A layer as an open file; None where it is not there."""
        fd = self._open(name)
        return None if fd is None else FileBlob(fd, 0, os.fstat(fd).st_size, digest, owns=True)

    def close(self) -> None:
        """Nothing is held."""

    def _open(self, name: str) -> int | None:
        path = self.path / name
        if ".." in path.parts or not path.is_relative_to(self.path):
            return None
        try:
            # Without O_NONBLOCK a pipe put in a blob's place would wait for a writer for ever.
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise SourceError(f"{path} cannot be read: {error.strerror}", hint="check its permissions") from error
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            return None
        return fd


def blob_name(digest: str) -> str:
    """Where an OCI layout keeps a blob."""
    return "blobs/" + digest.replace(":", "/", 1)


def read_blob(files: Files, digest: str, what: str) -> bytes:
    """A document among an OCI layout's blobs, checked. Raises: IntegrityError where it is missing or altered."""
    data = files.read(blob_name(digest))
    if data is None:
        raise missing(files.path, what, digest)
    check_digest(data, digest, f"{files.path}: {what}")
    return data


def missing(path: Path, what: str, name: str) -> IntegrityError:
    """The error for a blob that should be there."""
    return IntegrityError(
        f"{path}: {what} {_shown([name])} is missing", hint="the image is incomplete: save or copy it again"
    )


def nothing_chosen(path: Path, names: Iterable[str], transport: str) -> SourceError:
    """The error where a file holds several images and none was asked for."""
    found = sorted(names)
    # Without the transport PATH:NAME may be read as the name of an image in a registry.
    hint = f"choose one: {transport}:{path}{_choice(found)}"
    return SourceError(f"{path} holds several images: {_shown(found)}", hint=hint)


def not_in(path: Path, wanted: str, names: Iterable[str]) -> NotFoundError:
    """The error where a file does not hold the image asked for."""
    found = sorted(names)
    hint = f"it holds {_shown(found)}" if found else "its images have no names"
    return NotFoundError(f"{path} holds no image {wanted}", hint=hint)


def same_name(ours: str, wanted: str) -> bool:
    """Whether a name in an archive is the one asked for, as written or in canonical form."""
    return ours == wanted or canonical_or_empty(ours) == canonical_or_empty(wanted) != ""


def _choice(found: list[str]) -> str:
    """What to write behind the path: ``:name``, or ``@digest`` where there are no names."""
    first = _shown(found[:1])
    return first if first.startswith("@") else f":{first}"


def _shown(names: list[str]) -> str:
    """Names out of an image, fit for a message: few, short and printable."""
    text = ", ".join(name[:200] for name in names[:10]) + (" …" if len(names) > 10 else "")
    return "".join(char if char.isprintable() else "?" for char in text)


def canonical_or_empty(name: str) -> str:
    """The canonical form of a name found in an archive; empty where it is none."""
    try:
        return canonical(name)
    except UsageError:
        return ""
