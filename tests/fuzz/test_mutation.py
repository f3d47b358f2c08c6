"""Every sample with random changes: nothing raises that a reader may not raise. What fuzzing found stays as a case."""

from __future__ import annotations

import base64
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.inside import changed_inside
from tests.fuzz.mutation import KINDS, Change, mutated
from tests.fuzz.parsers import parsers
from tests.fuzz.samples import samples

PARSERS = parsers()
CORPUS = Path(__file__).parent / "corpus"
KEPT = [
    (file.stem, *line.split(" ", 1))
    for file in sorted(CORPUS.glob("*.txt"))
    for line in file.read_text().splitlines()
    if line and not line.startswith("#")
]
SLOW = frozenset({"archive", "sbom", "tar", "rpm", *(name for name in PARSERS if name.startswith("feed-"))})

places = st.integers(0, (1 << 16) - 1)
changes = st.lists(st.builds(Change, st.integers(0, KINDS - 1), places, places, places), min_size=1, max_size=5)


@pytest.mark.parametrize("parser", PARSERS)
def test_changed_files(parser: str) -> None:
    own = [sample for sample in samples() if sample.parser == parser.removesuffix("-passing")]
    look = PARSERS[parser]

    @settings(max_examples=30 if parser in SLOW else 100, suppress_health_check=list(HealthCheck))
    @given(sample=st.sampled_from(own), how=changes, inside=st.none() | places)
    def check(sample, how, inside) -> None:  # type: ignore[no-untyped-def]
        def change(part: bytes) -> bytes:
            return mutated(part, how)

        data = change(sample.data) if inside is None else changed_inside(sample.data, change, Random(inside))
        look(sample.path, data)

    check()


@pytest.mark.parametrize(("parser", "data", "path"), KEPT, ids=[f"{name}:{data[:16]}" for name, data, _ in KEPT])
def test_what_fuzzing_found(parser: str, data: str, path: str) -> None:
    """Lines of ``BASE64 PATH``: bytes on which a parser once failed."""
    PARSERS[parser](path, base64.b64decode(data))
