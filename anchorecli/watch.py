"""What changed since last time: a tag moved, a feed moved, a policy moved → re-evaluate → tell.

One round asks each watched tag for its digest (manifest and configuration only: nothing is pulled for a digest that is
known), reads the unseen layers of new images, and evaluates again what a new digest, a changed feed record or a changed
bundle touches. Each change of a tag's digest, vulnerabilities or verdict is one event; what did not change is silent.
The first look at a tag is its baseline and tells nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from anchorecli import __version__
from anchorecli.errors import AnchoreError, StoreError
from anchorecli.matching import ecosystems_of, queries
from anchorecli.matching.ecosystems import OS_TYPES, language_ecosystem
from anchorecli.model import (
    Analysis,
    Evaluation,
    Event,
    ImageRef,
    Json,
    Match,
    Problem,
    Report,
    WatchedTag,
)
from anchorecli.policy.values import Bundle
from anchorecli.scan.decision import decide
from anchorecli.scan.kept import keep, recall
from anchorecli.scan.values import Occasion
from anchorecli.store import Store
from anchorecli.values import dataclass, field, replace


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
    for tag in watch.store.watch_list():
        if not tag.active:
            continue
        done.tags += 1
        try:
            events, evaluated = look(tag, watch)
        except AnchoreError as exc:
            done.problems.append(Problem("source", tag.reference, exc.message, exc.hint))
            continue
        except OSError as exc:
            hint = "check the free space in TMPDIR and the limit of open files"
            done.problems.append(Problem("source", tag.reference, exc.strerror or str(exc), hint))
            continue
        done.changes += len(events)
        done.evaluated += evaluated
    return done


def look(tag: WatchedTag, watch: Watch) -> tuple[tuple[Event, ...], bool]:
    """Look at one tag and tell its changes: these, and whether it was evaluated."""
    reference = watch.parse(tag.reference)
    previous = watch.store.evaluation(tag.evaluation_id) if tag.evaluation_id else None
    analysis = watch.analyze(reference)
    checked = replace(tag, checked_at=watch.now)
    if previous and analysis.image.digest == tag.digest and not _touched(previous, analysis, watch):
        watch.store.watch_update(checked)
        return (), False
    occasion = Occasion(now=watch.now, reference=reference)
    decision = decide(analysis, watch.store, watch.bundle, occasion)
    number = keep(watch.store, decision)
    if not _still_ours(tag, watch.store):
        return (), True
    events = tuple(_events(tag, previous, decision.report, number, watch.store)) if previous else ()
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


def _touched(previous: Evaluation, analysis: Analysis, watch: Watch) -> bool:
    """Whether an unchanged image may get another answer than last time."""
    if previous.bundle_digest != watch.bundle.digest or previous.tool_version != __version__:
        return True
    # Feed age and expiry dates are part of a verdict: one of an earlier day is made again.
    if previous.created_at[:10] != watch.now[:10]:
        return True
    store, since = watch.store, previous.feed_revision
    if since == store.revision():
        return False
    # A feed that came or went changes what a verdict may rest on, also where none of its records is about the image.
    if store.coverage(since) != store.coverage():
        return True
    return not store.changed_packages(since).isdisjoint(asked(analysis))


def asked(analysis: Analysis) -> set[tuple[str, str]]:
    """Every (namespace, name) that matching asks the feeds about for an image."""
    namespaces = ecosystems_of(analysis.distro) if analysis.distro else ()
    pairs: set[tuple[str, str]] = set()
    for package in analysis.packages:
        for namespace in namespaces if package.type in OS_TYPES else (language_ecosystem(package),):
            pairs.update((query.ecosystem, query.name) for query in queries(package, namespace))
    return pairs


# ── events ──────────────────────────────────────────────────────────────────────────────────────────────────


def _events(tag: WatchedTag, previous: Evaluation, report: Report, evaluation_id: int, store: Store) -> Iterable[Event]:
    digest = report.analysis.image.digest
    common: dict[str, Json] = {"digest": digest, "previous_digest": tag.digest, "evaluation": evaluation_id}

    def event(kind: str, message: str, data: dict[str, Json]) -> Event:
        return Event(kind, tag.reference, report.created_at, message, common | data)

    if digest != tag.digest:
        yield event("tag_update", f"{tag.reference} is now {digest} (was {tag.digest})", {})
    if (change := _vulnerabilities(previous, report, store)) is not None:
        yield event("vuln_update", f"{tag.reference}: {change[0]}", change[1])
    verdict = report.verdict
    if verdict is not None and (verdict.status.value, verdict.action.label) != (previous.status, previous.action):
        message = f"{tag.reference}: {verdict.status.value} ({verdict.action.label}), was {previous.status}"
        now = {"status": verdict.status.value, "action": verdict.action.label, "reason": verdict.reason}
        yield event("policy_eval", message, now | {"previous_status": previous.status})


def _vulnerabilities(previous: Evaluation, report: Report, store: Store) -> tuple[str, dict[str, Json]] | None:
    """What came and went since the last evaluation, as a line and as data; None for no difference."""
    try:
        before = recall(store, previous).report.matches
    except StoreError:
        # Stored by another version of this program: the difference cannot be told, only the numbers.
        before = None
    if before is None:
        now = sum(not match.suppressed for match in report.matches)
        if now == previous.matches:
            return None
        return f"{now} vulnerabilities, was {previous.matches}", {"count": now, "previous_count": previous.matches}
    old, new = _by_key(before), _by_key(report.matches)
    added = [_row(new[key]) for key in sorted(new.keys() - old.keys())]
    removed = [_row(old[key]) for key in sorted(old.keys() - new.keys())]
    changed = [_row(new[key]) for key in sorted(new.keys() & old.keys()) if _answer(new[key]) != _answer(old[key])]
    if not (added or removed or changed):
        return None
    parts = ((added, "new"), (removed, "gone"), (changed, "changed"))
    line = ", ".join(f"{len(rows)} {word}" for rows, word in parts if rows)
    return f"vulnerabilities: {line}", {"added": added, "removed": removed, "changed": changed}


def _by_key(matches: Sequence[Match]) -> dict[tuple[str, str, str, str], Match]:
    # Without the version: an upgrade that does not fix a vulnerability is no change of it.
    return {(m.id, m.package.type, m.package.name, m.package.arch): m for m in matches if not m.suppressed}


def _answer(match: Match) -> tuple[str, str, str, tuple[str, ...]]:
    return match.verdict.value, match.severity.label, match.fix_state.value, match.fixed_in


def _row(match: Match) -> dict[str, Json]:
    return {
        "id": match.id,
        "severity": match.severity.label,
        "package": match.package.name,
        "version": match.package.version,
        "purl": match.package.purl,
        "fix_state": match.fix_state.value,
        "fixed_in": list(match.fixed_in),
    }
