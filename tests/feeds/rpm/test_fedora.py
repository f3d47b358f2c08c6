"""Fedora and EPEL: updates of Bodhi from pages, files and updateinfo, and how they are fetched."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from anchorecli.errors import FeedError
from anchorecli.feeds.rpm.fedora import Fedora
from anchorecli.feeds.sync import SyncOptions, SyncOutcome, sync
from anchorecli.model import Range, Severity
from anchorecli.net import Fetcher
from tests.feeds.samples import MemorySink, parsed, written
from tests.feeds.server import Answer, Server, serving

NOW = "2026-01-01T00:00:00Z"
RELEASES = {
    "releases": [
        {"name": f"F{version}", "version": version, "id_prefix": "FEDORA"} for version in ("42", "41", "43", "eln")
    ]
    + [{"name": "EPEL-9", "version": "9", "id_prefix": "FEDORA-EPEL"}]
}


def update(alias: str = "FEDORA-2025-0a1b2c3d4e", **more: Any) -> dict[str, Any]:
    return {
        "alias": alias,
        "type": "security",
        "status": "stable",
        "severity": "high",
        "display_name": "",
        "title": "curl-8.11.1-4.fc42",
        "notes": "Fixes of the year, CVE-2025-7777 not among them",
        "date_submitted": "2025-03-01 10:00:00",
        "date_stable": "2025-03-04 01:02:03",
        "date_modified": None,
        "release": {"name": "F42", "version": "42", "id_prefix": "FEDORA"},
        "bugs": [
            {"title": "CVE-2025-1000 curl: a flaw [fedora-all]", "security": True},
            {"title": "CVE-2025-1000 and CVE-2025-1001 again", "security": True},
            {"title": "curl-8.11.2 is available, after CVE-2020-1", "security": False},
        ],
        "builds": [{"nvr": "curl-8.11.1-4.fc42", "epoch": 0, "type": "rpm"}],
    } | more


def page(*updates: Any, number: int = 1, pages: int = 1) -> dict[str, Any]:
    return {"updates": list(updates), "page": number, "pages": pages}


def test_an_update_of_the_api(tmp_path: Path) -> None:
    modular = {"nvr": "nodejs-20-4220250301.fc42", "epoch": 0, "type": "module"}
    bind = {"nvr": "python3-bind-9.18.33-1.fc42", "epoch": 32, "type": "rpm"}
    content = update(builds=[*update()["builds"], bind, modular])
    records, problems = parsed(Fedora(), written(tmp_path / "p.json", page(content)))
    assert problems == []
    (record,) = records.values()
    assert (record.aliases, record.severity) == (("CVE-2025-1000", "CVE-2025-1001"), Severity.HIGH)
    assert (record.published, record.modified) == ("2025-03-04T01:02:03Z", "2025-03-04T01:02:03Z")
    assert record.url == "https://bodhi.fedoraproject.org/updates/FEDORA-2025-0a1b2c3d4e"
    assert [(each.ecosystem, each.package, each.ranges, each.arches) for each in record.affected] == [
        ("fedora:42", "curl", (Range(fixed="0:8.11.1-4.fc42"),), ()),
        ("fedora:42", "python3-bind", (Range(fixed="32:9.18.33-1.fc42"),), ()),
    ]


@pytest.mark.parametrize(
    ("more", "aliases"),
    [
        ({"bugs": [], "display_name": "fix for CVE-2025-2000"}, ("CVE-2025-2000",)),
        ({"bugs": [], "title": "curl, CVE-2025-2001"}, ("CVE-2025-2001",)),
        ({"bugs": []}, ("CVE-2025-7777",)),
        ({"bugs": [], "notes": "A new version"}, ()),
        ({"bugs": None, "notes": None}, ()),
    ],
)
def test_cves_are_those_of_its_bugs_or_else_what_it_calls_itself(
    tmp_path: Path, more: dict[str, Any], aliases: tuple[str, ...]
) -> None:
    records, _ = parsed(Fedora(), written(tmp_path / "FEDORA-2025-0a1b2c3d4e", update(**more)))
    assert [each.aliases for each in records.values()] == [aliases]


@pytest.mark.parametrize(
    ("word", "severity"),
    [("urgent", Severity.CRITICAL), ("medium", Severity.MEDIUM), ("low", Severity.LOW), ("none", Severity.UNKNOWN),
     ("unspecified", Severity.UNKNOWN), (None, Severity.UNKNOWN)],
)  # fmt: skip
def test_severities(tmp_path: Path, word: str | None, severity: Severity) -> None:
    records, _ = parsed(Fedora(), written(tmp_path / "u.json", {"update": update(severity=word)}))
    assert [each.severity for each in records.values()] == [severity]


@pytest.mark.parametrize(
    ("release", "alias", "space"),
    [
        ({"name": "EPEL-7", "version": "7", "id_prefix": "FEDORA-EPEL"}, "FEDORA-EPEL-2025-0a1b2c3d4e", "epel:7"),
        ({"name": "EPEL-10.1", "version": "10.1", "id_prefix": "FEDORA-EPEL"}, "FEDORA-EPEL-2025-0a", "epel:10.1"),
        ({"name": "EPEL-9", "version": "9"}, "FEDORA-EPEL-2025-0a1b2c3d4e", "epel:9"),
    ],
)
def test_epel_is_about_its_own_packages(tmp_path: Path, release: dict[str, str], alias: str, space: str) -> None:
    alias = alias.ljust(27, "1")
    builds = [{"nvr": "nginx-1.24.0-1.el9", "epoch": 2, "type": "rpm"}]
    records, problems = parsed(Fedora(), written(tmp_path / "p.json", update(alias, release=release, builds=builds)))
    assert problems == []
    assert [(each.ecosystem, each.package, each.ranges) for each in records[alias].affected] == [
        (space, "nginx", (Range(fixed="2:1.24.0-1.el9"),)),
    ]


def test_others_are_no_release_of_fedora(tmp_path: Path) -> None:
    content = page(
        update(
            "FEDORA-EPEL-NEXT-2025-0a1b2c", release={"name": "EPEL-9N", "version": "9", "id_prefix": "FEDORA-EPEL-NEXT"}
        ),
        update("FEDORA-FLATPAK-2025-0a1b2c", release={"name": "F42F", "version": "42", "id_prefix": "FEDORA-FLATPAK"}),
        update("FEDORA-2025-000001", release={"name": "ELN", "version": "eln", "id_prefix": "FEDORA"}),
        update("FEDORA-2025-000002", type="bugfix"),
        update("FEDORA-2025-000003", status="testing"),
    )
    records, problems = parsed(Fedora(), written(tmp_path / "p.json", content))
    assert records == {}
    assert [(each.subject, each.incomplete) for each in problems] == [
        ("fedora: ELN", False), ("fedora: EPEL-9N", False), ("fedora: F42F", False),
    ]  # fmt: skip


def test_updates_are_problems_one_by_one(tmp_path: Path) -> None:
    broken: list[Any] = [
        7,
        update("no id"),
        update("FEDORA-2025-000001", builds=[]),
        update("FEDORA-2025-000002", builds=[{"nvr": "curl", "type": "rpm"}]),
        update("FEDORA-2025-000003", builds=[{"nvr": "curl-1-1", "epoch": "x"}]),
        update("FEDORA-2025-000004", release=[]),
        update("FEDORA-2025-000005", bugs={"title": "CVE-2025-1"}),
        update("FEDORA-2025-000006", builds=["curl-1-1"]),
        update("FEDORA-2025-000007", title=7),
    ]
    records, problems = parsed(Fedora(), written(tmp_path / "p.json", page(update(), *broken)))
    assert list(records) == ["FEDORA-2025-0a1b2c3d4e"]
    assert len(problems) == len(broken)
    assert all(each.incomplete for each in problems)


XML = """<?xml version="1.0" encoding="UTF-8"?><updates>
<update from="updates@fedoraproject.org" status="stable" type="security" version="2.0"><id>FEDORA-2025-0a1b2c3d4e</id>
<title>curl-8.11.1-4.fc42</title><issued date="2025-03-04 01:02:03"/><updated date="2025-03-05 00:00:00"/>
<severity>Important</severity><description>none</description>
<references><reference id="1" type="bugzilla" title="CVE-2025-1000 curl: a flaw"/></references>
<pkglist><collection short="F42"><name>Fedora 42</name>{packages}</collection></pkglist></update>
<update status="stable" type="bugfix"><id>FEDORA-2025-000001</id></update>
<update status="stable" type="security"><id>FEDORA-MODULAR-2025-000002</id><pkglist><collection short="F38M"/></pkglist>
</update></updates>"""
BUILD = '<package name="{}" version="8.11.1" release="4.fc42" epoch="0" arch="{}"/>'


def test_updateinfo_in_a_mirror_of_repositories(tmp_path: Path) -> None:
    for arch in ("x86_64", "aarch64"):
        packages = BUILD.format("curl", "src") + BUILD.format("libcurl", arch)
        folder = tmp_path / f"updates/42/Everything/{arch}/repodata"
        digest = "0" * 64
        written(folder / f"{digest}-updateinfo.xml.gz", gzip.compress(XML.format(packages=packages).encode()))
        written(folder / "repomd.xml", "<repomd/>")
        written(folder / f"{digest}-primary.xml.gz", gzip.compress(b"<metadata/>"))
        written(folder / f"{digest}-comps-Everything.xml", "<comps/>")
    records, problems = parsed(Fedora(), tmp_path)
    (record,) = records.values()
    assert (record.aliases, record.severity, record.modified) == (
        ("CVE-2025-1000",), Severity.HIGH, "2025-03-05T00:00:00Z",
    )  # fmt: skip
    fixed = (Range(fixed="0:8.11.1-4.fc42"),)
    assert [(each.package, each.ranges, each.arches) for each in record.affected] == [
        ("curl", fixed, ()), ("libcurl", fixed, ()),
    ]  # fmt: skip
    assert [(each.subject, each.incomplete) for each in problems] == [("fedora: F38M", False)]


def test_updateinfo_of_epel(tmp_path: Path) -> None:
    content = XML.format(packages=BUILD.format("nginx", "x86_64")).replace('short="F42"', 'short="EPEL-9"')
    records, _ = parsed(Fedora(), written(tmp_path / "updateinfo.xml", content.encode()))
    assert {each.ecosystem for record in records.values() for each in record.affected} == {"epel:9"}


# Over HTTP


class Bodhi:
    """Answers by query: the pages of what was pushed since the moment asked for."""

    def __init__(self, server: Server, *updates: dict[str, Any]) -> None:
        self.updates = list(updates)
        self.server = server
        server.answer = self._answer  # type: ignore[method-assign]

    def _answer(self, path: str) -> Answer:
        split = urlsplit(path)
        query = parse_qs(split.query)
        if split.path == "/releases/":
            return Answer(json.dumps(RELEASES).encode())
        since = query.get("pushed_since", [""])[0].replace("T", " ")
        found = [each for each in self.updates if each["date_stable"] >= since]
        number, rows = int(query["page"][0]), 2
        pages = -(-len(found) // rows)
        return Answer(
            json.dumps(page(*found[(number - 1) * rows : number * rows], number=number, pages=pages)).encode()
        )

    def asked(self) -> list[dict[str, list[str]]]:
        return [parse_qs(urlsplit(path).query) for path in self.server.paths() if path.startswith("/updates/")]


def synced(server: Server, sink: MemorySink) -> SyncOutcome:
    options = SyncOptions(url=f"{server.url}/")
    return sync(Fedora(), sink, now=NOW, fetcher=Fetcher(sleep=lambda _: None), options=options)


def test_all_pages_once_and_then_what_was_pushed_since() -> None:
    sink = MemorySink()
    first = [update(f"FEDORA-2025-00000{n}", date_stable=f"2025-03-0{n} 00:00:00") for n in range(1, 6)]
    with serving() as server:
        bodhi = Bodhi(server, *first)
        assert synced(server, sink).state.records == 5
        asked = bodhi.asked()
        assert [each["page"] for each in asked] == [["1"], ["2"], ["3"]]
        assert asked[0]["releases"] == ["F43", "F42", "F41", "F40", "F39", "F38", "F37", "EPEL-7", "EPEL-9"]
        assert "pushed_since" not in asked[0]
        bodhi.updates.append(update("FEDORA-2025-00000a", date_stable="2025-03-09 00:00:00"))
        bodhi.updates[4]["severity"] = "low"
        outcome = synced(server, sink)
        assert bodhi.asked()[3]["pushed_since"] == ["2025-03-04T00:00:00"]
        assert outcome.result is not None
        assert (outcome.state.records, outcome.result.added, outcome.result.changed) == (6, 1, 1)


def test_nothing_new_is_unchanged() -> None:
    sink = MemorySink()
    with serving() as server:
        bodhi = Bodhi(server, update())
        synced(server, sink)
        bodhi.updates.clear()
        assert synced(server, sink).unchanged


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b"{}", b'{"updates": [], "pages": "x"}', b'{"updates": 7, "pages": 1}']
)
def test_another_answer_leaves_what_was_there(body: bytes) -> None:
    sink = MemorySink()
    with serving() as server:
        Bodhi(server, update())
        synced(server, sink)
        before = sink.records["fedora"]
        server.answer = lambda path: Answer(body)  # type: ignore[method-assign]
        with pytest.raises(FeedError, match=r"127\.0\.0\.1"):
            synced(server, sink)
        releases = Answer(json.dumps(RELEASES).encode())
        server.answer = lambda path: releases if path.startswith("/releases") else Answer(body)  # type: ignore[method-assign]
        with pytest.raises(FeedError, match=r"127\.0\.0\.1"):
            synced(server, sink)
        assert sink.records["fedora"] is before
