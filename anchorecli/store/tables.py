"""The SQL of the migrations, each frozen once released. What the tables hold is said in ``migrations``."""

from __future__ import annotations

IMAGES = """
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

FEEDS = """
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

EVALUATIONS = """
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

DOCUMENTS = """
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

FIX_SINCE = """
CREATE TABLE fix_since (
    feed INTEGER NOT NULL,
    name TEXT NOT NULL,
    package INTEGER NOT NULL,
    version TEXT NOT NULL,
    since TEXT NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (feed, name, package, version)
) WITHOUT ROWID;
"""

DERIVED = """
CREATE TABLE derived (
    analysis INTEGER NOT NULL REFERENCES document (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    key TEXT NOT NULL,
    document INTEGER NOT NULL REFERENCES document (id),
    PRIMARY KEY (analysis, name)
) WITHOUT ROWID;
CREATE INDEX derived_by_document ON derived (document);
"""

VULNERABILITIES = """
ALTER TABLE evaluation ADD COLUMN vulnerabilities INTEGER NOT NULL DEFAULT -1;
"""
