"""Deltas between real stores: full(A) and then delta(A→B) is full(B), and nothing else is taken."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchorecli.errors import AnchoreError, FeedError, StoreError
from anchorecli.feeds.delta import apply, export_store, import_file
from anchorecli.feeds.offline.intake import take_in
from anchorecli.feeds.offline.read import Conditions, import_
from anchorecli.feeds.offline.write import Head
from anchorecli.feeds.sync import CURRENT_ONLY
from anchorecli.model import Advisory, Affected, Cvss, FeedState, Range, Severity
from anchorecli.store import Store, open_store
from anchorecli.values import dataclass

NOW = "2025-03-01T00:00:00Z"


def day(number: int) -> str:
    return f"2025-02-{number:02}T00:00:00Z"


def advisory(number: int, text: str = "", feed: str = "debian") -> Advisory:
    return Advisory(
        f"CVE-2024-{number:04}", feed, ("GHSA-é",), Severity.HIGH, text, cvss=(Cvss("3.1", "V", 7, "nvd"),),
        affected=(Affected("debian:12", f"p{number}", "deb", ranges=(Range("0", text or "1"),)),),
    )  # fmt: skip


def synced(store: Store, when: int, *records: Advisory, feed: str = "debian") -> int:
    """Make a feed consist of these records; the revision."""
    state = FeedState(feed, updated_at=day(when), url="https://u/", etag=f"1;{when}")
    store.sync_feed(state, records, past=feed not in CURRENT_ONLY)
    return store.revision()


def held(store: Store) -> dict[str, tuple[FeedState, list[Advisory]]]:
    """All that matters of a store's feeds: numbers of revisions are each store's own."""
    return {
        state.name: (replace(state, revision=0), list(store.feed_records(state.name))) for state in store.feed_states()
    }


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "here.db") as store:
        yield store


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "there.db") as store:
        yield store


def full(store: Store, path: Path) -> Path:
    export_store(path, store, Head(NOW))
    return path


def delta(store: Store, path: Path, since: int) -> Path:
    export_store(path, store, Head(NOW, since=since))
    return path


@dataclass(frozen=True)
class Chain:
    """A full file of revision 1 and the deltas 1→2, 2→3 after it."""

    full: Path
    deltas: tuple[Path, Path]


@pytest.fixture
def chain(here: Store, tmp_path: Path) -> Chain:
    first = synced(here, 1, advisory(1), advisory(2), advisory(3))
    start = full(here, tmp_path / "full")
    second = synced(here, 2, advisory(1, "changed"), advisory(3), advisory(4))
    one = delta(here, tmp_path / "d1", first)
    synced(here, 3, advisory(4), advisory(5))
    return Chain(start, (one, delta(here, tmp_path / "d2", second)))


def test_full_and_deltas_give_what_the_exporting_store_holds(here: Store, there: Store, chain: Chain) -> None:
    import_file(chain.full, there)
    (outcome,) = import_file(chain.deltas[0], there)
    assert outcome.result is not None
    assert (outcome.result.added, outcome.result.changed, outcome.result.removed) == (1, 1, 1)
    import_file(chain.deltas[1], there)
    assert held(there) == held(here)
    # The past is there as well: the delta was a revision of its own.
    assert [each.id for each in there.feed_records("debian", 1)] == ["CVE-2024-0001", "CVE-2024-0002", "CVE-2024-0003"]


def test_what_a_delta_holds_is_only_what_changed(chain: Chain) -> None:
    with import_(chain.deltas[0]) as file:
        assert file.delta
        assert (file.manifest.since, file.manifest.revision) == (1, 2)
        ((_, changes),) = [(state, list(changes)) for state, changes in file.feeds()]
    assert changes == [advisory(1, "changed"), "CVE-2024-0002", advisory(4)]


def test_twice_is_once(there: Store, chain: Chain) -> None:
    for path in (chain.full, *chain.deltas):
        import_file(path, there)
    before, revision = held(there), there.revision()
    for path in (chain.deltas[1], chain.deltas[0], chain.deltas[0]):
        assert [each.result for each in import_file(path, there)] == [None]
    assert (held(there), there.revision()) == (before, revision)


def test_a_gap_names_the_missing_revision(there: Store, chain: Chain) -> None:
    import_file(chain.full, there)
    before = held(there)
    with pytest.raises(FeedError, match="revision 2, which is missing here: debian") as caught:
        import_file(chain.deltas[1], there)
    assert "the delta that leads to revision 2" in caught.value.hint
    assert held(there) == before


def test_an_empty_store_takes_no_delta(there: Store, chain: Chain) -> None:
    with pytest.raises(FeedError, match="does not have it"):
        import_file(chain.deltas[0], there)
    assert there.feed_states() == ()


def test_back_in_time_is_refused(there: Store, chain: Chain) -> None:
    synced(there, 20, advisory(9))
    with pytest.raises(FeedError, match="goes back"):
        import_file(chain.deltas[0], there)
    assert [each.id for each in there.feed_records("debian")] == ["CVE-2024-0009"]


def test_a_full_file_bridges_a_gap(here: Store, there: Store, chain: Chain, tmp_path: Path) -> None:
    import_file(chain.full, there)
    import_file(full(here, tmp_path / "later"), there)
    assert held(there) == held(here)
    last = here.revision()
    synced(here, 4, advisory(6))
    import_file(delta(here, tmp_path / "d3", last), there)
    assert held(there) == held(here)


def test_a_store_that_synced_the_same_itself_takes_the_delta(there: Store, chain: Chain) -> None:
    synced(there, 1, advisory(3), advisory(2), advisory(1))
    synced(there, 1, advisory(7), feed="other")
    assert [each.result and each.result.touched for each in import_file(chain.deltas[0], there)] == [3]


def test_a_later_check_that_found_nothing_new_is_a_delta_too(here: Store, there: Store, tmp_path: Path) -> None:
    since = synced(here, 1, advisory(1))
    import_file(full(here, tmp_path / "f"), there)
    here.confirm_feed("debian", day(9))
    import_file(delta(here, tmp_path / "d", since), there)
    assert held(there) == held(here)
    assert there.revision() == 1


def test_new_feeds_and_feeds_without_a_past_are_there_whole(here: Store, there: Store, tmp_path: Path) -> None:
    synced(here, 1, advisory(1), advisory(2))
    since = synced(here, 1, advisory(1, feed="epss"), advisory(2, feed="epss"), feed="epss")
    import_file(full(here, tmp_path / "f"), there)
    synced(here, 2, advisory(1, "x", "epss"), advisory(2, feed="epss"), feed="epss")
    synced(here, 2, advisory(5, feed="new"), feed="new")
    path = delta(here, tmp_path / "d", since)
    with import_(path) as file:
        assert [member.state.name for member in file.members if member.base is None] == ["epss", "new"]
    import_file(path, there)
    assert held(there) == held(here)
    assert {each.valid_to for each in there.advisory_versions(["CVE-2024-0001"]) if each.feed == "epss"} == {0}


def test_the_starter_is_no_base(there: Store, chain: Chain) -> None:
    there.sync_feed(FeedState("debian", starter=True, updated_at=day(28)), [advisory(1), advisory(2), advisory(3)])
    with pytest.raises(FeedError, match="missing here"):
        import_file(chain.deltas[0], there)


def test_one_feed_that_does_not_fit_keeps_all_from_being_applied(here: Store, there: Store, tmp_path: Path) -> None:
    synced(here, 1, advisory(1, feed="alpine"), feed="alpine")
    since = synced(here, 1, advisory(1))
    import_file(full(here, tmp_path / "f"), there)
    synced(there, 1, advisory(1), advisory(8))
    synced(here, 2, advisory(2, feed="alpine"), feed="alpine")
    synced(here, 2, advisory(2))
    before = held(there)
    with pytest.raises(FeedError, match="debian"):
        import_file(delta(here, tmp_path / "d", since), there)
    assert held(there) == before


def test_broken_off_it_goes_on_where_it_stopped(here: Store, there: Store, tmp_path: Path) -> None:
    for feed in ("alpine", "debian"):
        since = synced(here, 1, advisory(1, feed=feed), feed=feed)
    import_file(full(here, tmp_path / "f"), there)
    for feed in ("alpine", "debian"):
        synced(here, 2, advisory(2, feed=feed), feed=feed)
    path = delta(here, tmp_path / "d", since)
    with import_(path) as file:
        steps = apply(file, there)
        assert next(steps).state.name == "alpine"
        steps.close()  # type: ignore[attr-defined]
    assert held(there) != held(here)
    assert [each.result is None for each in import_file(path, there)] == [True, False]
    assert held(there) == held(here)


def test_records_that_break_off_change_nothing(there: Store, chain: Chain) -> None:
    import_file(chain.full, there)
    before, revision = held(there), there.revision()

    def broken() -> Iterable[Advisory | str]:
        yield advisory(1, "changed")
        raise OSError("gone")

    content = there.exchange.content("debian")
    with pytest.raises(OSError, match="gone"):
        there.exchange.apply(FeedState("debian"), broken(), content, content)
    # What does not lead where it says is taken back.
    with pytest.raises(FeedError, match="does not hold what the delta says"):
        there.exchange.apply(FeedState("debian"), ["CVE-2024-0001"], content, content)
    with pytest.raises(FeedError, match="does not hold what the delta says"):
        there.exchange.apply(FeedState("debian"), ["CVE-2024-0001"], "1-0-00", content)
    assert (held(there), there.revision()) == (before, revision)


def test_damage_anywhere_leaves_the_old_state(there: Store, chain: Chain) -> None:
    import_file(chain.full, there)
    before = held(there)
    data = chain.deltas[0].read_bytes()
    for at in range(0, len(data), 97):
        changed = bytearray(data)
        changed[at] ^= 0x40
        chain.deltas[0].write_bytes(changed)
        with pytest.raises(FeedError):
            import_file(chain.deltas[0], there)
    for length in range(0, len(data), 997):
        chain.deltas[0].write_bytes(data[:length])
        with pytest.raises(FeedError):
            import_file(chain.deltas[0], there)
    assert held(there) == before


def test_a_revision_that_is_not_kept(here: Store, chain: Chain, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="99"):
        delta(here, tmp_path / "d", 99)
    assert not (tmp_path / "d").exists()


def test_a_full_file_function_takes_no_delta(there: Store, chain: Chain) -> None:
    with import_(chain.deltas[0]) as file, pytest.raises(FeedError, match="is a delta"):
        list(take_in(file, there))


def test_what_is_dated_in_the_future_is_refused(there: Store, chain: Chain) -> None:
    with pytest.raises(FeedError, match="from the future"):
        import_file(chain.full, there, conditions=Conditions(now="2025-02-20T00:00:00Z"))
    assert there.feed_states() == ()
    assert import_file(chain.full, there, conditions=Conditions(now=NOW))


def test_the_revision_after_the_last_is_an_empty_delta(here: Store, there: Store, tmp_path: Path) -> None:
    since = synced(here, 1, advisory(1))
    import_file(full(here, tmp_path / "f"), there)
    path = delta(here, tmp_path / "d", since)
    assert path.stat().st_size <= 20_480
    assert [each.result for each in import_file(path, there)] == [None]


def test_a_sync_meanwhile_is_noticed(here: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced(here, 1, advisory(1))
    records = here.feed_records

    def meanwhile(name: str) -> Iterator[Advisory]:
        yield from records(name)
        synced(here, 2, advisory(2))

    store = copy.copy(here)
    monkeypatch.setattr(store, "feed_records", meanwhile)
    with pytest.raises(FeedError, match="synced while"):
        export_store(tmp_path / "f", store, Head(NOW))
    assert not (tmp_path / "f").exists()


texts = st.text("ab\u00e9\U0001f600'\"\\ ", max_size=3)
contents = st.dictionaries(st.integers(0, 12), texts, max_size=8)
days = st.lists(
    st.dictionaries(st.sampled_from(["debian", "alpine", "epss"]), contents, min_size=1), min_size=2, max_size=5
)


@settings(max_examples=25, deadline=None)
@given(days)
def test_any_history(history: list[dict[str, dict[int, str]]]) -> None:
    """Whatever happened: the full file of the first day and a delta a day, or one over all days, give the last day."""
    with TemporaryDirectory() as name:
        directory = Path(name)
        with (
            open_store(directory / "here.db") as here,
            open_store(directory / "daily.db") as daily,
            open_store(directory / "leap.db") as leap,
            open_store(directory / "last.db") as last,
        ):
            start = -1
            for number, feeds in enumerate(history, 1):
                since = here.revision()
                for feed, records in sorted(feeds.items()):
                    synced(here, number, *(advisory(each, text, feed) for each, text in records.items()), feed=feed)
                if start < 0:
                    start = here.revision()
                    for store in (daily, leap):
                        import_file(full(here, directory / "first"), store)
                else:
                    import_file(delta(here, directory / f"{number}", since), daily)
            import_file(delta(here, directory / "leap", start), leap)
            import_file(full(here, directory / "full"), last)
            assert held(daily) == held(leap) == held(last) == held(here)


def test_errors_have_hints(there: Store, chain: Chain) -> None:
    for path in (*chain.deltas, Path("/nonexistent/feeds")):
        with pytest.raises(AnchoreError) as caught:
            import_file(path, there)
        assert caught.value.hint
