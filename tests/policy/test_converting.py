"""A bundle written out again means what it meant, in every form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import anchorecli.policy
from anchorecli.policy.authoring.converting import to_json, to_yaml
from anchorecli.policy.bundle import load_bundle, parse_bundle
from anchorecli.policy.language.canonical import canonical
from anchorecli.policy.values import Bundle

from .test_bundle import ENTERPRISE, GOOD
from .test_canonical import FULL

FOLDER = Path(anchorecli.policy.__file__).parent
PRESETS = [path for path in sorted(FOLDER.rglob("*.yaml")) if not path.stem.endswith(".cases")]
BUNDLES = {
    "good": parse_bundle(GOOD),
    "full": parse_bundle(FULL),
    "enterprise": parse_bundle(json.dumps(ENTERPRISE)),
    **{path.stem: load_bundle(path) for path in PRESETS},
}


@pytest.mark.parametrize("version", ["1_0", "2"])
@pytest.mark.parametrize("write", [to_yaml, to_json])
@pytest.mark.parametrize("bundle", BUNDLES.values(), ids=BUNDLES)
def test_round_trip(bundle: Bundle, write, version: str):
    again = parse_bundle(write(bundle, version))
    assert again.digest == bundle.digest
    assert canonical(again) == canonical(bundle)
    assert write(again, version) == write(bundle, version)


def one_rule(gate: str, trigger: str, **params: str) -> Bundle:
    given = [{"name": name, "value": value} for name, value in params.items()]
    rule = {"id": "r", "gate": gate, "trigger": trigger, "action": "go", "params": given}
    return parse_bundle(json.dumps({"id": "b", "version": "1_0", "policies": [{"id": "p", "rules": [rule]}]}))


def params(bundle: Bundle, version: str = "1_0"):
    document = yaml.load(to_yaml(bundle, version), yaml.BaseLoader)
    return document["policies" if version == "1_0" else "rule_sets"][0]["rules"][0]["params"]


def test_parameters_are_readable():
    bundle = one_rule("dockerfile", "exposed_ports", type="blacklist", ports="22,80")
    text = to_yaml(bundle)
    assert "params: {ports: [22, 80], type: blacklist}" in text
    assert "action: go" in text
    assert json.loads(to_json(bundle))["policies"][0]["rules"][0]["params"] == [
        {"name": "ports", "value": "22,80"},
        {"name": "type", "value": "blacklist"},
    ]


@pytest.mark.parametrize("ports", ["22, 80", "022", "22,,80", " 22 ", "22,"])
def test_what_would_not_read_back_as_it_was_stays_a_text(ports: str):
    bundle = one_rule("dockerfile", "exposed_ports", type="blacklist", ports=ports)
    for version in ("1_0", "2"):
        again = parse_bundle(to_yaml(bundle, version))
        assert again.policies[0].rules[0].params["ports"] == ports


def test_version_2_has_the_words_of_enterprise():
    document = json.loads(to_json(one_rule("packages", "blacklist", name="telnet"), "2"))
    assert document["version"] == document["rule_sets"][0]["version"] == "2"
    assert document["rule_sets"][0]["artifact_type"] == "image"
    assert document["rule_sets"][0]["rules"][0]["trigger"] == "denylist"
    assert "rule_set_ids" in document["mappings"][0]
    assert "denylisted_images" in document
    assert "whitelists" not in document
    listed = one_rule("dockerfile", "exposed_ports", type="whitelist", ports="22")
    assert params(listed, "2")["type"] == "allowlist"
    full = json.loads(to_json(parse_bundle(FULL), "2"))
    assert (full["description"], full["allowlists"][0]["items"][0]["description"]) == ("what for", "é")


@settings(max_examples=200, deadline=None)
@given(value=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20))
def test_any_value_survives(value: str):
    bundle = one_rule("dockerfile", "instruction", instruction="RUN", check="=", value=value)
    for version in ("1_0", "2"):
        assert parse_bundle(to_yaml(bundle, version)).digest == bundle.digest
        assert parse_bundle(to_json(bundle, version)).digest == bundle.digest
