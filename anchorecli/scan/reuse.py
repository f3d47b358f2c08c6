"""What was made of an analysis before, and is not made again: its matches by the same feeds, its lines in a report.

Nothing here decides anything: where it is not kept, or not readable, it is made. Replaying and verifying an evaluation
do not look here, since they are to show that the same comes of the same.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, NamedTuple

from anchorecli import __version__, codec, piecewise
from anchorecli.errors import StoreError
from anchorecli.matching import VERSION, MatchResult
from anchorecli.model import Analysis, FeedState, Match, Problem
from anchorecli.scan.documents import known_digest
from anchorecli.scan.values import Matched
from anchorecli.store import Document, Store, body_of, packed_document

_MATCHES: Any = tuple[Match, ...]

_LEAST = 1 << 16
"""Characters: less is made sooner than it is looked up."""
_MOST = 1 << 24
"""Characters: more would take the memory of the whole scan again, to be packed."""


class _Rest(NamedTuple):
    """What matching gave beside the matches."""

    problems: tuple[Problem, ...]
    embedded: tuple[FeedState, ...]


class Reused(NamedTuple):
    """What was found before, the embedded feeds that were asked, and the document the matches were read from."""

    found: MatchResult
    embedded: tuple[FeedState, ...]
    matches: Document


def matches_document(analysis: Analysis, matches: tuple[Match, ...]) -> Document:
    """Matches as a document; a package is its place in the analysis."""
    return packed_document(piecewise.write_items(Match, matches, analysis.packages))


def read_matches(analysis: Analysis, body: bytes) -> tuple[Match, ...]:
    """The reverse of ``matches_document``. Raises: ValueError where it is damaged."""
    found: tuple[Match, ...]
    if len(body) >= piecewise.LONG:
        found = piecewise.read_items(Match, body, analysis.packages)
    else:
        found = codec.read_lasting(_MATCHES, body, analysis.packages)
    return found


def reused(store: Store, analysis: Analysis, revision: int) -> Reused | None:
    """What this version of the program found for the analysis by that revision of the feeds; None if it did not."""
    digest, key = known_digest(analysis), _key(revision)
    if not digest:
        return None
    try:
        matches, rest = store.derived.packed(digest, "matches", key), store.derived.get(digest, "rest", key)
        if matches is None or rest is None:
            return None
        problems, embedded = codec.read_lasting(_Rest, rest)
        return Reused(MatchResult(read_matches(analysis, body_of(matches)), problems), embedded, matches)
    except (StoreError, ValueError):
        return None


def remember(store: Store, analysis: Analysis, matched: Matched, matches: Document) -> None:
    """Keep what was found for the next scan; ``matches`` is its document. Nothing where it cannot be kept."""
    digest, key = known_digest(analysis), _key(matched.revision)
    if digest:
        # What the store holds has a revision.
        rest = _Rest(matched.found.problems, tuple(state for state in matched.states if not state.revision))
        with suppress(StoreError):
            store.derived.put(digest, "matches", key, matches)
            store.derived.put(digest, "rest", key, codec.write_lasting(_Rest, rest))


class Lines:
    """A ``report.Memo``: what formats made of an analysis alone, if it is long."""

    def __init__(self, store: Store, analysis: Analysis) -> None:
        self._store = store
        self._digest = known_digest(analysis)

    def get(self, name: str, key: str) -> str | None:
        """What was put under that name with that key."""
        try:
            body = self._store.derived.get(self._digest, name, _version(key)) if self._digest else None
        except StoreError:
            return None
        return None if body is None else body.decode("utf-8", "surrogatepass")

    def put(self, name: str, key: str, text: str) -> None:
        """Keep a text for the next time."""
        if self._digest and _LEAST <= len(text) <= _MOST:
            with suppress(StoreError):
                self._store.derived.put(self._digest, name, _version(key), text.encode("utf-8", "surrogatepass"))


def _key(revision: int) -> str:
    # The starter feed, which belongs to no revision, is the program's own.
    return _version(f"{VERSION}/{revision}/{codec.shape(Match)}")


def _version(key: str) -> str:
    return f"{__version__}/{key}"
