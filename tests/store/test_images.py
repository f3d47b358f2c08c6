from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from anchorecli.model import ImageRef, Layer, Platform
from anchorecli.store import Store, open_store
from tests.store.values import NOW, diff_id, digest, image, put


def found(store: Store, text: str) -> list[str]:
    return [each.names[0] for each in store.find_images(text)]


def test_an_image_comes_back(store: Store) -> None:
    made = put(store, "debian", "ab", index_digest=digest("index"), names=("docker.io/debian:bookworm",))
    (stored,) = store.images()
    assert stored.image_id == made.image_id
    assert (stored.digest, stored.index_digest) == (made.digest, digest("index"))
    assert (stored.platform, stored.distro, stored.packages, stored.size) == ("linux/amd64", "debian 12", 90, 10**6)
    assert stored.names == ("docker.io/debian:12", "docker.io/debian:bookworm")
    assert stored.layers == (diff_id("a"), diff_id("b"))
    assert stored.analyzed_at == stored.last_used_at == NOW
    assert store.image_document(made.image_id) == (made.config.raw, made.manifest)
    assert store.image_document("sha256:other") is None


def test_an_analysis_belongs_to_a_set_of_analyzers(store: Store) -> None:
    made = put(store, "debian")
    assert store.get_analysis(made.image_id, "set1") == b"analysis of debian"
    assert store.get_analysis(made.image_id, "set2") is None
    assert store.get_analysis("sha256:other", "set1") is None


def test_use_is_noted_once_a_day(path: Path) -> None:
    with open_store(path) as store:
        made = put(store, "debian", now="2020-01-01T00:00:00Z")
        store.get_analysis(made.image_id, "set1")
        used = store.images()[0].last_used_at
        assert used > "2026-01-01"
        with store._session.read() as db:
            before = db.execute("PRAGMA data_version").fetchone(), db.total_changes
        store.get_analysis(made.image_id, "set1")
        with store._session.read() as db:
            assert (db.execute("PRAGMA data_version").fetchone(), db.total_changes) == before
    with open_store(path, readonly=True) as store:
        assert store.get_analysis(made.image_id, "set1") == b"analysis of debian"


def test_reading_an_analysis_does_not_wait_for_a_writer(path: Path) -> None:
    with open_store(path) as store, open_store(path) as other:
        made = put(store, "debian", now="2020-01-01T00:00:00Z")
        with ThreadPoolExecutor(1) as thread, other._session.write():
            reading = thread.submit(store.get_analysis, made.image_id, "set1")
            # Waiting for the writer would take thirty seconds.
            assert reading.result(timeout=15) == b"analysis of debian"
        assert store.images()[0].last_used_at == "2020-01-01T00:00:00Z"


def test_a_second_name_and_manifest_of_the_same_image(store: Store) -> None:
    put(store, "debian", "ab", tag="12")
    again = image("debian", "ab", tag="bookworm", index_digest=digest("index"))
    store.put_image(again, "set2", b"new", distro="debian 12", packages=91, size=1, now="2026-03-02T00:00:00Z")
    (stored,) = store.images()
    assert stored.names == ("docker.io/debian:bookworm", "docker.io/debian:12")
    assert (stored.packages, stored.index_digest) == (91, digest("index"))
    assert store.get_analysis(stored.image_id, "set1") == b"analysis of debian"
    assert store.get_analysis(stored.image_id, "set2") == b"new"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("docker.io/debian:12", ["docker.io/debian:12"]),
        ("debian:12", ["docker.io/debian:12", "docker.io/mirror/debian:12"]),
        ("mirror/debian:12", ["docker.io/mirror/debian:12"]),
        ("debian", ["docker.io/debian:12", "docker.io/mirror/debian:12"]),
        ("docker.io/alpine", ["docker.io/alpine:3.20"]),
        ("3.20", ["docker.io/alpine:3.20"]),
        ("ebian", []),
        ("1", []),
        ("", []),
        ("abcdef0123456789", []),
    ],
)
def test_finding_by_name_or_tag(store: Store, text: str, expected: list[str]) -> None:
    put(store, "debian", "ab")
    put(store, "mirror/debian", "cd")
    put(store, "alpine", "e", tag="3.20")
    assert sorted(found(store, text)) == expected


@pytest.mark.parametrize("which", ["image_id", "digest", "index_digest"])
def test_finding_by_digest_or_its_beginning(store: Store, which: str) -> None:
    made = put(store, "debian", index_digest=digest("index"))
    put(store, "alpine", "e")
    whole = getattr(made, which)
    for text in (whole, whole[:20], whole[7:], whole[7:19], whole[7:19].upper(), "docker.io/debian@" + whole):
        assert found(store, text) == ["docker.io/debian:12"], text
    assert found(store, whole[7:12]) == []


def test_a_port_is_no_tag(store: Store) -> None:
    made = image("debian")
    ref = ImageRef("registry", "x", registry="localhost:5000", repository="debian")
    made = type(made)(ref, made.image_id, made.digest, made.config, made.layers)
    store.put_image(made, "s", b"", distro="", packages=0, size=0, now=NOW)
    assert found(store, "5000/debian") == []
    assert found(store, "debian") == ["localhost:5000/debian"]


def test_names_that_are_no_unicode(store: Store) -> None:
    made = image("debian")
    ref = ImageRef("dir", "dir:x", path="/srv/\udcff")
    made = type(made)(ref, made.image_id, made.digest, made.config, made.layers)
    store.put_image(made, "s", b"", distro="", packages=0, size=0, now=NOW)
    assert store.images()[0].names == ("/srv/?",)
    assert found(store, "/srv/\udcff") == ["/srv/?"]


def test_an_image_that_claims_the_impossible(store: Store) -> None:
    made = image("debian")
    config = type(made.config)(Platform("linux", "\ud800"), raw='{"x": "\ud800"}')
    layers = (Layer(diff_id("a"), size=10**30), Layer(diff_id("b"), size=-(10**30)))
    made = type(made)(made.ref, made.image_id, made.digest, config, layers)
    store.put_layer(diff_id("a"), "", 10**40, [])
    store.put_image(made, "s", b"", distro="\udcff", packages=0, size=10**30, now=NOW)
    (stored,) = store.images()
    assert (stored.platform, stored.distro, stored.size) == ("linux/?", "?", 2**63 - 1)
    assert store.image_document(made.image_id) == ('{"x": "?"}', "")
    assert store.image_document("\udcff") is None
    assert not store.remove_image("\udcff")
    assert store.get_analysis("\udcff", "s") is None


def test_removing_an_image(store: Store) -> None:
    made = put(store, "debian")
    other = put(store, "alpine", "bc")
    assert store.remove_image(made.image_id)
    assert not store.remove_image(made.image_id)
    assert [each.image_id for each in store.images()] == [other.image_id]
    assert store.get_analysis(made.image_id, "set1") is None
    assert store.images()[0].layers == (diff_id("b"), diff_id("c"))


def test_an_image_of_one_layer_twice(store: Store) -> None:
    put(store, "debian", "aba")
    assert store.images()[0].layers == tuple(map(diff_id, "aba"))


def test_other_tools_can_read_it(path: Path) -> None:
    from sqlite_utils import Database

    with open_store(path) as store:
        put(store, "debian")
        rows = list(Database(str(path))["image"].rows)
    assert rows[0]["distro"] == "debian 12"
    assert json.loads(rows[0]["config"]) == {"os": "linux"}
