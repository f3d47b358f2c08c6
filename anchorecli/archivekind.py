"""What an archive on disk holds, told by the names of its members: an image, of two forms, or a root file system."""

from __future__ import annotations

import os
from pathlib import Path

from anchorecli import compression
from anchorecli.archive import MAX_MEMBERS, Archive, open_regular
from anchorecli.errors import IntegrityError, SourceError

_ROOT_MARKS = (".dockerenv", "etc/os-release", "usr/lib/os-release", "lib/apk/db/installed", "var/lib/dpkg/status")
_ROOT_DIRECTORIES = frozenset({"bin", "dev", "lib", "lib64", "opt", "proc", "root", "run", "sbin", "sys", "usr", "var"})


def recognise(path: Path) -> str:
    """``docker-archive``, ``oci-archive`` or ``rootfs``: what a file holds, told by its members.

    An archive compressed as a whole is said to be a docker-archive; only inflating it can tell. Raises as
    ``Archive`` does, and SourceError for a tar that holds no image.
    """
    fd = open_regular(path)
    try:
        if compression.sniff(os.pread(fd, 6, 0)):
            return "docker-archive"
    finally:
        os.close(fd)
    with Archive(path) as archive:
        return kind_of(archive)


def kind_of(archive: Archive) -> str:
    """``docker-archive``, ``oci-archive`` or ``rootfs``. Raises: SourceError for any other tar."""
    root = is_root(archive)
    if archive.large and not root:
        raise IntegrityError(f"{archive.path} has more than {MAX_MEMBERS} members: no image archive has")
    if kind := _kind_of_image(archive):
        return kind
    if not archive.terminated and not archive.large:
        raise IntegrityError(
            f"{archive.path} is truncated: it ends without an end marker and without a manifest", hint="copy it again"
        )
    if root:
        return "rootfs"
    first = next(archive.names(), "")
    what = f"a tar of plain files ({first} …)" if first else "an empty tar"
    raise SourceError(
        f"{archive.path} holds no image: it looks like {what}",
        hint=f"if it is a root file system all the same, write rootfs:{archive.path}"
        if first
        else "save the image again",
    )


def is_files(archive: Archive) -> bool:
    """Whether a tar that somebody calls a root file system, or a part of one, can be that."""
    return is_root(archive) or (not _kind_of_image(archive) and next(archive.names(), "") != "")


def is_root(archive: Archive) -> bool:
    """Whether the members are those of a root file system: ``docker export``, debootstrap, a distribution's minirootfs.

    A file that only systems have says so, else ``etc`` with another directory of the Filesystem Hierarchy Standard.
    """
    if any(mark in archive for mark in _ROOT_MARKS):
        return True
    tops = {name.partition("/")[0] for name in archive.names()}
    return "etc" in tops and not _ROOT_DIRECTORIES.isdisjoint(tops)


def _kind_of_image(archive: Archive) -> str:
    if "manifest.json" in archive:
        return "docker-archive"
    if "index.json" in archive or "oci-layout" in archive:
        return "oci-archive"
    return "docker-archive" if "repositories" in archive else ""
