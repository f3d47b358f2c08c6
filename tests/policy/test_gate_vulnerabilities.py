"""Gate vulnerabilities: what fires, what does not, with the ids and messages of Anchore Engine."""

from __future__ import annotations

from hashlib import md5

import pytest

from anchorecli.model import Cvss, FeedState, FixState, MatchVerdict, Severity, Status
from anchorecli.policy.evaluate import evaluate

from .evidence import DEBIAN, FEED, bundle, evidence, fired, match, messages, package, rule_line

GEM = package("rack", "2.0", "gem", "usr/lib/ruby/specifications/rack-2.0.gemspec")
JAR = package("log4j:log4j", "1.2", "maven", "app/lib/log4j-1.2.jar")
NPM = package(
    "lodash", "4.0.0", "npm", "srv/a/node_modules/lodash/package.json", "srv/b/node_modules/lodash/package.json"
)
WHEEL = package("flask", "2.0", "pypi", "usr/lib/python3/site-packages/flask-2.0.dist-info/METADATA")


def ids(given, **params):
    return [identity for identity, _ in fired("vulnerabilities", "package", given, package_type="all", **params)]


def count(given, **params):
    return len(fired("vulnerabilities", "package", given, **({"package_type": "all"} | params)))


@pytest.mark.parametrize(
    ("of", "expected", "message"),
    [
        (
            package(),
            "CVE-2025-1+openssl",
            "HIGH Vulnerability found in os package type (dpkg) - openssl "
            "(fixed in: 3.0.2-1)(CVE-2025-1 - https://example.org/CVE-2025-1)",
        ),
        (
            package("musl", "1-r0", "apk"),
            "CVE-2025-1+musl",
            "HIGH Vulnerability found in os package type (APKG) - musl "
            "(fixed in: 3.0.2-1)(CVE-2025-1 - https://example.org/CVE-2025-1)",
        ),
        (
            GEM,
            "CVE-2025-1+rack-2.0.gemspec",
            "HIGH Vulnerability found in non-os package type (gem) - /usr/lib/ruby/specifications/rack-2.0.gemspec "
            "(fixed in: 3.0.2-1)(CVE-2025-1 - https://example.org/CVE-2025-1)",
        ),
        (
            JAR,
            "CVE-2025-1+log4j-1.2.jar",
            "HIGH Vulnerability found in non-os package type (java) - /app/lib/log4j-1.2.jar "
            "(fixed in: 3.0.2-1)(CVE-2025-1 - https://example.org/CVE-2025-1)",
        ),
        (
            NPM,
            "CVE-2025-1+lodash",
            "HIGH Vulnerability found in non-os package type (npm) - /srv/a/node_modules/lodash/package.json "
            "(fixed in: 3.0.2-1)(CVE-2025-1 - https://example.org/CVE-2025-1)",
        ),
        (
            WHEEL,
            "CVE-2025-1+flask-2.0",
            "HIGH Vulnerability found in non-os package type (python) - "
            "/usr/lib/python3/site-packages/flask-2.0.dist-info/METADATA "
            "(fixed in: 3.0.2-1)(CVE-2025-1 - https://example.org/CVE-2025-1)",
        ),
        (
            package("x", "1", "golang"),
            "CVE-2025-1+x-1",
            "HIGH Vulnerability found in non-os package type (go) - x-1 "
            "(fixed in: 3.0.2-1)(CVE-2025-1 - https://example.org/CVE-2025-1)",
        ),
    ],
    ids=["deb", "apk", "gem", "jar", "npm", "wheel", "go"],
)
def test_ids_and_messages_by_type(of, expected, message):
    given = evidence([of], [match(of=of)])
    assert fired("vulnerabilities", "package", given, package_type="all") == [(expected, message)]


def test_without_a_fix_the_message_has_no_group():
    given = evidence(matches=[match(fixed_in=())])
    assert messages("vulnerabilities", "package", given, package_type="os") == [
        "HIGH Vulnerability found in os package type (dpkg) - openssl (CVE-2025-1 - https://example.org/CVE-2025-1)"
    ]


def test_package_type_divides():
    given = evidence(matches=[match("CVE-2025-1"), match("CVE-2025-2", WHEEL)])
    assert [count(given, package_type=kind) for kind in ("all", "os", "non-os")] == [2, 1, 1]


@pytest.mark.parametrize(
    ("params", "severities"),
    [
        ({}, "negligible low medium high critical"),
        ({"severity": "medium"}, "high critical"),
        ({"severity": "medium", "severity_comparison": "="}, "medium"),
        ({"severity": "medium", "severity_comparison": "!="}, "unknown negligible low high critical"),
        ({"severity": "low", "severity_comparison": "<"}, "unknown negligible"),
        ({"severity": "low", "severity_comparison": "<="}, "unknown negligible low"),
        ({"severity": "critical", "severity_comparison": ">="}, "critical"),
        ({"severity_comparison": ">="}, "unknown negligible low medium high critical"),
    ],
)
def test_severities(params, severities):
    given = evidence(matches=[match(f"CVE-2025-{each.value}", severity=each) for each in Severity])
    assert ids(given, **params) == [f"CVE-2025-{Severity.parse(word).value}+openssl" for word in severities.split()]


def test_what_the_vendor_will_not_fix():
    given = evidence(matches=[match(fix_state=FixState.WONT_FIX, fixed_in=())])
    assert count(given) == 0
    assert count(given, vendor_only=False) == 1
    assert count(given, vendor_only="False") == 1


def test_fix_available():
    given = evidence(matches=[match("CVE-2025-1"), match("CVE-2025-2", fixed_in=())])
    assert ids(given, fix_available=True) == ["CVE-2025-1+openssl"]
    assert ids(given, fix_available="false") == ["CVE-2025-2+openssl"]
    assert count(given) == 2


def test_age():
    young, old = match("CVE-2025-1", published="2025-06-14T00:00:00Z"), match("CVE-2025-2", published="2025-01-01")
    given = evidence(matches=[young, old, match("CVE-2025-3")])
    assert ids(given, max_days_since_creation=7) == ["CVE-2025-2+openssl", "CVE-2025-3+openssl"]
    assert ids(given, max_days_since_fix=7, fix_available=True) == ["CVE-2025-2+openssl", "CVE-2025-3+openssl"]
    assert len(ids(given, max_days_since_fix=7)) == 3
    shown = messages("vulnerabilities", "package", given, package_type="all", max_days_since_creation=7)
    assert "(fixed in: 3.0.2-1)(max_days_since_creation=2025-01-01)(CVE-2025-2 - " in shown[0]


NVD = Cvss("3.1", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8, "nvd@nist.gov")
VENDOR = Cvss("3.1", "CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", 6.2, "redhat")


@pytest.mark.parametrize(
    ("params", "fires"),
    [
        ({"cvss_v3_base_score": 9.8}, True),
        ({"cvss_v3_base_score": "9.8", "cvss_v3_base_score_comparison": ">"}, False),
        ({"cvss_v3_exploitability_score": 3.9, "cvss_v3_exploitability_score_comparison": "="}, True),
        ({"cvss_v3_impact_score": 5.9, "cvss_v3_impact_score_comparison": "="}, True),
        ({"cvss_v3_impact_score": 6}, False),
        ({"vendor_cvss_v3_base_score": 6.2, "vendor_cvss_v3_base_score_comparison": "="}, True),
        ({"vendor_cvss_v3_base_score": 7}, False),
        ({"vendor_cvss_v3_impact_score": 3.6, "vendor_cvss_v3_exploitability_score": 2.5}, True),
        ({"cvss_v3_base_score": 9, "vendor_cvss_v3_base_score": 7}, False),
        ({"cvss_v3_base_score": ""}, True),
    ],
)
def test_cvss_scores(params, fires):
    assert count(evidence(matches=[match(cvss=(VENDOR, NVD))]), **params) == fires


def test_tested_scores_are_in_the_message():
    given = evidence(matches=[match(cvss=(NVD, VENDOR))])
    params = {"cvss_v3_base_score": 9, "cvss_v3_impact_score": 1, "vendor_cvss_v3_base_score": 6}
    (message,) = messages("vulnerabilities", "package", given, package_type="all", **params)
    groups = "(fixed in: 3.0.2-1)(cvss_v3_base_score=9.8 cvss_v3_impact_score=5.9)(vendor_cvss_v3_base_score=6.2)"
    assert groups + "(CVE-2025-1 - " in message


def test_a_missing_score_is_minus_one_and_said():
    given = evidence(matches=[match()])
    assert count(given, cvss_v3_base_score=0) == 0
    assert count(given, cvss_v3_base_score=0, cvss_v3_base_score_comparison="<") == 1
    verdict = evaluate(bundle(rule_line("vulnerabilities", "package", package_type="all", cvss_v3_base_score=0)), given)
    assert verdict.status is Status.PASS
    assert "vulnerabilities without one: 1" in verdict.problems[0].message
    assert not verdict.problems[0].incomplete


def test_without_a_score_by_nvd_another_counts():
    given = evidence(matches=[match(cvss=(VENDOR, Cvss("2.0", "", 10.0, "nvd")))])
    assert count(given, cvss_v3_base_score=6.2, cvss_v3_base_score_comparison="=") == 1


def test_excluded_paths_concern_other_than_os_packages():
    given = evidence(matches=[match("CVE-2025-1"), match("CVE-2025-2", NPM), match("CVE-2025-3", WHEEL)])
    assert ids(given, package_path_exclude="/srv/a/.*") == [
        "CVE-2025-1+openssl",
        "CVE-2025-2+lodash",
        "CVE-2025-3+flask-2.0",
    ]
    assert ids(given, package_path_exclude="/srv/") == ["CVE-2025-1+openssl", "CVE-2025-3+flask-2.0"]
    assert ids(given, package_path_exclude=".*") == ["CVE-2025-1+openssl"]
    assert len(ids(given, package_path_exclude="srv")) == 3


def test_suppressed_matches_never_fire():
    given = evidence(matches=[match(suppressed="the distribution's data settles it")])
    assert count(given) == 0
    assert messages("vulnerabilities", "blacklist", given, vulnerability_ids="CVE-2025-1") == []


def test_a_version_nobody_can_read_fires_and_is_a_problem():
    odd = package(version="?!")
    given = evidence([odd], [match(of=odd, verdict=MatchVerdict.UNKNOWN)])
    rule = rule_line("vulnerabilities", "package", "WARN", package_type="all")
    verdict = evaluate(bundle(rule), given)
    assert [finding.trigger_id for finding in verdict.findings] == ["CVE-2025-1+openssl"]
    assert verdict.status is Status.INDETERMINATE
    assert "could not be compared" in verdict.problems[0].message
    assert verdict.problems[0].subject == odd.purl


def test_the_same_finding_of_two_architectures_is_one():
    other = package(arch="i386")
    given = evidence(matches=[match(), match(of=other)])
    assert ids(given) == ["CVE-2025-1+openssl"]


def test_the_finding_knows_its_match():
    verdict = evaluate(bundle(rule_line("vulnerabilities", "package", package_type="all")), evidence(matches=[match()]))
    assert verdict.findings[0].match_id == "CVE-2025-1"


@pytest.mark.parametrize(
    ("wanted", "params", "shown"),
    [
        ("CVE-2025-2,CVE-2025-1", {}, "['CVE-2025-1', 'CVE-2025-2']"),
        ("CVE-2025-1", {}, "['CVE-2025-1']"),
        ("GHSA-aaaa", {}, "['GHSA-aaaa']"),
        ("CVE-2025-3", {"vendor_only": False}, "['CVE-2025-3']"),
        ("CVE-2025-3", {}, ""),
        ("CVE-2025-10", {}, ""),
    ],
)
def test_blacklist(wanted, params, shown):
    given = evidence(
        matches=[
            match("CVE-2025-1", aliases=("GHSA-aaaa",)),
            match("CVE-2025-2", WHEEL),
            match("CVE-2025-3", fix_state=FixState.WONT_FIX),
        ]
    )
    message = f"Blacklisted vulnerabilities detected: {shown}"
    identity = md5(f"vulnerabilitiesblacklist{message}".encode()).hexdigest()
    expected = [(identity, message)] if shown else []
    assert fired("vulnerabilities", "blacklist", given, vulnerability_ids=wanted, **params) == expected


def feed(updated_at: str, *ecosystems: str, **fields) -> FeedState:
    return FeedState(f"feed{updated_at}", 1, 10, updated_at=updated_at, ecosystems=ecosystems, **fields)


@pytest.mark.parametrize(
    ("feeds", "packages", "fires"),
    [
        ([FEED], [package()], False),
        ([feed("2025-06-13T12:00:00Z", "debian:12")], [package()], False),
        ([feed("2025-06-13T11:59:00Z", "debian:12")], [package()], True),
        ([feed("2025-01-01", "debian:12"), feed("2025-06-15", "debian:12")], [package()], False),
        ([feed("", "debian:12")], [package()], True),
        ([feed("2025-06-15", "debian:12", starter=True)], [package()], True),
        ([feed("2025-06-15", "debian:11")], [package()], True),
        ([], [package()], True),
        ([], [], False),
        ([FEED], [WHEEL], False),
        ([feed("2025-06-15", "debian:12"), feed("2025-01-01", "pypi")], [package(), WHEEL], True),
        ([feed("2025-06-15", "debian:12")], [package(), package("yaml", "1", "pypi", owner="pkg:deb/x@1")], False),
    ],
)
def test_stale_feed_data(feeds, packages, fires):
    given = evidence(packages, feeds=tuple(feeds))
    message = "The vulnerability feed for this image distro is older than MAXAGE (2) days"
    identity = md5(f"vulnerabilitiesstale_feed_data{message}".encode()).hexdigest()
    found = fired("vulnerabilities", "stale_feed_data", given, max_days_since_sync=2)
    assert found == ([(identity, message)] if fires else [])


@pytest.mark.parametrize(
    ("distro", "packages", "covered", "shown"),
    [
        (DEBIAN, [package()], {"debian:12"}, ""),
        (DEBIAN, [package()], {"debian:11", "pypi"}, "debian:12"),
        (DEBIAN, [], set(), "debian:12"),
        (None, [package()], {"debian:12"}, "Unknown:0"),
        (None, [WHEEL], set(), ""),
        (None, [], set(), ""),
    ],
)
def test_vulnerability_data_unavailable(distro, packages, covered, shown):
    given = evidence(packages, distro=distro, covered=frozenset(covered))
    message = (
        f"Distro-specific feed data not found for distro namespace: {shown}. Cannot perform CVE scan OS/distro packages"
    )
    identity = md5(f"vulnerabilitiesvulnerability_data_unavailable{message}".encode()).hexdigest()
    found = fired("vulnerabilities", "vulnerability_data_unavailable", given)
    assert found == ([(identity, message)] if shown else [])


def test_what_matching_looked_up_counts():
    given = evidence([package()], covered=frozenset({"devuan:5"}), looked_up={"deb": ("devuan:5",)})
    assert messages("vulnerabilities", "vulnerability_data_unavailable", given) == []
