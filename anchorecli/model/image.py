"""An image as its source describes it, and what the analyzers find in it: the facts."""

from __future__ import annotations

from collections.abc import Mapping

from anchorecli.model.base import DiffId, Digest, ImagePath, Kind, Problem
from anchorecli.values import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class Platform:
    """``os/architecture[/variant]`` in the words of the OCI image specification (GOOS and GOARCH)."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


@dataclass(frozen=True, slots=True)
class ImageRef:
    """What the user asked for, taken apart.

    ``transport`` is one of registry, docker, podman, docker-archive, oci-archive, oci-dir, dir. ``path`` is set
    for the last four, and ``registry``/``repository`` for the first three. ``tag`` and ``digest`` may both be
    empty for a path; inside an archive ``tag`` holds the name asked for, when one was given.
    """

    transport: str
    original: str
    path: str = ""
    registry: str = ""
    repository: str = ""
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """The canonical name: ``docker.io/debian:12`` (never ``library/``), ``host/repo@sha256:…``, or the path."""
        if not self.repository:
            return self.path
        suffix = f"@{self.digest}" if self.digest else f":{self.tag}" if self.tag else ""
        return f"{self.registry}/{self.repository}{suffix}"


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One step of the image configuration's history, as it stands there."""

    created_by: str
    created: str = ""
    comment: str = ""
    author: str = ""
    empty_layer: bool = False


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """The image configuration (OCI image-spec, config.md), kept whole in ``raw``.

    ``exposed_ports`` are ``80/tcp`` as written; ``env`` are ``NAME=value``; ``healthcheck`` is the Test list.
    """

    platform: Platform
    created: str = ""
    author: str = ""
    user: str = ""
    working_dir: str = ""
    stop_signal: str = ""
    env: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    exposed_ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    healthcheck: tuple[str, ...] = ()
    history: tuple[HistoryEntry, ...] = ()
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of an image, lowest first in ``Image.layers``.

    ``digest`` and ``size`` (bytes) are those of the blob as it is stored (usually compressed) and empty/0 where
    the source does not know them; ``diff_id`` always names the uncompressed tar. ``instruction`` is the history
    entry that made the layer.
    """

    diff_id: DiffId
    digest: Digest = Digest("")
    size: int = 0
    media_type: str = ""
    instruction: str = ""
    created: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """One image for one platform, as its source describes it; no layer has been read for it.

    ``image_id`` is the digest of the configuration, ``digest`` that of the platform's manifest, ``index_digest``
    that of the index the platform was chosen from (empty where there was none). ``manifest`` is the raw text.
    """

    ref: ImageRef
    image_id: Digest
    digest: Digest
    config: ImageConfig
    layers: tuple[Layer, ...]
    index_digest: Digest = Digest("")
    manifest: str = ""
    names: tuple[str, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class File:
    """One path of the squashed image. ``mode`` holds permission bits only; ``target`` that of a link, as written."""

    path: ImagePath
    kind: Kind
    mode: int
    uid: int
    gid: int
    size: int
    target: str = ""
    layer: int = 0
    """Index into ``Image.layers``."""
    sha256: str = ""
    """Hex digest of a regular file's content, empty where it was not asked for."""


@dataclass(frozen=True, slots=True)
class Distro:
    """The distribution, from os-release(5) or its fallbacks. ``id`` is lower case; ``version_id`` may be empty."""

    id: str
    version_id: str = ""
    name: str = ""
    codename: str = ""
    like: tuple[str, ...] = ()
    pretty_name: str = ""
    source: ImagePath = ImagePath("")


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """Where evidence for a package stands: a path, and the diff_id of the layer that brought it."""

    path: ImagePath
    layer: DiffId = DiffId("")


@dataclass(frozen=True, slots=True)
class Package:
    """One installed package.

    ``type`` is the purl type (deb, rpm, apk, pypi, npm …) and ``scheme`` the version scheme to compare with
    (deb, rpm, apk, pep440, npm …). ``version`` is whole: epoch and release included (``1:2.3-4``). ``source`` and
    ``source_version`` name what it was built from (Debian source package, rpm source package, apk origin), equal to
    name and version where the database says nothing else. ``layer`` is the lowest layer since which the package
    has been there without interruption; ``owner`` is the purl of the OS package that owns its files.
    """

    name: str
    version: str
    type: str
    scheme: str
    purl: str = ""
    arch: str = ""
    source: str = ""
    source_version: str = ""
    licenses: tuple[str, ...] = ()
    cpes: tuple[str, ...] = ()
    locations: tuple[Location, ...] = ()
    layer: DiffId = DiffId("")
    owner: str = ""
    analyzer: str = ""
    vendor: str = ""
    module: str = ""
    """The rpm modularity label ``name:stream:version:context``."""
    size: int = 0
    """Installed size in bytes, 0 where unknown."""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Analysis:
    """What the analyzers found in one image: nothing here depends on feeds, policy or the clock."""

    image: Image
    distro: Distro | None
    packages: tuple[Package, ...]
    problems: tuple[Problem, ...] = ()
    analyzers: Mapping[str, int] = field(default_factory=dict)
    """Name → version of every analyzer that took part."""
    file_count: int = 0
    file_bytes: int = 0
