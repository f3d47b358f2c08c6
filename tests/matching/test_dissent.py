"""Feeds that disagree, and what is known of a CVE whoever matched it."""

from __future__ import annotations

from anchorecli.model import Advisory, Affected, Cvss, Location, Package, Range, Severity, Statement
from tests.matching.feeds import Feeds, advisory, affected, package

CVE, GHSA = "CVE-2024-0001", "GHSA-aaaa-bbbb-cccc"


def crate(name: str, version: str, **more: object) -> Package:
    return package(name, version, "cargo", **more)


def says(feed: str, identifier: str, *ranges: Range, aliases: tuple[str, ...] = (CVE,), **more: object) -> Advisory:
    severity = more.pop("severity", Severity.UNKNOWN)
    statement = Affected("cargo", "c", "cargo", ranges=ranges, **more)  # type: ignore[arg-type]
    return Advisory(identifier, feed, aliases=aliases, severity=severity, affected=(statement,))  # type: ignore[arg-type]


WIDE = says("ghsa", GHSA, Range(fixed="2.0.0"), severity=Severity.HIGH)


def test_a_claim_is_enough_and_who_thinks_otherwise_is_named() -> None:
    narrow = says("rustsec", "RUSTSEC-2024-0001", Range(fixed="1.7.5"), Range("1.9.0", fixed="2.0.0"))
    (found,) = Feeds([WIDE, narrow]).match(crate("c", "1.8.0")).matches
    assert (found.advisory, found.suppressed) == (GHSA, "")
    assert (
        found.why == "1.8.0 < 2.0.0 (cargo); rustsec leaves this version out (RUSTSEC-2024-0001: fixed in 1.7.5, 2.0.0)"
    )
    # The other way round too: whose word leads does not matter.
    (found,) = (
        Feeds([says("ghsa", GHSA, Range(fixed="1.0.0")), says("rustsec", "RUSTSEC-2024-0001")])
        .match(crate("c", "1.8.0"))
        .matches
    )
    assert (found.advisory, found.why.partition("; ")[2]) == (
        "RUSTSEC-2024-0001",
        f"ghsa leaves this version out ({GHSA}: fixed in 1.0.0)",
    )


def test_where_all_agree_or_say_nothing_of_it_there_is_nothing_to_tell() -> None:
    same = says("rustsec", "RUSTSEC-2024-0001", Range(fixed="1.9.0"))
    other = says("rustsec", "RUSTSEC-2024-0002", Range(fixed="1.0.0"), aliases=("CVE-2024-0002",))
    gone = Advisory("RUSTSEC-2024-0003", "rustsec", (CVE,), withdrawn="2024-01-01T00:00:00Z", affected=other.affected)
    for another in (same, other, gone):
        (found,) = Feeds([WIDE, another]).match(crate("c", "1.8.0")).matches
        assert ";" not in found.why
    # A second record of the same feed that leaves the version out is another part of the same word.
    again = says("ghsa", "GHSA-dddd-eeee-ffff", Range(fixed="1.0.0"))
    (found,) = Feeds([WIDE, again, other]).match(crate("c", "1.8.0")).matches
    assert ";" not in found.why


def test_a_statement_of_another_system_says_so() -> None:
    windows = says("rustsec", "RUSTSEC-2024-0001", arches=("windows",))
    (found,) = Feeds([WIDE, windows]).match(crate("c", "1.8.0")).matches
    assert found.suppressed == "rustsec knows it on windows alone (RUSTSEC-2024-0001)"
    (found,) = Feeds([WIDE, windows]).match(crate("c", "1.8.0", locations=(Location("app/c.exe"),))).matches
    assert (found.suppressed, found.advisory) == ("", "RUSTSEC-2024-0001")
    # A lesser source's limit is an objection, no more.
    best = says("rustsec", "RUSTSEC-2024-0001", Range(fixed="2.0.0"))
    (found,) = Feeds([best, says("ghsa", GHSA, arches=("windows",))]).match(crate("c", "1.8.0")).matches
    assert (found.suppressed, found.why.partition("; ")[2]) == ("", f"ghsa leaves this version out ({GHSA})")


def test_a_claim_by_cpe_gives_way_to_whoever_knows_the_program() -> None:
    nvd = Advisory(CVE, "nvd", affected=(Affected("nvd", "nginx:nginx", "cpe", ranges=(Range(fixed="1.25"),)),))
    fixed = Affected("bitnami", "nginx", "fuzzy", ranges=(Range("1.21", fixed="1.21.5"),))
    bitnami = Advisory("BIT-nginx-2024-1", "bitnami", aliases=(CVE,), affected=(fixed,))
    nginx = Package("nginx", "1.22.0", "generic", "fuzzy", cpes=("cpe:2.3:a:nginx:nginx:1.22.0:*:*:*:*:*:*:*",))
    (found,) = Feeds([nvd, bitnami]).match(nginx).matches
    assert found.suppressed == "bitnami leaves this version out (BIT-nginx-2024-1: fixed in 1.21.5)"
    # Of what Bitnami does not know the CPE's word is all there is.
    (found,) = Feeds([nvd]).match(nginx).matches
    assert (found.suppressed, found.fixed_in) == ("", ("1.25",))
    # Two claims by CPE are equals.
    cisa = Advisory(
        CVE, "vulnrichment", affected=(Affected("nvd", "nginx:nginx", "cpe", ranges=(Range(fixed="1.2"),)),)
    )
    (found,) = Feeds([nvd, cisa]).match(nginx).matches
    assert (found.suppressed, found.why.partition("; ")[2]) == (
        "",
        f"vulnrichment leaves this version out ({CVE}: fixed in 1.2)",
    )


def test_only_what_may_disagree_is_fetched() -> None:
    silent = [says("ghsa", f"GHSA-aaaa-bbbb-{number:04}", Range(fixed="1.0.0"), aliases=()) for number in range(9)]
    feeds = Feeds([WIDE, *silent])
    feeds.match(crate("c", "1.8.0"))
    assert feeds.fetched == [[0]]
    debian = [
        advisory(CVE, affected("debian:12", "bash", "2")),
        advisory("DSA-1", affected("debian:12", "bash", "0.1"), feed="osv:Debian", aliases=(CVE,)),
    ]
    feeds = Feeds(debian)
    (found,) = feeds.match(package("bash", "1")).matches
    assert (feeds.fetched, ";" in found.why) == ([[0]], False)


# What is known of CVEs


def about(feed: str, *scores: Cvss, cwes: tuple[str, ...] = (), **more: object) -> Advisory:
    note = Affected("cve", CVE, "", Statement.UNDER_INVESTIGATION, versions=cwes)
    return Advisory(CVE, feed, cvss=scores, affected=(note,), **more)  # type: ignore[arg-type]


V31 = Cvss("3.1", "V", 9.8, "NVD")
CISA = Cvss("3.1", "W", 7.5, "CISA-ADP")


def test_a_vulnerability_without_severity_takes_that_of_its_cve_and_all_scores_are_kept() -> None:
    alpine = advisory(CVE, affected("alpine:3.20", "curl", "8.9-r0"), feed="alpine")
    known = about("nvd", V31, cwes=("CWE-79", "CWE-20"), severity=Severity.CRITICAL, summary="It is bad")
    more = about("vulnrichment", V31, CISA, cwes=("CWE-20", "CWE-1"), severity=Severity.HIGH, summary="Bad")
    from tests.matching.feeds import ALPINE

    (found,) = Feeds([alpine, more, known]).match(package("curl", "8.8-r0", "apk"), distro=ALPINE).matches
    assert (found.severity, found.feed, found.summary) == (Severity.CRITICAL, "alpine", "It is bad")
    assert found.cvss == (V31, CISA)
    assert found.cwes == ("CWE-79", "CWE-20", "CWE-1")


def test_a_vendors_severity_stands() -> None:
    known = about("nvd", V31, severity=Severity.CRITICAL)
    low = advisory(CVE, affected("debian:12", "bash", "2"), severity=Severity.LOW, summary="Mild")
    (found,) = Feeds([low, known]).match(package("bash", "1")).matches
    assert (found.severity, found.summary, found.cvss, found.cwes) == (Severity.LOW, "Mild", (V31,), ())


def test_a_rejected_record_and_one_of_another_cve_change_nothing() -> None:
    gone = about("nvd", V31, severity=Severity.CRITICAL, withdrawn="2024-01-01T00:00:00Z")
    other = advisory("CVE-2024-0002", affected("debian:12", "bash", "2"))
    same = advisory(CVE, affected("debian:12", "bash", "2"))
    for each in (other, same):
        (found,) = Feeds([each, gone]).match(package("bash", "1")).matches
        assert (found.severity, found.cvss) == (Severity.UNKNOWN, ())


def test_nothing_is_asked_about_cves_where_no_feed_knows_them() -> None:
    feeds = Feeds([advisory(CVE, affected("debian:12", "bash", "2"))])
    feeds.match(package("bash", "1"))
    assert feeds.asked == [[("debian:12", "bash")]]


def test_one_advisory_in_two_feeds_is_about_what_the_better_copy_says() -> None:
    """GitHub's record named another CVE once, and a copy of it still does."""
    own = advisory(GHSA, affected("pypi", "pillow", "10.0.1"), feed="ghsa", aliases=("CVE-2023-4863",))
    copy = advisory(GHSA, affected("pypi", "pillow", "10.0.1"), feed="osv:PyPI", aliases=("CVE-2023-5129", "A-1"))
    (found,) = Feeds([copy, own]).match(package("pillow", "8.0.0", "pypi")).matches
    assert (found.id, found.aliases) == ("CVE-2023-4863", ("A-1", "CVE-2023-5129", GHSA))
