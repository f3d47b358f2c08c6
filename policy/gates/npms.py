"""Gate ``npms``: the image's npm packages against the npm registry."""

from __future__ import annotations

from typing import NamedTuple

from anchorecli.policy.base import Trigger
from anchorecli.policy.facts.registry_packages import Registry

_TRIGGERS = Registry(
    gate="npms",
    kind="npm",
    noun="NPM",
    not_latest="NPMNOTLATEST ",
    newer="newer_version_in_feed",
    unknown="unknown_in_feeds",
    bad_version="version_not_in_feeds",
    blacklist="blacklisted_name_version",
).triggers()


class NpmsGate(NamedTuple):
    """Npm packages that are old, unknown to the registry, or forbidden."""

    name: str = "npms"
    description: str = "Which npm packages are not the latest, not in the npm registry, or must not be there."
    triggers: tuple[Trigger, ...] = _TRIGGERS
