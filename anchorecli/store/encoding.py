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
from anchorecli.store import fixes, versions
from anchorecli.store.connection import clean_text
from anchorecli.store.versions import Content
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

_ALWAYS = 2**62
"""After every revision."""

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
SELECT v.id, f.name, v.name, v.severity, v.valid_from
FROM json_each(:asked) asked
CROSS JOIN advisory v ON v.id = asked.value AND v.valid_to = 0 AND v.valid_from <= :revision
CROSS JOIN feed f ON f.id = v.feed
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
_NAMES = """
SELECT v.id, f.name, v.name FROM json_each(?) asked
CROSS JOIN advisory v ON v.id = asked.value CROSS JOIN feed f ON f.id = v.feed
"""
_TERMS = """
SELECT t.id, t.scheme, t.statement, t.own_severity, t.severity, t.module, t.arches
FROM json_each(?) asked CROSS JOIN term t ON t.id = asked.value
"""


def load(
    db: sqlite3.Connection,
    rows: Sequence[int],
    *,
    statements: bool,
    revision: int | None = None,
    packages: str | None = None,
) -> dict[int, Advisory]:
    """Advisories by their rows, in the order asked for, now or as of a revision; what is not there is left out.

    ``fixes_since`` is of ``packages`` alone, names by ecosystem as JSON, where they are given.
    """
    asked = json.dumps(sorted(rows))
    affected: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for row, *statement in db.execute(_OF_STATEMENTS, (asked,)) if statements else ():
        affected[row].append(tuple(statement))
    details = {row[0]: row for row in db.execute(_OF_DETAILS, (asked,)).fetchall()}
    values = {"asked": asked, "revision": _ALWAYS if revision is None else revision}
    found, since = {}, {}
    for row, feed, name, severity, valid_from in db.execute(_OF_ADVISORIES, values).fetchall():
        about = (each[1:] for each in sorted(affected[row])) if statements else ()
        found[row], since[row] = decode(feed, (name, severity, *details[row][1:]), about), valid_from
    if revision is not None and (missing := [row for row in rows if row not in found]):
        past = versions.at(db, missing, revision)
        found |= _restored(db, {row: version.content for row, version in past.items()}, statements=statements)
        since |= {row: version.valid_from for row, version in past.items()}
    for row, known in fixes.since(db, since, packages):
        found[row] = replace(found[row], fixes_since=known)
    return {row: found[row] for row in rows if row in found}


def with_digest(db: sqlite3.Connection, row: int, digest: bytes) -> Advisory | None:
    """The version of a record that has this digest, what holds now included; None where none is kept."""
    now = versions.contents(db, [row]).get(row)
    for content in filter(None, (now, *(version.content for version in versions.every(db, row)))):
        record = _restored(db, {row: content}, statements=True)[row]
        if encode(record).digest == digest:
            return record
    return None


def _restored(db: sqlite3.Connection, contents: dict[int, Content], *, statements: bool) -> dict[int, Advisory]:
    """Advisories of what rows say or said."""
    about = [each for content in contents.values() for each in content.statements] if statements else []
    packages = versions.package_names(db, {each[0] for each in about})
    terms = {row: rest for row, *rest in db.execute(_TERMS, (json.dumps(list({each[1] for each in about})),))}
    restored = {}
    for row, feed, name in db.execute(_NAMES, (json.dumps(list(contents)),)).fetchall():
        said = contents[row].statements if statements else ()
        lines = ((*packages[package], *terms[term], *rest) for package, term, *rest in said)
        restored[row] = decode(feed, (name, *contents[row].columns), lines)
    return restored


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
