"""Which vulnerability data the image needs, and whether the feeds have it.

Not handled: what matching knows better. Where ``Evidence.looked_up`` names the namespaces of a package type, those
count; the derivation here is for the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from anchorecli.model import Distro, FeedState
from anchorecli.policy.base import Evidence
from anchorecli.policy.times import days_between

OS_TYPES = frozenset({"alpm", "apk", "deb", "ebuild", "kb", "portage", "qpkg", "rpm"})
"""The package types (purl) that come from a distribution's own package manager."""

_UNMATCHED_TYPES = frozenset({"generic", "oci", "docker"})


class Need(NamedTuple):
    """One kind of data the image needs: any of the namespaces suffices, the most specific first."""

    subject: str
    namespaces: tuple[str, ...]
    packages: int


def needs(evidence: Evidence) -> tuple[Need, ...]:
    """What the packages of the image need, by package type; a distribution's types count as one."""
    counts: dict[str, int] = {}
    for package in evidence.analysis.packages:
        # What an OS package owns is settled by the distribution's data.
        if package.owner:
            continue
        counts[package.type] = counts.get(package.type, 0) + 1
    merged: dict[tuple[str, tuple[str, ...]], int] = {}
    for kind, count in sorted(counts.items()):
        if kind not in _UNMATCHED_TYPES:
            subject = distro_name(evidence) if kind in OS_TYPES else kind
            key = (subject, namespaces(evidence, kind))
            merged[key] = merged.get(key, 0) + count
    return tuple(Need(subject, names, count) for (subject, names), count in merged.items())


def namespaces(evidence: Evidence, package_type: str) -> tuple[str, ...]:
    """The namespaces that may hold advisories for a package type: ``debian:12``, ``pypi``."""
    if package_type in evidence.looked_up:
        return evidence.looked_up[package_type]
    if package_type not in OS_TYPES:
        return (package_type,)
    return distro_namespaces(evidence.analysis.distro)


def distro_namespaces(distro: Distro | None) -> tuple[str, ...]:
    """``alpine:3.20.3``, ``alpine:3.20``, ``alpine:3``, ``alpine``; nothing without a distribution."""
    if distro is None:
        return ()
    parts = distro.version_id.split(".") if distro.version_id else []
    versions = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    names = [f"{distro.id}:{version}" for version in versions]
    if distro.codename:
        names.append(f"{distro.id}:{distro.codename}")
    return (*names, distro.id)


def distro_name(evidence: Evidence) -> str:
    """``debian:12`` as messages show it; ``Unknown:0`` where the image names none, in the words of Anchore Engine."""
    distro = evidence.analysis.distro
    return f"{distro.id}:{distro.version_id or '0'}" if distro else "Unknown:0"


def is_covered(evidence: Evidence, names: tuple[str, ...]) -> bool:
    """Whether real feeds have records in any of the namespaces."""
    return any(name in evidence.covered for name in names)


def feed_age(evidence: Evidence, need: Need) -> float | None:
    """Days since the data a need is met with was last synced; None where it never was, or its date is unknown.

    Where several feeds have the namespace the freshest counts: a feed nobody uses any more makes nothing stale.
    """
    ages = [
        age for feed in feeds_for(evidence, need) if (age := days_between(feed.updated_at, evidence.now)) is not None
    ]
    return min(ages, default=None)


def feeds_for(evidence: Evidence, need: Need) -> Iterator[FeedState]:
    """The real feeds that name any of the namespaces."""
    for feed in evidence.feeds:
        if not feed.starter and any(name in feed.ecosystems for name in need.namespaces):
            yield feed
