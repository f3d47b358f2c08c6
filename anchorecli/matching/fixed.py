"""Since when a fix is there, where that can be told: a vendor's notice is published with it, or a feed was watched."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from anchorecli.model import Advisory, Candidate, FixDating

UNKNOWN = ("", FixDating.UNKNOWN)

_NOTICES = re.compile(
    r"(?:DSA|DLA|DTSA|ELSA|ELBA|RH[SBE]A|AL[SBE]A|RL[SBE]A|CESA|ALAS\w*|(?:open)?SUSE-[SRF]U|USN|LSN|FEDORA|ASA|PHSA)-"
)
"""Ids of what distributors publish when they release an update; their records of a CVE are there before any fix."""


def fixed_since(fixed_in: Sequence[str], sources: Iterable[tuple[Advisory, Candidate]]) -> tuple[str, FixDating]:
    """The earliest moment (RFC 3339 UTC or a date) any of the versions can have been there, and how it is known.

    An empty text where nobody can tell.
    """
    known = []
    for advisory, candidate in sources:
        if advisory.published and _NOTICES.match(advisory.id):
            stated = (version for version in fixed_in if f"\t{version}\t" in candidate.ranges)
            known += [(advisory.published, FixDating.NOTICE) for _ in stated]
        known += [
            (each.since, FixDating.WATCHED)
            for each in advisory.fixes_since
            if each.version in fixed_in and (each.package, each.ecosystem) == (candidate.package, candidate.ecosystem)
        ]
    return min(known, default=UNKNOWN)
