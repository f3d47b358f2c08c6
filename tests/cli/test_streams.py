"""Standard streams that are closed: before the start, or by a reader that has seen enough."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from anchorecli.__main__ import CLOSED
from tests.cli.conftest import Run
from tests.cli.world import ROOT, archive, debian


def shell(command: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
        "ANCHORE_STORE": str(tmp_path / "store.db"),
        "ANCHORE": f"{sys.executable} -m anchorecli",
    }
    return subprocess.run(["bash", "-c", command], check=False, env=env, cwd=tmp_path, capture_output=True, text=True)


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_changes_no_exit_code(tmp_path: Path, closed: str) -> None:
    archive(tmp_path / "image.tar", debian("openssl=3.0.11-1~deb12u1"))
    done = shell(
        f"$ANCHORE scan image.tar {closed}; echo code $? >> codes; $ANCHORE nonsense {closed}; echo $?", tmp_path
    )
    assert (tmp_path / "codes").read_text() == "code 4\n"
    assert done.stdout.endswith("2\n")
    assert "Traceback" not in done.stderr
    assert "internal error" not in done.stderr


def test_the_store_is_not_opened_in_place_of_a_closed_stream(tmp_path: Path, run: Run) -> None:
    archive(tmp_path / "image.tar", debian("openssl=3.0.11-1~deb12u1"))
    shell("$ANCHORE scan image.tar <&- >&- 2>&-", tmp_path)
    assert (tmp_path / "store.db").read_bytes().startswith(b"SQLite format 3\0")
    assert run("images", "list").code == 0


@pytest.mark.parametrize("command", ["feeds list", "policy gates", "--help", "policy schema"])
def test_a_reader_that_leaves_is_neither_a_pass_nor_a_stop(tmp_path: Path, command: str) -> None:
    # The reader is gone before the first byte, so that every write fails.
    done = shell(f"( sleep 0.2; exec $ANCHORE {command} ) | true; echo ${{PIPESTATUS[0]}}", tmp_path)
    assert (done.stdout, done.stderr) == (f"{CLOSED}\n", "")


def test_a_verdict_that_was_reached_is_kept_when_its_report_is_not_read(tmp_path: Path) -> None:
    archive(tmp_path / "image.tar", debian("openssl=3.0.11-1~deb12u1"))
    done = shell("( sleep 0.2; exec $ANCHORE scan image.tar ) | true; echo ${PIPESTATUS[0]}", tmp_path)
    assert done.stdout in ("4\n", f"{CLOSED}\n")
    assert "Traceback" not in done.stderr
