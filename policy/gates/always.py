"""Gate ``always``: fires on every evaluation."""

from __future__ import annotations

from typing import NamedTuple

from anchorecli.policy.base import Evidence, Fire, Fires, Trigger
from anchorecli.policy.language.parameters import Arguments


def _always(_evidence: Evidence, _arguments: Arguments) -> Fires:
    return (Fire("Unconditional trigger match", "always"),)


_TRIGGERS = (Trigger("always", "Fires on every evaluation, whatever the image holds.", _always),)


class AlwaysGate(NamedTuple):
    """Rules that hold for every image a mapping sends to the policy."""

    name: str = "always"
    description: str = "Fires unconditionally: to stop or mark every image a mapping selects, and to try out a bundle."
    triggers: tuple[Trigger, ...] = _TRIGGERS
