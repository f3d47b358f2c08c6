"""The reference, printed from what the gates declare, and the declarations themselves."""

from __future__ import annotations

import pytest

from anchorecli.errors import UsageError
from anchorecli.policy import GATES
from anchorecli.policy.parameters import EXPECTED, value_fault
from anchorecli.policy.reference import reference, reference_markdown
from anchorecli.policy.spellings import PENDING_GATES, RETIRED_GATES

TRIGGERS = [(gate, trigger) for gate in GATES for trigger in gate.triggers]
IDS = [f"{gate.name}.{trigger.name}" for gate, trigger in TRIGGERS]


@pytest.mark.parametrize(("gate", "trigger"), TRIGGERS, ids=IDS)
def test_declarations_hold_together(gate, trigger):
    assert trigger.description.endswith(".")
    assert (trigger.fire is None) is bool(trigger.needs)
    names = [parameter.name for parameter in trigger.parameters]
    assert len(names) == len(set(names))
    for parameter in trigger.parameters:
        assert parameter.kind in EXPECTED
        assert parameter.description.endswith(".")
        assert bool(parameter.allowed) is (parameter.kind == "enum")
        assert not (parameter.required and parameter.default)
        for value in (parameter.default, parameter.example):
            assert not value or value_fault(parameter, value) == ""


@pytest.mark.parametrize(("gate", "trigger"), TRIGGERS, ids=IDS)
def test_every_trigger_and_parameter_is_named(gate, trigger):
    assert f"### {gate.name}.{trigger.name}" in reference_markdown()
    text = reference(gate.name.upper(), trigger.name)
    assert text.startswith(f"# {gate.name}.{trigger.name}\n\n{trigger.description}")
    for parameter in trigger.parameters:
        assert f"| {parameter.name} |" in text
    assert f"  {trigger.name}: {trigger.description}" in reference()


def test_gates_are_in_order_and_distinct():
    names = [gate.name for gate in GATES]
    assert names == sorted(set(names))
    assert not set(names) & (set(PENDING_GATES) | set(RETIRED_GATES))


def test_the_sizes_of_the_lists():
    assert len(RETIRED_GATES) == 14
    original = {
        *("always", "dockerfile", "files", "licenses", "malware", "metadata", "npms", "packages", "passwd_file"),
        *("retrieved_files", "ruby_gems", "secret_scans", "vulnerabilities"),
    }
    assert original <= {gate.name for gate in GATES} | set(PENDING_GATES)


def test_what_is_not_evaluated_is_marked():
    assert "not evaluated by this version" in reference("stig")
    assert "use vulnerabilities" in reference("anchoresec")
    assert "nothing replaces it" in reference("suiddiff")


def test_a_whole_gate():
    text = reference("dockerfile")
    assert text.startswith("# dockerfile\n\nInstructions of the Dockerfile")
    assert "## dockerfile.exposed_ports" in text


def test_enterprise_names_find_their_trigger():
    assert reference("packages", "denylist").startswith("# packages.blacklist")


def test_unknown_names():
    with pytest.raises(UsageError, match='unknown gate "packges"; did you mean "packages"'):
        reference("packges")
    with pytest.raises(UsageError, match='unknown trigger "verfy" in gate packages; did you mean "verify"'):
        reference("packages", "verfy")
