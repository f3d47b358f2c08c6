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
``advisory``         one immutable record of a feed, valid from revision ``valid_from`` until before ``valid_to`` (0
                     while it holds). ``digest`` is that of the whole record in a canonical encoding.
``advisory_detail``  the rest of the record: what only a match needs. ``aliases`` and ``cvss`` are JSON.
``affected``         the statements of an advisory about a package; clustered by package, which is how they are asked,
                     and what holds before what does not any more (``valid_to`` is the advisory's, repeated), so that
                     history costs a lookup nothing. ``ranges`` are lines of ``introduced TAB fixed TAB
                     last_affected``, ``versions`` are lines.
``fix_since``        the earliest moment at which a fix can have appeared in a feed (see ``fixes``); ``name`` is the
                     advisory's, ``version`` the fixed one.
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
from collections.abc import Iterator
from typing import TYPE_CHECKING

from anchorecli.store import asked_tables, fixes, problems

if TYPE_CHECKING:
    from sqlite_utils import Database, Migrations

APPLICATION_ID = 0x416E6368
"""``Anch``; file(1) shows it."""

MIGRATION_SET = "anchore"

_IMAGES = """
CREATE TABLE layer (
    id INTEGER PRIMARY KEY,
    diff_id TEXT NOT NULL UNIQUE,
    digest TEXT NOT NULL,
    size INTEGER NOT NULL,
    pending_since TEXT
);
CREATE TABLE fact (
    id INTEGER PRIMARY KEY,
    layer INTEGER NOT NULL REFERENCES layer (id) ON DELETE CASCADE,
    analyzer TEXT NOT NULL,
    version INTEGER NOT NULL,
    options TEXT NOT NULL,
    status TEXT NOT NULL,
    problems TEXT NOT NULL,
    payload BLOB NOT NULL,
    UNIQUE (layer, analyzer, version, options)
);
CREATE TABLE image (
    id INTEGER PRIMARY KEY,
    image_id TEXT NOT NULL UNIQUE,
    digest TEXT NOT NULL,
    index_digest TEXT NOT NULL,
    platform TEXT NOT NULL,
    distro TEXT NOT NULL,
    packages INTEGER NOT NULL,
    size INTEGER NOT NULL,
    analyzed_at TEXT NOT NULL,
    last_used_at TEXT NOT NULL,
    config TEXT NOT NULL,
    manifest TEXT NOT NULL
);
CREATE TABLE image_name (
    image INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    seen_at TEXT NOT NULL,
    PRIMARY KEY (image, name)
) WITHOUT ROWID;
CREATE TABLE image_layer (
    image INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    layer INTEGER NOT NULL REFERENCES layer (id),
    PRIMARY KEY (image, position)
) WITHOUT ROWID;
CREATE INDEX image_layer_by_layer ON image_layer (layer);
CREATE TABLE analysis (
    id INTEGER PRIMARY KEY,
    image INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    analyzer_set TEXT NOT NULL,
    created_at TEXT NOT NULL,
    document BLOB NOT NULL,
    UNIQUE (image, analyzer_set)
);
"""

_FEEDS = """
CREATE TABLE feed (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    active INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    records INTEGER NOT NULL,
    updated_at TEXT NOT NULL,
    source_date TEXT NOT NULL,
    url TEXT NOT NULL,
    digest TEXT NOT NULL,
    etag TEXT NOT NULL,
    last_modified TEXT NOT NULL,
    starter INTEGER NOT NULL,
    ecosystems TEXT NOT NULL,
    problems INTEGER NOT NULL
);
CREATE TABLE revision (
    revision INTEGER PRIMARY KEY,
    feed INTEGER NOT NULL REFERENCES feed (id),
    active INTEGER NOT NULL,
    added INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    records INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    source_date TEXT NOT NULL,
    url TEXT NOT NULL,
    digest TEXT NOT NULL,
    etag TEXT NOT NULL,
    last_modified TEXT NOT NULL,
    starter INTEGER NOT NULL,
    ecosystems TEXT NOT NULL,
    problems INTEGER NOT NULL
);
CREATE TABLE ecosystem (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);
CREATE TABLE package (
    id INTEGER PRIMARY KEY,
    ecosystem INTEGER NOT NULL REFERENCES ecosystem (id),
    name TEXT NOT NULL,
    UNIQUE (ecosystem, name)
);
CREATE TABLE term (
    id INTEGER PRIMARY KEY,
    feed INTEGER NOT NULL REFERENCES feed (id),
    scheme TEXT NOT NULL,
    statement TEXT NOT NULL,
    own_severity INTEGER NOT NULL,
    severity INTEGER NOT NULL,
    module TEXT NOT NULL,
    arches TEXT NOT NULL,
    UNIQUE (feed, scheme, statement, own_severity, severity, module, arches)
);
CREATE TABLE advisory (
    id INTEGER PRIMARY KEY,
    feed INTEGER NOT NULL,
    name TEXT NOT NULL,
    severity INTEGER NOT NULL,
    valid_from INTEGER NOT NULL,
    valid_to INTEGER NOT NULL,
    digest BLOB NOT NULL
);
CREATE UNIQUE INDEX advisory_now ON advisory (feed, name) WHERE valid_to = 0;
CREATE TABLE advisory_detail (
    advisory INTEGER PRIMARY KEY,
    aliases TEXT NOT NULL,
    summary TEXT NOT NULL,
    url TEXT NOT NULL,
    published TEXT NOT NULL,
    modified TEXT NOT NULL,
    withdrawn TEXT NOT NULL,
    cvss TEXT NOT NULL
);
CREATE TABLE affected (
    package INTEGER NOT NULL,
    valid_to INTEGER NOT NULL,
    advisory INTEGER NOT NULL,
    position INTEGER NOT NULL,
    term INTEGER NOT NULL,
    ranges TEXT NOT NULL,
    versions TEXT NOT NULL,
    PRIMARY KEY (package, valid_to, advisory, position)
) WITHOUT ROWID;
CREATE INDEX affected_by_advisory ON affected (advisory);
CREATE TABLE history (
    kept_from INTEGER NOT NULL
);
INSERT INTO history (kept_from) VALUES (0);
CREATE VIEW current_statement AS
SELECT f.name AS feed, v.name AS advisory, e.name AS ecosystem, p.name AS package, t.scheme, t.statement,
       t.severity, t.module, t.arches, a.ranges, a.versions, v.valid_from, d.aliases, d.published, d.withdrawn, d.url
FROM affected a
JOIN advisory v ON v.id = a.advisory
JOIN advisory_detail d ON d.advisory = v.id
JOIN feed f ON f.id = v.feed
JOIN package p ON p.id = a.package
JOIN ecosystem e ON e.id = p.ecosystem
JOIN term t ON t.id = a.term
WHERE a.valid_to = 0;
"""

_EVALUATIONS = """
CREATE TABLE evaluation (
    id INTEGER PRIMARY KEY,
    image_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    reference TEXT NOT NULL,
    platform TEXT NOT NULL,
    feed_revision INTEGER NOT NULL,
    bundle_id TEXT NOT NULL,
    bundle_digest TEXT NOT NULL,
    analyzer_set TEXT NOT NULL,
    tool_version TEXT NOT NULL,
    created_at TEXT NOT NULL,
    status TEXT NOT NULL,
    action TEXT NOT NULL,
    matches INTEGER NOT NULL,
    report BLOB NOT NULL
);
CREATE INDEX evaluation_by_image ON evaluation (image_id);
CREATE INDEX evaluation_by_reference ON evaluation (reference);
CREATE TABLE watch (
    reference TEXT PRIMARY KEY,
    added_at TEXT NOT NULL,
    digest TEXT NOT NULL,
    image_id TEXT NOT NULL,
    evaluation_id INTEGER NOT NULL,
    checked_at TEXT NOT NULL,
    active INTEGER NOT NULL
) WITHOUT ROWID;
"""

_DOCUMENTS = """
CREATE TABLE document (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    body BLOB NOT NULL
);
DROP TABLE analysis;
CREATE TABLE analysis (
    id INTEGER PRIMARY KEY,
    image INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    analyzer_set TEXT NOT NULL,
    created_at TEXT NOT NULL,
    document INTEGER NOT NULL REFERENCES document (id),
    UNIQUE (image, analyzer_set)
);
CREATE INDEX analysis_by_document ON analysis (document);
CREATE TABLE past_state (
    id INTEGER PRIMARY KEY,
    feed INTEGER NOT NULL REFERENCES feed (id),
    revision INTEGER NOT NULL,
    active INTEGER NOT NULL,
    updated_at TEXT NOT NULL,
    document INTEGER NOT NULL REFERENCES document (id)
);
CREATE INDEX past_state_by_feed ON past_state (feed, updated_at);
CREATE INDEX past_state_by_document ON past_state (document);
ALTER TABLE evaluation ADD COLUMN by_severity TEXT NOT NULL DEFAULT '';
CREATE INDEX evaluation_by_digest ON evaluation (digest);
CREATE TABLE evaluation_part (
    evaluation INTEGER NOT NULL REFERENCES evaluation (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    document INTEGER NOT NULL REFERENCES document (id),
    PRIMARY KEY (evaluation, name)
) WITHOUT ROWID;
CREATE INDEX evaluation_part_by_document ON evaluation_part (document);
CREATE TABLE bundle (
    digest TEXT PRIMARY KEY,
    document INTEGER NOT NULL REFERENCES document (id)
) WITHOUT ROWID;
CREATE INDEX bundle_by_document ON bundle (document);
"""
"""Analyses are made again from the facts when they are asked for, so the old ones, in another form, go."""

_DERIVED = """
CREATE TABLE derived (
    analysis INTEGER NOT NULL REFERENCES document (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    key TEXT NOT NULL,
    document INTEGER NOT NULL REFERENCES document (id),
    PRIMARY KEY (analysis, name)
) WITHOUT ROWID;
CREATE INDEX derived_by_document ON derived (document);
"""

_VULNERABILITIES = """
ALTER TABLE evaluation ADD COLUMN vulnerabilities INTEGER NOT NULL DEFAULT -1;
"""

MIGRATIONS: tuple[tuple[str, str], ...] = (
    ("m001_images_and_facts", _IMAGES),
    ("m002_feeds", _FEEDS),
    ("m003_evaluations_and_watch", _EVALUATIONS),
    ("m004_documents", _DOCUMENTS),
    ("m005_inverted_index", asked_tables.SQL),
    ("m006_fix_since", fixes.SQL),
    ("m007_feed_problems", problems.SQL),
    ("m008_derived", _DERIVED),
    ("m009_vulnerabilities", _VULNERABILITIES),
)
"""Name and SQL of each, oldest first. Released ones never change; a change of the schema is a new one at the end."""

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
    for script in (_RECORD, *(sql for _, sql in MIGRATIONS)):
        for statement in _statements(script):
            db.execute(statement)
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
        for statement in _statements(sql):
            database.execute(statement)
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute(f"PRAGMA user_version = {version}")


def _statements(script: str) -> Iterator[str]:
    """The script's statements one by one: executescript would commit the caller's transaction."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending.strip()
            pending = ""
