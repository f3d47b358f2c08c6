"""The drivers of the feeds as parsers, their samples, and the packings that upstreams choose."""

from __future__ import annotations

import lzma
from collections.abc import Callable
from contextlib import closing
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from backports import zstd

from anchorecli.errors import FeedError
from anchorecli.feeds import REGISTERED, snapshot
from anchorecli.feeds.snapshot import from_path
from anchorecli.model import Advisory, Problem
from tests.feeds.samples import zipped
from tests.feeds.specimens import SPECIMENS, tarball
from tests.feeds.test_contract import driver_of, sound
from tests.fuzz.containers import Sample
from tests.fuzz.seen import Seen

SMALL = {"a/one.json": b'{"id": 1}', "a/two.json": b'{"id": 2}' * 9, "three": b""}


def feed(name: str, path: str, data: bytes) -> Seen:
    """A file of a feed's upstream, brought here by hand: each record is sound, all that is amiss is told."""
    found: dict[str, str] = {}
    problems = []
    with TemporaryDirectory() as folder:
        file = Path(folder) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        try:
            with closing(driver_of(name).open(Path(folder))) as opened:
                for each in driver_of(name).parse(opened):
                    if isinstance(each, Problem):
                        problems.append(each)
                        assert len(each.message) < 10_000
                        continue
                    assert isinstance(each, Advisory)
                    sound(each, name)
                    found[each.id] = repr(each)
        except FeedError as error:
            assert error.hint
            return Seen(frozenset(found.values()), True)
    return Seen(frozenset(found.values()), any(each.incomplete for each in problems))


def packing(path: str, data: bytes) -> Seen:
    """A file that is packed in some way, and what it holds."""
    found: set[str] = set()
    with TemporaryDirectory() as folder:
        file = Path(folder) / path
        file.write_bytes(data)
        try:
            with closing(from_path(file)) as opened:
                for each in opened.members():
                    if isinstance(each, Problem):
                        return Seen(frozenset(found), True)
                    name, content = each
                    assert len(content) <= snapshot.MAX_RECORD
                    found.add(f"{name} {content[:100]!r}")
        except FeedError as error:
            assert error.hint
            return Seen(frozenset(found), True)
    return Seen(frozenset(found), False)


def feed_parsers() -> dict[str, Callable[[str, bytes], Seen]]:
    """Every driver by the name of its feed, and the packings."""
    found = {f"feed-{each.name}": lambda path, data, name=each.name: feed(name, path, data) for each in REGISTERED}
    return found | {"feed-packing": packing}


def feed_samples() -> list[Sample]:
    """A file of each kind that an upstream publishes, and a tree in every packing."""
    made = []
    for each in REGISTERED:
        specimen = SPECIMENS[each.name]
        kinds: dict[tuple[str, int], str] = {}
        for path in specimen.files:
            # Files of one shape are one sample.
            kinds.setdefault((PurePosixPath(path).suffix, path.count("/")), path)
        for path in kinds.values():
            # YAML ends behind any line.
            closed = not specimen.lines and path.endswith((".json", ".xml"))
            made.append(Sample(f"feed-{each.name}", path, specimen.files[path], closed))
    tar = tarball(SMALL, "w:")
    packed = {
        "a.zip": zipped(SMALL),
        "a.tar.gz": tarball(SMALL, "w:gz"),
        "a.tar.xz": lzma.compress(tar),
        "a.tar.bz2": tarball(SMALL, "w:bz2"),
        "a.tar.zst": zstd.compress(tar),
        "a.json.xz": lzma.compress(SMALL["a/two.json"]),
    }
    return made + [Sample("feed-packing", path, data, True) for path, data in packed.items()]
