"""Oracle's errata in OVAL."""

from __future__ import annotations

from pathlib import Path

import pytest

from anchorecli.errors import FeedError
from anchorecli.feeds.rpm.oracle import Oracle
from anchorecli.feeds.sync import SyncOptions, sync
from anchorecli.model import Severity
from anchorecli.net import Fetcher
from tests.feeds.rpm.samples import bzipped, oval, said
from tests.feeds.samples import MemorySink, parsed, written
from tests.feeds.server import Answer, serving

HEAD = """<metadata><title>
{id}:  thing security update (IMPORTANT)
</title><reference source="elsa" ref_id="{id}"/><reference source="CVE" ref_id="CVE-2024-0001"/>
<advisory><severity>{severity}</severity><issued date="2024-01-02"/>
<cve cvss3="9.8/CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H">CVE-2024-0001</cve></advisory></metadata>"""


def package(name: str, evr: str) -> str:
    return (
        f'<criteria operator="AND"><criterion test_ref="t" comment="{name} is earlier than {evr}"/>'
        f'<criterion test_ref="t" comment="{name} is signed with the Oracle Linux 8 key"/></criteria>'
    )


def arch(name: str, *packages: str) -> str:
    return (
        f'<criteria operator="AND"><criterion test_ref="t" comment="Oracle Linux arch is {name}"/>'
        f'<criteria operator="OR">{"".join(packages)}</criteria></criteria>'
    )


def erratum(identifier: str, *inside: str, module: str = "", severity: str = "IMPORTANT") -> str:
    module = f'<criterion test_ref="t" comment="Module {module} is enabled"/>' if module else ""
    return (
        f'<definition id="oval:elsa:def:{identifier[5:]}" class="patch">'
        f'{HEAD.format(id=identifier, severity=severity)}<criteria operator="AND">'
        '<criterion test_ref="t" comment="Oracle Linux 8 is installed"/>'
        f'{module}<criteria operator="OR">{"".join(inside)}</criteria></criteria></definition>'
    )


def test_errata(tmp_path: Path) -> None:
    text = oval(
        erratum(
            "ELSA-2024-0001",
            arch("x86_64", package("thing", "1:2-3.0.1.el8"), package("thing-libs", "1:2-3.0.1.el8")),
            arch("aarch64", package("thing", "1:2-3.0.1.el8"), package("thing-libs", "1:2-3.0.2.el8")),
        )
        + erratum("ELSA-2024-0002", arch("x86_64", package("p", "0:1-1")), module="m:1", severity="N/A")
    )
    records, problems = parsed(Oracle(), written(tmp_path / "x.xml.bz2", bzipped(text)))
    assert problems == []
    record = records["ELSA-2024-0001"]
    assert said(record) == [
        ("ol:8", "thing", "..1:2-3.0.1.el8"),
        ("ol:8", "thing-libs", "..1:2-3.0.2.el8", "aarch64"),
        ("ol:8", "thing-libs", "..1:2-3.0.1.el8", "x86_64"),
    ]
    assert said(records["ELSA-2024-0002"]) == [("ol:8", "p", "..0:1-1", "m:1")]
    assert (record.aliases, record.severity, record.summary) == (
        ("CVE-2024-0001",),
        Severity.HIGH,
        "thing security update",
    )
    # Where the advisory's word is none the title's counts.
    assert records["ELSA-2024-0002"].severity is Severity.HIGH
    assert [each.score for each in record.cvss] == [9.8]
    assert record.published == record.modified == "2024-01-02T00:00:00Z"
    assert record.url == "https://linux.oracle.com/errata/ELSA-2024-0001.html"


def test_builds_for_ksplice_and_fips_are_left_out_and_counted(tmp_path: Path) -> None:
    ksplice = (
        '<criteria operator="AND"><criterion test_ref="t" comment="openssl is earlier than 2:1.1-5.ksplice1.el8"/>'
        '<criterion test_ref="t" comment="openssl is ksplice-based"/></criteria>'
    )
    text = oval(
        erratum("ELSA-2024-0001", ksplice)
        + erratum("ELSA-2024-0002", package("gnutls", "10:3-4.el8_fips"), package("other", "0:1-1"))
    )
    records, problems = parsed(Oracle(), written(tmp_path / "x.xml", text))
    assert {name: said(each) for name, each in records.items()} == {"ELSA-2024-0002": [("ol:8", "other", "..0:1-1")]}
    assert [(each.message, each.incomplete) for each in problems] == [("2 builds for them left out", False)]


def test_a_definition_that_is_no_erratum_is_a_problem(tmp_path: Path) -> None:
    text = oval(
        erratum("ELSA-2024-0001", package("p", "0:1-1")).replace("ELSA-2024-0001:", "News:")
        + erratum("ELSA-2024-0002")
        + erratum("ELSA-2024-0003", package("p", "0:1-1"))
    )
    records, problems = parsed(Oracle(), written(tmp_path / "x.xml", text))
    assert list(records) == ["ELSA-2024-0003"]
    assert [each.message for each in problems] == [
        "not an erratum by its title: 'News: thing security update (IMPORTANT)'",
        "it names no package of a release",
    ]


def test_what_is_cut_off_leaves_the_old_records() -> None:
    whole = bzipped(oval("".join(erratum(f"ELSA-2024-{n:04}", package("p", f"0:{n}-1")) for n in range(1, 200))))
    with serving(x=Answer(whole, etag=True)) as server:
        sink, fetcher = MemorySink(), Fetcher(sleep=lambda seconds: None)
        options = SyncOptions(url=f"{server.url}/x")
        first = sync(Oracle(), sink, now="2024-06-03T00:00:00Z", fetcher=fetcher, options=options)
        assert first.state.records == 199
        assert sync(Oracle(), sink, now="2024-06-04T00:00:00Z", fetcher=fetcher, options=options).unchanged
        for broken in (whole[:-40], bzipped("<html/>"), b"", bzipped(oval(""))):
            server.answers["/x"] = Answer(broken)
            with pytest.raises(FeedError):
                sync(Oracle(), sink, now="2024-06-05T00:00:00Z", fetcher=fetcher, options=options)
            assert len(sink.records["oracle"]) == 199


def test_an_erratum_that_was_issued_again_is_one_of_its_own(tmp_path: Path) -> None:
    text = oval(
        erratum("ELSA-2024-1196", arch("x86_64", package("kernel", "0:1-1")))
        + erratum("ELSA-2024-1196-1", arch("x86_64", package("kernel", "0:1-2")))
    )
    records, problems = parsed(Oracle(), written(tmp_path / "x.xml", text))
    assert problems == []
    assert {name: said(each)[0][2] for name, each in records.items()} == {
        "ELSA-2024-1196": "..0:1-1",
        "ELSA-2024-1196-1": "..0:1-2",
    }
    assert {each.summary for each in records.values()} == {"thing security update"}
