"""What is known of a vulnerability beside its advisory: how likely it is exploited (EPSS), and whether it is (KEV).

Both are keyed by CVE, so the aliases of a finding are asked for as well.
"""

from __future__ import annotations

from anchorecli.model import Epss, KnownExploited, Match
from anchorecli.policy.base import Evidence

NO_EPSS = "Run `anchore feeds sync epss`."
"""The next step where EPSS data is missing."""
NO_KEV = "Run `anchore feeds sync kev`."
"""The next step where the list of known exploited vulnerabilities is missing."""
UNSCORED = Epss(-1.0, -1.0)
"""What a vulnerability without a score counts as, as with CVSS."""


def identities(match: Match) -> tuple[str, ...]:
    """Every id of a finding's vulnerability, once each: its own, its advisory's, its aliases."""
    return tuple(dict.fromkeys(name for name in (match.id, match.advisory, *match.aliases) if name))


def epss(evidence: Evidence, match: Match) -> Epss | None:
    """The highest score and percentile among the ids; ``UNSCORED`` where none has one, None without the feed."""
    scores = evidence.enrichment.epss
    if scores is None:
        return None
    return max((scores[name] for name in identities(match) if name in scores), default=UNSCORED)


def exploited(evidence: Evidence, match: Match) -> KnownExploited | None:
    """The entry of CISA's list for one of the ids: the one due first; None where there is none, or no feed."""
    listed = evidence.enrichment.exploited or {}
    entries = [listed[name] for name in identities(match) if name in listed]
    return min(entries, key=lambda entry: entry.due or "9999", default=None)
