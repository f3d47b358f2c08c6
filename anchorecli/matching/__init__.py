"""Packages x advisories -> matches. Pure: what feeds say comes from two functions the caller gives.

``lookup`` is asked once for every distinct (ecosystem, name); only what matched is asked of ``details``. Which
namespaces and names those are is told in ``anchorecli.matching.ecosystems``.

Nothing is silently clean: a version that cannot be read is an ``unknown`` match, a package that no feed covers a
Problem, and a match that a better source settles is kept with the reason in ``suppressed``.
"""

from __future__ import annotations

from collections.abc import Sequence

from anchorecli.matching.ecosystems import ecosystem_for, ecosystems_of, queries
from anchorecli.matching.values import VERSION, Details, Lookup, MatchResult
from anchorecli.model import Distro, Package


def match(
    packages: Sequence[Package],
    distro: Distro | None,
    lookup: Lookup,
    details: Details,
    covered: frozenset[str] = frozenset(),
) -> MatchResult:
    """Every vulnerability of every package, by what the feeds say.

    ``covered`` are the ecosystems that feeds have data for: packages of others are a Problem, and where it holds the
    distribution's, packages that the distribution's own packages brought are left to its feed.
    """
    # Here, since what was matched before by the same feeds is not matched again.
    from anchorecli.matching.matcher import match_all

    return match_all(packages, distro, lookup, details, covered)


__all__ = ["VERSION", "Details", "Lookup", "MatchResult", "ecosystem_for", "ecosystems_of", "match", "queries"]
