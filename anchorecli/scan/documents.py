"""Analyses as documents of the store, and which document an analysis at hand is."""

from __future__ import annotations

from collections import deque

from anchorecli import codec, piecewise
from anchorecli.model import Analysis
from anchorecli.store import Document, document_digest, packed_document
from anchorecli.values import fields


def analysis_document(analysis: Analysis) -> Document:
    """An analysis as a document."""
    document = packed_document(piecewise.write(Analysis, analysis))
    _remember(analysis, document.digest)
    return document


def read_analysis(body: bytes) -> Analysis:
    """The analysis in a document. Raises: ValueError where it is damaged."""
    read = piecewise.read if len(body) >= piecewise.LONG else codec.read_lasting
    analysis: Analysis = read(Analysis, body)
    _remember(analysis, document_digest(body))
    return analysis


def known_digest(analysis: Analysis) -> str:
    """The digest of a document with the very same facts (its image may be another); empty where none is known."""
    for known, digest in _recent:
        if all(getattr(known, name) is getattr(analysis, name) for name in _FACTS):
            return digest
    return ""


# An analysis has just been read from its document, or written to one, when its evaluation is kept: to write it again,
# only to find that it is there, would take longer than all the rest.
_recent: deque[tuple[Analysis, str]] = deque(maxlen=2)
_FACTS = tuple(each.name for each in fields(Analysis) if each.name != "image")


def _remember(analysis: Analysis, digest: str) -> None:
    _recent.append((analysis, digest))
