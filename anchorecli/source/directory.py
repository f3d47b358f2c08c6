"""``dir:`` — a directory on this machine in the role of an image with one layer.

No link is ever followed: directories are opened one below the other with O_NOFOLLOW, relative to a descriptor of the
one above, so that neither a symbolic link nor a rename while we look leads out of the root. The kernel's own file
systems (/proc, /sys, /dev …) are left out where they are mounted.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from typing import BinaryIO, Self

from anchorecli.errors import IntegrityError, NotFoundError, SourceError
from anchorecli.model import DiffId, Digest, Image, ImageConfig, ImageRef, Layer, Platform, Problem
from anchorecli.source.platforms import host_platform

MAX_DEPTH = 200
"""Directories nested deeper than this are not looked into: each level holds a descriptor open."""

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

_KERNEL_MOUNTS = ("proc", "sys", "dev")
_KERNEL_FILE_SYSTEMS = {"proc", "sysfs", "devtmpfs", "devpts", "cgroup", "cgroup2", "debugfs", "tracefs", "securityfs"}


class DirLayer:
    """The tree below an open directory, whose descriptor it owns; a context manager.

    ``problems`` grows with whatever could not be read.
    """

    def __init__(self, root: Path, fd: int) -> None:
        self.root = root
        self.problems: list[Problem] = []
        self._fd = fd
        self._device = os.fstat(self._fd).st_dev
        self._kernel_devices = _kernel_devices()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the directory back."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1

    def walk(self) -> Iterator[tuple[str, os.stat_result, str]]:
        """(path, lstat, link target) of everything below the root.

        Order: a directory before what is in it, names in each directory sorted. What vanishes while
        we look is left out.
        """
        yield from self._walk(self._fd, "", 0)

    def open(self, path: str) -> BinaryIO:
        """A regular file's content. Raises: OSError, after noting a problem, where it cannot be read as one."""
        *parents, name = path.split("/")
        if not {"", ".", ".."}.isdisjoint((*parents, name)):
            raise OSError(f"{path!r} may lead outside the directory")
        held = -1
        try:
            for part in parents:
                below = os.open(part, _DIRECTORY, dir_fd=self._fd if held < 0 else held)
                if held >= 0:
                    os.close(held)
                held = below
            fd = os.open(name, _FILE, dir_fd=self._fd if held < 0 else held)
        except OSError as error:
            self._note(path, error)
            raise
        finally:
            if held >= 0:
                os.close(held)
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise OSError(f"{path} is no longer a regular file")
        return os.fdopen(fd, "rb")

    def attribute(self, path: str, name: str) -> bytes:
        """An extended attribute of a file, links not followed; empty where it has none, or where systems have none."""
        read = getattr(os, "getxattr", None)
        if read is None:
            return b""
        try:
            value: bytes = read(f"/proc/self/fd/{self._fd}/{path}", name, follow_symlinks=False)
        except OSError:
            return b""
        return value

    def listing_digest(self) -> Digest:
        """sha256 over the sorted listing: path, kind, mode, owner, size, times and link target.

        The inode's change time is part of it, since the modification time can be set: two trees made reproducibly,
        with every date clamped, may differ in content alone, and stored facts must never pass from one to the other.
        """
        listing = hashlib.sha256()
        lines: list[str] = []
        for path, info, target in self.walk():
            line = f"{path}\0{info.st_mode:o} {info.st_uid} {info.st_gid}"
            if not stat.S_ISDIR(info.st_mode):  # what is in a directory is listed; its own times say nothing more
                line += f" {info.st_size} {info.st_mtime_ns} {info.st_ctime_ns}"
            lines.append(f"{line}\0{target}\0")
            if len(lines) == 4096:
                listing.update("".join(lines).encode("utf-8", "surrogateescape"))
                lines.clear()
        listing.update("".join(lines).encode("utf-8", "surrogateescape"))
        return Digest("sha256:" + listing.hexdigest())

    def _walk(self, fd: int, prefix: str, depth: int) -> Iterator[tuple[str, os.stat_result, str]]:
        try:
            with os.scandir(fd) as scan:
                entries = sorted(scan, key=attrgetter("name"))
        except OSError as error:
            self._note(prefix or ".", error)
            return
        for entry in entries:
            path = prefix + entry.name
            try:
                info = entry.stat(follow_symlinks=False)
                target = os.readlink(entry.name, dir_fd=fd) if stat.S_ISLNK(info.st_mode) else ""
            except FileNotFoundError:
                continue
            except OSError as error:
                self._note(path, error)
                continue
            if not stat.S_ISDIR(info.st_mode):
                yield path, info, target
            elif not self._is_kernel_mount(path, info):
                yield path, info, target
                yield from self._below(fd, entry.name, path, depth)

    def _below(self, fd: int, name: str, path: str, depth: int) -> Iterator[tuple[str, os.stat_result, str]]:
        if depth >= MAX_DEPTH:
            self._problem(path, f"directories are nested more than {MAX_DEPTH} deep: not looked into")
            return
        try:
            below = os.open(name, _DIRECTORY, dir_fd=fd)
        except OSError as error:
            self._note(path, error)
            return
        try:
            yield from self._walk(below, path + "/", depth + 1)
        finally:
            os.close(below)

    def _is_kernel_mount(self, path: str, info: os.stat_result) -> bool:
        if info.st_dev == self._device:
            return False
        return path in _KERNEL_MOUNTS or info.st_dev in self._kernel_devices

    def _note(self, path: str, error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            self._problem(path, f"cannot be read: {error.strerror or error}")

    def _problem(self, path: str, message: str) -> None:
        problem = Problem("source", path, message, hint="run as a user who may read it")
        if problem not in self.problems:
            self.problems.append(problem)


class DirectorySource:
    """An image made of one directory; its only layer is named by the digest of the listing."""

    def __init__(self, ref: ImageRef, platform: Platform | None) -> None:
        self._root = Path(ref.path)
        self._fd = _open_root(self._root)
        try:
            with self._tree() as tree:
                digest = tree.listing_digest()
        except BaseException:
            self.close()
            raise
        self.image = Image(
            ref=ref,
            image_id=digest,
            digest=digest,
            config=ImageConfig(platform=platform or host_platform()),
            layers=(Layer(diff_id=DiffId(digest), media_type="directory"),),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def prefetch(self, layers: object) -> None:
        """Nothing to do: everything is here."""

    def open_layer(self, layer: Layer) -> DirLayer:
        """The tree. Raises: IntegrityError for a layer of another image."""
        if layer.diff_id != self.image.layers[0].diff_id:
            raise IntegrityError(f"{self._root} has no layer {layer.diff_id}")
        return self._tree()

    def close(self) -> None:
        """Give the directory back."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1

    def _tree(self) -> DirLayer:
        return DirLayer(self._root, os.dup(self._fd))


def _open_root(root: Path) -> int:
    try:
        return os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise NotFoundError(f"no such directory: {root}") from error
    except OSError as error:
        raise SourceError(f"{root} cannot be opened as a directory: {error.strerror}") from error


def _kernel_devices() -> frozenset[int]:
    """Device numbers of mounted kernel file systems. Format: proc(5), /proc/self/mountinfo; empty elsewhere."""
    try:
        lines = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return frozenset()
    devices = set()
    for line in lines:
        fields, _, tail = line.partition(" - ")
        major, _, minor = fields.split()[2].partition(":")
        if tail.split(" ", 1)[0] in _KERNEL_FILE_SYSTEMS:
            devices.add(os.makedev(int(major), int(minor)))
    return frozenset(devices)
