"""Which distribution an image is: the first file that says so, links followed.

Format: os-release(5), then the older files in the order of ``_SOURCES``; see ``release.py`` for each. Every Linux
distribution of the last ten years has the first; the others serve images made before, or stripped by hand.

Emits: the distribution of the image: the first of its files that tells one.

Not handled: os-release files of nested root file systems, and NixOS's, whose links lead into the store.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from anchorecli.analyzers.base import Found, LayerFile, View, Wants
from anchorecli.analyzers.os import release
from anchorecli.model import Distro, Json, Problem
from anchorecli.values import dataclass, replace

MAX_TEXT = 64 * 1024
"""Bytes; none of the text files is longer than a page."""
MAX_BUSYBOX = 16 * 1024 * 1024

_RELEASE_FILES = (
    "etc/oracle-release",
    "etc/enterprise-release",
    "etc/almalinux-release",
    "etc/rocky-release",
    "etc/centos-release",
    "etc/fedora-release",
    "etc/photon-release",
    "etc/mariner-release",
    "etc/SuSE-release",
    "etc/redhat-release",
    "etc/system-release",
)
# A derivative's own file before the one it keeps for compatibility: Oracle's redhat-release says Red Hat.
_SOURCES: tuple[tuple[str, Callable[[str], Distro | None]], ...] = (
    ("etc/os-release", release.os_release),
    ("usr/lib/os-release", release.os_release),
    ("etc/system-release-cpe", release.system_cpe),
    *((path, release.titled) for path in _RELEASE_FILES),
    ("etc/lsb-release", release.lsb_release),
    ("etc/alpine-release", release.alpine_release),
    ("etc/debian_version", release.debian_version),
    ("etc/apk/repositories", release.apk_repositories),
    ("bin/busybox", release.busybox),
    ("usr/bin/busybox", release.busybox),
)
_BUSYBOX = re.compile(rb"BusyBox v(\d+\.\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class DistroAnalyzer:
    """The distribution. A fact is the text of one file; of the busybox program only its version."""

    name: str = "distro"
    version: int = 3
    options: str = ""
    wants: Wants = Wants(
        paths=frozenset(path for path, _ in _SOURCES),
        parents=frozenset({"os.release.d"}),
        max_bytes=MAX_BUSYBOX,
    )

    def read(self, file: LayerFile) -> Json | None:
        """The text, as far as such files are long."""
        if file.path.endswith("/busybox"):
            found = _BUSYBOX.search(file.data())
            return found[1].decode("ascii") if found else None
        with file.open() as stream:
            text = stream.read(MAX_TEXT).decode("utf-8", "replace")
        return text if text.strip("\0 \t\r\n") else None

    def assemble(self, view: View) -> Found:
        """The distribution by the first file that names one; none at all is no fault (scratch images have none)."""
        for path, parse in _SOURCES:
            fact = view.fact(path)
            distro = parse(fact.value) if fact else None
            if fact and distro:
                return Found(distro=replace(_refined(view, distro), source=fact.path))
        return Found(problems=_unrecognised(view))


def _refined(view: View, distro: Distro) -> Distro:
    fact = view.fact("etc/debian_version")
    return release.with_debian_version(distro, fact.value) if fact else distro


def _unrecognised(view: View) -> tuple[Problem, ...]:
    for path, _ in _SOURCES:
        # A repository list or a busybox without a version claims nothing.
        if not path.endswith(("release", "release-cpe", "debian_version")):
            continue
        real = view.tree.resolve(path)
        if real is not None:
            message = "does not name a distribution" if view.fact(path) else f"leads to {real}, which is not read"
            if real == path and not view.fact(path):
                message = "is empty or could not be read"
            hint = "packages of the distribution cannot be matched; restore the file from the distribution's base image"
            return (Problem("analyze", path, message, hint),)
    return ()
