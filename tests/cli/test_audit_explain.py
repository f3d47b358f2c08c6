"""``anchore explain`` from the outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.auditing import SECOND, Audit, audit
from tests.cli.conftest import Run


@pytest.fixture
def world(run: Run, tmp_path: Path) -> Audit:
    return audit(run, tmp_path)


def test_every_verdict_over_time_is_explained(world: Audit) -> None:
    def answer(number: object, name: str, *args: object) -> tuple[str, str]:
        done = world.run("explain", name, number, "-o", "json", *args)
        assert (done.code, done.err) == (0, "")
        return done.json["stopped_at"], done.json["answer"]

    assert answer(1, "CVE-2024-2002")[0] == "candidate"
    assert answer(2, "CVE-2024-2002") == ("", "reported for libssl3, openssl")
    assert answer(2, "CVE-2024-3003")[0] == "name"
    assert answer(4, "CVE-2024-3003")[0] == "rule"
    assert answer(5, "CVE-2024-2002") == ("exception", "found, but let through by exception known")
    assert answer(5, "CVE-2024-2002", "--package", "bash")[0] == "name"
    by_name = ("image.tar", "CVE-2024-2002", "--policy", world.path / "bundle.yaml")
    assert answer(*by_name)[0] == ""
    assert answer(*by_name, "--feed-revision", 1)[0] == "candidate"
    assert answer(*by_name, "--as-of", SECOND) == ("", "reported for libssl3, openssl")


def test_the_table_has_a_line_for_each_step(world: Audit) -> None:
    out = world.run("explain", "CVE-2024-1001", 1).out
    lines = [line.split(":")[:2] for line in out.splitlines()]
    for name in ("candidate", "name", "namespace", "version", "range", "rule", "exception"):
        assert [f"  {name}", " yes"] in lines, name
    assert "reported for libssl3, openssl" in out.splitlines()[0]
    out = world.run("explain", "CVE-1999-1", 1).out
    assert "  candidate: NO: no feed knows CVE-1999-1: debian (revision 1" in out


def test_what_is_not_there(world: Audit) -> None:
    done = world.run("explain", "CVE-2024-1001", "nothing:1")
    assert (done.code, done.out) == (3, "")
    assert world.run("explain", "CVE-2024-1001").code == 2
    assert world.run("explain", "CVE-2024-1001", 99).code == 3
