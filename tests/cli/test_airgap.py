"""The one file that is carried to a site without a network, from store to store."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run
from tests.cli.world import OPENSSL, archive, debian, tracker

WHEN = {"SOURCE_DATE_EPOCH": "1717200000"}


def test_a_carried_feed_file_gives_the_other_site_the_same_answer(run: Run, tmp_path: Path) -> None:
    image = archive(tmp_path / "image.tar", debian("openssl=3.0.11-1~deb12u1"))
    carried = tmp_path / "feeds.anchore"
    there = {**WHEN, "ANCHORE_STORE": str(tmp_path / "offline.db")}
    assert run("feeds", "sync", "debian", "--from", tracker(tmp_path / "t.json", OPENSSL), env=WHEN).code == 0
    assert run("feeds", "export", carried, env=WHEN).code == 0
    assert run("feeds", "import", carried, env=there).code == 0
    here = run("scan", image, "-o", "json", env=WHEN)
    assert here.code == 1
    assert run("scan", image, "--offline", "-o", "json", env=there).out == here.out
    again = run("feeds", "import", carried, env=there)
    assert again.code == 0
    assert "unchanged" in again.err


def test_a_feed_file_with_one_wrong_byte_is_refused_whole(run: Run, tmp_path: Path) -> None:
    carried = tmp_path / "feeds.anchore"
    assert run("feeds", "sync", "debian", "--from", tracker(tmp_path / "t.json", OPENSSL)).code == 0
    assert run("feeds", "export", carried).code == 0
    data = bytearray(carried.read_bytes())
    there = {"ANCHORE_STORE": str(tmp_path / "offline.db")}
    for place in (600, len(data) // 2, len(data) - 1):
        changed = bytearray(data)
        changed[place] ^= 0xFF
        carried.write_bytes(changed)
        done = run("feeds", "import", carried, env=there)
        assert done.code == 5, place
        assert "nothing was imported" in done.err
    assert run("feeds", "status", "--json", env=there).json == []
