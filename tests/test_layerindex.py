"""The file list of a layer: what is stored comes back, however it is cut, and a million paths fit in memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchorecli import compression
from anchorecli.errors import LimitError
from anchorecli.layerindex import Digests, LayerIndex
from anchorecli.texts import RowTexts
from anchorecli.tree import Tree

NAMES = st.text(st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1, max_size=6)
ROWS = st.tuples(NAMES, st.sampled_from("fdlh"), st.integers(0, 4), st.sampled_from([None, bytes(32), b"d" * 32]))


def index_of(rows: list[tuple[str, str, int, bytes | None]]) -> LayerIndex:
    index = LayerIndex()
    for row, (name, kind, number, digest) in enumerate(rows):
        index.add(name, kind, (0o755 + number, number, 1 << 31), number << 40)
        if kind in "lh":
            index.targets[row] = name
        if digest is not None:
            index.digests[row] = digest
    return index


@settings(max_examples=200, deadline=None)
@given(st.lists(ROWS, max_size=12), st.integers(1, 40))
def test_it_comes_back_however_it_is_cut(rows: list[tuple[str, str, int, bytes | None]], step: int) -> None:
    index = index_of(rows)
    data = index.encode()
    again = LayerIndex.read(data[start : start + step] for start in range(0, len(data), step))
    assert (again.paths, list(again.kinds), again.targets) == (index.paths, index.kinds, index.targets)
    assert (again.modes, again.uids, again.gids, again.sizes) == (index.modes, index.uids, index.gids, index.sizes)
    assert again.digests == index.digests
    assert [again.digests.get(row) for row in range(len(rows))] == [digest for *_, digest in rows]
    assert again.encode() == data


@pytest.mark.parametrize("cut", [3, 20, -1])
def test_what_ends_early_is_refused(cut: int) -> None:
    data = index_of([("a", "f", 1, bytes(32)), ("b", "f", 1, None)]).encode()
    with pytest.raises(ValueError, match=r"layer index|Expecting|Unterminated"):
        # Without its last name there is one too few.
        LayerIndex.decode(data[:cut] if cut > 0 else data[: data.rindex(b"\0")])


def test_digests_keep_their_order() -> None:
    digests = Digests()
    digests[4] = b"x" * 32
    with pytest.raises(ValueError, match="row 3 comes after"):
        digests[3] = b"y" * 32
    with pytest.raises(KeyError):
        digests[3]
    with pytest.raises(ValueError, match="row 5 has 1 bytes"):
        digests[5] = b"x"
    assert 4 in digests and 3 not in digests and 5 not in digests


@given(st.lists(st.integers(0, 50), unique=True).map(sorted), st.integers(1, 7))
def test_targets_are_a_mapping_in_order(rows: list[int], step: int) -> None:
    expected = {row: f"target {row}" for row in rows}
    targets = RowTexts()
    for row, text in expected.items():
        targets[row] = text
    assert targets == expected == RowTexts(rows, expected.values())
    assert (list(targets), len(targets)) == (rows, len(rows))
    assert all((row in targets) == (row in expected) and targets.get(row) == expected.get(row) for row in range(52))
    targets.compact()
    assert targets == expected
    assert {row: targets.before(step).get(row) for row in range(52)} == {
        row: expected.get(row) if row < step else None for row in range(52)
    }
    if rows:
        with pytest.raises(ValueError, match=f"row {rows[-1]} comes after that of row {rows[-1]}"):
            targets[rows[-1]] = "x"


def test_a_large_list_is_narrow_and_unchanged() -> None:
    index = LayerIndex()
    for row in range(200_000):
        index.add(f"d/{row}", "f", (0o644, 70_000, 0), 300)
    again = LayerIndex.decode(index.encode())
    assert [column.typecode for column in (again.modes, again.uids, again.gids, again.sizes)] == ["H", "I", "B", "H"]
    assert (again.modes, again.uids, again.gids, again.sizes) == (index.modes, index.uids, index.gids, index.sizes)
    assert again.encode() == index.encode()


def test_a_path_costs_little_more_than_its_name() -> None:
    """A million of forty characters have to fit beside a Python in 250 MB: what stands here is bytes for each."""
    count, name = 100_000, "srv/data/0000/an-empty-file-of-many-"
    index = LayerIndex()
    for row in range(count):
        index.add(f"{name}{row:05}", "f", (0o644, 0, 0), 0)
        index.digests[row] = bytes(32)
    packed = compression.pack_all(index.pieces())
    small = LayerIndex()
    small.add("etc/os-release", "f", (0o644, 0, 0), 0)
    for layers in (1, 2):
        tracemalloc.start()
        try:
            upper = LayerIndex.read(compression.unpacked(packed))
            tree = Tree([small, upper][-layers:])
            assert f"{name}00007" in upper.rows and len(tree) == count + layers - 1
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        # The unpacker's step of a megabyte is part of it.
        assert (peak - 4 * compression.MAX_OUT) / count < 215


def test_what_is_packed_in_pieces_is_unpacked_in_pieces() -> None:
    def pieces() -> Iterator[bytes]:
        for number in range(50):
            yield bytes([number]) * 1000

    packed = compression.pack_all(pieces())
    assert compression.unpack(packed) == b"".join(pieces())
    assert max(map(len, compression.unpacked(packed, step=100))) == 100
    assert b"".join(compression.unpacked(packed, step=100)) == b"".join(pieces())
    with pytest.raises(LimitError):
        compression.unpack(packed, 49_999)
    with pytest.raises(LimitError):
        compression.unpack(packed[:-20])
    assert compression.unpack(packed, 50_000) == b"".join(pieces())
    assert compression.unpack(compression.pack_all([])) == compression.unpack(compression.pack(b"")) == b""
