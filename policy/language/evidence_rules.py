"""What a bundle says of incomplete evidence: its ``evidence`` key.

Format::

    evidence:
      preset: closed            # or balanced, open: where the choices below start from
      on_incomplete: warn       # what a pass becomes for every cause not named: indeterminate, warn or ignore
      max_feed_age_days: 14     # vulnerability data older than this is stale; 0: no limit
      no_feed: indeterminate    # and so on for each cause of CAUSES
"""

from __future__ import annotations

from collections.abc import Mapping

from anchorecli.policy.language.document import Node
from anchorecli.policy.language.faults import Faults, quoted, unknown
from anchorecli.policy.language.fields import Fields
from anchorecli.policy.values import EvidenceRule

CAUSES: Mapping[str, str] = {
    "analyzer_failed": "something in the image could not be read or understood",
    "limit_hit": "a file, a layer or a record was over a limit of size or number",
    "no_feed": "no feed has data for some of the packages, or only the embedded starter feed",
    "stale_feed": "the data is older than max_feed_age_days, or of unknown age",
    "empty_feed": "a feed is there for some of the packages and has no records for them",
    "unknown_distro": "the distribution of operating system packages is not known",
    "unreadable_version": "the version of a package could not be compared",
    "rule_not_run": "a rule could not be decided: a fact it needs is missing, or its expression hit a bound",
}
"""Why evidence can be incomplete, in the words of the key ``evidence``."""

PRESETS: Mapping[str, EvidenceRule] = {
    "closed": EvidenceRule("indeterminate", 14),
    "balanced": EvidenceRule("indeterminate", 14, analyzer_failed="warn", limit_hit="warn", unreadable_version="warn"),
    "open": EvidenceRule("warn", 14),
}
"""Starting points: ``closed`` for a gate in CI; ``balanced`` lets a single thing that cannot be read pass with a
warning, but not missing data or rules; ``open`` warns of every gap and stops for none."""

_CHOICES = ("indeterminate", "warn", "ignore")


def read_evidence(node: Node | None, faults: Faults) -> EvidenceRule:
    """The rule under the key ``evidence``; its defaults where there is none."""
    if node is None or node.kind == "null":
        return EvidenceRule()
    fields = Fields(node, '"evidence"', ("preset", "on_incomplete", "max_feed_age_days", *CAUSES), faults)
    preset = fields.text("preset")
    if preset and preset not in PRESETS:
        faults.add(fields.line_of("preset"), unknown("preset", preset, PRESETS))
    rule = PRESETS.get(preset, EvidenceRule())
    given = {name: _choice(fields, name, faults) for name in ("on_incomplete", *CAUSES)}
    if given["on_incomplete"]:
        # For every cause that is not named here, whatever the preset makes of it.
        rule = EvidenceRule(max_feed_age_days=rule.max_feed_age_days)
    days = fields.text("max_feed_age_days") or str(rule.max_feed_age_days)
    if not (days.isascii() and days.isdigit() and len(days) < 7):
        message = f"max_feed_age_days must be a whole number of days, not {quoted(days)}"
        faults.add(fields.line_of("max_feed_age_days"), message)
        days = "0"
    chosen = {name: choice for name, choice in given.items() if choice}
    return rule._replace(max_feed_age_days=int(days), **chosen)  # type: ignore[arg-type]


def _choice(fields: Fields, name: str, faults: Faults) -> str:
    choice = fields.text(name)
    if choice and choice not in _CHOICES:
        faults.add(fields.line_of(name), unknown(f"value of {name}", choice, _CHOICES))
        return ""
    return choice
