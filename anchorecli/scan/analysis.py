"""An image's analysis: from the store where it is known, else from the facts of its layers (``reading.py``)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from anchorecli import __version__, codec
from anchorecli.analyzers import REGISTERED, load, load_demanded
from anchorecli.analyzers.keys import fact_keys, files_key
from anchorecli.model import Analysis, DiffId, FactKey, Image, Package, Report
from anchorecli.scan.documents import analysis_document, read_analysis
from anchorecli.scan.options import AnalyzeOptions
from anchorecli.source import Source
from anchorecli.store import Store
from anchorecli.tree import Tree
from anchorecli.values import replace


def analyze(source: Source, store: Store, options: AnalyzeOptions) -> Analysis:
    """What is in the source's image. The store gets the facts of each layer as soon as it is verified.

    Raises: SourceError where the image cannot be had whole; nothing of the offending layer is stored.
    """
    image = source.image
    registered = REGISTERED if options.registered is None else options.registered
    always = registered if options.analyzers is None else options.analyzers
    analyzer_set = _analysis_key(fact_keys((*always, *options.demanded), digests=options.digests))
    analyzer_set += "/all-layers" if options.all_layers else ""
    if not options.force and (known := _stored_analysis(store, image, analyzer_set)) is not None:
        return known
    # Here, since a known image has no use for the code that reads layers.
    from anchorecli.analyzers.run import assemble, followed
    from anchorecli.scan.reading import layer_facts

    analyzers = load(registered) if options.analyzers is None else tuple(options.analyzers)
    analyzers += load_demanded(options.demanded, options.scanner)
    facts, complete = layer_facts(source, store, replace(options, analyzers=analyzers))
    further = followed(image, analyzers, facts, options.entries)
    if further != analyzers:
        # Links lead to files that nobody could know of while the layers were read.
        again = replace(options, analyzers=further, force=False, meanwhile=None)
        analyzers, (facts, complete) = further, layer_facts(source, store, again)

    def assembled(part: Image) -> Analysis:
        timings = options.timings if part is image else None
        return assemble(part, analyzers, facts, timings, options.entries, options.fact_bytes)

    if options.all_layers:
        from anchorecli.scan.layers import with_hidden

        analysis = with_hidden(image, assembled)
    else:
        analysis = assembled(image)
    # A layer that was cut is read again, perhaps under other limits.
    if complete and not any(problem.stage == "layers" for problem in analysis.problems):
        save(store, analysis, analyzer_set, options.now)
    return analysis


def set_digest(keys: Iterable[FactKey]) -> str:
    """A short name for a set of analyzers with their versions and options."""
    text = ",".join(f"{key.analyzer}@{key.version}{key.options}" for key in keys)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _analysis_key(keys: Iterable[FactKey]) -> str:
    """What a stored analysis is good for: another version, or shape of its values, may make something else of them."""
    return f"{set_digest(keys)}/{__version__}/{codec.shape(Analysis)}"


def save(store: Store, analysis: Analysis, analyzer_set: str, now: str) -> None:
    """Keep an analysis, so that the next scan of the image reads nothing."""
    distro = analysis.distro
    store.put_image(
        analysis.image,
        analyzer_set,
        analysis_document(analysis),
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
            from anchorecli.analyzers.filelists import file_tree

            return file_tree(diff_ids, rows)
    return None


def stored_packages(store: Store, image_id: str) -> tuple[Package, ...] | None:
    """The packages of a stored image, by this version's analyzers if they saw it; None where nothing is kept."""
    for payload in _kept_analyses(store, image_id):
        try:
            return read_analysis(payload).packages
        except ValueError:
            continue
    return None


def stored_analysis(store: Store, image_id: str) -> Analysis | None:
    """The last analysis of a stored image, whatever was looked for then; None where none is kept that can be read."""
    payload = store.latest_analysis(image_id)
    try:
        return read_analysis(payload) if payload else None
    except ValueError:
        return None


def _kept_analyses(store: Store, image_id: str) -> Iterator[bytes]:
    for digests in (False, True):
        if payload := store.get_analysis(image_id, _analysis_key(fact_keys(REGISTERED, digests=digests))):
            yield payload
    # Whatever was looked for beside them on demand, an analysis lists all packages.
    if payload := store.latest_analysis(image_id):
        yield payload


def _stored_analysis(store: Store, image: Image, analyzer_set: str) -> Analysis | None:
    payload = store.get_analysis(image.image_id, analyzer_set)
    if payload is None:
        return None
    try:
        known = read_analysis(payload)
    except ValueError:
        return None
    # The same image may be asked for under another name, from another registry.
    return replace(known, image=image)
