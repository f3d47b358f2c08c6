"""Rules on an SBOM: what it does not tell is not decided."""

from __future__ import annotations

from dataclasses import replace

import pytest

from anchorecli.model import Action, Analysis, Digest, Image, ImageConfig, ImageRef, Package, Platform, Rule
from anchorecli.policy.base import Evidence
from anchorecli.policy.judging.running import run_rule

REF = ImageRef("sbom", "bom.json", path="bom.json")
IMAGE = Image(REF, Digest("sha256:0"), Digest(""), ImageConfig(Platform("", "")), ())
SBOM = Evidence(
    Analysis(IMAGE, None, (Package("x", "1", "npm", "npm", licenses=("MIT",)),)), REF, "2026-01-01T00:00:00Z"
)


def status(gate: str, trigger: str, evidence: Evidence = SBOM, **params: str) -> str:
    return run_rule(Rule("r", gate, trigger, Action.STOP, params), evidence).status


@pytest.mark.parametrize(
    ("gate", "trigger", "params"),
    [
        ("dockerfile", "effective_user", {"users": "root", "type": "denylist"}),
        ("dockerfile", "instruction", {"instruction": "USER", "check": "exists"}),
        ("dockerfile", "exposed_ports", {"ports": "22", "type": "denylist"}),
        ("image", "layer_count", {"value": "10"}),
        ("image", "env", {"name": "*_PASSWORD"}),
        ("files", "suid_or_guid_set", {}),
        ("files", "name_match", {"regex": ".*"}),
        ("passwd_file", "content_not_available", {}),
        ("secret_scans", "content_regex_checks", {}),
        ("malware", "scans", {}),
        ("retrieved_files", "content_not_available", {"path": "/etc/x"}),
        ("packages", "verify", {}),
        ("metadata", "attribute", {"attribute": "size", "check": ">", "value": "1"}),
        ("ancestry", "no_ancestors_analyzed", {}),
    ],
)
def test_files_layers_and_configuration_are_not_decided(gate: str, trigger: str, params: dict[str, str]) -> None:
    ran = run_rule(Rule("r", gate, trigger, Action.STOP, params), SBOM)
    assert ran.status == "not-run"
    assert ran.fires == ()
    (problem,) = ran.problems
    assert problem.incomplete
    assert problem.gap == "rule_not_run"
    assert "an SBOM does not tell of" in problem.message


@pytest.mark.parametrize(
    ("gate", "trigger", "params"),
    [
        ("always", "always", {}),
        ("licenses", "blacklist_exact_match", {"licenses": "MIT"}),
        ("packages", "required_package", {"name": "wanted"}),
        ("metadata", "attribute", {"attribute": "distro", "check": "=", "value": "Unknown"}),
        ("dockerfile", "no_dockerfile_provided", {}),
    ],
)
def test_packages_and_distribution_are(gate: str, trigger: str, params: dict[str, str]) -> None:
    assert status(gate, trigger, **params) == "fired"


def test_a_dockerfile_that_is_given_is_looked_at() -> None:
    given = replace(SBOM, dockerfile="FROM debian\nUSER root\n")
    assert status("dockerfile", "instruction", given, instruction="USER", check="exists") == "fired"
    assert status("dockerfile", "effective_user", given, users="root", type="denylist") == "not-run"


def test_an_image_is_decided_as_ever() -> None:
    image = replace(IMAGE, ref=replace(REF, transport="docker-archive"))
    evidence = replace(SBOM, analysis=replace(SBOM.analysis, image=image))
    assert status("image", "layer_count", evidence, value="10", comparison="<") == "fired"


def test_of_files_that_were_no_image_there_is_no_configuration_to_miss() -> None:
    told = {"anchore.sbom.subject.transport": "dir"}
    directory = replace(IMAGE, annotations=told)
    evidence = replace(SBOM, analysis=replace(SBOM.analysis, image=directory))
    assert status("dockerfile", "effective_user", evidence, users="root", type="denylist") == "silent"
    assert status("files", "suid_or_guid_set", evidence) == "not-run"
    image = replace(directory, ref=replace(REF, transport="registry"))
    assert image.origin == "registry" and not image.is_only_files
