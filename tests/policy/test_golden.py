"""Every golden case of every gate: each trigger has one that fires and one that does not."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from anchorecli.policy import GATES

from .golden import Golden

CASES: tuple[Golden, ...] = tuple(
    case
    for path in sorted(Path(__file__).parent.glob("test_gate_*.py"))
    for case in getattr(import_module(f"{__package__}.{path.stem}"), "GOLDEN", ())
)
TRIGGERS = [(gate.name, trigger.name) for gate in GATES for trigger in gate.triggers if trigger.fire]
NEVER_SILENT = {("always", "always")}
"""What fires on every evaluation, by its definition."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_exactly_this_fires(case: Golden):
    case.check()


@pytest.mark.parametrize(("gate", "trigger"), TRIGGERS, ids=[".".join(names) for names in TRIGGERS])
def test_each_trigger_has_cases_that_fire_and_cases_that_do_not(gate: str, trigger: str):
    cases = [case for case in CASES if (case.gate, case.trigger) == (gate, trigger)]
    assert any(case.fires for case in cases), "no golden case fires"
    assert (gate, trigger) in NEVER_SILENT or any(not case.fires for case in cases), "no golden case stays silent"


def test_cases_are_about_triggers_that_exist():
    assert {(case.gate, case.trigger) for case in CASES} <= set(TRIGGERS)
