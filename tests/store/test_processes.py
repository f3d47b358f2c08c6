"""Several processes on one store, and processes that are killed."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from anchorecli.store import open_store
from tests.store.values import DPKG, diff_id

ROOT = Path(__file__).parents[2]
FOREVER = -1


def start(path: Path, what: str, amount: int, number: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.store.worker", str(path), what, str(amount), str(number)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def integrity(path: Path) -> list[tuple[str]]:
    db = sqlite3.connect(path)
    try:
        return db.execute("PRAGMA integrity_check").fetchall() + db.execute("PRAGMA foreign_key_check").fetchall()
    finally:
        db.close()


def test_six_processes_write_at_once(path: Path) -> None:
    amount = 25
    kinds = ["facts", "facts", "evaluations", "evaluations", "feeds", "feed", "feed"]
    workers = [start(path, what, amount, number) for number, what in enumerate(kinds)]
    outputs = [worker.communicate(timeout=120) for worker in workers]
    assert [errors for _, errors in outputs] == [""] * len(kinds)
    assert [worker.returncode for worker in workers] == [0] * len(kinds)
    assert integrity(path) == [("ok",)]
    with open_store(path) as store:
        layers = [diff_id(f"{number}-{turn}") for number in (0, 1) for turn in range(amount)]
        assert len(store.get_facts(layers, [DPKG])) == 2 * amount
        assert len(store.evaluations(limit=1000)) == len(store.images()) == 2 * amount
        # Whoever came last at the feed that two were writing: it is one of the snapshots, whole.
        for name in ("feed4", "feedx"):
            state = store.feed_state(name)
            records = list(store.feed_records(name))
            assert state is not None
            assert state.records == len(records)
            assert len({record.affected[0].ranges for record in records}) == 1
        assert len(store.revisions()) == store.revision() <= 3 * amount


@pytest.mark.parametrize(("what", "lines"), [("facts", 40), ("evaluations", 25), ("feeds", 8)])
def test_kill_9_loses_nothing_committed(path: Path, what: str, lines: int) -> None:
    promised: list[str] = []
    for number in range(4):
        worker = start(path, what, FOREVER, number)
        assert worker.stdout is not None
        for _ in range(lines + number):
            promised.append(worker.stdout.readline())
        worker.kill()
        rest, errors = worker.communicate()
        promised += rest.splitlines(keepends=True)
        assert errors == ""
        assert integrity(path) == [("ok",)]
        with open_store(path) as store:
            kept = {f"evaluation {each.id}" for each in store.evaluations(limit=10**6)}
            kept |= {f"revision {each.revision}" for each in store.revisions()}
            for line in promised:
                if line.startswith("layer") and line.endswith("\n"):
                    name = line.split()[1]
                    (row,) = store.get_facts([diff_id(name)], [DPKG])
                    assert row.payload == name.encode() * 500
                elif line.endswith("\n"):
                    assert line.strip() in kept
            for state in store.feed_states():
                assert len(list(store.feed_records(state.name))) == state.records
    assert len(promised) >= 4 * lines
