"""The inverted index: from changed records of the feeds to evaluations."""

from __future__ import annotations

import random
from collections.abc import Iterable

from anchorecli.model import Advisory
from anchorecli.store import Store, document_digest
from tests.store.values import LATER, advisory, evaluation, feed, image, put

SPACE = "debian:12"


def scanned(store: Store, name: str, *packages: str, space: str = SPACE, form: str = "1") -> int:
    """An image that was scanned, evaluated by the feeds as they are, and indexed."""
    made = put(store, name)
    number = evaluated(store, name)
    store.inverted(form).put(document_digest(b"analysis of " + name.encode()), [(space, each) for each in packages])
    assert made.image_id == image(name).image_id
    return number


def evaluated(store: Store, name: str, matches: bytes = b"matches") -> int:
    row = evaluation(image(name).image_id, f"docker.io/{name}:12", feed_revision=store.revision())
    return store.put_evaluation(row, {"analysis": b"analysis of " + name.encode(), "matches": matches})


def sync(store: Store, *records: Advisory, name: str = "debian") -> None:
    store.sync_feed(feed(name), records)


def touched(store: Store, since: int | None = None, ignored: Iterable[str] = ()) -> dict[int, set[str]]:
    return {each.evaluation: set(each.spaces) for each in store.inverted("1").touched(since, ignored)}


def test_only_images_with_a_changed_name_are_touched(store: Store) -> None:
    sync(store, advisory("CVE-1", "bash"), advisory("CVE-2", "curl"))
    bash, curl = scanned(store, "one", "bash", "zlib"), scanned(store, "two", "curl", "zlib")
    assert touched(store) == {}
    sync(store, advisory("CVE-1", "bash", fixed="2.0"), advisory("CVE-2", "curl"))
    assert touched(store) == {bash: {SPACE}}
    sync(store, advisory("CVE-2", "curl"))  # what goes is a change as well
    assert touched(store) == {bash: {SPACE}}
    sync(store, advisory("CVE-2", "curl"), advisory("CVE-3", "zlib"))
    assert touched(store) == {bash: {SPACE}, curl: {SPACE}}


def test_a_name_in_another_namespace_is_another_name(store: Store) -> None:
    sync(store, advisory("CVE-1", "bash"), advisory("A", "x", ecosystem="alpine:3.20"))
    scanned(store, "one", "bash", space="alpine:3.20")
    sync(store, advisory("CVE-1", "bash", fixed="2.0"), advisory("A", "x", ecosystem="alpine:3.20"))
    assert touched(store) == {}


def test_a_namespace_that_comes_or_goes_touches_all_who_ask_it(store: Store) -> None:
    number = scanned(store, "one", "nobody-knows-it")
    scanned(store, "two", "flask", space="pypi")
    sync(store, advisory("CVE-1", "bash"))
    assert touched(store) == {number: {SPACE}}
    evaluated(store, "one")
    assert touched(store) == {}
    store.drop_feed("debian")
    assert len(touched(store)) == 1


def test_the_last_evaluation_of_a_reference_counts_and_its_image_must_be_there(store: Store) -> None:
    sync(store, advisory("CVE-1", "bash"))
    scanned(store, "one", "bash")
    newer, gone = evaluated(store, "one"), scanned(store, "two", "bash")
    sync(store, advisory("CVE-1", "bash", fixed="2"))
    assert touched(store).keys() == {newer, gone}
    store.remove_image(image("two").image_id)
    assert touched(store).keys() == {newer}


def test_what_is_up_to_date_is_not_asked_about_again(store: Store) -> None:
    sync(store, advisory("CVE-1", "bash"), advisory("CVE-2", "curl"))
    number = scanned(store, "one", "bash")
    sync(store, advisory("CVE-1", "bash", fixed="2"), advisory("CVE-2", "curl"))
    inverted = store.inverted("1")
    early = inverted.moment()
    later = scanned(store, "two", "curl")
    inverted.note(early)
    assert touched(store) == {}
    sync(store, advisory("CVE-1", "bash", fixed="2"), advisory("CVE-2", "curl", fixed="3"))
    assert touched(store) == {later: {SPACE}}
    assert touched(store, since=1).keys() == {number, later}
    inverted.note(inverted.moment())
    inverted.note(early)  # a slower process
    assert touched(store) == {}


def test_evaluations_are_asked_about_by_name_also_where_they_are_not_the_last(store: Store) -> None:
    sync(store, advisory("CVE-1", "bash"), advisory("CVE-2", "curl"))
    first = scanned(store, "one", "bash")
    sync(store, advisory("CVE-1", "bash", fixed="2"), advisory("CVE-2", "curl"))
    second = evaluated(store, "one")
    inverted = store.inverted("1")
    assert [each.evaluation for each in inverted.touched_among([first, second])] == [first]
    assert inverted.touched_among([]) == []


def test_scores_of_vulnerabilities_touch_those_who_have_them_if_anybody_looks(store: Store) -> None:
    sync(store, advisory("CVE-9", "CVE-1", "CVE-2", ecosystem="kev"), name="kev")
    one, two = scanned(store, "one", "bash"), scanned(store, "two", "bash")
    store.inverted("1").put(document_digest(b"matches"), [("cve", "CVE-1")])
    sync(store, advisory("CVE-9", "CVE-1", "CVE-2", ecosystem="kev", fixed="2"), name="kev")
    assert touched(store) == {one: {"kev"}, two: {"kev"}}
    assert touched(store, ignored=["kev"]) == {}


def test_what_is_not_indexed_by_these_rules_is_named_once(store: Store) -> None:
    scanned(store, "one", "bash", form="0")
    newer = evaluated(store, "one")
    put(store, "two")
    other = evaluated(store, "two")
    inverted = store.inverted("1")
    assert inverted.unindexed("analysis") == [newer, other]
    assert not inverted.has(document_digest(b"analysis of one"))
    assert store.inverted("0").has(document_digest(b"analysis of one"))
    assert inverted.unindexed("analysis", [other]) == [other]
    inverted.put(document_digest(b"analysis of one"), [(SPACE, "bash")])
    assert inverted.unindexed("analysis") == [other]
    inverted.note(inverted.moment())
    assert inverted.unindexed("analysis") == []
    assert store.inverted("2").unindexed("analysis") == [newer, other]


def test_a_document_that_is_not_there_is_not_indexed(store: Store) -> None:
    nowhere = f"sha256:{'0' * 64}"
    store.inverted("1").put(nowhere, [(SPACE, "bash")])
    assert not store.inverted("1").has(nowhere)
    with store._session.read() as db:
        assert db.execute("SELECT count(*) FROM asked_part").fetchone() == (0,)


def test_names_that_are_no_text_are_kept_and_images_share_what_they_have_in_common(store: Store) -> None:
    scanned(store, "one", "bash", "a\udcff", "b\nc")
    scanned(store, "two", "b\nc", "a\udcff", "bash")
    scanned(store, "three", "a\udcff", "b", "c", "bash")
    with store._session.read() as db:
        assert db.execute("SELECT count(*) FROM asked_part").fetchone() == (2,)


def test_a_clean_up_takes_what_nobody_needs(store: Store) -> None:
    scanned(store, "one", "bash")
    assert store.remove_image(image("one").image_id)
    store.gc(older_than_days=1, keep=None, now=LATER)
    with store._session.read() as db:
        for table in ("asked_name", "asked_part", "asked", "asked_by", "asked_form"):
            assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table


def test_a_past_that_was_cleaned_away_counts_as_changed(store: Store) -> None:
    sync(store, advisory("CVE-1", "bash"), advisory("CVE-2", "curl"))
    number = scanned(store, "one", "other")
    sync(store, advisory("CVE-1", "bash", fixed="2"))
    sync(store, advisory("CVE-1", "bash", fixed="3"))
    with store._session.write() as db:
        db.execute("UPDATE history SET kept_from = 3")
    assert touched(store) == {number: {SPACE}}


def test_what_a_sync_touches_is_what_its_changed_records_speak_of_or_spoke_of(store: Store) -> None:
    chance = random.Random(7)
    images = {name: scanned(store, name, name) for name in ("bash", "dash", "zsh")}
    before: dict[str, Advisory] = {}
    for _ in range(40):
        records = [
            advisory(f"CVE-{n}", *chance.sample(sorted(images), chance.randrange(3)), fixed=chance.choice("123"))
            for n in range(4)
            if chance.random() < 0.6
        ]
        since = store.revision()
        sync(store, *records)
        after = {each.id: each for each in records}
        changed = [each for each in {*before.values()} ^ {*after.values()}]
        packages = {about.package for each in changed for about in each.affected}
        spaces = store.coverage(since) == store.coverage()
        if spaces and since:
            assert set(touched(store, since)) == {images[name] for name in packages}
        before = after


def test_a_package_that_a_record_left_out_long_ago_is_touched(store: Store) -> None:
    sync(store, advisory("CVE-1", "bash", "curl"), advisory("CVE-2", "zlib"))
    number = scanned(store, "one", "bash")
    for fixed in "123":
        sync(store, advisory("CVE-1", "curl", fixed=fixed), advisory("CVE-2", "zlib"))
    assert touched(store) == touched(store, 1) == {number: {SPACE}}
    assert touched(store, 2) == {}
