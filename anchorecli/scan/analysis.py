"""An image's analysis, reading only the layers whose facts the store does not hold.

Layers are read two at a time; the facts of each go to the store as soon as its digests are verified.
"""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

from anchorecli import __version__, codec
from anchorecli.analyzers import ANALYZERS
from anchorecli.analyzers.base import Analyzer
from anchorecli.analyzers.run import Collector, assemble, fact_key, fact_keys, file_tree, files_key
from anchorecli.layers import Limits, read_directory, read_layer
from anchorecli.model import Analysis, DiffId, FactKey, FactStatus, Image, Layer, LayerFacts, Package, Report
from anchorecli.source import DirLayer, Source
from anchorecli.store import Store
from anchorecli.tree import Tree
from anchorecli.values import dataclass, field, replace

WORKERS = 2
"""Inflating and hashing release the GIL: two layers at a time fill two cores, a third gains nothing."""

Progress = Callable[[str, int, int], None]
"""(what, done, total): called from worker threads."""


@dataclass(slots=True)
class AnalyzeOptions:
    """How to analyze. ``timings`` collects seconds per analyzer where it is given."""

    now: str
    analyzers: Sequence[Analyzer] = ANALYZERS
    limits: Limits = field(default_factory=Limits)
    max_file_bytes: int | None = None
    """A bound on every file that is read, beside each analyzer's own."""
    progress: Progress | None = None
    timings: dict[str, float] | None = None
    force: bool = False
    """Read every layer again, whatever the store holds."""
    meanwhile: Callable[[], None] | None = None
    """Called once while layers are read, if any has to be: for what will be needed afterwards (slow imports)."""


def analyze(source: Source, store: Store, options: AnalyzeOptions) -> Analysis:
    """What is in the source's image. The store gets the facts of each layer as soon as it is verified.

    Raises: SourceError where the image cannot be had whole; nothing of the offending layer is stored.
    """
    image = source.image
    keys = fact_keys(options.analyzers, digests=options.limits.digests)
    analyzer_set = _analysis_key(keys)
    if not options.force and (known := _stored_analysis(store, image, analyzer_set)) is not None:
        return known
    facts, complete = _layer_facts(source, store, keys, options)
    analysis = assemble(image, options.analyzers, facts)
    if complete:
        save(store, analysis, analyzer_set, options.now)
    return analysis


def set_digest(keys: Iterable[FactKey]) -> str:
    """A short name for a set of analyzers with their versions and options."""
    text = ",".join(f"{key.analyzer}@{key.version}{key.options}" for key in keys)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _analysis_key(keys: Iterable[FactKey]) -> str:
    """What a stored analysis is good for: another version may make something else of the same facts."""
    return f"{set_digest(keys)}/{__version__}"


def save(store: Store, analysis: Analysis, analyzer_set: str, now: str) -> None:
    """Keep an analysis, so that the next scan of the image reads nothing."""
    distro = analysis.distro
    store.put_image(
        analysis.image,
        analyzer_set,
        codec.encode(analysis),
        distro=f"{distro.id} {distro.version_id}".strip() if distro else "",
        packages=len(analysis.packages),
        size=analysis.file_bytes,
        now=now,
    )


def inventory(analysis: Analysis, now: str) -> Report:
    """An analysis in the form that SBOM formats render: no match, no verdict."""
    return Report(
        analysis=analysis,
        matches=(),
        verdict=None,
        feeds=(),
        feed_revision=0,
        bundle_id="",
        bundle_name="",
        bundle_digest="",
        tool_version=__version__,
        created_at=now,
        problems=analysis.problems,
    )


def stored_files(store: Store, diff_ids: Sequence[DiffId]) -> Tree | None:
    """The squashed files of stored layers, with digests where they were taken; None where facts are missing."""
    for digests in (True, False):
        rows = store.get_facts(diff_ids, [files_key(digests)])
        if {row.diff_id for row in rows} == set(diff_ids):
            return file_tree(diff_ids, rows)
    return None


def stored_packages(store: Store, image_id: str) -> tuple[Package, ...] | None:
    """The packages of a stored image; None where it was not analyzed by this version's analyzers."""
    for digests in (False, True):
        payload = store.get_analysis(image_id, _analysis_key(fact_keys(ANALYZERS, digests=digests)))
        if payload is not None:
            try:
                return codec.decode(Analysis, payload).packages
            except ValueError:
                continue
    return None


def _stored_analysis(store: Store, image: Image, analyzer_set: str) -> Analysis | None:
    payload = store.get_analysis(image.image_id, analyzer_set)
    if payload is None:
        return None
    try:
        known = codec.decode(Analysis, payload)
    except ValueError:
        return None
    # The same image may be asked for under another name, from another registry.
    return replace(known, image=image)


# ── layers ──────────────────────────────────────────────────────────────────────────────────────────────────


def _layer_facts(
    source: Source, store: Store, keys: Sequence[FactKey], options: AnalyzeOptions
) -> tuple[list[LayerFacts], bool]:
    """The facts of every layer, and whether all were read to their end."""
    layers = list({layer.diff_id: layer for layer in source.image.layers}.values())
    diff_ids = [layer.diff_id for layer in layers]
    known: Mapping[DiffId, frozenset[FactKey]] = {} if options.force else store.known_facts(diff_ids, keys)
    missing = [layer for layer in layers if not known.get(layer.diff_id, frozenset()).issuperset(keys)]
    fresh = _read_layers(source, store, missing, known, options) if missing else []
    read = {(row.diff_id, row.key) for row in fresh}
    stored = [row for row in store.get_facts(diff_ids, keys) if (row.diff_id, row.key) not in read] if known else []
    return fresh + stored, all(row.status is not FactStatus.FAILED for row in fresh)


def _read_layers(
    source: Source,
    store: Store,
    layers: Sequence[Layer],
    known: Mapping[DiffId, frozenset[FactKey]],
    options: AnalyzeOptions,
) -> list[LayerFacts]:
    source.prefetch(layers)
    # The largest first: the two workers then end at about the same time.
    work = deque(sorted(layers, key=lambda layer: -layer.size))
    results: list[LayerFacts] = []

    def read_next() -> bool:
        try:
            layer = work.popleft()
        except IndexError:
            return False
        facts = _read_one(source, layer, known.get(layer.diff_id, frozenset()), options)
        results.extend(facts.rows)
        store.put_layer(layer.diff_id, facts.digest, facts.size, facts.rows)
        if options.progress:
            options.progress("layers", len(layers) - len(work), len(layers))
        return True

    # Closing the source wakes whoever waits for a pull.
    _in_parallel(read_next, min(WORKERS, len(layers)), on_error=source.close, meanwhile=options.meanwhile)
    return results


def _in_parallel(
    step: Callable[[], bool], workers: int, *, on_error: Callable[[], None], meanwhile: Callable[[], None] | None
) -> None:
    """Repeat ``step`` in several threads, this one among them, until it gives False; the first error is raised."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            while not errors and step():
                pass
        except BaseException as exc:  # noqa: BLE001 - raised again below, by the thread that waits
            errors.append(exc)
            on_error()

    # With something to do meanwhile even a single layer is read by another thread than this one.
    others = max(workers - 1, 1 if meanwhile else 0)
    threads = [threading.Thread(target=run, name=f"layer-{number}", daemon=True) for number in range(others)]
    for thread in threads:
        thread.start()
    if meanwhile:
        meanwhile()
    run()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


@dataclass(slots=True)
class _Read:
    rows: list[LayerFacts]
    digest: str
    size: int


def _read_one(source: Source, layer: Layer, known: frozenset[FactKey], options: AnalyzeOptions) -> _Read:
    wanted = [a for a in options.analyzers if fact_key(a) not in known]
    collector = Collector(wanted, options.timings, options.max_file_bytes)
    blob = source.open_layer(layer)
    try:
        if isinstance(blob, DirLayer):
            read = read_directory(blob, collector, options.limits)
            problems = (*read.problems, *blob.problems)
        else:
            read = read_layer(blob, layer, collector, options.limits)
            problems = read.problems
    finally:
        blob.close()
    rows = collector.facts(layer.diff_id, read.index, problems, digests=options.limits.digests)
    return _Read(rows, read.digest, read.size)
