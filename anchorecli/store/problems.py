"""What could not be read of a feed when it was last synced, so that it can be asked for later."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from anchorecli.model import Problem

SQL = """
CREATE TABLE feed_problem (
    feed INTEGER NOT NULL REFERENCES feed (id),
    number INTEGER NOT NULL,
    digest TEXT NOT NULL,
    subject TEXT NOT NULL,
    message TEXT NOT NULL,
    hint TEXT NOT NULL,
    incomplete INTEGER NOT NULL,
    PRIMARY KEY (feed, number)
) WITHOUT ROWID;
"""

# Those of another snapshot than the one that is held (an import brings none along) say nothing of it.
_LISTED = """
SELECT p.subject, p.message, p.hint, p.incomplete FROM feed f CROSS JOIN feed_problem p ON p.feed = f.id
WHERE f.name = ? AND f.active AND p.digest = f.digest ORDER BY p.number
"""


def put(db: sqlite3.Connection, feed: str, problems: Iterable[Problem]) -> None:
    """Note the problems of a feed's snapshot that is held, in place of those before."""
    from anchorecli.store.connection import clean_text  # it needs the migrations, which need this module

    row = db.execute("SELECT id, digest FROM feed WHERE name = ?", (feed,)).fetchone()
    if row is None:
        return
    db.execute("DELETE FROM feed_problem WHERE feed = ?", row[:1])
    db.executemany(
        "INSERT INTO feed_problem VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            (row[0], number, row[1], clean_text(each.subject), clean_text(each.message), each.hint, each.incomplete)
            for number, each in enumerate(problems)
        ),
    )


def listed(db: sqlite3.Connection, feed: str) -> tuple[Problem, ...]:
    """The problems of a feed as it is held, as many as were kept, in the order in which they were met."""
    rows = db.execute(_LISTED, (feed,))
    return tuple(Problem("feeds", subject, message, hint, bool(lost)) for subject, message, hint, lost in rows)
