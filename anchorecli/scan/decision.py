"""From an analysis to a report for one moment: match against the feeds, judge by a bundle, keep the evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from anchorecli import __version__, codec
from anchorecli.matching import ecosystems_of, match
from anchorecli.matching.ecosystems import OS_TYPES
from anchorecli.model import (
    Advisory,
    Analysis,
    Candidate,
    Evaluation,
    FactKey,
    FeedState,
    ImageRef,
    Report,
)
from anchorecli.policy.base import Evidence
from anchorecli.policy.evaluate import evaluate as judge
from anchorecli.policy.values import Bundle
from anchorecli.scan.analysis import set_digest
from anchorecli.store import Store
from anchorecli.values import dataclass

if TYPE_CHECKING:
    from anchorecli.feeds.starter import Starter


@dataclass(frozen=True, slots=True)
class Occasion:
    """The moment of an evaluation: what is not in the image, the feeds or the bundle.

    ``now`` is RFC 3339 UTC; ``reference`` what the user asked for; ``dockerfile`` the text provided, or empty.
    """

    now: str
    reference: ImageRef
    dockerfile: str = ""
    store_it: bool = True


def evaluate(analysis: Analysis, store: Store, bundle: Bundle, occasion: Occasion) -> Report:
    """Match an analysis against the feeds, judge it by a bundle, and keep the evaluation."""
    # One moment of the store: a sync meanwhile would make the revision disagree with the matches.
    with store.snapshot():
        knowledge = Knowledge(store, analysis)
        known = knowledge.covered | knowledge.embedded
        found = match(analysis.packages, analysis.distro, knowledge.lookup, knowledge.details, known)
        feeds = knowledge.states()
        revision = store.revision()
    problems = tuple(sorted({*analysis.problems, *found.problems}))
    evidence = Evidence(
        analysis=analysis,
        reference=occasion.reference,
        now=occasion.now,
        matches=found.matches,
        feeds=feeds,
        dockerfile=occasion.dockerfile,
        problems=problems,
        covered=knowledge.covered,
        looked_up=_looked_up(analysis),
    )
    verdict = judge(bundle, evidence)
    report = Report(
        analysis=analysis,
        matches=found.matches,
        verdict=verdict,
        feeds=feeds,
        feed_revision=revision,
        bundle_id=bundle.id,
        bundle_name=bundle.name,
        bundle_digest=bundle.digest,
        tool_version=__version__,
        created_at=occasion.now,
        problems=tuple(sorted({*problems, *verdict.problems})),
    )
    if occasion.store_it:
        store.put_evaluation(stored(report, occasion.reference))
    return report


def stored(report: Report, reference: ImageRef) -> Evaluation:
    """A report as the row that keeps it; the number is given by the store."""
    image, verdict = report.analysis.image, report.verdict
    return Evaluation(
        id=0,
        image_id=image.image_id,
        digest=image.digest,
        reference=reference.name,
        platform=str(image.config.platform),
        feed_revision=report.feed_revision,
        bundle_id=report.bundle_id,
        bundle_digest=report.bundle_digest,
        analyzer_set=set_digest(FactKey(name, version) for name, version in report.analysis.analyzers.items()),
        tool_version=report.tool_version,
        created_at=report.created_at,
        status=verdict.status.value if verdict else "",
        action=verdict.action.label if verdict else "",
        matches=sum(not found.suppressed for found in report.matches),
        report=codec.encode(report),
    )


class Knowledge:
    """What is known of vulnerabilities: the store's feeds, and the embedded starter feed where they have nothing.

    The starter feed is read only for an image that needs it.
    """

    def __init__(self, store: Store, analysis: Analysis) -> None:
        self.covered = store.coverage()
        self.embedded: frozenset[str] = frozenset()
        self._store = store
        self._starter: Starter | None = None
        if missing := _uncovered(analysis, self.covered):
            from anchorecli.feeds.starter import Starter

            self._starter = Starter()
            self.embedded = self._starter.ecosystems & missing

    def lookup(self, keys: Sequence[tuple[str, str]]) -> list[Candidate]:
        """Every statement about the (ecosystem, name) pairs."""
        known = self._store.lookup([key for key in keys if key[0] not in self.embedded])
        rest = [key for key in keys if key[0] in self.embedded]
        return known + self._starter.lookup(rest) if self._starter and rest else known

    def details(self, rows: Sequence[int]) -> dict[int, Advisory]:
        """The advisories of rows; those of the starter feed have negative numbers."""
        known = self._store.advisories([row for row in rows if row >= 0])
        rest = [row for row in rows if row < 0]
        return known | self._starter.advisories(rest) if self._starter and rest else known

    def states(self) -> tuple[FeedState, ...]:
        """The feeds that took part: all of the store's, and those of the starter that were asked."""
        return (*self._store.feed_states(), *(self._starter.states() if self._starter else ()))


def _uncovered(analysis: Analysis, covered: frozenset[str]) -> frozenset[str]:
    """The namespaces the image's packages need and no feed of the store has."""
    kinds = {package.type for package in analysis.packages}
    names = frozenset(ecosystems_of(analysis.distro)) if analysis.distro and kinds & OS_TYPES else frozenset()
    missing = names if names.isdisjoint(covered) else frozenset()
    return missing | (kinds - OS_TYPES - covered)


def _looked_up(analysis: Analysis) -> dict[str, tuple[str, ...]]:
    """Package type → the namespaces that matching asked for packages of that type."""
    if analysis.distro is None:
        return {}
    names = tuple(ecosystems_of(analysis.distro))
    return {kind: names for kind in {package.type for package in analysis.packages} if kind in OS_TYPES}
