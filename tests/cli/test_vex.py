"""VEX from the outside: what a document settles is suppressed where all see it, and stays so when asked again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.auditing import OLD, at
from tests.cli.conftest import Run
from tests.cli.world import Done, archive, debian, tracker
from tests.vex.documents import LATE, openvex, said

NOON = "2024-06-01T12:00:00Z"
HIGH = {"status": "resolved", "fixed_version": "3.0.13-1", "urgency": "high"}
PURL = f"pkg:deb/debian/libssl3@{OLD.replace('~', '%7E')}"
CVE = "CVE-2024-1001"


@dataclass
class World:
    """An image with one vulnerability."""

    run: Run
    path: Path

    def document(self, *statements: Any, name: str = "a.vex.json") -> Path:
        (self.path / name).write_bytes(openvex(*statements))
        return self.path / name

    def scan(self, *args: object) -> Done:
        return self.run("scan", self.path / "image.tar", "-o", "json", *args, env=at(NOON))


@pytest.fixture
def world(run: Run, tmp_path: Path) -> World:
    archive(tmp_path / "image.tar", debian(f"libssl3={OLD}<openssl", "bash=5.2-1"))
    source = tracker(tmp_path / "tracker.json", {"openssl": {CVE: HIGH}})
    assert run("feeds", "sync", "debian", "--from", source, env=at(NOON)).code == 0
    return World(run, tmp_path)


def test_what_is_not_affected_is_suppressed_with_its_reason_and_verifies(world: World) -> None:
    assert world.scan().code == 1
    document = world.document(said(CVE, PURL, impact_statement="never called"))
    done = world.scan("--vex", document)
    assert done.code == 0, done.err
    report = done.json
    assert report["matches"] == []
    (match,) = report["suppressed"]
    reason = "VEX not_affected (vulnerable_code_not_present; never called): a.vex.json by Example Org"
    assert (match["id"], match["reason"], match["vex"]) == (CVE, reason, reason)
    (source,) = report["evaluation"]["vex"]
    assert (source["name"], source["format"], source["statements"]) == ("a.vex.json", "openvex", 1)
    file = world.path / "report.json"
    file.write_text(done.out)
    document.unlink()
    assert world.run("verify", file).code == 0
    assert world.run("history", "show", "2", "-o", "json").json["suppressed"][0]["reason"] == reason
    replayed = world.run("replay", "2", "-o", "json", env=at(NOON))
    assert (replayed.code, replayed.json["suppressed"][0]["reason"]) == (0, reason)
    shown = world.run("history", "show", "2", "--all")
    assert "never called" in shown.out
    diff = world.run("diff", "1", "2", "-o", "json").json
    (change,) = diff["matches"]
    assert (change["change"], [each["kind"] for each in change["causes"]]) == ("gone", ["exception"])
    assert "VEX (a.vex.json)" in change["causes"][0]["detail"]


def test_what_is_affected_is_annotated_and_counts(world: World) -> None:
    document = world.document(said(CVE, PURL, "under_investigation"))
    done = world.scan("--vex", document)
    assert done.code == 1
    assert done.json["matches"][0]["vex"] == "VEX under_investigation: a.vex.json by Example Org"
    assert done.json["suppressed"] == []


def test_the_latest_statement_holds_and_a_tie_is_cautious_and_told(world: World) -> None:
    world.document(said(CVE, PURL, "affected", action_statement="update"), name="old.json")
    world.document(said(CVE, PURL, "fixed", timestamp=LATE), name="new.json")
    both = ("--vex", world.path / "old.json", "--vex", world.path / "new.json")
    done = world.scan(*both)
    assert (done.code, done.json["suppressed"][0]["vex"]) == (0, "VEX fixed: new.json by Example Org")
    world.document(said(CVE, PURL, "fixed"), name="new.json")
    done = world.scan(*both)
    assert done.code == 1
    assert done.json["matches"][0]["vex"].startswith("VEX affected (update)")
    (problem,) = [each for each in done.json["coverage"]["problems"] if each["stage"] == "vex"]
    assert "disagree (affected and fixed)" in problem["message"]


def test_statements_about_something_else_say_nothing(world: World) -> None:
    others = (
        said("CVE-2024-9999", PURL),
        said(CVE, "pkg:deb/debian/libssl3@1.0"),
        said(CVE, [{"@id": f"pkg:oci/app@sha256%3A{'0' * 64}", "subcomponents": [{"@id": PURL}]}]),
    )
    done = world.scan("--vex", world.document(*others))
    assert (done.code, done.json["suppressed"], "vex" in done.json["matches"][0]) == (1, [], False)


def test_a_statement_about_the_image_and_what_is_inside(world: World) -> None:
    digest = world.scan().json["image"]["digest"]
    for inside, code in (([], 0), ([{"@id": PURL}], 0), ([{"@id": "pkg:deb/debian/bash"}], 1)):
        document = world.document(said(CVE, [{"@id": digest, "subcomponents": inside}]))
        assert world.scan("--vex", document).code == code, inside


def test_explain_says_what_vex_did(world: World) -> None:
    world.scan()
    document = world.document(said(CVE, PURL))

    def step(*args: object) -> list[dict[str, str]]:
        done = world.run("explain", CVE, world.path / "image.tar", "-o", "json", *args, env=at(NOON))
        assert done.code == 0, done.err
        return [each for each in done.json["packages"][0]["steps"] if each["name"] == "vex"]

    assert step() == [{"name": "vex", "answer": "note", "detail": "no VEX document was given"}]
    (found,) = step("--vex", document)
    assert (found["answer"], "VEX not_affected" in found["detail"]) == ("no", True)
    world.document(said("CVE-1", PURL))
    assert "no statement is about it in a.vex.json" in step("--vex", document)[0]["detail"]


def test_the_setting_is_believed_and_the_working_directorys_is_not(world: World) -> None:
    document = world.document(said(CVE, PURL))
    settings = world.path / "home" / "anchore" / "config.yaml"
    settings.parent.mkdir()
    settings.write_text(f"vex: [{document}]\n")
    assert world.scan().code == 0
    settings.unlink()
    (world.path / "home" / ".anchore.yaml").write_text(f"vex: [{document}]\n")
    assert world.scan().code == 2


def test_a_document_that_cannot_be_used_stops_before_anything(world: World) -> None:
    for text in ("{", '{"@context": "https://openvex.dev/ns", "statements": 7}'):
        (world.path / "bad.json").write_text(text)
        for command in (("scan", world.path / "nowhere.tar"), ("replay", "1"), ("explain", CVE, "1")):
            world.scan()
            done = world.run(*command, "--vex", world.path / "bad.json")
            if command[0] != "scan":
                assert (done.code, f"{world.path / 'bad.json'}: " in done.err) == (2, True), done.err
        done = world.scan("--vex", world.path / "bad.json")
        assert (done.code, done.out, f"{world.path / 'bad.json'}: " in done.err) == (2, "", True)
    done = world.scan("--vex", world.path / "nowhere.json")
    assert (done.code, "cannot be read" in done.err) == (2, True)


ALLOWING = """
id: b
version: "1_0"
policies:
  - id: p
    version: "1_0"
    rules:
      - {id: r, gate: vulnerabilities, trigger: package, action: stop, params: {package_type: all}}
whitelists:
  - id: w
    version: "1_0"
    items: [{id: i, gate: vulnerabilities, trigger_id: "CVE-2024-1001+*", reason: behind a proxy, owner: Ann}]
mappings:
  - {id: m, registry: "*", repository: "*", image: {type: tag, value: "*"}, policy_ids: [p], whitelist_ids: [w]}
"""


def test_what_was_settled_is_written_and_read_back(world: World) -> None:
    world.scan("--vex", world.document(said(CVE, PURL, impact_statement="never called")))
    done = world.run("vex", "1", "--author", "Ann")
    assert done.code == 0, done.err
    (statement,) = done.json["statements"]
    assert (done.json["author"], statement["status"]) == ("Ann", "not_affected")
    assert "never called" in statement["impact_statement"]
    (world.path / "b.json").write_text(done.out)
    assert world.scan("--vex", world.path / "b.json").code == 0
    assert world.run("vex", "1", "--author", "Ann").out == done.out


def test_what_an_exception_lets_through_is_affected_unless_said_otherwise(world: World) -> None:
    bundle = world.path / "bundle.yaml"
    bundle.write_text(ALLOWING)
    assert world.scan("--policy", bundle).code == 0
    (statement,) = world.run("vex", "1").json["statements"]
    assert statement["status"] == "affected"
    assert statement["action_statement"] == "accepted by exception i: behind a proxy, owner Ann"
    (package,) = statement["products"][0]["subcomponents"]
    assert package["@id"].startswith("pkg:deb/debian/libssl3@")
    denied = world.run("vex", "1", "--allowed-as", "not_affected")
    (world.path / "b.json").write_text(denied.out)
    assert "impact_statement" in denied.json["statements"][0]
    assert world.scan("--vex", world.path / "b.json").code == 0


def test_an_image_that_was_never_evaluated(world: World) -> None:
    world.run("sbom", world.path / "image.tar")
    done = world.run("vex", world.path / "image.tar")
    assert (done.code, "never evaluated" in done.err) == (3, True), done.err


@pytest.mark.parametrize("form", ["openvex", "csaf", "cyclonedx"])
def test_every_format_is_written_and_believed(world: World, form: str) -> None:
    world.scan("--vex", world.document(said(CVE, PURL, impact_statement="never called")))
    done = world.run("vex", "1", "-o", form, "--author", "Ann", "--namespace", "https://example.org")
    assert done.code == 0, done.err
    (world.path / "b.json").write_text(done.out)
    believed = world.scan("--vex", world.path / "b.json")
    assert (believed.code, believed.json["evaluation"]["vex"][0]["format"]) == (0, form)
    assert "never called" in believed.json["suppressed"][0]["reason"]


def test_csaf_without_a_namespace_is_refused(world: World) -> None:
    world.scan("--vex", world.document(said(CVE, PURL)))
    done = world.run("vex", "1", "-o", "csaf")
    assert (done.code, done.out, "--namespace URL" in done.err) == (2, "", True)
