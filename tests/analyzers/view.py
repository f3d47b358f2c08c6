"""A View for one analyzer over layers written down as dicts, through the real runner and the real squash."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO

from anchorecli import compression
from anchorecli.analyzers.base import Analyzer
from anchorecli.analyzers.records import read
from anchorecli.analyzers.run import Collector
from anchorecli.analyzers.view import ImageView
from anchorecli.layers.tar import normalise
from anchorecli.model import (
    DiffId,
    Digest,
    Distro,
    Image,
    ImageConfig,
    ImagePath,
    ImageRef,
    Layer,
    Platform,
    Problem,
)
from anchorecli.tree import OPAQUE, WHITEOUT, LayerIndex, Tree
from tests.builders import Entry

KINDS = {tarfile.REGTYPE: "f", tarfile.DIRTYPE: "d", tarfile.SYMTYPE: "l", tarfile.LNKTYPE: "h"}


class MemoryFile:
    """A LayerFile whose content is at hand."""

    def __init__(self, path: str, content: bytes, mode: int = 0o644) -> None:
        self.path = ImagePath(path)
        self.content = content
        self.mode = mode

    @property
    def size(self) -> int:
        return len(self.content)

    def data(self) -> bytes:
        return self.content

    @property
    def direct(self) -> bool:
        return True

    def head(self, count: int) -> bytes:
        return self.content[:count]

    def at(self, offset: int, count: int) -> bytes:
        return self.content[offset : offset + count]

    def open(self) -> BinaryIO:
        return io.BytesIO(self.content)

    def pieces(self) -> Iterator[bytes]:
        for start in range(0, len(self.content), 1 << 20):
            yield self.content[start : start + (1 << 20)]

    def keep(self) -> None:
        pass


class TestView(ImageView):
    """An ImageView that also tells what ``read`` left as problems (``read_problems``), by layer order."""

    __test__ = False
    read_problems: tuple[Problem, ...] = ()


def make_view(
    analyzer: Analyzer,
    layers: Sequence[Mapping[str, bytes | str | Entry]],
    distro: Distro | None = None,
) -> TestView:
    """Run ``analyzer.read`` on the wanted files of each layer, lowest first; facts pass through the stored form."""
    indexes: list[LayerIndex] = []
    records = []
    problems: list[Problem] = []
    images = []
    for number, files in enumerate(layers):
        diff_id = DiffId(f"sha256:{number:064x}")
        collector = Collector([analyzer])
        index = LayerIndex()
        for name, value in files.items():
            entry = value if isinstance(value, Entry) else Entry(value.encode() if isinstance(value, str) else value)
            _add(collector, index, normalise(name), entry)
        rows = collector.facts(diff_id, index)
        indexes.append(LayerIndex.read(compression.unpacked(rows[0].payload)))
        records.append(read(rows[1].payload, index))
        problems.extend(rows[1].problems)
        images.append(Layer(diff_id))
    view = TestView(Tree(indexes), image(images), records, distro)
    view.read_problems = tuple(problems)
    return view


def image(layers: Sequence[Layer]) -> Image:
    """An image with these layers and nothing else."""
    config = ImageConfig(Platform("linux", "amd64"))
    reference = ImageRef("dir", "test", path="test")
    return Image(reference, Digest("sha256:" + "a" * 64), Digest("sha256:" + "b" * 64), config, tuple(layers))


def _add(collector: Collector, index: LayerIndex, path: str, entry: Entry) -> None:
    parent, slash, base = path.rpartition("/")
    if base == OPAQUE:
        index.opaques.append(parent)
        return
    if base.startswith(WHITEOUT):
        index.whiteouts.append(parent + slash + base.removeprefix(WHITEOUT))
        return
    kind = KINDS.get(entry.type, "c")
    if entry.target:
        index.targets[len(index.paths)] = normalise(entry.target) if kind == "h" else entry.target
    size = len(entry.content) if kind == "f" else 0
    index.add(path, kind, (entry.mode, entry.uid, entry.gid), size)
    if kind == "f" and (token := collector.wants(path, size, entry.mode)) is not None:
        collector.visit(token, MemoryFile(path, entry.content, entry.mode))
