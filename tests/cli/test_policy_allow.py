"""``anchore policy allow``: from a finding of a real scan to an exception that lets it through."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.world import OPENSSL, archive, debian, tracker

BUNDLE = """\
# Ours.
id: ours
version: "1_0"
evidence: {on_incomplete: ignore}   # for the test
policies:
- id: p
  rules:
  - {id: v, gate: vulnerabilities, trigger: package, action: stop, params: {package_type: all, severity: high,
     severity_comparison: ">="}}
  - {id: h, gate: dockerfile, trigger: instruction, action: warn, params: {instruction: HEALTHCHECK, check: not_exists}}
whitelists:
- id: w
  items: []   # none yet
mappings:
- {registry: "*", repository: "*", image: {type: tag, value: "*"}, policy_id: p, whitelist_ids: [w]}
"""
FIXED_NOW = {"SOURCE_DATE_EPOCH": "1750000000"}  # 2025-06-15T15:06:40Z


@pytest.fixture
def policy(run: Run, tmp_path: Path) -> Path:
    """A bundle beside a store that knows one evaluation with two findings."""
    path = tmp_path / "policy.yaml"
    path.write_text(BUNDLE)
    image = archive(tmp_path / "image.tar", debian("libssl3=3.0.11-1~deb12u2<openssl"))
    synced = run("feeds", "sync", "debian", "--from", tracker(tmp_path / "tracker.json", OPENSSL))
    assert synced.code == 0, synced.err
    assert run("scan", image, "--policy", path).code == 1
    return path


def scan(run: Run, policy: Path, *more: str):
    return run("scan", policy.parent / "image.tar", "--policy", policy, "-o", "json", *more, env=FIXED_NOW)


@pytest.mark.parametrize("by", ["trigger", "vulnerability", "fingerprint", "place"])
def test_a_finding_is_let_through_and_stays_visible(run: Run, policy: Path, by: str):
    before = scan(run, policy).json
    finding = before["verdict"]["findings"][0]
    assert (finding["action"], finding["trigger_id"]) == ("stop", "CVE-2024-1001+libssl3")
    words = {
        "trigger": ["CVE-2024-1001+libssl3"],
        "vulnerability": ["CVE-2024-1001", "--package", "openssl"],
        "fingerprint": [finding["fingerprint"]],
        "place": ["1:1"],
    }
    more = ["--reason", "not reachable: no #TLS", "--expires", "30d", "--owner", "jo", "--ticket", "T-1"]
    done = run("policy", "allow", *words[by], *more, "--policy", policy, env=FIXED_NOW)
    assert done.code == 0, done.err
    assert "until 2025-07-15" in done.err
    text = policy.read_text()
    kept = [line for line in BUNDLE.splitlines() if "items: []" not in line]
    assert [line for line in kept if line not in text.splitlines()] == []
    assert "  items:  # none yet\n  - id: allow-cve-2024-1001" in text
    after = scan(run, policy)
    assert after.code == 0
    (let,) = (each for each in after.json["verdict"]["findings"] if each["allowed_by"])
    assert (let["trigger_id"], let["action"]) == ("CVE-2024-1001+libssl3", "go")
    (outcome,) = after.json["verdict"]["allowances"]
    assert (outcome["owner"], outcome["reason"], outcome["ticket"]) == ("jo", "not reachable: no #TLS", "T-1")
    assert (outcome["created"], outcome["expires"]) == ("2025-06-15", "2025-07-15")


def test_a_finding_by_its_md5_has_its_gate_from_the_store(run: Run, policy: Path):
    identity = "41cb7cdf04850e33a11f80c42bf660b3"
    done = run("policy", "allow", identity, "--reason", "a job", "--expires", "never", "--policy", policy)
    assert done.code == 0, done.err
    assert f"    gate: dockerfile\n    trigger_id: {identity}\n    reason: a job\n" in policy.read_text()
    assert "expires" not in policy.read_text()
    assert "without an end" in done.err


def test_a_dry_run_shows_a_diff_and_writes_nothing(run: Run, policy: Path):
    done = run("policy", "allow", "CVE-1+x", "--reason", "r", "--expires", "2099-01-31", "-p", policy, "--dry-run")
    assert done.code == 0
    assert done.out.startswith(f"--- {policy}\n+++ {policy}\n@@ ")
    assert "\n+    trigger_id: CVE-1+x\n" in done.out
    assert policy.read_text() == BUNDLE


def test_the_mode_and_a_link_stay(run: Run, policy: Path, tmp_path: Path):
    policy.chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(policy)
    done = run("policy", "allow", "CVE-1+x", "--reason", "r", "--expires", "2099-01-31", "--policy", link)
    assert done.code == 0, done.err
    assert link.is_symlink()
    assert "CVE-1+x" in policy.read_text()
    assert stat.S_IMODE(policy.stat().st_mode) == 0o640
    assert sorted(each.name for each in tmp_path.iterdir() if each.name.startswith(".")) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["CVE-1", "--reason", "r", "--expires", "1d"], "may be in many packages"),
        (["CVE-1+x", "--reason", " ", "--expires", "1d"], "--reason is empty"),
        (["CVE-1+x", "--reason", "r", "--expires", "soon"], "--expires soon is no time"),
        (["CVE-1+x", "--reason", "r", "--expires", "2025-06-15"], "--expires 2025-06-15 is past"),
        (["CVE-1+x", "--reason", "r", "--expires", "0d"], "--expires 0d is no time"),
        (["CVE-1+x", "--reason", "r", "--expires", "9999999d"], "is too far away"),
        (["CVE-1+x", "--reason", "r", "--expires", "1d", "--image", "regexp:("], "--image regexp:( is not usable"),
        (["7:1", "--reason", "r", "--expires", "1d"], "there is no evaluation 7"),
        (["1:9", "--reason", "r", "--expires", "1d"], "evaluation 1 has 2 findings, and no number 9"),
        (["0123456789abcdef", "--reason", "r", "--expires", "1d"], "no finding 0123456789abcdef in the last 50"),
        (["x", "--reason", "r", "--expires", "1d", "--gate", "nogate"], 'unknown gate "nogate"'),
        (["CVE-1+x", "--expires", "1d"], "Missing option '--reason'"),
        (["CVE-1+x", "--reason", "r"], "Missing option '--expires'"),
    ],
)
def test_what_cannot_be_done_is_told_and_nothing_is_written(run: Run, policy: Path, words: list[str], said: str):
    done = run("policy", "allow", *words, "--policy", policy, env=FIXED_NOW)
    assert done.code in (2, 3)
    assert said in done.err
    assert policy.read_text() == BUNDLE


def test_the_built_in_bundle_cannot_be_changed(run: Run):
    done = run("policy", "allow", "CVE-1+x", "--reason", "r", "--expires", "1d")
    assert done.code == 2
    assert "anchore policy init" in done.err


def test_a_broken_bundle_is_left_alone(run: Run, policy: Path):
    policy.write_text(BUNDLE.replace("action: warn", "action: wran"))
    done = run("policy", "allow", "CVE-1+x", "--reason", "r", "--expires", "1d", "--policy", policy)
    assert done.code == 2
    assert 'unknown action "wran"' in done.err


def test_an_exception_for_some_images(run: Run, policy: Path):
    words = ["CVE-1", "--package", "*", "--reason", "r", "--expires", "2099-01-31", "--image", "quay.io/*"]
    assert run("policy", "allow", *words, "--policy", policy).code == 0
    assert '    vulnerability: CVE-1\n    image: "quay.io/*"\n    reason: r\n' in policy.read_text()


def test_exceptions_that_let_nothing_through_fail_a_scan_that_asks(run: Run, policy: Path):
    for name in ("CVE-2024-1001+libssl3", "CVE-1999-1+bash"):
        done = run("policy", "allow", name, "--reason", "r", "--expires", "2099-01-31", "--policy", policy)
        assert done.code == 0, done.err
    assert scan(run, policy).code == 0
    done = scan(run, policy, "--fail-on-unused")
    assert done.code == 1
    assert "1 exception lets nothing through: allow-cve-1999-1-bash (CVE-1999-1+bash) is unused" in done.err
    used = policy.read_text().replace("CVE-1999-1+bash", "CVE-2024-1001+*")
    policy.write_text(used.replace("trigger_id: CVE-2024-1001+libssl3", "trigger_id: CVE-2024-1001+nothing"))
    assert "allow-cve-2024-1001-libssl3" in scan(run, policy, "--fail-on-unused").err
