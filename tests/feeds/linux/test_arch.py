"""Arch Linux's groups as one record for each vulnerability."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from anchorecli.errors import FeedError
from anchorecli.feeds import find
from anchorecli.model import Severity, Statement
from tests.feeds.samples import parsed, written, zipped

ARCH = find("arch")


def group(name: str = "AVG-1", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "packages": ["curl"],
        "status": "Fixed",
        "severity": "High",
        "type": "arbitrary code execution",
        "affected": "8.4.0-1",
        "fixed": "8.5.0-1",
        "ticket": None,
        "issues": ["CVE-2024-1000"],
        "advisories": ["ASA-202401-1"],
    } | more


def said(tmp_path: Path, *groups: Any) -> dict[str, list[tuple[Any, ...]]]:
    records, problems = parsed(ARCH, written(tmp_path / "all.json", json.dumps(groups)))
    assert problems == []
    return {
        name: [(each.package, each.statement, [span.fixed for span in each.ranges]) for each in record.affected]
        for name, record in records.items()
    }


def test_a_group_is_read_by_its_vulnerabilities(tmp_path: Path) -> None:
    found = group(packages=["curl", "lib32-curl"], issues=["CVE-2024-1000", "CVE-2024-2000"])
    records, _ = parsed(ARCH, written(tmp_path / "all.json", json.dumps([found])))
    assert list(records) == ["CVE-2024-1000", "CVE-2024-2000"]
    record = records["CVE-2024-1000"]
    assert record.aliases == ("ASA-202401-1", "AVG-1")
    assert record.summary == "curl, lib32-curl: arbitrary code execution"
    assert {(each.ecosystem, each.scheme, each.severity) for each in record.affected} == {
        ("arch", "pacman", Severity.HIGH)
    }
    assert [each.package for each in record.affected] == ["curl", "lib32-curl"]


@pytest.mark.parametrize(
    ("status", "fixed", "statement", "fixes"),
    [
        ("Fixed", "8.5.0-1", Statement.AFFECTED, ["8.5.0-1"]),
        ("Testing", "8.5.0-1", Statement.AFFECTED, ["8.5.0-1"]),
        ("Vulnerable", None, Statement.AFFECTED, []),
        ("Not affected", None, Statement.NOT_AFFECTED, []),
        ("Not affected", "8.5.0-1", Statement.NOT_AFFECTED, []),
        ("Unknown", None, Statement.UNDER_INVESTIGATION, []),
        ("Unknown", "8.5.0-1", Statement.UNDER_INVESTIGATION, ["8.5.0-1"]),
    ],
)
def test_statuses(tmp_path: Path, status: str, fixed: str | None, statement: Statement, fixes: list[str]) -> None:
    assert said(tmp_path, group(status=status, fixed=fixed)) == {"CVE-2024-1000": [("curl", statement, fixes)]}


def test_groups_that_contradict_each_other_leave_the_claim(tmp_path: Path) -> None:
    a, b = group(), group("AVG-2", fixed="8.6.0-1")
    no, open_ = group("AVG-3", status="Not affected", fixed=None), group("AVG-4", status="Vulnerable", fixed=None)
    expected = {"CVE-2024-1000": [("curl", Statement.AFFECTED, ["8.5.0-1", "8.6.0-1"])]}
    assert said(tmp_path, a, b, no) == said(tmp_path, no, a, b) == expected
    assert said(tmp_path, a, open_) == {"CVE-2024-1000": [("curl", Statement.AFFECTED, [])]}


def test_a_group_without_vulnerabilities_by_name_stands_for_itself(tmp_path: Path) -> None:
    records, _ = parsed(ARCH, written(tmp_path / "all.json", json.dumps([group(issues=[])])))
    assert [(record.id, record.aliases) for record in records.values()] == [("AVG-1", ("ASA-202401-1",))]


def test_a_file_for_each_group(tmp_path: Path) -> None:
    groups = [group(), group("AVG-2", issues=["CVE-2024-2000"])]
    archive = written(tmp_path / "all.zip", zipped({f"{each['name']}.json": each for each in groups}))
    assert parsed(ARCH, archive) == parsed(ARCH, written(tmp_path / "all.json", json.dumps(groups)))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (7, "not a group"),
        ({}, "not a group"),
        (group(status="Wonky"), "unknown status 'Wonky'"),
        (group(status=["Fixed"]), "unknown status"),
        (group(fixed=None), "without the version"),
        (group(fixed=3), "fixed is not a version"),
        (group(packages=[]), "no packages"),
        (group(packages=["a\nb"]), "no packages"),
        (group(issues=["no id"]), "issues holds"),
        (group(advisories=[7]), "advisories holds"),
    ],
)
def test_one_bad_group_does_not_stop_the_rest(tmp_path: Path, bad: Any, message: str) -> None:
    good = group("AVG-2", issues=["CVE-2024-2000"])
    records, problems = parsed(ARCH, written(tmp_path / "all.json", json.dumps([bad, good])))
    assert list(records) == ["CVE-2024-2000"]
    (found,) = problems
    assert message in found.message
    assert found.incomplete


@pytest.mark.parametrize("data", [b"<html>", b"[{", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_list_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(FeedError, match="not the tracker's list"):
        parsed(ARCH, written(tmp_path / "all.json", data))
