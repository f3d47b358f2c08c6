"""The names of Debian's advisories beside the tracker's export."""

from __future__ import annotations

from pathlib import Path

import pytest

from anchorecli.errors import FeedError
from anchorecli.feeds import find
from anchorecli.feeds.linux.debian_lists import is_list, read
from tests.feeds.samples import TRACKER, parsed, written

DSA = """[29 Mar 2023] DSA-5380-1 bash - security update
\t{CVE-2022-3715 CVE-2020-0001}
\t[bullseye] - bash 5.1-2+deb11u1
[17 Mar 2023] DSA-5356-2 sox - regression update
\t[bullseye] - sox 14.4.2
[18 Apr 2018] DSA-4205-1 jessie end-of-life
\tNOTE: {CVE-2022-3715} is not said here
[August 26th, 2005] DTSA-1-1 kismet - various
\t{CVE-2022-3715 }
[01 Aug 2002] DSA-141 mpack - buffer overflow
        {CVE-2002-1425}
"""
DLA = "[1 Apr 2023] DLA-3380-1 bash - security update\n\t{CVE-2022-3715}\n"


def test_a_list() -> None:
    assert list(read(DSA.encode())) == [
        ("CVE-2022-3715", "DSA-5380-1"),
        ("CVE-2020-0001", "DSA-5380-1"),
        ("CVE-2002-1425", "DSA-141"),
    ]


@pytest.mark.parametrize("name", ["DSA/list", "data/DLA/list", "tree/data/DSA/list", "DSA", "DLA.list"])
def test_lists_by_name(name: str) -> None:
    assert is_list(name)
    assert not is_list(f"{name}.txt")


def test_the_vulnerabilities_have_the_names_they_were_announced_under(tmp_path: Path) -> None:
    plain, _ = parsed(find("debian"), written(tmp_path / "plain/json", TRACKER).parent)
    written(tmp_path / "tree/data/json", TRACKER)
    written(tmp_path / "tree/data/DSA/list", DSA)
    written(tmp_path / "tree/data/DLA/list", DLA)
    written(tmp_path / "tree/data/CVE/list", "CVE-2022-3715 (a flaw)\n\t- bash 5.2\n")
    written(tmp_path / "tree/data/config.json", {"repositories": {"etch": "http://example.org"}})
    written(tmp_path / "tree/bin/tool.py", "print()")
    records, problems = parsed(find("debian"), tmp_path / "tree")
    assert problems == []
    assert {name: record.aliases for name, record in records.items()} == {
        "CVE-2020-0001": ("DSA-5380-1",),
        "CVE-2022-3715": ("DLA-3380-1", "DSA-5380-1"),
        "TEMP-0841856-B18BAF": (),
    }
    assert {name: record.affected for name, record in records.items()} == {
        name: record.affected for name, record in plain.items()
    }


@pytest.mark.parametrize("text", ["", "no list\n", b"\xff\xfe"])
def test_a_file_that_is_no_list_does_not_stop_the_export(tmp_path: Path, text: str | bytes) -> None:
    written(tmp_path / "json", TRACKER)
    written(tmp_path / "DSA/list", text)
    records, problems = parsed(find("debian"), tmp_path)
    assert len(records) == 3
    assert [each.subject for each in problems] == ["debian: DSA/list"]


def test_lists_alone_are_no_feed(tmp_path: Path) -> None:
    from anchorecli.feeds.sync import SyncOptions, sync
    from tests.feeds.samples import MemorySink

    written(tmp_path / "data/DSA/list", DSA)
    written(tmp_path / "data/CVE/list", "CVE-2022-3715 (a flaw)\n")
    with pytest.raises(FeedError, match="no record of debian"):
        sync(find("debian"), MemorySink(), now="2026-01-01T00:00:00Z", fetcher=None, options=SyncOptions(tmp_path))  # type: ignore[arg-type]
