"""The changes between two evaluations of one reference as events: its digest, its vulnerabilities, its verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from anchorecli.errors import StoreError
from anchorecli.model import Evaluation, Event, Json, Match, MatchVerdict, Report
from anchorecli.scan.kept import recall
from anchorecli.store import Store


def events_of(
    name: str, previous: Evaluation, before: Sequence[Match] | None, report: Report, number: int
) -> Iterator[Event]:
    """What changed for the image that is called ``name``, from its previous evaluation to evaluation ``number``.

    ``before`` are the matches of the previous one, None where they cannot be read.
    """
    digest = report.analysis.image.digest
    common: dict[str, Json] = {"digest": digest, "previous_digest": previous.digest, "evaluation": number}

    def event(kind: str, message: str, data: dict[str, Json]) -> Event:
        return Event(kind, name, report.created_at, message, common | data)

    if digest != previous.digest:
        yield event("tag_update", f"{name} is now {digest} (was {previous.digest})", {})
    if (change := _vulnerabilities(previous, before, report)) is not None:
        yield event("vuln_update", f"{name}: {change[0]}", change[1])
    verdict = report.verdict
    if verdict is not None and (verdict.status.value, verdict.action.label) != (previous.status, previous.action):
        message = f"{name}: {verdict.status.value} ({verdict.action.label}), was {previous.status}"
        now = {"status": verdict.status.value, "action": verdict.action.label, "reason": verdict.reason}
        yield event("policy_eval", message, now | {"previous_status": previous.status})


def matches_of(store: Store, evaluation: Evaluation) -> tuple[Match, ...] | None:
    """The matches of an evaluation; None where another version of this program kept it in another form."""
    try:
        return recall(store, evaluation).report.matches
    except StoreError:
        return None


def vulnerability_count(matches: Sequence[Match]) -> int:
    """How many vulnerabilities matches are about, as a report's heading counts: one of several packages is one."""
    return len({match.id for match in matches if not match.suppressed and match.verdict is not MatchVerdict.UNKNOWN})


def _vulnerabilities(
    previous: Evaluation, before: Sequence[Match] | None, report: Report
) -> tuple[str, dict[str, Json]] | None:
    """What came and went since the last evaluation, as a line and as data; None for no difference."""
    if before is None:  # only the numbers can be told
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
