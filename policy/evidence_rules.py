"""What a bundle says of incomplete evidence: its ``evidence`` key."""

from __future__ import annotations

from anchorecli.policy.document import Node
from anchorecli.policy.faults import Faults, quoted, unknown
from anchorecli.policy.fields import Fields
from anchorecli.policy.values import EvidenceRule

_CHOICES = ("indeterminate", "warn", "ignore")


def read_evidence(node: Node | None, faults: Faults) -> EvidenceRule:
    """The rule under the key ``evidence``; its defaults where there is none."""
    if node is None:
        return EvidenceRule()
    fields = Fields(node, '"evidence"', ("on_incomplete", "max_feed_age_days"), faults)
    choice = fields.text("on_incomplete") or "indeterminate"
    if choice not in _CHOICES:
        faults.add(fields.line_of("on_incomplete"), unknown("value of on_incomplete", choice, _CHOICES))
    days = fields.text("max_feed_age_days") or "0"
    if not (days.isascii() and days.isdigit() and len(days) < 7):
        message = f"max_feed_age_days must be a whole number of days, not {quoted(days)}"
        faults.add(fields.line_of("max_feed_age_days"), message)
        days = "0"
    return EvidenceRule(choice, int(days))  # type: ignore[arg-type]
