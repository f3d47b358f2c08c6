"""What is known of a match beside its advisory: how likely exploitation is, whether it is known, and the risk.

Units: the risk is 0 to 100. It is ``threat x severity x known``, at most 1, times 100:

* ``threat`` is 1 for what is in the catalog of known exploited vulnerabilities, else the EPSS score;
* ``severity`` is the mean of what the severity's name stands for (critical 0.9, high 0.75, medium and unknown 0.5, low
  0.3, negligible 0.05) and the mean of its CVSS base scores over 10; the name's alone where there are none;
* ``known`` is 1.05 for what is in the catalog, 1.1 where ransomware uses it, else 1.

Where neither of the two feeds says anything of it there is no risk score: a vulnerability of today is not harmless.
"""

from __future__ import annotations

from anchorecli.model import Enrichment, Epss, KnownExploited, Match, Severity

_WEIGHTS = {
    Severity.CRITICAL: 0.9,
    Severity.HIGH: 0.75,
    Severity.MEDIUM: 0.5,
    Severity.UNKNOWN: 0.5,
    Severity.LOW: 0.3,
    Severity.NEGLIGIBLE: 0.05,
}
_DIGITS = 3


def epss(match: Match, beside: Enrichment) -> Epss | None:
    """The worst score of the names a vulnerability goes by; None where no feed has one."""
    if not beside.epss:
        return None
    found = [each for name in (match.id, *match.aliases) if (each := beside.epss.get(name))]
    return max(found, default=None)


def exploited(match: Match, beside: Enrichment) -> KnownExploited | None:
    """The catalog's entry; None where it has none, or no feed of it is there."""
    if not beside.exploited:
        return None
    return next((each for name in (match.id, *match.aliases) if (each := beside.exploited.get(name))), None)


def risk(match: Match, beside: Enrichment) -> float | None:
    """The risk score; None where nothing is known of exploitation."""
    likely, known = epss(match, beside), exploited(match, beside)
    if likely is None and known is None:
        return None
    threat = likely.score if likely is not None and known is None else 1.0
    factor = 1.0 if known is None else 1.1 if known.ransomware else 1.05
    return round(max(0.0, min(1.0, threat * _severity(match) * factor)) * 100, _DIGITS)


def _severity(match: Match) -> float:
    name = _WEIGHTS[match.severity]
    scores = [each.score for each in match.cvss if each.score > 0]
    return (name + sum(scores) / len(scores) / 10) / 2 if scores else name
