"""What is kept of an evaluation: enough to show it byte for byte and to decide it again, written once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from anchorecli import codec
from anchorecli.errors import StoreError
from anchorecli.model import Analysis, Report, Severity
from anchorecli.report import RenderOptions, formats
from anchorecli.scan import kept as keeping
from anchorecli.scan.analysis import save
from anchorecli.scan.decision import decide
from anchorecli.scan.kept import keep, recall
from anchorecli.scan.past import decide_again, find, inputs_of
from anchorecli.scan.values import Decision, Occasion
from anchorecli.store import Store, open_store
from anchorecli.values import replace
from tests.scan.deciding import NOW, analysis, bundle, deb, reference, stop_at
from tests.store.values import advisory, evaluation, feed

PACKAGES = [
    deb("libssl3", "3.0.11", "openssl"),
    deb("openssl", "3.0.11"),
    deb("bash", "5.2", metadata={"x": "é\udcff"}),
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store.db") as opened:
        opened.sync_feed(feed(updated_at=NOW), [advisory("CVE-2026-0001", "openssl", fixed="3.0.13")])
        yield opened


def made(store: Store, found: Analysis, now: str = NOW, **occasion: object) -> Decision:
    return decide(found, store, stop_at(Severity.LOW), Occasion(now, found.image.ref, **occasion))  # type: ignore[arg-type]


def documents(store: Store) -> int:
    with store._session.read() as db:
        return int(db.execute("SELECT count(*) FROM document").fetchone()[0])


def as_json(report: Report) -> str:
    return formats("report")["json"].render(report, RenderOptions())


def test_a_report_comes_back_as_it_was(store: Store) -> None:
    decision = made(store, analysis(*PACKAGES), dockerfile="FROM x\n", settings={"fail_on": "low"})
    assert len(decision.report.matches) == 2
    number = keep(store, decision)
    row = store.evaluation(number)
    assert row is not None
    assert (row.status, row.matches, row.by_severity) == ("fail", 2, {"low": 2})
    back = recall(store, row)
    assert back.report == decision.report
    assert as_json(back.report) == as_json(decision.report)
    assert back.circumstances is not None
    assert (back.circumstances.dockerfile, back.circumstances.settings) == ("FROM x\n", {"fail_on": "low"})
    assert all(match.package in back.report.analysis.packages for match in back.report.matches)
    again = decide_again(store, inputs_of(store, back))
    assert as_json(again.report) == as_json(decision.report)


def test_another_clock_writes_next_to_nothing(store: Store) -> None:
    found = analysis(*PACKAGES)
    save(store, found, "set", NOW)
    keep(store, made(store, found))
    before = documents(store)
    keep(store, made(store, found, now="2026-03-10T13:00:00Z"))
    assert documents(store) == before
    store.confirm_feed("debian", "2026-03-10T14:00:00Z")
    keep(store, made(store, found, now="2026-03-10T15:00:00Z"))
    # The feed's new state, and the one it replaced.
    assert documents(store) == before + 2


def test_the_same_image_under_two_names(store: Store) -> None:
    found = analysis(*PACKAGES)
    other = replace(found, image=replace(found.image, ref=reference("other")))
    first, second = keep(store, made(store, found)), keep(store, made(store, other))
    parts = [store.evaluation_parts(number) for number in (first, second)]
    assert parts[0]["analysis"] == parts[1]["analysis"]
    assert parts[0]["image"] != parts[1]["image"]
    assert find(store, "other:1").reference.name == "docker.io/other:1"
    assert find(store, str(first)).analysis == found


def test_an_analysis_is_not_written_again_to_find_that_it_is_there(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = analysis(*PACKAGES)
    save(store, found, "set", NOW)
    written: list[Analysis] = []
    monkeypatch.setattr(keeping, "analysis_document", lambda each: written.append(each) or b"")
    keep(store, made(store, replace(found, image=replace(found.image, ref=reference("x")))))
    assert written == []
    monkeypatch.undo()
    # Whoever has cleaned up meanwhile: the analysis is written after all.
    with store._session.write() as db:
        for table in ("evaluation_part", "analysis", "bundle", "document"):
            db.execute(f"DELETE FROM {table}")
    number = keep(store, made(store, found))
    assert b"libssl3" in store.evaluation_parts(number)["analysis"]


def test_another_analysis_with_the_same_packages_is_not_taken_for_it(store: Store) -> None:
    found = analysis(*PACKAGES)
    save(store, found, "set", NOW)
    number = keep(store, made(store, replace(found, file_count=7)))
    row = store.evaluation(number)
    assert row is not None
    assert recall(store, row).report.analysis.file_count == 7


def test_an_evaluation_of_an_older_program_is_listed_and_shown_if_it_can_be_read(store: Store) -> None:
    report = made(store, analysis(*PACKAGES)).report
    readable = store.put_evaluation(evaluation(report=codec.encode(report)))
    strange = store.put_evaluation(evaluation(report=b"\xa1abcd[]", tool_version="0.0.9"))
    assert [each.id for each in store.evaluations()] == [strange, readable]
    row = store.evaluation(readable)
    assert row is not None
    assert recall(store, row).report == report
    with pytest.raises(StoreError, match="without its bundle"):
        inputs_of(store, recall(store, row))
    row = store.evaluation(strange)
    assert row is not None
    with pytest.raises(StoreError, match=r"kept by anchore 0\.0\.9 in another form"):
        recall(store, row)


def test_a_bundle_with_remarks_is_decided_again_with_them(store: Store) -> None:
    text = """
id: b
version: "1_0"
policies:
  - id: p
    version: "1_0"
    rules:
      - {id: old, gate: gemcheck, trigger: NOTOFFICIAL, action: WARN, params: {}}
whitelists: []
mappings: [{id: m, registry: "*", repository: "*", image: {type: tag, value: "*"}, policy_ids: [p], whitelist_ids: []}]
"""
    found = analysis(*PACKAGES)
    judged_by = bundle(text)._replace(path="b.yaml")
    assert judged_by.warnings
    decision = decide(found, store, judged_by, Occasion(NOW, found.image.ref))
    row = store.evaluation(keep(store, decision))
    assert row is not None
    again = decide_again(store, inputs_of(store, recall(store, row)))
    assert as_json(again.report) == as_json(decision.report)
    assert again.bundle.warnings == judged_by.warnings
