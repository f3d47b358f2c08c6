"""Stored evaluations and tags under watch."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from anchorecli.model import Digest, Evaluation, WatchedTag
from anchorecli.store import documents
from anchorecli.store.connection import clean, clean_text
from anchorecli.values import replace

_COLUMNS = (
    "image_id", "digest", "reference", "platform", "feed_revision", "bundle_id", "bundle_digest", "analyzer_set",
    "tool_version", "created_at", "status", "action", "matches",
)  # fmt: skip
_TUPLE = ", ".join(_COLUMNS)


def put_evaluation(db: sqlite3.Connection, evaluation: Evaluation, parts: Mapping[str, documents.Part]) -> int:
    """Write an evaluation; its number is new, whatever ``evaluation.id`` says.

    A part is a document, or the digest of one that is there. Raises: LookupError for a digest that is not. The part
    called ``bundle`` can then also be had by the bundle's digest.
    """
    rows = {
        name: documents.row_of(db, part) if isinstance(part, str) else documents.put(db, part)
        for name, part in parts.items()
    }
    values = [clean(getattr(evaluation, column)) for column in _COLUMNS]
    columns = f"{_TUPLE}, by_severity, vulnerabilities, report"
    query = f"INSERT INTO evaluation ({columns}) VALUES ({'?, ' * len(values)} ?, ?, ?)"
    severities = json.dumps(dict(evaluation.by_severity)) if evaluation.by_severity else ""
    number = int(db.execute(query, (*values, severities, evaluation.vulnerabilities, evaluation.report)).lastrowid or 0)
    db.executemany(
        "INSERT INTO evaluation_part (evaluation, name, document) VALUES (?, ?, ?)",
        [(number, name, row) for name, row in rows.items()],
    )
    if "bundle" in rows:
        documents.put_bundle(db, evaluation.bundle_digest, rows["bundle"])
    return number


def evaluation(db: sqlite3.Connection, number: int) -> Evaluation | None:
    """One evaluation; with its report where that was kept as a whole."""
    query = f"SELECT id, by_severity, vulnerabilities, {_TUPLE}, report FROM evaluation WHERE id = ?"
    row = db.execute(query, (clean(number),)).fetchone()
    return _evaluation(row) if row else None


def evaluation_parts(db: sqlite3.Connection, number: int) -> dict[str, bytes]:
    """The documents of an evaluation by their names."""
    query = "SELECT name, document FROM evaluation_part WHERE evaluation = ? ORDER BY name"
    return {name: documents.get(db, row) for name, row in db.execute(query, (clean(number),)).fetchall()}


def evaluations(
    db: sqlite3.Connection, image_id: str | None, reference: str | None, limit: int
) -> tuple[Evaluation, ...]:
    """Evaluations without their reports, the newest first."""
    given = {"image_id": image_id, "reference": reference}
    asked = {column: clean(value) for column, value in given.items() if value is not None}
    conditions = [f"{column} = :{column}" for column in asked]
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    query = f"SELECT id, by_severity, vulnerabilities, {_TUPLE} FROM evaluation {where} ORDER BY id DESC LIMIT :limit"
    return tuple(_evaluation(row) for row in db.execute(query, {**asked, "limit": clean(limit)}))


def latest_evaluations(db: sqlite3.Connection, since: str) -> tuple[Evaluation, ...]:
    """The last evaluation of each reference, of those since a moment; by reference."""
    query = (
        f"SELECT id, by_severity, vulnerabilities, {_TUPLE} FROM evaluation WHERE id IN"
        " (SELECT max(id) FROM evaluation WHERE created_at >= ? GROUP BY reference) ORDER BY reference"
    )
    return tuple(_evaluation(row) for row in db.execute(query, (since,)))


def find_evaluations(db: sqlite3.Connection, text: str) -> tuple[Evaluation, ...]:
    """Evaluations of what ``text`` means: a reference, an end of one, or a digest or image id or its beginning.

    Images that were removed are found here too. Order: the newest first.
    """
    text = clean_text(text)
    start = f"sha256:{text.rpartition('@')[2].lower().removeprefix('sha256:')}"
    is_digest = len(start) >= len("sha256:") + 6 and not start.removeprefix("sha256:").strip("0123456789abcdef")
    query = (
        f"SELECT id, by_severity, vulnerabilities, {_TUPLE} FROM evaluation WHERE reference = :text"
        " OR substr(reference, -length(:end)) = :end"
        " OR (:digest AND :start IN (substr(image_id, 1, length(:start)), substr(digest, 1, length(:start))))"
        " ORDER BY id DESC"
    )
    values = {"text": text, "end": f"/{text}", "digest": is_digest, "start": start}
    return tuple(_evaluation(row) for row in db.execute(query, values)) if text else ()


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


def _evaluation(row: tuple[Any, ...]) -> Evaluation:
    number, severities, vulnerabilities, image_id, digest, *rest = row
    by_severity = json.loads(severities) if severities else {}
    found = Evaluation(number, Digest(image_id), Digest(digest), *rest)
    return replace(found, by_severity=by_severity, vulnerabilities=vulnerabilities)
