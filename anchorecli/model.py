"""The values the stages hand each other: frozen, slotted, without I/O.

Facts (what is in an image) and decisions (what a policy makes of it) are kept apart: an ``Analysis`` depends on
the image and the analyzers only; a ``Report`` adds matches, findings and a verdict for one moment in time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any, NewType

Digest = NewType("Digest", str)
"""``sha256:<64 hex>`` of some bytes as they are stored or sent (a manifest, a compressed layer, a config)."""

DiffId = NewType("DiffId", str)
"""``sha256:<64 hex>`` of a layer's uncompressed tar."""

ImagePath = NewType("ImagePath", str)
"""A path inside an image: no leading slash, no ``.`` or ``..``, ``/`` between the parts, surrogateescape."""

Json = Any
"""What ``json.loads`` gives: the form in which analyzers leave facts in the store."""


class Severity(IntEnum):
    """Ordered severities, in the words of Anchore Engine's bundles."""

    UNKNOWN = 0
    NEGLIGIBLE = 1
    LOW = 2
    MEDIUM = 3
    HIGH = 4
    CRITICAL = 5

    @property
    def label(self) -> str:
        """The lower-case name used in reports and bundles."""
        return self.name.lower()

    @classmethod
    def parse(cls, text: str) -> Severity:
        """Read a severity by its name or a vendor's synonym; what nobody knows is UNKNOWN."""
        return _SEVERITY_WORDS.get(text.strip().lower(), cls.UNKNOWN)


_SEVERITY_WORDS = {member.name.lower(): member for member in Severity} | {
    "moderate": Severity.MEDIUM,
    "important": Severity.HIGH,
    "unimportant": Severity.NEGLIGIBLE,
    "none": Severity.NEGLIGIBLE,
}


class Action(IntEnum):
    """What a rule asks for; the worst one wins, so combine with ``max``."""

    GO = 0
    WARN = 1
    STOP = 2

    @property
    def label(self) -> str:
        """The lower-case name used in reports."""
        return self.name.lower()


class Status(StrEnum):
    """The verdict: ``indeterminate`` where the evidence does not allow the other two."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    INDETERMINATE = "indeterminate"


class FactStatus(StrEnum):
    """How an analyzer's pass over one layer ended."""

    OK = "ok"
    PARTIAL = "partial"
    FAILED = "failed"


class FixState(StrEnum):
    """What is known of a fix."""

    FIXED = "fixed"
    NOT_FIXED = "not-fixed"
    WONT_FIX = "wont-fix"
    UNKNOWN = "unknown"


class MatchVerdict(StrEnum):
    """``unknown`` where a version could not be read: never the same as not affected."""

    AFFECTED = "affected"
    UNKNOWN = "unknown"


class Kind(StrEnum):
    """What a path in a layer is."""

    FILE = "file"
    DIR = "dir"
    SYMLINK = "symlink"
    HARDLINK = "hardlink"
    DEVICE = "device"
    FIFO = "fifo"


# ── problems ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something that could not be looked at, or only in part; it is shown in the report's coverage."""

    stage: str
    """``source``, ``layers``, ``analyze``, ``match``, ``feeds``, ``policy``."""
    subject: str
    """What it is about: a path in the image, an analyzer, a feed, a distribution."""
    message: str
    hint: str = ""
    incomplete: bool = True
    """True where the verdict may be wrong because of it; False for a mere remark."""


# ── images ──────────────────────────────────────────────────────────────────────────────────────────────────


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


# ── what is found in an image ───────────────────────────────────────────────────────────────────────────────


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


# ── advisories and feeds ────────────────────────────────────────────────────────────────────────────────────


class Statement(StrEnum):
    """What an advisory says of a package; each is explicit, nothing is encoded in a magic version."""

    AFFECTED = "affected"
    NOT_AFFECTED = "not-affected"
    WONT_FIX = "wont-fix"
    UNDER_INVESTIGATION = "under-investigation"


@dataclass(frozen=True, slots=True)
class Range:
    """Affected versions: ``introduced <= v`` and ``v < fixed`` or ``v <= last_affected``; empty means open."""

    introduced: str = ""
    fixed: str = ""
    last_affected: str = ""


@dataclass(frozen=True, slots=True)
class Affected:
    """What one advisory says of one package in one ecosystem.

    ``ecosystem`` is our namespace: ``debian:12``, ``alpine:3.20``, ``almalinux:9``, ``pypi``, ``npm`` … ``package``
    is the name the feed keys by: the source package for Debian, the origin for Alpine, PEP 503 for pypi. No
    ``ranges`` and no ``versions`` means every version; ``versions`` are affected whatever the ranges say.
    ``severity`` overrides the advisory's own for this ecosystem (a Debian urgency, say).
    """

    ecosystem: str
    package: str
    scheme: str
    statement: Statement = Statement.AFFECTED
    ranges: tuple[Range, ...] = ()
    versions: tuple[str, ...] = ()
    severity: Severity = Severity.UNKNOWN
    module: str = ""
    """rpm module ``name:stream`` the statement is limited to; empty means no limit."""
    arches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cvss:
    """A CVSS score of an advisory: ``version`` 2.0, 3.0, 3.1, 4.0; ``source`` who scored it."""

    version: str
    vector: str
    score: float
    source: str = ""


@dataclass(frozen=True, slots=True)
class Advisory:
    """One record of a feed, normalised. ``id`` is upstream's own; times are RFC 3339 UTC text or empty."""

    id: str
    feed: str
    aliases: tuple[str, ...] = ()
    severity: Severity = Severity.UNKNOWN
    summary: str = ""
    url: str = ""
    published: str = ""
    modified: str = ""
    withdrawn: str = ""
    cvss: tuple[Cvss, ...] = ()
    affected: tuple[Affected, ...] = ()


@dataclass(frozen=True, slots=True)
class FeedState:
    """What the store holds of one feed. ``revision`` rises with each sync that changed something."""

    name: str
    revision: int = 0
    records: int = 0
    updated_at: str = ""
    """When it was last synced or confirmed unchanged (RFC 3339 UTC)."""
    source_date: str = ""
    """The date of the data itself, as upstream states it or as the newest record implies."""
    url: str = ""
    digest: str = ""
    """sha256 of the raw snapshot."""
    etag: str = ""
    last_modified: str = ""
    starter: bool = False
    """True for the feed embedded in the package: never fresh evidence."""
    ecosystems: tuple[str, ...] = ()
    """The namespaces it has records for, so that a distribution nobody covers is noticed."""
    problems: int = 0
    """Records that could not be read."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One row a lookup returned: an advisory's statement about a name somebody asked for.

    Only what deciding needs; ``Advisory`` details are fetched for the rows that matched.
    """

    row: int
    """The advisory's row in the store, to ask for its details."""
    ecosystem: str
    package: str
    affected: Affected
    feed: str = ""


# ── matches, policy, report ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Match:
    """A package and an advisory that speaks of it.

    ``id`` is the vulnerability's id as reports show it (a CVE where one is known, else the feed's own),
    ``aliases`` every other id, ``fixed_in`` the versions that fix it, ``why`` the comparison that decided.
    ``suppressed`` holds the reason where a better source settles it: kept, shown on request, never counted.
    """

    id: str
    package: Package
    advisory: str
    feed: str
    verdict: MatchVerdict
    severity: Severity
    fix_state: FixState
    fixed_in: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    ecosystem: str = ""
    summary: str = ""
    url: str = ""
    published: str = ""
    modified: str = ""
    cvss: tuple[Cvss, ...] = ()
    why: str = ""
    suppressed: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a policy. ``params`` are the bundle's own strings; ``line`` is 1-based, 0 if unknown."""

    id: str
    gate: str
    trigger: str
    action: Action
    params: Mapping[str, str] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True, slots=True)
class Allow:
    """One allowlist item: findings of ``gate`` whose trigger id matches are let through until ``expires_on``."""

    id: str
    gate: str
    trigger_id: str
    expires_on: str = ""
    comment: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """One firing of a rule. ``allowed_by`` is the id of the allowlist item that let it through, or empty."""

    gate: str
    trigger: str
    trigger_id: str
    action: Action
    message: str
    rule_id: str = ""
    policy_id: str = ""
    allowed_by: str = ""
    match_id: str = ""
    """For vulnerability findings: the vulnerability's id, so that reports can join them."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the bundle makes of the image. ``reason`` says what decided: policy_evaluation, blacklisted,
    whitelisted, no_mapping, or evidence (for indeterminate)."""

    status: Status
    action: Action
    reason: str
    findings: tuple[Finding, ...] = ()
    policy_ids: tuple[str, ...] = ()
    mapping_id: str = ""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """One evaluation, whole: what every report format renders and what the store keeps.

    The evaluation tuple (design §4) is image digest and platform, ``feeds`` with their revisions,
    ``bundle_digest``, ``analysis.analyzers``, ``tool_version`` and ``created_at``; equal tuples render to equal
    bytes. ``feed_revision`` is the store's revision number at that moment.
    """

    analysis: Analysis
    matches: tuple[Match, ...]
    verdict: Verdict | None
    feeds: tuple[FeedState, ...]
    feed_revision: int
    bundle_id: str
    bundle_name: str
    bundle_digest: str
    tool_version: str
    created_at: str
    problems: tuple[Problem, ...] = ()
    """Coverage: every problem of every stage, sorted."""


@dataclass(frozen=True, slots=True)
class Event:
    """One change that the watch loop tells about.

    ``kind`` is tag_update, vuln_update or policy_eval (Anchore Engine's subscription names); ``data`` is JSON.
    """

    kind: str
    image: str
    created_at: str
    message: str
    data: Mapping[str, Json] = field(default_factory=dict)
