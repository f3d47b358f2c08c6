"""What is known beside advisories: known exploitation, likelihood of exploitation, ends of support.

Each fact travels as an advisory that makes one statement about one name in a namespace of its own (``kev``, ``epss``,
``end-of-life``), the fact itself in ``versions``: so it is synced, revisioned, exported and looked up like any other.
"""

from __future__ import annotations

from anchorecli.model import Advisory, Affected, Statement


def note(
    feed: str, space: str, name: str, *values: str, modified: str = "", url: str = "", summary: str = ""
) -> Advisory:
    """A fact about a name: ``values`` are words without line breaks, read back in this order."""
    statement = Affected(space, name, "", Statement.UNDER_INVESTIGATION, versions=values)
    return Advisory(name, feed, summary=summary, url=url, modified=modified, affected=(statement,))
