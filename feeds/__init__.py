"""Vulnerability feeds: the registry of their drivers.

``FEEDS`` are those that a sync without names brings up to date; ``find`` also gives any other OSV ecosystem by its
name, ``osv:NAME``.
"""

from __future__ import annotations

import re

from anchorecli.errors import UsageError
from anchorecli.feeds.alpine import Alpine
from anchorecli.feeds.base import Driver
from anchorecli.feeds.debian import Debian
from anchorecli.feeds.ecosystems import spelled
from anchorecli.feeds.enrichment.endoflife import EndOfLife
from anchorecli.feeds.enrichment.epss import Epss
from anchorecli.feeds.enrichment.kev import Kev
from anchorecli.feeds.ghsa import Ghsa
from anchorecli.feeds.osv import Osv

FEEDS: tuple[Driver, ...] = (
    Alpine(),
    Debian(),
    EndOfLife(),
    Epss(),
    Ghsa(),
    Kev(),
    Osv("AlmaLinux"),
    Osv("Rocky Linux"),
)

_ECOSYSTEM = re.compile(r"[A-Za-z0-9][\w .:-]{0,99}", re.ASCII)


def find(name: str) -> Driver:
    """The driver of a feed by its name; ``osv:ECOSYSTEM`` in any case of letters.

    Raises: UsageError for a name that is none, with the nearest one that is.
    """
    known = {driver.name.lower(): driver for driver in FEEDS}
    wanted = name.strip()
    if wanted.lower() in known:
        return known[wanted.lower()]
    prefix, _, ecosystem = wanted.partition(":")
    if prefix.lower() == "osv" and _ECOSYSTEM.fullmatch(ecosystem):
        return known.get(f"osv:{spelled(ecosystem)}".lower(), Osv(spelled(ecosystem)))
    from difflib import get_close_matches

    near = get_close_matches(wanted.lower(), known, n=1)
    names = ", ".join(driver.name for driver in FEEDS)
    hint = f"did you mean {known[near[0]].name}?" if near else f"feeds: {names}, or osv:ECOSYSTEM"
    if prefix.lower() == "osv":
        hint = "name the ecosystem as osv.dev spells it: osv:PyPI, osv:npm, osv:Debian:12 …"
    raise UsageError(f"no feed is named {name}", hint=hint)


__all__ = ["FEEDS", "Driver", "find"]
