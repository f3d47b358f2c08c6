"""``anchore policy backtest``: which verdicts of the past a new bundle would change, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.auditing import CVE, FIRST, NEW_CVE, SECOND, at, bundle
from tests.cli.conftest import Run
from tests.cli.world import archive, debian, tracker

NEW = """
id: new
version: "1_0"
policies:
  - id: p
    version: "1_0"
    rules:
      - id: high
        gate: vulnerabilities
        trigger: package
        action: WARN
        params: {package_type: all, severity: high, severity_comparison: ">=", vendor_only: false}
      - {id: shell, gate: packages, trigger: blacklist, action: STOP, params: {name: zsh}}
whitelists: []
mappings:
  - {id: m, registry: "*", repository: "*", image: {type: tag, value: "*"}, policy_ids: [p], whitelist_ids: []}
"""


@pytest.fixture
def fleet(run: Run, tmp_path: Path) -> Run:
    """Three images by one bundle: vulnerable, clean, and clean until the feed knew more."""

    def sync(records: dict[str, Any], moment: str) -> None:
        file = tracker(tmp_path / "t.json", records)
        assert run("feeds", "sync", "debian", "--from", file, env=at(moment)).code == 0

    sync({"openssl": CVE}, FIRST)
    policy = bundle(tmp_path / "old.yaml")
    for name, packages in (("bad", ("openssl=3.0.1",)), ("shell", ("zsh=5",)), ("later", ("openssl=3.0.14-1",))):
        image = archive(tmp_path / f"{name}.tar", debian(*packages))
        run("scan", image, "-p", policy, "-o", f"json={tmp_path / name}", env=at(FIRST))
    sync({"openssl": CVE | NEW_CVE}, SECOND)
    (tmp_path / "new.yaml").write_text(NEW)
    return run


def told(run: Run, path: Path, *args: object, moment: str = SECOND) -> dict[str, Any]:
    done = run("policy", "backtest", path / "new.yaml", "--json", *args, env=at(moment))
    assert done.code == 0, done.err
    found: dict[str, Any] = done.json
    return found


def verdicts(found: dict[str, Any]) -> dict[str, tuple[str, str, str]]:
    return {
        Path(each["reference"]).stem: (each["recorded"], each["before"], each["after"]) for each in found["outcomes"]
    }


@pytest.mark.parametrize("jobs", [1, 2, 9])
def test_flips_are_those_of_the_bundle_not_of_the_feeds(fleet: Run, tmp_path: Path, jobs: int) -> None:
    found = told(fleet, tmp_path, "--jobs", jobs)
    assert verdicts(found) == {
        "bad": ("fail", "fail", "pass"),
        "shell": ("pass", "pass", "fail"),
        "later": ("pass", "fail", "pass"),
    }
    assert (found["images"], found["flips"]) == (3, 3)
    reasons = {Path(each["reference"]).stem: each["reasons"] for each in found["outcomes"]}
    assert reasons["shell"] == [
        {"policy": "p", "rule": "shell", "gate": "packages", "trigger": "blacklist", "before": {}, "after": {"stop": 1}}
    ]
    (reason,) = reasons["bad"]
    assert (reason["rule"], reason["before"], reason["after"]) == ("high", {"stop": 2}, {"warn": 2})


def test_as_recorded_is_by_the_matches_and_the_time_of_then(fleet: Run, tmp_path: Path) -> None:
    found = told(fleet, tmp_path, "--as-recorded", "--since", "all", moment="2031-01-01T00:00:00Z")
    assert verdicts(found) == {
        "bad": ("fail", "fail", "pass"),
        "shell": ("pass", "pass", "fail"),
        "later": ("pass", "pass", "pass"),
    }


def test_nothing_is_stored_and_no_image_is_needed(fleet: Run, tmp_path: Path) -> None:
    for image in tmp_path.glob("*.tar"):
        image.unlink()
    before = fleet("history", "--json").out
    told(fleet, tmp_path)
    assert fleet("history", "--json").out == before


def test_the_table_tells_flips_and_their_rules(fleet: Run, tmp_path: Path) -> None:
    done = fleet("policy", "backtest", tmp_path / "new.yaml", env=at(SECOND))
    assert done.code == 0
    assert "shell.tar" in done.out
    assert "pass -> fail" in done.out
    assert "rule shell of policy p (packages.blacklist): nothing -> 1 stop" in done.out
    assert "3 images, 3 verdicts would change: 2 fail -> pass; 1 pass -> fail" in done.out
    assert fleet("policy", "backtest", tmp_path / "new.yaml", "--fail-on-flip", env=at(SECOND)).code == 1
    same = fleet("policy", "backtest", tmp_path / "old.yaml", "--fail-on-flip", env=at(SECOND))
    assert same.code == 0
    assert "3 images, 0 verdicts would change: none" in same.out


def test_only_images_evaluated_since(fleet: Run, tmp_path: Path) -> None:
    assert told(fleet, tmp_path, "--since", "12h", moment=FIRST)["images"] == 3
    assert told(fleet, tmp_path, "--since", "12h")["images"] == 0
    assert told(fleet, tmp_path, "--since", "2w", moment="2024-06-14T00:00:00Z")["images"] == 3


def test_wrong_use(fleet: Run, tmp_path: Path) -> None:
    for args, message in (
        (("missing.yaml",), "missing.yaml"),
        ((tmp_path / "new.yaml", "--since", "soon"), "no span of time"),
        ((tmp_path / "new.yaml", "--jobs", "0"), "--jobs"),
    ):
        done = fleet("policy", "backtest", *args)
        assert (done.code, done.out) == (2, "")
        assert message in done.err
