"""Many files asked about at once: each that has to be read is read once, wherever the batches end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from anchorecli.analyzers import sifting
from anchorecli.analyzers.base import Found, LayerFile, Sieve, View, Wants, partial
from anchorecli.analyzers.records import read
from anchorecli.analyzers.run import Collector
from anchorecli.analyzers.sifting import HeldFile, Sifter
from anchorecli.errors import LimitError
from anchorecli.model import DiffId, ImagePath, Json, Problem
from anchorecli.tree import LayerIndex
from tests.analyzers.view import MemoryFile

LAYER = DiffId("sha256:" + "1" * 64)


@dataclass(frozen=True, slots=True)
class Sorted:
    """A toy analyzer: what has an ``x`` in it has to be read; ``asked`` gets the paths of each batch."""

    name: str = "sorted"
    version: int = 1
    options: str = ""
    wants: Wants = field(default=Wants(everything=True, max_bytes=1000))
    asked: list[list[str]] = field(default_factory=list, compare=False)
    sifts: bool = True

    def sieve(self) -> Sieve | None:
        return self._places if self.sifts else None

    def _places(self, files: Sequence[LayerFile]) -> list[int]:
        self.asked.append([file.path for file in files])
        return [place for place, file in enumerate(files) if b"x" in file.data()]

    def read(self, file: LayerFile) -> Json | None:
        data = file.data()
        if b"bad" in data:
            raise ValueError("it is bad")
        if b"limit" in data:
            raise LimitError("it is long")
        return partial(len(data), "its end is torn off") if b"torn" in data else len(data) if b"x" in data else None

    def assemble(self, view: View) -> Found:
        return Found()


class Refused(MemoryFile):
    """A file that cannot be read."""

    def __init__(self, path: str, error: Exception) -> None:
        super().__init__(path, b"x")
        self.error = error

    def data(self) -> bytes:
        raise self.error


def collected(analyzer: Sorted, files: Sequence[MemoryFile]) -> tuple[dict[str, Json], list[Problem]]:
    collector = Collector([analyzer])
    for file in files:
        token = collector.wants(file.path, file.size, file.mode)
        assert token is not None
        collector.visit(token, file)
    row = collector.facts(LAYER, LayerIndex())[1]
    return dict(read(row.payload, LayerIndex()).values), sorted(row.problems)


FILES = [
    *(MemoryFile(f"d/{number}", (b"x" if number % 3 else b"a") * number) for number in range(1, 40)),
    MemoryFile("bad", b"x bad"), MemoryFile("torn", b"x torn"), MemoryFile("long", b"x limit"),
    MemoryFile("large", b"x" * 2000), Refused("gone", PermissionError("not yours")), MemoryFile("last", b"xx"),
]  # fmt: skip


@pytest.mark.parametrize("batch", [1, 2, 7, 100, 1 << 20])
def test_facts_and_problems_are_those_of_every_file_read_by_itself(monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    monkeypatch.setattr(sifting, "BATCH_BYTES", batch)
    analyzer = Sorted()
    found = collected(analyzer, FILES)
    assert found == collected(Sorted(sifts=False), FILES)
    assert len(found[1]) == 5 and found[0]["torn"] == 6 and found[0]["last"] == 2
    asked = [path for paths in analyzer.asked for path in paths]
    assert asked == [file.path for file in FILES if file.path not in ("large", "gone")]
    assert (len(analyzer.asked) == 1) is (batch > 10_000)


def test_no_more_is_held_than_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sifting, "BATCH_BYTES", 10)
    analyzer = Sorted()
    sifter = Sifter(analyzer._places)
    given = [list(map(path, sifter.add(MemoryFile(name, content)))) for name, content in
             (("a", b"x" * 4), ("b", b"y" * 5), ("c", b"x"), ("d", b"x" * 50), ("e", b"x"))]  # fmt: skip
    assert given == [[], [], ["a", "c"], ["d"], []]
    assert (list(map(path, sifter.rest())), sifter.rest()) == (["e"], ())
    assert analyzer.asked == [["a", "b", "c"], ["d"], ["e"]]


def path(file: LayerFile) -> str:
    return file.path


def test_a_layer_that_ends_inside_a_file_is_no_fault_of_the_analyzer() -> None:
    collector = Collector([Sorted()])
    with pytest.raises(EOFError):
        collector.visit(collector.wants("f", 1, 0o644), Refused("f", EOFError("the archive ends")))
    assert collector.facts(LAYER, LayerIndex())[1].problems == ()


def test_a_held_file_is_the_file() -> None:
    content = bytes(range(256)) * 9000
    file = MemoryFile("a/b", content, 0o755)
    held = HeldFile(file)
    assert (held.path, held.size, held.mode, held.direct) == (ImagePath("a/b"), len(content), 0o755, True)
    assert (held.data(), b"".join(held.pieces()), held.open().read()) == (content, content, content)
    assert (held.head(9), held.at(5, 9), held.at(len(content) - 2, 9)) == (content[:9], content[5:14], content[-2:])
    held.keep()
    assert [len(piece) for piece in held.pieces()] == [1 << 20, 1 << 20, len(content) - (2 << 20)]
