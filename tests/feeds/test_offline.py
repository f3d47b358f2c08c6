from __future__ import annotations

import io
import json
import random
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anchorecli.errors import FeedError
from anchorecli.feeds.lines import dump, pack
from anchorecli.feeds.offline import read
from anchorecli.feeds.offline.intake import import_into
from anchorecli.feeds.offline.read import import_
from anchorecli.feeds.offline.write import export
from anchorecli.feeds.record import from_json, from_row, to_json, to_row
from anchorecli.model import Advisory, Affected, Cvss, FeedState, Range, Severity, Statement
from tests.feeds.samples import MemorySink

NOW = "2025-03-01T00:00:00Z"

WHOLE = Advisory(
    "CVE-2024-0001", "debian", ("GHSA-1",), Severity.HIGH, "ein Satz – é", "https://x/CVE", "2024-01-01T00:00:00Z",
    "2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z", (Cvss("3.1", "CVSS:3.1/AV:N", 7.5, "nvd"),),
    (
        Affected("debian:12", "bash", "deb", Statement.WONT_FIX, (), (), Severity.LOW),
        Affected("almalinux:9", "x", "rpm", ranges=(Range("1", "2"), Range("3", last_affected="4")),
                 versions=("9", "8"), module="nodejs:16", arches=("x86_64",)),
    ),
)  # fmt: skip
PLAIN = Advisory("CVE-2024-0002", "debian", affected=(Affected("debian:12", "dash", "deb"),))
DEBIAN = FeedState(
    "debian", 7, 2, "2025-02-01T00:00:00Z", "2025-01-31T00:00:00Z", "https://d/", "ab" * 32, '1;"tag"', "Sat, 01 Feb",
    False, ("almalinux:9", "debian:12"), 3,
)  # fmt: skip
ALPINE = FeedState("alpine", 9, 1, "2025-02-02T00:00:00Z", ecosystems=("alpine:3.20",))
APK = Advisory("CVE-2024-0003", "alpine", affected=(Affected("alpine:3.20", "curl", "apk", Statement.NOT_AFFECTED),))


def feeds() -> list[tuple[FeedState, list[Advisory]]]:
    return [(DEBIAN, [WHOLE, PLAIN]), (ALPINE, [APK])]


@pytest.fixture
def made(tmp_path: Path) -> Path:
    path = tmp_path / "feeds.tar"
    export(path, feeds(), NOW)
    return path


lines = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\t"), max_size=8)
names = st.text("abc-é", min_size=1, max_size=5)
statements = st.builds(
    Affected, names, names, names, st.sampled_from(Statement),
    st.lists(st.builds(Range, lines, lines, lines), max_size=2).map(tuple), st.lists(lines, max_size=2).map(tuple),
    st.sampled_from(Severity), lines, st.lists(lines, max_size=2).map(tuple),
)  # fmt: skip
advisories = st.builds(
    Advisory, names, st.just("f"), st.lists(lines, max_size=2).map(tuple), st.sampled_from(Severity), lines, lines,
    lines, lines, lines, st.lists(st.builds(Cvss, lines, lines, st.floats(0, 10), lines), max_size=2).map(tuple),
    st.lists(statements, max_size=3).map(tuple),
)  # fmt: skip


@given(advisories)
def test_records_survive_both_forms(advisory: Advisory) -> None:
    assert from_row(to_row(advisory)) == advisory
    assert from_json(json.loads(dump(to_json(advisory))), "f") == advisory


def test_what_was_exported_is_imported(made: Path) -> None:
    with import_(made) as found:
        assert found.created_at == NOW
        content = {state.name: (state, list(records)) for state, records in found.feeds()}
    assert content == {
        "alpine": (replace(ALPINE, revision=0), [APK]),
        "debian": (replace(DEBIAN, revision=0), [WHOLE, PLAIN]),
    }


def test_equal_feeds_give_equal_bytes_whatever_the_order(made: Path, tmp_path: Path) -> None:
    digest = export(tmp_path / "again.tar", iter(feeds()[::-1]), NOW)
    assert (tmp_path / "again.tar").read_bytes() == made.read_bytes()
    assert len(digest) == 64
    assert export(tmp_path / "later.tar", feeds(), "2026-01-01T00:00:00Z") != digest


def test_everybody_may_read_it_whom_the_umask_lets(made: Path, tmp_path: Path) -> None:
    ordinary = tmp_path / "ordinary"
    ordinary.touch()
    assert made.stat().st_mode == ordinary.stat().st_mode


def test_the_starter_and_numbers_of_this_store_stay_here(tmp_path: Path) -> None:
    starter = FeedState("starter:npm", 1, 1, starter=True)
    export(tmp_path / "f.tar", [*feeds(), (starter, [])], NOW)
    with import_(tmp_path / "f.tar") as found:
        assert [(state.name, state.revision) for state in found.states] == [("alpine", 0), ("debian", 0)]
    with pytest.raises(FeedError, match="no feed to export"):
        export(tmp_path / "g.tar", [(starter, [])], NOW)
    assert not (tmp_path / "g.tar").exists()


def test_an_export_that_breaks_off_leaves_the_old_file(made: Path) -> None:
    before = made.read_bytes()

    def broken() -> Iterator[Advisory]:
        yield WHOLE
        raise OSError("the store is gone")

    with pytest.raises(FeedError, match="the store is gone"):
        export(made, [(DEBIAN, broken())], NOW)
    with pytest.raises(FeedError, match="comes after"):
        export(made, [(DEBIAN, [PLAIN, WHOLE])], NOW)
    assert made.read_bytes() == before
    assert list(made.parent.iterdir()) == [made]


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="cannot be written"):
        export(tmp_path / "missing" / "f.tar", feeds(), NOW)
    with pytest.raises(FeedError, match="cannot be opened"):
        import_(tmp_path / "missing.tar")


# Into a store


def test_into_a_store_and_again(made: Path) -> None:
    sink = MemorySink()
    outcomes = import_into(made, sink)
    assert [(each.state.name, each.result and each.result.added) for each in outcomes] == [("alpine", 1), ("debian", 2)]
    assert sink.records["debian"] == {"CVE-2024-0001": WHOLE, "CVE-2024-0002": PLAIN}
    # The age is that of the data, not of the import.
    assert sink.states["debian"].updated_at == DEBIAN.updated_at
    again = import_into(made, sink)
    assert all(each.result is not None and each.result.touched == 0 for each in again)


def test_an_older_file_does_not_replace_newer_feeds(made: Path) -> None:
    sink = MemorySink()
    newer = replace(DEBIAN, updated_at="2025-02-20T00:00:00Z", records=1)
    sink.sync_feed(newer, [PLAIN])
    outcomes = {each.state.name: each for each in import_into(made, sink)}
    assert outcomes["debian"].result is None
    assert [each.subject for each in outcomes["debian"].problems] == ["debian"]
    assert list(sink.records["debian"]) == [PLAIN.id]
    assert list(sink.records["alpine"]) == [APK.id]
    import_into(made, sink, allow_older=True)
    assert len(sink.records["debian"]) == 2


# Damage


def untouched(path: Path) -> None:
    sink = MemorySink()
    with pytest.raises(FeedError) as caught:
        import_into(path, sink)
    assert caught.value.hint
    assert str(path) in str(caught.value)
    assert sink.states == {}


def test_every_truncation_is_refused(made: Path) -> None:
    data = made.read_bytes()
    for length in [*range(0, len(data), 37), len(data) - 1]:
        made.write_bytes(data[:length])
        untouched(made)


def test_every_changed_byte_is_noticed(made: Path) -> None:
    data = made.read_bytes()
    with tarfile.open(made) as tar:
        headers = [info.offset + at for info in tar for at in range(512)]
    chance = random.Random(3)
    for at in [*headers, *range(0, len(data), 41), len(data) - 1]:
        broken = bytearray(data)
        broken[at] ^= 1 << chance.randrange(8)
        made.write_bytes(broken)
        untouched(made)


@pytest.mark.parametrize("more", [b"x", bytes(512), bytes(10_240), bytes(1 << 20)])
def test_something_behind_its_end_is_noticed(made: Path, more: bytes) -> None:
    made.write_bytes(made.read_bytes() + more)
    untouched(made)


def test_headers_changed_at_random_never_end_in_a_traceback(made: Path) -> None:
    data = made.read_bytes()
    chance = random.Random(4)
    for _ in range(500):
        broken = bytearray(data)
        for _ in range(3):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        made.write_bytes(broken)
        try:
            with import_(made) as found:
                content = {state.name: list(records) for state, records in found.feeds()}
        except FeedError:
            continue
        assert content == {"alpine": [APK], "debian": [WHOLE, PLAIN]}


@pytest.mark.parametrize("data", [b"", b"x", b"\0" * 10240, b"PK\x03\x04", b"\x1f\x8b\x08\0", b"{}" * 1000])
def test_something_else(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "f.tar"
    path.write_bytes(data)
    untouched(path)


def forged(path: Path, change: Callable[[dict[str, Any], dict[str, bytes]], None]) -> Path:
    """A file with other content whose digests are right again."""
    with tarfile.open(path) as tar:
        members = {info.name: tar.extractfile(info).read() for info in tar}  # type: ignore[union-attr]
    manifest = json.loads(members.pop("manifest.json"))
    change(manifest, members)
    for entry in manifest["feeds"]:
        if isinstance(entry, dict) and entry.get("member") in members:
            entry["sha256"] = sha256(members[entry["member"]]).hexdigest()
    manifest.pop("digest", None)
    manifest["digest"] = sha256(dump(manifest).encode()).hexdigest()
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for name, content in {"manifest.json": dump(manifest).encode(), **members}.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def content_of(*values: Any) -> Callable[[dict[str, Any], dict[str, bytes]], None]:
    def change(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
        members["feeds/0000.jsonl.zst"] = b"".join(pack(values))
        manifest["feeds"][0]["state"]["records"] = len(values)

    return change


def test_forging_as_such_works(made: Path) -> None:
    forged(made, content_of(to_json(APK)))
    assert len(import_into(made, MemorySink())) == 2


def test_unknown_fields_of_a_later_minor_change_are_skipped(made: Path) -> None:
    def change(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
        manifest["feeds"][0]["state"]["invented"] = 1
        manifest["invented"] = []
        content_of(to_json(APK) | {"invented": 7})(manifest, members)

    assert len(import_into(forged(made, change), MemorySink())) == 2


def test_a_newer_format_says_so(made: Path) -> None:
    forged(made, lambda manifest, members: manifest.update(version=3))
    with pytest.raises(FeedError, match="version 3") as caught:
        import_(made)
    assert "update" in caught.value.hint


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest, members: manifest.update(format="other"),
        lambda manifest, members: manifest.update(version="1"),
        lambda manifest, members: manifest.update(created_at=None),
        lambda manifest, members: manifest.update(feeds={}),
        lambda manifest, members: manifest["feeds"].pop(),
        lambda manifest, members: manifest["feeds"].append(7),
        lambda manifest, members: manifest["feeds"].append(manifest["feeds"][0]),
        lambda manifest, members: manifest["feeds"][0].pop("state"),
        lambda manifest, members: manifest["feeds"][0]["state"].pop("name"),
        lambda manifest, members: manifest["feeds"][0]["state"].update(records="1"),
        lambda manifest, members: manifest["feeds"][0]["state"].update(records=2),
        lambda manifest, members: manifest["feeds"][0]["state"].update(ecosystems="x"),
        lambda manifest, members: manifest["feeds"][0]["state"].update(ecosystems=[7]),
        lambda manifest, members: members.update({"extra": b""}),
        lambda manifest, members: members.pop("feeds/0001.jsonl.zst"),
        lambda manifest, members: members.update({"feeds/0000.jsonl.zst": b"not zstd"}),
        content_of([]),
        content_of({}),
        content_of({"id": 7}),
        content_of({"id": "A", "affected": [{"ecosystem": "x", "package": "y"}]}),
        content_of({"id": "A", "affected": [{"ecosystem": "x", "package": "y", "scheme": "z", "statement": "maybe"}]}),
        content_of({"id": "A", "affected": [{"ecosystem": "x", "package": "y", "scheme": "z", "ranges": [["1"]]}]}),
        content_of({"id": "A", "affected": [{"ecosystem": "x", "package": "y\n", "scheme": "z"}]}),
        content_of({"id": "A", "severity": "terrible"}),
        content_of({"id": "A", "severity": []}),
        content_of({"id": "A", "cvss": [[1, 2, 3, 4]]}),
        content_of(to_json(APK), to_json(APK)),
        content_of({"id": "B"}, {"id": "A"}),
    ],
)
def test_content_that_no_export_writes(made: Path, change: Callable[..., None]) -> None:
    untouched(forged(made, change))


def test_a_bomb(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "_FLOOR", 1 << 20)
    untouched(forged(made, content_of({"id": "A", "summary": "x" * 20_000_000})))


def test_a_file_changed_between_check_and_use(made: Path) -> None:
    with import_(made) as found:
        data = bytearray(made.read_bytes())
        member = found.members[0]
        data[member.offset + member.size - 1] ^= 1
        made.write_bytes(data)
        with pytest.raises(FeedError, match="changed while"):
            for _, records in found.feeds():
                list(records)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.lists(advisories, max_size=4, unique_by=lambda each: each.id))
def test_any_records_survive_the_file(tmp_path: Path, given_: list[Advisory]) -> None:
    ordered = sorted(given_, key=lambda each: each.id)
    export(tmp_path / "f.tar", [(FeedState("f"), ordered)], NOW)
    with import_(tmp_path / "f.tar") as found:
        ((state, records),) = [(state, list(records)) for state, records in found.feeds()]
    assert (state.records, records) == (len(ordered), ordered)
