"""Stored evaluations and tags under watch."""

from __future__ import annotations

import sqlite3

from anchorecli.model import Digest, Evaluation, WatchedTag
from anchorecli.store.connection import clean, clean_text

_COLUMNS = (
    "image_id", "digest", "reference", "platform", "feed_revision", "bundle_id", "bundle_digest", "analyzer_set",
    "tool_version", "created_at", "status", "action", "matches",
)  # fmt: skip
_TUPLE = ", ".join(_COLUMNS)


def put_evaluation(db: sqlite3.Connection, evaluation: Evaluation) -> int:
    """Write an evaluation; its number is new, whatever ``evaluation.id`` says."""
    values = [clean(getattr(evaluation, column)) for column in _COLUMNS]
    query = f"INSERT INTO evaluation ({_TUPLE}, report) VALUES ({'?, ' * len(values)} ?)"
    cursor = db.execute(query, (*values, evaluation.report))
    return int(cursor.lastrowid or 0)


def evaluation(db: sqlite3.Connection, number: int) -> Evaluation | None:
    """One evaluation with its report."""
    row = db.execute(f"SELECT id, {_TUPLE}, report FROM evaluation WHERE id = ?", (clean(number),)).fetchone()
    return _evaluation(row) if row else None


def evaluations(
    db: sqlite3.Connection, image_id: str | None, reference: str | None, limit: int
) -> tuple[Evaluation, ...]:
    """Evaluations without their reports, the newest first."""
    given = {"image_id": image_id, "reference": reference}
    asked = {column: clean(value) for column, value in given.items() if value is not None}
    conditions = [f"{column} = :{column}" for column in asked]
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    query = f"SELECT id, {_TUPLE} FROM evaluation {where} ORDER BY id DESC LIMIT :limit"
    return tuple(_evaluation(row) for row in db.execute(query, {**asked, "limit": clean(limit)}))


def watch_add(db: sqlite3.Connection, reference: str, now: str) -> bool:
    """Put a tag under watch, again if need be; False where it was already."""
    cursor = db.execute(
        "INSERT INTO watch (reference, added_at, digest, image_id, evaluation_id, checked_at, active)"
        " VALUES (?, ?, '', '', 0, '', 1) ON CONFLICT (reference) DO UPDATE SET active = 1 WHERE active = 0",
        (clean_text(reference), now),
    )
    return cursor.rowcount > 0


def watch_remove(db: sqlite3.Connection, reference: str) -> bool:
    """Take a tag off the watch; False where it was not on it."""
    return db.execute("DELETE FROM watch WHERE reference = ?", (clean_text(reference),)).rowcount > 0


def watch_list(db: sqlite3.Connection) -> tuple[WatchedTag, ...]:
    """All watched tags by name."""
    query = (
        "SELECT reference, added_at, digest, image_id, evaluation_id, checked_at, active FROM watch ORDER BY reference"
    )
    return tuple(
        WatchedTag(reference, added_at, digest, image_id, evaluation_id, checked_at, bool(active))
        for reference, added_at, digest, image_id, evaluation_id, checked_at, active in db.execute(query)
    )


def watch_update(db: sqlite3.Connection, tag: WatchedTag) -> bool:
    """Write what was last seen of a tag; False where it was taken off the watch meanwhile."""
    cursor = db.execute(
        "UPDATE watch SET digest = ?, image_id = ?, evaluation_id = ?, checked_at = ?, active = ? WHERE reference = ?",
        (tag.digest, tag.image_id, tag.evaluation_id, tag.checked_at, tag.active, clean_text(tag.reference)),
    )
    return cursor.rowcount > 0


def _evaluation(row: tuple[object, ...]) -> Evaluation:
    number, image_id, digest, *rest = row
    return Evaluation(number, Digest(str(image_id)), Digest(str(digest)), *rest)  # type: ignore[arg-type]
