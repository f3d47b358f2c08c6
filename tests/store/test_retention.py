from __future__ import annotations

from pathlib import Path

import pytest

from anchorecli.errors import StoreError
from anchorecli.model import FactKey, WatchedTag
from anchorecli.store import GcResult, Store
from tests.store.values import DPKG, LATER, NOW, advisory, diff_id, evaluation, facts, feed, image, put


def day(number: int) -> str:
    return f"2026-03-{number:02}T00:00:00Z"


def gc(
    store: Store, *, days: int | None = None, keep: int | None = None, now: str = NOW, dry_run: bool = False
) -> GcResult:
    return store.gc(older_than_days=days, keep=keep, now=now, dry_run=dry_run)


def left(store: Store) -> list[str]:
    return sorted(each.names[0].removeprefix("docker.io/") for each in store.images())


def layers(store: Store, names: str) -> str:
    known = store.known_facts([diff_id(name) for name in names], [DPKG])
    return "".join(name for name in names if known[diff_id(name)])


def test_nothing_to_do(store: Store) -> None:
    put(store, "debian")
    store.put_evaluation(evaluation())
    result = gc(store)
    assert (result.images, result.layers, result.facts, result.evaluations, result.advisories) == (0, 0, 0, 0, 0)
    assert left(store) == ["debian:12"]


def test_images_go_by_age_of_use(store: Store) -> None:
    put(store, "old", "ab", now=day(1))
    put(store, "used", "bc", now=day(1))
    put(store, "used", "bc", now=day(9))
    put(store, "new", "cd", now=day(10))
    result = gc(store, days=5, now=day(11))
    assert (result.images, result.layers, result.facts) == (1, 1, 1)
    assert left(store) == ["new:12", "used:12"]
    assert layers(store, "abcd") == "bcd"


def test_images_go_by_count(store: Store) -> None:
    for number in range(1, 6):
        put(store, f"image{number}", f"a{number}", now=day(number))
    result = gc(store, keep=2)
    assert (result.images, result.layers) == (3, 3)
    assert left(store) == ["image4:12", "image5:12"]
    assert layers(store, "a12345") == "a45"


def test_a_removed_image_frees_its_layers(store: Store) -> None:
    put(store, "alpine", "bc")
    store.remove_image(put(store, "debian", "ab").image_id)
    assert layers(store, "abc") == "abc"
    store.put_image(image("x", "a"), "s", b"", distro="", packages=0, size=0, now=NOW)
    store.remove_image(image("x", "a").image_id)
    assert gc(store).layers == 1
    assert layers(store, "abc") == "bc"


def test_layers_of_a_running_scan_stay(store: Store) -> None:
    store.put_layer(diff_id("a"), "", 0, [facts("a")])
    assert gc(store).layers == 0
    assert layers(store, "a") == "a"
    assert gc(store, now=LATER).layers == 1
    assert layers(store, "a") == ""


def test_layers_a_running_scan_relies_on_stay(store: Store) -> None:
    gone = put(store, "debian", "ab")
    assert store.known_facts([diff_id("a")], [DPKG])[diff_id("a")]
    store.remove_image(gone.image_id)
    assert gc(store).layers == 1
    assert len(store.get_facts([diff_id("a"), diff_id("b")], [DPKG])) == 1


def test_what_is_watched_stays(store: Store) -> None:
    for name in ("seen", "judged", "other"):
        put(store, name, name[0], now=day(1))
    store.watch_add("docker.io/seen:12", day(1))
    store.watch_update(WatchedTag("docker.io/seen:12", day(1), image_id=image("seen", "s").image_id))
    store.watch_add("docker.io/judged:12", day(1))
    judged = image("judged", "j").image_id
    numbers = [
        store.put_evaluation(evaluation(judged, f"docker.io/{name}:12", created_at=day(1)))
        for name in ("judged", "judged", "other")
    ]
    result = gc(store, days=1, keep=0, now=day(20))
    assert (result.images, result.evaluations) == (1, 2)
    assert left(store) == ["judged:12", "seen:12"]
    assert [each.id for each in store.evaluations()] == [numbers[1]]


def test_the_evaluation_a_watched_tag_names_stays(store: Store) -> None:
    numbers = [store.put_evaluation(evaluation(reference="a", created_at=day(1))) for _ in range(3)]
    store.watch_add("a", NOW)
    store.watch_update(WatchedTag("a", NOW, evaluation_id=numbers[0]))
    assert gc(store, keep=0).evaluations == 1
    assert [each.id for each in store.evaluations()] == [numbers[2], numbers[0]]


def test_evaluations_go_by_age_and_count_of_each_reference(store: Store) -> None:
    for reference in "ab":
        for number in range(1, 5):
            store.put_evaluation(evaluation(reference=reference, created_at=day(number)))
    assert gc(store, days=2, now=day(4)).evaluations == 2
    assert gc(store, keep=2).evaluations == 2
    assert [(each.reference, each.created_at) for each in store.evaluations()] == [
        (reference, day(number)) for reference in "ba" for number in (4, 3)
    ]


def test_superseded_facts_and_analyses_go(store: Store) -> None:
    newer, failed = FactKey("dpkg", 2), FactKey("rpm", 2)
    made = put(store, "debian", "a")
    rows = [facts("a", newer), facts("a", FactKey("rpm", 1)), facts("a", failed, status=facts("a").status.FAILED)]
    store.put_layer(diff_id("a"), "", 0, rows)
    store.put_image(made, "set2", b"new", distro="", packages=1, size=1, now=day(2))
    assert gc(store).facts == 1
    keys = [DPKG, newer, FactKey("rpm", 1), failed]
    assert [row.key for row in store.get_facts([diff_id("a")], keys)] == keys[1:]
    assert store.get_analysis(made.image_id, "set1") is None
    assert store.get_analysis(made.image_id, "set2") == b"new"


def test_a_rehearsal_changes_nothing_and_tells_the_truth(store: Store) -> None:
    for number in range(5):
        store.put_layer(diff_id(str(number)), "", 0, [facts(str(number), payload=b"x" * 200_000)])
        put(store, f"image{number}", str(number), now=day(number + 1))
    store.put_evaluation(evaluation(created_at=day(1)))
    rehearsal = gc(store, days=3, now=day(6), dry_run=True)
    assert len(store.images()) == 5
    assert rehearsal.images == 2
    assert rehearsal.bytes_freed > 400_000
    assert gc(store, days=3, now=day(6)) == rehearsal
    assert len(store.images()) == 3


def test_the_file_shrinks(store: Store) -> None:
    for name in "abcdefghijklmnopqrst":
        store.put_layer(diff_id(name), "", 0, [facts(name, payload=b"x" * 300_000)])
        store.put_image(image("i", name), "s", b"", distro="", packages=0, size=0, now=day(1))
    store._session.trim()
    before = store.path.stat().st_size
    result = gc(store, keep=1)
    after = store.path.stat().st_size
    assert result.bytes_freed > 5_000_000
    assert before - after >= result.bytes_freed - 100_000
    assert Path(f"{store.path}-wal").stat().st_size == 0


def history(store: Store) -> None:
    for number in range(1, 5):
        state = feed(updated_at=day(number))
        store.sync_feed(state, [advisory("CVE-1", "bash", fixed=str(number)), advisory("CVE-2", "dash")])


def test_old_revisions_go_by_age(store: Store) -> None:
    history(store)
    assert gc(store, keep=0).advisories == 0
    # On day 2 revision 1 was in force, so it is still answered.
    assert gc(store, days=3, now="2026-03-05T00:00:00Z").advisories == 0
    assert [each.ranges for each in store.lookup([("debian:12", "bash")], 1)] == ["\t1\t"]
    assert gc(store, days=1, now="2026-03-04T12:00:00Z").advisories == 2
    for revision in (1, 2):
        with pytest.raises(StoreError, match="keeps 3 to 4"):
            store.lookup([("debian:12", "bash")], revision)
    assert [each.ranges for each in store.lookup([("debian:12", "bash")], 3)] == ["\t3\t"]
    assert [each.ranges for each in store.lookup([("debian:12", "dash")], 3)] == ["\t1.0\t"]
    assert [each.ranges for each in store.lookup([("debian:12", "bash")])] == ["\t4\t"]
    assert store.lookup([("debian:12", "bash")], 0) == []
    assert len(store.revisions()) == 4  # where data came from is never forgotten
    assert store.sync_feed(feed(), [advisory("CVE-1", "bash", fixed="4"), advisory("CVE-2", "dash")]).unchanged == 2


def test_the_revision_of_an_evaluation_that_stays_is_kept(store: Store) -> None:
    history(store)
    store.put_evaluation(evaluation(feed_revision=2, created_at=LATER))
    store.put_evaluation(evaluation(feed_revision=0, created_at=LATER))
    assert gc(store, days=1, now=day(30)).advisories == 1
    assert [each.ranges for each in store.lookup([("debian:12", "bash")], 2)] == ["\t2\t"]
    with pytest.raises(StoreError, match="keeps 2 to 4"):
        store.lookup([("debian:12", "bash")], 1)
