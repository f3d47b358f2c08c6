"""``anchore scan IMAGE --since``: what changed since an evaluation, and a verdict on what one cause brought."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from anchorecli.errors import EXIT_PASS, EXIT_STOP
from anchorecli.model import Action

if TYPE_CHECKING:
    from anchorecli.cli.app import App
    from anchorecli.scan.causes import Explained
    from anchorecli.scan.difference import Side
    from anchorecli.scan.values import Decision

CAUSES = ("image", "feed", "bundle", "exception", "time", "scanner")
"""Those of ``scan.difference``, which is not imported to show a help text."""


def side(app: App, name: str) -> Side:
    """The evaluation that a name means, or one of now. Raises: NotFoundError, StoreError."""
    from anchorecli.scan.difference import side_of
    from anchorecli.scan.past import find

    return side_of(app.store, find(app.store, name), app.bundle(), app.now)


def since_then(app: App, before: Side, decision: Decision, causes: Sequence[str]) -> int:
    """Tell the difference on standard error; with ``causes`` a failure counts only for what one of them brought.

    A verdict that rests on an image list, or on incomplete evidence, stays as it is.
    """
    from anchorecli.cli.output import exit_code
    from anchorecli.scan.causes import explain
    from anchorecli.scan.difference import difference, side_of_decision

    code = exit_code(decision.report)
    found = explain(app.store, difference(app.store, before, side_of_decision(app.store, decision)))
    if not app.quiet:
        _tell(found, f"evaluation {before.number}" if before.number else before.inputs.occasion.reference.name)
    verdict = decision.report.verdict
    if not causes or code != EXIT_STOP or verdict is None or verdict.reason != "policy_evaluation":
        return code
    stopping = [
        change.item
        for change, why in found.findings
        if change.after and change.after.action is Action.STOP and {cause.kind for cause in why} & set(causes)
    ]
    if stopping:
        app.note(f"{len(stopping)} of the findings that stop are caused by {' or '.join(causes)}")
        return EXIT_STOP
    stops = sum(finding.action is Action.STOP for finding in verdict.findings)
    app.note(f"{stops} findings would stop; none of them is caused by {' or '.join(causes)}: exit code 0")
    return EXIT_PASS


def _tell(found: Explained, name: str) -> None:
    told = [(change.what, why) for change, why in found.matches]
    told += [(change.what, why) for change, why in found.findings]
    counts = Counter((what, cause.kind) for what, why in told for cause in why)
    lines = [f"  {what:8} by {kind}: {count}" for (what, kind), count in sorted(counts.items())]
    head = f"since {name}: {len(found.matches)} vulnerabilities and {len(found.findings)} findings differ"
    sys.stderr.write("".join(f"{line}\n" for line in (f"anchore: {head}", *lines)))
