"""Records that speak of one vulnerability are one match."""

import itertools
from dataclasses import replace

import pytest

from anchorecli.model import Cvss, FixState, Range, Severity, Statement
from tests.matching.feeds import ALMA, Feeds, advisory, affected, denial, package

X = package("x", "1.0", "pypi")


def test_one_vulnerability_with_three_ids_is_one_match():
    feeds = Feeds(
        [
            advisory(
                "PYSEC-2024-1",
                affected("pypi", "x"),
                feed="osv:PyPI",
                aliases=("CVE-2024-0001", "GHSA-aaaa"),
                summary="from osv",
                url="https://osv.example",
            ),
            advisory(
                "GHSA-aaaa",
                affected("pypi", "x", "1.2"),
                feed="ghsa",
                aliases=("CVE-2024-0001",),
                severity=Severity.HIGH,
                url="https://ghsa.example",
            ),
        ]
    )
    (found,) = feeds.match(X, distro=None).matches
    assert (found.id, found.advisory, found.feed) == ("CVE-2024-0001", "GHSA-aaaa", "ghsa")
    assert found.aliases == ("GHSA-aaaa", "PYSEC-2024-1")
    assert (found.fixed_in, found.fix_state, found.severity) == (("1.2",), FixState.FIXED, Severity.HIGH)
    assert (found.summary, found.url) == ("from osv", "https://ghsa.example")


def test_fix_and_severity_come_from_the_record_that_has_them():
    feeds = Feeds(
        [
            advisory("GHSA-aaaa", affected("pypi", "x"), feed="ghsa", aliases=("CVE-2024-0001",)),
            advisory("CVE-2024-0001", affected("pypi", "x", "1.3"), feed="osv:PyPI", severity=Severity.LOW),
        ]
    )
    (found,) = feeds.match(X, distro=None).matches
    assert (found.feed, found.fixed_in, found.severity) == ("ghsa", ("1.3",), Severity.LOW)


def test_without_a_cve_an_alias_joins():
    feeds = Feeds(
        [
            advisory("MAL-1", affected("npm", "x"), feed="osv:npm", aliases=("GHSA-bbbb",)),
            advisory("GHSA-bbbb", affected("npm", "x"), feed="ghsa"),
            advisory("GHSA-cccc", affected("npm", "x"), feed="ghsa"),
        ]
    )
    found = feeds.match(package("x", "1.0.0", "npm"), distro=None).matches
    assert [(m.id, m.aliases) for m in found] == [("GHSA-bbbb", ("MAL-1",)), ("GHSA-cccc", ())]


def test_a_record_without_a_cve_joins_the_cve_through_an_alias():
    feeds = Feeds(
        [
            advisory("PYSEC-1", affected("pypi", "x", "1.1"), feed="osv:PyPI", aliases=("GHSA-aaaa",)),
            advisory("GHSA-aaaa", affected("pypi", "x"), feed="ghsa", aliases=("CVE-2024-0001",)),
        ]
    )
    (found,) = feeds.match(X, distro=None).matches
    assert (found.id, found.aliases, found.fixed_in) == ("CVE-2024-0001", ("GHSA-aaaa", "PYSEC-1"), ("1.1",))


def test_different_vulnerabilities_stay_apart_though_one_advisory_names_both():
    feeds = Feeds(
        [
            advisory("CVE-2024-0001", affected("debian:12", "x"), aliases=("DSA-1",)),
            advisory("CVE-2024-0002", affected("debian:12", "x"), aliases=("DSA-1",)),
        ]
    )
    assert [m.id for m in feeds.match(package("x", "1")).matches] == ["CVE-2024-0001", "CVE-2024-0002"]


DSA = advisory("DSA-1", affected("debian:12", "x", "1.2"), feed="osv", aliases=("CVE-2024-0001", "CVE-2024-0002"))


def test_a_bundle_whose_vulnerabilities_match_themselves_is_folded_into_them():
    feeds = Feeds(
        [
            DSA,
            advisory("CVE-2024-0001", affected("debian:12", "x")),
            advisory("CVE-2024-0002", affected("debian:12", "x", "1.1")),
        ]
    )
    found = feeds.match(package("x", "1")).matches
    assert [(m.id, m.aliases, m.fixed_in) for m in found] == [
        ("CVE-2024-0001", ("DSA-1",), ("1.2",)),
        ("CVE-2024-0002", ("DSA-1",), ("1.1",)),
    ]


def test_a_bundle_alone_is_one_match_with_its_vulnerabilities_as_aliases():
    (found,) = Feeds([DSA]).match(package("x", "1")).matches
    assert (found.id, found.aliases) == ("DSA-1", ("CVE-2024-0001", "CVE-2024-0002"))


def test_what_is_left_of_a_bundle_stays():
    feeds = Feeds([DSA, advisory("CVE-2024-0002", affected("debian:12", "x"))])
    found = feeds.match(package("x", "1")).matches
    assert [(m.id, m.aliases) for m in found] == [("CVE-2024-0001", ("DSA-1",)), ("CVE-2024-0002", ("DSA-1",))]


def test_a_bundle_whose_rest_is_denied_leaves_nothing():
    feeds = Feeds(
        [
            DSA,
            advisory("CVE-2024-0001", affected("debian:12", "x")),
            advisory("CVE-2024-0002", denial("debian:12", "x")),
        ]
    )
    found = feeds.match(package("x", "1")).matches
    assert [(m.id, bool(m.suppressed)) for m in found] == [("CVE-2024-0001", False), ("CVE-2024-0002", True)]


def test_not_affected_suppresses_from_no_lesser_source_and_stays_visible():
    claim = advisory("CVE-2024-0001", affected("debian:12", "x"), feed="osv:Debian")
    own = advisory("CVE-2024-0001", denial("debian:12", "x"))
    (found,) = Feeds([claim, own]).match(package("x", "1")).matches
    assert found.suppressed == "debian states not affected (CVE-2024-0001)"
    lesser = Feeds([replace(claim, feed="debian"), replace(own, feed="osv:Debian")])
    (found,) = lesser.match(package("x", "1")).matches
    assert found.suppressed == ""


def test_not_affected_counts_through_an_alias_and_within_its_range_only():
    claim = advisory("GHSA-aaaa", affected("pypi", "x"), feed="ghsa", aliases=("CVE-2024-0001",))
    ranges = (Range(introduced="2.0"),)
    own = advisory("VENDOR-1", denial("pypi", "x", ranges=ranges), feed="vendor", aliases=("CVE-2024-0001",))
    found = Feeds([claim, own]).match(X, package("x", "2.1", "pypi"), distro=None).matches
    assert [(m.package.version, bool(m.suppressed)) for m in found] == [("1.0", False), ("2.1", True)]


def test_not_affected_about_something_else_changes_nothing():
    feeds = Feeds(
        [
            advisory("CVE-2024-0001", affected("debian:12", "x")),
            advisory("CVE-2024-0002", denial("debian:12", "x")),
            advisory("CVE-2024-0001", denial("debian:12", "y")),
        ]
    )
    assert [m.suppressed for m in feeds.match(package("x", "1"), package("y", "1")).matches] == [""]


def test_not_affected_by_another_vulnerability_that_is_an_alias_changes_nothing():
    claim = advisory("CVE-2024-0001", affected("debian:12", "x"), aliases=("CVE-2024-0002",))
    (found,) = Feeds([claim, advisory("CVE-2024-0002", denial("debian:12", "x"))]).match(package("x", "1")).matches
    assert (found.id, found.aliases, found.suppressed) == ("CVE-2024-0001", ("CVE-2024-0002",), "")


def test_two_bundles_about_the_same_are_one_match():
    other = replace(DSA, id="GHSA-aaaa", feed="ghsa")
    (found,) = Feeds([DSA, other]).match(package("x", "1")).matches
    assert (found.id, found.aliases) == ("GHSA-aaaa", ("CVE-2024-0001", "CVE-2024-0002", "DSA-1"))


def test_wont_fix_of_the_distribution_is_not_overruled_by_osv():
    feeds = Feeds(
        [
            advisory("CVE-2024-0001", affected("debian:12", "x", statement=Statement.WONT_FIX)),
            advisory("CVE-2024-0001", affected("debian:12", "x", "2"), feed="osv:Debian"),
        ]
    )
    (found,) = feeds.match(package("x", "1")).matches
    assert (found.fix_state, found.fixed_in) == (FixState.WONT_FIX, ())


@pytest.mark.parametrize(
    ("own", "stated", "scores", "expected"),
    [
        (Severity.NEGLIGIBLE, Severity.HIGH, (), Severity.NEGLIGIBLE),
        (Severity.UNKNOWN, Severity.HIGH, (Cvss("3.1", "", 2.0),), Severity.HIGH),
        (Severity.UNKNOWN, Severity.UNKNOWN, (Cvss("3.1", "", 9.8), Cvss("2.0", "", 5.0)), Severity.CRITICAL),
        (Severity.UNKNOWN, Severity.UNKNOWN, (Cvss("3.1", "", 4.0),), Severity.MEDIUM),
        (Severity.UNKNOWN, Severity.UNKNOWN, (Cvss("4.0", "", 0.0),), Severity.NEGLIGIBLE),
        (Severity.UNKNOWN, Severity.UNKNOWN, (Cvss("2.0", "", 10.0),), Severity.HIGH),
        (Severity.UNKNOWN, Severity.UNKNOWN, (), Severity.UNKNOWN),
    ],
)
def test_severity_by_who_is_nearest(own, stated, scores, expected):
    record = advisory("CVE-2024-0001", affected("debian:12", "x", severity=own), severity=stated, cvss=scores)
    (found,) = Feeds([record]).match(package("x", "1")).matches
    # Where a record does not say who scored it, it was whoever published it.
    assert (found.severity, found.cvss) == (expected, tuple(replace(each, source="debian") for each in scores))


def test_every_score_says_who_gave_it_and_a_repeated_vector_is_one_score():
    own, other = Cvss("3.1", "CVSS:3.1/AV:N", 9.8), Cvss("3.1", "CVSS:3.1/AV:L", 5.5, "nvd@nist.gov")
    feeds = Feeds(
        [
            advisory("GHSA-1", affected("pypi", "x", "2"), feed="ghsa", aliases=("CVE-2024-0001",), cvss=(own, other)),
            advisory("PYSEC-1", affected("pypi", "x", "2"), feed="pypa", aliases=("CVE-2024-0001",), cvss=(own,)),
        ]
    )
    (found,) = feeds.match(package("x", "1", "pypi"), distro=None).matches
    assert found.cvss == (replace(own, source="ghsa"), other)


def test_an_erratum_of_several_binaries_is_one_match_each():
    record = advisory(
        "ALSA-2024:1",
        affected("almalinux:9", "tool", "1.2-1.el9"),
        affected("almalinux:9", "tool-libs", "1.2-1.el9"),
        feed="osv:AlmaLinux",
        aliases=("CVE-2024-0001", "CVE-2024-0002"),
    )
    packages = [package(name, "1.1-1.el9", "rpm", source="tool") for name in ("tool", "tool-libs")]
    found = Feeds([record]).match(*packages, distro=ALMA).matches
    assert [(m.package.name, m.id) for m in found] == [("tool", "ALSA-2024:1"), ("tool-libs", "ALSA-2024:1")]


def test_the_order_of_records_and_packages_does_not_matter():
    records = [
        DSA,
        advisory("CVE-2024-0001", affected("debian:12", "x"), feed="osv:Debian"),
        advisory("CVE-2024-0001", affected("debian:12", "x", "1.9"), severity=Severity.LOW),
        advisory("TEMP-1", affected("debian:12", "x"), aliases=("DSA-1",)),
    ]
    packages = [package("libx", "1", source="x"), package("x", "1")]
    results = [
        Feeds(list(some)).match(*order).matches
        for some in itertools.permutations(records)
        for order in (packages, packages[::-1])
    ]
    assert all(result == results[0] for result in results)
    assert len(results[0]) == 4


def test_a_notice_about_several_vulnerabilities_joins_none_of_them():
    records = [advisory(f"CVE-2024-000{n}", affected("debian:12", "x", "2"), aliases=("DSA-1-1",)) for n in range(3)]
    found = Feeds(records).match(package("x", "1")).matches
    assert [(each.id, each.aliases) for each in found] == [(f"CVE-2024-000{n}", ("DSA-1-1",)) for n in range(3)]
    # A record that has nothing but the notice's name belongs to what shares it.
    unnamed = advisory("TEMP-1", affected("debian:12", "x", "2"), aliases=("DSA-1-1",))
    assert len(Feeds([*records, unnamed]).match(package("x", "1")).matches) == 3
