"""The tables of the store, and how an older store becomes a current one.

Each migration is plain SQL and frozen once released. A new store runs them all in one transaction with the standard
library alone, since that happens on the scan path; an older store is brought up to date by sqlite-utils' Migrations,
which applies what its record says is missing. Either way ``PRAGMA user_version`` then holds the number of migrations,
so a current store opens without a look at them, and ``PRAGMA application_id`` tells it from other SQLite files.

Images and facts

``layer``        a layer's uncompressed tar (``diff_id``), the blob it came in, and ``pending_since``: when a scan last
                 wrote or asked for its facts without having finished, so that a clean-up does not take them away.
``fact``         what one analyzer, in one version and with one set of options, found in one layer: immutable.
``image``        an image by its image id, with configuration and manifest as they were.
``image_name``   the names an image was seen under; a tag that moved stays with both, the newer ``seen_at`` tells.
``image_layer``  the layers of an image, lowest first.
``analysis``     the squashed analysis of an image by one set of analyzers.
``derived``      what was made of an analysis and can be made again; ``key`` says what else it was made from.
``document``     what is written once and referred to by content: ``digest`` is the SHA-256 of the body before it was
                 packed. Analyses, bundles and the parts of evaluations are documents; a clean-up takes those to which
                 nothing refers.

Feeds

``feed``             a feed and the state of its last sync; ``active`` is 0 for one that was dropped.
``revision``         one row for each sync that changed something: what it changed, and where the data came from.
``feed_problem``     what could not be read of a feed when it was last synced (see ``problems``).
``past_state``       states of a feed that a later check replaced (a row of ``feed`` before it was overwritten), so that
                     the state at any past moment can be told. Its document is JSON.
``ecosystem``        names of namespaces, once each.
``package``          names of packages in an ecosystem, once each.
``term``             the few combinations that statements come in: feed, scheme, statement, module, arches, the severity
                     of the statement itself (``own_severity``, 0 where it has none) and the one that counts.
``advisory``         a record: one id in one feed, under one number for good. It says what it says since revision
                     ``valid_from``; ``valid_to`` is 0, or the revision at which it went. ``digest`` is that of the
                     whole record in a canonical encoding.
``advisory_detail``  the rest of what a record says: what only a match needs. ``aliases`` and ``cvss`` are JSON.
``affected``         the statements of a record about packages, by their ``position`` in it; clustered by package, which
                     is how they are asked. ``ranges`` are lines of ``introduced TAB fixed TAB last_affected``,
                     ``versions`` are lines.
``past_version``     what a record said before, packed (see ``versions``), from the revision ``since`` on.
``departed``         packages that a record spoke of until a revision, and then no more.
``fix_since``        the earliest moment at which a fix can have appeared in a feed (see ``fixes``), in seconds since
                     1970 or as it was given; ``version`` is the fixed one.
``history``          one row: ``kept_from``, the oldest revision that can still be asked.
``current_statement`` a view of what holds now, in words, for auditors.

Evaluations and watch

``evaluation``       the tuple that decided (design §4) and its outcome. ``report`` is the whole report where it was
                     kept by a program from before the parts, else empty. ``by_severity`` is JSON;
                     ``vulnerabilities`` is -1 where it was not counted yet.
``evaluation_part``  what it rested on and what came of it, each part a document: evaluations that differ in the clock
                     alone have their parts in common.
``bundle``           the policy bundles that evaluations were made with, in their canonical form.
``watch``            tags under watch and what was last seen of them.

The inverted index, from changes of the feeds to evaluations, is described in ``asked_tables``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from anchorecli.store import asked_tables, past_tables, problems, tables

if TYPE_CHECKING:
    from sqlite_utils import Database, Migrations

APPLICATION_ID = 0x416E6368
"""``Anch``; file(1) shows it."""

MIGRATION_SET = "anchore"

MIGRATIONS: tuple[tuple[str, str], ...] = (
    ("m001_images_and_facts", tables.IMAGES),
    ("m002_feeds", tables.FEEDS),
    ("m003_evaluations_and_watch", tables.EVALUATIONS),
    ("m004_documents", tables.DOCUMENTS),
    ("m005_inverted_index", asked_tables.SQL),
    ("m006_fix_since", tables.FIX_SINCE),
    ("m007_feed_problems", problems.SQL),
    ("m008_derived", tables.DERIVED),
    ("m009_vulnerabilities", tables.VULNERABILITIES),
    ("m010_past_versions", past_tables.SQL),
)
"""Name and SQL of each, oldest first. Released ones never change; a change of the schema is a new one at the end."""

_AFTERWARDS: dict[str, Callable[[sqlite3.Connection], None]] = {"m010_past_versions": past_tables.carry_over}
"""What SQL alone cannot do, after it."""

SCHEMA_VERSION = len(MIGRATIONS)

# sqlite-utils' own record of what was applied, so that a store made by us is one that it understands.
_RECORD = """
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
"""


def create(db: sqlite3.Connection) -> None:
    """Make the current schema in an empty database, inside the caller's transaction."""
    for statement in _statements(_RECORD):
        db.execute(statement)
    for name, sql in MIGRATIONS:
        _migrate(db, name, sql)
    db.executemany(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES (?, ?, datetime('now'))",
        [(MIGRATION_SET, name) for name, _ in MIGRATIONS],
    )
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def upgrade(db: sqlite3.Connection) -> None:
    """Apply what is missing, inside the caller's transaction (so that two processes do not do it at once)."""
    from sqlite_utils import Database

    registered().apply(Database(db, execute_plugins=False))


def registered() -> Migrations:
    """The migrations as sqlite-utils knows them."""
    from sqlite_utils import Migrations

    migrations = Migrations(MIGRATION_SET)
    for version, (name, sql) in enumerate(MIGRATIONS, 1):
        _register(migrations, name, sql, version)
    return migrations


def _register(migrations: Migrations, name: str, sql: str, version: int) -> None:
    @migrations(name=name)
    def apply(database: Database) -> None:
        _migrate(database.conn, name, sql)
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute(f"PRAGMA user_version = {version}")


def _migrate(db: sqlite3.Connection, name: str, sql: str) -> None:
    for statement in _statements(sql):
        db.execute(statement)
    if name in _AFTERWARDS:
        _AFTERWARDS[name](db)


def _statements(script: str) -> Iterator[str]:
    """The script's statements one by one: executescript would commit the caller's transaction."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending.strip()
            pending = ""
