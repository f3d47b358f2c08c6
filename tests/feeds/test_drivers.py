"""What every driver does with its own files, and with files that are not."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from anchorecli.errors import FeedError, UsageError
from anchorecli.feeds import FEEDS, find, snapshot
from anchorecli.feeds.base import Driver
from anchorecli.feeds.debian import Debian
from anchorecli.feeds.ghsa import Ghsa
from anchorecli.feeds.osv import Osv, recognised
from anchorecli.model import Problem, Range, Severity, Statement
from tests.feeds.samples import TRACKER, affected, osv, parsed, secdb, written, zipped

NPM = affected("p", {"introduced": "0"}, {"fixed": "1.0.0"}, ecosystem="npm")


def said(driver: Driver, path: Path) -> dict[str, dict[tuple[str, str], tuple[Any, ...]]]:
    records, problems = parsed(driver, path)
    assert [each for each in problems if each.incomplete] == []
    return {
        name: {
            (each.ecosystem, each.package): (each.statement, tuple(span.fixed for span in each.ranges), each.severity)
            for each in record.affected
        }
        for name, record in records.items()
    }


# Debian


def test_debian(tmp_path: Path) -> None:
    found = said(Debian(), written(tmp_path / "json", TRACKER))
    a, n, w, u = Statement.AFFECTED, Statement.NOT_AFFECTED, Statement.WONT_FIX, Statement.UNDER_INVESTIGATION
    assert found == {
        "CVE-2020-0001": {
            ("debian:10", "dash"): (u, (), Severity.MEDIUM),
            ("debian:11", "dash"): (w, (), Severity.UNKNOWN),
        },
        "CVE-2022-3715": {
            ("debian:11", "bash"): (w, (), Severity.HIGH),
            ("debian:12", "bash"): (a, ("5.2~rc2-2",), Severity.LOW),
            ("debian:13", "bash"): (a, (), Severity.UNKNOWN),
            ("debian:unstable", "bash"): (a, ("5.2~rc2-2",), Severity.LOW),
            ("debian:12", "dash"): (n, (), Severity.UNKNOWN),
        },
        "TEMP-0841856-B18BAF": {("debian:12", "bash"): (a, (), Severity.NEGLIGIBLE)},
    }
    records, _ = parsed(Debian(), tmp_path / "json")
    assert records["CVE-2022-3715"].summary == "A flaw was found"
    assert all(each.scheme == "deb" for record in records.values() for each in record.affected)


def test_debian_packed_in_any_way(tmp_path: Path) -> None:
    import bz2
    import lzma

    text = json.dumps(TRACKER).encode()
    plain = parsed(Debian(), written(tmp_path / "a.json", text))
    for name, data in (
        ("a.gz", gzip.compress(text, mtime=0)),
        ("a.bz2", bz2.compress(text)),
        ("a.xz", lzma.compress(text)),
        ("a.zip", zipped({"data/json": text})),
        ("folder/json", text),
    ):
        path = written(tmp_path / name, data)
        assert parsed(Debian(), path.parent if name.startswith("folder") else path) == plain, name


def test_debian_takes_problems_one_by_one(tmp_path: Path) -> None:
    tracker = {
        "good": {"CVE-1": {"releases": {"bookworm": {"status": "open", "urgency": "low"}}}},
        "a": [],
        "b": {"CVE-2": "text", "CVE-3": {"releases": []}},
        "c": {"CVE-4": {"releases": {"bookworm": "x", "sid": {"status": "new"}, "bullseye": {"status": "resolved"}}}},
        "d": {"CVE-5": {"releases": {"bookworm": {"status": "resolved", "fixed_version": 7, "urgency": "low"}}}},
        "e\n": {},
        "f": {"CVE-6": {"releases": {"zurg": {"status": "open", "urgency": "low"}}}},
    }
    records, problems = parsed(Debian(), written(tmp_path / "json", tracker))
    assert list(records) == ["CVE-1"]
    assert sum(each.incomplete for each in problems) == 8
    assert [each.subject for each in problems if not each.incomplete] == ["debian: zurg"]


@pytest.mark.parametrize(
    "data",
    [b"invalid", b"[]", b"<html>", b'{"a": {"CVE-1"', json.dumps(TRACKER).encode()[:-1], b'{"a": "\xff\xfe"}',
     json.dumps(TRACKER).encode("utf-16"), gzip.compress(json.dumps(TRACKER).encode(), mtime=0)[:-20]],
)  # fmt: skip
def test_debian_refuses_what_is_no_export(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(FeedError, match="debian: json"):
        parsed(Debian(), written(tmp_path / "json", data))


# Alpine


def test_alpine(tmp_path: Path) -> None:
    written(
        tmp_path / "v3.20/main.json",
        secdb("v3.20", "main", {"curl": {"8.9-r0": ["CVE-2024-7264"], "0": ["CVE-2021-22897"]}}),
    )
    written(tmp_path / "v3.21/main.json", secdb("v3.21", "main", {"curl": {"8.9-r1": ["CVE-2024-7264"]}, "x": {}}))
    community = secdb("edge", "community", {"y": {"1": ["CVE-2024-7264"]}, "z": None})
    written(tmp_path / "edge/community.json", community)
    found = said(find("alpine"), tmp_path)
    assert found == {
        "CVE-2021-22897": {("alpine:3.20", "curl"): (Statement.NOT_AFFECTED, (), Severity.UNKNOWN)},
        "CVE-2024-7264": {
            ("alpine:3.20", "curl"): (Statement.AFFECTED, ("8.9-r0",), Severity.UNKNOWN),
            ("alpine:3.21", "curl"): (Statement.AFFECTED, ("8.9-r1",), Severity.UNKNOWN),
            ("alpine:edge", "y"): (Statement.AFFECTED, ("1",), Severity.UNKNOWN),
        },
    }


@pytest.mark.parametrize(
    ("text", "ids", "aliases"),
    [
        ("CVE-2017-8904 XSA-214", ["CVE-2017-8904"], ["XSA-214"]),
        ("GNUTLS-SA-2020-09-04 CVE-2020-24659", ["CVE-2020-24659"], ["GNUTLS-SA-2020-09-04"]),
        # One name for two vulnerabilities is another name of neither.
        ("CVE-2020-11740 CVE-2020-11741 XSA-313", ["CVE-2020-11740", "CVE-2020-11741"], []),
        ("CVE-2018-14462 (ICMP)", ["CVE-2018-14462"], []),
        ("CVE-2017-15107 (SMB - partially fixed)", ["CVE-2017-15107"], []),
        ("CVE_2019-2426", ["CVE-2019-2426"], []),
        ("CVE-2021-35940.patch", ["CVE-2021-35940"], []),
        ("CVE-????-????? TS-2024-005", ["TS-2024-005"], []),
        ("CVE N/A ZBX-11023", ["ZBX-11023"], []),
        ("XSA-207", ["XSA-207"], []),
        ("ZDI-CAN-1 ZDI-CAN-2", ["ZDI-CAN-1"], ["ZDI-CAN-2"]),
        ("CVE-2017-17434-1", ["CVE-2017-17434"], []),
        ("VSV00001", ["VSV00001"], []),
    ],
)
def test_alpine_ids(tmp_path: Path, text: str, ids: list[str], aliases: list[str]) -> None:
    records, problems = parsed(
        find("alpine"), written(tmp_path / "m.json", secdb("v3.20", "main", {"p": {"1-r0": [text]}}))
    )
    assert problems == []
    assert sorted(records) == ids
    assert [alias for record in records.values() for alias in record.aliases] == aliases


def test_alpine_fixed_twice_is_fixed_by_the_later(tmp_path: Path) -> None:
    fixes = {"2.0-r0": ["CVE-2024-1000"], "10.0-r0": ["CVE-2024-1000"], "0": ["CVE-2024-1000"]}
    records, _ = parsed(find("alpine"), written(tmp_path / "m.json", secdb("v3.20", "main", {"p": fixes})))
    (statement,) = records["CVE-2024-1000"].affected
    assert statement.statement is Statement.AFFECTED
    assert statement.ranges == (Range(fixed="2.0-r0"), Range(fixed="10.0-r0"))


def test_alpine_takes_problems_one_by_one(tmp_path: Path) -> None:
    main = secdb("v3.20", "main", {"p": {"1-r0": ["CVE-2024-1000", "no id", 7], "2": "CVE-2024-2000", "\n": []}})
    main["packages"] += [7, {"pkg": []}, {"pkg": {"name": 1, "secfixes": {}}}, {"pkg": {"name": "q", "secfixes": []}}]
    written(tmp_path / "v3.20/main.json", main)
    written(tmp_path / "v3.21/main.json", json.dumps(main)[:-9])
    written(tmp_path / "v3.22/main.json", b"\xff\xfe\x00")
    written(tmp_path / "v3.23/main.json", {"packages": []})
    written(tmp_path / "v3.24/main.json", {"distroversion": "v3.24", "packages": {}})
    written(tmp_path / "v3.25/main.json", "[" * 100_000)
    records, problems = parsed(find("alpine"), tmp_path)
    assert list(records) == ["CVE-2024-1000"]
    assert len(problems) == 4 + 4 + 5
    assert all(each.stage == "feeds" and each.incomplete for each in problems)


# OSV and GitHub


def test_osv_reads_a_zip_a_tree_and_one_file(tmp_path: Path) -> None:
    files = {"A-1.json": osv("A-1"), "x/A-2.json": osv("A-2"), "readme.md": "text", "x/B-1.json": osv("B-1", NPM)}
    archive = written(tmp_path / "all.zip", zipped(files))
    for name, content in files.items():
        written(tmp_path / "tree" / name, content)
    written(tmp_path / "tree/.git/A-3.json", osv("A-3"))
    for path in (archive, tmp_path / "tree"):
        records, problems = parsed(Osv("PyPI"), path)
        assert (sorted(records), problems) == (["A-1", "A-2"], [])
        assert {record.feed for record in records.values()} == {"osv:PyPI"}
    assert list(parsed(Osv("PyPI"), tmp_path / "tree/A-1.json")[0]) == ["A-1"]
    assert list(parsed(Osv("npm"), archive)[0]) == ["B-1"]


def test_osv_of_one_release(tmp_path: Path) -> None:
    record = osv("CVE-2024-1", *(affected("p", {"introduced": "0"}, ecosystem=f"Debian:{n}") for n in (1, 11, 12)))
    path = written(tmp_path / "all.zip", zipped({"a.json": record}))
    for name, expected in (("osv:Debian:1", [1]), ("osv:debian:12", [12]), ("osv:Debian", [1, 11, 12])):
        records, _ = parsed(find(name), path)
        assert [each.ecosystem for each in records["CVE-2024-1"].affected] == [f"debian:{n}" for n in expected]


def test_osv_takes_problems_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "MAX_RECORD", 100_000)
    files: dict[str, Any] = {
        "good.json": osv("A-1"),
        "broken.json": "{",
        "empty.json": "",
        "utf16.json": json.dumps(osv("A-2")).encode("utf-16"),
        "latin1.json": '{"id": "é"}'.encode("latin-1"),
        "deep.json": "[" * 100_000,
        "list.json": "[]",
        "huge.json": osv("A-3", details="x" * 200_000),
        "bomb.json": b" " * 90_000_000,
        "../../etc/cron.d/x.json": osv("A-4"),
    }
    records, problems = parsed(Osv("PyPI"), written(tmp_path / "all.zip", zipped(files)))
    # The standard library tells UTF-16 by its mark; nothing else was readable.
    assert sorted(records) == ["A-1", "A-2", "A-4"]
    assert len(problems) == 7
    assert not (tmp_path.parent / "etc").exists()


def test_ranges_that_contradict_themselves_are_told_beside_the_record(tmp_path: Path) -> None:
    spans = [
        ({"introduced": "1.2"}, {"fixed": "1.1"}),
        ({"introduced": "2"}, {"fixed": "2.0"}),
        ({"introduced": "x"}, {"fixed": "1"}),
    ]
    last = affected("p", {"introduced": "1.2"}, {"last_affected": "1.1"})
    one = affected("p", {"introduced": "1.2"}, {"last_affected": "1.2"})
    records = {f"{n}.json": osv(f"A-{n}", affected("p", *span)) for n, span in enumerate(spans)}
    files = records | {"3.json": osv("A-3", last), "4.json": osv("A-4", one)}
    found, problems = parsed(Osv("PyPI"), written(tmp_path / "all.zip", zipped(files)))
    assert sorted(found) == ["A-0", "A-1", "A-2", "A-3", "A-4"]
    assert [(each.subject, each.message, each.incomplete) for each in problems] == [
        ("osv:PyPI: A-0", "p: affected from 1.2, but fixed in 1.1 before that", True),
        ("osv:PyPI: A-3", "p: affected from 1.2, but last in 1.1 before that", True),
        ("osv:PyPI", "1 ranges that end where they begin, and hold no version", False),
    ]


def test_ghsa_reads_reviewed_advisories_only(tmp_path: Path) -> None:
    base = "advisory-database-main/advisories"
    files = {
        f"{base}/github-reviewed/2024/01/GHSA-aaaa-bbbb-cccc/GHSA-aaaa-bbbb-cccc.json": osv("GHSA-aaaa-bbbb-cccc"),
        f"{base}/github-reviewed/2024/02/GHSA-dddd-eeee-ffff/GHSA-dddd-eeee-ffff.json": osv("GHSA-dddd-eeee-ffff", NPM),
        f"{base}/unreviewed/2024/01/GHSA-gggg-hhhh-jjjj/GHSA-gggg-hhhh-jjjj.json": "never read",
        "advisory-database-main/package.json": "{}",
    }
    records, problems = parsed(Ghsa(), written(tmp_path / "main.zip", zipped(files)))
    assert problems == []
    assert {each.ecosystem for record in records.values() for each in record.affected} == {"pypi", "npm"}


# All of them


@pytest.mark.parametrize("driver", FEEDS, ids=lambda driver: driver.name)
@pytest.mark.parametrize(
    "data",
    [b"", b"\0", b"PK\x03\x04", b"PK\x05\x06", b"not a feed", b"\x1f\x8b\x08", b"{}", b"[]", b"null", b"\xff" * 100,
     b"(\xb5/\xfd", b'{"packages": 7}', b'{"id": 1}', zipped({}), zipped({"x.json": "garbage"})],
)  # fmt: skip
def test_garbage_gives_no_record_and_no_traceback(tmp_path: Path, driver: Driver, data: bytes) -> None:
    path = written(tmp_path / "GHSA-x.json", data)
    try:
        records, problems = parsed(driver, path)
    except FeedError as error:
        assert "GHSA-x.json" in str(error) or "x.json" in str(error)
        return
    assert records == {}
    assert all(isinstance(each, Problem) for each in problems)


@pytest.mark.parametrize("driver", FEEDS, ids=lambda driver: driver.name)
def test_paths_with_nothing_to_read(tmp_path: Path, driver: Driver) -> None:
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")
    written(tmp_path / "nothing", b"")
    for path, message in (
        (tmp_path / "missing", "cannot be opened"),
        (tmp_path / "empty", "no files"),
        (tmp_path / "pipe", "neither a file nor"),
        (tmp_path / "nothing", "is empty"),
    ):
        with pytest.raises(FeedError, match=message):
            driver.open(path)


def test_a_snapshot_of_a_tree_has_the_digest_of_its_content(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        written(tmp_path / folder / "a" / "x.json", "1")
        written(tmp_path / folder / "b.json", "2")
    one, two = (Osv("PyPI").open(tmp_path / folder) for folder in ("one", "two"))
    assert one.digest == two.digest
    written(tmp_path / "two" / "b.json", "3")
    assert Osv("PyPI").open(tmp_path / "two").digest != one.digest


# The registry


def test_every_feed_has_a_name_of_its_own_and_names_its_source() -> None:
    assert len({driver.name for driver in FEEDS}) == len(FEEDS)
    for driver in FEEDS:
        assert driver.title
        assert driver.attribution
        assert driver.url.startswith("https://")
        assert find(driver.name) is driver


def test_any_ecosystem_of_osv_can_be_named() -> None:
    assert find("osv:pypi").name == "osv:PyPI"
    assert find("osv:almalinux") is next(each for each in FEEDS if each.name == "osv:AlmaLinux")
    assert find("OSV:Debian:12").name == "osv:Debian:12"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("debain", "did you mean debian?"),
        ("gsha", "did you mean ghsa?"),
        ("alma", "did you mean osv:AlmaLinux?"),
        ("go", "did you mean govulndb?"),
        ("nosuch", "`anchore feeds list`"),
        ("osv:", "osv:PyPI"),
        ("osv:../x", "osv:PyPI"),
    ],
)
def test_unknown_feeds(name: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        find(name)
    assert hint in caught.value.hint


def test_an_export_is_recognised_by_its_records(tmp_path: Path) -> None:
    python = {f"{n}.json": osv(f"GHSA-{n}", affected("p", {"introduced": "0"}, ecosystem="PyPI")) for n in range(9)}
    both = osv("GHSA-both", affected("p", {"introduced": "0"}, ecosystem="PyPI"), affected("q", ecosystem="npm"))
    path = written(tmp_path / "all.zip", zipped(python | {"both.json": both, "junk.json": "{"}))
    assert recognised(path).name == "osv:PyPI"
    debian = {"a.json": osv("CVE-1", affected("p", ecosystem="Debian:12"), affected("p", ecosystem="Debian:11"))}
    assert recognised(written(tmp_path / "debian.zip", zipped(debian))).name == "osv:Debian"
    with pytest.raises(UsageError, match=r"osv:PyPI \(10\), osv:Debian \(5\)"):
        mixed = {f"d{n}.json": debian["a.json"] for n in range(5)}
        recognised(written(tmp_path / "mixed.zip", zipped(python | {"both.json": both} | mixed)))
    with pytest.raises(UsageError, match="no OSV record"):
        recognised(written(tmp_path / "none.zip", zipped({"a.json": "[]"})))
