"""Images and their analyses."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable

from anchorecli.model import DiffId, Digest, Image, StoredImage
from anchorecli.store import documents
from anchorecli.store.connection import clean, clean_text
from anchorecli.store.facts import ensure_layer

_SHORTEST_DIGEST = 6
"""Hexadecimal digits from which on a text may be the beginning of a digest."""

# What was seen again under another manifest, index or name takes the newer one.
_PUT_IMAGE = """
INSERT INTO image (image_id, digest, index_digest, platform, distro, packages, size, analyzed_at, last_used_at,
                   config, manifest)
VALUES (:image_id, :digest, :index_digest, :platform, :distro, :packages, :size, :now, :now, :config, :manifest)
ON CONFLICT (image_id) DO UPDATE SET
    digest = excluded.digest, index_digest = excluded.index_digest, platform = excluded.platform,
    distro = excluded.distro, packages = excluded.packages, size = excluded.size,
    analyzed_at = excluded.analyzed_at, last_used_at = max(last_used_at, excluded.last_used_at),
    config = excluded.config, manifest = excluded.manifest
RETURNING id
"""


def put_image(db: sqlite3.Connection, image: Image, summary: dict[str, str | int]) -> int:
    """Write an image; ``summary`` has distro, packages, size and now. Gives its row."""
    values = {key: clean(value) for key, value in summary.items()} | {
        "image_id": image.image_id,
        "digest": image.digest,
        "index_digest": image.index_digest,
        "platform": clean_text(str(image.config.platform)),
        "config": clean_text(image.config.raw),
        "manifest": clean_text(image.manifest),
    }
    row = int(db.execute(_PUT_IMAGE, values).fetchone()[0])
    names = [clean_text(name) for name in (image.ref.name, *image.names) if name]
    db.executemany(
        "INSERT INTO image_name (image, name, seen_at) VALUES (?, ?, ?)"
        " ON CONFLICT (image, name) DO UPDATE SET seen_at = max(seen_at, excluded.seen_at)",
        [(row, name, summary["now"]) for name in dict.fromkeys(names)],
    )
    db.execute("DELETE FROM image_layer WHERE image = ?", (row,))
    db.executemany(
        "INSERT INTO image_layer (image, position, layer) VALUES (?, ?, ?)",
        [
            (row, position, ensure_layer(db, layer.diff_id, layer.digest, layer.size, pending_since=None))
            for position, layer in enumerate(image.layers)
        ],
    )
    return row


def put_analysis(db: sqlite3.Connection, image: int, analyzer_set: str, document: documents.Body, now: str) -> None:
    """Write the analysis of an image (by its row)."""
    db.execute(
        "INSERT INTO analysis (image, analyzer_set, created_at, document) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (image, analyzer_set) DO UPDATE SET created_at = excluded.created_at,"
        " document = excluded.document",
        (image, analyzer_set, now, documents.put(db, document)),
    )


def get_analysis(db: sqlite3.Connection, image_id: str, analyzer_set: str) -> tuple[bytes, str] | None:
    """The analysis, and the day on which the image was last used."""
    row = db.execute(
        "SELECT a.document, substr(i.last_used_at, 1, 10) FROM image i JOIN analysis a ON a.image = i.id"
        " WHERE i.image_id = ? AND a.analyzer_set = ?",
        (clean_text(image_id), analyzer_set),
    ).fetchone()
    return (documents.get(db, row[0]), row[1]) if row else None


def analyses(db: sqlite3.Connection, image_id: str, limit: int) -> tuple[bytes, ...]:
    """The analyses of an image by whatever analyzers, the one made last first."""
    rows = db.execute(
        "SELECT a.document FROM image i JOIN analysis a ON a.image = i.id WHERE i.image_id = ?"
        " ORDER BY a.created_at DESC, a.id DESC LIMIT ?",
        (clean_text(image_id), limit),
    ).fetchall()
    return tuple(documents.get(db, row) for (row,) in rows)


def touch(db: sqlite3.Connection, image_id: str, now: str) -> None:
    """Note that an image is in use."""
    db.execute("UPDATE image SET last_used_at = ? WHERE image_id = ? AND last_used_at < ?", (now, image_id, now))


def images(db: sqlite3.Connection, rows: Iterable[int] | None = None) -> tuple[StoredImage, ...]:
    """All images (or those), the one analysed last first; of each, the name seen last first."""
    only = "" if rows is None else "WHERE image IN (SELECT value FROM json_each(?))"
    args = () if rows is None else (json.dumps(list(rows)),)
    names: dict[int, list[str]] = defaultdict(list)
    for image, name in db.execute(f"SELECT image, name FROM image_name {only} ORDER BY seen_at DESC, name", args):
        names[image].append(name)
    layers: dict[int, list[DiffId]] = defaultdict(list)
    query = f"SELECT image, l.diff_id FROM image_layer JOIN layer l ON l.id = layer {only} ORDER BY image, position"
    for image, diff_id in db.execute(query, args):
        layers[image].append(diff_id)
    query = (
        "SELECT id, image_id, digest, index_digest, platform, distro, packages, size, analyzed_at, last_used_at"
        f" FROM image {only.replace('image IN', 'id IN')} ORDER BY analyzed_at DESC, id DESC"
    )
    return tuple(
        StoredImage(
            image_id=Digest(image_id),
            digest=Digest(digest),
            index_digest=Digest(index_digest),
            platform=platform,
            names=tuple(names[row]),
            distro=distro,
            packages=packages,
            layers=tuple(layers[row]),
            size=size,
            analyzed_at=analyzed_at,
            last_used_at=last_used_at,
        )
        for row, image_id, digest, index_digest, platform, distro, packages, size, analyzed_at, last_used_at
        in db.execute(query, args)
    )  # fmt: skip


def find_images(db: sqlite3.Connection, text: str) -> tuple[StoredImage, ...]:
    """The images ``text`` can mean: the best of a whole name, a digest or its beginning, an end of a name, a tag.

    Where one kind answers, the weaker kinds are not asked: ``debian:12`` does not bring ``mirror/debian:12`` along
    if some image is called just so.
    """
    text = clean_text(text)
    if not text:
        return ()
    for rows in (_by_name(db, text), _by_digest(db, text), _by_name_part(db, text)):
        if rows:
            return images(db, rows)
    return ()


def image_document(db: sqlite3.Connection, image_id: str) -> tuple[str, str] | None:
    """The configuration and the manifest as they were."""
    row = db.execute("SELECT config, manifest FROM image WHERE image_id = ?", (clean_text(image_id),)).fetchone()
    return (row[0], row[1]) if row else None


def remove_image(db: sqlite3.Connection, image_id: str) -> bool:
    """Forget an image and its analyses; what only it needed of the layers goes with the next clean-up."""
    return db.execute("DELETE FROM image WHERE image_id = ?", (clean_text(image_id),)).rowcount > 0


def _by_name(db: sqlite3.Connection, text: str) -> list[int]:
    query = "SELECT DISTINCT image FROM image_name WHERE name = ?"
    return [row for (row,) in db.execute(query, (text,))]


def _by_digest(db: sqlite3.Connection, text: str) -> list[int]:
    prefix = text.rpartition("@")[2].lower()
    hexadecimal = prefix.removeprefix("sha256:")
    if len(hexadecimal) < _SHORTEST_DIGEST or hexadecimal.strip("0123456789abcdef"):
        return []
    start = f"sha256:{hexadecimal}"
    query = "SELECT id FROM image WHERE ? IN (substr(image_id, 1, ?), substr(digest, 1, ?), substr(index_digest, 1, ?))"
    return [row for (row,) in db.execute(query, (start, *[len(start)] * 3))]


def _by_name_part(db: sqlite3.Connection, text: str) -> list[int]:
    found: dict[str, set[int]] = {"end": set(), "repository": set(), "tag": set()}
    for row, name in db.execute("SELECT image, name FROM image_name"):
        repository, _, tag = name.rpartition(":")
        if "/" in tag or not repository:  # the colon was that of a port, or there was none
            repository, tag = name, ""
        if name.endswith("/" + text):
            found["end"].add(row)
        elif repository == text or repository.endswith("/" + text):
            found["repository"].add(row)
        elif tag == text:
            found["tag"].add(row)
    return next((sorted(rows) for rows in found.values() if rows), [])
