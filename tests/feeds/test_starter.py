from __future__ import annotations

from pathlib import Path

import pytest

from anchorecli.errors import FeedError
from anchorecli.feeds import STARTER, make_starter, starter
from anchorecli.feeds.starter import Starter, starter_bytes
from anchorecli.model import Advisory, FeedState, unpack_ranges
from tests.feeds.samples import affected, osv, secdb, written, zipped

Feeds = dict[FeedState, list[Advisory]]


@pytest.fixture(scope="module")
def loaded() -> Feeds:
    return Starter().feeds()


def test_it_is_labelled(loaded: Feeds) -> None:
    assert all(state.source_date >= "2025" for state in loaded)
    assert sum(map(len, loaded.values())) > 1000
    assert len(starter_bytes()) < 1_500_000
    assert any("GitHub Advisory Database, CC-BY-4.0" in line for line in Starter().attribution)


def test_it_never_looks_like_evidence(loaded: Feeds) -> None:
    for state, records in loaded.items():
        assert state.starter
        assert state.name.startswith("starter:")
        assert state.revision == 0
        assert len(records) == state.records > 0
        assert state.updated_at == state.source_date
        assert all(record.feed == state.name for record in records)
    assert len({state.name for state in loaded}) == len(loaded)


def test_it_holds_facts_and_no_sentences(loaded: Feeds) -> None:
    for state, records in loaded.items():
        assert all(not record.summary and record.affected for record in records)
        assert {each.ecosystem for record in records for each in record.affected} == set(state.ecosystems)
        assert [record.id for record in records] == sorted({record.id for record in records})
        assert all(record.url.endswith(record.id) for record in records)


def test_it_covers_the_images_of_a_first_scan(loaded: Feeds) -> None:
    covered = {name for state in loaded for name in state.ecosystems}
    assert {"debian:12", "alpine:3.20", "almalinux:9", "npm", "pypi"} <= covered


def test_it_is_asked_like_a_store(loaded: Feeds) -> None:
    index = Starter()
    assert index.ecosystems == {name for state in loaded for name in state.ecosystems}
    assert index.states() == ()
    by_name = {state.name: records for state, records in loaded.items()}
    for name, ecosystem in (("starter:debian", "debian:12"), ("starter:npm", "npm")):
        said = [(record, each) for record in by_name[name] for each in record.affected if each.ecosystem == ecosystem]
        package = said[0][1].package
        expected = {record.id: each for record, each in said if each.package == package}

        rows = index.lookup([(ecosystem, package), (ecosystem, "no such package"), ("other", package)])
        records = index.advisories([row.row for row in rows])

        assert {records[row.row].id for row in rows} == set(expected)
        for row in rows:
            record = records[row.row]
            each = expected[record.id]
            assert record in by_name[name]
            assert row.row < 0
            assert (row.feed, row.scheme, row.statement) == (name, each.scheme, each.statement)
            assert unpack_ranges(row.ranges) == each.ranges
            assert row.severity == (each.severity or record.severity)
    assert {state.name for state in index.states()} == {"starter:debian", "starter:npm"}
    assert all(state.starter for state in index.states())


def test_a_damaged_installation_says_so() -> None:
    whole = starter_bytes()
    header = whole.index(b"\n") + 1
    for data in (b"", b"damaged", b"{}\n"[:2], whole[: header - 20], whole[: header + 50]):
        with pytest.raises(FeedError, match="starter feed"):
            Starter(data).feeds()


def test_the_maintainers_script(tmp_path: Path) -> None:
    alma = affected("a", {"introduced": "0"}, {"fixed": "1-1"}, ecosystem="AlmaLinux:9")
    old = affected("a", {"introduced": "0"}, {"fixed": "1-1"}, ecosystem="Debian:9")
    deb = affected("d", {"introduced": "0"}, {"fixed": "1-1"}, ecosystem="Debian:12")
    npm = affected("n", {"introduced": "0"}, ecosystem="npm")
    source = tmp_path / "from"
    written(source / "almalinux-osv/all.zip", zipped({"a.json": osv("ALSA-1:1", alma, summary="Low: a")}))
    written(source / "debian-osv/all.zip", zipped({"a.json": osv("CVE-1", deb, old), "b.json": osv("CVE-2", old)}))
    written(source / "alpine-secdb/v3.20/main.json", secdb("v3.20", "main", {"p": {"1-r0": ["CVE-2024-1000"]}}))
    gone = osv("GHSA-gone", npm, withdrawn="2024-01-01T00:00:00Z")
    written(source / "ghsa/npm.zip", zipped({"GHSA-n.json": osv("GHSA-n", npm), "GHSA-gone.json": gone}))
    written(source / "ghsa/pip.zip", zipped({"GHSA-p.json": osv("GHSA-p")}))
    target = tmp_path / starter.FILE

    with pytest.raises(SystemExit, match="alpine=DATE"):
        make_starter.main([str(source), str(target)])
    assert make_starter.main([str(source), str(target), "alpine=2025-01-04T00:00:00Z"]) == 0
    first = target.read_bytes()
    make_starter.main([str(source), str(target), "alpine=2025-01-04T00:00:00Z"])
    assert target.read_bytes() == first
    assert make_starter.main([]) == 2

    loaded = Starter(first).feeds()
    assert {state.name: [record.id for record in records] for state, records in loaded.items()} == {
        "starter:almalinux": ["ALSA-1:1"],
        "starter:alpine": ["CVE-2024-1000"],
        "starter:debian": ["CVE-1"],
        "starter:npm": ["GHSA-n"],
        "starter:pypi": ["GHSA-p"],
    }
    assert min(state.source_date for state in loaded) == "2024-05-01T10:00:00Z"


def test_the_registry_knows_what_the_starter_has() -> None:
    assert starter.Starter().ecosystems == STARTER
