"""What an older program wrote stays to be had."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from anchorecli.store import open_store
from tests.store.test_migrations import migrated


def test_evaluations_from_before_the_parts_stay_listed(path: Path) -> None:
    path.parent.mkdir()
    migrated(path, stop_before="m004_documents").close()
    db = sqlite3.connect(path)
    row = (1, "sha256:1", "sha256:2", "docker.io/x:1", "linux/amd64", 7, "b", "sha256:3", "s", "0.1", "now", "pass")
    db.execute("INSERT INTO evaluation VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'go', 3, x'00ff')", row)
    db.execute("INSERT INTO feed VALUES (1, 'debian', 1, 1, 1, 'then', '', '', '', '', '', 0, '[]', 0)")
    db.commit()
    db.close()
    with open_store(path) as store:
        (listed,) = store.evaluations(reference="docker.io/x:1")
        assert (listed.id, listed.matches, listed.by_severity, listed.vulnerabilities) == (1, 3, {}, -1)
        kept = store.evaluation(1)
        assert kept is not None
        assert kept.report == b"\x00\xff"
        assert store.evaluation_parts(1) == {}
        store.confirm_feed("debian", "now")
        state = store.state_checked("debian", 1, "then")
        assert state is not None
        assert state.records == 1
