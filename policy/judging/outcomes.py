"""What became of the exceptions in force: which are used, and which have to be looked at again.

In this order, the first that fits:

* ``expired``: its end has come, so it lets nothing through.
* ``needless``: it lets nothing through since what it is about is gone: the package is there and is no longer affected,
  a better source settles it, or (``while_no_fix``) a fix is there.
* ``unused``: it lets nothing through in this image.
* ``expiring``: it is used, and ends within fourteen days.
* ``needless``: there is a fix now for everything it lets through.
* ``wide``: it lets through more than is looked at: it does not name the vulnerability, so that every future one of the
  same package passes unseen (unless bounded by ``while_no_fix``, ``base_only`` or ``layer``), or it names one that it
  lets through in packages of more than one origin; in other gates, a wildcard that does not name the finding.
* ``used``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from anchorecli.model import Allow, AllowOutcome
from anchorecli.policy.base import Evidence
from anchorecli.policy.judging.allowing import Covered, Entry
from anchorecli.policy.judging.gone import whether_gone
from anchorecli.policy.judging.subjects import Subject
from anchorecli.policy.times import days_between, utc

EXPIRING_DAYS = 14
_VULNERABILITIES = "vulnerabilities"
_NAMED = 3


def outcomes(entries: Iterable[Entry], evidence: Evidence, *, complete: bool) -> tuple[AllowOutcome, ...]:
    """One for every item in force for the image, in order. ``complete``: nothing was left unseen, so that what is not
    found is not there."""
    return tuple(_outcome(entry, evidence, complete=complete) for entry in entries)


def _outcome(entry: Entry, evidence: Evidence, *, complete: bool) -> AllowOutcome:
    let = [each for each in entry.covered if each.by == entry.name]
    if entry.expired:
        status, note = "expired", _expired(entry, evidence)
    elif not let:
        status, note = _idle(entry, evidence, complete=complete)
    else:
        status, note = _busy(entry, let, evidence)
    item = entry.item
    return AllowOutcome(
        entry.allowlist_id,
        item.id,
        status,
        covered=len(let),
        note=note,
        gate=item.gate,
        subject=describe(item),
        owner=item.owner,
        reason=item.reason or item.comment,
        ticket=item.ticket,
        created=item.created,
        expires=item.expires_on,
    )


def describe(item: Allow) -> str:
    """What an item is about, in one line: ``CVE-2099-0001 in openssl (base image only)``."""
    if item.vulnerability:
        text = item.vulnerability + (f" in {item.package}" if item.package else "")
        scope = []
    else:
        text = item.trigger_id
        scope = [f"package {item.package}"] * bool(item.package)
    scope += [f"{name} {value}" for name in ("path", "layer", "image") if (value := getattr(item, name))]
    scope = [item.purl] * bool(item.purl) + scope
    scope += ["base image only"] * item.base_only + ["while there is no fix"] * item.while_no_fix
    return f"{text} ({', '.join(scope)})" if scope else text


def _expired(entry: Entry, evidence: Evidence) -> str:
    if utc(evidence.now) is None:
        return "the time is not known, so nothing with an end is let through"
    back = sum(not each.by for each in entry.covered)
    if back:
        return f"{_findings(back)} that it let through {'weighs' if back == 1 else 'weigh'} again"
    return "nothing is left that it could let through"


def _idle(entry: Entry, evidence: Evidence, *, complete: bool) -> tuple[str, str]:
    """Status and note of an item that lets nothing through."""
    if entry.covered:
        other = entry.covered[0].by.partition("\n")[2]
        return "unused", f"what it means is let through by {other} before it"
    if entry.outside:
        return _out_of_scope(entry, evidence)
    gone, note = whether_gone(entry.item, evidence) if complete else (False, "")
    if gone:
        return "needless", note
    if not complete:
        note = "nothing in this image fits it; the evidence is incomplete, so it may still be needed"
    return "unused", note or "nothing in this image fits it"


def _out_of_scope(entry: Entry, evidence: Evidence) -> tuple[str, str]:
    item = entry.item
    subjects = [subject for about in entry.outside for subject in about]
    if item.while_no_fix and subjects and all(subject.fixed_in for subject in subjects):
        return "needless", f"there is a fix now: {_updates(subjects)}"
    if item.base_only and evidence.base is None:
        return "unused", "it holds for the base image alone, and which layers are the base image is not known"
    return "unused", f"{_findings(len(entry.outside))} would fit, but not within its scope"


def _busy(entry: Entry, let: Sequence[Covered], evidence: Evidence) -> tuple[str, str]:
    """Status and note of an item that is used; the note says all that is to be said, the status what comes first."""
    notes: list[tuple[str, str]] = []
    days = days_between(evidence.now, entry.item.expires_on) if entry.item.expires_on else None
    if days is not None and days <= EXPIRING_DAYS:
        notes.append(("expiring", f"ends in {_span(days)}"))
    subjects = [subject for each in let for subject in each.subjects]
    fixable = [each for each in let if each.subjects and all(subject.fixed_in for subject in each.subjects)]
    if len(fixable) == len(let):
        notes.append(("needless", f"there is a fix now: {_updates(subjects)}"))
    elif fixable:
        notes.append(
            ("used", f"{len(fixable):,} of {_findings(len(let))} {'has' if len(fixable) == 1 else 'have'} a fix")
        )
    wide = _wide(entry.item, let, subjects)
    if wide:
        notes.append(("wide", wide))
    status = next((status for status, _ in notes if status != "used"), "used")
    return status, "; ".join(note for _, note in notes)


def _wide(item: Allow, let: Sequence[Covered], subjects: Sequence[Subject]) -> str:
    """Why an item lets through more than somebody looked at; empty where it does not."""
    if item.while_no_fix or item.base_only or item.layer:
        return ""
    ids = list(dict.fromkeys(each.match_id or each.trigger_id for each in let))
    if item.gate != _VULNERABILITIES:
        open_ended = "*" in item.trigger_id or item.trigger_id.startswith("regexp:")
        if not open_ended or item.path or item.purl or item.package:
            return ""
        return f"any finding of gate {item.gate} that fits passes; name {_some([each.trigger_id for each in let])}"
    origins = list(dict.fromkeys(subject.names[-1] for subject in subjects if subject.names))
    if not _names_vulnerability(item):
        return f"every vulnerability to come passes as well; name {_some(ids)}"
    if len(origins) > 1:
        return f"lets it through in {_some(origins)}; give each an exception of its own"
    return ""


def _names_vulnerability(item: Allow) -> bool:
    named = item.vulnerability or item.trigger_id.partition("+")[0]
    return "*" not in named and not named.startswith("regexp:")


def _updates(subjects: Iterable[Subject]) -> str:
    fixes = {
        subject.names[0] if subject.names else subject.purl: (subject.fixed_in or ("",))[0] for subject in subjects
    }
    return _some([f"{name} {version}".strip() for name, version in sorted(fixes.items())])


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    return f"{shown} and {len(names) - _NAMED:,} more" if len(names) > _NAMED else shown


def _span(days: float) -> str:
    if days < 1:
        return "less than a day"
    return "1 day" if days < 2 else f"{int(days)} days"


def _findings(count: int) -> str:
    return "1 finding" if count == 1 else f"{count:,} findings"
