"""The JSON Schema of bundles: current, valid, and of the same mind as the reader."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

import anchorecli.policy
from anchorecli.errors import BundleError
from anchorecli.policy import GATES, bundle
from anchorecli.policy.bundle import parse_bundle
from anchorecli.policy.language import allowlists
from anchorecli.policy.language.canonical import canonical
from anchorecli.policy.language.schema import bundle_schema

from .test_bundle import ENTERPRISE, GOOD
from .test_canonical import FULL

FOLDER = Path(anchorecli.policy.__file__).parent
FILE = FOLDER / "bundle.schema.json"
VALIDATOR = Draft202012Validator(bundle_schema())


def errors(document: Any) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(document)]


def rule(text: str) -> dict[str, Any]:
    return {"id": "b", "version": "1_0", "policies": [{"id": "p", "rules": [yaml.safe_load(text)]}]}


def test_the_published_file_is_what_the_code_says():
    wanted = json.dumps(bundle_schema(), indent=2) + "\n"
    if os.environ.get("REWRITE_GOLDEN"):
        FILE.write_text(wanted)
    assert FILE.read_text() == wanted, "run `REWRITE_GOLDEN=1 pytest tests/policy/test_schema.py`"


def test_it_is_a_schema():
    Draft202012Validator.check_schema(bundle_schema())


BUNDLES = [path for path in sorted(FOLDER.rglob("*.yaml")) if not path.stem.endswith(".cases")]


@pytest.mark.parametrize("file", BUNDLES, ids=lambda path: path.name)
def test_the_bundles_of_this_program_are_valid(file: Path):
    assert errors(yaml.safe_load(file.read_text())) == []


@pytest.mark.parametrize(
    "document",
    [yaml.load(GOOD, yaml.BaseLoader), yaml.load(FULL, yaml.BaseLoader), ENTERPRISE, canonical(parse_bundle(FULL))],
    ids=["good", "full", "enterprise", "canonical"],
)
def test_bundles_in_every_form_are_valid(document: Any):
    assert errors(document) == []


@pytest.mark.parametrize(
    "text",
    [
        "{gate: dockerfile, trigger: exposed_ports, action: go, params: {ports: 22, type: blacklist}}",
        "{gate: dockerfile, trigger: exposed_ports, action: go, params: {ports: [22, '80'], type: denylist}}",
        "{gate: dockerfile, trigger: exposed_ports, action: go, params: {ports: '22,80', type: denylist}}",
        "{gate: dockerfile, trigger: exposed_ports, action: go, params: [{name: ports, value: 22},"
        " {name: type, value: x}]}",
        "{gate: packages, trigger: denylist, action: STOP, params: {name: telnet}, x-mine: 1}",
        "{gate: pkgdiff, trigger: anything, action: STOP, params: {a: b}}",
        "{gate: vulnerabilities, trigger: package, action: warn, params: {package_type: all, fix_available: 'True'}}",
    ],
)
def test_rules_it_accepts(text: str):
    assert errors(rule(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "{gate: dockerfile, trigger: exposed_ports, action: go, params: {ports: ssh, type: blacklist}}",
        "{gate: dockerfile, trigger: exposed_ports, action: go, params: {port: 22, type: blacklist}}",
        "{gate: dockerfile, trigger: exposed_ports, action: go, params: {ports: 22, type: grey}}",
        "{gate: dockerfile, trigger: exposed_port, action: go}",
        "{gate: dockerfil, trigger: exposed_ports, action: go}",
        "{gate: always, trigger: always, action: halt}",
        "{gate: always, trigger: always, actoin: go}",
        "{gate: vulnerabilities, trigger: package, action: warn, params: {package_type: all, severity: High}}",
        "{gate: vulnerabilities, trigger: package, action: warn, params: {package_type: all, fix_available: maybe}}",
        "{gate: vulnerabilities, trigger: package, action: warn, params: {package_type: all, max_days_since_fix: -1}}",
    ],
)
def test_rules_it_refuses_as_the_reader_does(text: str):
    assert errors(rule(text))
    with pytest.raises(BundleError):
        parse_bundle(json.dumps(rule(text)))


@pytest.mark.parametrize(("gate", "trigger"), [(gate, trigger) for gate in GATES for trigger in gate.triggers])
def test_every_example_is_valid(gate, trigger):
    params = {one.name: one.example or one.default for one in trigger.parameters if one.example or one.default}
    written = {"gate": gate.name, "trigger": trigger.name, "action": "go", "params": params}
    assert errors(rule(json.dumps(written))) == []
    written["params"] = [{"name": name, "value": value} for name, value in params.items()]
    assert errors(rule(json.dumps(written))) == []


def test_it_has_every_key_that_the_reader_knows():
    schema = bundle_schema()
    item = schema["$defs"]["whitelist"]["properties"]["items"]["items"]["properties"]
    assert set(allowlists._ITEM_KEYS) <= set(item)
    assert set(bundle._BUNDLE_KEYS) <= set(schema["properties"])
    assert set(bundle._MAPPING_KEYS) <= set(schema["$defs"]["mapping"]["properties"])
    assert set(bundle._POLICY_KEYS) <= set(schema["$defs"]["policy"]["properties"])
