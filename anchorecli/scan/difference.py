"""What differs between two evaluations, and which input made each difference.

Causes are found out, not guessed: an input is a cause of a difference where the difference goes away when that input
alone is put back. So each evaluation is decided again with one input of the other (the image, the feeds, the rules,
the exceptions, the time) in turn. Several inputs may be needed for one difference: a package that came with the image
and an advisory that came with the feeds. What changes though the inputs are the same is the scanner's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from anchorecli.model import Finding, Match, Report
from anchorecli.policy.values import Bundle
from anchorecli.scan.decision import judged, matched_by
from anchorecli.scan.evidence import gather
from anchorecli.scan.past import Inputs, Subject, decide_again, inputs_of
from anchorecli.scan.values import Decision, Feeds, Given, Matched, Occasion
from anchorecli.store import Store
from anchorecli.values import dataclass, replace

IMAGE, FEED, BUNDLE, EXCEPTION, TIME, SCANNER = "image", "feed", "bundle", "exception", "time", "scanner"
INPUTS = (IMAGE, FEED, BUNDLE, EXCEPTION, TIME)
"""What an evaluation rests on, in the order in which what cannot be told apart is attributed."""
CAUSES = (*INPUTS, SCANNER)

Item = TypeVar("Item", Match, Finding)
Key = tuple[str, ...]
State = tuple[object, ...]
States = Mapping[Key, State]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two evaluations: what it said, and what it rests on."""

    report: Report
    inputs: Inputs
    number: int = 0
    """That of the stored evaluation, 0 for one made just now."""


class Change(NamedTuple, Generic[Item]):
    """One difference. ``what`` is added, gone or changed."""

    what: str
    key: Key
    causes: tuple[str, ...]
    before: Item | None
    after: Item | None

    @property
    def item(self) -> Item:
        """What it is about, as it is now if it is."""
        item = self.before if self.after is None else self.after
        if item is None:
            raise ValueError("a change of nothing")
        return item


class Difference(NamedTuple):
    """All differences of two evaluations, in a fixed order."""

    before: Side
    after: Side
    inputs: tuple[str, ...]
    """The inputs that are not the same."""
    matches: tuple[Change[Match], ...]
    findings: tuple[Change[Finding], ...]


def side_of(store: Store, subject: Subject, bundle: Bundle, now: str) -> Side:
    """The last evaluation of what was found, or one of now where it was never evaluated.

    Raises: StoreError where what it rests on was not kept, or is not kept any more.
    """
    kept = subject.kept
    if kept is not None:
        store.check_revision(kept.report.feed_revision)
        return Side(kept.report, inputs_of(store, kept), kept.evaluation.id)
    occasion = Occasion(now, subject.reference, store_it=False)
    with store.snapshot():
        revision = store.revision()
        feeds = Feeds(revision, store.feed_states())
        inputs = Inputs(subject.analysis, bundle, occasion, feeds, gather(store, subject.analysis, bundle, occasion))
        return Side(decide_again(store, inputs).report, inputs)


def side_of_decision(store: Store, decision: Decision) -> Side:
    """An evaluation made just now."""
    report, evidence = decision.report, decision.evidence
    known = {revision.feed for revision in store.revisions()}
    feeds = Feeds(report.feed_revision, tuple(state for state in report.feeds if state.name in known))
    given = Given(evidence.tree, evidence.base, evidence.previous)
    occasion = replace(decision.occasion, dockerfile=evidence.dockerfile)
    return Side(report, Inputs(report.analysis, decision.bundle, occasion, feeds, given))


def difference(store: Store, before: Side, after: Side) -> Difference:
    """What came, went and changed from one to the other, each with its causes."""
    crossing = _Crossing(store, before, after)
    return Difference(
        before=before,
        after=after,
        inputs=tuple(crossing.named(crossing.differing)),
        matches=_changes(crossing, match_states, _by_key(_matches(before.report)), _by_key(_matches(after.report))),
        findings=_changes(
            crossing, finding_states, _by_key(_findings(before.report)), _by_key(_findings(after.report))
        ),
    )


def match_key(match: Match) -> Key:
    """A vulnerability in a package, whatever its version and however often it is there."""
    return match.id, match.package.type, match.package.name, match.package.arch


def finding_key(finding: Finding) -> Key:
    """One firing of one rule."""
    return finding.policy_id, finding.rule_id, finding.gate, finding.trigger, finding.trigger_id


def match_states(report: Report) -> States:
    """What is said of each vulnerability in each package; what a better source settles counts for nothing."""
    found: dict[Key, set[tuple[object, ...]]] = {}
    for key, match in _matches(report):
        said = (match.package.version, match.verdict.value, int(match.severity), match.fix_state.value, match.fixed_in)
        found.setdefault(key, set()).add(said)
    return {key: tuple(sorted(said, key=repr)) for key, said in found.items()}


def finding_states(report: Report) -> States:
    """What became of each firing."""
    return {key: (int(each.action), each.allowed_by, each.message) for key, each in _findings(report)}


def _matches(report: Report) -> Iterator[tuple[Key, Match]]:
    return ((match_key(each), each) for each in report.matches if not each.suppressed)


def _findings(report: Report) -> Iterator[tuple[Key, Finding]]:
    return ((finding_key(each), each) for each in report.verdict.findings) if report.verdict else iter(())


def _by_key(items: Iterable[tuple[Key, Item]]) -> dict[Key, Item]:
    found: dict[Key, Item] = {}
    for key, item in items:
        found.setdefault(key, item)
    return found


def _changes(
    crossing: _Crossing,
    states: Callable[[Report], States],
    before: Mapping[Key, Item],
    after: Mapping[Key, Item],
) -> tuple[Change[Item], ...]:
    old: States = states(crossing.before.report)
    new: States = states(crossing.after.report)
    changes = []
    for key in sorted({*old, *new}):
        if old.get(key) == new.get(key):
            continue
        what = "added" if key not in old else "gone" if key not in new else "changed"
        changes.append(Change(what, key, crossing.causes(states, key), before.get(key), after.get(key)))
    return tuple(changes)


class _Crossing:
    """The two evaluations decided again, with inputs of one put into the other; each made once."""

    def __init__(self, store: Store, before: Side, after: Side) -> None:
        self.before = before
        self.after = after
        self._store = store
        self._sides = (before.inputs, after.inputs)
        self.differing = tuple(name for name in INPUTS if _is_other(name, *self._sides))
        self._read_otherwise = read_otherwise(*self._sides)
        self._matched: dict[tuple[int, int], Matched] = {}
        self._states: dict[tuple[str, frozenset[str]], States] = {}

    def causes(self, states: Callable[[Report], States], key: Key) -> tuple[str, ...]:
        """The inputs without which the difference would not be."""
        everything = frozenset(self.differing)
        # States with the inputs of the later evaluation named, all others being those of the earlier one.
        first, last = self._at(states, frozenset()).get(key), self._at(states, everything).get(key)
        recorded = states(self.before.report).get(key), states(self.after.report).get(key)
        found = self.named(self._necessary(states, key, first, last) if first != last else [])
        return tuple(dict.fromkeys((*found, SCANNER))) if (first, last) != recorded else tuple(found)

    def named(self, inputs: Iterable[str]) -> list[str]:
        """Inputs by the names of their causes: an equal image that was read by other analyzers is the scanner's."""
        return [SCANNER if name == IMAGE and self._read_otherwise else name for name in inputs]

    def _necessary(
        self, states: Callable[[Report], States], key: Key, first: State | None, last: State | None
    ) -> list[str]:
        everything = frozenset(self.differing)
        if last is None:  # what went would have stayed but for ...
            found = [name for name in self.differing if self._at(states, frozenset({name})).get(key) is None]
        else:  # what came or changed would not have but for ...
            without = {name: self._at(states, everything - {name}).get(key) for name in self.differing}
            found = [name for name in self.differing if without[name] == first]
            found = found or [name for name in self.differing if without[name] != last]
        return found or self._one_by_one(states, key, last)

    def _one_by_one(self, states: Callable[[Report], States], key: Key, last: State | None) -> list[str]:
        """Where any of several inputs would have done: the first one that does."""
        taken: frozenset[str] = frozenset()
        for name in self.differing:
            taken |= {name}
            if self._at(states, taken).get(key) == last:
                return [name]
        return list(self.differing)

    def _at(self, states: Callable[[Report], States], later: frozenset[str]) -> States:
        name = (states.__name__, later)
        if name not in self._states:
            self._states[name] = states(self._decided(later))
        return self._states[name]

    def _decided(self, later: frozenset[str]) -> Report:
        """The report by the later evaluation's inputs of those names and the earlier one's others."""
        of = {name: self._sides[name in later] for name in INPUTS}
        image = of[IMAGE]
        occasion = replace(image.occasion, now=of[TIME].occasion.now, vex=of[EXCEPTION].occasion.vex)
        mixed = _with_exceptions(of[BUNDLE].bundle, of[EXCEPTION].bundle)
        matched = self._by_feeds(IMAGE in later, FEED in later)
        return judged(image.analysis, mixed, occasion, image.given, matched).report

    def _by_feeds(self, image: bool, feed: bool) -> Matched:
        if (image, feed) not in self._matched:
            self._matched[image, feed] = matched_by(self._sides[image].analysis, self._store, self._sides[feed].feeds)
        return self._matched[image, feed]


def read_otherwise(a: Inputs, b: Inputs) -> dict[str, tuple[int, int]]:
    """The analyzers that read an equal image in another version each time; empty where the image or what was given with
    it differs too."""
    if a.analysis.image.digest != b.analysis.image.digest or _given(a) != _given(b):
        return {}
    mine, theirs = a.analysis.analyzers, b.analysis.analyzers
    return {name: (mine[name], theirs[name]) for name in mine if name in theirs and mine[name] != theirs[name]}


def _given(each: Inputs) -> tuple[Any, ...]:
    return replace(each.occasion, now="", store_it=False, vex=()), each.given.base, each.given.previous


def _is_other(name: str, a: Inputs, b: Inputs) -> bool:
    if name == IMAGE:
        same = a.analysis.image.digest == b.analysis.image.digest and a.analysis == b.analysis
        return not same or a.analysis.packages != b.analysis.packages or _given(a) != _given(b)
    if name == FEED:
        return a.feeds != b.feeds
    if name == BUNDLE:
        return _without_exceptions(a.bundle) != _without_exceptions(b.bundle)
    if name == EXCEPTION:
        # A VEX document lets through as an exception does.
        return _exceptions(a.bundle) != _exceptions(b.bundle) or a.occasion.vex != b.occasion.vex
    return a.occasion.now != b.occasion.now


def _without_exceptions(bundle: Bundle) -> Bundle:
    """What a bundle's rules mean: no lines, no exceptions, nothing of the file."""
    policies = tuple(
        each._replace(line=0, rules=tuple(replace(rule, line=0) for rule in each.rules)) for each in bundle.policies
    )
    mappings = tuple(each._replace(image=each.image._replace(line=0), allowlist_ids=()) for each in bundle.mappings)
    lists = {
        name: tuple(each._replace(line=0) for each in getattr(bundle, name))
        for name in ("allowed_images", "denied_images")
    }
    plain = bundle._replace(policies=policies, mappings=mappings, allowlists=(), digest="", path="", warnings=())
    signers = tuple(each._replace(line=0, comment="") for each in bundle.trust.signers)
    plain = plain._replace(trust=bundle.trust._replace(signers=signers))
    return plain._replace(**lists)  # type: ignore[arg-type]


def _exceptions(bundle: Bundle) -> object:
    items = [(each.id, tuple(replace(item, line=0) for item in each.items)) for each in bundle.allowlists]
    return items, [each.allowlist_ids for each in bundle.mappings]


def _with_exceptions(bundle: Bundle, other: Bundle) -> Bundle:
    """A bundle's rules with another one's allowlists, for the images that the other's mappings give them to."""
    if bundle is other:
        return bundle
    by_id = {each.image.id: each.allowlist_ids for each in other.mappings}
    everything = tuple(each.id for each in other.allowlists)
    mappings = tuple(each._replace(allowlist_ids=by_id.get(each.image.id, everything)) for each in bundle.mappings)
    return bundle._replace(allowlists=other.allowlists, mappings=mappings)
