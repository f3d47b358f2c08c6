"""What the store keeps of each stage, as rows: keys, opaque payloads and the little that is asked of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from anchorecli.model.base import DiffId, Digest, FactStatus, Problem
from anchorecli.values import dataclass, field


class FactKey(NamedTuple):
    """What identifies an analyzer's facts of one layer, beside the layer itself."""

    analyzer: str
    version: int
    options: str = ""
    """Hash of the options that change what it returns; empty where it has none."""


@dataclass(frozen=True, slots=True)
class LayerFacts:
    """What one analyzer found in one layer. ``payload`` is the runner's own encoding: opaque to the store."""

    diff_id: DiffId
    key: FactKey
    status: FactStatus
    payload: bytes
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image the store knows: what `anchore images list` shows. Times are RFC 3339 UTC."""

    image_id: Digest
    digest: Digest
    index_digest: Digest
    platform: str
    names: tuple[str, ...]
    distro: str
    packages: int
    layers: tuple[DiffId, ...]
    size: int
    """Sum of the sizes of the squashed image's files, in bytes."""
    analyzed_at: str
    last_used_at: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One stored evaluation: the tuple of design §4 and its outcome; what it rested on are parts of its own.

    ``report`` holds the whole report of evaluations that were kept before there were parts.
    """

    id: int
    image_id: Digest
    digest: Digest
    reference: str
    platform: str
    feed_revision: int
    bundle_id: str
    bundle_digest: str
    analyzer_set: str
    tool_version: str
    created_at: str
    status: str
    action: str
    matches: int
    report: bytes = b""
    by_severity: Mapping[str, int] = field(default_factory=dict)
    """Severity label → how many matches count; empty for evaluations from before this was kept."""
    vulnerabilities: int = -1
    """How many the matches that count are about, as a report's heading says; -1 from before this was kept."""


@dataclass(frozen=True, slots=True)
class WatchedTag:
    """A tag under watch and what was last seen of it; empty strings and 0 before the first look."""

    reference: str
    added_at: str
    digest: str = ""
    image_id: str = ""
    evaluation_id: int = 0
    checked_at: str = ""
    active: bool = True


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What a sync of one feed changed; ``revision`` is the store's revision after it."""

    feed: str
    revision: int
    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    duplicates: int = 0
    """Records whose id the same snapshot had given before; they were merged."""

    @property
    def touched(self) -> int:
        """How many records differ from before."""
        return self.added + self.changed + self.removed
