"""The reference, printed from what the gates declare, and the declarations themselves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from anchorecli.errors import UsageError
from anchorecli.policy import GATES
from anchorecli.policy.authoring.reference import reference, reference_document, reference_markdown
from anchorecli.policy.authoring.reference_text import example_rule
from anchorecli.policy.bundle import parse_bundle
from anchorecli.policy.language.parameters import EXPECTED, value_fault
from anchorecli.policy.language.spellings import PENDING_GATES, RETIRED_GATES

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
    text = reference(gate.name.upper(), trigger.name, markdown=True)
    assert text.startswith(f"# {gate.name}.{trigger.name}\n\n{trigger.description}")
    plain = reference(gate.name, trigger.name)
    assert plain.startswith(f"{gate.name}.{trigger.name}\n")
    for parameter in trigger.parameters:
        assert f"| {parameter.name} |" in text
        assert f"\n  {parameter.name}" in plain
    assert f"  {trigger.name}: {trigger.description}" in reference()
    (document,) = reference_document(gate.name, trigger.name)["gates"]
    assert [one["name"] for one in document["triggers"][0]["parameters"]] == [p.name for p in trigger.parameters]


@pytest.mark.parametrize(("gate", "trigger"), TRIGGERS, ids=IDS)
def test_the_example_is_a_rule(gate, trigger):
    """What the reference shows can be copied into a bundle."""
    rule = "".join(f"  {line}\n" for line in example_rule(gate, trigger))
    bundle = parse_bundle(f'id: b\nversion: "1_0"\npolicies:\n- id: p\n  rules:\n{rule}')
    assert [(one.gate, one.trigger) for one in bundle.policies[0].rules] == [(gate.name, trigger.name)]


def test_the_page_in_docs_is_what_the_code_says():
    page = Path(__file__).parents[2] / "docs" / "policy-gates.md"
    wanted = reference_markdown()
    if os.environ.get("REWRITE_GOLDEN"):
        page.write_text(wanted)
    assert page.read_text() == wanted, "run `REWRITE_GOLDEN=1 pytest tests/policy/test_reference.py`"


def test_gates_are_in_order_and_distinct():
    names = [gate.name for gate in GATES]
    assert len(names) == len(set(names))
    assert not set(names) & (set(PENDING_GATES) | set(RETIRED_GATES))


def test_the_retired_gates():
    assert len(RETIRED_GATES) == 14
    assert reference("anchoresec") == "anchoresec: retired; use vulnerabilities.\n"
    assert reference("suiddiff") == "suiddiff: retired; nothing replaces it.\n"
    assert reference_document()["retired"] == dict(RETIRED_GATES)


@pytest.mark.parametrize("gate", PENDING_GATES)
def test_what_is_not_evaluated_is_marked(gate):
    assert "not evaluated by this version" in reference(gate)


def test_a_whole_gate():
    text = reference("dockerfile", markdown=True)
    assert text.startswith("# dockerfile\n\nInstructions of the Dockerfile")
    assert "## dockerfile.exposed_ports" in text
    assert reference("dockerfile").startswith("dockerfile: Instructions of the Dockerfile")


def test_enterprise_names_find_their_trigger():
    assert reference("packages", "denylist").startswith("packages.blacklist")


def test_unknown_names():
    for function in (reference, reference_document):
        with pytest.raises(UsageError, match='unknown gate "packges"; did you mean "packages"'):
            function("packges")
        with pytest.raises(UsageError, match='unknown trigger "verfy" in gate packages; did you mean "verify"'):
            function("packages", "verfy")
