"""From an analysis to a report for one moment: match against the feeds, judge by a bundle, keep the evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from anchorecli import __version__
from anchorecli.feeds import STARTER
from anchorecli.matching import ecosystems_of, match
from anchorecli.matching.ecosystems import OS_TYPES
from anchorecli.model import (
    Advisory,
    Analysis,
    Candidate,
    Enrichment,
    FeedState,
    Report,
    VexSource,
)
from anchorecli.policy.base import Evidence
from anchorecli.policy.evaluate import evaluate as judge
from anchorecli.policy.values import Bundle
from anchorecli.scan.enrichment import enrich
from anchorecli.scan.evidence import base_name, base_remarks, gather
from anchorecli.scan.kept import keep
from anchorecli.scan.reuse import reused
from anchorecli.scan.values import Decision, Feeds, Given, Hanging, Matched, Occasion
from anchorecli.store import Store
from anchorecli.vex.values import VexDocument

if TYPE_CHECKING:
    from anchorecli.feeds.starter import Starter

__all__ = ["Knowledge", "Occasion", "decide", "decide_by", "evaluate", "judged", "matched_by"]


def evaluate(analysis: Analysis, store: Store, bundle: Bundle, occasion: Occasion) -> Report:
    """Match an analysis against the feeds, judge it by a bundle, and keep the evaluation."""
    decision = decide(analysis, store, bundle, occasion)
    if occasion.store_it:
        keep(store, decision)
    return decision.report


def decide(analysis: Analysis, store: Store, bundle: Bundle, occasion: Occasion) -> Decision:
    """Match and judge by the feeds as they are; nothing is kept."""
    # One moment of the store: a sync meanwhile would make the revision disagree with the matches.
    with store.snapshot():
        given = gather(store, analysis, bundle, occasion)
        return decide_by(analysis, store, bundle, occasion, Feeds(), given)


def decide_by(
    analysis: Analysis, store: Store, bundle: Bundle, occasion: Occasion, feeds: Feeds, given: Given
) -> Decision:
    """Match and judge by the feeds as they are or were. Equal inputs give equal decisions.

    Raises: StoreError where the store does not keep that revision of the feeds.
    """
    return judged(analysis, bundle, occasion, given, matched_by(analysis, store, feeds))


def matched_by(analysis: Analysis, store: Store, feeds: Feeds) -> Matched:
    """What the feeds, as they are or were, say of an image. Raises: StoreError as ``decide_by`` does."""
    with store.snapshot():
        knowledge = Knowledge(store, analysis, feeds)
        revision = store.revision() if feeds.revision is None else feeds.revision
        before = reused(store, analysis, revision) if feeds.revision is None else None
        if before is None:
            known = knowledge.covered | knowledge.embedded
            found = match(analysis.packages, analysis.distro, knowledge.lookup, knowledge.details, known)
        else:
            found = before.found
        beside = enrich(knowledge.lookup, knowledge.covered, analysis, found.matches)
        if feeds.enrichment is not None:
            beside = Enrichment(*feeds.enrichment[:3], *beside[3:])
        states = (*knowledge.states(), *(before.embedded if before else knowledge.asked()))
        return Matched(found, states, revision, knowledge.covered, beside, before.matches if before else None)


def judged(analysis: Analysis, bundle: Bundle, occasion: Occasion, given: Given, matched: Matched) -> Decision:
    """The verdict of a bundle on matches. Pure."""
    matches, remarks = matched.found.matches, matched.found.problems
    remarks += base_remarks(occasion.base, given.base)
    hung = _hanging(analysis, bundle, occasion)
    documents = occasion.vex + hung.vex
    if documents:
        from anchorecli.vex.apply import applied

        matches, further = applied(matches, documents, analysis, occasion.reference)
        remarks += further
    remarks += hung.remarks
    problems = tuple(sorted({*analysis.problems, *remarks}))
    evidence = Evidence(
        analysis=analysis,
        reference=occasion.reference,
        now=occasion.now,
        matches=matches,
        feeds=matched.states,
        dockerfile=occasion.dockerfile,
        problems=problems,
        covered=matched.covered,
        looked_up=_looked_up(analysis),
        tree=given.tree,
        base=given.base,
        previous=given.previous,
        enrichment=matched.enrichment,
        attached=hung.items,
        attached_gaps=hung.gaps,
        signers=tuple(signer.id for signer in bundle.trust.signers),
    )
    verdict = judge(bundle, evidence)
    report = Report(
        analysis=analysis,
        matches=matches,
        verdict=verdict,
        feeds=matched.states,
        feed_revision=matched.revision,
        bundle_id=bundle.id,
        bundle_name=bundle.name,
        bundle_digest=bundle.digest,
        tool_version=__version__,
        created_at=occasion.now,
        problems=tuple(sorted({*problems, *verdict.problems})),
        vex=tuple(map(_source, documents)),
        enrichment=Enrichment(*matched.enrichment[:3]),
        base=None if given.base is None else tuple(sorted(given.base)),
        base_name="" if given.base is None else base_name(analysis.image, occasion.base),
        attached=hung.items,
    )
    return Decision(report, bundle, evidence, occasion, matched)


def _hanging(analysis: Analysis, bundle: Bundle, occasion: Occasion) -> Hanging:
    """What hangs on the image; nothing is loaded for the many scans that do not ask."""
    if occasion.attached is None and not bundle.trust.vex:
        return Hanging()
    from anchorecli.scan.attached import hanging

    return hanging(occasion.attached, bundle.trust, analysis.image, occasion.now)


def _source(document: VexDocument) -> VexSource:
    said = len(document.statements)
    return VexSource(document.name, document.digest, document.form, document.author, said, document.signer)


class Knowledge:
    """What is known of vulnerabilities: the store's feeds, and the embedded starter feed where they have nothing.

    The starter feed is read only for an image that needs it.
    """

    def __init__(self, store: Store, analysis: Analysis, feeds: Feeds) -> None:
        self.covered = store.coverage(feeds.revision)
        self._store = store
        self._feeds = feeds
        self._analysis = analysis
        self._looked_up: dict[tuple[str, str], None] = {}

    @cached_property
    def embedded(self) -> frozenset[str]:
        """The namespaces that the starter feed is asked about."""
        return self._starter.ecosystems & self._missing if self._starter else frozenset()

    @cached_property
    def _missing(self) -> frozenset[str]:
        return _uncovered(self._analysis, self.covered) & STARTER

    @cached_property
    def _starter(self) -> Starter | None:
        if not self._missing:
            return None
        from anchorecli.feeds.starter import Starter

        return Starter()

    def lookup(self, keys: Sequence[tuple[str, str]]) -> list[Candidate]:
        """Every statement about the (ecosystem, name) pairs."""
        stored = [key for key in keys if key[0] not in self.embedded]
        self._looked_up.update(dict.fromkeys(stored))
        known = self._store.lookup(stored, self._feeds.revision)
        rest = [key for key in keys if key[0] in self.embedded]
        return known + self._starter.lookup(rest) if self._starter and rest else known

    def details(self, rows: Sequence[int]) -> dict[int, Advisory]:
        """The advisories of rows that lookups named; those of the starter feed have negative numbers."""
        known = self._store.details([row for row in rows if row >= 0], list(self._looked_up), self._feeds.revision)
        rest = [row for row in rows if row < 0]
        return known | self._starter.advisories(rest) if self._starter and rest else known

    def states(self) -> tuple[FeedState, ...]:
        """The feeds of the store."""
        own = self._feeds.states
        return self._store.feed_states(self._feeds.revision) if own is None else own

    def asked(self) -> tuple[FeedState, ...]:
        """The feeds of the starter that were asked."""
        return self._starter.states() if self._starter else ()


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
