"""What `make quality-audit` sends to pip-audit and npm audit, and how it compares what they say."""

from __future__ import annotations

import json
import urllib.request

import audit_tools
import pytest
from audit_tools import Finding
from oracles import Asked, Statement


def record(**more):
    return {"id": "GHSA-1", "aliases": ["CVE-2024-0001"], "affected": [], **more}


def affected(*events, space="npm", name="x", **more):
    ranges = [{"type": "SEMVER", "events": [dict([each]) for each in events]}]
    return {"package": {"ecosystem": space, "name": name}, "ranges": ranges, **more}


@pytest.mark.parametrize(
    ("events", "ranges"),
    [
        ((("introduced", "0"), ("fixed", "1.2")), ["<1.2"]),
        ((("introduced", "1"), ("last_affected", "2")), [">=1 <=2"]),
        ((("introduced", "0"),), ["*"]),
        ((("introduced", "3"),), [">=3"]),
        ((("introduced", "1"), ("fixed", "2"), ("introduced", "3")), [">=1 <2", ">=3"]),
    ],
)
def test_events_as_ranges_of_npm(events, ranges):
    statement = Statement("GHSA-1", frozenset(("CVE-2024-0001",)), "npm", "x", (events,))
    assert list(audit_tools.npm_ranges(statement)) == ranges


def test_advisories_by_package_without_those_that_were_withdrawn():
    known = [
        record(affected=[affected(("introduced", "0"), ("fixed", "1")), affected(("introduced", "2"), ("fixed", "3"))]),
        record(id="GHSA-2", affected=[affected(("introduced", "0"))], withdrawn="2024-01-01T00:00:00Z"),
        record(id="GHSA-3", affected=[affected(("introduced", "0"), space="PyPI")]),
    ]
    [advisory] = audit_tools.npm_advisories(known)["x"]
    assert advisory["vulnerable_versions"] == "<1 || >=2 <3"
    assert advisory["url"].endswith("/GHSA-1")


def test_withdrawn_records_are_sent_to_pip_audit_for_it_to_see():
    entry = affected(("introduced", "0"), space="PyPI", name="A_b", ranges=[])
    entry["versions"] = ["1.0"]
    [statement] = audit_tools.record_statements(record(affected=[entry], withdrawn="2024-01-01T00:00:00Z"))
    assert (statement.package, statement.about) == ("a-b", {"GHSA-1"})


def test_lock_files_name_a_package_once_and_are_bounded(monkeypatch):
    monkeypatch.setattr(audit_tools, "LOCKED", 2)
    asked = [Asked(name, version) for name, version in (("a", "1.0.0"), ("a", "2.0.0"), ("b", "1.0.0"), ("c", "1.0.0"))]
    assert audit_tools.locked(iter(asked)) == [{"a": "1.0.0", "b": "1.0.0"}, {"a": "2.0.0", "c": "1.0.0"}]


def test_findings_are_the_same_where_an_id_is():
    one, other, third = (("x", "1"), ("y", "1"), ("z", "1"))
    theirs = [Finding((0, *one), frozenset(("GHSA-1",))), Finding((1, *other), frozenset(("GHSA-1",)))]
    ours = [Finding((0, *one), frozenset(("CVE-1", "GHSA-1"))), Finding((2, *third), frozenset(("GHSA-1",)))]
    result = audit_tools.compared(3, theirs, ours)
    assert (result.missed, result.extra) == ([theirs[1]], [ours[1]])


def test_findings_that_share_an_id_are_one():
    package = (0, "x", "1")
    lists = ({"PYSEC-1", "CVE-1"}, {"GHSA-2"}, {"GHSA-1", "CVE-1"})
    some = [Finding(package, frozenset(each)) for each in lists] + [Finding((1, "x", "2"), frozenset({"CVE-1"}))]
    assert sorted(sorted(each.ids) for each in audit_tools.distinct(some)) == [
        ["CVE-1"], ["CVE-1", "GHSA-1", "PYSEC-1"], ["GHSA-2"],
    ]  # fmt: skip


def test_the_server_answers_and_says_404_where_there_is_nothing():
    with audit_tools.serving(lambda path, sent: {"path": path, "sent": sent} if path != "/none" else None) as url:
        request = urllib.request.Request(f"{url}/v1/query", data=b'{"version": "1"}')
        with urllib.request.urlopen(request) as answer:
            assert json.load(answer) == {"path": "/v1/query", "sent": {"version": "1"}}
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{url}/none")


def test_a_tool_that_is_not_here_is_said_to_be_not_here(tmp_path, monkeypatch, capsys):
    (tmp_path / "ghsa").mkdir()
    (tmp_path / "ghsa/npm.zip").touch()
    monkeypatch.setattr("sys.argv", ["audit_tools.py", str(tmp_path)])
    monkeypatch.setattr(audit_tools.shutil, "which", lambda name: None)
    audit_tools.main()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[-1] for line in lines[1:]] == ["data not here", "the tool is not here"]
