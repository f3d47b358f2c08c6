from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from anchorecli.errors import StoreError
from anchorecli.model import FactKey, FactStatus, Problem
from anchorecli.store import Store, open_store
from tests.store.values import DPKG, FILES, diff_id, digest, facts


def test_facts_come_back_as_they_were(store: Store) -> None:
    row = facts("a", FILES, FactStatus.PARTIAL, payload=bytes(range(256)) * 5000)
    problem = Problem("analyze", "etc/\udcff\x00", "unreadable", hint="look", incomplete=False)
    row = type(row)(row.diff_id, row.key, row.status, row.payload, (problem,))
    store.put_layer(row.diff_id, "sha256:b", 5, [row])
    assert store.get_facts([row.diff_id], [FILES]) == [row]


def test_facts_are_known_under_their_whole_key(store: Store) -> None:
    store.put_layer(diff_id("a"), "", 0, [facts("a"), facts("a", FILES)])
    others = [FactKey("dpkg", 2), FactKey("files", 2), FactKey("files", 2, "md5")]
    known = store.known_facts([diff_id("a"), diff_id("b")], [DPKG, FILES, *others])
    assert known == {diff_id("a"): {DPKG, FILES}, diff_id("b"): frozenset()}
    assert store.get_facts([diff_id("a")], others) == []


def test_facts_come_in_the_order_asked_for(store: Store) -> None:
    for layer in "abc":
        store.put_layer(diff_id(layer), "", 0, [facts(layer, FILES), facts(layer)])
    found = store.get_facts([diff_id("c"), diff_id("a"), diff_id("c")], [DPKG, FILES])
    assert [(row.diff_id, row.key) for row in found] == [
        (diff_id(layer), key) for layer in "ca" for key in (DPKG, FILES)
    ]


def test_a_failed_pass_is_not_known_but_shown(store: Store) -> None:
    failed = facts("a", status=FactStatus.FAILED, payload=b"")
    store.put_layer(diff_id("a"), "", 0, [failed])
    assert store.known_facts([diff_id("a")], [DPKG]) == {diff_id("a"): frozenset()}
    assert store.get_facts([diff_id("a")], [DPKG]) == [failed]


def test_a_better_pass_replaces_a_worse_one_and_never_the_reverse(store: Store) -> None:
    def put(status: FactStatus, payload: bytes) -> bytes:
        store.put_layer(diff_id("a"), "", 0, [facts("a", status=status, payload=payload)])
        return store.get_facts([diff_id("a")], [DPKG])[0].payload

    assert put(FactStatus.FAILED, b"1") == b"1"
    assert put(FactStatus.PARTIAL, b"2") == b"2"
    assert put(FactStatus.FAILED, b"3") == b"2"
    assert put(FactStatus.OK, b"4") == b"4"
    assert put(FactStatus.PARTIAL, b"5") == b"4"
    assert put(FactStatus.OK, b"6") == b"4"


def test_the_blob_of_a_layer_is_learnt_later(store: Store) -> None:
    for name in ("", "sha256:b", ""):
        store.put_layer(diff_id("a"), name, len(name), [facts("a")])
    with store._session.read() as db:
        assert db.execute("SELECT digest, size FROM layer").fetchall() == [("sha256:b", 8)]


def test_a_layer_goes_in_whole_or_not_at_all(store: Store) -> None:
    broken = facts("a", payload=object())  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="type 'object' is not supported"):
        store.put_layer(diff_id("a"), "", 0, [facts("a", FILES), broken])
    assert store.get_facts([diff_id("a")], [DPKG, FILES]) == []
    store.put_layer(diff_id("a"), "", 0, [facts("a")])
    assert store.known_facts([diff_id("a")], [DPKG]) == {diff_id("a"): {DPKG}}


def test_threads_share_a_store(path: Path) -> None:
    layers = [f"layer{n}" for n in range(80)]

    def work(mine: list[str]) -> int:
        for layer in mine:
            store.put_layer(diff_id(layer), digest(layer), 1, [facts(layer, payload=layer.encode())])
            assert store.known_facts([diff_id(layer)], [DPKG])[diff_id(layer)] == {DPKG}
        return len(mine)

    with open_store(path) as store:
        with ThreadPoolExecutor(8) as threads:
            assert sum(threads.map(work, [layers[n::8] for n in range(8)])) == 80
        found = store.get_facts([diff_id(layer) for layer in layers], [DPKG])
    assert [row.payload.decode() for row in found] == layers
