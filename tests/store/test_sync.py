from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchorecli.errors import FeedError, StoreError
from anchorecli.model import Advisory, Affected, Cvss, FeedState, Range, Severity, Statement, SyncResult
from anchorecli.store import Store, open_store, sync
from tests.store.values import NOW, advisory, feed, names

WHOLE = Advisory(
    id="CVE-2026-1",
    feed="debian",
    aliases=("GHSA-1", "DSA-1"),
    severity=Severity.HIGH,
    summary="Überlauf \U0001f600 in bash\x00",
    url="https://example.org/CVE-2026-1",
    published="2026-01-01T00:00:00Z",
    modified="2026-01-02T00:00:00Z",
    withdrawn="2026-01-03T00:00:00Z",
    cvss=(Cvss("3.1", "CVSS:3.1/AV:N", 9.8, "nvd"), Cvss("4.0", "CVSS:4.0/AV:N", 0.1)),
    affected=(
        Affected("debian:12", "bash", "deb", ranges=(Range("", "5.2-1"), Range("6", "", "6.1")), versions=("1", "2")),
        Affected("debian:12", "bash", "deb", Statement.WONT_FIX, severity=Severity.LOW, arches=("amd64", "arm64")),
        Affected("almalinux:9", "bash", "rpm", Statement.NOT_AFFECTED, module="bash:5"),
    ),
)


def current(store: Store, name: str = "debian", revision: int | None = None) -> list[Advisory]:
    return list(store.feed_records(name, revision))


def test_a_record_comes_back_whole(store: Store) -> None:
    bare = Advisory("CVE-2026-2", "debian")
    store.sync_feed(feed(), [bare, WHOLE])
    assert current(store) == [WHOLE, bare]


def test_the_first_sync(store: Store) -> None:
    state = feed(
        url="https://example.org/x",
        digest="d",
        etag="e",
        last_modified="m",
        source_date="2026-02-01",
        problems=3,
        ecosystems=("debian:13",),
    )
    result = store.sync_feed(state, iter([advisory("CVE-1", "bash"), advisory("CVE-2", "dash")]))
    assert result == SyncResult("debian", 1, added=2)
    assert store.revision() == 1
    expected = replace(state, revision=1, records=2, ecosystems=("debian:12", "debian:13"))
    assert store.feed_state("debian") == expected
    assert store.feed_states() == store.feed_states(1) == (expected,)
    assert store.feed_states(0) == ()
    assert store.feed_state("other") is None


def test_a_sync_touches_what_changed(store: Store) -> None:
    store.sync_feed(feed(), [advisory(f"CVE-{n}", "bash") for n in range(5)])
    after = [advisory("CVE-0", "bash"), advisory("CVE-1", "bash", fixed="2"), advisory("CVE-9", "zsh")]
    assert store.sync_feed(feed(), after) == SyncResult("debian", 2, added=1, changed=1, removed=3, unchanged=1)
    assert names(current(store)) == ["CVE-0", "CVE-1", "CVE-9"]
    assert names(current(store, revision=1)) == [f"CVE-{n}" for n in range(5)]
    with store._session.read() as db:
        rows = db.execute("SELECT name, valid_from, valid_to FROM advisory ORDER BY id").fetchall()
        past = {
            name for (name,) in db.execute("SELECT v.name FROM past_version x JOIN advisory v ON v.id = x.advisory")
        }
    assert rows == [("CVE-0", 1, 0), ("CVE-1", 2, 0), *((f"CVE-{n}", 1, 2) for n in (2, 3, 4)), ("CVE-9", 2, 0)]
    assert past == {"CVE-1", "CVE-2", "CVE-3", "CVE-4"}


@pytest.mark.parametrize(
    "other",
    [
        replace(WHOLE, aliases=("GHSA-1",)),
        replace(WHOLE, severity=Severity.LOW),
        replace(WHOLE, summary="s"),
        replace(WHOLE, url="u"),
        replace(WHOLE, published=""),
        replace(WHOLE, modified=""),
        replace(WHOLE, withdrawn=""),
        replace(WHOLE, cvss=WHOLE.cvss[:1]),
        replace(WHOLE, affected=WHOLE.affected[:2]),
        replace(WHOLE, affected=WHOLE.affected[::-1]),
        *(
            replace(WHOLE, affected=(replace(WHOLE.affected[0], **change), *WHOLE.affected[1:]))
            for change in (
                {"ecosystem": "debian:13"},
                {"package": "dash"},
                {"scheme": "rpm"},
                {"statement": Statement.UNDER_INVESTIGATION},
                {"ranges": (Range("", "5.2-2"),)},
                {"versions": ()},
                {"severity": Severity.NEGLIGIBLE},
                {"module": "m:1"},
                {"arches": ("amd64",)},
            )
        ),
    ],
)
def test_every_field_counts_as_a_change(store: Store, other: Advisory) -> None:
    store.sync_feed(feed(), [WHOLE])
    assert store.sync_feed(feed(), [other]).changed == 1
    assert current(store) == [other]
    assert current(store, revision=1) == [WHOLE]


def test_the_same_records_make_no_revision_but_a_state(store: Store) -> None:
    records = [advisory("CVE-1", "bash"), WHOLE]
    store.sync_feed(feed(etag="1"), records)
    newer = feed(etag="2", updated_at="2026-04-01T00:00:00Z")
    assert store.sync_feed(newer, records[::-1]) == SyncResult("debian", 1, unchanged=2)
    state = store.feed_state("debian")
    assert state is not None
    assert (state.revision, state.etag, state.updated_at) == (1, "2", "2026-04-01T00:00:00Z")
    assert store.feed_states(1)[0].updated_at == NOW
    assert len(store.revisions()) == 1


def test_new_coverage_is_a_revision(store: Store) -> None:
    store.sync_feed(feed(), [])
    assert store.sync_feed(feed(ecosystems=("debian:13",)), []).revision == 2
    assert store.coverage(1) == frozenset()
    assert store.coverage() == {"debian:13"}


def test_the_newest_record_dates_a_feed_that_has_no_date(store: Store) -> None:
    records = [replace(advisory(f"CVE-{n}", "bash"), modified=f"2026-01-0{n}T00:00:00Z") for n in (1, 3, 2)]
    store.sync_feed(feed(), [*records, replace(advisory("CVE-4"), published="2025-12-01T00:00:00Z")])
    state = store.feed_state("debian")
    assert state is not None
    assert state.source_date == "2026-01-03T00:00:00Z"


def test_a_snapshot_that_breaks_off_changes_nothing(store: Store) -> None:
    store.sync_feed(feed(), [advisory("CVE-1", "bash")])

    def broken() -> Iterator[Advisory]:
        yield advisory("CVE-1", "bash", fixed="2")
        yield advisory("CVE-2", "new-name", ecosystem="debian:99")
        raise FeedError("the connection broke")

    with pytest.raises(FeedError, match="the connection broke"):
        store.sync_feed(feed(updated_at="2030-01-01T00:00:00Z"), broken())
    with pytest.raises(FeedError, match="too small"):
        store.sync_feed(feed(), [], finish=lambda state: (_ for _ in ()).throw(FeedError("too small")))
    assert names(current(store)) == ["CVE-1"]
    assert [state.updated_at for state in store.feed_states()] == [NOW]
    assert store.revision() == 1
    with store._session.read() as db:
        assert db.execute("SELECT name FROM ecosystem").fetchall() == [("debian:12",)]


def test_the_state_may_be_completed_at_the_end(store: Store) -> None:
    seen: list[str] = []

    def records() -> Iterator[Advisory]:
        yield advisory("CVE-1", "bash")
        seen.append("all")

    store.sync_feed(feed(), records(), finish=lambda state: replace(state, problems=len(seen), digest="d"))
    (state,) = store.feed_states()
    assert (state.problems, state.digest, state.records) == (1, "d", 1)


def test_records_of_one_id_are_merged_and_counted(store: Store) -> None:
    first = replace(
        advisory("CVE-1", "bash", "dash"), severity=Severity.HIGH, aliases=("A",), modified="2026-02", withdrawn="2026"
    )
    second = replace(advisory("CVE-1", "dash", "zsh"), aliases=("B", "A"), summary="later", modified="2026-01")
    result = store.sync_feed(feed(), [first, advisory("CVE-2", "bash"), second, second])
    assert result == SyncResult("debian", 1, added=2, duplicates=2)
    merged = current(store)[0]
    assert [each.package for each in merged.affected] == ["bash", "dash", "zsh"]
    assert merged.aliases == ("A", "B")
    assert (merged.severity, merged.summary, merged.modified) == (Severity.HIGH, "later", "2026-02")
    assert merged.withdrawn == ""
    assert store.sync_feed(feed(), [second, first, advisory("CVE-2", "bash")]).changed == 1  # another order
    assert store.sync_feed(feed(), [current(store)[0], advisory("CVE-2", "bash")]).unchanged == 2


def test_a_duplicate_of_what_is_stored(store: Store) -> None:
    store.sync_feed(feed(), [advisory("CVE-1", "bash")])
    result = store.sync_feed(feed(), [advisory("CVE-1", "bash"), advisory("CVE-1", "zsh")])
    assert (result.changed, result.duplicates) == (1, 1)
    assert [each.package for each in current(store)[0].affected] == ["bash", "zsh"]
    again = store.sync_feed(feed(), [advisory("CVE-1", "bash", "zsh")] * 2)
    assert (again.unchanged, again.duplicates, again.revision) == (1, 1, 2)


def test_text_that_is_no_unicode(store: Store) -> None:
    broken = Advisory(
        "CVE-1",
        "debian",
        summary="half \ud83d",
        affected=(Affected("debian:12", "b\udcff", "deb", versions=("\ud800",)),),
    )
    store.sync_feed(feed(), [broken])
    (stored,) = current(store)
    assert stored.summary == "half ?"
    assert (stored.affected[0].package, stored.affected[0].versions) == ("b?", ("?",))
    assert store.sync_feed(feed(), [broken]).unchanged == 1


def test_feeds_do_not_mix(store: Store) -> None:
    store.sync_feed(feed("debian"), [advisory("CVE-1", "bash")])
    store.sync_feed(feed("ghsa"), [advisory("CVE-1", "bash", fixed="3", feed="ghsa")])
    store.sync_feed(feed("debian"), [])
    assert current(store) == []
    assert [each.feed for each in current(store, "ghsa")] == ["ghsa"]
    assert current(store, "nobody") == []


def test_dropping_a_feed_keeps_its_past(store: Store) -> None:
    store.sync_feed(feed(), [advisory("CVE-1", "bash"), advisory("CVE-2", "bash")])
    assert store.drop_feed("debian")
    assert not store.drop_feed("debian")
    assert store.feed_states() == ()
    assert store.lookup([("debian:12", "bash")]) == []
    assert len(store.lookup([("debian:12", "bash")], 1)) == 2
    assert store.coverage() == frozenset()
    assert store.coverage(1) == {"debian:12"}
    assert not store.confirm_feed("debian", NOW)
    assert [(each.revision, each.removed) for each in store.revisions()] == [(2, 2), (1, 0)]
    result = store.sync_feed(feed(), [advisory("CVE-1", "bash")])
    assert result == SyncResult("debian", 3, added=1)
    assert [state.records for state in store.feed_states()] == [1]


def test_confirming_a_feed(store: Store) -> None:
    store.sync_feed(feed(), [advisory("CVE-1", "bash")])
    assert store.confirm_feed("debian", "2026-05-01T00:00:00Z")
    assert not store.confirm_feed("other", "2026-05-01T00:00:00Z")
    assert [(each.updated_at, each.revision) for each in store.feed_states()] == [("2026-05-01T00:00:00Z", 1)]


def test_the_history_says_where_data_came_from(store: Store) -> None:
    store.sync_feed(feed("a", url="u1", digest="d1", etag="e1", source_date="s1"), [advisory("CVE-1", "bash")])
    store.sync_feed(feed("b"), [])
    store.sync_feed(feed("a", url="u2", updated_at="2026-05-01T00:00:00Z"), [advisory("CVE-2", "bash")] * 2)
    newest, oldest = store.revisions("a")
    assert [each.feed for each in store.revisions()] == ["a", "b", "a"]
    assert (newest.revision, newest.added, newest.removed, newest.records) == (3, 1, 1, 1)
    assert (newest.created_at, newest.url) == ("2026-05-01T00:00:00Z", "u2")
    assert (oldest.url, oldest.digest, oldest.etag, oldest.source_date) == ("u1", "d1", "e1", "s1")
    assert store.revisions("none") == ()


def test_a_starter_feed_is_no_coverage(store: Store) -> None:
    store.sync_feed(feed("starter", starter=True), [advisory("CVE-1", "bash")])
    assert store.coverage() == frozenset()
    assert store.coverage(starter=True) == {"debian:12"}
    store.sync_feed(feed("debian"), [advisory("CVE-1", "bash", ecosystem="debian:13")])
    assert store.coverage() == {"debian:13"}
    assert store.coverage(1, starter=True) == {"debian:12"}


def test_another_process_syncs_the_same_feed_meanwhile(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "_BATCH", 1)
    same, gone, other = WHOLE, advisory("CVE-2", "bash"), advisory("CVE-3", "bash")
    store.sync_feed(feed(), [same, gone])

    def records() -> Iterator[Advisory]:
        yield same  # equal to what is stored: noted, without its content
        yield gone
        store.sync_feed(feed(), [replace(same, summary="changed"), advisory("CVE-4", "zsh")])
        yield other

    assert store.sync_feed(feed(), records()) == SyncResult("debian", 3, added=2, changed=1, removed=1)
    assert current(store) == [gone, same, other]
    assert names(current(store, revision=2)) == ["CVE-2026-1", "CVE-4"]
    assert current(store, revision=1) == [gone, same]
    assert len(store.lookup([("almalinux:9", "bash")])) == 1


def test_an_export_reads_one_snapshot(store: Store) -> None:
    store.sync_feed(feed(), [advisory(f"CVE-{n:04}", "bash") for n in range(1500)])
    records = store.feed_records("debian")
    first = next(records)
    store.sync_feed(feed(), [advisory("CVE-new", "bash")])
    assert names([first, *records]) == [f"CVE-{n:04}" for n in range(1500)]
    assert names(store.feed_records("debian")) == ["CVE-new"]


def test_a_revision_that_never_was(store: Store) -> None:
    store.sync_feed(feed(), [advisory("CVE-1", "bash")])
    for ask in (
        lambda: store.lookup([("debian:12", "bash")], 2),
        lambda: list(store.feed_records("debian", 2)),
        lambda: store.feed_states(-1),
        lambda: store.coverage(2),
    ):
        with pytest.raises(StoreError, match="is not in the store") as caught:
            ask()
        assert caught.value.hint


IDS = st.sampled_from(["CVE-1", "CVE-2", "CVE-3", "CVE-4"])
PACKAGES = st.lists(st.sampled_from(["bash", "dash", "zsh"]), max_size=2, unique=True)
SNAPSHOTS = st.lists(st.dictionaries(IDS, st.tuples(PACKAGES, st.sampled_from("12"))), min_size=1, max_size=6)


@settings(max_examples=25, deadline=None)
@given(SNAPSHOTS)
def test_every_revision_can_be_asked(tmp_path_factory: pytest.TempPathFactory, snapshots: list[dict]) -> None:  # type: ignore[type-arg]
    """Whatever the order of snapshots: each revision gives the records, and the statements, it was made of."""
    with open_store(tmp_path_factory.mktemp("store") / "store.db") as store:
        made: dict[int, list[Advisory]] = {0: []}
        for snapshot in snapshots:
            records = [advisory(name, *packages, fixed=fixed) for name, (packages, fixed) in sorted(snapshot.items())]
            made[store.sync_feed(feed(), records).revision] = records
        assert store.revision() == max(made)
        for revision, records in made.items():
            assert current(store, revision=revision) == records
            for package in ("bash", "dash", "zsh"):
                found = store.lookup([("debian:12", package)], revision)
                rows = store.records([each.row for each in found], revision)
                expected = [each for each in records if package in {one.package for one in each.affected}]
                assert sorted(rows.values(), key=lambda each: each.id) == expected


def test_state_values_are_kept_as_given(store: Store) -> None:
    state = FeedState("x", updated_at=NOW, starter=True, problems=2, ecosystems=("b", "a"))
    store.sync_feed(state, [])
    assert store.feed_state("x") == replace(state, revision=1, ecosystems=("a", "b"))
