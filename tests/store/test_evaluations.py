from __future__ import annotations

from dataclasses import replace

from anchorecli.model import WatchedTag
from anchorecli.store import Store
from tests.store.values import NOW, evaluation


def test_an_evaluation_comes_back_with_its_report(store: Store) -> None:
    made = evaluation()
    number = store.put_evaluation(made)
    assert store.evaluation(number) == replace(made, id=number)
    assert store.evaluation(number + 1) is None


def test_numbers_rise_whatever_the_value_says(store: Store) -> None:
    numbers = [store.put_evaluation(evaluation(id=1)) for _ in range(3)]
    assert numbers == sorted(set(numbers))


def test_evaluations_are_listed_newest_first_without_reports(store: Store) -> None:
    for reference, image_id in [("a", "1"), ("b", "1"), ("a", "2"), ("\udcff", "3")]:
        store.put_evaluation(evaluation(image_id, reference))

    def listed(image_id: str | None = None, reference: str | None = None) -> list[int]:
        return [each.id for each in store.evaluations(image_id, reference)]

    assert listed() == [4, 3, 2, 1]
    assert listed(image_id="1") == [2, 1]
    assert listed(reference="a") == [3, 1]
    assert listed(reference="a", image_id="1") == [1]
    assert listed(reference="\udcff") == [4]
    assert listed(reference="none") == []
    assert [each.id for each in store.evaluations(limit=2)] == [4, 3]
    assert all(each.report == b"" for each in store.evaluations())


def test_whatever_is_asked_or_said_there_is_an_answer(store: Store) -> None:
    number = store.put_evaluation(evaluation(platform="linux/\udcff", bundle_id="\ud800", matches=10**30))
    found = store.evaluation(number)
    assert found is not None
    assert (found.platform, found.bundle_id, found.matches) == ("linux/?", "?", 2**63 - 1)
    assert store.evaluation(10**30) is None
    assert len(store.evaluations(limit=10**30)) == 1
    assert store.evaluations(image_id="\udcff") == ()


def test_watching_tags(store: Store) -> None:
    assert store.watch_add("docker.io/debian:12", NOW)
    assert not store.watch_add("docker.io/debian:12", "2030-01-01T00:00:00Z")
    assert store.watch_add("docker.io/alpine:3", NOW)
    assert store.watch_list() == (WatchedTag("docker.io/alpine:3", NOW), WatchedTag("docker.io/debian:12", NOW))
    seen = WatchedTag("docker.io/alpine:3", NOW, "sha256:1", "sha256:2", 5, "2026-03-02T00:00:00Z")
    assert store.watch_update(seen)
    assert store.watch_list()[0] == seen
    assert store.watch_remove("docker.io/alpine:3")
    assert not store.watch_remove("docker.io/alpine:3")
    assert not store.watch_update(seen)
    assert [tag.reference for tag in store.watch_list()] == ["docker.io/debian:12"]


def test_a_paused_tag_is_taken_up_again(store: Store) -> None:
    store.watch_add("a", NOW)
    paused = WatchedTag("a", NOW, "sha256:1", "sha256:2", 5, NOW, active=False)
    store.watch_update(paused)
    assert store.watch_list() == (paused,)
    assert store.watch_add("a", "2030-01-01T00:00:00Z")
    assert store.watch_list() == (replace(paused, active=True),)
