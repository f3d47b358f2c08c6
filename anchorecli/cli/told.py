"""What came of a sync or an import, in a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from anchorecli.feeds.sync import SyncOutcome


def told(outcome: SyncOutcome) -> str:
    """One feed's outcome as a line."""
    state, result = outcome.state, outcome.result
    if result is None or not result.touched:
        text = f"{state.name}: unchanged, {state.records:,} records"
    else:
        text = (
            f"{state.name}: {state.records:,} records (revision {result.revision}):"
            f" {result.added:,} new, {result.changed:,} changed, {result.removed:,} gone"
        )
    if outcome.problem_count:
        first = outcome.problems[0]
        text += f"; {outcome.problem_count:,} could not be read, first {first.subject}: {first.message}"
    return text
