"""A new bundle on the images of the past: which verdicts would be others, and by which rules; nothing is stored.

Each image is judged by its own last bundle and by the new one on the same matches, so that a difference is the
bundle's and not that of feeds which know more since. Images are shared out among processes.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from anchorecli.errors import AnchoreError, UsageError
from anchorecli.matching import MatchResult
from anchorecli.model import Action, Finding, Problem, Verdict
from anchorecli.policy.bundle import parse_bundle
from anchorecli.policy.language.canonical import canonical
from anchorecli.policy.values import Bundle
from anchorecli.scan.decision import judged, matched_by
from anchorecli.scan.enrichment import enrich
from anchorecli.scan.kept import Kept, recall
from anchorecli.scan.past import given_then, inputs_of
from anchorecli.scan.values import Feeds, Matched
from anchorecli.store import Store, open_store
from anchorecli.values import replace


class Reason(NamedTuple):
    """A rule whose findings differ between the two bundles, and how many of them ask for what."""

    policy: str
    rule: str
    gate: str
    trigger: str
    before: dict[str, int]
    """Action → findings, by the old bundle."""
    after: dict[str, int]


class Outcome(NamedTuple):
    """What became of one image."""

    evaluation: int
    reference: str
    digest: str
    recorded: str
    """The status of its last evaluation."""
    before: str
    """The status by that evaluation's bundle, with the feeds asked for."""
    after: str
    """The status by the new bundle."""
    reasons: tuple[Reason, ...] = ()
    problem: str = ""
    """Why it could not be judged again; then there is no status."""

    @property
    def flips(self) -> bool:
        """Whether the new bundle changes the verdict."""
        return self.before != self.after


class Task(NamedTuple):
    """What every process needs to know; plain values, since they travel between processes."""

    store: str
    bundle: str
    path: str
    warnings: tuple[tuple[Any, ...], ...]
    now: str
    recorded: bool
    """Judge what was matched then, at its own time, rather than match by the feeds of now."""


def task_of(store: Path, bundle: Bundle, now: str, *, recorded: bool) -> Task:
    """The task of judging by a bundle."""
    warnings = tuple((one.stage, one.subject, one.message, one.hint, one.incomplete) for one in bundle.warnings)
    return Task(str(store), json.dumps(canonical(bundle)), bundle.path, warnings, now, recorded)


def backtest(
    task: Task, numbers: Sequence[int], jobs: int, tell: Callable[[int, int], None] = lambda _done, _total: None
) -> Iterator[Outcome]:
    """What becomes of the images of evaluations of those numbers, in their order. The caller has no store open."""
    jobs = max(1, min(jobs, len(numbers)))
    for done, outcome in enumerate(_outcomes(task, numbers, jobs), 1):
        tell(done, len(numbers))
        yield outcome


def _outcomes(task: Task, numbers: Sequence[int], jobs: int) -> Iterator[Outcome]:
    if jobs == 1:
        _begin(task)
        try:
            yield from map(_outcome, numbers)
        finally:
            _end()
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # What is loaded need not be loaded again where forking is safe, which takes that no store is open.
    context = get_context("fork" if sys.platform == "linux" else "spawn")
    # Not a Pool: that starts a worker again for ever where it cannot begin, and may not end when it is told to.
    with ProcessPoolExecutor(jobs, context, _begin_process, (task,)) as pool:
        yield from pool.map(_outcome, numbers, chunksize=_PIECE)


class _Work(NamedTuple):
    """What a process keeps between two images."""

    task: Task
    store: Store
    bundle: Bundle


_work: list[_Work] = []

_PIECE = 4
"""Images that a process takes at a time: few, since they differ much in size."""


def usual_jobs(images: int) -> int:
    """How many processes so many images are worth."""
    return max(1, min(os.cpu_count() or 1, images // _PIECE))


def _begin(task: Task) -> None:
    bundle = parse_bundle(task.bundle)._replace(path=task.path, warnings=tuple(Problem(*one) for one in task.warnings))
    _work.append(_Work(task, open_store(Path(task.store), readonly=True), bundle))


def _begin_process(task: Task) -> None:
    # Values come and go by the hundred thousand, hardly any in a cycle: the collector would take a tenth of the time.
    gc.set_threshold(500_000)
    _begin(task)


def _end() -> None:
    _work.pop().store.close()


def _outcome(number: int) -> Outcome:
    work = _work[-1]
    evaluation = work.store.evaluation(number)
    if evaluation is None:
        return Outcome(number, "", "", "", "", "", problem="it was removed meanwhile")
    known = (number, evaluation.reference, evaluation.digest, evaluation.status)
    try:
        before, after = _verdicts(work, recall(work.store, evaluation))
    except AnchoreError as exc:
        return Outcome(*known, before="", after="", problem=exc.message)
    status = before.status.value, after.status.value
    return Outcome(*known, *status, reasons=_reasons(before, after) if status[0] != status[1] else ())


def _verdicts(work: _Work, kept: Kept) -> tuple[Verdict, Verdict]:
    """By the bundle of the evaluation, and by the new one."""
    store, task = work.store, work.task
    inputs = inputs_of(store, kept)
    recorded = kept.report.verdict if task.recorded else None
    if recorded is not None:
        matched, occasion = _matched_then(store, kept), inputs.occasion
    else:
        matched, occasion = matched_by(inputs.analysis, store, Feeds()), replace(inputs.occasion, now=task.now)

    def verdict(bundle: Bundle) -> Verdict:
        decision = judged(inputs.analysis, bundle, occasion, given_then(store, kept, bundle), matched)
        if decision.report.verdict is None:
            raise UsageError(f"bundle {bundle.id} gives no verdict")
        return decision.report.verdict

    return recorded or verdict(inputs.bundle), verdict(work.bundle)


def _matched_then(store: Store, kept: Kept) -> Matched:
    """What the feeds said at the evaluation: as it was kept, not matched again."""
    report = kept.report
    covered = store.coverage(report.feed_revision)
    problems = tuple(each for each in report.problems if each.stage == "match")
    lookup = partial(store.lookup, revision=report.feed_revision)
    beside = enrich(lookup, covered, report.analysis, report.matches)
    return Matched(MatchResult(report.matches, problems), report.feeds, report.feed_revision, covered, beside)


def _reasons(before: Verdict, after: Verdict) -> tuple[Reason, ...]:
    """The rules whose findings are not the same, those that ask for most first."""
    old, new = _by_rule(before.findings), _by_rule(after.findings)
    found = [
        Reason(*key, before=dict(old[key]), after=dict(new[key]))
        for key in {*old, *new}
        if old.get(key) != new.get(key)
    ]
    return tuple(sorted(found, key=lambda each: (-_weight(each), each[:4])))


def _weight(reason: Reason) -> int:
    return max(Action[name.upper()] for name in (*reason.before, *reason.after, "go"))


def _by_rule(findings: Iterable[Finding]) -> defaultdict[tuple[str, str, str, str], Counter[str]]:
    found: defaultdict[tuple[str, str, str, str], Counter[str]] = defaultdict(Counter)
    for each in findings:
        found[each.policy_id, each.rule_id, each.gate, each.trigger][each.action.label] += 1
    return found
