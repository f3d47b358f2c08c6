"""What a site offers, and which of it a store needs: no more bytes than necessary, no step that does not fit."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from hashlib import sha512
from pathlib import Path

import pytest

from anchorecli.errors import FeedError
from anchorecli.feeds.offline.read import ANY
from anchorecli.feeds.publish import INDEX, publish
from anchorecli.feeds.shelf import (
    MAX_DELTAS,
    Feed,
    Item,
    bring,
    held_by,
    item,
    ordered,
    pruned,
    read_index,
    way,
    write_index,
)
from anchorecli.feeds.signing import Signer, generate
from anchorecli.model import Advisory, FeedState
from anchorecli.store import Store, open_store
from tests.feeds.test_delta import advisory, day, held, synced


def file(since: int, revision: int, size: int = 10, feed: str = "debian") -> Item:
    """A file from one revision to another (-1: full); the content of a feed is its revision."""
    base = None if since < 0 else f"c{since}"
    name = f"f{since}-{revision}.feeds"
    return Item(
        name, size, "00", day(revision), revision, since, (), (Feed(feed, f"c{revision}", day(revision), base),)
    )


def at(revision: int, feed: str = "debian") -> dict[str, tuple[str, str]]:
    return {feed: (f"c{revision}", day(revision))}


FULL, D12, D23, D34 = file(-1, 2, 100), file(1, 2), file(2, 3), file(3, 4)
SHELF = [D34, FULL, D12, D23]


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, [FULL, D23, D34]),
        (at(1), [D12, D23, D34]),
        (at(2), [D23, D34]),
        (at(3), [D34]),
        (at(4), []),
        # Something else, older: the full file and what comes after it.
        ({"debian": ("other", day(1))}, [FULL, D23, D34]),
        # Something later of its own.
        ({"debian": ("other", day(20))}, []),
        ({"alpine": ("other", day(1))}, [FULL, D23, D34]),
    ],
)
def test_the_way_to_the_newest(known: dict[str, tuple[str, str]], expected: list[Item]) -> None:
    assert way(SHELF, known) == expected


def test_a_full_file_where_the_deltas_are_larger() -> None:
    large = [file(1, 2, 80), file(2, 3, 80), file(-1, 3, 100)]
    assert way(large, at(1)) == [large[2]]
    assert way(large, at(2)) == [large[1]]


def test_a_hole_in_the_chain() -> None:
    assert way([D12, D34], at(1)) == [D12]
    assert way([D34], at(1)) == []
    assert way([], at(1)) == []


def test_a_later_check_is_worth_a_step() -> None:
    confirmed = file(4, 4)._replace(name="c", created_at=day(9), feeds=(Feed("debian", "c4", day(9), "c4"),))
    assert way([*SHELF, confirmed], at(4)) == [confirmed]


def test_only_so_much_is_kept() -> None:
    many = [file(number, number + 1) for number in range(1, 28)] * 4
    kept = pruned([file(-1, 1), file(-1, 5), *many])
    assert len([each for each in kept if each.delta]) == MAX_DELTAS
    assert [each.name for each in kept if not each.delta] == ["f-1-5.feeds"]


def test_an_index_survives() -> None:
    assert read_index(write_index(SHELF), "x") == ordered(SHELF)


@pytest.mark.parametrize(
    "change",
    [
        lambda index: index.update(format="other"),
        lambda index: index.update(version=2),
        lambda index: index.update(files={}),
        lambda index: index.update(files=index["files"] * 500),
        lambda index: index["files"].append(7),
        lambda index: index["files"][0].update(name="../../etc/passwd"),
        lambda index: index["files"][0].update(name=".hidden"),
        lambda index: index["files"][0].update(name="a/b"),
        lambda index: index["files"][0].update(size="1"),
        lambda index: index["files"][0].update(size=True),
        lambda index: index["files"][0].update(feeds=[7]),
        lambda index: index["files"][0]["feeds"][0].update(base=7),
        lambda index: index["files"][0].pop("sha256"),
    ],
)
def test_what_is_no_index(change: object) -> None:
    index = json.loads(write_index(SHELF))
    change(index)  # type: ignore[operator]
    with pytest.raises(FeedError, match="somewhere holds no index") as caught:
        read_index(json.dumps(index).encode(), "somewhere")
    assert caught.value.hint


@pytest.mark.parametrize("data", [b"", b"[]", b"<html>", b"\xff", b"[" * 100_000])
def test_what_is_no_json(data: bytes) -> None:
    with pytest.raises(FeedError):
        read_index(data, "x")


# A folder that is published, and a store that follows it


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "here.db") as store:
        yield store


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "there.db") as store:
        yield store


def records(*changed: int) -> list[Advisory]:
    """So many, and so hard to compress, that a full file is worth avoiding."""
    return [advisory(each, "changed" if each in changed else sha512(bytes([each])).hexdigest()) for each in range(256)]


def follow(store: Store, folder: Path) -> list[str]:
    """Bring the store up to date from the folder; the kinds of files that took."""
    items = read_index((folder / INDEX).read_bytes(), str(folder))
    steps = bring(items, lambda each, path: shutil.copyfile(folder / each.name, path) and None, store, ANY)
    return [each.name.partition("-")[0] for each, _ in steps]


def test_publish_and_follow(here: Store, there: Store, tmp_path: Path) -> None:
    folder = tmp_path / "served"
    synced(here, 1, *records())
    assert [each.delta for each in publish(folder, here, day(1))] == [False]
    assert follow(there, folder) == ["full"]
    assert publish(folder, here, day(2)) == ()
    synced(here, 3, *records(7))
    synced(here, 3, advisory(1, feed="epss"), feed="epss")
    assert publish(folder, here, day(3))[0].delta
    here.confirm_feed("debian", day(4))
    synced(here, 4, advisory(1, "x", feed="epss"), feed="epss")
    assert publish(folder, here, day(4))[0].delta
    assert follow(there, folder) == ["delta", "delta"]
    assert held(there) == held(here)
    assert follow(there, folder) == []
    with open_store(tmp_path / "new.db") as new:
        assert follow(new, folder)[0] == "full"
        assert held(new) == held(here)


def test_what_is_listed_is_there_and_nothing_else(here: Store, tmp_path: Path) -> None:
    folder = tmp_path / "served"
    for number in range(1, 12):
        synced(here, number, *[advisory(each, "xyz" * number) for each in range(40)])
        publish(folder, here, day(number))
        listed = read_index((folder / INDEX).read_bytes(), "x")
        assert {path.name for path in folder.iterdir()} == {INDEX, *(each.name for each in listed)}
        assert [item(folder / each.name) for each in listed] == listed
        assert sum(not each.delta for each in listed) == 1


def test_a_folder_of_another_store_is_begun_anew(here: Store, there: Store, tmp_path: Path) -> None:
    folder = tmp_path / "served"
    synced(here, 1, advisory(1))
    publish(folder, here, day(1))
    synced(there, 2, advisory(2))
    assert [each.delta for each in publish(folder, there, day(2))] == [False]
    with open_store(tmp_path / "new.db") as new:
        assert follow(new, folder) == ["full"]
        assert held(new) == held(there)


def test_a_damaged_folder_is_begun_anew(here: Store, tmp_path: Path) -> None:
    folder = tmp_path / "served"
    synced(here, 1, advisory(1))
    for number, name in enumerate((INDEX, "", INDEX), 2):
        (only,) = publish(folder, here, day(number))
        assert not only.delta
        (folder / (name or only.name)).unlink()
    publish(folder, here, day(8))
    (folder / INDEX).write_text("{")
    assert [each.delta for each in publish(folder, here, day(9))] == [False]


def test_another_key_is_another_folder(here: Store, tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    folder = tmp_path / "served"
    synced(here, 1, advisory(1))
    publish(folder, here, day(1))
    generate(tmp_path / "key", tmp_path / "key.pub")
    signer = Signer(tmp_path / "key")
    assert [each.keys for each in publish(folder, here, day(2), signer)] == [(signer.name,)]
    assert publish(folder, here, day(3), signer) == ()


def test_a_store_without_feeds_has_nothing_to_publish(here: Store, tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="no feed to export"):
        publish(tmp_path / "served", here, day(1))


def test_held_leaves_the_starter_out(here: Store) -> None:
    here.sync_feed(FeedState("starter:npm", starter=True), [advisory(1, feed="starter:npm")])
    assert held_by(here) == {}
