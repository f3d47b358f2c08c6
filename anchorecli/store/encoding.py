"""Advisories as rows, and back. The only place that knows which field stands in which column."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import chain
from typing import Any

from anchorecli.model import Advisory, Affected, Cvss, Range, Severity, Statement, pack_ranges, unpack_ranges
from anchorecli.store import fixes
from anchorecli.store.connection import clean_text
from anchorecli.values import dataclass, fields, replace

DIGEST_BYTES = 16

Term = str
"""What many statements have in common, as JSON: scheme, statement, its own severity, the one that counts, module,
arches."""

Record = tuple[str, int, str, str, str, str, str, str, str]
"""Id, severity, then the columns of ``advisory_detail``."""

StatementRow = tuple[str, str, Term, str, str]
"""Ecosystem, package, term, ranges, versions."""

_SEVERITIES = tuple(Severity)

_dump = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Encoded:
    """An advisory as the store writes it; equal digests mean equal records."""

    digest: bytes
    record: Record
    statements: list[StatementRow]


def encode(advisory: Advisory) -> Encoded:
    """An advisory as rows. Text that is no Unicode (half a surrogate pair) is replaced, never refused."""
    record = _record(advisory)
    statements = [_statement(affected, advisory.severity) for affected in advisory.affected]
    try:
        canonical = _dump([*record, *chain.from_iterable(statements)]).encode()
    except UnicodeEncodeError:
        return encode(_clean(advisory))
    return Encoded(blake2b(canonical, digest_size=DIGEST_BYTES).digest(), record, statements)


def decode(feed: str, record: Sequence[Any], statements: Iterable[Sequence[Any]]) -> Advisory:
    """The reverse of ``encode``; a statement is a flat row: ecosystem, package, the term's parts, ranges, versions."""
    name, severity, aliases, summary, url, published, modified, withdrawn, cvss = record
    names = _names(aliases) if aliases else ()
    scores = _scores(cvss) if cvss else ()
    about = tuple(map(_affected, statements))
    # By position, which is twice as fast.
    return Advisory(
        name, feed, names, _SEVERITIES[severity], summary, url, published, modified, withdrawn, scores, about
    )


def merge(first: Advisory, second: Advisory) -> Advisory:
    """Two records of one id as one: every statement of both; of single values the later one, the worse severity."""
    return replace(
        second,
        aliases=_union(first.aliases, second.aliases),
        severity=max(first.severity, second.severity),
        summary=second.summary or first.summary,
        url=second.url or first.url,
        published=second.published or first.published,
        modified=max(first.modified, second.modified),
        # Withdrawn only if both are: a record that still holds is not to be lost.
        withdrawn=second.withdrawn and first.withdrawn and max(first.withdrawn, second.withdrawn),
        cvss=_union(first.cvss, second.cvss),
        affected=_union(first.affected, second.affected),
        fixes_since=_union(first.fixes_since, second.fixes_since),
    )


# Two walks through the file, each in one direction, since the system reads ahead where that is seen: together they
# would go to and fro for every record.
_OF_ADVISORIES = """
SELECT v.id, f.name, v.name, v.severity
FROM json_each(?) asked CROSS JOIN advisory v ON v.id = asked.value CROSS JOIN feed f ON f.id = v.feed
"""
_OF_DETAILS = """
SELECT d.advisory, d.aliases, d.summary, d.url, d.published, d.modified, d.withdrawn, d.cvss
FROM json_each(?) asked CROSS JOIN advisory_detail d ON d.advisory = asked.value
"""

_OF_STATEMENTS = """
SELECT a.advisory, a.position, e.name, p.name, t.scheme, t.statement, t.own_severity, t.severity, t.module,
       t.arches, a.ranges, a.versions
FROM json_each(?) asked
CROSS JOIN affected a INDEXED BY affected_by_advisory ON a.advisory = asked.value
CROSS JOIN package p ON p.id = a.package
CROSS JOIN ecosystem e ON e.id = p.ecosystem
CROSS JOIN term t ON t.id = a.term
"""


def load(db: sqlite3.Connection, rows: Sequence[int], *, statements: bool) -> dict[int, Advisory]:
    """Advisories by their rows, in the order asked for; rows that are not there are left out."""
    asked = json.dumps(sorted(rows))
    affected: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for row, *statement in db.execute(_OF_STATEMENTS, (asked,)) if statements else ():
        affected[row].append(tuple(statement))
    details = {row[0]: row for row in db.execute(_OF_DETAILS, (asked,)).fetchall()}
    found = {
        row: decode(
            feed, (*record, *details[row][1:]), (each[1:] for each in sorted(affected[row])) if statements else ()
        )
        for row, feed, *record in db.execute(_OF_ADVISORIES, (asked,)).fetchall()
    }
    for row, known in fixes.since(db, asked):
        found[row] = replace(found[row], fixes_since=known)
    return {row: found[row] for row in rows if row in found}


def _record(a: Advisory) -> Record:
    aliases = _dump(a.aliases) if a.aliases else ""
    cvss = _dump([(c.version, c.vector, c.score, c.source) for c in a.cvss]) if a.cvss else ""
    return (a.id, int(a.severity), aliases, a.summary, a.url, a.published, a.modified, a.withdrawn, cvss)


def _statement(a: Affected, severity: Severity) -> StatementRow:
    # As plain values: the hash of a member of an enumeration is computed in Python.
    term = _term(a.scheme, str(a.statement), int(a.severity), int(severity), a.module, a.arches)
    return (a.ecosystem, a.package, term, pack_ranges(a.ranges), "\n".join(a.versions))


@lru_cache(maxsize=8192)
def _term(scheme: str, statement: str, own: int, advisory: int, module: str, arches: tuple[str, ...]) -> Term:
    return _dump([scheme, statement, own, own or advisory, module, ",".join(arches)])


def _names(text: str) -> tuple[str, ...]:
    # No quote can stand inside a name without a backslash before it.
    return tuple(text[2:-2].split('","')) if "\\" not in text else tuple(json.loads(text))


@lru_cache(maxsize=8192)
def _scores(text: str) -> tuple[Cvss, ...]:
    return tuple(Cvss(*row) for row in json.loads(text))


def _affected(row: Sequence[Any]) -> Affected:
    ecosystem, package, scheme, statement, severity, _, module, arches, ranges, versions = row
    return Affected(
        ecosystem=ecosystem,
        package=package,
        scheme=scheme,
        statement=Statement(statement),
        ranges=unpack_ranges(ranges),
        versions=tuple(versions.split("\n")) if versions else (),
        severity=Severity(severity),
        module=module,
        arches=tuple(arches.split(",")) if arches else (),
    )


def _union(first: tuple[Any, ...], second: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(chain(first, second)))


def _clean(value: Any) -> Any:
    """A value with every text in it made Unicode."""
    if isinstance(value, tuple):
        return tuple(_clean(item) for item in value)
    if type(value) is str:
        return clean_text(value)
    if isinstance(value, (Advisory, Affected, Cvss, Range)):
        return replace(value, **{f.name: _clean(getattr(value, f.name)) for f in fields(value)})
    return value
