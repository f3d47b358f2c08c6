"""Rounds of the watch loop from the outside: every change is told once, and nothing else."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.builders import layer, oci_dir
from tests.cli.conftest import Run
from tests.cli.watching import BASH, DAY, LINE, LOUD, NOON, QUIET, Watched, kinds, watching
from tests.cli.world import archive, debian, osv_record, osv_zip, tracker
from tests.feeds.server import Answer
from tests.registry import Registry, needs_registry, start_registry


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with start_registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture
def watched(run: Run, registry: Registry, tmp_path: Path) -> Iterator[Watched]:
    with watching(run, registry, tmp_path) as world:
        yield world


# ── what is watched ─────────────────────────────────────────────────────────────────────────────────────────


def test_add_list_and_remove(run: Run, tmp_path: Path) -> None:
    assert "nothing is watched" in run("watch", "list").err
    done = run("watch", "add", "debian")
    assert (done.code, done.out) == (0, "")
    assert "watching docker.io/debian:latest" in done.err
    assert "watched already" in run("watch", "add", "docker.io/library/debian:latest").err
    (row,) = run("watch", "list", "--json").json
    assert (row["image"], row["digest"], row["status"]) == ("docker.io/debian:latest", "", "not yet seen")
    assert row["vulnerabilities"] is None
    for digest in (f"debian@sha256:{'0' * 64}", f"debian:12@sha256:{'0' * 64}"):
        done = run("watch", "add", digest)
        assert (done.code, "watch a tag" in done.err) == (2, True)
    assert run("watch", "remove", "debian:latest").code == 0
    assert run("watch", "list", "--json").json == []
    done = run("watch", "remove", "debian")
    assert (done.code, "debian is not watched" in done.err) == (3, True)


def test_a_path_is_watched_wherever_the_loop_runs(run: Run, tmp_path: Path) -> None:
    image = archive(tmp_path / "home" / "image.tar", debian("bash=5.2-1"))
    assert run("watch", "add", "image.tar").code == 0
    assert run("watch", "add", "docker-archive:image.tar:test:1").code == 0
    names = [row["image"] for row in run("watch", "list", "--json").json]
    assert names == [str(image), f"docker-archive:{image}:test:1"]
    image.unlink()
    assert [run("watch", "remove", name).code for name in names] == [0, 0]


# ── what a round tells ──────────────────────────────────────────────────────────────────────────────────────


def test_a_vulnerability_of_several_packages_is_counted_once(run: Run, tmp_path: Path) -> None:
    archive(tmp_path / "home" / "two.tar", debian("libssl3=1.1<openssl", "openssl=1.1"))
    feed = tracker(tmp_path / "tracker.json", {"openssl": {"CVE-2024-1": {"status": "open", "urgency": "low"}}})
    assert run("feeds", "sync", "debian", "--from", feed).code == 0
    assert run("watch", "add", "two.tar").code == 0
    assert run("watch", "run", "--once", "--no-sync").code == 0
    (row,) = run("watch", "list", "--json").json
    assert row["vulnerabilities"] == 1


@needs_registry
def test_the_first_look_is_the_baseline_and_no_change_is_silence(watched: Watched) -> None:
    watched.feed(LOUD)
    name = watched.push("app:1", BASH)
    watched.add(name)
    first = watched.round("--webhook", f"{watched.web.url}/hook")
    assert (first.code, first.out) == (0, ""), first.err
    (row,) = watched.run("watch", "list", "--json").json
    assert (row["status"], row["vulnerabilities"], row["checked_at"]) == ("fail", 1, "2024-06-01T12:00:00Z")
    later = {"SOURCE_DATE_EPOCH": str(NOON + 3600)}
    second = watched.round("--webhook", f"{watched.web.url}/hook", env=later)
    assert (second.code, second.out) == (0, ""), second.err
    assert watched.registry.blob_gets() == []
    assert watched.registry.manifest_gets() == ["1"]
    assert watched.evaluations() == 1
    assert watched.posted() == []
    assert watched.run("watch", "list", "--json").json[0]["checked_at"] == "2024-06-01T13:00:00Z"


@needs_registry
def test_a_moved_tag_is_told_and_only_its_unseen_layer_pulled(watched: Watched) -> None:
    name = watched.push("app:1", BASH, layer({"srv/a": "1"}))
    watched.add(name)
    watched.round()
    before = watched.run("watch", "list", "--json").json[0]["digest"]
    watched.push("app:1", BASH, layer({"srv/a": "2"}))
    done = watched.round()
    assert (done.code, kinds(done)) == (0, ["tag_update"]), done.err
    (row,) = watched.run("watch", "list", "--json").json
    assert done.out == f"2024-06-01T12:00:00Z tag_update {name} is now {row['digest']} (was {before})\n"
    image = watched.run("images", "show", row["digest"]).json
    layers = [each["digest"] for each in image["manifest"]["layers"]]
    assert [digest for digest in watched.registry.blob_gets() if digest != image["id"]] == layers[1:]
    assert watched.round().out == ""


@needs_registry
def test_a_moved_tag_that_fixes_something_tells_all_three(watched: Watched) -> None:
    watched.feed(LOUD)
    name = watched.push("app:1", BASH)
    watched.add(name)
    watched.round()
    watched.push("app:1", layer(debian("bash=5.2-2", "zlib1g=1.2")))
    done = watched.round("--webhook", f"{watched.web.url}/hook")
    assert kinds(done) == ["tag_update", "vuln_update", "policy_eval"], done.err
    moved, vulnerabilities, verdict = (event["data"] for event in watched.posted())
    assert [each["id"] for each in vulnerabilities["removed"]] == ["CVE-2024-1"]
    assert (vulnerabilities["added"], vulnerabilities["changed"]) == ([], [])
    assert (verdict["previous_status"], verdict["status"]) == ("fail", "pass")
    assert moved["digest"] == verdict["digest"] != moved["previous_digest"] == verdict["previous_digest"]
    shown = watched.run("history", "show", str(verdict["evaluation"]), "-o", "json")
    assert shown.json["verdict"]["status"] == "pass"


@needs_registry
def test_a_new_vulnerability_is_told_without_asking_for_a_blob(watched: Watched) -> None:
    name = watched.push("app:1", BASH)
    watched.add(name)
    assert watched.round().code == 0
    watched.feed(LOUD)
    done = watched.round("--webhook", f"{watched.web.url}/hook")
    assert (done.code, kinds(done)) == (0, ["vuln_update", "policy_eval"]), done.err
    assert done.out.splitlines() == [
        f"2024-06-01T12:00:00Z vuln_update {name}: vulnerabilities: 1 new",
        f"2024-06-01T12:00:00Z policy_eval {name}: fail (stop), was pass",
    ]
    assert watched.registry.blob_gets() == []
    vulnerabilities, verdict = watched.posted()
    assert vulnerabilities["data"]["added"] == [
        {
            "id": "CVE-2024-1",
            "severity": "high",
            "package": "bash",
            "version": "5.2-1",
            "purl": "pkg:deb/debian/bash@5.2-1?arch=amd64&distro=debian-12",
            "fix_state": "fixed",
            "fixed_in": ["5.2-2"],
        }
    ]
    assert (verdict["data"]["status"], verdict["data"]["action"]) == ("fail", "stop")
    assert watched.round().out == ""


@needs_registry
def test_a_feed_change_about_other_packages_evaluates_nothing(watched: Watched) -> None:
    watched.add(watched.push("app:1", BASH))
    watched.round()
    watched.feed(QUIET | {"nginx": {"CVE-2024-3": {"status": "open", "urgency": "high"}}})
    done = watched.round()
    assert (done.code, done.out) == (0, "")
    assert "revision 2" in done.err
    assert watched.evaluations() == 1


@needs_registry
def test_a_changed_record_is_told_as_changed(watched: Watched) -> None:
    record = {"status": "open", "urgency": "high"}
    watched.feed(QUIET | {"bash": {"CVE-2024-1": record}})
    watched.add(watched.push("app:1", BASH))
    watched.round()
    watched.feed(LOUD)
    done = watched.round("--webhook", f"{watched.web.url}/hook")
    assert kinds(done)[0] == "vuln_update"
    (row,) = watched.posted()[0]["data"]["changed"]
    assert (row["id"], row["fix_state"], row["fixed_in"]) == ("CVE-2024-1", "fixed", ["5.2-2"])


@needs_registry
def test_a_feed_that_comes_decides_also_where_it_has_nothing_about_the_image(watched: Watched) -> None:
    watched.web.answers["/debian.json"] = Answer(status=404)
    watched.add(watched.push("app:1", layer(debian("nobody-knows=1"))))
    assert watched.round().code == 5
    watched.feed(QUIET)
    done = watched.round()
    assert kinds(done) == ["policy_eval"], done.err
    assert "pass (warn), was indeterminate" in done.out or "pass (go), was indeterminate" in done.out


@needs_registry
def test_only_the_feeds_that_images_and_bundle_need_are_fetched(watched: Watched) -> None:
    watched.add(watched.push("app:1", BASH))
    bundle = watched.directory / "bundle.yaml"
    assert watched.run("policy", "init", bundle).code == 0
    bundle.write_text(bundle.read_text().replace("fix_available: true", "kev: true", 1))
    assert "kev" in bundle.read_text()
    watched.web.answers["/kev.json"] = Answer(status=404)
    env = {"ANCHORE_FEED_URL": f"{watched.env['ANCHORE_FEED_URL']} kev={watched.web.url}/kev.json"}
    assert watched.round().code == 0
    assert {path for path in watched.web.paths() if path.endswith(".json")} == {"/debian.json"}
    done = watched.round("--policy", bundle, env=env)
    assert (done.code, "anchore: kev: " in done.err) == (5, True), done.err


@needs_registry
def test_a_feed_that_was_synced_by_name_is_kept_up_to_date(watched: Watched, tmp_path: Path) -> None:
    metadata = "Metadata-Version: 2.1\nName: Jinja2\nVersion: 3.1.2\n"
    site = "usr/lib/python3/dist-packages/jinja2-3.1.2.dist-info/METADATA"
    watched.add(watched.push("app:1", BASH, layer({site: metadata})))

    def publish(*records: dict[str, Any]) -> None:
        watched.web.answers["/PyPI/all.zip"] = Answer(osv_zip(tmp_path / "all.zip", *records).read_bytes())

    env = {"ANCHORE_FEED_URL": f"{watched.env['ANCHORE_FEED_URL']} osv:PyPI={watched.web.url}"}
    first = osv_record("PYSEC-1", "PyPI", "flask", "2")
    publish(first)
    assert watched.run("feeds", "sync", "osv:PyPI", env=env).code == 0
    watched.round(env=env)
    publish(first, osv_record("PYSEC-2", "PyPI", "jinja2", "3.1.3"))
    done = watched.round("--webhook", f"{watched.web.url}/hook", env=env)
    assert kinds(done)[0] == "vuln_update", done.err
    (row,) = watched.posted()[0]["data"]["added"]
    assert (row["id"], row["purl"], row["fixed_in"]) == ("PYSEC-2", "pkg:pypi/jinja2@3.1.2", ["3.1.3"])


@needs_registry
def test_another_bundle_judges_again_and_an_unusable_one_stops_before_anything(watched: Watched) -> None:
    watched.feed(LOUD)
    watched.add(watched.push("app:1", BASH))
    assert watched.round("--fail-on", "high").code == 0
    done = watched.round("--fail-on", "critical")
    assert kinds(done) == ["policy_eval"]
    assert "pass (go), was fail" in done.out
    before = len(watched.web.requests)
    bundle = watched.directory / "bundle.yaml"
    bundle.write_text("id: [")
    done = watched.round("--policy", bundle)
    assert (done.code, done.out) == (2, "")
    assert str(bundle) in done.err
    assert len(watched.web.requests) == before


@needs_registry
def test_a_verdict_of_an_earlier_day_is_made_again(watched: Watched) -> None:
    """Its feed grows old; that is a change of the verdict, though neither image nor feed has changed."""
    watched.add(watched.push("app:1", BASH))
    watched.round()
    old = {"SOURCE_DATE_EPOCH": str(NOON + 30 * DAY)}
    done = watched.round("--no-sync", env=old)
    assert kinds(done) == ["policy_eval"], done.err
    done = watched.round(env=old | {"SOURCE_DATE_EPOCH": str(NOON + 31 * DAY)})
    assert kinds(done) == ["policy_eval"], done.err
    assert "was indeterminate" in done.out


# ── what goes wrong ─────────────────────────────────────────────────────────────────────────────────────────


@needs_registry
def test_a_registry_that_is_down_is_told_and_does_not_stop_the_others(watched: Watched, tmp_path: Path) -> None:
    # Behind the one that fails: tags are looked at in the order of their names.
    image = f"docker-archive:{archive(tmp_path / 'image.tar', debian('bash=5.2-1'))}"
    with start_registry(tmp_path) as other:
        gone = other.push(f"oci:{oci_dir(tmp_path / 'gone', [BASH])}", "gone:1")
        for name in (gone, image):
            watched.add(name)
        assert watched.round().code == 0
    watched.feed(LOUD)
    done = watched.round()
    assert done.code == 3
    assert f"anchore: {gone}: " in done.err
    assert "refuses connections" in done.err
    assert f"{gone}: {gone}: " not in done.err
    assert [LINE.match(line)[2] for line in done.out.splitlines()] == [f"{image}:", f"{image}:"]  # type: ignore[index]
    assert {row["image"]: row["status"] for row in watched.run("watch", "list", "--json").json} == {
        gone: "pass",
        image: "fail",
    }


@needs_registry
@pytest.mark.parametrize("fault", ["absent", "garbage", "refusing"])
def test_a_feed_that_fails_is_told_and_the_tags_are_looked_at(watched: Watched, fault: str) -> None:
    name = watched.push("app:1", BASH)
    watched.add(name)
    watched.round()
    watched.push("app:1", BASH, layer({"srv/a": "1"}))
    env = {}
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        if fault == "refusing":
            env = {"ANCHORE_FEED_URL": f"debian=http://127.0.0.1:{closed.getsockname()[1]}/debian.json"}
        watched.web.answers["/debian.json"] = Answer(b"<html>", status=404 if fault == "absent" else 200)
        done = watched.round(env=env)
    assert (done.code, kinds(done)) == (5, ["tag_update"]), done.err
    assert "anchore: debian: " in done.err
    assert watched.run("feeds", "status", "--json").json[0]["records"] == 1


@needs_registry
def test_webhooks_get_exactly_what_is_told_and_signed(watched: Watched) -> None:
    name = watched.push("app:1", BASH)
    watched.add(name)
    watched.round()
    watched.feed(LOUD)
    done = watched.round("--webhook", f"{watched.web.url}/hook", env={"ANCHORE_WEBHOOK_SECRET": "s3cret"})
    posts = [request for request in watched.web.requests if request[1] == "/hook"]
    assert [json.loads(body)["kind"] for *_, body in posts] == kinds(done) == ["vuln_update", "policy_eval"]
    for line, (method, _, headers, body) in zip(done.out.splitlines(), posts, strict=True):
        event = json.loads(body)
        assert (method, headers["X-Anchore-Event"]) == ("POST", event["kind"])
        assert headers["Content-Type"].startswith("application/json")
        assert (event["schema"], event["image"]) == ("anchore.event/1", name)
        assert line == f"{event['created_at']} {event['kind']} {event['message']}"
        signed = hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
        assert headers["X-Anchore-Signature-256"] == f"sha256={signed}"
    assert "s3cret" not in done.err + done.out


@needs_registry
def test_a_webhook_that_is_down_is_told_and_the_rest_goes_on(watched: Watched, tmp_path: Path) -> None:
    names = [watched.push("a:1", BASH), str(archive(tmp_path / "z.tar", debian("bash=5.2-1")))]
    for name in names:
        watched.add(name)
    watched.round()
    watched.feed(LOUD)
    watched.web.answers["/hook"] = Answer(status=404)
    hooks = [word for path in ("hook", "other") for word in ("--webhook", f"{watched.web.url}/{path}")]
    done = watched.round(*hooks)
    assert (done.code, kinds(done)) == (5, ["vuln_update", "policy_eval"] * 2)
    assert "webhook http://127.0.0.1" in done.err
    assert "not sent: vuln_update" in done.err
    assert [event["image"] for event in watched.posted("/other")] == [name for name in sorted(names) for _ in "12"]
