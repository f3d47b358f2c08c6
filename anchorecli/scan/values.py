"""What the second half of the pipeline is given, and what it hands on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from anchorecli.matching import MatchResult
from anchorecli.model import Analysis, Attached, Checked, DiffId, Enrichment, FeedState, ImageRef, Problem, Report
from anchorecli.policy.base import Evidence
from anchorecli.policy.values import Bundle
from anchorecli.store import Document
from anchorecli.tree import Tree
from anchorecli.values import dataclass, field
from anchorecli.vex.values import VexDocument


@dataclass(frozen=True, slots=True)
class Occasion:
    """The moment of an evaluation: what is not in the image, the feeds or the bundle.

    ``now`` is RFC 3339 UTC; ``reference`` what the user asked for; ``dockerfile`` the text provided, or empty;
    ``base`` the base image by name or digest, or empty for what the image says of itself.
    """

    now: str
    reference: ImageRef
    dockerfile: str = ""
    store_it: bool = True
    base: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Settings that decided, for the record: ``fail_on``."""
    vex: tuple[VexDocument, ...] = ()
    attached: Attached | None = None
    """What hangs on the image; None where nobody looked."""


@dataclass(frozen=True, slots=True)
class Feeds:
    """Which state of the feeds decides: the newest, or one that was.

    ``states`` are the feeds as that evaluation saw them, None for those of the revision now; ``enrichment`` is what it
    knew of exploitation and ends of support, since the store keeps no history of EPSS.
    """

    revision: int | None = None
    states: tuple[FeedState, ...] | None = None
    enrichment: Enrichment | None = None


class Given(NamedTuple):
    """What a verdict looks at beside the analysis and its matches."""

    tree: Tree | None = None
    base: frozenset[DiffId] | None = None
    previous: Analysis | None = None


class Hanging(NamedTuple):
    """What hangs on the image, checked; ``gaps`` are what could not be looked at, ``remarks`` what was
    there and not used."""

    items: tuple[Checked, ...] | None = None
    gaps: tuple[Problem, ...] = ()
    vex: tuple[VexDocument, ...] = ()
    remarks: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """An evaluation with what it rests on."""

    report: Report
    bundle: Bundle
    evidence: Evidence
    occasion: Occasion
    matched: Matched


class Matched(NamedTuple):
    """What the feeds said, and the feeds."""

    found: MatchResult
    states: tuple[FeedState, ...]
    revision: int
    covered: frozenset[str]
    enrichment: Enrichment = Enrichment()
    reused: Document | None = None
    """The document that the matches were read from, where they were found before."""
