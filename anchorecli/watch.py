"""What changed since last time: a tag moved, a feed moved, a policy moved → re-evaluate → tell.

One round asks each watched tag for its digest (manifest and configuration only: nothing is pulled for a digest that is
known), reads the unseen layers of new images, and evaluates again what is touched by a new digest, a changed feed
record, a changed bundle or, where that looks at it, another signature or document beside the image. Each change of a
tag's digest, vulnerabilities or verdict is one event; what did not change is silent. The first look at a tag is its
baseline and tells nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence

from anchorecli import __version__
from anchorecli.errors import AnchoreError
from anchorecli.model import Analysis, Attached, Evaluation, Event, ImageRef, Problem, WatchedTag
from anchorecli.policy.values import Bundle
from anchorecli.scan.asked import index, index_missing
from anchorecli.scan.decision import decide
from anchorecli.scan.enrichment import EPSS, KEV
from anchorecli.scan.events import events_of, matches_of
from anchorecli.scan.kept import attached_then, keep
from anchorecli.scan.needed import BESIDE, looked_at
from anchorecli.scan.values import Occasion
from anchorecli.store import Store
from anchorecli.values import dataclass, field, replace
from anchorecli.vex.values import VexDocument


@dataclass(frozen=True, slots=True)
class Watch:
    """What a round works with. ``now`` is RFC 3339 UTC.

    ``analyze`` gives the analysis of what a reference stands for now; for a known digest that reads the store and
    nothing else. ``tell`` is given the changes of one tag as soon as they are found.
    """

    store: Store
    bundle: Bundle
    parse: Callable[[str], ImageRef]
    analyze: Callable[[ImageRef], Analysis]
    tell: Callable[[Sequence[Event]], None]
    now: str
    vex: tuple[VexDocument, ...] = ()
    attached: Callable[[Analysis], Attached | None] = lambda _analysis: None
    """What hangs on an image, where the bundle asks for it: from its registry."""
    hangs_otherwise: Callable[[Analysis, Attached], bool] = lambda _analysis, _known: False
    """Whether anything that hangs on an image came or went since that was found."""


@dataclass(slots=True)
class Round:
    """What one round did: tags that could not be looked at, and counts."""

    problems: list[Problem] = field(default_factory=list)
    tags: int = 0
    evaluated: int = 0
    changes: int = 0


def run_round(watch: Watch) -> Round:
    """Look at every active tag once. A tag that fails is a problem of the round and does not stop the others."""
    done = Round()
    tags = [tag for tag in watch.store.watch_list() if tag.active]
    touched = _touched_by_feeds(tags, watch)
    for tag in tags:
        done.tags += 1
        try:
            events, evaluated = look(tag, watch, touched)
        except AnchoreError as exc:
            message = exc.message.removeprefix(f"{tag.reference}: ")
            done.problems.append(Problem("source", tag.reference, message, exc.hint))
            continue
        except OSError as exc:
            hint = "check the free space in TMPDIR and the limit of open files"
            done.problems.append(Problem("source", tag.reference, exc.strerror or str(exc), hint))
            continue
        done.changes += len(events)
        done.evaluated += evaluated
    return done


def look(tag: WatchedTag, watch: Watch, touched: Container[int]) -> tuple[tuple[Event, ...], bool]:
    """Look at one tag and tell its changes: these, and whether it was evaluated.

    ``touched`` are the evaluations that changes of the feeds since can touch.
    """
    reference = watch.parse(tag.reference)
    previous = watch.store.evaluation(tag.evaluation_id) if tag.evaluation_id else None
    analysis = watch.analyze(reference)
    checked = replace(tag, checked_at=watch.now)
    same = previous and analysis.image.digest == tag.digest and not _to_make_again(previous, watch, touched)
    if previous and same and not _hangs_otherwise(previous, analysis, watch):
        watch.store.watch_update(checked)
        return (), False
    occasion = Occasion(watch.now, reference, vex=watch.vex, attached=watch.attached(analysis))
    decision = decide(analysis, watch.store, watch.bundle, occasion)
    number = keep(watch.store, decision)
    if not _still_ours(tag, watch.store):
        return (), True
    events: tuple[Event, ...] = ()
    if previous:
        before = matches_of(watch.store, previous)
        events = tuple(events_of(tag.reference, previous, before, decision.report, number))
    # Told before it counts as seen: whoever is killed between the two tells it again, rather than never.
    if events:
        watch.tell(events)
    image = analysis.image
    watch.store.watch_update(replace(checked, digest=image.digest, image_id=image.image_id, evaluation_id=number))
    return events, True


def _still_ours(tag: WatchedTag, store: Store) -> bool:
    """Whether nobody took the tag off the watch, or told its change, while we pulled and read."""
    now = next((each for each in store.watch_list() if each.reference == tag.reference), None)
    return now is not None and now.active and now.evaluation_id == tag.evaluation_id


def _touched_by_feeds(tags: Sequence[WatchedTag], watch: Watch) -> frozenset[int]:
    """The tags' last evaluations, of those that changes of the feeds since can touch."""
    seen = [tag.evaluation_id for tag in tags if tag.evaluation_id]
    wanted = looked_at(watch.bundle)
    index_missing(watch.store, seen, by_cve=not wanted.isdisjoint((EPSS, KEV)))
    touched = index(watch.store).touched_among(seen, BESIDE - wanted)
    return frozenset(each.evaluation for each in touched)


def _hangs_otherwise(previous: Evaluation, analysis: Analysis, watch: Watch) -> bool:
    """Whether a signature or a document was attached to an unchanged image, or taken away."""
    known = attached_then(watch.store, previous)
    return known is not None and watch.hangs_otherwise(analysis, known)


def _to_make_again(previous: Evaluation, watch: Watch, touched: Container[int]) -> bool:
    """Whether an unchanged image may get another answer than last time."""
    if previous.bundle_digest != watch.bundle.digest or previous.tool_version != __version__:
        return True
    # Feed age and expiry dates are part of a verdict: one of an earlier day is made again.
    return previous.created_at[:10] != watch.now[:10] or previous.id in touched
