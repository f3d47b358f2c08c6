"""``anchore policy backtest NEW.yaml``: which verdicts of the past a new bundle would change, and by which rules."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from anchorecli.cli.app import Start
from anchorecli.cli.columns import short
from anchorecli.cli.options import option
from anchorecli.cli.progress import progress
from anchorecli.errors import EXIT_INDETERMINATE, EXIT_PASS, EXIT_STOP, UsageError

if TYPE_CHECKING:
    from anchorecli.scan.backtest import Outcome, Reason

_SPAN = re.compile(r"([0-9]{1,6})([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 168}


@click.command()
@click.argument("file", metavar="NEW", type=click.Path(dir_okay=False))
@option("--since", metavar="SPAN", default="90d", show_default=True, help="Images evaluated since: 12h, 90d, 8w, all.")
@option("--jobs", type=click.IntRange(1), metavar="N", help="Processes [default: one for each processor].")
@option(
    "--as-recorded", is_flag=True, help="On the matches and at the time of the last evaluation, not by feeds of now."
)
@option("--fail-on-flip", is_flag=True, help="Exit with 1 where a verdict would change.")
@option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def backtest(start: Start, /, file: str, **flags: Any) -> int:
    """Judge every image of the past by the bundle NEW; nothing is stored.

    Of each reference its last evaluation is taken. The image is judged by that evaluation's own bundle and by NEW on
    the same matches, so a flip is the bundle's. Exit code 4 where an image could not be judged again.
    """
    from anchorecli.policy.bundle import load_bundle
    from anchorecli.scan.backtest import backtest, task_of, usual_jobs

    bundle = load_bundle(file)
    with start.app(readonly=True) as app:
        chosen = app.store.latest_evaluations(_since(flags["since"], app.now))
        task = task_of(app.store.path, bundle, app.now, recorded=flags["as_recorded"])
    # The store is closed from here on: each process opens it for itself.
    jobs = flags["jobs"] or usual_jobs(len(chosen))
    with progress(file, enabled=not start.quiet) as tell:
        outcomes = list(
            backtest(task, [each.id for each in chosen], jobs, lambda done, total: tell("images", done, total))
        )
    sys.stdout.write(_json(outcomes, bundle.digest) if flags["as_json"] else _text(outcomes, file))
    if any(each.problem for each in outcomes):
        return EXIT_INDETERMINATE
    return EXIT_STOP if flags["fail_on_flip"] and any(each.flips for each in outcomes) else EXIT_PASS


def _since(span: str, now: str) -> str:
    """The moment so long before now; empty for ``all``. Raises: UsageError."""
    from datetime import UTC, datetime, timedelta

    if span == "all":
        return ""
    found = _SPAN.fullmatch(span)
    if not found:
        raise UsageError(f"--since {span} is no span of time", hint="write 12h, 90d, 8w or all")
    moment = datetime.fromisoformat(now) - timedelta(hours=int(found[1]) * _HOURS[found[2]])
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _text(outcomes: Sequence[Outcome], file: str) -> str:
    from anchorecli.report import clean

    flips = [each for each in outcomes if each.flips]
    lines = []
    for each in flips:
        lines.append(f"{clean(each.reference)} {short(each.digest)}: {each.before} -> {each.after}")
        lines += [f"    {clean(_reason(reason))}" for reason in each.reasons]
    for each in outcomes:
        if each.problem:
            lines.append(f"{clean(each.reference)}: not judged: {clean(each.problem)}")
    counts = Counter(f"{each.before} -> {each.after}" for each in flips)
    summed = "; ".join(f"{count} {what}" for what, count in sorted(counts.items())) or "none"
    judged = sum(not each.problem for each in outcomes)
    lines.append(f"{clean(file)}: {judged} images, {len(flips)} verdicts would change: {summed}")
    return "".join(f"{line}\n" for line in lines)


def _reason(reason: Reason) -> str:
    def said(counts: dict[str, int]) -> str:
        return ", ".join(f"{count} {action}" for action, count in sorted(counts.items())) or "nothing"

    named = f"rule {reason.rule} of policy {reason.policy} ({reason.gate}.{reason.trigger})"
    return f"{named}: {said(reason.before)} -> {said(reason.after)}"


def _json(outcomes: Sequence[Outcome], digest: str) -> str:
    rows = [
        {**each._asdict(), "flips": each.flips, "reasons": [reason._asdict() for reason in each.reasons]}
        for each in outcomes
    ]
    flips = sum(each.flips for each in outcomes)
    document = {
        "schema_version": "1.0.0",
        "bundle_digest": digest,
        "images": len(rows),
        "flips": flips,
        "outcomes": rows,
    }
    return json.dumps(document, indent=2) + "\n"
