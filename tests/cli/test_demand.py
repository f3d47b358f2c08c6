"""Secrets, malware, changed and retrieved files, as a user asks for them: by rules, by switches, by settings."""

from __future__ import annotations

import json
from hashlib import md5, sha256
from pathlib import Path

from tests.cli.conftest import Run
from tests.cli.world import archive, debian
from tests.source.clamd import EICAR, clamd
from tests.test_imports import below, loaded

TOKEN = "ghp_" + "Ab3dE5gH7jK9mN1pQ2sT4vW6yZ8bC0eF2hJ4"
BUNDLE = """
id: demands
version: "1_0"
policies:
  - id: p
    rules:
      - {id: secret, gate: secret_scans, trigger: content_regex_checks, action: stop}
      - {id: verify, gate: packages, trigger: verify, action: warn}
      - {id: users, gate: passwd_file, trigger: blacklist_usernames, action: warn, params: {user_names: [games]}}
      - {id: licence, gate: files, trigger: content_regex_match, action: warn, params: {regex_name: "GPL=.*GPL-2"}}
      - {id: virus, gate: malware, trigger: scans, action: stop}
      - {id: scanned, gate: malware, trigger: scan_not_run, action: warn}
mappings:
  - {id: m, registry: "*", repository: "*", image: {type: tag, value: "*"}, policy_id: p}
"""
CHANGED = "VERIFY check against package db for package 'bash' failed on entry '/bin/bash' with status: 'changed'"
PASSWD = "root:x:0:0:root:/root:/bin/sh\ngames:x:5:60:games:/usr/games:/usr/sbin/nologin\n"


def image(directory: Path) -> Path:
    lower = {
        **debian("bash=5.2"),
        "var/lib/dpkg/info/bash.list": "/.\n/bin/bash\n",
        "var/lib/dpkg/info/bash.md5sums": f"{md5(b'bash').hexdigest()}  bin/bash\n",
        "bin/bash": "bash",
        "etc/passwd": PASSWD,
    }
    upper = {"bin/bash": "evil", "app/.env": f"A=1\nTOKEN={TOKEN}\n", "app/x": EICAR, "app/COPYING": "v\nthe GPL-2\n"}
    return archive(directory / "image.tar", lower, upper)


def test_a_bundle_gets_what_its_rules_look_at(run: Run, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.yaml"
    bundle.write_text(BUNDLE)
    with clamd() as (address, _):
        env = {"ANCHORE_MALWARE_CLAMD": address}
        done = run("scan", image(tmp_path), "--policy", bundle, "-o", "json", env=env)
        again = run("scan", image(tmp_path), "--policy", bundle, "-o", "json", env=env)
    assert done.code == again.code == 1, done.err
    fired = {(f["rule_id"], f["message"].partition(" regexp=")[0]) for f in done.json["verdict"]["findings"]}
    assert fired == {
        ("secret", "Secret content search analyzer found regexp match in container: file=/app/.env"),
        ("verify", CHANGED),
        ("users", "Blacklisted user 'games' found in image's /etc/passwd: pentry=" + PASSWD.splitlines()[1]),
        ("licence", "File content analyzer found regexp match in container: file=/app/COPYING"),
        ("virus", "Malware scan finding: scanner=clamav file=/app/x signature=Eicar-Test-Signature"),
    }  # fmt: skip
    report = done.json
    assert [(each["rule"], each["path"], each["line"]) for each in report["secrets"]] == [
        ("GITHUB_TOKEN", "app/.env", 2)
    ]
    retrieved = {"path": "etc/passwd", "size": len(PASSWD), "sha256": sha256(PASSWD.encode()).hexdigest()}
    assert [{key: each[key] for key in retrieved} for each in report["retrieved"]] == [retrieved]
    assert {"secrets", "contents", "retrieve", "malware", "verify"} <= report["looked_for"].keys()
    for key in ("secrets", "contents", "retrieved", "malware", "differences", "looked_for"):
        assert again.json[key] == report[key]
    everything = done.out + done.err + again.out + again.err
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("store.db*"))
    assert TOKEN not in everything and TOKEN.encode() not in kept


def test_without_a_scanner_the_policy_says_that_none_was_run(run: Run, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.json"
    rule = {"id": "r", "gate": "malware", "trigger": "scan_not_run", "action": "stop"}
    mapping = {"id": "m", "registry": "*", "repository": "*", "image": {"type": "tag", "value": "*"}, "policy_id": "p"}
    policy = {"id": "p", "rules": [rule]}
    bundle.write_text(json.dumps({"id": "b", "version": "1_0", "policies": [policy], "mappings": [mapping]}))
    # A PATH without clamscan; no daemon listens in a test's home.
    done = run("scan", image(tmp_path), "--policy", bundle, "-o", "json", env={"PATH": str(tmp_path)})
    assert [finding["message"] for finding in done.json["verdict"]["findings"]] == ["No malware scans found for image"]
    assert done.code == 1


def test_switches_look_without_any_rule(run: Run, tmp_path: Path) -> None:
    done = run("scan", image(tmp_path), "--secrets", "--verify-packages", "-o", "json")
    assert [each["path"] for each in done.json["secrets"]] == ["app/.env"]
    assert [(each["path"], each["status"], each["detail"]) for each in done.json["differences"]] == [
        ("bin/bash", "changed", ["digest"])
    ]
    plain = run("scan", image(tmp_path), "-o", "json")
    assert (plain.json["looked_for"], plain.json["secrets"]) == ({}, [])


def test_settings_look_too(run: Run, tmp_path: Path) -> None:
    settings = tmp_path / "config.yaml"
    settings.write_text(
        "secret-search: {enabled: true, max-file-bytes: 10}\n"
        "content-search: ['GPL=.*GPL-2']\nretrieve-files: [/etc/passwd, nowhere]\n"
    )
    done = run("--config", settings, "scan", image(tmp_path), "-o", "json")
    assert done.json["secrets"] == []
    assert "larger were not searched" in done.json["looked_for"]["secrets.limit"][0]
    assert [each["lines"] for each in done.json["contents"]] == [[2]]
    assert [each["path"] for each in done.json["retrieved"]] == ["etc/passwd"]
    assert done.json["looked_for"]["retrieve"] == ["etc/passwd", "nowhere"]


def test_mistakes_are_told_before_anything_is_read(run: Run, tmp_path: Path) -> None:
    done = run("scan", image(tmp_path), "--malware", env={"ANCHORE_MALWARE_CLAMD": "127.0.0.1:1"})
    assert done.code == 2
    assert "no scanner answers at 127.0.0.1:1" in done.err and "start clamd" in done.err
    for line, said in (
        ("content-search: [no-regex]", "NAME=REGEX is wanted"),
        ("content-search: ['A=(']", "no usable regular expression"),
        ("content-search: ['A=(a+)+\\1']", "no usable regular expression"),
        ("retrieve-files: [../etc/passwd]", "the path of a file in the image is wanted"),
        ("retrieve-files: [/]", "the path of a file in the image is wanted"),
    ):
        settings = tmp_path / "config.yaml"
        settings.write_text(line + "\n")
        done = run("--config", settings, "scan", image(tmp_path))
        assert (done.code, said in done.err) == (2, True), done.err


def test_a_plain_scan_loads_nothing_of_all_this(tmp_path: Path) -> None:
    archive_path = image(tmp_path)
    for _ in range(2):
        code, modules = loaded(tmp_path, "scan", archive_path, "-o", "json")
        assert code in (0, 4)
        assert below(modules, "anchorecli.analyzers.demand", "anchorecli.source.clamav") == set()
