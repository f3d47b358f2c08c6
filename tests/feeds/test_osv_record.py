from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchorecli.feeds.osv_record import moment, read
from anchorecli.model import Advisory, Range, Severity, Statement
from tests.feeds.samples import affected, osv


def one(record: dict[str, Any]) -> Advisory:
    found = read(record, "f", lambda ecosystem: True)
    assert found is not None
    return found


def ranges(*events: dict[str, str], **more: Any) -> tuple[Range, ...]:
    return one(osv("X-1", affected("p", *events, **more))).affected[0].ranges


def test_a_record_of_github() -> None:
    found = one(
        osv(
            "GHSA-xxxx-yyyy-zzzz",
            affected("Some_Package", {"introduced": "0"}, {"fixed": "19.5.0"}),
            aliases=["CVE-2018-1000164", "PYSEC-2018-55"],
            related=["CVE-2000-0001"],
            summary="A  thing\thappens",
            published="2018-07-12T20:30:49Z",
            modified="2024-09-20T21:24:45.000499Z",
            severity=[{"type": "CVSS_V3", "score": "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N"}],
            database_specific={"severity": "MODERATE"},
        )
    )
    assert found.aliases == ("CVE-2018-1000164", "PYSEC-2018-55")
    assert found.severity is Severity.MEDIUM  # the word, not the score
    assert [(each.version, each.score) for each in found.cvss] == [("3.0", 7.5)]
    assert found.summary == "A thing happens"
    assert (found.published, found.modified) == ("2018-07-12T20:30:49Z", "2024-09-20T21:24:45Z")
    assert found.url == "https://github.com/advisories/GHSA-xxxx-yyyy-zzzz"
    (statement,) = found.affected
    assert (statement.ecosystem, statement.package, statement.scheme) == ("pypi", "some-package", "pep440")
    assert statement.statement is Statement.AFFECTED
    assert statement.ranges == (Range(fixed="19.5.0"),)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([{"introduced": "0"}], (Range(),)),
        ([{"introduced": "1"}, {"last_affected": "2"}], (Range("1", last_affected="2"),)),
        (
            [{"introduced": "0"}, {"fixed": "1.5"}, {"introduced": "2"}, {"fixed": "2.5"}, {"introduced": "3"}],
            (Range(fixed="1.5"), Range("2", "2.5"), Range("3")),
        ),
        # Unordered: the schema says to sort them by version.
        (
            [{"introduced": "0"}, {"introduced": "2"}, {"fixed": "2.5"}, {"fixed": "1.5"}],
            (Range(fixed="1.5"), Range("2", "2.5")),
        ),
        ([{"fixed": "1.10"}, {"introduced": "1.9"}], (Range("1.9", "1.10"),)),
        # In turn, but not in order: Bitnami's redis has an end that belongs to another beginning.
        (
            [
                {"introduced": "2"},
                {"fixed": "6"},
                {"introduced": "7"},
                {"fixed": "6"},
                {"introduced": "8"},
                {"fixed": "9"},
            ],
            (Range("2", "6"), Range("7", "9")),
        ),
        ([{"introduced": "0"}, {"fixed": "1.5"}, {"fixed": "1.7"}], (Range(fixed="1.5"),)),
        ([{"introduced": "1"}, {"introduced": "0"}, {"fixed": "2"}], (Range(fixed="2"),)),
        ([{"introduced": "0"}, {"limit": "2"}], (Range(fixed="2"),)),
        ([{"introduced": "0"}, {"limit": "*"}], (Range(),)),
        ([{"introduced": "0", "fixed": "1"}], (Range(fixed="1"),)),
    ],
)
def test_events_become_intervals(events: list[dict[str, str]], expected: tuple[Range, ...]) -> None:
    assert ranges(*events) == expected


@pytest.mark.parametrize(
    ("events", "known", "expected"),
    [
        ([{"introduced": "1"}], "<= 2.3", Range("1", last_affected="2.3")),
        ([{"introduced": "0"}], "< 2.3", Range(fixed="2.3")),
        ([{"introduced": "0"}, {"fixed": "3"}], "<= 2.3", Range(fixed="3")),
        ([{"introduced": "0"}], ">= 1, < 2", Range()),
        ([{"introduced": "0"}], 7, Range()),
    ],
)
def test_githubs_last_known_version_bounds_what_is_open(events: list[Any], known: Any, expected: Range) -> None:
    assert ranges(*events, database_specific={"last_known_affected_version_range": known}) == (expected,)


def test_enumerated_versions_stay_where_no_range_holds_them() -> None:
    events = ({"introduced": "0"}, {"fixed": "2.0"})
    (statement,) = one(
        osv("X-1", affected("p", *events, versions=["1.0", "1.9", "2.0rc1", "2.0", "odd", "1.0"]))
    ).affected
    # odd cannot be compared: nothing proves that the range holds it
    assert statement.versions == ("2.0", "odd")
    (statement,) = one(osv("X-1", affected("p", versions=["1.0", "1.0", "3"]))).affected
    assert (statement.ranges, statement.versions) == ((), ("1.0", "3"))
    (statement,) = one(osv("X-1", affected("p", {"introduced": "0"}, versions=["1.0", "odd"]))).affected
    assert (statement.ranges, statement.versions) == ((Range(),), ())
    (statement,) = one(osv("X-1", affected("p", *events, ecosystem="Debian:12", versions=["1.0-1", "1.9-1"]))).affected
    assert statement.versions == ()


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Withdrawn: Arbitrary code execution in x", "2024-09-20T21:24:45Z"),
        ("Withdrawn Advisory: x", "2024-09-20T21:24:45Z"),
        ("WITHDRAWN", "2024-09-20T21:24:45Z"),
        ("**Withdrawn:** x", "2024-09-20T21:24:45Z"),
        ("Withdrawn funds: a denial of service", ""),
        ("Money can be withdrawn: x", ""),
    ],
)
def test_a_title_tells_that_a_record_was_withdrawn(title: str, expected: str) -> None:
    record = osv("GHSA-1", affected("x", {"introduced": "0"}), summary=title, modified="2024-09-20T21:24:45Z")
    assert one(record).withdrawn == expected
    assert one(record | {"withdrawn": "2024-01-01T00:00:00Z"}).withdrawn == "2024-01-01T00:00:00Z"


def test_statements_about_one_package_are_put_together() -> None:
    found = one(
        osv(
            "X-1",
            affected("p", {"introduced": "0"}, {"fixed": "1"}),
            affected("other", {"introduced": "0"}),
            affected("P", {"introduced": "2"}, {"fixed": "3"}, versions=["9"]),
        )
    )
    assert [(each.package, each.ranges, each.versions) for each in found.affected] == [
        ("p", (Range(fixed="1"), Range("2", "3")), ("9",)),
        ("other", (Range(),), ()),
    ]


def test_commits_say_nothing_of_versions() -> None:
    git = affected("p", {"introduced": "0"}, kind="GIT")
    # Never "no ranges", which would mean every version.
    assert [each.package for each in one(osv("X-1", git, affected("q", {"introduced": "0"}))).affected] == ["q"]
    with pytest.raises(ValueError, match="no range"):
        read(osv("X-1", git), "f", lambda ecosystem: True)
    assert one(osv("X-1", git, withdrawn="2024-01-01T00:00:00Z")).withdrawn == "2024-01-01T00:00:00Z"


def test_other_ecosystems_belong_to_other_feeds() -> None:
    record = osv("X-1", affected("p", {"introduced": "0"}), affected("p", {"introduced": "0"}, ecosystem="npm"))
    found = read(record, "f", lambda ecosystem: ecosystem == "npm")
    assert found is not None
    assert [each.ecosystem for each in found.affected] == ["npm"]
    assert read(record, "f", lambda ecosystem: False) is None
    assert read(osv("X-1", {"package": {}}, {"ranges": []}), "f", lambda ecosystem: True) is None


def test_an_erratum_of_almalinux() -> None:
    found = one(
        osv(
            "ALSA-2022:9073",
            affected("nodejs", {"introduced": "0"}, {"fixed": "1:16.18.1-3.module_el8.7.0+1"}, ecosystem="AlmaLinux:8"),
            affected("npm", {"introduced": "0"}, {"fixed": "1:8.19.2-1.el8"}, ecosystem="AlmaLinux:8"),
            summary="Moderate: nodejs:16 security, bug fix, and enhancement update",
            related=["CVE-2021-44906", "RHSA-2022:9073"],
        )
    )
    assert found.aliases == ("CVE-2021-44906",)
    assert found.severity is Severity.MEDIUM
    assert [(each.ecosystem, each.scheme, each.module) for each in found.affected] == [
        ("almalinux:8", "rpm", "nodejs:16"),
        ("almalinux:8", "rpm", ""),
    ]


@pytest.mark.parametrize(
    ("title", "modules"),
    [
        ("Low: virt:rhel and virt-devel:rhel security update", ["virt:rhel", "virt-devel:rhel"]),
        ("Low: nodejs:16, nodejs:18 security update", ["nodejs:16", "nodejs:18"]),
        ("Important: varnish security update", [""]),
    ],
)
def test_a_title_limits_a_statement_to_the_modules_it_names(title: str, modules: list[str]) -> None:
    entry = affected("libvirt", {"introduced": "0"}, {"fixed": "8.0-1.module_el8+1"}, ecosystem="AlmaLinux:8")
    found = one(osv("ALSA-1:1", entry, summary=title))
    assert [each.module for each in found.affected] == modules
    assert {each.ranges for each in found.affected} == {(Range(fixed="8.0-1.module_el8+1"),)}


def test_bug_fixes_count_only_with_a_cve() -> None:
    entry = affected("x", {"introduced": "0"}, {"fixed": "1-1"}, ecosystem="AlmaLinux:8")
    assert read(osv("ALBA-2022:1", entry), "f", lambda ecosystem: True) is None
    assert one(osv("ALBA-2022:1", entry, related=["CVE-2022-1111"])).aliases == ("CVE-2022-1111",)


def test_errata_name_cves_by_links_too() -> None:
    entry = affected("x", {"introduced": "0"}, {"fixed": "1-1"}, ecosystem="AlmaLinux:8")
    pages = ("https://vulners.com/cve/CVE-2019-8320", "https://bugzilla.example/1?see=CVE-2019-9999&more", "")
    links = [{"type": "REPORT", "url": page} for page in pages]
    assert one(osv("ALBA-2019:3384", entry, references=links)).aliases == ("CVE-2019-8320",)
    erratum = osv("ALSA-2025:23141", entry, references=links, related=["CVE-2025-1111"])
    assert one(erratum).aliases == ("CVE-2025-1111", "CVE-2019-8320")
    # A page about a library's advisory may link to any CVE.
    assert one(osv("GHSA-1", affected("x", {"introduced": "0"}), references=links)).aliases == ()


def test_upstream_is_an_alias_and_keeps_related_out() -> None:
    entry = affected("x", {"introduced": "0"}, ecosystem="Debian:12", ecosystem_specific={"urgency": "unimportant"})
    found = one(osv("DEBIAN-CVE-2024-1", entry, upstream=["CVE-2024-11111"], related=["CVE-2024-22222"]))
    assert found.aliases == ("CVE-2024-11111",)
    assert found.affected[0].severity is Severity.NEGLIGIBLE


def test_a_distributors_name_for_a_cve_is_that_cve_too() -> None:
    entry = affected("wayland", {"introduced": "0"}, {"fixed": "1.16"}, ecosystem="Ubuntu:18.04:LTS")
    usn = one(osv("USN-5614-1", entry, upstream=["UBUNTU-CVE-2021-3782"], related=["CVE-2022-22222"]))
    assert usn.aliases == ("UBUNTU-CVE-2021-3782", "CVE-2021-3782")
    assert one(osv("ALPINE-CVE-2021-3782", entry)).aliases == ("CVE-2021-3782",)


@pytest.mark.parametrize(
    ("more", "severity"),
    [
        ({}, Severity.UNKNOWN),
        (
            {"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]},
            Severity.CRITICAL,
        ),
        ({"severity": [{"type": "CVSS_V2", "score": "AV:N/AC:L/Au:N/C:P/I:P/A:P"}]}, Severity.HIGH),
        ({"severity": [{"type": "CVSS_V4", "score": "CVSS:4.0/AV:N"}]}, Severity.UNKNOWN),
        ({"severity": [{"type": "Ubuntu", "score": "negligible"}]}, Severity.NEGLIGIBLE),
        (
            {"severity": [{"type": "CVSS_V3", "score": "rubbish"}], "database_specific": {"severity": "LOW"}},
            Severity.LOW,
        ),
        ({"summary": "High: not a word errata use but one we know"}, Severity.HIGH),
    ],
)
def test_severities(more: dict[str, Any], severity: Severity) -> None:
    assert one(osv("X-1", **more)).severity is severity


def test_malicious_packages_are_critical() -> None:
    found = one(osv("MAL-2022-7421", affected("ascii2text", {"introduced": "0"})))
    assert (found.severity, found.affected[0].ranges) == (Severity.CRITICAL, (Range(),))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
        ("2024-01-01T00:00:00.123456789Z", "2024-01-01T00:00:00Z"),
        ("2024-01-01T00:00:00+00:00", "2024-01-01T00:00:00Z"),
        ("0001-01-01T00:00:00Z", ""),
        ("yesterday\n", ""),
        ("", ""),
    ],
)
def test_moments(text: str, expected: str) -> None:
    assert moment(text) == expected


@pytest.mark.parametrize(
    "record",
    [
        None,
        [],
        "text",
        {},
        {"id": 7, "affected": []},
        {"id": "has space", "affected": []},
        osv("X-1", affected={}),
        osv("X-1", affected=["x"]),
        osv("X-1", {"package": "p"}),
        osv("X-1", {"package": {"ecosystem": "PyPI"}}),
        osv("X-1", affected("a\nb", {"introduced": "0"})),
        osv("X-1", affected("p", ranges={})),
        osv("X-1", affected("p", ranges=[7])),
        osv("X-1", affected("p", ranges=[{"type": "ECOSYSTEM", "events": {"introduced": "0"}}])),
        osv("X-1", affected("p", {"introduced": 0})),  # type: ignore[dict-item]
        osv("X-1", affected("p", {"fixed": "1.0"})),
        osv("X-1", affected("p", {"invented": "1.0"})),
        osv("X-1", affected("p", {"introduced": "1\t2"})),
        osv("X-1", affected("p", {"introduced": "0"}, versions=[7])),
        osv("X-1", affected("p", {"introduced": "0"}, versions=["1\n2"])),
        osv("X-1", aliases="CVE-1"),
        osv("X-1", severity=["high"]),
        osv("X-1", published=7),
        osv("X-1", affected("p", {"introduced": "odd one"}, {"introduced": "rubbish!"}, {"fixed": "2"})),
    ],
)
def test_what_the_schema_does_not_allow_is_an_error(record: Any) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read(record, "f", lambda ecosystem: True)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["id", "affected", "package", "ecosystem", "name", "ranges", "type", "events", "introduced", "fixed",
         "severity", "versions", "aliases", "database_specific", "summary"]), inner, max_size=5),
    max_leaves=25,
)  # fmt: skip


@given(anything, anything, anything)
def test_no_record_ends_in_a_traceback(record: Any, entry: Any, package: Any) -> None:
    for made in (record, {"id": "X-1", "affected": [entry]}, {"id": "X-1", "affected": [{"package": package}]}):
        try:
            read(json.loads(json.dumps(made)), "f", lambda ecosystem: True)
        except ValueError:
            pass
