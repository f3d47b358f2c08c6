"""What was found before is not looked for again, and that makes no difference."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import anchorecli.matching.matcher
from anchorecli.model import Analysis, DiffId, Package, Problem, Severity
from anchorecli.report import RenderOptions, formats
from anchorecli.scan import reuse
from anchorecli.scan.analysis import save
from anchorecli.scan.decision import decide
from anchorecli.scan.kept import keep
from anchorecli.scan.past import decide_again, find, inputs_of
from anchorecli.scan.reuse import Lines
from anchorecli.scan.values import Occasion
from anchorecli.store import Store, open_store
from anchorecli.values import replace
from anchorecli.vex.values import VexDocument, VexStatement, VexStatus
from tests.scan.deciding import LAYERS, NOW, analysis, deb, stop_at
from tests.store.values import advisory, feed

FOUND = replace(
    analysis(
        deb("libssl3", "3.0.11", "openssl"),
        deb("bash", "5.2"),
        deb("odd", "1"),
        Package("lodash", "4", "npm", "npm", "pkg:npm/lodash@4"),
    ),
    problems=(Problem("analyze", "usr/lib/x", "could not be read"),),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store.db") as opened:
        opened.sync_feed(feed(updated_at=NOW), [advisory("CVE-2026-0001", "openssl", fixed="3.0.13")])
        save(opened, FOUND, "set", NOW)
        yield opened


@pytest.fixture
def matched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many packages were matched, time by time."""
    times: list[int] = []
    whole = anchorecli.matching.matcher.match_all

    def counted(packages, *rest):  # type: ignore[no-untyped-def]
        times.append(len(packages))
        return whole(packages, *rest)

    monkeypatch.setattr(anchorecli.matching.matcher, "match_all", counted)
    return times


def scan(store: Store, found: Analysis = FOUND, **occasion: object) -> str:
    """The report of a scan, as JSON."""
    decision = decide(found, store, stop_at(Severity.LOW), Occasion(NOW, found.image.ref, **occasion))  # type: ignore[arg-type]
    keep(store, decision)
    return formats("report")["json"].render(decision.report, RenderOptions())


def test_equal_feeds_are_asked_once(store: Store, matched: list[int]) -> None:
    first = scan(store)
    assert "CVE-2026-0001" in first
    assert "starter:npm" in first  # the embedded feed took part, and still says so
    asked = len(matched)
    assert [scan(store), scan(store)] == [first, first]
    assert len(matched) == asked > 0
    with store._session.read() as db:
        kept = db.execute("SELECT count(DISTINCT document) FROM evaluation_part WHERE name = 'matches'").fetchone()
    assert kept == (1,)


def test_feeds_that_changed_are_asked_again(store: Store, matched: list[int]) -> None:
    scan(store)
    asked = len(matched)
    store.sync_feed(feed(updated_at=NOW), [advisory("CVE-2026-0002", "bash", fixed="9")])
    again = scan(store)
    assert "CVE-2026-0002" in again
    assert "CVE-2026-0001" not in again
    assert len(matched) > asked


@pytest.mark.parametrize(("name", "value"), [("__version__", "99"), ("VERSION", 99)])
def test_another_version_of_the_program_or_of_matching_looks_for_itself(
    store: Store, matched: list[int], monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    first = scan(store)
    asked = len(matched)
    monkeypatch.setattr(reuse, name, value)
    assert scan(store) == first
    assert len(matched) > asked


def test_a_replay_does_not_believe_what_was_found_before(store: Store, matched: list[int]) -> None:
    scan(store)
    asked = len(matched)
    kept = find(store, "app:1").kept
    assert kept is not None
    decide_again(store, inputs_of(store, kept))
    assert len(matched) > asked


def test_what_vex_settles_is_settled_each_time(store: Store) -> None:
    statement = VexStatement(("CVE-2026-0001",), VexStatus.NOT_AFFECTED, products=("pkg:deb/debian/libssl3",))
    vex = (VexDocument("a.json", "sha256:1", "openvex", "me", (statement,)),)
    with_vex = scan(store, vex=vex)
    without = scan(store)
    assert '"suppressed": 1' in with_vex
    assert '"suppressed": 0' in without
    assert scan(store, vex=vex) == with_vex
    assert scan(store) == without


def test_an_analysis_that_is_not_kept_is_matched_each_time(store: Store, matched: list[int]) -> None:
    other = analysis(deb("bash", "1"), name="other")
    scan(store, other)
    asked = len(matched)
    scan(store, analysis(deb("bash", "1"), name="other"))
    assert len(matched) > asked


@pytest.mark.parametrize("name", ["matches", "rest"])
def test_what_is_damaged_is_found_again(store: Store, matched: list[int], name: str) -> None:
    first = scan(store)
    with store._session.write() as db:
        db.execute("UPDATE document SET body = x'00' WHERE id = (SELECT document FROM derived WHERE name = ?)", (name,))
    asked = len(matched)
    assert decide(FOUND, store, stop_at(Severity.LOW), Occasion(NOW, FOUND.image.ref)).report.matches
    assert len(matched) > asked
    assert "CVE-2026-0001" in first


def test_it_goes_with_the_image(store: Store) -> None:
    scan(store)
    Lines(store, FOUND).put("json packages", "1", "x" * 100_000)
    store.remove_image(FOUND.image.image_id)
    store.gc(older_than_days=1, keep=None, now="2027-01-01T00:00:00Z")
    with store._session.read() as db:
        assert db.execute("SELECT count(*) FROM derived").fetchone() == (0,)


def test_long_lines_are_kept_and_only_with_their_key(store: Store) -> None:
    lines = Lines(store, FOUND)
    lines.put("json packages", "1", "short")
    assert lines.get("json packages", "1") is None
    long = "é\udcff" * 100_000
    lines.put("json packages", "1", long)
    assert lines.get("json packages", "1") == long
    assert lines.get("json packages", "2") is None
    assert Lines(store, analysis(name="other")).get("json packages", "1") is None


@pytest.mark.parametrize("base", [None, (LAYERS[0].diff_id,), (DiffId("sha256:" + "f" * 64),)])
def test_a_report_of_kept_lines_is_the_same(store: Store, base: tuple[DiffId, ...] | None) -> None:
    many = replace(FOUND, packages=tuple(deb(f"p{n}", "1", metadata={"x": "y" * n}) for n in range(400)))
    save(store, many, "set", NOW)
    report = replace(decide(many, store, stop_at(), Occasion(NOW, many.image.ref)).report, base=base)
    render = formats("report")["json"].render
    plain, options = render(report, RenderOptions()), RenderOptions(memo=Lines(store, many))
    assert [render(report, options), render(report, options)] == [plain, plain]
    with store._session.read() as db:
        assert db.execute("SELECT name FROM derived").fetchall() == [("json packages",)]
