"""Layer facts: what analyzers found in a layer, written once and kept under the layer's diff_id."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence

from anchorecli.model import DiffId, FactKey, FactStatus, LayerFacts, Problem
from anchorecli.store.connection import clean_size

# A failed pass never replaces a better one, and facts that are whole are never written again.
_PUT_FACT = """
INSERT INTO fact (layer, analyzer, version, options, status, problems, payload) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (layer, analyzer, version, options) DO UPDATE
SET status = excluded.status, problems = excluded.problems, payload = excluded.payload
WHERE fact.status = 'failed' OR (fact.status = 'partial' AND excluded.status <> 'failed')
"""

_OF_LAYERS = """
FROM json_each(?) asked
CROSS JOIN layer l ON l.diff_id = asked.value
CROSS JOIN fact f ON f.layer = l.id
"""


def known_facts(
    db: sqlite3.Connection, diff_ids: Sequence[DiffId], keys: Sequence[FactKey]
) -> dict[DiffId, frozenset[FactKey]]:
    """For each layer those of ``keys`` whose facts are there; a pass that failed counts as not done."""
    wanted = frozenset(keys)
    known: dict[DiffId, set[FactKey]] = {diff_id: set() for diff_id in diff_ids}
    query = f"SELECT l.diff_id, f.analyzer, f.version, f.options {_OF_LAYERS} WHERE f.status <> 'failed'"
    for diff_id, *key in db.execute(query, (json.dumps(list(known)),)):
        known[diff_id].add(FactKey(*key))
    return {diff_id: wanted & found for diff_id, found in known.items()}


def claim(db: sqlite3.Connection, diff_ids: Sequence[DiffId], pending_since: str) -> None:
    """Note that a scan is about to use these layers, whether or not an image has them at present."""
    db.execute(
        "UPDATE layer SET pending_since = ? WHERE diff_id IN (SELECT value FROM json_each(?))",
        (pending_since, json.dumps(list(diff_ids))),
    )


def put_layer(
    db: sqlite3.Connection, layer: tuple[DiffId, str, int], facts: Iterable[LayerFacts], pending_since: str
) -> None:
    """Write a layer (diff_id, digest and size of the blob) and its facts; ``pending_since`` is the moment."""
    layer_id = ensure_layer(db, *layer, pending_since=pending_since)
    db.executemany(
        _PUT_FACT,
        ((layer_id, *fact.key, fact.status.value, encode_problems(fact.problems), fact.payload) for fact in facts),
    )


def ensure_layer(db: sqlite3.Connection, diff_id: DiffId, digest: str, size: int, *, pending_since: str | None) -> int:
    """The row of a layer, made where it is new; ``pending_since`` is None once a scan has finished with it."""
    size = clean_size(size)
    row = db.execute("SELECT id, digest, pending_since FROM layer WHERE diff_id = ?", (diff_id,)).fetchone()
    if row is None:
        cursor = db.execute(
            "INSERT INTO layer (diff_id, digest, size, pending_since) VALUES (?, ?, ?, ?)",
            (diff_id, digest, size, pending_since),
        )
        return int(cursor.lastrowid or 0)
    layer_id, old_digest, old_pending = row
    if digest and not old_digest:
        db.execute("UPDATE layer SET digest = ?, size = ? WHERE id = ?", (digest, size, layer_id))
    if pending_since != old_pending:
        db.execute("UPDATE layer SET pending_since = ? WHERE id = ?", (pending_since, layer_id))
    return int(layer_id)


def get_facts(db: sqlite3.Connection, diff_ids: Sequence[DiffId], keys: Sequence[FactKey]) -> list[LayerFacts]:
    """The facts of the layers under ``keys``, failed passes included, in the order of ``diff_ids`` and ``keys``."""
    wanted = {key: place for place, key in enumerate(keys)}
    order = {diff_id: place for place, diff_id in enumerate(dict.fromkeys(diff_ids))}
    # First which rows, then their payloads: an overflowing payload of an analyzer nobody asked for stays unread.
    query = f"SELECT f.id, l.diff_id, f.analyzer, f.version, f.options {_OF_LAYERS}"
    found = [
        (order[diff_id], wanted[key], row, diff_id, key)
        for row, diff_id, *parts in db.execute(query, (json.dumps(list(order)),))
        if (key := FactKey(*parts)) in wanted
    ]
    found.sort()
    facts = []
    for _, _, row, diff_id, key in found:
        status, problems, payload = db.execute(
            "SELECT status, problems, payload FROM fact WHERE id = ?", (row,)
        ).fetchone()
        facts.append(LayerFacts(diff_id, key, FactStatus(status), payload, decode_problems(problems)))
    return facts


def encode_problems(problems: Iterable[Problem]) -> str:
    """Problems as JSON; ASCII, since their subjects may be names that are no Unicode."""
    rows = [[p.stage, p.subject, p.message, p.hint, p.incomplete, p.cause] for p in problems]
    return json.dumps(rows, separators=(",", ":")) if rows else ""


def decode_problems(text: str) -> tuple[Problem, ...]:
    """The reverse of ``encode_problems``."""
    return tuple(Problem(*row) for row in json.loads(text)) if text else ()
