"""What was made of an analysis and can be made again: kept for the next scan of the image, let go at any time.

Its matches by a revision of the feeds, its lines in a report. Each is a document under a name, with a key that says
what else it was made from; of each name there is one, the last.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING

from anchorecli.store import documents

if TYPE_CHECKING:
    from anchorecli.store.connection import Session

_ASKED = """
SELECT x.document FROM document d CROSS JOIN derived x ON x.analysis = d.id AND x.name = ? AND x.key = ?
WHERE d.digest = ?
"""


class Derived:
    """What a store keeps of what was made before."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, analysis: str, name: str, key: str) -> bytes | None:
        """What was kept of the analysis with that digest under that name, if it was made from ``key``."""
        found = self.packed(analysis, name, key)
        return None if found is None else documents.body_of(found)

    def packed(self, analysis: str, name: str, key: str) -> documents.Document | None:
        """The same as it is kept."""
        with self._session.read() as db:
            row = db.execute(_ASKED, (name, key, documents.key_of(analysis))).fetchone()
            return None if row is None else documents.packed(db, row[0])

    def put(self, analysis: str, name: str, key: str, body: documents.Body) -> None:
        """Keep it instead of what was kept under that name; nothing where the store does not keep the analysis."""
        with self._session.write() as db, suppress(LookupError):
            values = (documents.row_of(db, analysis), name, key, documents.put(db, body))
            db.execute("INSERT OR REPLACE INTO derived (analysis, name, key, document) VALUES (?, ?, ?, ?)", values)


def forget_orphans(db: sqlite3.Connection) -> None:
    """Let go what was made of analyses that belong to no image any more."""
    db.execute("DELETE FROM derived WHERE NOT EXISTS (SELECT 1 FROM analysis a WHERE a.document = derived.analysis)")
