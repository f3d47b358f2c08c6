"""The feeds as they were: statements and states of any moment, and how they are asked."""

from __future__ import annotations

import random

import pytest

from anchorecli.errors import StoreError
from anchorecli.store import Store
from tests.store.values import advisory, feed

KEYS = [("debian:12", name) for name in ("bash", "dash", "zsh")]


def day(number: int) -> str:
    return f"2026-03-{number:02}T00:00:00Z"


def said(store: Store, revision: int | None = None) -> list[tuple[str, str]]:
    rows = store.lookup(KEYS, revision)
    named = store.details([each.row for each in rows], KEYS, revision)
    return sorted((named[each.row].id, each.ranges) for each in rows)


def test_every_revision_answers_as_it_did_when_it_was_the_newest(store: Store) -> None:
    chance = random.Random(4)
    then = {0: said(store)}
    for number in range(1, 25):
        name = chance.choice(("debian", "other"))
        records = [
            advisory(f"CVE-{row}", chance.choice(("bash", "dash", "zsh")), fixed=str(chance.randrange(4)), feed=name)
            for row in range(12)
            if chance.random() < 0.7
        ]
        store.sync_feed(feed(name, day(number)), records)
        then[store.revision()] = said(store)
    assert store.revision() > 15
    assert len({tuple(each) for each in then.values()}) > 10
    for revision, expected in then.items():
        assert said(store, revision) == expected, revision


def test_a_feed_is_seen_as_it_was_last_checked(store: Store) -> None:
    store.sync_feed(feed(updated_at=day(1), etag="one"), [advisory("CVE-1", "bash")])
    store.confirm_feed("debian", day(3))
    store.sync_feed(feed(updated_at=day(5), etag="two"), [advisory("CVE-1", "bash")])
    store.sync_feed(feed(updated_at=day(7), etag="three"), [advisory("CVE-2", "bash")])
    store.sync_feed(feed("other", day(8)), [])
    store.drop_feed("debian")

    def seen(number: int, revision: int = 1) -> list[tuple[str, int, str, str]]:
        return [
            (s.name, s.revision, s.updated_at, s.etag)
            for s in store.states_at(revision, f"2026-03-{number:02}T12:00:00Z")
        ]

    assert seen(1) == seen(2) == [("debian", 1, day(1), "one")]
    assert seen(3) == seen(4) == [("debian", 1, day(3), "one")]
    assert seen(5) == seen(6) == seen(9) == [("debian", 1, day(5), "two")]
    assert seen(7, 2) == [("debian", 2, day(7), "three")]
    assert seen(9, 3) == [("debian", 2, day(7), "three"), ("other", 3, day(8), "")]
    assert [state.name for state in store.states_at(4, "2099-01-01T00:00:00Z")] == ["other"]


def test_a_clock_before_the_first_check_sees_the_revision(store: Store) -> None:
    store.sync_feed(feed(updated_at=day(5)), [advisory("CVE-1", "bash")])
    assert [state.updated_at for state in store.states_at(1, day(1))] == [day(5)]
    assert store.states_at(0, day(9)) == ()
    with pytest.raises(StoreError, match="feed revision 2 is not in the store: it keeps 0 to 1"):
        store.states_at(2, day(9))


def test_the_state_that_a_check_left(store: Store) -> None:
    store.sync_feed(feed(updated_at=day(1), etag="one"), [advisory("CVE-1", "bash")])
    store.confirm_feed("debian", day(3))
    store.sync_feed(feed(updated_at=day(5), etag="two"), [advisory("CVE-2", "bash")])
    for number, revision, etag in ((1, 1, "one"), (3, 1, "one"), (5, 2, "two")):
        state = store.state_checked("debian", revision, day(number))
        assert state is not None
        assert (state.etag, state.updated_at, state.revision) == (etag, day(number), revision)
    assert store.state_checked("debian", 1, day(2)) is None
    assert store.state_checked("debian", 2, day(3)) is None
    assert store.state_checked("none", 1, day(1)) is None


def test_the_revision_in_force_at_a_moment(store: Store) -> None:
    for number in (2, 4):
        store.sync_feed(feed(updated_at=day(number)), [advisory(f"CVE-{number}", "bash")])
    assert [store.revision_at(day(number)) for number in (1, 2, 3, 4, 9)] == [0, 1, 1, 2, 2]
    assert list(store.kept_revisions()) == [0, 1, 2]


def test_old_checks_go_with_a_clean_up_but_for_the_last(store: Store) -> None:
    store.sync_feed(feed(updated_at=day(1)), [advisory("CVE-1", "bash")])
    for number in range(2, 10):
        store.confirm_feed("debian", day(number))
    store.gc(older_than_days=5, keep=None, now=day(10))
    with store._session.read() as db:
        left = [moment for (moment,) in db.execute("SELECT updated_at FROM past_state ORDER BY id")]
    assert left == [day(number) for number in (4, 5, 6, 7, 8)]
    assert [state.updated_at for state in store.states_at(1, day(5))] == [day(5)]
