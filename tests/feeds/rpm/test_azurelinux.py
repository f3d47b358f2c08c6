"""Microsoft's OVAL definitions of Azure Linux and CBL-Mariner."""

from __future__ import annotations

from pathlib import Path

import pytest

from anchorecli.errors import FeedError
from anchorecli.feeds.rpm.azurelinux import FILES, AzureLinux
from anchorecli.feeds.sync import SyncOptions, sync
from anchorecli.model import Severity
from anchorecli.net import Fetcher
from tests.feeds.rpm.samples import joined, oval, rpm_test, said
from tests.feeds.samples import MemorySink, parsed, written
from tests.feeds.server import Answer, serving


def definition(number: int, cve: str, *tests: int, patchable: str = "true", severity: str = "High") -> str:
    criteria = "".join(f'<criterion test_ref="tst:{each}" comment="Package is earlier"/>' for each in tests)
    return (
        f'<definition class="vulnerability" id="oval:def:{number}"><metadata><title>{cve} affecting package</title>'
        f'<reference ref_id="{cve}" source="CVE"/><patchable>{patchable}</patchable>'
        f"<advisory_date>2024-0{number}-01T00:00:00Z</advisory_date><severity>{severity}</severity>"
        f'<description>{cve} affecting package.</description></metadata><criteria operator="AND">{criteria}</criteria>'
        "</definition>"
    )


TESTS = joined(
    rpm_test(1, "curl", "less than", "0:8.8.0-2.azl3"),
    rpm_test(2, "golang", "less than", "0: 1.20.7-1.azl3"),
    rpm_test(3, "golang", "greater than", "0:1.19.0-0.azl3"),
    rpm_test(4, "glibc", "less than or equal", "0:2.35-4.azl3"),
    rpm_test(5, "odd", "less than", "0:1.17-2,1.18-2.azl3"),
)
AZURE = oval(
    definition(1, "CVE-2024-0001", 1)
    + definition(2, "CVE-2024-0001", 2, 3, severity="Critical")
    + definition(3, "CVE-2024-0002", 4, patchable="Not Applicable")
    + definition(4, "CVE-2024-0003", 5),
    *TESTS,
)
MARINER = oval(definition(1, "CVE-2024-0001", 1), *joined(rpm_test(1, "curl", "less than", "0:8.8.0-1.cm2")))


def test_definitions(tmp_path: Path) -> None:
    written(tmp_path / "a.xml", AZURE)
    written(tmp_path / "b.xml", MARINER)
    records, problems = parsed(AzureLinux(), tmp_path)
    assert problems == []
    record = records["CVE-2024-0001"]
    assert said(record) == [
        ("azurelinux:3.0", "curl", "..0:8.8.0-2.azl3"),
        ("azurelinux:3.0", "golang", "0:1.19.0-0.azl3..0:1.20.7-1.azl3"),
        ("mariner:2.0", "curl", "..0:8.8.0-1.cm2"),
    ]
    assert record.severity is Severity.CRITICAL
    # What is not as severe as the worst says so itself.
    assert [each.severity for each in record.affected] == [Severity.HIGH, Severity.UNKNOWN, Severity.HIGH]
    assert (record.published, record.modified) == ("2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z")
    assert said(records["CVE-2024-0002"]) == [("azurelinux:3.0", "glibc", "not-affected")]
    # A fix for each branch: what is newer than the last is fixed for sure, and the release has no older branch.
    assert said(records["CVE-2024-0003"]) == [("azurelinux:3.0", "odd", "..0:1.18-2.azl3")]


def test_a_release_told_by_the_name_of_the_file(tmp_path: Path) -> None:
    text = oval(definition(1, "CVE-2024-0001", 1), *joined(rpm_test(1, "curl", "less than", "0:8.8.0-1")))
    for name, expected in (("cbl-mariner-2.0-oval.xml", "mariner:2.0"), ("azurelinux-3.0-oval.xml", "azurelinux:3.0")):
        records, _ = parsed(AzureLinux(), written(tmp_path / name, text))
        assert [each.ecosystem for each in records["CVE-2024-0001"].affected] == [expected]
    records, problems = parsed(AzureLinux(), written(tmp_path / "x.xml", text))
    assert records == {}
    assert "tells the release" in problems[0].message


def test_definitions_that_cannot_be_used_are_problems(tmp_path: Path) -> None:
    text = oval(
        definition(1, "GHSA-1", 1) + definition(2, "CVE-2024-0001") + definition(3, "CVE-2024-0002", 99), *TESTS
    )
    records, problems = parsed(AzureLinux(), written(tmp_path / "x.xml", text))
    assert records == {}
    assert [each.message for each in problems] == [
        "it names no CVE",
        "it names no package",
        "a condition that is not understood: 'Package is earlier'",
    ]


def test_fetch() -> None:
    with serving() as server:
        server.answers |= {f"/{FILES[0]}": Answer(AZURE.encode(), etag=True)}
        sink, fetcher = MemorySink(), Fetcher(sleep=lambda seconds: None)
        options = SyncOptions(url=server.url)
        outcome = sync(AzureLinux(), sink, now="2024-06-03T00:00:00Z", fetcher=fetcher, options=options)
        assert [each.subject.rpartition(" ")[2] for each in outcome.problems] == [FILES[1]]
        server.answers |= {f"/{FILES[1]}": Answer(MARINER.encode(), etag=True)}
        outcome = sync(AzureLinux(), sink, now="2024-06-04T00:00:00Z", fetcher=fetcher, options=options)
        assert outcome.problems == ()
        assert set(outcome.state.ecosystems) == {"azurelinux:3.0", "mariner:2.0"}
        assert sync(AzureLinux(), sink, now="2024-06-05T00:00:00Z", fetcher=fetcher, options=options).unchanged
        server.answers |= {f"/{FILES[0]}": Answer(AZURE.encode()[:-200])}
        with pytest.raises(FeedError, match="cut off"):
            sync(AzureLinux(), sink, now="2024-06-06T00:00:00Z", fetcher=fetcher, options=options)
        assert len(sink.records["azurelinux"]) == 3
