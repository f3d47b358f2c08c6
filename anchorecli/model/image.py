"""An image as its source describes it, and what the analyzers find in it: the facts."""

from __future__ import annotations

from collections.abc import Mapping

from anchorecli.model.accounts import Account, Group
from anchorecli.model.base import DiffId, Digest, ImagePath, Kind, Problem
from anchorecli.model.certificates import Certificate, CertificateStore, PrivateKey
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

    ``transport`` is one of registry, docker, podman, docker-archive, oci-archive, oci-dir, rootfs, dir, sbom. ``path``
    is set for the last six, and ``registry``/``repository`` for the first three. ``tag`` and ``digest`` may both be
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

    @property
    def origin(self) -> str:
        """The transport of what was looked at: of an SBOM that tells it (``dir``, ``rootfs``) what it was made of."""
        told = self.annotations.get("anchore.sbom.subject.transport", "") if self.ref.transport == "sbom" else ""
        return told or self.ref.transport

    @property
    def is_only_files(self) -> bool:
        """Whether there is no image, only files: a directory, or the tar of one. They have no configuration."""
        return self.origin in ("dir", "rootfs")


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
    capabilities: str = ""
    """What a program in it may do whoever runs it, as getcap(8) prints it: ``cap_net_raw=ep``."""


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
    base_codename: str = ""
    """The release of Ubuntu or Debian that a derivative says it is made from (``UBUNTU_CODENAME``)."""


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
    depends: tuple[str, ...] = ()
    """What it needs, as its ecosystem calls it; of a deb with versions and alternatives: ``awk | mawk (>= 1)``."""
    provides: tuple[str, ...] = ()
    """What else others may call it that need it: virtual packages, libraries (``so:libz.so.1``)."""


@dataclass(frozen=True, slots=True, order=True)
class Secret:
    """Something that looks like a credential. The credential itself is nowhere: ``fingerprint`` is a keyed hash of it.

    ``rule`` is the name of the rule that found it, ``line`` is 1-based.
    """

    path: ImagePath
    line: int
    rule: str
    fingerprint: str
    layer: DiffId = DiffId("")
    owner: str = ""
    """The purl of the distribution's package that brought the file: everybody can have what is in it. Empty where it is
    another layer's than the package, or configuration (``etc``), which is there to be edited."""


@dataclass(frozen=True, slots=True, order=True)
class ContentMatch:
    """A file with lines that match a pattern somebody asked for. ``pattern`` is ``NAME=REGEX``, lines are 1-based."""

    path: ImagePath
    pattern: str
    lines: tuple[int, ...]
    layer: DiffId = DiffId("")


@dataclass(frozen=True, slots=True, order=True)
class RetrievedFile:
    """A regular file kept whole because somebody asked for its path."""

    path: ImagePath
    data: bytes
    layer: DiffId = DiffId("")


@dataclass(frozen=True, slots=True, order=True)
class MalwareFinding:
    """A signature that a malware scanner (``clamav``) found in a file."""

    path: ImagePath
    signature: str
    scanner: str
    layer: DiffId = DiffId("")


@dataclass(frozen=True, slots=True, order=True)
class FileDifference:
    """A file that is not as its package database says. ``status`` is ``changed`` or ``missing``; ``detail`` says what
    differs (``digest``, ``mode``, ``size``, comma separated); ``package`` is the package's name, ``purl`` its purl."""

    package: str
    path: ImagePath
    status: str
    detail: str = ""
    purl: str = ""


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of an image beyond its packages and file list; each costs time, so nobody pays who did not ask.

    A bundle's rules say it (``policy.demand``), with what the settings add. Options become part of the facts' keys.
    """

    digests: bool = False
    """The sha256 of every file."""
    secrets: bool = False
    contents: tuple[str, ...] = ()
    """``NAME=REGEX`` each."""
    retrieve: tuple[str, ...] = ()
    """Paths of files to keep whole, without a leading slash."""
    malware: bool = False
    verify: bool = False
    """Compare the files of OS packages with the package database."""
    files: bool = False
    """The decision needs the file list (``Evidence.tree``)."""
    unowned: bool = False
    """Which executables no package owns."""
    declared: bool = False
    """Packages that lock files name."""
    hints: bool = False
    """Packages that the image's own file of hints names."""
    certificates: bool = False
    """Certificates and private keys."""
    attached: bool = False
    """What hangs on the image where it comes from: signatures, attestations. The analysis does not hold it."""

    def union(self, other: Demand) -> Demand:
        """What both ask for."""
        return Demand(
            digests=self.digests or other.digests,
            secrets=self.secrets or other.secrets,
            contents=tuple(sorted({*self.contents, *other.contents})),
            retrieve=tuple(sorted({*self.retrieve, *other.retrieve})),
            malware=self.malware or other.malware,
            verify=self.verify or other.verify,
            files=self.files or other.files,
            unowned=self.unowned or other.unowned,
            declared=self.declared or other.declared,
            hints=self.hints or other.hints,
            certificates=self.certificates or other.certificates,
            attached=self.attached or other.attached,
        )


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
    secrets: tuple[Secret, ...] = ()
    removed_secrets: tuple[Secret, ...] = ()
    """In files that a later layer removed or replaced: whoever has the image can read them all the same."""
    contents: tuple[ContentMatch, ...] = ()
    retrieved: tuple[RetrievedFile, ...] = ()
    malware: tuple[MalwareFinding, ...] = ()
    differences: tuple[FileDifference, ...] = ()
    unowned: tuple[ImagePath, ...] = ()
    """Executable files (ELF, PE, Mach-O by content, or any with an execute permission) that no package owns."""
    certificates: tuple[Certificate, ...] = ()
    certificate_stores: tuple[CertificateStore, ...] = ()
    private_keys: tuple[PrivateKey, ...] = ()
    accounts: tuple[Account, ...] = ()
    groups: tuple[Group, ...] = ()
    looked_for: Mapping[str, str] = field(default_factory=dict)
    """What was looked for on demand → how: ``secrets``, ``contents`` (the patterns, a line each), ``retrieve`` (the
    paths, a line each), ``malware`` (scanner and its database), ``verify``, ``certificates``, ``unowned``,
    ``declared``, ``hints``, ``layers`` (``all``). What is missing here was not looked for, so nothing can be said of
    it."""
