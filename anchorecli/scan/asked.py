"""What matching asks the feeds about an image, and which evaluations a change of the feeds can touch.

Asked of matching itself, which is given feeds that know nothing: so an index by names cannot disagree with a scan.
"""

from __future__ import annotations

from collections.abc import Sequence

from anchorecli import __version__
from anchorecli.errors import StoreError
from anchorecli.matching import VERSION, ecosystems_of, match
from anchorecli.model import Analysis, Candidate, Match
from anchorecli.scan.enrichment import END, enrich
from anchorecli.scan.kept import recall
from anchorecli.store import Store, document_digest
from anchorecli.store.inverted import ANALYSIS, MATCHES, VULNERABILITIES, Inverted

Pair = tuple[str, str]


def asked(analysis: Analysis) -> set[Pair]:
    """Every (namespace, name) that the feeds may be asked about for an image, whatever they cover."""
    pairs: set[Pair] = set()

    def capture(keys: Sequence[Pair]) -> list[Candidate]:
        pairs.update(keys)
        return []

    # Which of several namespaces is asked depends on what is covered: each of them may be.
    for space in (ecosystems_of(analysis.distro) if analysis.distro else ()) or ("",):
        match(analysis.packages, analysis.distro, capture, lambda _: {}, frozenset((space,)))
    from anchorecli.feeds.ecosystems import REGISTRIES  # not needed to look whether an analysis is in the index

    enrich(capture, frozenset((END, *REGISTRIES.values())), analysis, ())
    return pairs


def vulnerabilities(matches: Sequence[Match]) -> set[Pair]:
    """The CVEs of matches, by which more is known of them than advisories say."""
    names = {name for match in matches for name in (match.id, *match.aliases)}
    return {(VULNERABILITIES, name) for name in names if name.startswith("CVE-")}


def index(store: Store) -> Inverted:
    """The store's inverted index by these rules. Another version may ask in another way, and indexes again."""
    return store.inverted(f"{__version__}/{VERSION}")


def index_analysis(store: Store, document: str, analysis: Analysis) -> None:
    """Index an analysis, kept as the document of that digest, unless it is in the index."""
    inverted = index(store)
    if document and not inverted.has(document):
        inverted.put(document, asked(analysis))


def index_missing(store: Store, among: Sequence[int] | None = None, *, by_cve: bool = False) -> int:
    """Index what evaluations rest on and is not in the index: images scanned by another version, or long ago.

    ``among`` names the evaluations, else all that were not looked at before; ``by_cve`` indexes their matches too.
    Gives the number of documents. What cannot be read is left out: it cannot be evaluated again either.
    """
    inverted, count = index(store), 0
    for part in (ANALYSIS, MATCHES) if by_cve else (ANALYSIS,):
        for number in inverted.unindexed(part, among):
            count += _index_part(store, inverted, number, part)
    return count


def _index_part(store: Store, inverted: Inverted, number: int, part: str) -> bool:
    evaluation = store.evaluation(number)
    parts = store.evaluation_parts(number)
    if evaluation is None or part not in parts:
        return False
    try:
        report = recall(store, evaluation).report
    except StoreError:
        return False
    pairs = asked(report.analysis) if part == ANALYSIS else vulnerabilities(report.matches)
    inverted.put(document_digest(parts[part]), pairs)
    return True
