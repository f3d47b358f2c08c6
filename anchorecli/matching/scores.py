"""What is known of a CVE whoever matched it: scores by source, weaknesses, a severity and a text where none were given.

Records about CVEs (NVD's, CISA's) name them in the namespace ``cve``. The word of whoever matched goes first: a
severity is taken from here only where it has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from anchorecli.matching.merge import Draft, attributed
from anchorecli.model import Advisory, Candidate, Severity

SPACE = "cve"

Lookup = Callable[[Sequence[tuple[str, str]]], Iterable[Candidate]]
Details = Callable[[Sequence[int]], Mapping[int, Advisory]]
About = Mapping[str, tuple[tuple[Advisory, ...], tuple[str, ...]]]
"""CVE → the records about it, NVD's first, and its CWE ids."""


def about(drafts: Iterable[Draft], lookup: Lookup, details: Details) -> About:
    """What feeds know of the CVEs of drafts."""
    cves = sorted({draft.id for draft in drafts if draft.id.startswith("CVE-")})
    candidates = list(lookup([(SPACE, cve) for cve in cves])) if cves else []
    records = details([each.row for each in candidates]) if candidates else {}
    grouped: dict[str, list[Candidate]] = {}
    for each in candidates:
        grouped.setdefault(each.package, []).append(each)
    found = {}
    for cve, group in grouped.items():
        group.sort(key=lambda each: (each.feed != "nvd", each.feed))
        known = tuple(records[each.row] for each in group if each.row in records and not records[each.row].withdrawn)
        weaknesses = dict.fromkeys(cwe for each in group for cwe in each.versions.split("\n") if cwe)
        found[cve] = known, tuple(weaknesses)
    return found


def scored(draft: Draft, known: About) -> Draft:
    """A draft with what is known of its CVE."""
    records, weaknesses = known.get(draft.id, ((), ()))
    if not records and not weaknesses:
        return draft
    own = {(score.version, score.vector) for score in draft.cvss}
    more = [score for record in records for score in attributed(record) if (score.version, score.vector) not in own]
    severity = draft.severity
    if severity is Severity.UNKNOWN:
        severity = next((record.severity for record in records if record.severity), severity)
    return draft._replace(
        severity=severity,
        cvss=tuple(dict.fromkeys((*draft.cvss, *more))),
        summary=draft.summary or next((record.summary for record in records if record.summary), ""),
        cwes=weaknesses,
    )
