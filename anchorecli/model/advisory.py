"""What feeds say: advisories, their statements about packages, and the state of each feed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from anchorecli.model.base import Severity
from anchorecli.values import dataclass, field


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
    """Architectures the statement is limited to; for programs operating systems (as Go calls them) and the software
    they are for (``node.js``). Empty means no limit."""


@dataclass(frozen=True, slots=True)
class Cvss:
    """A CVSS score of an advisory: ``version`` 2.0, 3.0, 3.1, 4.0; ``source`` who scored it."""

    version: str
    vector: str
    score: float
    source: str = ""


class FixSince(NamedTuple):
    """The earliest moment (RFC 3339 UTC) at which a version that fixes a package can have appeared in a feed."""

    ecosystem: str
    package: str
    version: str
    since: str


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
    fixes_since: tuple[FixSince, ...] = field(default=(), compare=False)
    """Of fixes that appeared while somebody watched the feed; no part of what upstream says."""


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


class Epss(NamedTuple):
    """FIRST's Exploit Prediction Scoring System for a CVE: probability and percentile, both 0 to 1."""

    score: float
    percentile: float


class KnownExploited(NamedTuple):
    """An entry of CISA's Known Exploited Vulnerabilities catalog; dates are ``YYYY-MM-DD``."""

    added: str
    due: str = ""
    ransomware: bool = False


class OfficialPackage(NamedTuple):
    """What a language's registry knows of a name."""

    latest: str
    versions: tuple[str, ...]


class Enrichment(NamedTuple):
    """What feeds know beside advisories; None where no feed of the kind has been synced."""

    epss: Mapping[str, Epss] | None = None
    """By CVE, for the vulnerabilities of the image."""
    exploited: Mapping[str, KnownExploited] | None = None
    """By CVE, for the vulnerabilities of the image."""
    end_of_life: str | None = None
    """The day (``YYYY-MM-DD``) the distribution's support ends, empty where no end is set."""
    official: Mapping[str, Mapping[str, OfficialPackage]] = {}
    """``npm`` and ``gem`` → name → what the registry has, for the packages of the image. A missing key: no feed."""
    unasked: Mapping[str, tuple[str, ...]] = {}
    """``npm`` and ``gem`` → names that the registry was not asked about, since the feed is older than the image."""


class Candidate(NamedTuple):
    """One row a lookup returned: an advisory's statement about a name somebody asked for.

    A tuple of plain values, since there are ten thousand of them where there are a hundred matches; an
    ``Advisory`` is fetched by ``row`` only for what matched. ``ranges`` and ``versions`` are packed
    (``unpack_ranges``, lines), ``statement`` is a ``Statement`` value, ``severity`` a ``Severity`` value.
    """

    row: int
    feed: str
    ecosystem: str
    package: str
    scheme: str
    statement: str
    ranges: str
    versions: str
    severity: int
    module: str
    arches: str
    """Comma separated, empty for all."""


def pack_ranges(ranges: Iterable[Range]) -> str:
    """Ranges as one string: a line each, ``introduced TAB fixed TAB last_affected``."""
    return "\n".join([f"{r.introduced}\t{r.fixed}\t{r.last_affected}" for r in ranges])


def unpack_ranges(text: str) -> tuple[Range, ...]:
    """The reverse of ``pack_ranges``."""
    return tuple(Range(*line.split("\t")) for line in text.split("\n")) if text else ()
