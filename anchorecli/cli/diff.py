"""``anchore diff A B``: what changed between two evaluations, and what caused it."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

from anchorecli.cli.app import Start
from anchorecli.cli.columns import short
from anchorecli.cli.options import option, policy_options
from anchorecli.model import Finding, Match

if TYPE_CHECKING:
    from anchorecli.scan.causes import Cause, Explained
    from anchorecli.scan.difference import Change, Difference, Side

_SIGNS = {"added": "+", "gone": "-", "changed": "~"}


@click.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@option("-o", "--output", "form", type=click.Choice(["table", "json"]), default="table", help="How to print.")
@policy_options
@click.pass_obj
def diff(start: Start, /, before: str, after: str, form: str, **flags: Any) -> None:
    """What changed from A to B, each vulnerability and finding with its cause.

    A and B are images, tags, digests or numbers of evaluations; of an image its last evaluation is meant. A cause is
    the image, the feeds, the bundle's rules, an exception, the time or the scanner: whichever input, put back alone,
    makes the difference go away. --policy and --fail-on judge images that were never evaluated.

    \b
    anchore diff app:1.4 app:1.5
    anchore diff 17 23 -o json
    """
    from anchorecli.cli.since import side
    from anchorecli.scan.causes import explain
    from anchorecli.scan.difference import difference

    with start.app(flags, readonly=True) as app:
        found = difference(app.store, side(app, before), side(app, after))
        causes = explain(app.store, found)
        sys.stdout.write(_json(found, causes) if form == "json" else text(found, causes))


def text(found: Difference, causes: Explained) -> str:
    """The difference for people: a line for each change, its causes below."""
    from anchorecli.report import clean

    lines = [_title("A", found.before), _title("B", found.after)]
    lines.append(f"changed inputs: {', '.join(found.inputs) or 'none'}")
    matches = [(change.what, _match_line(change), why) for change, why in causes.matches]
    findings = [(change.what, _finding_line(change), why) for change, why in causes.findings]
    for title, changes in (("vulnerabilities", matches), ("findings", findings)):
        counts = Counter(what for what, _, _ in changes)
        summed = ", ".join(f"{counts[what]} {what}" for what in _SIGNS if counts[what])
        lines += ["", f"{title}: {summed or 'no difference'}"]
        for what, line, why in changes:
            lines.append(f"{_SIGNS[what]} {clean(line)}")
            lines += [f"    {cause.kind}: {clean(cause.detail)}" for cause in why]
    return "".join(f"{line}\n" for line in lines)


def _title(name: str, side: Side) -> str:
    report, verdict = side.report, side.report.verdict
    which = f"evaluation {side.number}" if side.number else "evaluated now"
    parts = (
        which,
        side.inputs.occasion.reference.name,
        short(report.analysis.image.digest),
        report.created_at,
        f"feeds {report.feed_revision}",
        f"bundle {report.bundle_id} {short(report.bundle_digest)}",
        verdict.status.value if verdict else "",
    )
    return f"{name}  {'  '.join(parts)}"


def _match_line(change: Change[Match]) -> str:
    def said(match: Match) -> str:
        return f"{match.severity.label}  {match.package.name} {match.package.version}  {_fix(match)}"

    was = f"  (was: {said(change.before)})" if change.before and change.after else ""
    return f"{change.item.id}  {said(change.item)}{was}"


def _finding_line(change: Change[Finding]) -> str:
    def said(finding: Finding) -> str:
        return finding.action.label + (f", allowed by {finding.allowed_by}" if finding.allowed_by else "")

    was = f"  (was: {said(change.before)})" if change.before and change.after else ""
    return f"{said(change.item)}  {change.item.gate}.{change.item.trigger}  {change.item.message}{was}"


def _fix(match: Match) -> str:
    return f"fixed in {', '.join(match.fixed_in)}" if match.fixed_in else match.fix_state.value


def _json(found: Difference, causes: Explained) -> str:
    from anchorecli.scan.causes import package_changes

    kinds = Counter(cause.kind for _, why in (*causes.matches, *causes.findings) for cause in why)
    document = {
        "schema_version": "1.0.0",
        "before": _side(found.before),
        "after": _side(found.after),
        "inputs": list(found.inputs),
        "packages": package_changes(found.before.inputs.analysis.packages, found.after.inputs.analysis.packages),
        "causes": dict(sorted(kinds.items())),
        "matches": [_row(change, why, _match_row) for change, why in causes.matches],
        "findings": [_row(change, why, _finding_row) for change, why in causes.findings],
    }
    return json.dumps(document, indent=2) + "\n"


def _side(side: Side) -> dict[str, Any]:
    report, verdict = side.report, side.report.verdict
    return {
        "evaluation": side.number or None,
        "reference": side.inputs.occasion.reference.name,
        "image_digest": report.analysis.image.digest,
        "created_at": report.created_at,
        "feed_revision": report.feed_revision,
        "bundle_id": report.bundle_id,
        "bundle_digest": report.bundle_digest,
        "tool_version": report.tool_version,
        "status": verdict.status.value if verdict else "",
        "action": verdict.action.label if verdict else "",
    }


def _row(change: Change[Any], causes: Iterable[Cause], row: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    return {
        "change": change.what,
        "before": change.before and row(change.before),
        "after": change.after and row(change.after),
        "causes": [{"kind": cause.kind, "detail": cause.detail, **cause.data} for cause in causes],
    }


def _match_row(match: Match) -> dict[str, Any]:
    return {
        "id": match.id,
        "package": match.package.name,
        "version": match.package.version,
        "type": match.package.type,
        "purl": match.package.purl,
        "severity": match.severity.label,
        "verdict": match.verdict.value,
        "fix_state": match.fix_state.value,
        "fixed_in": list(match.fixed_in),
    }


def _finding_row(finding: Finding) -> dict[str, Any]:
    return {
        "gate": finding.gate,
        "trigger": finding.trigger,
        "trigger_id": finding.trigger_id,
        "action": finding.action.label,
        "message": finding.message,
        "rule_id": finding.rule_id,
        "policy_id": finding.policy_id,
        "allowed_by": finding.allowed_by,
    }
