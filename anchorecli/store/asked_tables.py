"""The tables of the inverted index: which documents rest on which names. One of the store's migrations.

A document (an analysis: the packages that matching asks the feeds about; the matches of an evaluation: the CVEs that
enrichment asks about) has its names in parts, one for each namespace. Images that share a base, or are builds of one
application, share parts.

``asked_name``  a name in a namespace, once each.
``asked_part``  a set of names of one namespace; ``digest`` is that of the namespace and the sorted names.
``asked``       the names of each part.
``asked_by``    the documents that have a part.
``asked_form``  by which rules a document was indexed; one of another form is indexed again.
``updated``     one row: evaluations up to ``evaluation`` were brought up to ``revision`` of the feeds, under ``form``.
"""

from __future__ import annotations

SQL = """
CREATE TABLE asked_name (
    id INTEGER PRIMARY KEY,
    ecosystem TEXT NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (ecosystem, name)
);
CREATE TABLE asked_part (
    id INTEGER PRIMARY KEY,
    ecosystem TEXT NOT NULL,
    digest BLOB NOT NULL UNIQUE
);
CREATE INDEX asked_part_by_ecosystem ON asked_part (ecosystem);
CREATE TABLE asked (
    name INTEGER NOT NULL REFERENCES asked_name (id),
    part INTEGER NOT NULL REFERENCES asked_part (id) ON DELETE CASCADE,
    PRIMARY KEY (name, part)
) WITHOUT ROWID;
CREATE INDEX asked_by_its_part ON asked (part);
CREATE TABLE asked_by (
    part INTEGER NOT NULL REFERENCES asked_part (id),
    document INTEGER NOT NULL REFERENCES document (id) ON DELETE CASCADE,
    PRIMARY KEY (part, document)
) WITHOUT ROWID;
CREATE INDEX asked_by_document ON asked_by (document);
CREATE TABLE asked_form (
    document INTEGER PRIMARY KEY REFERENCES document (id) ON DELETE CASCADE,
    form TEXT NOT NULL
);
CREATE TABLE updated (
    evaluation INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    form TEXT NOT NULL
);
INSERT INTO updated (evaluation, revision, form) VALUES (0, 0, '');
CREATE INDEX advisory_by_beginning ON advisory (valid_from);
CREATE INDEX advisory_by_end ON advisory (valid_to) WHERE valid_to > 0;
"""
