"""Anchore Engine's own default bundle, as its users have it, against a small image with predicted findings."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import md5

import pytest

from anchorecli.model import Action, FixState, Severity, Status
from anchorecli.policy.bundle import parse_bundle
from anchorecli.policy.evaluate import evaluate

from .evidence import FEED, config, evidence, match, package

POLICY, ALLOWLIST = "48e6f7d6-1765-11e8-b5f9-8b6f228548b6", "37fd763e-1765-11e8-add4-3b16c029ac5c"


def rule(identity: str, gate: str, trigger: str, action: str, **params: str) -> dict:
    listed = [{"name": name, "value": value} for name, value in params.items()]
    return {"action": action, "gate": gate, "id": identity, "params": listed, "trigger": trigger}


def engine_bundle(*items: dict) -> str:
    package_rule = {"package_type": "all", "severity": "medium"}
    return json.dumps(
        {
            "blacklisted_images": [],
            "comment": "Default bundle",
            "id": "2c53a13c-1765-11e8-82ef-23527761d060",
            "mappings": [
                {
                    "id": "c4f9bf74-dc38-4ddf-b5cf-00e9c0074611",
                    "image": {"type": "tag", "value": "*"},
                    "name": "default",
                    "policy_id": POLICY,
                    "registry": "*",
                    "repository": "*",
                    "whitelist_ids": [ALLOWLIST],
                }
            ],
            "name": "Default bundle",
            "policies": [
                {
                    "comment": "System default policy",
                    "id": POLICY,
                    "name": "DefaultPolicy",
                    "rules": [
                        rule("ce7b8000", "dockerfile", "exposed_ports", "STOP", ports="22", type="blacklist"),
                        rule(
                            "312d9e41",
                            "dockerfile",
                            "instruction",
                            "WARN",
                            instruction="HEALTHCHECK",
                            check="not_exists",
                        ),
                        rule("6b5c14e7", "vulnerabilities", "stale_feed_data", "WARN", max_days_since_sync="2"),
                        rule("3e79ea94", "vulnerabilities", "vulnerability_data_unavailable", "WARN"),
                        rule("6063fdde", "vulnerabilities", "package", "WARN", severity_comparison="=", **package_rule),
                        rule("b30e8abc", "vulnerabilities", "package", "STOP", severity_comparison=">", **package_rule),
                    ],
                    "version": "1_0",
                }
            ],
            "version": "1_0",
            "whitelisted_images": [],
            "whitelists": [
                {"id": ALLOWLIST, "items": list(items), "name": "Global Whitelist", "version": "1_0"},
            ],
        },
        indent=4,
    )


IMAGE = evidence(
    [package(), package("flask", "2.0", "pypi", "usr/lib/python3/site-packages/flask-2.0.dist-info/METADATA")],
    [
        match("CVE-2025-1", severity=Severity.MEDIUM, fixed_in=(), fix_state=FixState.NOT_FIXED),
        match("CVE-2025-2", severity=Severity.CRITICAL),
        match("CVE-2025-3", severity=Severity.LOW),
        match("CVE-2025-4", severity=Severity.HIGH, fixed_in=(), fix_state=FixState.WONT_FIX),
        match("CVE-2025-5", package("flask", "2.0", "pypi"), severity=Severity.HIGH),
    ],
    settings=config(["/bin/sh -c #(nop)  EXPOSE 22"]),
)


PORT_TEXT = "dockerfileexposed_portsDockerfile exposes port (22) which is in policy file DENIEDPORTS list"


def test_predicted_findings():
    verdict = evaluate(parse_bundle(engine_bundle()), IMAGE)
    assert [(each.rule_id, each.trigger_id, each.action) for each in verdict.findings] == [
        ("ce7b8000", md5(PORT_TEXT.encode()).hexdigest(), Action.STOP),
        ("312d9e41", "41cb7cdf04850e33a11f80c42bf660b3", Action.WARN),
        ("6063fdde", "CVE-2025-1+openssl", Action.WARN),
        ("b30e8abc", "CVE-2025-2+openssl", Action.STOP),
        ("b30e8abc", "CVE-2025-5+flask-2.0", Action.STOP),
    ]
    assert (verdict.status, verdict.action, verdict.policy_ids) == (Status.FAIL, Action.STOP, (POLICY,))


@pytest.mark.parametrize(("updated", "covered"), [("2025-06-01T00:00:00Z", True), ("", False)])
def test_stale_and_missing_data(updated, covered):
    given = replace(
        IMAGE, feeds=(replace(FEED, updated_at=updated),), covered=IMAGE.covered if covered else frozenset()
    )
    fired = [each.rule_id for each in evaluate(parse_bundle(engine_bundle()), given).findings]
    assert ("6b5c14e7" in fired, "3e79ea94" in fired) == (True, not covered)


def test_whitelists_written_for_it_hold():
    items = (
        {"gate": "vulnerabilities", "id": "a", "trigger_id": "CVE-2025-2+*"},
        {"gate": "vulnerabilities", "id": "b", "trigger_id": "CVE-2025-5+flask-2.0"},
        {"gate": "dockerfile", "id": "c", "trigger_id": "*"},
    )
    verdict = evaluate(parse_bundle(engine_bundle(*items)), IMAGE)
    assert (verdict.status, verdict.action) == (Status.PASS, Action.WARN)
    assert [each.allowed_by for each in verdict.findings] == ["c", "c", "", "a", "b"]
