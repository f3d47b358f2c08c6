"""``anchore update`` from the outside: what a sync touches is made again with its cause, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.auditing import CVE, NEW_CVE, OLD, at
from tests.cli.conftest import Run
from tests.cli.world import Done, archive, debian, tracker
from tests.feeds.server import Answer, Server, serving

FIRST, SECOND, THIRD = (f"2024-06-0{day}T12:00:00Z" for day in (1, 2, 3))
OTHER = {"CVE-2024-9": {"status": "open", "urgency": "low"}}


@dataclass
class World:
    """Two images in a store: one with openssl, one with curl."""

    run: Run
    path: Path
    web: Server

    def sync(self, data: Any, moment: str) -> None:
        source = tracker(self.path / "tracker.json", data)
        done = self.run("feeds", "sync", "debian", "--from", source, "--allow-shrink", env=at(moment))
        assert done.code == 0, done.err

    def scan(self, name: str, moment: str, *args: object) -> None:
        done = self.run("scan", self.path / f"{name}.tar", "-o", "json", *args, env=at(moment))
        assert done.out, done.err

    def update(self, moment: str, *args: object) -> Done:
        return self.run("update", *args, env=at(moment))

    def history(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.run("history", "--json").json
        return found


@pytest.fixture
def world(run: Run, tmp_path: Path) -> Iterator[World]:
    with serving(hook=Answer()) as web:
        made = World(run, tmp_path, web)
        archive(tmp_path / "ssl.tar", debian(f"libssl3={OLD}<openssl", "zlib1g=1.2"))
        archive(tmp_path / "curl.tar", debian("curl=7.88", "zlib1g=1.2"))
        made.sync({"openssl": CVE, "curl": OTHER}, FIRST)
        made.scan("ssl", FIRST)
        made.scan("curl", FIRST)
        yield made


def test_a_vulnerability_of_several_packages_is_counted_once(world: World) -> None:
    archive(world.path / "two.tar", debian(f"libssl3={OLD}<openssl", f"openssl={OLD}"))
    world.scan("two", FIRST)
    world.sync({"openssl": CVE | NEW_CVE, "curl": OTHER}, SECOND)
    rows = {row["reference"][-7:]: row for row in world.update(SECOND, "--json").json}
    two = rows["two.tar"]
    assert (two["vulnerabilities"], two["previous"]["vulnerabilities"]) == (2, 1)


def test_only_what_a_change_touches_is_made_again_with_its_cause(world: World) -> None:
    assert world.update(FIRST, "--json").json == []
    world.sync({"openssl": CVE | NEW_CVE, "curl": OTHER}, SECOND)
    done = world.update(SECOND, "--json")
    assert done.code == 0, done.err
    assert "evaluated 1 again, changed: 1" in done.err
    (row,) = done.json
    assert row["reference"].endswith("ssl.tar")
    assert (row["vulnerabilities"], row["previous"]["vulnerabilities"]) == (2, 1)
    cause = row["cause"]
    assert cause["feeds"] == [{"feed": "debian", "before": 1, "after": 2}]
    assert (cause["advisories"], cause["feed_revision"]) == (["CVE-2024-2002"], {"before": 1, "after": 2})
    (vulnerability,) = cause["vulnerabilities"]
    assert (vulnerability["change"], vulnerability["id"], vulnerability["package"]) == (
        "added", "CVE-2024-2002", "libssl3",
    )  # fmt: skip
    assert [each["kind"] for each in vulnerability["causes"]] == ["feed"]
    assert [each["id"] for each in world.history()] == [3, 2, 1]
    # Once is enough.
    again = world.update(THIRD, "--json")
    assert (again.code, again.json, len(world.history())) == (0, [], 3)


def test_an_update_is_an_evaluation_like_any_other(world: World) -> None:
    world.sync({"openssl": CVE | NEW_CVE, "curl": OTHER}, SECOND)
    table = world.update(SECOND)
    assert "ssl.tar" in table.out
    assert "1 -> 2" in table.out
    assert "CVE-2024-2002" in table.out
    shown = world.run("history", "show", "3", "-o", "json")
    assert "after evaluation 1, since debian (1 -> 2) changed; it differs by CVE-2024-2002" in shown.err
    report = world.path / "report.json"
    report.write_text(shown.out)
    assert world.run("verify", report).code == 0
    (world.path / "ssl.tar").unlink()
    world.sync({"openssl": NEW_CVE, "curl": OTHER}, THIRD)
    (row,) = world.update(THIRD, "--json").json
    assert (row["previous"]["evaluation"], row["cause"]["vulnerabilities"][0]["change"]) == (3, "gone")


def test_the_bundle_of_the_last_evaluation_judges(world: World) -> None:
    world.scan("curl", FIRST, "--fail-on", "low")
    changed = {"CVE-2024-9": {"status": "resolved", "fixed_version": "8", "urgency": "low"}}
    world.sync({"openssl": CVE, "curl": changed}, SECOND)
    (row,) = world.update(SECOND, "--json").json
    assert row["cause"]["vulnerabilities"][0]["change"] == "changed"
    assert row["status"] == "fail"
    assert world.history()[0]["bundle"] == "fail-on-low"


def test_what_changed_after_a_revision_can_be_asked_for_again(world: World) -> None:
    world.sync({"openssl": CVE | NEW_CVE, "curl": OTHER}, SECOND)
    assert len(world.update(SECOND, "--json").json) == 1
    (row,) = world.update(SECOND, "--since-revision", "1", "--json").json
    assert (row["cause"]["previous"], row["cause"]["vulnerabilities"], row["cause"]["feeds"]) == (3, [], [])
    done = world.update(SECOND, "--since-revision", "9")
    assert (done.code, "revision 9 is not in the store" in done.err) == (2, True)


def test_changes_are_told_once_by_update_or_by_the_watch(world: World) -> None:
    image = world.path / "ssl.tar"
    assert world.run("watch", "add", image).code == 0
    quiet = ("watch", "run", "--once", "--no-sync")
    assert world.run(*quiet, env=at(FIRST)).code == 0
    world.sync({"openssl": CVE | NEW_CVE, "curl": OTHER}, FIRST)
    done = world.update(FIRST, "--notify", "--webhook", f"{world.web.url}/hook")
    assert done.code == 0, done.err
    told = [line.split()[1] for line in done.out.splitlines()]
    assert told == ["vuln_update"]
    assert [json.loads(body)["kind"] for *_, body in world.web.requests] == told
    after = world.run(*quiet, env=at(FIRST))
    assert (after.code, after.out) == (0, "")
    assert "evaluated 0" in after.err


def test_what_update_did_not_tell_the_watch_does(world: World) -> None:
    assert world.run("watch", "add", world.path / "ssl.tar").code == 0
    quiet = ("watch", "run", "--once", "--no-sync")
    world.run(*quiet, env=at(FIRST))
    world.sync({"openssl": CVE | NEW_CVE, "curl": OTHER}, FIRST)
    assert len(world.update(FIRST, "--json").json) == 1
    assert "vuln_update" in world.run(*quiet, env=at(FIRST)).out


def test_a_webhook_that_fails_and_two_writers_to_one_output(world: World) -> None:
    world.sync({"openssl": CVE | NEW_CVE, "curl": OTHER}, SECOND)
    done = world.update(SECOND, "--json", "--notify")
    assert (done.code, "--notify and --json" in done.err) == (2, True)
    done = world.update(SECOND, "--notify", "--webhook", f"{world.web.url}/nowhere")
    assert done.code == 5, done.err


def test_an_evaluation_that_cannot_be_read_is_told_and_stops_no_other(world: World) -> None:
    import sqlite3

    db = sqlite3.connect(world.path / "store.db")
    db.execute("DELETE FROM evaluation_part WHERE evaluation = 1 AND name = 'matches'")
    db.commit()
    db.close()
    world.sync({"openssl": CVE | NEW_CVE, "curl": NEW_CVE}, SECOND)
    for _ in range(2):  # until it is scanned again
        done = world.update(SECOND, "--json")
        assert (done.code, "evaluation 1" in done.err) == (4, True), done.err
    assert [each["image"].rpartition("/")[2] for each in world.history()] == ["curl.tar", "curl.tar", "ssl.tar"]


def test_a_store_of_an_older_version_is_indexed_when_it_is_asked(world: World) -> None:
    import sqlite3

    db = sqlite3.connect(world.path / "store.db")
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("DELETE FROM asked_form")
    db.execute("DELETE FROM asked_by")
    db.execute("DELETE FROM asked_part")
    db.execute("DELETE FROM asked_name")
    db.commit()
    db.close()
    world.sync({"openssl": CVE | NEW_CVE, "curl": OTHER}, SECOND)
    (row,) = world.update(SECOND, "--json").json
    assert row["reference"].endswith("ssl.tar")
