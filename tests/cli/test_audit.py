"""History, replay and verify on a store in which feed, bundle and image each changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.auditing import CVE, FIFTH, FIRST, NEW_CVE, SECOND, THIRD, ZLIB, Audit, at, audit
from tests.cli.conftest import Run


@pytest.fixture
def world(run: Run, tmp_path: Path) -> Audit:
    return audit(run, tmp_path)


def test_history_lists_the_verdicts_of_an_image_over_time(world: Audit) -> None:
    rows = world.run("history", world.image, "--json").json
    assert [row["id"] for row in rows] == [5, 4, 3, 2, 1]
    assert [row["feed_revision"] for row in rows] == [2, 2, 2, 2, 1]
    assert len({row["digest"] for row in rows}) == 2
    assert len({row["bundle_digest"] for row in rows}) == 3
    assert rows[-1]["by_severity"] == {"high": 2}
    assert rows[0]["by_severity"] == {"high": 2, "medium": 1}
    assert [row["id"] for row in world.run("history", "--json", "--limit", 2, world.image).json] == [5, 4]
    assert world.run("history", rows[-1]["digest"][:19], "--json").json == rows[2:]
    lines = world.run("history", "image.tar").out.splitlines()
    assert len(lines) == 6
    assert "2 high" in lines[-1]
    gone = world.run("history", "nothing")
    assert gone.code == 3
    assert "no evaluation of nothing" in gone.err


def test_what_was_printed_comes_back_byte_for_byte(world: Audit) -> None:
    for number, text in world.printed.items():
        shown = world.run("history", "show", number, "-o", "json")
        assert shown.code == 0, shown.err
        assert shown.out == text, number
    assert "CVE-2024-1001" in world.run("history", "show", 1).out
    assert world.run("history", "show", 77).code == 3


# ── replay ──────────────────────────────────────────────────────────────────────────────────────────────────


def ids(report: dict[str, object]) -> set[str]:
    return {f"{match['id']} {match['package']['name']}" for match in report["matches"]}  # type: ignore[attr-defined]


def test_an_old_revision_gives_what_was_found_then(world: Audit) -> None:
    digest = json.loads(world.printed[1])["image"]["digest"]
    done = world.run("replay", digest, "--feed-revision", 1, "--policy", world.path / "bundle.yaml", "-o", "json")
    assert done.code == 1, done.err
    assert "nothing was stored" in done.err
    assert done.out == world.printed[1]
    later = world.run("replay", digest, "--feed-revision", 2, "--policy", world.path / "bundle.yaml", "-o", "json")
    assert ids(later.json) - ids(done.json) == {"CVE-2024-2002 openssl", "CVE-2024-2002 libssl3"}
    assert len(world.run("history", "--json").json) == 5


def test_as_of_a_date_the_tag_the_feeds_and_the_clock_are_those_of_that_day(world: Audit) -> None:
    args = ("replay", world.image, "--policy", world.path / "bundle.yaml", "-o", "json")
    for moment, number in ((FIRST, 1), (SECOND, 2)):
        assert world.run(*args, "--as-of", moment).out == world.printed[number]
    whole_day = world.run(*args, "--as-of", "2024-06-02").json
    assert whole_day["evaluation"]["created_at"] == "2024-06-02T23:59:59Z"
    assert whole_day["evaluation"]["feed_revision"] == 2


def test_a_kept_bundle_is_named_by_its_digest(world: Audit) -> None:
    digest = json.loads(world.printed[3])["evaluation"]["bundle_digest"]
    args = ("replay", world.image, "--as-of", THIRD, "-o", "json", "--policy")
    assert world.run(*args, digest).out == world.printed[3]
    assert world.run(*args, digest.removeprefix("sha256:")[:12]).out == world.printed[3]


def test_equal_inputs_give_equal_bytes_whatever_the_time(world: Audit) -> None:
    args = ("replay", world.image, "--feed-revision", 2, "-o", "json")
    first = world.run(*args, env=at("2030-01-01T00:00:00Z"))
    assert first.code in (0, 1, 4)
    assert world.run(*args, env=at("2031-01-01T00:00:00Z")).out == first.out


def test_a_replay_needs_neither_the_image_nor_its_facts(world: Audit) -> None:
    world.image.unlink()
    assert world.run("images", "remove", "--yes", "image.tar").code == 0
    assert world.run("store", "gc", env=at(FIFTH)).code == 0
    assert world.run("images", "list", "--json").json == []
    done = world.run("replay", world.image, "--as-of", FIRST, "--policy", world.path / "bundle.yaml", "-o", "json")
    assert done.out == world.printed[1]
    assert world.run("history", "show", 4, "-o", "json").out == world.printed[4]


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (("nothing:1",), 3, "no stored image or evaluation is called nothing:1"),
        (("image.tar", "--feed-revision", "9"), 2, "feed revision 9 is not in the store: it keeps 0 to 2"),
        (("image.tar", "--policy", "sha256:abcdef012345"), 2, "no kept bundle begins with sha256:abcdef012345"),
        (("image.tar", "--policy", "missing.yaml"), 2, "missing.yaml"),
        (("image.tar", "--as-of", "yesterday"), 2, "'yesterday' is no date"),
        (("image.tar", "--as-of", FIRST, "--feed-revision", "2"), 2, "was made at"),
        (("image.tar", "-o", "jsn"), 2, "did you mean json?"),
    ],
)
def test_what_is_not_there_is_named(world: Audit, args: tuple[str, ...], code: int, message: str) -> None:
    done = world.run("replay", *args)
    assert (done.code, done.out) == (code, "")
    assert message in done.err
    assert "next:" in done.err


# ── verify ──────────────────────────────────────────────────────────────────────────────────────────────────


def verified(world: Audit, text: str) -> tuple[int, str]:
    file = world.path / "report.json"
    file.write_text(text)
    done = world.run("verify", file)
    assert done.err == ""
    return done.code, done.out


def test_every_report_holds(world: Audit) -> None:
    for number, text in world.printed.items():
        code, said = verified(world, text)
        assert code == 0, (number, said)
        assert "holds, byte for byte" in said


def test_a_report_holds_where_only_its_tuple_is_known(world: Audit) -> None:
    """Made by a replay, it was never stored; nor was it with another clock."""
    args = ("replay", world.image, "--policy", world.path / "bundle.yaml", "-o", "json", "--as-of")
    for moment in (FIRST, "2024-06-01T18:00:00Z", SECOND):
        code, said = verified(world, world.run(*args, moment).out)
        assert code == 0, said


def test_a_forged_report_does_not_hold_and_the_place_is_told(world: Audit) -> None:
    report = world.printed[2]
    forged = report.replace('"status": "fail"', '"status": "pass"', 1)
    assert forged != report
    code, said = verified(world, forged)
    assert code == 1
    assert f"differs from byte {report.index('fail')} on" in said
    assert "verdict.status" in said
    assert 'says "pass"' in said
    assert 'is "fail"' in said
    gone = json.loads(report)
    del gone["matches"][0]
    code, said = verified(world, json.dumps(gone))
    assert code == 1
    assert "matches[0]" in said
    code, said = verified(world, json.dumps(json.loads(report)))
    assert code == 1
    assert "only the way they are written differs" in said


@pytest.mark.parametrize(
    ("path", "value", "missing"),
    [
        ("image_id", "sha256:" + "0" * 64, "the analysis of image sha256:000"),
        ("feed_revision", 7, "feed revision 7 (the store keeps 0 to 2)"),
        ("bundle_digest", "sha256:" + "1" * 64, "bundle sha256:111"),
        ("tool_version", "0.0.1", "anchore 0.0.1, which made the report"),
        ("analyzers", {"dpkg": 999}, "the analysis by the report's analyzers"),
    ],
)
def test_missing_inputs_are_named_and_are_no_mismatch(world: Audit, path: str, value: object, missing: str) -> None:
    report = json.loads(world.printed[1])
    report["evaluation"][path] = value
    code, said = verified(world, json.dumps(report))
    assert code == 4
    assert missing in said


def test_a_report_of_another_schema_is_not_called_a_mismatch(world: Audit) -> None:
    report = json.loads(world.printed[1]) | {"schema_version": "0.9.0"}
    code, said = verified(world, json.dumps(report))
    assert code == 4
    assert "anchore that writes reports of schema 0.9.0 (this one writes" in said


def test_a_check_of_a_feed_that_never_was_is_missing(world: Audit) -> None:
    report = json.loads(world.printed[1])
    report["feeds"][0]["updated_at"] = "2024-05-31T00:00:00Z"
    code, said = verified(world, json.dumps(report))
    assert code == 4
    assert "feed debian as it was checked at 2024-05-31" in said


def test_a_report_holds_with_all_that_was_given_beside_the_image(world: Audit) -> None:
    dockerfile = world.path / "Dockerfile"
    dockerfile.write_text("FROM debian:12\nEXPOSE 22\n")
    for args in (
        ("--dockerfile", dockerfile),
        ("--fail-on", "medium"),
        ("--dockerfile", dockerfile, "--fail-on", "low"),
    ):
        assert world.scan("2024-06-06T12:00:00Z", *args).code == 1
    dockerfile.unlink()
    for number in (6, 7, 8):
        assert verified(world, world.printed[number]) == (0, f"{world.path / 'report.json'}: holds, byte for byte\n")


def test_a_report_holds_after_its_image_is_gone(world: Audit) -> None:
    world.run("images", "remove", "--yes", "image.tar")
    world.run("store", "gc", env=at(FIFTH))
    assert verified(world, world.printed[4])[0] == 0


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '{"evaluation": 1}', "\x00", '{"evaluation": {}, "image": {}}']
)
def test_what_is_no_report_is_wrong_use(world: Audit, text: str) -> None:
    file = world.path / "report.json"
    file.write_text(text)
    done = world.run("verify", file)
    assert done.code == 2
    assert "is not a JSON report of anchore" in done.err
    assert world.run("verify", world.path / "missing.json").code == 2


def test_a_feed_found_unchanged_is_the_feed_as_it_was_checked_then(world: Audit) -> None:
    """The age of the data is part of a verdict: later checks must not make it younger in the past."""
    before = world.run("replay", world.image, "--as-of", THIRD, "-o", "json").out
    world.sync("2024-06-10T00:00:00Z", {"openssl": CVE | NEW_CVE, "zlib": ZLIB})
    states = world.run("replay", world.image, "--as-of", "2024-06-11", "-o", "json").json["feeds"]
    assert states[0]["updated_at"] == "2024-06-10T00:00:00Z"
    assert states[0]["revision"] == 2
    assert world.run("replay", world.image, "--as-of", THIRD, "-o", "json").out == before
    assert verified(world, world.printed[2])[0] == 0
