"""Gate ``ruby_gems``: the image's gems against RubyGems."""

from __future__ import annotations

from typing import NamedTuple

from anchorecli.policy.base import Trigger
from anchorecli.policy.facts.registry_packages import Registry

_TRIGGERS = Registry(
    gate="ruby_gems",
    kind="gem",
    noun="Gem",
    not_latest="",
    newer="newer_version_found_in_feed",
    unknown="not_found_in_feed",
    bad_version="version_not_found_in_feed",
    blacklist="blacklist",
).triggers()


class RubyGemsGate(NamedTuple):
    """Gems that are old, unknown to RubyGems, or forbidden."""

    name: str = "ruby_gems"
    description: str = "Which gems are not the latest, not on RubyGems, or must not be there."
    triggers: tuple[Trigger, ...] = _TRIGGERS
