"""Where images come from: registries, local engines, archives, OCI layouts and directories.

``open_source(ref, options)`` gives a ``Source``: the image as its manifest and configuration describe it, and the bytes
of those layers that somebody asks for. This package is the only one that starts other programs.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from anchorecli.errors import SourceError, UsageError
from anchorecli.model import Attached, Image, ImageRef, Platform
from anchorecli.source.base import Blob, Progress, Source, SourceOptions
from anchorecli.source.directory import DirLayer

if TYPE_CHECKING:
    from anchorecli.archive import Archive

__all__ = ["Blob", "DirLayer", "Progress", "Source", "SourceOptions", "find_attached", "hangs_otherwise", "open_source"]


def open_source(ref: ImageRef, options: SourceOptions) -> Source:
    """Open an image where its reference says; close the source when done.

    Raises: SourceError and its kinds: not found, no access, damaged, unreachable; UsageError for an auth file that
    is not there.
    """
    if options.authfile and not Path(options.authfile).is_file():
        raise UsageError(f"no such auth file: {options.authfile}", hint="skopeo login --authfile FILE HOST writes one")
    if ref.transport == "registry":
        from anchorecli.source.registry import RegistrySource

        return RegistrySource(ref, options)
    if ref.transport in ("docker", "podman"):
        from anchorecli.source.engine import EngineSource

        return EngineSource(ref, options)
    if ref.transport == "dir":
        from anchorecli.source.directory import DirectorySource

        return DirectorySource(ref, options.platform)
    if ref.transport == "oci-dir":
        return _open_layout(ref, options.platform)
    return _open_archive(ref, options.platform)


def find_attached(image: Image, options: SourceOptions) -> Attached:
    """What hangs on an image where it came from: signatures, attestations, documents."""
    from anchorecli.source.attached import find_attached

    return find_attached(image, options)


def hangs_otherwise(image: Image, known: Attached, options: SourceOptions) -> bool:
    """Whether anything that hangs on an image came or went since ``known`` was found."""
    from anchorecli.source.attached import hangs_otherwise

    return hangs_otherwise(image, known, options)


def _open_layout(ref: ImageRef, platform: Platform | None) -> Source:
    from anchorecli.source.archives import DirectoryFiles
    from anchorecli.source.oci_layout import OciLayoutSource

    if not Path(ref.path).is_dir():
        raise SourceError(f"{ref.path} is not a directory", hint=f"for an archive write oci-archive:{ref.path}")
    return OciLayoutSource(ref, DirectoryFiles(Path(ref.path)), platform)


def _open_archive(ref: ImageRef, platform: Platform | None) -> Source:
    from anchorecli.archive import Archive
    from anchorecli.source.archives import ArchiveFiles

    said = ref.original.startswith(f"{ref.transport}:")
    # Who recognised a root file system has listed its many members already.
    archive = Archive(Path(ref.path), listed=said or ref.transport != "rootfs")
    try:
        ref = _with_kind(ref, archive, said=said)
    except BaseException:
        archive.close()
        raise
    files = ArchiveFiles(archive)
    if ref.transport == "rootfs":
        from anchorecli.source.rootfs import RootfsSource

        return RootfsSource(ref, archive, platform)
    if ref.transport == "oci-archive":
        from anchorecli.source.oci_layout import OciLayoutSource

        return OciLayoutSource(ref, files, platform)
    if "manifest.json" in archive:
        from anchorecli.source.docker_archive import DockerArchiveSource

        return DockerArchiveSource(ref, files, platform)
    from anchorecli.source.legacy_archive import LegacyArchiveSource

    return LegacyArchiveSource(ref, files, platform)


def _with_kind(ref: ImageRef, archive: Archive, *, said: bool) -> ImageRef:
    """The reference with the archive's true kind; ``said`` is whether the user named one."""
    from anchorecli.archivekind import is_files, kind_of

    if ref.transport == "rootfs" and (not said or is_files(archive)):
        return ref
    kind = kind_of(archive)
    if not said:
        return replace(ref, transport=kind)
    if ref.transport != kind and not (ref.transport == "oci-archive" and "index.json" in archive):
        raise SourceError(f"{ref.path} is not {_a(ref.transport)} but {_a(kind)}", hint=f"write {kind}:{ref.path}")
    return ref


def _a(kind: str) -> str:
    if kind == "rootfs":
        return "the tar of a root file system"
    return f"an {kind}" if kind.startswith("oci") else f"a {kind}"
