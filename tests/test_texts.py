"""Texts and tables for very many paths say what a list, a set and a dictionary would."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchorecli import places, texts
from anchorecli.places import Hashes, Places, hashed
from anchorecli.texts import Spool, Texts, in_order

WORDS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.just("\udce9"), max_size=60)


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    """Everything that happens to millions happens to a few."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("SPOOLED_FROM", 40), ("_PIECE", 30), ("_FRESH", 4), ("_STEP", 5), ("_RUN", 7)):
            patch.setattr(texts, name, value)
        patch.setattr(texts, "_WINDOW", 16)
        patch.setattr(places, "_LEAST", 4)
        yield


@settings(max_examples=300, deadline=None)
@given(WORDS, st.integers(0, 60), st.integers(-70, 70), st.integers(-70, 70))
def test_texts_are_a_list(words: list[str], cut: int, first: int, end: int) -> None:
    held = Texts(words[:cut])
    for word in words[cut:]:
        held.append(word)
    assert (list(held), len(held), held) == (words, len(words), words)
    assert [held[row] for row in range(len(words))] == words
    assert [held[row - len(words)] for row in range(len(words))] == words
    assert held[first:end] == words[first:end]
    assert held[first:end:3] == words[first:end:3]
    assert held.size >= sum(map(len, held))
    assert list(in_order(held)) == sorted(words)
    for row in (len(words), -len(words) - 1):
        with pytest.raises(IndexError):
            held[row]
    assert held != [*words, "more"] and (not words or held != [*words[:-1], "another word"])


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_what_is_long_is_not_in_memory_and_the_file_goes_with_it() -> None:
    before = _open_files()
    spool = Spool()
    for number in range(100):
        spool.append(f"{number:04}".encode())
    assert len(spool) == 400 and len(spool._tail) < 30
    assert _open_files() == before + 1
    assert spool.read(4, 12) == b"00010002"
    assert spool.read(0, 400) == b"".join(f"{number:04}".encode() for number in range(100))
    del spool
    assert _open_files() == before


def test_where_no_file_can_be_written_they_stay_in_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    words = [f"word {number}" for number in range(100)]
    assert list(Texts(words)) == words


def test_a_full_disk_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    wrote: list[int] = []

    def full(fd: int, data: bytes, at: int) -> int:
        wrote.append(len(data))
        if len(wrote) > 3:
            raise OSError(28, "No space left on device")
        return real(fd, bytes(data)[:7], at)

    real = os.pwrite
    monkeypatch.setattr("os.pwrite", full)
    words = [f"word {number}" for number in range(100)]
    assert list(Texts(words)) == words
    assert len(wrote) == 4


OPERATIONS = st.lists(st.tuples(st.booleans(), st.integers(-30, 30)), max_size=80)


@settings(max_examples=300, deadline=None)
@given(OPERATIONS)
def test_hashes_are_a_set(operations: list[tuple[bool, int]]) -> None:
    ours, theirs = Hashes(), set[int]()
    for adds, number in operations:
        # Zero stands for nothing, and counts as one.
        each = number or 1
        (ours.add if adds else ours.discard)(number)
        (theirs.add if adds else theirs.discard)(each)
        assert (len(ours), set(ours)) == (len(theirs), theirs)
    assert [each in ours for each in range(-30, 30)] == [(each or 1) in theirs for each in range(-30, 30)]
    ours.difference_update(range(-30, 0))
    assert set(ours) == {each for each in theirs if each > 0}
    assert set(hashed(["a", "b"], compact=True)) == hashed(["a", "b"], compact=False)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["put", "put", "drop"]), st.integers(0, 39)), max_size=60))
def test_places_are_a_dictionary(operations: list[tuple[str, int]]) -> None:
    names = [f"name {number % 13}" for number in range(40)]
    ours, theirs = Places(40, lambda: enumerate(names)), dict[str, int]()
    for what, number in operations:
        name = names[number]
        if what == "put":
            ours[name] = theirs[name] = number
        elif name in theirs:
            del ours[name], theirs[name]
        else:
            with pytest.raises(KeyError):
                del ours[name]
        assert len(ours) == len(theirs)
    assert dict(ours.items()) == theirs == {name: ours[name] for name in ours}
    assert sorted(ours.values()) == sorted(theirs.values())
    assert [ours.get(name, -1) for name in (*names, "other")] == [theirs.get(name, -1) for name in (*names, "other")]
    assert "other" not in ours and all(name in ours for name in theirs)
