"""Names beside ours: retired gates are accepted and reported, never evaluated; stig waits; both versions' words."""

from __future__ import annotations

import pytest

from anchorecli.model import Status
from anchorecli.policy import GATES
from anchorecli.policy.evaluate import evaluate
from anchorecli.policy.language.rules import find_trigger
from anchorecli.policy.language.spellings import PENDING_GATES, RETIRED_GATES

from .evidence import bundle, evidence, match, package, rule_line


@pytest.mark.parametrize(("gate", "successor"), RETIRED_GATES.items())
def test_retired_gates(gate, successor):
    """Whatever trigger and parameters their rules have: nobody knows them any more."""
    made = bundle(rule_line(gate.upper(), "ANYTHING", "STOP", some="thing"), path="old.yaml")
    (remark,) = made.warnings
    assert remark.message == f"gate {gate} is retired; its rule is not evaluated"
    assert remark.hint == (f"Use the gate {successor}." if successor else "Nothing replaces it; remove the rule.")
    assert remark.subject.startswith("old.yaml:")
    assert not remark.incomplete
    verdict = evaluate(made, evidence([package()], [match()]))
    assert (verdict.status, verdict.findings) == (Status.PASS, ())
    assert remark in verdict.problems


def test_fourteen_are_retired_and_what_replaces_them_exists():
    assert len(RETIRED_GATES) == 14
    assert {successor for successor in RETIRED_GATES.values() if successor} <= {gate.name for gate in GATES}


def test_only_stig_is_left_without_a_gate():
    assert set(PENDING_GATES) == {"stig"}
    verdict = evaluate(bundle(rule_line("stig", "no_stig_evaluations_available")), evidence())
    assert verdict.status is Status.INDETERMINATE


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.name)
def test_every_name_of_a_trigger_finds_it_and_no_other(gate):
    names = [name for trigger in gate.triggers for name in (trigger.name, *trigger.aliases)]
    for trigger in gate.triggers:
        for name in (trigger.name, *trigger.aliases):
            assert find_trigger(gate, name) is trigger
            assert find_trigger(gate, name.upper()) is trigger
            assert find_trigger(gate, name.replace("blacklist", "denylist")) is trigger
    assert find_trigger(gate, f"{names[0]}s") is None
