"""Golden cases of triggers: a rule, the evidence, and exactly what fires, with ids.

A file ``test_gate_<gate>.py`` holds its gate's cases as ``GOLDEN``; ``test_golden.py`` runs them all and fails on a
trigger that lacks a case that fires or one that does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import md5
from typing import NamedTuple

from anchorecli.policy.base import Evidence

from .evidence import fired


class Golden(NamedTuple):
    """``fires`` are (trigger id, message) in order; nothing for a case that must stay silent. An id of ``md5`` stands
    for Anchore Engine's default: the md5 over gate, trigger and message."""

    gate: str
    trigger: str
    evidence: Evidence
    params: Mapping[str, object] = {}
    fires: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """What a test run calls it."""
        return f"{self.gate}.{self.trigger}{'' if self.fires else '-silent'}"

    def check(self) -> None:
        """Raises AssertionError where something else fires."""
        expected = [
            (
                md5(f"{self.gate}{self.trigger}{message}".encode()).hexdigest() if identity == "md5" else identity,
                message,
            )
            for identity, message in self.fires
        ]
        assert fired(self.gate, self.trigger, self.evidence, **self.params) == expected
