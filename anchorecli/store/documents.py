"""Documents: bytes that are written once and referred to by their content."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple

from anchorecli.compression import pack, pack_all, unpack
from anchorecli.errors import LimitError, StoreError
from anchorecli.store.connection import clean_text

# What no table refers to any more; each of the columns has an index.
_ORPHANS = """
DELETE FROM document WHERE NOT EXISTS (SELECT 1 FROM analysis WHERE document = document.id)
AND NOT EXISTS (SELECT 1 FROM evaluation_part WHERE document = document.id)
AND NOT EXISTS (SELECT 1 FROM bundle WHERE document = document.id)
AND NOT EXISTS (SELECT 1 FROM past_state WHERE document = document.id)
AND NOT EXISTS (SELECT 1 FROM derived WHERE document = document.id)
"""


def digest_of(body: bytes) -> str:
    """What a document is called: ``sha256:`` and 64 digits."""
    return f"sha256:{sha256(body).hexdigest()}"


class Document(NamedTuple):
    """A document on its way to the store: of a long one the whole text need not be anywhere."""

    digest: str
    packed: bytes


Body = bytes | Document
"""A document that is to be written."""
Part = bytes | Document | str
"""A document that is to be written, or the digest of one that is there."""


def packed_document(pieces: Iterable[bytes]) -> Document:
    """The document that consists of the pieces."""
    digest = sha256()

    def told() -> Iterator[bytes]:
        for piece in pieces:
            digest.update(piece)
            yield piece

    packed = pack_all(told())
    return Document(f"sha256:{digest.hexdigest()}", packed)


def put(db: sqlite3.Connection, body: Body) -> int:
    """The row of a document, written where it is new."""
    digest = key_of(body.digest) if isinstance(body, Document) else sha256(body).digest()
    row = db.execute("SELECT id FROM document WHERE digest = ?", (digest,)).fetchone()
    if row is not None:
        return int(row[0])
    packed = body.packed if isinstance(body, Document) else pack(body)
    return int(db.execute("INSERT INTO document (digest, body) VALUES (?, ?)", (digest, packed)).lastrowid or 0)


def row_of(db: sqlite3.Connection, digest: str) -> int:
    """The row of the document of that digest. Raises: LookupError where there is none."""
    row = db.execute("SELECT id FROM document WHERE digest = ?", (key_of(digest),)).fetchone()
    if row is None:
        raise LookupError(digest)
    return int(row[0])


def key_of(digest: str) -> bytes:
    """A digest as the table has it."""
    return bytes.fromhex(digest.removeprefix("sha256:"))


def get(db: sqlite3.Connection, row: int) -> bytes:
    """A document. Raises: StoreError where its bytes are not those that were written."""
    return body_of(packed(db, row))


def packed(db: sqlite3.Connection, row: int) -> Document:
    """A document as it is kept."""
    digest, body = db.execute("SELECT digest, body FROM document WHERE id = ?", (row,)).fetchone()
    return Document(f"sha256:{digest.hex()}", body)


def body_of(document: Document) -> bytes:
    """A document's bytes. Raises: StoreError where they are not those that were written."""
    try:
        found = unpack(document.packed)
    except (ValueError, LimitError):
        found = b""
    if digest_of(found) != document.digest:
        hint = "run `PRAGMA integrity_check` on a copy; what refers to it has to be made again by a scan"
        raise StoreError(f"document {document.digest} of the store is damaged", hint=hint)
    return found


def put_bundle(db: sqlite3.Connection, digest: str, row: int) -> None:
    """Let a document be found as the bundle of that digest (which leaves out comments: the first one counts)."""
    db.execute("INSERT OR IGNORE INTO bundle (digest, document) VALUES (?, ?)", (clean_text(digest), row))


def bundles(db: sqlite3.Connection, start: str) -> dict[str, bytes]:
    """The bundles whose digests begin so, with or without ``sha256:``; all for an empty text."""
    text = clean_text(f"sha256:{start.removeprefix('sha256:')}")
    query = "SELECT digest, document FROM bundle WHERE substr(digest, 1, ?) = ? ORDER BY digest"
    return {digest: get(db, row) for digest, row in db.execute(query, (len(text), text)).fetchall()}


def forget_orphans(db: sqlite3.Connection) -> None:
    """Let go what nothing refers to: bundles of no evaluation, then documents."""
    db.execute("DELETE FROM bundle WHERE digest NOT IN (SELECT bundle_digest FROM evaluation)")
    db.execute(_ORPHANS)
