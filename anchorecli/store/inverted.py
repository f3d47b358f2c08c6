"""The inverted index: from a changed record of the feeds to the evaluations it can touch, without opening any of them.

namespace and name → parts (sets of names that documents share) → documents → evaluations. What a question costs grows
with what changed and what that touches, not with what is stored.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

from anchorecli.store import documents, feeds
from anchorecli.store.connection import Session, clean_text

ANALYSIS, MATCHES = "analysis", "matches"
"""The parts of an evaluation that are indexed."""

VULNERABILITIES = "cve"
"""The namespace that a document of matches is indexed under: what speaks of CVEs (``_BY_CVE``) is found through it."""

_BY_CVE = ("epss", "kev")

# One pass over what changed; CROSS JOIN fixes the order, since there are no statistics to find it by.
_TOUCHED = f"""
WITH changed (space, name) AS MATERIALIZED (
    SELECT DISTINCT e.name, p.name
    FROM (SELECT a.package
          FROM advisory v CROSS JOIN affected a INDEXED BY affected_by_advisory ON a.advisory = v.id
          WHERE v.valid_from > :since
          UNION SELECT package FROM departed WHERE until > :since) c
    CROSS JOIN package p ON p.id = c.package
    CROSS JOIN ecosystem e ON e.id = p.ecosystem
    WHERE e.name NOT IN (SELECT value FROM json_each(:ignored))
), hit (part, space) AS MATERIALIZED (
    SELECT DISTINCT a.part, c.space
    FROM changed c
    CROSS JOIN asked_name n
        ON n.ecosystem = CASE WHEN c.space IN {_BY_CVE} THEN '{VULNERABILITIES}' ELSE c.space END AND n.name = c.name
    CROSS JOIN asked a ON a.name = n.id
    UNION SELECT id, ecosystem FROM asked_part WHERE ecosystem IN (SELECT value FROM json_each(:appeared))
)
SELECT DISTINCT e.id, h.space
FROM hit h
CROSS JOIN asked_by d ON d.part = h.part
CROSS JOIN evaluation_part x ON x.document = d.document
CROSS JOIN evaluation e ON e.id = x.evaluation
WHERE e.id IN (SELECT value FROM json_each(:among)) OR (:among IS NULL AND {{candidate}})
"""

# The last evaluation of each reference, as long as its image is in the store.
_LAST = (
    "NOT EXISTS (SELECT 1 FROM evaluation n WHERE n.reference = e.reference AND n.id > e.id)"
    " AND EXISTS (SELECT 1 FROM image i WHERE i.image_id = e.image_id)"
)


class Touched(NamedTuple):
    """An evaluation, and the namespaces of what changed about it."""

    evaluation: int
    spaces: frozenset[str]


class Mark(NamedTuple):
    """How far evaluations have been brought up to date: those up to a number, up to a revision of the feeds."""

    evaluation: int
    revision: int


class Inverted:
    """The store's inverted index. ``form`` names the rules by which names are found; others' entries do not count."""

    def __init__(self, session: Session, form: str) -> None:
        self._session = session
        self._form = form

    def has(self, document: str) -> bool:
        """Whether the document of that digest is indexed."""
        query = "SELECT 1 FROM document d JOIN asked_form f ON f.document = d.id WHERE d.digest = ? AND f.form = ?"
        digest = bytes.fromhex(document.removeprefix("sha256:"))
        with self._session.read() as db:
            return db.execute(query, (digest, self._form)).fetchone() is not None

    def put(self, document: str, pairs: Iterable[tuple[str, str]]) -> None:
        """Index the document of that digest by the (namespace, name) pairs it rests on; nothing where it is gone."""
        names: dict[str, set[str]] = defaultdict(set)
        for space, name in pairs:
            names[clean_text(space)].add(clean_text(name))
        with self._session.write() as db:
            try:
                row = documents.row_of(db, document)
            except LookupError:
                return
            db.execute("DELETE FROM asked_by WHERE document = ?", (row,))
            db.executemany(
                "INSERT INTO asked_by (part, document) VALUES (?, ?)",
                [(_part(db, space, sorted(found)), row) for space, found in sorted(names.items())],
            )
            db.execute("INSERT OR REPLACE INTO asked_form (document, form) VALUES (?, ?)", (row, self._form))

    def unindexed(self, part: str, among: Sequence[int] | None = None) -> list[int]:
        """Evaluations, one of each document, whose part of that name is not in the index: of those, or of all that
        were made since the mark and are the last of their reference."""
        chosen = "e.id IN (SELECT value FROM json_each(:among))" if among is not None else f"e.id > :after AND {_LAST}"
        query = f"""
        SELECT max(e.id) FROM evaluation e CROSS JOIN evaluation_part x ON x.evaluation = e.id AND x.name = :part
        LEFT JOIN asked_form f ON f.document = x.document
        WHERE {chosen} AND f.form IS NOT :form GROUP BY x.document ORDER BY 1
        """
        with self._session.read() as db:
            values = {"part": part, "form": self._form, "among": json.dumps(among), "after": self._mark(db).evaluation}
            return [number for (number,) in db.execute(query, values)]

    def touched(self, since: int | None = None, ignored: Iterable[str] = ()) -> list[Touched]:
        """The last evaluation of each reference, of those that a change of the feeds after it can touch.

        ``since`` counts changes after that revision instead; changes of the namespaces ``ignored`` do not count.
        """
        with self._session.read() as db:
            asker = _Asker(db, tuple(ignored))
            if since is not None:
                found = asker.ask(since, _LAST, None, {})
            else:
                mark = self._mark(db)
                found = asker.ask(mark.revision, f"e.id <= :mark AND {_LAST}", None, {"mark": mark.evaluation})
                query = "SELECT DISTINCT feed_revision FROM evaluation WHERE id > ?"
                for (revision,) in db.execute(query, (mark.evaluation,)).fetchall():
                    values = {"mark": mark.evaluation, "of": revision}
                    found += asker.ask(revision, f"e.id > :mark AND e.feed_revision = :of AND {_LAST}", None, values)
        return sorted(found)

    def touched_among(self, evaluations: Sequence[int], ignored: Iterable[str] = ()) -> list[Touched]:
        """Those of the evaluations that a change of the feeds after them can touch."""
        query = "SELECT feed_revision, id FROM evaluation WHERE id IN (SELECT value FROM json_each(?))"
        groups: dict[int, list[int]] = defaultdict(list)
        with self._session.read() as db:
            for revision, number in db.execute(query, (json.dumps(list(evaluations)),)):
                groups[revision].append(number)
            asker = _Asker(db, tuple(ignored))
            return sorted(hit for since, among in groups.items() for hit in asker.ask(since, "", among, {}))

    def moment(self) -> Mark:
        """The newest evaluation and the feeds' revision: what ``note`` is given once all are up to date."""
        with self._session.read() as db:
            newest = db.execute("SELECT coalesce(max(id), 0) FROM evaluation").fetchone()[0]
            return Mark(int(newest), feeds.current_revision(db))

    def note(self, mark: Mark) -> None:
        """Note that every evaluation up to the mark is up to date; a mark that is behind changes nothing."""
        with self._session.write() as db:
            if mark >= self._mark(db):
                db.execute("UPDATE updated SET evaluation = ?, revision = ?, form = ?", (*mark, self._form))

    def _mark(self, db: sqlite3.Connection) -> Mark:
        evaluation, revision, form = db.execute("SELECT evaluation, revision, form FROM updated").fetchone()
        return Mark(evaluation, revision) if form == self._form else Mark(0, 0)


class _Asker:
    """Asks which evaluations changes since a revision touch."""

    def __init__(self, db: sqlite3.Connection, ignored: tuple[str, ...]) -> None:
        self._db = db
        self._ignored = frozenset(ignored)
        self._now = feeds.current_revision(db)
        self._kept_from = int(db.execute("SELECT kept_from FROM history").fetchone()[0])

    def ask(self, since: int, candidate: str, among: list[int] | None, values: dict[str, int]) -> list[Touched]:
        """Those of ``among``, or of what the condition ``candidate`` holds for."""
        if since >= self._now:
            return []
        bound: dict[str, object] = {"since": since, "ignored": json.dumps(sorted(self._ignored)), **values}
        bound["among"] = None if among is None else json.dumps(among)
        bound["appeared"] = json.dumps(sorted(self._appeared(since) - self._ignored))
        found: dict[int, set[str]] = defaultdict(set)
        for number, space in self._db.execute(_TOUCHED.format(candidate=candidate or "0"), bound):
            found[number].add(space)
        return [Touched(number, frozenset(spaces)) for number, spaces in found.items()]

    def _appeared(self, since: int) -> frozenset[str]:
        """Namespaces that came or went: they decide also where none of their records is about the image.

        All of them, where the store does not know any more what held then.
        """
        covered = feeds.coverage(self._db, None, starter=False)
        if 0 < since < self._kept_from:
            return covered
        return covered ^ feeds.coverage(self._db, since, starter=False)


def forget_orphans(db: sqlite3.Connection) -> None:
    """Let go the parts of no document, and the names of no part."""
    db.execute("DELETE FROM asked_part WHERE NOT EXISTS (SELECT 1 FROM asked_by WHERE part = asked_part.id)")
    db.execute("DELETE FROM asked_name WHERE NOT EXISTS (SELECT 1 FROM asked WHERE name = asked_name.id)")


def _part(db: sqlite3.Connection, space: str, names: Sequence[str]) -> int:
    """The row of a set of names, written where it is new."""
    digest = sha256(json.dumps([space, *names]).encode()).digest()
    row = db.execute("SELECT id FROM asked_part WHERE digest = ?", (digest,)).fetchone()
    if row is not None:
        return int(row[0])
    part = db.execute("INSERT INTO asked_part (ecosystem, digest) VALUES (?, ?)", (space, digest)).lastrowid or 0
    listed = json.dumps(list(names))
    db.execute("INSERT OR IGNORE INTO asked_name (ecosystem, name) SELECT ?, value FROM json_each(?)", (space, listed))
    db.execute(
        "INSERT INTO asked (name, part) SELECT n.id, ? FROM json_each(?) l"
        " CROSS JOIN asked_name n ON n.ecosystem = ? AND n.name = l.value",
        (part, listed, space),
    )
    return part
