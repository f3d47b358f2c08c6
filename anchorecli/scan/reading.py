"""Reading the layers of an image whose facts the store does not hold.

Layers are read two at a time; the facts of each go to the store as soon as its digests are verified.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from anchorecli.analyzers.hardlinks import Again
from anchorecli.analyzers.keys import fact_key, fact_keys
from anchorecli.analyzers.run import Collector
from anchorecli.layers import Limits, read_directory, read_layer
from anchorecli.model import DiffId, FactKey, FactStatus, Layer, LayerFacts
from anchorecli.scan.options import AnalyzeOptions
from anchorecli.source import DirLayer, Source
from anchorecli.store import Store
from anchorecli.values import dataclass

_LARGE = 1024 * 1024
"""Packed bytes of one analyzer's facts of one layer, from which reading them took tens of megabytes."""
WORKERS = 2
"""Inflating and hashing release the GIL: two layers at a time fill two cores, a third gains nothing."""


def layer_facts(source: Source, store: Store, options: AnalyzeOptions) -> tuple[list[LayerFacts], bool]:
    """The facts of every layer, and whether all were read to their end. ``options.analyzers`` must be given."""
    keys = fact_keys(options.analyzers or (), digests=options.digests)
    layers = list({layer.diff_id: layer for layer in source.image.layers}.values())
    diff_ids = [layer.diff_id for layer in layers]
    known: Mapping[DiffId, frozenset[FactKey]] = {} if options.force else store.known_facts(diff_ids, keys)
    missing = [layer for layer in layers if not known.get(layer.diff_id, frozenset()).issuperset(keys)]
    fresh = _read_layers(source, store, missing, known, options) if missing else []
    read = {(row.diff_id, row.key) for row in fresh}
    stored = [row for row in store.get_facts(diff_ids, keys) if (row.diff_id, row.key) not in read] if known else []
    if any(len(row.payload) >= _LARGE for row in fresh):
        _give_back()
    return fresh + stored, all(row.status is not FactStatus.FAILED for row in fresh)


def _give_back() -> None:
    """What reading took, back to the system: the C library keeps it for itself where there were other threads."""
    import ctypes

    # Only glibc has it, and only glibc needs it.
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


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
    wanted = [a for a in options.analyzers or () if fact_key(a) not in known]
    collector = Collector(wanted, options.timings, options.fact_bytes)
    blob = source.open_layer(layer)
    limits = Limits(options.layer_bytes, options.entries, digests=options.digests)
    try:
        if isinstance(blob, DirLayer):
            read = read_directory(blob, collector, limits)
            problems = (*read.problems, *blob.problems)
        else:
            read = read_layer(blob, layer, collector, limits)
            problems = read.problems
    finally:
        blob.close()
    if not isinstance(blob, DirLayer) and not problems and (again := collector.again(read.index)) is not None:
        _read_again(source, layer, again, options)
    rows = collector.facts(layer.diff_id, read.index, problems, digests=options.digests)
    return _Read(rows, read.digest, read.size)


def _read_again(source: Source, layer: Layer, again: Again, options: AnalyzeOptions) -> None:
    blob = source.open_layer(layer)
    if not isinstance(blob, DirLayer):
        try:
            read_layer(blob, layer, again, Limits(options.layer_bytes, options.entries))
        finally:
            blob.close()
