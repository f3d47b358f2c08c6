"""Vulnerability feeds: the registry of their drivers.

``FEEDS`` are all of them; ``find`` also gives any other OSV ecosystem by its name, ``osv:NAME``. A driver is loaded
when it is asked for: a scan loads none.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from anchorecli.errors import UsageError

if TYPE_CHECKING:
    from anchorecli.feeds.base import Driver

    FEEDS: tuple[Driver, ...]


class Registered(NamedTuple):
    """A driver's name, where its class is (module below this package, dot, class), and what it is made with.

    ``usual``: a sync without names fetches it. Those that take hundreds of megabytes, or say what others say as well,
    are fetched when the store holds them already, or by name.
    """

    name: str
    cls: str
    arguments: tuple[str, ...] = ()
    usual: bool = True


REGISTERED: tuple[Registered, ...] = (
    Registered("alpine", "alpine.Alpine"),
    Registered("amazon", "rpm.amazon.Amazon"),
    Registered("arch", "linux.arch.Arch"),
    Registered("azurelinux", "rpm.azurelinux.AzureLinux"),
    Registered("bitnami", "language.bitnami.Bitnami", usual=False),
    Registered("chainguard", "linux.wolfi.Wolfi", ("chainguard",)),
    Registered("debian", "debian.Debian"),
    Registered("echo", "linux.echo.Echo", usual=False),
    Registered("end-of-life", "enrichment.endoflife.EndOfLife"),
    Registered("epss", "enrichment.epss.Epss"),
    Registered("fedora", "rpm.fedora.Fedora", usual=False),
    Registered("ghsa", "ghsa.Ghsa"),
    Registered("gitlab", "language.gitlab.GitLab", usual=False),
    Registered("govulndb", "language.govulndb.GoVulnDb"),
    Registered("kev", "enrichment.kev.Kev"),
    Registered("minimos", "linux.wolfi.Wolfi", ("minimos",), usual=False),
    Registered("nvd", "language.nvd.Nvd", usual=False),
    Registered("oracle", "rpm.oracle.Oracle"),
    Registered("osv:AlmaLinux", "osv.Osv", ("AlmaLinux",)),
    Registered("osv:Rocky Linux", "osv.Osv", ("Rocky Linux",)),
    Registered("photon", "rpm.photon.Photon"),
    Registered("packages", "language.packages.Packages"),
    Registered("phpsec", "language.phpsec.PhpSec", usual=False),
    Registered("pypa", "language.pypa.Pypa", usual=False),
    Registered("redhat", "rpm.redhat.Redhat", usual=False),
    Registered("rubysec", "language.rubysec.RubySec", usual=False),
    Registered("rustsec", "language.rustsec.RustSec"),
    Registered("secureos", "linux.secureos.SecureOs", usual=False),
    Registered("suse", "rpm.suse.Suse", usual=False),
    Registered("ubuntu", "linux.ubuntu.Ubuntu"),
    Registered("vulnrichment", "language.vulnrichment.Vulnrichment", usual=False),
    Registered("wolfi", "linux.wolfi.Wolfi", ("wolfi",)),
)
"""Every driver, by name. ``tests/test_registries.py`` fails on one that is missing."""

NAMES = tuple(sorted({each.name.partition(":")[0] for each in REGISTERED}))
"""What a configuration file may call a feed, beside ``osv:ECOSYSTEM``."""

STARTER = frozenset(
    {
        *("almalinux:8", "almalinux:9", "almalinux:10", "debian:11", "debian:12", "debian:13", "npm", "pypi"),
        *("alpine:3.16", "alpine:3.17", "alpine:3.18", "alpine:3.19", "alpine:3.20", "alpine:3.21", "alpine:edge"),
    }
)
"""The namespaces of the embedded starter feed, which is not opened for others."""

_ECOSYSTEM = re.compile(r"[A-Za-z0-9][\w .:-]{0,99}", re.ASCII)


def find(name: str) -> Driver:
    """The driver of a feed by its name; ``osv:ECOSYSTEM`` in any case of letters.

    Raises: UsageError for a name that is none, with the nearest one that is.
    """
    known = {each.name.lower(): each for each in REGISTERED}
    wanted = name.strip()
    if wanted.lower() in known:
        return _load(known[wanted.lower()])
    prefix, _, ecosystem = wanted.partition(":")
    if prefix.lower() == "osv" and _ECOSYSTEM.fullmatch(ecosystem):
        from anchorecli.feeds.ecosystems import spelled
        from anchorecli.feeds.osv import Osv

        listed = known.get(f"osv:{spelled(ecosystem)}".lower())
        return _load(listed) if listed else Osv(spelled(ecosystem))
    from difflib import get_close_matches

    near = [each for each in known if wanted and wanted.lower() in each]
    near = near or get_close_matches(wanted.lower(), known, n=1)
    hint = "`anchore feeds list` names them; any ecosystem of osv.dev is osv:ECOSYSTEM"
    if near:
        hint = f"did you mean {known[near[0]].name}?"
    if prefix.lower() == "osv":
        hint = "name the ecosystem as osv.dev spells it: osv:PyPI, osv:npm, osv:Debian:12 …"
    raise UsageError(f"no feed is named {name}", hint=hint)


@cache
def _load(registered: Registered) -> Driver:
    from importlib import import_module

    module, _, cls = registered.cls.rpartition(".")
    found: Driver = getattr(import_module(f"anchorecli.feeds.{module}"), cls)(*registered.arguments)
    return found


def __getattr__(name: str) -> Any:
    """``FEEDS``: every registered driver, for whoever lists them."""
    if name == "FEEDS":
        return tuple(map(_load, REGISTERED))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
