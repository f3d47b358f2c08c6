"""Names, ordered enums and the Problem: what every other value is made of."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Any, NewType

from anchorecli.values import dataclass

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


class FixDating(StrEnum):
    """How it is known since when a fix is there."""

    UNKNOWN = ""
    NOTICE = "notice"
    """From the publication of the vendor's notice that brought it."""
    WATCHED = "watched"
    """From the last check of a feed that did not have it yet: it is not older."""


class Kind(StrEnum):
    """What a path in a layer is."""

    FILE = "file"
    DIR = "dir"
    SYMLINK = "symlink"
    HARDLINK = "hardlink"
    DEVICE = "device"
    FIFO = "fifo"


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
    cause: str = ""
    """What kind of gap it is, in the words of a bundle's ``evidence`` key, where ``stage`` does not tell."""

    @property
    def gap(self) -> str:
        """``cause``, or what the stage tells of it."""
        return self.cause or _GAPS.get(self.stage, "analyzer_failed")


_GAPS = {"match": "no_feed", "feeds": "no_feed", "policy": "rule_not_run"}
