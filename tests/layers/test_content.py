"""The two ways of reading a layer's bytes give the same."""

from __future__ import annotations

import random
import tempfile

from hypothesis import given, settings
from hypothesis import strategies as st

from anchorecli.layers.content import AHEAD, NEAR, SliceReader, StreamReader

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
