"""What changed in a feed between two revisions, and changes from another store applied here.

Two stores number their revisions each in its own way. What they have in common is the *content* of a feed: a digest of
the ids and digests of its records, in the order of ids. A delta says at which content it starts and at which it ends;
it is applied to no other, and what comes of it has the content it promised or is taken back.

Format: a content is ``VERSION-RECORDS-HEX``: the version of the way records are digested (``encoding.encode``; raised
when that changes), the number of records, and BLAKE2b over, for each record, the length of its id in UTF-8 (four bytes,
big endian), the id, and the record's digest.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from heapq import merge
from itertools import islice

from anchorecli.errors import FeedError
from anchorecli.model import Advisory, FeedState, SyncResult
from anchorecli.store import advisories, feeds, versions
from anchorecli.store.connection import Session, clean_text, transaction
from anchorecli.store.encoding import encode, load

VERSION = 1
_BATCH = 500

_CONTENT = """
SELECT v.name, v.digest FROM feed f JOIN advisory v ON v.feed = f.id AND v.valid_to = 0 WHERE f.name = :feed ORDER BY 1
"""
_NOTED = """
SELECT r.content FROM feed f JOIN revision r ON r.feed = f.id
WHERE f.name = :feed AND r.revision <= :revision ORDER BY r.revision DESC LIMIT 1
"""

_CAME = """
SELECT v.id FROM feed f JOIN advisory v ON v.feed = f.id
WHERE f.name = :feed AND v.valid_from > :since AND v.valid_to = 0 ORDER BY v.name
"""
_WENT = """
SELECT v.name, v.id FROM feed f JOIN advisory v ON v.feed = f.id
WHERE f.name = :feed AND v.valid_to > :since ORDER BY 1
"""

Change = Advisory | str
"""A record that came or changed, or the id of one that went."""


class Exchange:
    """The feeds of a store as other stores see them: contents, changes since a revision, changes to apply."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def content(self, name: str, revision: int | None = None) -> str:
        """The content of a feed, now or as of a revision; also of one that is not there, which has no records."""
        with self._session.read() as db:
            return content(db, clean_text(name), revision)

    def changes(self, name: str, since: int) -> Iterator[Change]:
        """What changed in a feed since a revision, by id; a few at a time in memory, from one snapshot.

        Raises: StoreError where the store does not keep that revision.
        """
        with self._session.private() as db, transaction(db, "BEGIN"):
            feeds.check_revision(db, since)
            values: dict[str, str | int] = {"feed": clean_text(name), "since": since}
            came: Iterator[Change] = _came(db, values)
            yield from merge(came, _went(db, values), key=lambda each: each if isinstance(each, str) else each.id)

    def past(self, name: str) -> list[int]:
        """The kept revisions that changed a feed, the newest first."""
        query = """
        SELECT r.revision FROM revision r JOIN feed f ON f.id = r.feed
        WHERE f.name = ? AND r.revision >= (SELECT kept_from FROM history) ORDER BY 1 DESC
        """
        with self._session.read() as db:
            return [revision for (revision,) in db.execute(query, (clean_text(name),))]

    def apply(
        self, state: FeedState, changes: Iterable[Change], base: str, end: str, *, past: bool = True
    ) -> SyncResult:
        """Change a feed from the content ``base`` to the content ``end``, as one revision and with this state.

        Without ``past`` nothing is kept of what it said before.

        Raises: FeedError where it has another content before or after; nothing has changed then.
        """
        from anchorecli.store.sync import apply_changes

        self._session.require_write()
        with self._session.private() as db:
            result = apply_changes(db, state, changes, (base, end), past=past)
        self._session.trim()
        return result


def content(db: sqlite3.Connection, name: str, revision: int | None = None) -> str:
    """The content of a feed, now or as of a revision. Raises: StoreError where the revision is not kept."""
    entries: Iterator[tuple[str, bytes]] = db.execute(_CONTENT, {"feed": name})
    if revision is not None and feeds.check_revision(db, revision) != revision:
        noted = db.execute(_NOTED, {"feed": name, "revision": revision}).fetchone()
        if noted is not None and noted[0].startswith(f"{VERSION}-"):
            return str(noted[0])
        # By a program that did not note it, or digested records in another way; or the feed had not been synced.
        entries = ((each.id, encode(each).digest) for each in advisories.feed_records(db, name, revision))
    digest, records = blake2b(digest_size=16), 0
    while rows := list(islice(entries, _BATCH)):
        records += len(rows)
        digest.update(b"".join(_entry(identifier.encode(), own) for identifier, own in rows))
    return f"{VERSION}-{records}-{digest.hexdigest()}"


def expect(db: sqlite3.Connection, name: str, wanted: str) -> None:
    """Raises: FeedError where the feed has another content than is wanted."""
    if content(db, name) != wanted:
        hint = "somebody else changed it meanwhile, or the delta is wrong: try again, or import a full file"
        raise FeedError(f"{name} does not hold what the delta says; it was left as it was", hint=hint)


def _came(db: sqlite3.Connection, values: dict[str, str | int]) -> Iterator[Advisory]:
    rows = [row for (row,) in db.execute(_CAME, values)]
    for start in range(0, len(rows), _BATCH):
        yield from load(db, rows[start : start + _BATCH], statements=True).values()


def _went(db: sqlite3.Connection, values: dict[str, str | int]) -> Iterator[str]:
    rows = db.execute(_WENT, values).fetchall()
    held = versions.at(db, [row for _, row in rows], int(values["since"]))
    return (name for name, row in rows if row in held)


def _entry(identifier: bytes, digest: bytes) -> bytes:
    return len(identifier).to_bytes(4, "big") + identifier + digest
