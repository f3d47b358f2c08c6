"""What is kept between runs: facts of layers, images, evaluations, feeds with their history, tags under watch.

One SQLite file; every SQL statement of the program stands in this folder, the tables are described in ``migrations``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from anchorecli.store.connection import open_session
from anchorecli.store.documents import Document, Part, body_of, packed_document
from anchorecli.store.documents import digest_of as document_digest
from anchorecli.store.facade import Store
from anchorecli.store.feeds import Revision
from anchorecli.store.past import AdvisoryVersion
from anchorecli.store.retention import GcResult

__all__ = [
    "AdvisoryVersion",
    "Document",
    "GcResult",
    "Part",
    "Revision",
    "Store",
    "body_of",
    "default_path",
    "document_digest",
    "open_store",
    "packed_document",
]


def default_path(env: Mapping[str, str]) -> Path:
    """Where the store is if nobody says otherwise.

    Format: XDG Base Directory Specification: ``$XDG_DATA_HOME``, absolute or to be ignored, else ~/.local/share.
    """
    data = env.get("XDG_DATA_HOME", "")
    home = Path(env["HOME"]) if env.get("HOME") else Path.home()
    base = Path(data) if data.startswith("/") else home / ".local" / "share"
    return base / "anchore" / "store.db"


def open_store(path: Path, *, readonly: bool = False) -> Store:
    """Open the store, made and brought up to date where need be; for reading only it must be there.

    Raises: StoreError where it cannot be opened or written, is no store, is damaged, or is of a newer version (or of an
    older one that nobody may write).
    """
    return Store(open_session(path, readonly=readonly))
