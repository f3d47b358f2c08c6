"""Since when a fix is there, as a store that is synced again and again can tell."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from anchorecli.feeds.delta import export_store, import_file
from anchorecli.feeds.offline.write import Head
from anchorecli.model import Advisory, Affected, FeedState, FixSince, Range
from anchorecli.store import Store, open_store
from tests.store.values import feed

DAYS = [f"2026-03-0{day}T12:00:00Z" for day in range(1, 10)]


def fixed(name: str, *versions: str, ecosystem: str = "debian:12", **fields: str) -> Advisory:
    ranges = tuple(Range("", version) for version in versions) or (Range("1"),)
    return Advisory(name, "debian", affected=(Affected(ecosystem, "bash", "deb", ranges=ranges),), **fields)


def known(store: Store, revision: int | None = None) -> dict[str, tuple[tuple[str, str], ...]]:
    return {
        each.id: tuple((since.version, since.since) for since in each.fixes_since)
        for each in store.feed_records("debian", revision)
        if each.fixes_since
    }


def day(number: int) -> FeedState:
    return feed(updated_at=DAYS[number])


def test_what_was_there_at_first_is_not_dated(store: Store) -> None:
    store.sync_feed(day(0), [fixed("CVE-1", "2")])
    assert known(store) == {}


def test_a_fix_that_appears_is_no_older_than_the_last_check(store: Store) -> None:
    store.sync_feed(day(0), [fixed("CVE-1"), fixed("CVE-2", "2")])
    store.sync_feed(day(3), [fixed("CVE-1", "3"), fixed("CVE-2", "2", "4"), fixed("CVE-3", "5")])
    assert known(store) == {"CVE-1": (("3", DAYS[0]),), "CVE-2": (("4", DAYS[0]),), "CVE-3": (("5", DAYS[0]),)}


def test_a_check_that_found_nothing_new_counts(store: Store) -> None:
    store.sync_feed(day(0), [fixed("CVE-1")])
    store.confirm_feed("debian", DAYS[2])
    store.sync_feed(day(3), [fixed("CVE-1", "3")])
    assert known(store) == {"CVE-1": (("3", DAYS[2]),)}


def test_nor_older_than_its_publication(store: Store) -> None:
    store.sync_feed(day(0), [fixed("CVE-0")])
    news = [fixed("CVE-1", "3", published=DAYS[2]), fixed("CVE-2", "3", published="2026-03-03")]
    wrong = [fixed("CVE-3", "3", published=DAYS[8]), fixed("CVE-4", "3", published="soon")]
    store.sync_feed(day(4), [fixed("CVE-0"), *news, *wrong])
    assert known(store) == {
        "CVE-1": (("3", DAYS[2]),),
        "CVE-2": (("3", "2026-03-03T00:00:00Z"),),
        "CVE-3": (("3", DAYS[0]),),
        "CVE-4": (("3", DAYS[0]),),
    }


def test_other_changes_of_a_record_move_nothing(store: Store) -> None:
    store.sync_feed(day(0), [fixed("CVE-1"), fixed("CVE-2", "2")])
    store.sync_feed(day(1), [fixed("CVE-1", "3"), fixed("CVE-2", "2")])
    store.sync_feed(day(5), [fixed("CVE-1", "3", summary="more"), fixed("CVE-2", "2", summary="more")])
    assert known(store) == {"CVE-1": (("3", DAYS[0]),)}


def test_a_namespace_that_is_new_to_the_feed_is_not_news(store: Store) -> None:
    store.sync_feed(day(0), [fixed("CVE-1", "2")])
    store.sync_feed(day(1), [fixed("CVE-1", "2"), fixed("CVE-2", "2", ecosystem="debian:13")])
    assert known(store) == {}


def test_the_starter_feed_is_not_watched(store: Store) -> None:
    store.sync_feed(replace(day(0), starter=True), [fixed("CVE-1")])
    store.sync_feed(day(1), [fixed("CVE-1", "2")])
    assert known(store) == {}


def test_a_fix_that_went_and_came_again_keeps_its_first_date(store: Store) -> None:
    for number, version in enumerate(["1", "2", "1", "2"]):
        store.sync_feed(day(number), [fixed("CVE-1", version)])
    assert known(store) == {"CVE-1": (("1", DAYS[1]), ("2", DAYS[0]))}


def test_a_past_revision_knows_what_it_knew(store: Store) -> None:
    store.sync_feed(day(0), [fixed("CVE-1", "1")])
    store.sync_feed(day(1), [fixed("CVE-1", "1", "2")])
    store.sync_feed(day(2), [fixed("CVE-1", "1", "2", "3")])
    assert known(store, 1) == {}
    assert known(store, 2) == {"CVE-1": (("2", DAYS[0]),)}
    assert known(store, 3) == {"CVE-1": (("2", DAYS[0]), ("3", DAYS[1]))}


def test_it_travels_with_the_feed_file(store: Store, tmp_path: Path) -> None:
    store.sync_feed(day(0), [fixed("CVE-1"), fixed("CVE-2", "2")])
    store.sync_feed(day(1), [fixed("CVE-1", "3"), fixed("CVE-2", "2")])
    export_store(tmp_path / "full", store, Head(DAYS[2]))
    with open_store(tmp_path / "there.db") as there:
        import_file(tmp_path / "full", there)
        assert known(there) == known(store) == {"CVE-1": (("3", DAYS[0]),)}


def test_what_is_carried_goes_before_what_is_seen(store: Store) -> None:
    """Who syncs once a week from a site that syncs every day has that site's dates."""
    store.sync_feed(day(0), [fixed("CVE-1")])
    since = (FixSince("debian:12", "bash", "3", DAYS[4]),)
    store.sync_feed(day(6), [replace(fixed("CVE-1", "3"), fixes_since=since)])
    assert known(store) == {"CVE-1": (("3", DAYS[4]),)}


def test_nothing_is_carried_into_a_record_that_is_there(store: Store) -> None:
    """An evaluation made with it is to come out the same when it is repeated."""
    store.sync_feed(day(0), [fixed("CVE-1", "3")])
    since = (FixSince("debian:12", "bash", "3", "2026-02-01T00:00:00Z"),)
    store.sync_feed(day(1), [replace(fixed("CVE-1", "3"), fixes_since=since)])
    assert known(store) == {}


def test_it_goes_with_the_last_of_its_record(store: Store) -> None:
    store.sync_feed(day(0), [fixed("CVE-1"), fixed("CVE-2", "1")])
    store.sync_feed(day(1), [fixed("CVE-1", "3"), fixed("CVE-2", "2")])
    store.sync_feed(day(2), [fixed("CVE-2", "2")])
    store.gc(older_than_days=1, keep=None, now="2026-05-01T00:00:00Z")
    with store._session.read() as db:
        assert db.execute("SELECT v.name FROM fix_since x LEFT JOIN advisory v ON v.id = x.advisory").fetchall() == [
            ("CVE-2",)
        ]


def test_a_moment_that_is_no_whole_second_is_kept_as_it_was_given(store: Store) -> None:
    store.sync_feed(day(0), [fixed("CVE-1"), fixed("CVE-2")])
    moments = {"CVE-1": "2026-02-01T00:00:00.250Z", "CVE-2": "2026-02-01 in the morning"}
    carried = [
        replace(fixed(name, "3"), fixes_since=(FixSince("debian:12", "bash", "3", moment),))
        for name, moment in moments.items()
    ]
    store.sync_feed(day(1), carried)
    assert known(store) == {name: (("3", moment),) for name, moment in moments.items()}


def test_only_the_fixes_of_what_was_asked_about_are_read_for_a_match(store: Store) -> None:
    def both(*versions: str) -> Advisory:
        dash = [replace(each, package="dash") for each in fixed("CVE-1", *versions).affected]
        return replace(fixed("CVE-1", *versions), affected=(*fixed("CVE-1", *versions).affected, *dash))

    store.sync_feed(day(0), [both()])
    store.sync_feed(day(1), [both("2")])
    bash, dash = ("debian:12", "bash"), ("debian:12", "dash")
    rows = [each.row for each in store.lookup([bash])]
    for asked in ([bash], [dash], [bash, dash], [("debian:13", "bash")]):
        (record,) = store.details(rows, asked).values()
        known = [(each.ecosystem, each.package) for each in record.fixes_since]
        assert known == [each for each in (bash, dash) if each in asked]
    (record,) = store.records(rows).values()
    assert len(record.fixes_since) == 2
