"""The packages feed, end to end: what images hold is asked for, rules decide by it, what came later is undecided."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run
from tests.cli.world import archive
from tests.feeds.server import Answer, serving

BUNDLE = """
id: npms
version: "1_0"
policies:
  - id: p
    rules:
      - {id: new, gate: npms, trigger: newer_version_in_feed, action: warn}
      - {id: unknown, gate: npms, trigger: unknown_in_feeds, action: stop}
mappings:
  - {id: m, registry: "*", repository: "*", image: {type: tag, value: "*"}, policy_id: p}
"""


def image(path: Path, **packages: str) -> Path:
    files = {
        f"app/node_modules/{name}/package.json": json.dumps({"name": name, "version": version})
        for name, version in packages.items()
    }
    files["app/package.json"] = json.dumps({"name": "our-secret-app", "version": "1.0.0", "private": True})
    return archive(path, files)


def found(run: Run, tmp_path: Path, subject: Path) -> tuple[set[tuple[str, str]], set[str]]:
    (tmp_path / "bundle.yaml").write_text(BUNDLE)
    done = run("scan", subject, "--policy", tmp_path / "bundle.yaml", "-o", "json")
    assert done.out, done.err
    report = done.json
    verdict = report["verdict"]
    findings = {(each["rule_id"], each["message"]) for each in verdict["findings"]}
    return findings, {each["message"] for each in verdict["problems"] if each["stage"] == "policy"}


def test_what_images_hold_is_asked_for_and_rules_decide_by_it(run: Run, tmp_path: Path) -> None:
    first = image(tmp_path / "a.tar", express="4.18.0", **{"left-pad-2": "1.0.0"})
    assert "stored image holds" in run("feeds", "sync", "packages").err
    findings, problems = found(run, tmp_path, first)
    assert findings == set()
    assert problems == {
        f"rule {each} could not be decided: it needs the packages feed for npm" for each in ("new", "unknown")
    }
    document = {"dist-tags": {"latest": "4.19.2"}, "versions": {"4.19.2": {}, "4.18.0": {}}}
    with serving() as server:
        server.answers["/npm/express"] = Answer(json.dumps(document).encode())
        (tmp_path / "config.yaml").write_text(f"feeds:\n  packages:\n    url: {server.url}\n")
        done = run("feeds", "sync", "packages", env={"ANCHORE_CONFIG": str(tmp_path / "config.yaml")})
        assert done.code == 0, done.err
        # The application's own name is nobody else's business.
        assert sorted(server.paths()) == ["/npm/express", "/npm/left-pad-2"]
    findings, problems = found(run, tmp_path, first)
    newest = "installed but is not the latest version (4.19.2)"
    stranger = "in container but not in official NPM feed."
    assert findings == {
        ("new", f"NPMNOTLATEST Package (express) version (4.18.0) {newest}"),
        ("unknown", f"NPMNOTOFFICIAL Package (left-pad-2) {stranger}"),
        ("unknown", f"NPMNOTOFFICIAL Package (our-secret-app) {stranger}"),
    }
    assert problems == set()
    findings, problems = found(run, tmp_path, image(tmp_path / "b.tar", lodash="4.17.21", express="4.19.2"))
    assert {name for name, _ in findings} == {"unknown"}
    assert problems == {
        f"rule {each} could not be decided for lodash: the packages feed is older than the image"
        for each in ("new", "unknown")
    }


def test_from_a_file_without_a_network(run: Run, tmp_path: Path) -> None:
    listed = tmp_path / "npm.json"
    listed.write_text(json.dumps({"express": {"latest": "4.18.0", "versions": ["4.18.0"]}}))
    assert run("feeds", "sync", "packages", "--from", listed).code == 0
    findings, problems = found(run, tmp_path, image(tmp_path / "a.tar", express="4.18.0"))
    assert (len(findings), problems) == (1, set())
