"""Every sample cut at every byte: nothing raises, and a format that tells where it ends tells of the cut."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from anchorecli.analyzers.reference import pages
from tests.fuzz.parsers import CONTAINERS, analyzers, parsers, registered
from tests.fuzz.samples import Sample, samples

PARSERS = parsers()
CASES = [
    (name, sample)
    for sample in samples()
    for name in (sample.parser, *([f"{sample.parser}-passing"] if f"{sample.parser}-passing" in PARSERS else []))
]
SLOW = frozenset({"archive", "sbom", *(name for name in PARSERS if name.startswith("feed-"))})
"""A cut of these takes milliseconds: the suite takes some of the cuts, ``FUZZ_EVERY_BYTE=1`` all of them."""
QUIET = frozenset({"verify", "nix"})
"""What these find is not in one file alone."""


def cuts(data: bytes, parser: str) -> Iterator[int]:
    """Every length, but of a long run of zeros only some."""
    runs = [range(found.start() + 32, found.end() - 32) for found in re.finditer(rb"\0{96,}", data)]
    inside = {place for run in runs for place in run if place % max(61, len(run) // 512)}
    places = [place for place in range(len(data)) if place not in inside]
    step = 1 if os.environ.get("FUZZ_EVERY_BYTE") or parser not in SLOW else max(1, len(places) // 150)
    yield from places[::step]


@pytest.mark.parametrize(("parser", "sample"), CASES, ids=[f"{name}:{sample.path}" for name, sample in CASES])
def test_a_file_cut_anywhere(parser: str, sample: Sample) -> None:
    look = PARSERS[parser]
    whole = look(sample.path, sample.data)
    silent = []
    for length in cuts(sample.data, parser):
        seen = look(sample.path, sample.data[:length])
        # An empty file is no file of the format; a tar may lack its end, for many writers leave it away.
        boundary = not length or (parser == "tar" and not length % 512)
        # What is shorter than the mark of its packing is a file like any.
        boundary = boundary or (parser == "feed-packing" and length < 6)
        if sample.ends and not seen.told and seen.found != whole.found and not boundary:
            silent.append(length)
    assert silent == []


def test_every_parser_has_a_sample() -> None:
    beside = {name for name in PARSERS if name not in analyzers() and not name.endswith("-passing")}
    assert set(CONTAINERS) < beside
    assert {sample.parser for sample in samples()} == {each.name for each in registered()} | beside


def test_every_sample_is_of_use() -> None:
    """Of each analyzer some sample gives something, and no type of package that its reference does not name."""
    told = {page.name: set(re.findall(r"``([\w-]+)``", page.labelled["Emits"])) for page in pages()}
    found: dict[str, set[str]] = {}
    for sample in samples():
        found.setdefault(sample.parser, set()).update(PARSERS[sample.parser](sample.path, sample.data).found)
    assert {parser for parser, words in found.items() if not words} <= QUIET
    for name in analyzers():
        types = {words.split(" ")[1] for words in found[name] if words.startswith("package ")}
        assert types <= told[name] or name == "hints", name


def test_the_table_in_docs_lists_every_parser() -> None:
    page = (Path(__file__).parents[2] / "docs" / "limits.md").read_text()
    assert [name for name in PARSERS if f"\n| {name} | " not in page] == []
