"""The offline feed file: the feeds of a store in one file, or what changed of them, for machines without a network.

Format: a plain tar of ``manifest.json`` and then one member for each feed, ``feeds/0000.jsonl.zst`` …, of advisories as
compressed lines (see ``lines`` and ``record``). The manifest names the format and its version, when the file was made,
for each member the feed's state, the number of records and the sha256 of the member's bytes, and in ``digest`` the
sha256 of itself without that field. The same feeds and the same time give the same bytes.

A full file is of version 1. Later programs add ``revision`` (of the store that exported it), for each feed ``content``
(what ``store.delta`` calls so), and ``signatures`` (see ``signing``); what is missing or unknown is skipped.

A delta is of version 2: ``since`` and ``revision`` are the revisions of the exporting store that it leads from and to.
A feed with a ``base`` (content, revision, time of the last check) has its changes as lines: whole records that came or
changed, and ``{"id": …, "removed": true}``; ``lines`` is their number. One without is there whole, since it is new or
its past is not kept.

Modules: ``frame`` the tar, ``manifest``, ``write`` and ``read``; ``intake`` hands a full file to the store, ``delta``
(beside this package) a delta.
"""
