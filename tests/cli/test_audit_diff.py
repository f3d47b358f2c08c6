"""What changed between two evaluations and what caused it, on a store in which every input changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.auditing import CVE, FIFTH, NEW_CVE, OLD, ZLIB, Audit, at, audit, bundle
from tests.cli.conftest import Run
from tests.cli.world import archive, debian


@pytest.fixture
def world(run: Run, tmp_path: Path) -> Audit:
    return audit(run, tmp_path)


def told(world: Audit, before: object, after: object) -> dict[str, Any]:
    done = world.run("diff", before, after, "-o", "json")
    assert (done.code, done.err) == (0, "")
    found: dict[str, Any] = done.json
    return found


def rows(changes: list[dict[str, Any]]) -> list[tuple[str, str, str, list[str]]]:
    found = []
    for change in changes:
        item = change["after"] or change["before"]
        name = f"{item['id']} {item['package']}" if "id" in item else item["trigger_id"]
        found.append((change["change"], name, item.get("action", ""), [cause["kind"] for cause in change["causes"]]))
    return found


def details(changes: list[dict[str, Any]]) -> set[str]:
    return {cause["detail"] for change in changes for cause in change["causes"]}


def test_a_feed_that_knows_more(world: Audit) -> None:
    found = told(world, 1, 2)
    assert found["inputs"] == ["feed", "time"]
    assert rows(found["matches"]) == [
        ("added", "CVE-2024-2002 libssl3", "", ["feed"]),
        ("added", "CVE-2024-2002 openssl", "", ["feed"]),
    ]
    assert [row[1:] for row in rows(found["findings"])] == [
        ("CVE-2024-2002+libssl3", "stop", ["feed"]),
        ("CVE-2024-2002+openssl", "stop", ["feed"]),
    ]
    assert details(found["matches"]) == {"advisory CVE-2024-2002 of debian is new (revision 2)"}
    assert found["causes"] == {"feed": 4}


def test_another_rule(world: Audit) -> None:
    found = told(world, 2, 3)
    assert found["inputs"] == ["bundle", "time"]
    assert found["matches"] == []
    assert [row[2:] for row in rows(found["findings"])] == [("stop", ["bundle"])]
    assert details(found["findings"]) == {"rule shell of policy p changed: params name=dash is now name=bash"}


def test_another_image(world: Audit) -> None:
    found = told(world, 3, 4)
    assert found["inputs"] == ["image", "time"]
    assert rows(found["matches"]) == [
        ("gone", "CVE-2024-1001 libssl3", "", ["image"]),
        ("gone", "CVE-2024-2002 libssl3", "", ["image"]),
        ("added", "CVE-2024-3003 zlib", "", ["image"]),
    ]
    assert details(found["matches"]) == {
        f"package libssl3 {OLD} removed",
        "package zlib 1.2 added in layer 0 (RUN step 1)",
    }
    packages = found["packages"]
    assert [each["name"] for each in packages["added"]] == ["zlib"]
    assert [each["name"] for each in packages["removed"]] == ["libssl3"]
    assert [(each["name"], each["before"], each["after"]) for each in packages["changed"]] == [
        ("bash", ["5.2"], ["5.2-2"])
    ]


def test_an_exception_that_was_added_and_one_that_expired(world: Audit) -> None:
    found = told(world, 4, 5)
    assert found["inputs"] == ["exception", "time"]
    assert rows(found["findings"]) == [("changed", "CVE-2024-2002+openssl", "go", ["exception"])]
    assert details(found["findings"]) == {"exception known added"}
    world.scan("2024-07-01T00:00:00Z", "--policy", world.path / "bundle3.yaml")
    found = told(world, 5, 6)
    assert found["inputs"] == ["time"]
    stops = [change for change in found["findings"] if change["change"] == "changed"]
    assert rows(stops) == [("changed", "CVE-2024-2002+openssl", "stop", ["exception"])]
    assert "exception known" in stops[0]["causes"][0]["detail"]


def test_all_at_once_each_with_its_own_cause(world: Audit) -> None:
    found = told(world, 1, 5)
    assert found["inputs"] == ["image", "feed", "bundle", "exception", "time"]
    assert rows(found["matches"]) == [
        ("gone", "CVE-2024-1001 libssl3", "", ["image"]),
        ("added", "CVE-2024-2002 openssl", "", ["feed"]),
        ("added", "CVE-2024-3003 zlib", "", ["image", "feed"]),
    ]
    stops = [row for row in rows(found["findings"]) if not row[1].startswith("CVE")]
    assert [row[2:] for row in stops] == [("stop", ["bundle"])]
    back = told(world, 5, 1)
    assert {row[0] for row in rows(back["matches"])} == {"added", "gone"}
    assert [row[3] for row in rows(back["matches"])] == [["image"], ["feed"], ["image", "feed"]]


def test_an_upgrade_that_fixes_and_a_severity_that_rose(world: Audit) -> None:
    archive(world.image, debian("openssl=3.0.13-1~deb12u1", "bash=5.2-2", "zlib=1.2"))
    world.scan("2024-06-06T12:00:00Z", "--policy", world.path / "bundle2.yaml")
    found = told(world, 4, 6)
    assert rows(found["matches"])[0] == ("gone", "CVE-2024-1001 openssl", "", ["image"])
    assert rows(found["matches"])[1] == ("changed", "CVE-2024-2002 openssl", "", ["image"])
    assert f"package openssl {OLD} is now 3.0.13-1~deb12u1 in layer 0 (RUN step 1)" in details(found["matches"])
    worse = {"CVE-2024-3003": {"status": "resolved", "fixed_version": "1.3", "urgency": "high"}}
    world.sync("2024-06-07T12:00:00Z", {"openssl": CVE | NEW_CVE, "zlib": worse})
    world.scan("2024-06-07T12:00:00Z", "--policy", world.path / "bundle2.yaml")
    found = told(world, 6, 7)
    assert rows(found["matches"]) == [("changed", "CVE-2024-3003 zlib", "", ["feed"])]
    (change,) = found["matches"]
    assert (change["before"]["severity"], change["after"]["severity"]) == ("medium", "high")
    assert change["after"]["fixed_in"] == ["1.3"]
    assert details(found["matches"]) == {"advisory CVE-2024-3003 of debian changed (revision 3)"}


def test_a_vulnerability_that_a_feed_takes_back(world: Audit) -> None:
    world.sync("2024-06-06T12:00:00Z", {"openssl": NEW_CVE, "zlib": ZLIB})
    world.scan("2024-06-06T12:00:00Z", "--policy", world.path / "bundle2.yaml")
    found = told(world, 4, 6)
    assert rows(found["matches"]) == [("gone", "CVE-2024-1001 openssl", "", ["feed"])]
    assert details(found["matches"]) == {"advisory CVE-2024-1001 of debian is gone (revision 3)"}


def test_images_by_name_and_digest_and_those_never_evaluated(world: Audit) -> None:
    other = archive(world.path / "other.tar", debian("zlib=1.1"))
    assert world.run("sbom", other, "-o", "purls").code == 0
    found = told(world, "image.tar", other)
    assert found["before"]["evaluation"] == 5
    assert found["after"]["evaluation"] is None
    assert ("added", "CVE-2024-3003 zlib") not in {row[:2] for row in rows(found["matches"])}
    by_number = world.run("history", "1", "--json")
    assert by_number.code == 3
    assert "anchore history show 1" in by_number.err
    same = told(world, 3, 3)
    assert (same["inputs"], same["matches"], same["findings"]) == ([], [], [])


def test_the_table_has_a_line_for_each_change_and_its_cause(world: Audit) -> None:
    out = world.run("diff", 1, 5).out
    assert "A  evaluation 1" in out
    assert "changed inputs: image, feed, bundle, exception, time" in out
    assert "vulnerabilities: 2 added, 1 gone" in out
    assert "+ CVE-2024-3003 medium zlib 1.2 not-fixed\n    image: package zlib 1.2 added" in out
    assert "no difference" in world.run("diff", 2, 2).out


def test_what_is_not_there(world: Audit) -> None:
    done = world.run("diff", 1, "nothing:1")
    assert done.code == 3
    assert "nothing:1" in done.err
    assert world.run("diff", 1).code == 2


# ── scan --since ────────────────────────────────────────────────────────────────────────────────────────────


def since(world: Audit, *args: object, moment: str = "2024-06-06T12:00:00Z") -> tuple[int, str]:
    policy = world.path / "bundle2.yaml"
    done = world.run("scan", world.image, "-o", "json", "--policy", policy, *args, env=at(moment))
    return done.code, done.err


def test_an_image_that_brought_nothing_does_not_fail_by_cause(world: Audit) -> None:
    assert since(world, "--since", 4)[0] == 1
    code, said = since(world, "--since", 4, "--fail-on-cause", "image")
    assert code == 0
    assert "none of them is caused by image" in said
    code, said = since(world, "--since", 1, "--fail-on-cause", "image", "--fail-on-cause", "bundle")
    assert code == 1
    assert "1 of the findings that stop are caused by image or bundle" in said


def test_an_image_that_brought_something_fails(world: Audit) -> None:
    archive(world.image, debian(f"openssl={OLD}", "bash=5.2-2", "zlib=1.2", f"libssl3={OLD}<openssl"))
    code, said = since(world, "--since", "image.tar", "--fail-on-cause", "image")
    assert code == 1
    assert "2 of the findings that stop are caused by image" in said
    assert "added    by image: 4" in said
    assert since(world, "--since", "image.tar", "--fail-on-cause", "image", moment="2024-06-06T13:00:00Z")[0] == 0


def test_a_feed_that_knows_more_is_not_the_images_fault(world: Audit) -> None:
    bash = {"CVE-2024-4004": {"status": "open", "urgency": "high"}}
    world.sync("2024-06-06T00:00:00Z", {"openssl": CVE | NEW_CVE, "zlib": ZLIB, "bash": bash})
    assert since(world, "--since", 4, "--fail-on-cause", "image")[0] == 0
    assert since(world, "--since", 4, "--fail-on-cause", "feed")[0] == 1


def test_incomplete_evidence_stays_indeterminate(world: Audit) -> None:
    archive(world.image, debian("bash=5.2") | {"etc/os-release": "ID=debian\nVERSION_ID=9\n"})
    policy = bundle(world.path / "bundle4.yaml", name="dash")
    args = ("scan", world.image, "--policy", policy, "--since", 4, "--fail-on-cause", "image", "-o", "json")
    assert world.run(*args, env=at(FIFTH)).code == 4


def test_a_cause_needs_something_to_compare_with(world: Audit) -> None:
    code, said = since(world, "--fail-on-cause", "image")
    assert code == 2
    assert "--since" in said
    code, said = since(world, "--since", "nothing:1")
    assert code == 3
    assert len(world.run("history", "--json").json) == 5
    assert since(world, "--since", 4, "--fail-on-cause", "weather")[0] == 2


def test_a_number_that_is_gone_means_nothing_else(world: Audit) -> None:
    assert world.run("store", "gc", "--days", 2, env=at(FIFTH)).code == 0
    assert told(world, 4, 5)["inputs"] == ["exception", "time"]
    done = world.run("diff", 1, 5)
    assert done.code == 3
    assert "there is no evaluation 1" in done.err
