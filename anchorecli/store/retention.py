"""Cleaning up: what age and count let go, and what nothing refers to any more.

What stays in any case: images under watch, the newest evaluation of each watched tag with its image, layers of images
that stay, layers a scan may just be writing, every record of the feeds that holds now, every past revision that an
evaluation which stays was made with, and the documents it rests on, also where its image is gone.
"""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta

from anchorecli.store import derived, fixes, inverted, versions
from anchorecli.store.documents import forget_orphans
from anchorecli.store.feeds import current_revision
from anchorecli.values import dataclass

_BATCH = 250
"""Records at a time in memory."""

_PENDING_DAYS = 1
"""For so long layers without an image are taken for those of a scan that is under way."""


@dataclass(frozen=True, slots=True)
class GcResult:
    """What a clean-up removed, or would remove."""

    images: int = 0
    layers: int = 0
    facts: int = 0
    evaluations: int = 0
    advisories: int = 0
    """Records of past feed revisions."""
    bytes_freed: int = 0


_WATCHED_EVALUATIONS = """
CREATE TEMP TABLE kept_evaluation AS
SELECT evaluation_id AS id FROM watch WHERE evaluation_id > 0
UNION SELECT max(e.id) FROM watch w JOIN evaluation e ON e.reference = w.reference GROUP BY w.reference
"""

_OLD_EVALUATIONS = """
DELETE FROM evaluation WHERE id NOT IN (SELECT id FROM kept_evaluation) AND (
    created_at < :cutoff OR id IN (
        SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY reference ORDER BY id DESC) AS place FROM evaluation)
        WHERE place > :keep))
"""

_OLD_IMAGES = """
DELETE FROM image WHERE image_id NOT IN (
    SELECT image_id FROM watch UNION SELECT image_id FROM evaluation WHERE id IN (SELECT id FROM kept_evaluation)
) AND (
    last_used_at < :cutoff OR id IN (
        SELECT id FROM (SELECT id, row_number() OVER (ORDER BY last_used_at DESC, id DESC) AS place FROM image)
        WHERE place > :keep))
"""

_OLD_ANALYSES = """
DELETE FROM analysis WHERE EXISTS (
    SELECT 1 FROM analysis newer WHERE newer.image = analysis.image AND newer.created_at > analysis.created_at)
"""

_SUPERSEDED_FACTS = """
DELETE FROM fact WHERE EXISTS (
    SELECT 1 FROM fact newer
    WHERE newer.layer = fact.layer AND newer.analyzer = fact.analyzer AND newer.options = fact.options
    AND newer.version > fact.version AND newer.status = 'ok')
"""

_ORPHAN_LAYERS = """
DELETE FROM layer WHERE (pending_since IS NULL OR pending_since < :pending)
AND NOT EXISTS (SELECT 1 FROM image_layer WHERE layer = layer.id)
"""

# The oldest revision that is still to be answered: the one in force when the time kept began, or older ones that an
# evaluation which stays was made with.
_KEPT_FROM = """
SELECT min(revision) FROM (
    SELECT coalesce(max(revision), 0) AS revision FROM revision WHERE created_at < :cutoff
    UNION ALL SELECT feed_revision FROM evaluation WHERE feed_revision > 0)
"""


# Of the checks before the time kept the last of each feed tells the state at its beginning; evaluations that stay have
# theirs among their parts.
_OLD_STATES = """
DELETE FROM past_state WHERE updated_at < :cutoff AND EXISTS (
    SELECT 1 FROM past_state later
    WHERE later.feed = past_state.feed AND later.updated_at < :cutoff
    AND (later.updated_at, later.id) > (past_state.updated_at, past_state.id))
"""


def collect(db: sqlite3.Connection, older_than_days: int | None, keep: int | None, now: str) -> GcResult:
    """Delete inside the caller's transaction; ``bytes_freed`` are in the file's free pages until ``shrink``.

    ``older_than_days`` lets go what was not used for so long, ``keep`` all but so many: images by last use, and
    evaluations of each reference; None sets no bound. Superseded facts and layers without image always go.
    """
    moment = datetime.fromisoformat(now)
    limits: dict[str, str | int] = {
        "cutoff": "" if older_than_days is None else _text(moment - timedelta(days=older_than_days)),
        "keep": 2**62 if keep is None else keep,
        "pending": _text(moment - timedelta(days=_PENDING_DAYS)),
    }
    facts = _count(db, "fact")
    db.execute("DROP TABLE IF EXISTS temp.kept_evaluation")
    db.execute(_WATCHED_EVALUATIONS)
    evaluations = db.execute(_OLD_EVALUATIONS, limits).rowcount
    images = db.execute(_OLD_IMAGES, limits).rowcount
    db.execute(_OLD_ANALYSES)
    db.execute(_SUPERSEDED_FACTS)
    layers = db.execute(_ORPHAN_LAYERS, limits).rowcount
    advisories = _forget_revisions(db, limits) if older_than_days is not None else 0
    db.execute(_OLD_STATES, limits)
    derived.forget_orphans(db)
    forget_orphans(db)
    inverted.forget_orphans(db)
    free = db.execute("SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size").fetchone()[0]
    return GcResult(images, layers, facts - _count(db, "fact"), evaluations, advisories, free)


def _forget_revisions(db: sqlite3.Connection, limits: dict[str, str | int]) -> int:
    kept_from = min(db.execute(_KEPT_FROM, limits).fetchone()[0], current_revision(db))
    removed = _forget_versions(db, kept_from)
    db.execute("DELETE FROM departed WHERE until <= ?", (kept_from,))
    db.execute(
        "DELETE FROM advisory WHERE valid_to BETWEEN 1 AND ?"
        " AND NOT EXISTS (SELECT 1 FROM past_version WHERE advisory = advisory.id)",
        (kept_from,),
    )
    fixes.forget_orphans(db)
    if removed:
        db.execute("UPDATE history SET kept_from = max(kept_from, ?)", (kept_from,))
    return removed


def _forget_versions(db: sqlite3.Connection, kept_from: int) -> int:
    """Delete past versions that held no more at a revision; gives how many."""
    removed = 0
    rows = [row for (row,) in db.execute("SELECT advisory FROM past_version WHERE since < ? ORDER BY 1", (kept_from,))]
    for start in range(0, len(rows), _BATCH):
        batch = rows[start : start + _BATCH]
        now = versions.contents(db, batch)
        asked = json.dumps(batch)
        query = "SELECT advisory, body FROM past_version WHERE advisory IN (SELECT value FROM json_each(?))"
        for row, body in db.execute(query, (asked,)).fetchall():
            left, since, count = versions.without(body, now.get(row), kept_from)
            removed += count
            if not left:
                db.execute("DELETE FROM past_version WHERE advisory = ?", (row,))
            elif count:
                db.execute("UPDATE past_version SET body = ?, since = ? WHERE advisory = ?", (left, since, row))
    return removed


def _count(db: sqlite3.Connection, table: str) -> int:
    return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
