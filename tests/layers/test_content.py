"""The two ways of reading a layer's bytes give the same."""

from __future__ import annotations

import hashlib
import io
import os
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchorecli.layers.content import AHEAD, NEAR, SPOOL_BYTES, STEP, FileContent, SliceReader, StreamReader

SIZES = st.one_of(st.integers(0, 1024), st.integers(NEAR - 2, NEAR + 2), st.integers(AHEAD - 2, AHEAD + 2))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), SIZES), max_size=40), st.integers(0, 3 * AHEAD), st.integers(0, 99))
def test_a_slice_is_read_as_the_stream_of_its_bytes(steps: list[tuple[bool, int]], length: int, start: int) -> None:
    data = random.Random(length).randbytes(length)
    with tempfile.TemporaryFile(buffering=0) as file:
        file.write(bytes(start) + data + b"behind the slice")
        part = SliceReader(file.fileno(), start, length)
        whole = StreamReader(iter([data[:777], data[777:]]), lambda _: None)
        for reads, count in steps:
            if reads:
                assert part.read(count) == whole.read(count)
                assert part.position == whole.position
            else:
                part.skip(count)
                whole.skip(count)
                assert part.short == whole.short
                if part.short:
                    return


LARGE = random.Random(0).randbytes(SPOOL_BYTES + STEP + 77)
SMALL = LARGE[:5000]


@contextmanager
def content(data: bytes, kind: str) -> Iterator[FileContent]:
    """A file between other bytes: of a compressed layer (``stream``) or of one in a local file (``slice``)."""
    before, after = bytes(512), b"what follows"
    with tempfile.TemporaryFile(buffering=0) as file:
        file.write(before + data + after)
        reader: SliceReader | StreamReader
        if kind == "slice":
            reader = SliceReader(file.fileno(), 0, len(before + data + after))
        else:
            reader = StreamReader(iter([before + data[:100], data[100:] + after]), lambda _: None)
        reader.skip(512)
        file_content = FileContent("f", len(data), 0o755, reader.read, reader.positions(), hashed=True)
        yield file_content
        file_content.close()


@pytest.mark.parametrize("kind", ["stream", "slice"])
@pytest.mark.parametrize("data", [SMALL, LARGE, b""], ids=["small", "large", "empty"])
@pytest.mark.parametrize("first", ["head", "data", "open", "pieces"])
def test_a_file_is_the_same_in_whatever_order_it_is_read(kind: str, data: bytes, first: str) -> None:
    with content(data, kind) as file:
        file.keep()
        assert file.head(0) == b""
        for way in (first, "head", "pieces", "open", "data", "pieces"):
            if way == "head":
                assert file.head(64) == data[:64]
            elif way == "open":
                with file.open() as stream:
                    stream.seek(max(0, len(data) - 9))
                    assert stream.read() == data[-9:]
                    assert stream.seek(0, os.SEEK_END) == len(data)
                assert file.at(len(data) // 2, 9) == data[len(data) // 2 :][:9]
                assert file.at(max(0, len(data) - 4), 9) == data[-4:]
            else:
                assert (file.data() if way == "data" else b"".join(file.pieces())) == data
        assert file.sha256() == hashlib.sha256(data).digest()


@pytest.mark.parametrize("kind", ["stream", "slice"])
def test_a_file_of_which_only_the_first_pieces_were_taken_is_hashed_whole(kind: str) -> None:
    with content(LARGE, kind) as file:
        assert file.direct is (kind == "slice")
        pieces = file.pieces()
        assert next(pieces) + next(pieces) == LARGE[: 2 * STEP]
        assert file.sha256() == hashlib.sha256(LARGE).digest()


def test_what_passed_and_was_not_kept_is_an_error_not_a_file_without_its_beginning() -> None:
    with content(LARGE, "stream") as file:
        for _ in file.pieces():
            pass
        with pytest.raises(EOFError, match="not kept"):
            file.data()


@pytest.mark.parametrize("kind", ["stream", "slice"])
def test_a_file_that_is_cut_off_is_an_error_for_every_reader(kind: str) -> None:
    for way in ("head", "data", "open", "pieces"):
        with content(LARGE, kind) as file:
            file.size = len(LARGE) + STEP
            with pytest.raises(EOFError):
                if way == "head":
                    assert len(file.head(file.size)) < file.size
                    raise EOFError
                if way == "open":
                    with file.open() as stream:
                        stream.read()
                else:
                    b"".join([file.data()] if way == "data" else file.pieces())


@pytest.mark.parametrize("offset", [-1, -(1 << 40), 1 << 40, (1 << 63) - 1, 1 << 64])
def test_places_where_no_file_is(tmp_path: Path, offset: int) -> None:
    """What a header in the file claims is asked for as it stands there."""
    data = b"0123456789"
    (tmp_path / "x").write_bytes(b"before" + data + b"behind")
    with (tmp_path / "x").open("rb") as file:
        reader = SliceReader(file.fileno(), 6, len(data))
        for content in (
            FileContent("a", len(data), 0o644, reader.read, reader.positions()),
            FileContent("a", len(data), 0o644, io.BytesIO(data).read),
        ):
            assert content.at(offset, 4) == b""
            assert content.at(8, 4) == b"89"
