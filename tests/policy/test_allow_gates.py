"""Exceptions of a path or a package hold for what gates over files and packages find."""

from __future__ import annotations

import pytest

from anchorecli.model import DiffId, FileDifference, ImagePath, MalwareFinding
from anchorecli.policy.bundle import parse_bundle
from anchorecli.policy.evaluate import evaluate

from .evidence import evidence, package, rule_line
from .test_evaluate import with_allowlist

LAYER = DiffId("sha256:" + "a" * 64)
VENDORED, OWN = ImagePath("opt/vendor/run"), ImagePath("usr/bin/run")
FACTS = {
    "unowned": (VENDORED, OWN),
    "malware": tuple(MalwareFinding(path, "Eicar", "clamav") for path in (VENDORED, OWN)),
    "differences": tuple(FileDifference("bash", path, "changed") for path in (VENDORED, OWN)),
    "looked_for": {"unowned": "", "malware": "", "verify": ""},
}


@pytest.mark.parametrize(
    ("gate", "trigger"), [("files", "unowned_executable"), ("malware", "scans"), ("packages", "verify")]
)
def test_a_path_is_in_scope_or_not(gate, trigger):
    text = with_allowlist(f"{{gate: {gate}, path: /opt/vendor/*}}", rules=(rule_line(gate, trigger),))
    found = evaluate(parse_bundle(text), evidence(facts=FACTS)).findings
    assert {("/opt/vendor/run" in finding.message, bool(finding.allowed_by)) for finding in found} == {
        (True, True),
        (False, False),
    }


def test_a_package_is_in_scope_or_not():
    rule = rule_line("packages", "metadata", name=".*l.*", name_comparison="like")
    text = with_allowlist("{gate: packages, purl: pkg:deb/curl}", rules=(rule,))
    given = evidence([package("curl", layer=LAYER), package("openssl")])
    found = evaluate(parse_bundle(text), given).findings
    assert {("curl" in finding.message, bool(finding.allowed_by)) for finding in found} == {
        (True, True),
        (False, False),
    }
