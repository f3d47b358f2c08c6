"""Every parser by name, as the program calls it, and what has to hold of its answer whatever the bytes were.

An analyzer is called through the runner and its facts go through their stored form: a fault of its own there would
become a Problem, so here the Problem that tells of one is a failure, unless it is of a kind a reader may raise for
damage.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from zlib import crc32

from anchorecli import compression
from anchorecli.analyzers import ON_DEMAND, REGISTERED, Registered, load, load_demanded
from anchorecli.analyzers.base import Analyzer
from anchorecli.analyzers.legible import legible
from anchorecli.analyzers.records import read
from anchorecli.analyzers.run import Collector
from anchorecli.analyzers.view import ImageView
from anchorecli.errors import AnchoreError, IntegrityError
from anchorecli.layers.content import FileContent, SliceReader
from anchorecli.model import DiffId, Distro, ImageRef, Layer, Problem
from anchorecli.tree import LayerIndex, Tree
from anchorecli.values import fields
from tests.analyzers.demand.test_malware import Fake
from tests.analyzers.view import MemoryFile, image
from tests.fuzz.documents import document_parsers
from tests.fuzz.feeds import feed_parsers
from tests.fuzz.oracle import check_index, judge, judge_analysis
from tests.fuzz.seen import Seen
from tests.layers.reading import BytesBlob, Keeper
from tests.layers.reading import read as read_layer_of
from tests.source.opening import opened

DISTRO = Distro("debian", "12")
OPTIONS = {"secrets": "524288", "contents": "1000\nGPL=.*GPL\nX=x", "retrieve": "1000\netc/passwd"}
RAISED = ("ValueError", "UnicodeDecodeError", "BadZip", "EOFError", "VersionError", "HeaderError")
"""What a reader may raise for a file that is damaged, by name."""
_APART = {"packages", "distro", "owned", "problems", "looked_for"}


class Passing(MemoryFile):
    """A file of a compressed layer: it passes once."""

    @property
    def direct(self) -> bool:
        return False


def analyzers() -> dict[str, Analyzer]:
    """All analyzers by name, those on demand with something to look for."""
    demanded = (each._replace(options=OPTIONS.get(each.name, "")) for each in ON_DEMAND)
    found: list[Analyzer] = [*load(), *load_demanded(demanded, Fake())]
    return {each.name: each for each in found}


def analyze(analyzer: Analyzer, path: str, data: bytes, *, passing: bool = False) -> Seen:
    """One file through one analyzer: read, stored, put together."""
    collector = Collector([analyzer])
    index = LayerIndex()
    index.add(path, "f", (0o755, 0, 0), len(data))
    if passing:
        collector.visit((analyzer,), Passing(path, data, 0o755))
    else:
        with TemporaryFile(buffering=0) as stored:
            stored.write(data)
            at = SliceReader(stored.fileno(), 0, len(data)).positions()
            collector.visit((analyzer,), FileContent(path, len(data), 0o755, _nothing, at))
    diff_id = DiffId(f"sha256:{0:064x}")
    rows = collector.facts(diff_id, index)
    json.dumps([problem.message for problem in rows[1].problems])
    view = ImageView(
        Tree([LayerIndex.read(compression.unpacked(rows[0].payload))]),
        image([Layer(diff_id)]),
        [read(rows[1].payload, index)],
        DISTRO,
    )
    view.all_read = analyzer.wants.everything
    found = legible(analyzer.assemble(view))
    problems = (*rows[1].problems, *found.problems, *view.problems)
    for problem in problems:
        _check_problem(problem)
    judge(found, problems, view.image, crc32(data))
    words = {f"package {each.type} {each.name} {each.version}" for each in found.packages}
    words |= {f"distro {found.distro.id} {found.distro.version_id}"} if found.distro else set()
    for name in {field.name for field in fields(found)} - _APART:
        words |= {f"{name} {each!r}" for each in getattr(found, name)}
    # A remark that nothing is known of a thing tells of it too.
    return Seen(frozenset(words), bool(problems))


def _passing(analyzer: Analyzer, path: str, data: bytes) -> Seen:
    """A file that passes once: what is found by place and not then is told."""
    seen = analyze(analyzer, path, data, passing=True)
    if not seen.told and crc32(data) % 4 == 3:
        assert analyze(analyzer, path, data).found <= seen.found, "not found where it passes once"
    return seen


def _nothing(count: int) -> bytes:
    """What a layer that is read by position gives in order."""
    raise AssertionError(count)


def _check_problem(problem: Problem) -> None:
    prefix = "could not be read: "
    if problem.message.startswith(prefix):
        kind = problem.message.removeprefix(prefix).partition(":")[0]
        assert kind in RAISED, f"{problem.subject}: {problem.message}"
    assert len(problem.message) < 10_000


# ── containers ──────────────────────────────────────────────────────────────────────────────────────────────────────


def tar(path: str, data: bytes) -> Seen:
    """A layer that is not compressed."""
    try:
        result = read_layer_of(data, keeper=Keeper())
    except IntegrityError:
        # It begins as something compressed does.
        return Seen(frozenset(), True)
    check_index(result.index)
    return Seen(frozenset(result.index.paths), not result.complete)


def layer(path: str, data: bytes) -> Seen:
    """A compressed layer, whose digests hold."""
    from anchorecli.layers import read_layer

    keeper = Keeper()
    try:
        result = read_layer(BytesBlob(data), Layer(DiffId("")), keeper)
    except IntegrityError:
        return Seen(frozenset(), True)
    check_index(result.index)
    return Seen(frozenset(result.index.paths), not result.complete)


def archive(path: str, data: bytes) -> Seen:
    """An archive with an image in it, opened and its layers' bytes taken."""

    def look(file: Path) -> Iterator[str]:
        with opened(f"docker-archive:{file}") as source:
            for each in source.image.layers:
                yield each.diff_id
                with source.open_layer(each) as blob:  # type: ignore[union-attr]
                    for _ in blob.chunks():  # type: ignore[union-attr]
                        pass

    return _document(data, "image.tar", look)


def sbom(path: str, data: bytes) -> Seen:
    """An SBOM of any format."""
    from anchorecli.sbom import read_sbom

    def look(file: Path) -> Iterator[str]:
        analysis = read_sbom(ImageRef("sbom", str(file), path=str(file)))
        yield from (each.purl for each in analysis.packages)
        judge_analysis(analysis, crc32(data))
        if any(problem.incomplete for problem in analysis.problems):
            raise AnchoreError("told")

    return _document(data, "bom", look)


def vex(path: str, data: bytes) -> Seen:
    """A VEX document of any format."""
    from anchorecli.vex import read_bytes

    try:
        return Seen(frozenset(map(repr, read_bytes(data, path).statements)), False)
    except AnchoreError:
        return Seen(frozenset(), True)


def _document(data: bytes, name: str, look: Callable[[Path], Iterator[str]]) -> Seen:
    found: set[str] = set()
    with TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_bytes(data)
        try:
            found.update(look(file))
        except AnchoreError as error:
            assert str(error)
            return Seen(frozenset(found), True)
    return Seen(frozenset(found), False)


CONTAINERS: dict[str, Callable[[str, bytes], Seen]] = {
    "tar": tar, "layer": layer, "archive": archive, "sbom": sbom, "vex": vex,
}  # fmt: skip


def parsers() -> dict[str, Callable[[str, bytes], Seen]]:
    """Every parser by name: the analyzers, the readers of containers and documents, the drivers of the feeds."""
    found: dict[str, Callable[[str, bytes], Seen]] = {}
    every = analyzers()
    for name, analyzer in every.items():
        found[name] = lambda path, data, each=analyzer: analyze(each, path, data)
    # Where a file passes once programs are read in another way.
    found["binary-passing"] = lambda path, data: _passing(every["binary"], path, data)
    return found | CONTAINERS | document_parsers() | feed_parsers()


def registered() -> tuple[Registered, ...]:
    """All that is in the registry."""
    return REGISTERED + ON_DEMAND
