"""What a bundle says once: defaults of rules, and the mapping of a bundle that has none."""

from __future__ import annotations

import pytest

from anchorecli.errors import BundleError
from anchorecli.model import Action
from anchorecli.policy.bundle import parse_bundle

HEAD = 'id: b\nversion: "1_0"\n'
PORTS = "gate: dockerfile, trigger: exposed_ports"


def rules(defaults: str, *written: str):
    listed = "".join(f"  - {{{rule}}}\n" for rule in written)
    return parse_bundle(f"{HEAD}defaults: {defaults}\npolicies:\n- id: p\n  rules:\n{listed}", "b").policies[0].rules


def faults(defaults: str, *written: str) -> list[str]:
    with pytest.raises(BundleError) as caught:
        rules(defaults, *written)
    return str(caught.value).splitlines()


def test_an_action_for_rules_that_name_none():
    first, second = rules(
        "{action: Warn}", "gate: always, trigger: always", "gate: always, trigger: always, action: stop"
    )
    assert (first.action, second.action) == (Action.WARN, Action.STOP)


def test_it_means_what_the_rules_would_mean_if_they_said_it():
    short = f"{HEAD}defaults: {{action: go}}\npolicies: [{{id: p, rules: [{{gate: always, trigger: always}}]}}]\n"
    long = f"{HEAD}policies: [{{id: p, rules: [{{gate: always, trigger: always, action: go}}]}}]\n"
    assert parse_bundle(short).digest == parse_bundle(long).digest


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ("", {"ports": "22", "type": "blacklist"}),
        (", params: ~", {"ports": "22", "type": "blacklist"}),
        (", params: {ports: 80}", {"ports": "80", "type": "blacklist"}),
        (", params: {Ports: 80}", {"ports": "80", "type": "blacklist"}),
        (", params: [{name: TYPE, value: whitelist}]", {"ports": "22", "type": "whitelist"}),
    ],
)
def test_parameters_that_a_rule_does_not_give(params, expected):
    defaults = "{action: go, params: {Dockerfile.Exposed_Ports: {ports: [22], type: blacklist}}}"
    ports, other = rules(defaults, PORTS + params, "gate: always, trigger: always")
    assert (dict(ports.params), dict(other.params)) == (expected, {})


@pytest.mark.parametrize(
    ("defaults", "fault"),
    [
        ("[]", 'b:3: "defaults" must be a mapping, not a list'),
        ("{acton: go}", 'b:3: unknown key "acton" in "defaults"; did you mean "action"?'),
        ("{action: [go]}", 'b:3: "action" must be a text, not a list'),
        ("{action: halt}", 'b:3: unknown action "halt"; there is go, stop, warn'),
        ("{params: []}", 'b:3: "params" must be a mapping from gate.trigger to parameters'),
        ("{params: {dockerfile.exposed_port: {}}}", 'b:3: unknown trigger "dockerfile.exposed_port"; did you mean'),
        (
            "{params: {dockerfile.exposed_ports: 1}}",
            'b:3: the defaults of "dockerfile.exposed_ports" must be a mapping',
        ),
        (
            "{params: {dockerfile.exposed_ports: {port: 1}}}",
            'b:3: unknown parameter "port" of dockerfile',
        ),
    ],
)
def test_faulty_defaults(defaults, fault):
    assert any(said.startswith(fault) for said in faults(defaults)), faults(defaults)


def test_a_wrong_default_value_is_told_where_it_stands():
    (said,) = faults("{params: {dockerfile.exposed_ports: {ports: ssh, type: blacklist}}}", PORTS + ", action: go")
    assert said == 'b:3: parameter "ports" must be a list of whole numbers, not "ssh"'


def test_a_rule_of_a_wrong_type_is_told_as_ever():
    assert faults("{action: go}", "x: y")[0].startswith("b:7: ")


ONE = "policies: [{id: p, rules: []}]\n"
TWO = "policies: [{id: p, rules: []}, {id: q, rules: []}]\n"


def test_one_policy_without_mappings_holds_for_every_image():
    bundle = parse_bundle(HEAD + ONE + "whitelists: [{id: w}, {id: v}]\n")
    (mapping,) = bundle.mappings
    assert (mapping.image.registry, mapping.image.repository, mapping.image.value) == ("*", "*", "*")
    assert (mapping.policy_ids, mapping.allowlist_ids) == (("p",), ("w", "v"))


@pytest.mark.parametrize("written", ["mappings: []\n", "mappings:\n"])
def test_mappings_that_are_there_and_empty_mean_none(written):
    assert parse_bundle(HEAD + ONE + written).mappings == ()


def test_several_policies_need_mappings():
    with pytest.raises(BundleError, match=r'^b:1: the bundle has no "mappings"$'):
        parse_bundle(HEAD + TWO, "b")
