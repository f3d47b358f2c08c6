"""Past results brought up to date: what a change of the feeds touches is judged again, from the store alone.

Which evaluations that are is asked of the inverted index; each is decided again by the bundle and the circumstances of
its last evaluation, so that the feeds (and the clock) are all that differs, and kept as a new evaluation with its
cause: the feeds with their revisions, and the advisories that made each difference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from anchorecli.errors import AnchoreError, StoreError
from anchorecli.model import Evaluation, Event, Json, Match, Problem, Report
from anchorecli.policy.bundle import parse_bundle
from anchorecli.scan import difference as differing
from anchorecli.scan.asked import index, index_missing
from anchorecli.scan.causes import Cause, Explained, explain
from anchorecli.scan.decision import decide_by
from anchorecli.scan.difference import Side, difference, side_of_decision
from anchorecli.scan.enrichment import EPSS, KEV
from anchorecli.scan.events import events_of, vulnerability_count
from anchorecli.scan.kept import keep, recall
from anchorecli.scan.needed import BESIDE, looked_at
from anchorecli.scan.past import inputs_of
from anchorecli.scan.values import Feeds
from anchorecli.store import Store
from anchorecli.values import dataclass, field, replace


class Change(NamedTuple):
    """One image brought up to date: from which evaluation to which, and what came of it."""

    reference: str
    before: Evaluation
    after: Evaluation
    cause: Mapping[str, Json]
    """As it is kept, see ``cause_of``."""
    events: tuple[Event, ...]
    counts: tuple[int, int]
    """Vulnerabilities before and after."""


@dataclass(slots=True)
class Update:
    """What an update did: evaluations that were looked at again, one by one in ``changes``, and what failed."""

    revision: int = 0
    indexed: int = 0
    changes: list[Change] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def update(store: Store, now: str, since: int | None = None, tell: Callable[[Change], None] | None = None) -> Update:
    """Bring the last evaluation of each reference up to date, of those that a change of the feeds touches.

    ``since`` counts changes after that revision, instead of after each evaluation. ``tell`` is given each change as it
    is kept. One that fails is a problem and does not stop the others. Raises: StoreError for an unknown ``since``.
    """
    if since is not None:
        store.check_revision(since)
    inverted = index(store)
    mark = inverted.moment()
    wanted = _looked_at(store)
    done = Update(mark.revision, index_missing(store, by_cve=not wanted.isdisjoint((EPSS, KEV))))
    for each in inverted.touched(since, BESIDE - wanted):
        try:
            change = _bring(store, each.evaluation, now)
        except AnchoreError as exc:
            done.problems.append(Problem("store", f"evaluation {each.evaluation}", exc.message, exc.hint))
            continue
        done.changes.append(change)
        if tell:
            tell(change)
    if not done.problems:
        inverted.note(mark)
    return done


def _looked_at(store: Store) -> frozenset[str]:
    """The namespaces beside those of vulnerabilities that some kept bundle looks at."""
    found: set[str] = set()
    for document in store.bundles().values():
        try:
            found |= looked_at(parse_bundle(document.decode()))
        except AnchoreError:
            continue  # of another version: evaluations made with it cannot be made again
    return frozenset(found)


def _bring(store: Store, number: int, now: str) -> Change:
    """Decide an evaluation again by the feeds as they are, and keep it with its cause."""
    previous = store.evaluation(number)
    if previous is None:
        raise StoreError(f"evaluation {number} is not in the store any more", hint="anchore history")
    kept = recall(store, previous)
    before = Side(kept.report, inputs_of(store, kept), number)
    inputs = before.inputs
    occasion = replace(inputs.occasion, now=now, store_it=True)
    with store.snapshot():
        decision = decide_by(inputs.analysis, store, inputs.bundle, occasion, Feeds(), inputs.given)
        told = explain(store, difference(store, before, side_of_decision(store, decision)))
    cause = cause_of(number, kept.report, decision.report, told)
    new = keep(store, decision, cause)
    after = store.evaluation(new)
    if after is None:
        raise StoreError(f"evaluation {new} was removed while it was made", hint="run the command again")
    events = tuple(events_of(previous.reference, previous, kept.report.matches, decision.report, new))
    counts = vulnerability_count(kept.report.matches), vulnerability_count(decision.report.matches)
    return Change(previous.reference, previous, after, cause, events, counts)


def cause_of(number: int, before: Report, after: Report, told: Explained) -> dict[str, Json]:
    """Why an evaluation was made again: what moved in the feeds, and what that changed, each with its causes."""
    feeds = {state.name: state.revision for state in after.feeds}
    were = {state.name: state.revision for state in before.feeds}
    moved = [name for name in sorted({*feeds, *were}) if feeds.get(name) != were.get(name)]
    advisories = {
        str(cause.data["advisory"])
        for _, causes in (*told.matches, *told.findings)
        for cause in causes
        if "advisory" in cause.data
    }
    return {
        "kind": "feeds",
        "previous": number,
        "feed_revision": {"before": before.feed_revision, "after": after.feed_revision},
        "feeds": [{"feed": name, "before": were.get(name, 0), "after": feeds.get(name, 0)} for name in moved],
        "advisories": sorted(advisories),
        "vulnerabilities": [_said(change, causes) for change, causes in told.matches],
        "findings": [_said(change, causes) for change, causes in told.findings],
    }


def _said(change: differing.Change[Any], causes: Sequence[Cause]) -> dict[str, Json]:
    item = change.item
    about = (
        {"id": item.id, "package": item.package.name, "version": item.package.version}
        if isinstance(item, Match)
        else {"policy": item.policy_id, "rule": item.rule_id, "trigger_id": item.trigger_id}
    )
    return {"change": change.what, **about, "causes": [{"kind": each.kind, "detail": each.detail} for each in causes]}
