"""What a bundle asks of an image: the sum of its rules, and nothing for the built-in one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from anchorecli.model import Demand, Severity
from anchorecli.policy.bundle import default_bundle, fail_on_bundle, load_bundle
from anchorecli.policy.demand import demand
from anchorecli.policy.values import Bundle


def bundle(tmp_path: Path, *rules: tuple[str, str, dict[str, Any]], compat: str = "") -> Bundle:
    written = [
        {"id": str(number), "gate": gate, "trigger": trigger, "action": "WARN", "params": params}
        for number, (gate, trigger, params) in enumerate(rules)
    ]
    mapping = {"id": "m", "registry": "*", "repository": "*", "image": {"type": "tag", "value": "*"}}
    document = {
        "id": "b",
        "version": "1_0",
        "policies": [
            {"id": "p", "version": "1_0", "rules": written[:1]},
            {"id": "q", "version": "1_0", "rules": written[1:]},
        ],
        "mappings": [mapping | {"policy_ids": ["p"]}],
    } | ({"compat": compat} if compat else {})
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps(document))
    return load_bundle(str(path))


def test_the_built_in_bundle_asks_for_nothing() -> None:
    assert demand(default_bundle()) == Demand()
    assert demand(fail_on_bundle(Severity.HIGH)) == Demand()


@pytest.mark.parametrize(
    ("gate", "trigger", "params", "expected"),
    [
        ("secret_scans", "content_regex_checks", {}, Demand(secrets=True)),
        ("files", "content_regex_match", {"regex_name": "GPL=.*GPL"}, Demand(contents=("GPL=.*GPL",))),
        ("files", "suid_or_guid_set", {}, Demand(files=True)),
        ("files", "capabilities_set", {}, Demand(files=True)),
        ("files", "attribute_match", {"filename": "/etc/x", "checksum": "ab" * 32}, Demand(digests=True, files=True)),
        ("malware", "scans", {}, Demand(malware=True)),
        ("packages", "verify", {}, Demand(verify=True)),
        ("passwd_file", "content_not_available", {}, Demand(retrieve=("etc/passwd",))),
        ("retrieved_files", "content_not_available", {"path": "/etc/x"}, Demand(retrieve=("etc/x",))),
        ("always", "always", {}, Demand()),
    ],
)
def test_each_trigger_says_what_it_needs(
    tmp_path: Path, gate: str, trigger: str, params: dict[str, Any], expected: Demand
) -> None:
    assert demand(bundle(tmp_path, (gate, trigger, params))) == expected


def test_the_rules_of_all_policies_are_added_up(tmp_path: Path) -> None:
    rules = [
        ("secret_scans", "content_regex_checks", {}),
        ("retrieved_files", "content_not_available", {"path": "/etc/x"}),
        ("passwd_file", "content_not_available", {}),
    ]
    assert demand(bundle(tmp_path, *rules)) == Demand(secrets=True, retrieve=("etc/passwd", "etc/x"))  # type: ignore[arg-type]
