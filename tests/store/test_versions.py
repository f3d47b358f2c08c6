"""Past versions: packed, unpacked, forgotten, and made of what an older program kept."""

from __future__ import annotations

import random
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchorecli.errors import FeedError
from anchorecli.model import Advisory, FixSince
from anchorecli.store import Store, open_store, sync, versions
from anchorecli.store.versions import Content, Version
from tests.store.test_migrations import migrated
from tests.store.values import advisory, feed, names

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
contents = st.builds(
    Content,
    st.tuples(st.integers(0, 5), *[texts] * 7),
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 2), texts, texts), max_size=6),
)


@given(st.lists(st.one_of(st.none(), contents), min_size=1, max_size=8))
def test_whatever_a_record_said_comes_back(said: list[Content | None]) -> None:
    """None: the record was gone at that revision."""
    body, held, since = b"", None, 0
    expected: list[Version] = []
    for revision, now in enumerate(said, 1):
        if held is not None:
            expected.insert(0, Version(since, revision, held))
            body = versions.push(body, expected[0], held, now)
        elif body:
            body = versions.push(body, None, None, now)
        held, since = now, revision
    assert list(versions.unpack(body, held)) == expected
    for until in range(len(said) + 2):
        left, first, removed = versions.without(body, held, until)
        kept = [each for each in expected if each.valid_to > until]
        assert list(versions.unpack(left, held)) == kept
        assert removed == len(expected) - len(kept)
        assert first == (kept[-1].valid_from if kept else 0)


def test_a_change_costs_what_it_changes() -> None:
    """Of a record with a thousand statements, too, of which most are further back than the window of DEFLATE."""
    chance = random.Random(3)
    statements = [(chance.randrange(10**6), 7, f"\t{chance.randrange(10**9)}\t", "") for _ in range(3000)]
    columns = (3, "", "x" * 300, "https://example.org/", "2026-01-01", "", "", "")
    body, held = b"", Content(columns, statements)
    sizes = []
    for day in range(1, 29):
        place = chance.randrange(len(statements))
        changed = [*held.statements[:place], (place, 7, f"\t{day}.1\t", ""), *held.statements[place + 1 :]]
        now = Content((*columns[:5], f"2026-02-{day:02}T00:00:00Z", "", ""), changed)
        body = versions.push(body, Version(day, day + 1, held), held, now)
        sizes.append(len(body))
        held = now
    assert len(list(versions.unpack(body, held))) == 28
    assert sizes[-1] < 28 * 100


def test_statements_that_move_cost_little() -> None:
    statements = [(n, 1, f"\t{n}.{n}\t", "") for n in range(500)]
    columns = (1, *[""] * 7)
    old, new = Content(columns, statements), Content(columns, [(9999, 1, "\t1\t", ""), *reversed(statements[:250])])
    body = versions.push(b"", Version(1, 2, old), old, new)
    assert next(versions.unpack(body, new)).content == old


def test_a_record_that_went_and_came_again(store: Store) -> None:
    first, again = advisory("CVE-1", "bash", fixed="1"), advisory("CVE-1", "bash", "dash", fixed="9")
    other = advisory("CVE-2", "zsh")
    for records in ([first, other], [other], [again, other], [other], [first, other]):
        store.sync_feed(feed(), records)
    found = [names(store.feed_records("debian", revision)) for revision in range(1, 6)]
    assert found == [["CVE-1", "CVE-2"], ["CVE-2"], ["CVE-1", "CVE-2"], ["CVE-2"], ["CVE-1", "CVE-2"]]
    assert list(store.feed_records("debian", 3)) == [again, other]
    assert list(store.feed_records("debian", 1)) == list(store.feed_records("debian")) == [first, other]
    spans = [(each.valid_from, each.valid_to) for each in store.advisory_versions(["CVE-1"])]
    assert spans == [(1, 2), (3, 4), (5, 0)]
    assert [len(store.lookup([("debian:12", "dash")], revision)) for revision in range(6)] == [0, 0, 0, 1, 0, 0]


def test_nothing_is_kept_of_the_past_of_a_feed_that_is_for_today_alone(store: Store) -> None:
    store.sync_feed(feed(), [advisory("CVE-1", "bash"), advisory("CVE-2", "bash")])
    store.sync_feed(feed(), [advisory("CVE-1", "bash", fixed="2"), advisory("CVE-3", "zsh")], past=False)
    assert names(store.feed_records("debian", 1)) == []
    assert store.lookup([("debian:12", "bash")], 1) == []
    with store._session.read() as db:
        assert [row[0] for row in db.execute("SELECT name FROM advisory ORDER BY name")] == ["CVE-1", "CVE-3"]
        assert (
            db.execute("SELECT (SELECT count(*) FROM past_version) + (SELECT count(*) FROM departed)").fetchone()[0]
            == 0
        )


def test_ids_and_aliases_of_the_past_are_found(store: Store) -> None:
    store.sync_feed(feed(), [advisory("CVE-1", "bash", aliases=("DSA-1",)), advisory("CVE-2", "bash")])
    store.sync_feed(feed(), [advisory("CVE-1", "bash", aliases=("DSA-2",)), advisory("CVE-2", "bash")])
    store.sync_feed(feed(), [advisory("CVE-2", "bash")])

    def found(text: str, revision: int | None = None) -> list[tuple[str, ...]]:
        return [each.aliases for each in store.find_advisories(text, revision).values()]

    assert found("dsa-1", 1) == [("DSA-1",)]
    assert found("cve-1", 2) == [("DSA-2",)]
    assert found("DSA-1", 2) == found("DSA-1") == found("CVE-1") == []


def test_a_record_that_another_process_forgot_meanwhile(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "_BATCH", 1)
    store.sync_feed(feed(), [advisory("CVE-1", "bash")])

    def records() -> object:
        yield advisory("CVE-1", "bash")  # equal to what is stored: noted, without its content
        store.sync_feed(feed(), [advisory("CVE-1", "bash", fixed="7")], past=False)

    with pytest.raises(FeedError, match="CVE-1: another process synced this feed meanwhile"):
        store.sync_feed(feed(), records())  # type: ignore[arg-type]
    assert [each.ranges for each in store.lookup([("debian:12", "bash")])] == ["\t7\t"]


@pytest.fixture
def older(path: Path) -> Path:
    """A store as the program before wrote it: every version of a record whole, under a number of its own."""
    path.parent.mkdir()
    migrated(path, stop_before="m010_past_versions").close()
    db = sqlite3.connect(path)
    db.execute("INSERT INTO feed VALUES (1, 'debian', 1, 5, 2, 'now', '', '', '', '', '', 0, '[\"debian:12\"]', 0)")
    for revision in range(1, 6):
        values = (revision, f"2026-01-0{revision}T00:00:00Z")
        db.execute("INSERT INTO revision VALUES (?, 1, 1, 0, 0, 0, ?, 2, '', '', '', '', '', 0, '[]', 0)", values)
    db.execute("INSERT INTO ecosystem VALUES (1, 'debian:12')")
    db.executemany("INSERT INTO package VALUES (?, 1, ?)", [(1, "bash"), (2, "dash")])
    db.execute("INSERT INTO term VALUES (1, 1, 'deb', 'affected', 0, 2, '', '')")
    # CVE-1 changed twice, went, and came again; CVE-2 never changed; CVE-3 went for good.
    rows = [(1, "CVE-1", 1, 2), (2, "CVE-2", 1, 0), (3, "CVE-1", 2, 3), (4, "CVE-3", 2, 4), (5, "CVE-1", 4, 0)]
    for row, name, valid_from, valid_to in rows:
        db.execute("INSERT INTO advisory VALUES (?, 1, ?, 2, ?, ?, ?)", (row, name, valid_from, valid_to, b"%d" % row))
        values = (row, f"summary {row}")
        db.execute("INSERT INTO advisory_detail VALUES (?, '', ?, '', '', '', '', '')", values)
        package = 2 if row == 3 else 1
        db.execute("INSERT INTO affected VALUES (?, ?, ?, 0, 1, ?, '')", (package, valid_to, row, f"\t{row}\t"))
    since = [("CVE-1", "3", "2026-01-01T00:00:00Z", 2), ("CVE-1", "5", "2026-01-03T12:00:00.5Z", 4)]
    db.executemany("INSERT INTO fix_since VALUES (1, ?, 1, ?, ?, ?)", since)
    db.commit()
    db.close()
    return path


def test_the_past_that_an_older_program_kept_is_not_lost(older: Path) -> None:
    def said(store: Store, revision: int) -> list[tuple[str, str, str]]:
        return [(a.id, a.summary, a.affected[0].package) for a in store.feed_records("debian", revision)]

    with open_store(older) as store:
        second, bash = ("CVE-2", "summary 2", "bash"), [("debian:12", "bash")]
        assert said(store, 1) == [("CVE-1", "summary 1", "bash"), second]
        assert said(store, 2) == [("CVE-1", "summary 3", "dash"), second, ("CVE-3", "summary 4", "bash")]
        assert said(store, 3) == [second, ("CVE-3", "summary 4", "bash")]
        assert said(store, 4) == said(store, 5) == [("CVE-1", "summary 5", "bash"), second]
        found = [sorted(each.ranges for each in store.lookup(bash, revision)) for revision in range(1, 6)]
        now = ["\t2\t", "\t5\t"]
        assert found == [["\t1\t", "\t2\t"], ["\t2\t", "\t4\t"], ["\t2\t", "\t4\t"], now, now]
        assert sorted(each.ranges for each in store.lookup(bash)) == now
        (record,) = store.find_advisories("CVE-1").values()
        whole, odd = (
            FixSince("debian:12", "bash", *each)
            for each in (("3", "2026-01-01T00:00:00Z"), ("5", "2026-01-03T12:00:00.5Z"))
        )
        assert record.fixes_since == (whole, odd)
        assert [each.fixes_since for each in store.find_advisories("CVE-1", 2).values()] == [(whole,)]
        assert store.exchange.content("debian", 1) == store.exchange.content("debian", 1)
        assert store.exchange.content("debian", 1) != store.exchange.content("debian", 3)
        changed = [each if isinstance(each, str) else each.id for each in store.exchange.changes("debian", 2)]
        assert changed == ["CVE-1", "CVE-3"]
        store.sync_feed(feed(), [advisory("CVE-1", "bash"), advisory("CVE-3", "bash")])
        assert said(store, 3) == [second, ("CVE-3", "summary 4", "bash")]
        with store._session.read() as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert db.execute("PRAGMA freelist_count").fetchone() == (0,)


def test_the_content_of_a_past_revision_is_the_same_noted_and_made_again(store: Store) -> None:
    whole: Advisory = replace(advisory("CVE-1", "bash", "dash"), summary="one", aliases=("A", "B"))
    for number, records in enumerate(([whole], [replace(whole, summary="two")], [], [whole, advisory("CVE-2")]), 1):
        store.sync_feed(feed(), records)
        assert store.exchange.content("debian", number) == store.exchange.content("debian")
    noted = [store.exchange.content("debian", number) for number in range(1, 5)]
    with store._session.write() as db:
        db.execute("UPDATE revision SET content = ''")
    assert [store.exchange.content("debian", number) for number in range(1, 5)] == noted
    assert len(set(noted)) == 4
