"""The state of each feed, and the history of revisions."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple

from anchorecli.errors import StoreError
from anchorecli.model import FeedState
from anchorecli.store import documents

# What a feed's state and each of its revisions have in common.
SHARED = (
    "records", "source_date", "url", "digest", "etag", "last_modified", "starter", "ecosystems", "problems",
)  # fmt: skip
_OF_FEED = ", ".join(f"f.{column}" for column in SHARED)
_OF_REVISION = ", ".join(f"r.{column}" for column in SHARED)

# A feed as it was: its last revision up to the one asked for. Later confirmations that nothing changed do not count.
_STATES_AT = f"""
SELECT f.name, r.revision, r.created_at, {_OF_REVISION}
FROM feed f
JOIN revision r ON r.revision = (SELECT max(revision) FROM revision WHERE feed = f.id AND revision <= ?)
WHERE r.active
ORDER BY f.name
"""


class Revision(NamedTuple):
    """One entry of the history: a sync that changed something, and where its data came from."""

    revision: int
    feed: str
    created_at: str
    url: str
    digest: str
    added: int
    changed: int
    removed: int
    records: int
    """How many records the feed had after it; a feed that was dropped has none."""
    source_date: str
    etag: str
    last_modified: str
    starter: bool


def current_revision(db: sqlite3.Connection) -> int:
    """The number of the last revision, 0 before the first sync."""
    return int(db.execute("SELECT coalesce(max(revision), 0) FROM revision").fetchone()[0])


def check_revision(db: sqlite3.Connection, revision: int) -> int:
    """Make sure that the store can answer as of ``revision``; gives the newest.

    Raises: StoreError where it was never made, or where what held then has been cleaned up since.
    """
    newest = current_revision(db)
    oldest = int(db.execute("SELECT kept_from FROM history").fetchone()[0])
    if revision and not oldest <= revision <= newest:  # revision 0 is the empty store, which needs no keeping
        raise StoreError(
            f"feed revision {revision} is not in the store: it keeps {oldest} to {newest}",
            hint="`anchore feeds status` names the revisions",
        )
    return newest


def feed_states(db: sqlite3.Connection, revision: int | None, name: str | None = None) -> tuple[FeedState, ...]:
    """The feeds by name, now or as of a revision."""
    if revision is not None:
        check_revision(db, revision)
        return tuple(_state(row) for row in db.execute(_STATES_AT, (revision,)) if name in (None, row[0]))
    query = (
        f"SELECT f.name, f.revision, f.updated_at, {_OF_FEED} FROM feed f"
        " WHERE f.active AND (?1 IS NULL OR f.name = ?1) ORDER BY f.name"
    )
    return tuple(_state(row) for row in db.execute(query, (name,)))


def coverage(db: sqlite3.Connection, revision: int | None, *, starter: bool) -> frozenset[str]:
    """The ecosystems some feed has data for; those only a starter feed has data for count with ``starter``."""
    states = feed_states(db, revision)
    return frozenset(name for state in states if starter or not state.starter for name in state.ecosystems)


def feed_row(db: sqlite3.Connection, name: str) -> int | None:
    """The row of a feed, dropped ones included."""
    row = db.execute("SELECT id FROM feed WHERE name = ?", (name,)).fetchone()
    return int(row[0]) if row else None


def archive(db: sqlite3.Connection, name: str) -> None:
    """Keep a feed's state before it is overwritten; nothing where there is no such feed."""
    query = f"SELECT f.id, f.revision, f.active, f.updated_at, {_OF_FEED} FROM feed f WHERE f.name = ?"
    row = db.execute(query, (name,)).fetchone()
    if row is None:
        return
    feed, revision, active, updated_at, *shared = row
    body = json.dumps(dict(zip(SHARED, shared, strict=True)), sort_keys=True)
    db.execute(
        "INSERT INTO past_state (feed, revision, active, updated_at, document) VALUES (?, ?, ?, ?, ?)",
        (feed, revision, active, updated_at, documents.put(db, body.encode())),
    )


def save_state(db: sqlite3.Connection, state: FeedState) -> int:
    """Write the state of a feed; gives its row."""
    row = feed_row(db, state.name)
    if row is None:
        row = int(
            db.execute(
                "INSERT INTO feed (name, active, revision, records, updated_at, source_date, url, digest, etag,"
                " last_modified, starter, ecosystems, problems)"
                " VALUES (?, 1, 0, 0, '', '', '', '', '', '', 0, '[]', 0)",
                (state.name,),
            ).lastrowid
            or 0
        )
    db.execute(
        "UPDATE feed SET active = 1, revision = ?, updated_at = ?, records = ?, source_date = ?, url = ?, digest = ?,"
        " etag = ?, last_modified = ?, starter = ?, ecosystems = ?, problems = ? WHERE id = ?",
        (state.revision, state.updated_at, *_shared(state), row),
    )
    return row


def add_revision(
    db: sqlite3.Connection, feed: int, state: FeedState, counts: tuple[int, int, int], content: str
) -> None:
    """Write ``state.revision`` into the history; ``counts`` are added, changed, removed, ``content`` see ``delta``."""
    db.execute(
        "INSERT INTO revision (revision, feed, active, added, changed, removed, created_at, records, source_date, url,"
        " digest, etag, last_modified, starter, ecosystems, problems, content)"
        " VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (state.revision, feed, *counts, state.updated_at, *_shared(state), content),
    )


def confirm(db: sqlite3.Connection, name: str, updated_at: str) -> bool:
    """Note that a feed was found unchanged; False where there is none of that name."""
    archive(db, name)
    return db.execute("UPDATE feed SET updated_at = ? WHERE name = ? AND active", (updated_at, name)).rowcount > 0


def deactivate(db: sqlite3.Connection, row: int, state: FeedState) -> None:
    """Note that a feed is no more, as of the revision of ``state``."""
    db.execute("UPDATE revision SET active = 0 WHERE revision = ?", (state.revision,))
    values = (state.revision, state.updated_at, row)
    db.execute("UPDATE feed SET active = 0, revision = ?, records = 0, updated_at = ? WHERE id = ?", values)


def revisions(db: sqlite3.Connection, feed: str | None) -> tuple[Revision, ...]:
    """The history, the newest first, of one feed or of all."""
    query = """
    SELECT r.revision, f.name, r.created_at, r.url, r.digest, r.added, r.changed, r.removed, r.records, r.source_date,
           r.etag, r.last_modified, r.starter
    FROM revision r JOIN feed f ON f.id = r.feed
    WHERE ?1 IS NULL OR f.name = ?1
    ORDER BY r.revision DESC
    """
    return tuple(Revision._make(row)._replace(starter=bool(row[-1])) for row in db.execute(query, (feed,)))


def state_of(name: str, revision: int, updated_at: str, shared: Mapping[str, Any]) -> FeedState:
    """A feed's state from its columns, of the table or of an archived row."""
    return _state((name, revision, updated_at, *(shared[column] for column in SHARED)))


def _state(row: tuple[Any, ...]) -> FeedState:
    values = dict(zip(("name", "revision", "updated_at", *SHARED), row, strict=True))
    values["starter"] = bool(values["starter"])
    values["ecosystems"] = tuple(json.loads(values["ecosystems"]))
    return FeedState(**values)


def _shared(state: FeedState) -> tuple[Any, ...]:
    values = (getattr(state, column) for column in SHARED)
    return tuple(json.dumps(value) if isinstance(value, tuple) else value for value in values)
