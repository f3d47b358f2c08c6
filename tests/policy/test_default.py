"""The built-in bundles: the commented file and its twin that needs no YAML, and `--fail-on`."""

from __future__ import annotations

import pprint
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

import anchorecli.policy
from anchorecli.model import Action, Severity
from anchorecli.policy.bundle import default_bundle, fail_on_bundle, load_bundle
from anchorecli.policy.language.default import DEFAULT

FILE = Path(anchorecli.policy.__file__).with_name("default.yaml")


def test_the_twin_says_what_the_file_says():
    assert yaml.safe_load(FILE.read_text()) == DEFAULT, "run `python -m tests.policy.test_default`"


def test_both_read_to_the_same_bundle():
    from_file, built_in = load_bundle(FILE), default_bundle()
    assert from_file.digest == built_in.digest
    assert built_in.warnings == ()
    assert replace(built_in.policies[0].rules[0], line=0) == replace(from_file.policies[0].rules[0], line=0)
    assert from_file.policies[0].rules[0].line > 1


def test_what_a_ci_job_gets():
    bundle = default_bundle()
    actions = {rule.id: rule.action for rule in bundle.policies[0].rules}
    assert actions["fixable-high"] is Action.STOP
    assert {action for name, action in actions.items() if name != "fixable-high"} == {Action.WARN}
    assert bundle.evidence.on_incomplete == "indeterminate"


@pytest.mark.parametrize("severity", list(Severity))
def test_fail_on(severity):
    bundle = fail_on_bundle(severity)
    rule = bundle.policies[0].rules[0]
    assert rule.action is Action.STOP
    assert rule.params["severity"] == severity.label
    assert rule.params["severity_comparison"] == ">="
    assert bundle.mappings[0].policy_ids == ("fail-on",)


def test_fail_on_has_a_digest_of_its_own():
    digests = {fail_on_bundle(severity).digest for severity in Severity}
    assert len(digests) == len(Severity)


def write_twin() -> None:
    """Rewrite default.py from default.yaml (then run `ruff format`)."""
    head = '''"""``default.yaml`` as a value, so that a scan with the built-in policy reads no YAML.

Written by ``python -m tests.policy.test_default``; a test holds the two together.
"""

from __future__ import annotations

from typing import Any

DEFAULT: dict[str, Any] = '''
    body = pprint.pformat(yaml.safe_load(FILE.read_text()), width=100, sort_dicts=False)
    FILE.with_suffix(".py").write_text(head + body + "\n")


if __name__ == "__main__":
    write_twin()
