"""What records said before: each past version packed against the one that came after it.

A record (one id in one feed) is one row, and what it says now stands in the tables that matching asks. When it changes,
what it said until then is put aside here, as the difference to what it says since: most changes are a date and a
version, and cost some 40 bytes. A record that went is put aside whole. So the store grows by what changed, and what
holds now is asked as if there were no past; for the past, the records that have changed since are unpacked.

Format: one body for each record, its versions the newest first: raw DEFLATE (RFC 1951) of a JSON list, with the end of
what the record says now (``_dictionary``) as the preset dictionary, none for a record that went. A version is
``[from, to, columns, statements]``: it held from one revision until before another. ``columns`` are index and value, in
turn, of those that differ from the version after it. ``statements`` is null where they are equal to that version's,
else a list of statements ``[package, term, ranges, versions]`` and of runs: the number of the first of the later
version's statements, and how many of them follow.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

StatementIds = tuple[int, int, str, str]
"""Package and term by their numbers in the store, ranges, versions."""

_WINDOW = 2**15
"""DEFLATE looks no further back."""

_dump = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


class Content(NamedTuple):
    """What a record says."""

    columns: tuple[Any, ...]
    """Severity, then the columns of ``advisory_detail``."""
    statements: list[StatementIds]


class Version(NamedTuple):
    """What a record said from one revision until before another."""

    valid_from: int
    valid_to: int
    content: Content


NOTHING = Content((), [])
"""What a record says that is gone."""


def push(body: bytes, version: Version | None, before: Content | None, now: Content | None) -> bytes:
    """A body with one more version, which is the newest.

    ``before`` and ``now`` are what the record says (None while it is gone) before and after the change; without a
    version the body's versions stay as they are.
    """
    known = _inflate(body, before)
    if version is not None:
        head = _dump([version.valid_from, version.valid_to, *_difference(version.content, now)])
        known = f"{head},{known}" if known else head
    return _deflate(known, now)


def unpack(body: bytes, now: Content | None) -> Iterator[Version]:
    """The versions of a body, the newest first; ``now`` is what the record says, None where it is gone."""
    later = now or NOTHING
    for valid_from, valid_to, columns, statements in json.loads(f"[{_inflate(body, now)}]"):
        later = Content(_columns(columns, later), _statements(statements, later))
        yield Version(valid_from, valid_to, later)


def without(body: bytes, now: Content | None, until: int) -> tuple[bytes, int, int]:
    """A body without the versions that held no more at a revision.

    Gives it (empty where nothing is left), the first revision that its versions tell of, and how many went.
    """
    known = json.loads(f"[{_inflate(body, now)}]")
    kept = [version for version in known if version[1] > until]
    if not kept:
        return b"", 0, len(known)
    return _deflate(_dump(kept)[1:-1], now), kept[-1][0], len(known) - len(kept)


_OF_RECORDS = """
SELECT v.id, v.severity, d.aliases, d.summary, d.url, d.published, d.modified, d.withdrawn, d.cvss
FROM json_each(?) asked
CROSS JOIN advisory v ON v.id = asked.value AND v.valid_to = 0
CROSS JOIN advisory_detail d ON d.advisory = v.id
"""
_OF_STATEMENTS = """
SELECT a.advisory, a.position, a.package, a.term, a.ranges, a.versions
FROM json_each(?) asked CROSS JOIN affected a INDEXED BY affected_by_advisory ON a.advisory = asked.value
"""
_NAMES = """
SELECT p.id, e.name, p.name FROM json_each(?) asked
CROSS JOIN package p ON p.id = asked.value CROSS JOIN ecosystem e ON e.id = p.ecosystem
"""
_OF_BODIES = """
SELECT x.advisory, x.body FROM json_each(:asked) asked
CROSS JOIN past_version x ON x.advisory = asked.value AND x.since <= :revision
"""


def package_names(db: sqlite3.Connection, packages: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Ecosystem and name of packages, by their numbers in the store."""
    return {row: (ecosystem, name) for row, ecosystem, name in db.execute(_NAMES, (_dump(list(packages)),))}


def contents(db: sqlite3.Connection, records: Sequence[int]) -> dict[int, Content]:
    """What records say now, by their rows; those that are gone are left out."""
    asked = _dump(list(records))
    statements: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for record, *rest in db.execute(_OF_STATEMENTS, (asked,)):
        statements[record].append(tuple(rest))
    return {
        record: Content(tuple(columns), [each[1:] for each in sorted(statements.get(record, ()))])
        for record, *columns in db.execute(_OF_RECORDS, (asked,))
    }


def at(db: sqlite3.Connection, records: Iterable[int], revision: int) -> dict[int, Version]:
    """What records that have changed since said at a revision; those that said nothing then are left out."""
    bodies = db.execute(_OF_BODIES, {"asked": _dump(sorted(records)), "revision": revision}).fetchall()
    now = contents(db, [record for record, _ in bodies])
    found = {}
    for record, body in bodies:
        for version in unpack(body, now.get(record)):
            if version.valid_from <= revision:
                if version.valid_to > revision:
                    found[record] = version
                break
    return found


def every(db: sqlite3.Connection, record: int) -> list[Version]:
    """All kept versions of a record but the one that holds now, the newest first."""
    row = db.execute("SELECT body FROM past_version WHERE advisory = ?", (record,)).fetchone()
    return list(unpack(row[0], contents(db, [record]).get(record))) if row else []


def _difference(old: Content, later: Content | None) -> tuple[list[Any], list[Any] | None]:
    """Columns and statements of a version as they are written."""
    if later is None:
        return [each for pair in enumerate(old.columns) for each in pair], list(old.statements)
    pairs = enumerate(zip(old.columns, later.columns, strict=True))
    columns = [each for index, (mine, other) in pairs if mine != other for each in (index, mine)]
    if old.statements == later.statements:
        return columns, None
    places = {statement: place for place, statement in enumerate(later.statements)}
    written: list[Any] = []
    for statement in old.statements:
        place = places.get(statement)
        if place is None:
            written.append(statement)
        elif written and type(written[-1]) is int and sum(written[-2:]) == place:
            written[-1] += 1
        else:
            written += (place, 1)
    return columns, written


def _columns(written: list[Any], later: Content) -> tuple[Any, ...]:
    if not written:
        return later.columns
    columns = list(later.columns) or [None] * (len(written) // 2)
    for index, value in zip(written[::2], written[1::2], strict=True):
        columns[index] = value
    return tuple(columns)


def _statements(written: list[Any] | None, later: Content) -> list[StatementIds]:
    if written is None:
        return later.statements
    statements: list[StatementIds] = []
    parts = iter(written)
    for part in parts:
        if type(part) is int:
            statements += later.statements[part : part + next(parts)]
        else:
            statements.append(tuple(part))
    return statements


def _dictionary(now: Content | None) -> bytes:
    # What differs from version to version is most often a date or the last statement's version: nearest to the end.
    return _dump([now.statements, now.columns]).encode()[-_WINDOW:] if now else b""


def _deflate(text: str, now: Content | None) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15, 8, zlib.Z_DEFAULT_STRATEGY, _dictionary(now))
    return packer.compress(text.encode()) + packer.flush()


def _inflate(body: bytes, now: Content | None) -> str:
    if not body:
        return ""
    unpacker = zlib.decompressobj(-15, _dictionary(now))
    return (unpacker.decompress(body) + unpacker.flush()).decode()
