"""A bundle as values: checked, spelled one way, and hashed.

The words of the file (whitelists, blacklisted images) are those of Anchore's format; here they are allowlists and
denied images.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from anchorecli.model import Allow, Problem, Rule
from anchorecli.signatures import NO_TRUST, Trust

OnIncomplete = Literal["indeterminate", "warn", "ignore"]


class Policy(NamedTuple):
    """A named list of rules."""

    id: str
    name: str
    rules: tuple[Rule, ...]
    line: int = 0
    comment: str = ""


class Allowlist(NamedTuple):
    """A named list of exceptions."""

    id: str
    name: str
    items: tuple[Allow, ...]
    line: int = 0
    comment: str = ""


class ImageRule(NamedTuple):
    """Which images a mapping or an image list means: wildcards for registry, repository and a tag; a digest or an
    image id is compared as it is."""

    id: str
    name: str
    registry: str
    repository: str
    kind: Literal["tag", "digest", "id"]
    value: str
    line: int = 0
    comment: str = ""


class MappingRule(NamedTuple):
    """The policies and allowlists that hold for the images of one rule."""

    image: ImageRule
    policy_ids: tuple[str, ...]
    allowlist_ids: tuple[str, ...]


class EvidenceRule(NamedTuple):
    """What incomplete evidence does to a verdict that would pass; ``max_feed_age_days`` 0 means no limit.

    From ``analyzer_failed`` on the fields are causes (``evidence_rules.CAUSES``); an empty one is as ``on_incomplete``.
    """

    on_incomplete: OnIncomplete = "indeterminate"
    max_feed_age_days: int = 0
    analyzer_failed: OnIncomplete | Literal[""] = ""
    limit_hit: OnIncomplete | Literal[""] = ""
    no_feed: OnIncomplete | Literal[""] = ""
    stale_feed: OnIncomplete | Literal[""] = ""
    empty_feed: OnIncomplete | Literal[""] = ""
    unknown_distro: OnIncomplete | Literal[""] = ""
    unreadable_version: OnIncomplete | Literal[""] = ""
    rule_not_run: OnIncomplete | Literal[""] = ""

    def choice(self, cause: str) -> OnIncomplete:
        """What a gap of a cause makes of a pass."""
        own: OnIncomplete | Literal[""] = getattr(self, cause, "")
        return own or self.on_incomplete


class Bundle(NamedTuple):
    """A policy bundle. ``digest`` is the same for two files that mean the same: comments, layout, descriptions and
    spellings do not enter into it."""

    id: str
    name: str
    policies: tuple[Policy, ...]
    allowlists: tuple[Allowlist, ...]
    mappings: tuple[MappingRule, ...]
    allowed_images: tuple[ImageRule, ...]
    denied_images: tuple[ImageRule, ...]
    evidence: EvidenceRule
    digest: str
    path: str = ""
    compat: bool = False
    """``compat: anchore-engine``: what the original got wrong is repeated, for the sake of ids in whitelists."""
    comment: str = ""
    trust: Trust = NO_TRUST
    """Whose signatures count, and whose VEX statements are believed."""
    warnings: tuple[Problem, ...] = ()
    """What the reader accepted and the user should know: rules of retired gates, keys without effect."""
