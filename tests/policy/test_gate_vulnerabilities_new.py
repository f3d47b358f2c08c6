"""Gate vulnerabilities: golden cases, and the conditions that Anchore Engine does not have."""

from __future__ import annotations

import pytest

from anchorecli.errors import BundleError
from anchorecli.model import (
    Cvss,
    DiffId,
    Enrichment,
    Epss,
    FixState,
    KnownExploited,
    MatchVerdict,
    Severity,
    Status,
)
from anchorecli.policy.evaluate import evaluate

from .evidence import bundle, evidence, fired, match, package, rule_line
from .facts import gaps, original, verdict
from .golden import Golden

WHEEL = package("flask", "2.0", "pypi", "usr/lib/python3/site-packages/flask-2.0.dist-info/METADATA")
LOCKED = package("lodash", "4.0.0", "npm", "srv/a/package-lock.json")
BASE, OWN = DiffId("sha256:" + "a" * 64), DiffId("sha256:" + "b" * 64)
KNOWN = Enrichment(
    epss={"CVE-2025-1": Epss(0.9, 0.99), "CVE-2025-2": Epss(0.01, 0.2)},
    exploited={"CVE-2025-1": KnownExploited("2025-05-01", "2025-06-20", ransomware=True)},
)
ONE = match("CVE-2025-1")
TWO = match("CVE-2025-2", package("zlib1g"), severity=Severity.LOW, fixed_in=())
THREE = match("GHSA-aaaa", WHEEL, aliases=("PYSEC-1",))
IMAGE = evidence([package(), package("zlib1g"), WHEEL], [ONE, TWO, THREE], enrichment=KNOWN)
NVD = Cvss("3.1", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8, "nvd@nist.gov")


def ids(given, **params):
    return [identity for identity, _ in fired("vulnerabilities", "package", given, package_type="all", **params)]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"epss_score": 0.5}, [1]),
        ({"epss_score": "0.9", "epss_score_comparison": ">"}, []),
        ({"epss_score": 0.5, "epss_score_comparison": "<"}, [2, 3]),
        ({"epss_percentile": 0.2, "epss_percentile_comparison": "="}, [2]),
        ({"epss_percentile": 0.1, "epss_score": 0.1}, [1]),
        ({"epss_score": 0, "epss_percentile_comparison": "<"}, [1, 2]),
        ({"kev": True}, [1]),
        ({"kev": False}, [2, 3]),
        ({"kev_due_within_days": 5}, [1]),
        ({"kev_due_within_days": 4}, []),
        ({"kev_due_within_days": 30, "kev": False}, []),
        ({"package_name": "zlib*"}, [2]),
        ({"package_name": ["openssl", "regexp:fl"]}, [1, 3]),
        ({"package_name": "open"}, []),
        ({"package_name_exclude": "zlib*,flask"}, [1]),
        ({"vulnerability_id": "CVE-2025-*"}, [1, 2]),
        ({"vulnerability_id": "PYSEC-*"}, [3]),
        ({"vulnerability_id_exclude": "PYSEC-1,CVE-2025-2"}, [1]),
        ({"fix_state": "not-fixed"}, [2]),
        ({"fix_state": ["fixed", "not-fixed"]}, [1, 2, 3]),
        ({"package_type": "deb"}, [1, 2]),
        ({"package_type": "dpkg"}, [1, 2]),
        ({"package_type": "python"}, [3]),
        ({"package_type": "pypi"}, [3]),
        ({"package_type": "npm"}, []),
    ],
)
def test_conditions(params, expected):
    found = fired("vulnerabilities", "package", IMAGE, **({"package_type": "all"} | params))
    numbers = {"openssl": 1, "zlib1g": 2, "flask-2.0": 3}
    assert [numbers[identity.partition("+")[2]] for identity, _ in found] == expected


def test_new_conditions_change_no_message_and_no_id():
    plain = fired("vulnerabilities", "package", IMAGE, package_type="all", vulnerability_id="CVE-2025-1")
    params = {
        "epss_score": 0.1,
        "epss_percentile": 0.1,
        "kev": True,
        "kev_due_within_days": 30,
        "package_name": "open*",
        "package_name_exclude": "zlib*",
        "vulnerability_id_exclude": "GHSA-*",
        "fix_state": "fixed",
    }
    assert fired("vulnerabilities", "package", IMAGE, package_type="all", **params) == plain
    assert plain == [
        (
            "CVE-2025-1+openssl",
            "HIGH Vulnerability found in os package type (dpkg) - openssl "
            "(fixed in: 3.0.2-1)(CVE-2025-1 - https://example.org/CVE-2025-1)",
        )
    ]


def test_scores_and_lists_are_found_by_alias():
    given = evidence(matches=[match("GHSA-bbbb", aliases=("CVE-2025-1", "CVE-2025-2"))], enrichment=KNOWN)
    assert ids(given, epss_score=0.9, kev=True) == ["GHSA-bbbb+openssl"]


@pytest.mark.parametrize(
    ("params", "needs"),
    [
        ({"epss_score": 0.5}, "the EPSS scores"),
        ({"epss_percentile": 0.5}, "the EPSS scores"),
        ({"kev": True}, "CISA's list of known exploited vulnerabilities"),
        ({"kev": False}, "CISA's list of known exploited vulnerabilities"),
        ({"kev_due_within_days": 5}, "CISA's list of known exploited vulnerabilities"),
        ({"inherited_from_base": True}, "the layers of the base image"),
        ({"inherited_from_base": False}, "the layers of the base image"),
    ],
)
def test_what_was_never_synced_is_never_guessed(params, needs):
    given = evidence(matches=[ONE])
    rule = {"package_type": "all", **params}
    assert gaps("vulnerabilities", "package", given, **rule) == [f"rule r could not be decided: it needs {needs}"]
    assert verdict("vulnerabilities", "package", given, **rule).status is Status.INDETERMINATE
    assert ids(given, **params) == []


def test_what_is_not_needed_may_be_missing():
    """Where no finding satisfies the other conditions nothing hangs on the data."""
    given = evidence(matches=[ONE])
    rule = {"package_type": "all", "epss_score": 0.5, "severity": "high"}
    assert gaps("vulnerabilities", "package", given, **rule) == []
    assert gaps("vulnerabilities", "package", evidence(), package_type="all", kev=True) == []
    listed = evidence(matches=[ONE], enrichment=Enrichment(exploited={}))
    assert gaps("vulnerabilities", "package", listed, package_type="all", kev=True, epss_score=0.5) == []


def test_vulnerabilities_without_a_score_are_counted():
    found = verdict("vulnerabilities", "package", IMAGE, package_type="all", epss_score=0.5)
    (remark,) = (problem for problem in found.problems if "EPSS" in problem.message)
    assert remark.message == "rule r tests EPSS scores; vulnerabilities without one: 1"
    assert not remark.incomplete


@pytest.mark.parametrize(
    ("due", "days", "fires"),
    [
        ("2025-06-15", 0, True),
        ("2025-06-16", 0, False),
        ("2025-06-16", 1, True),
        ("2025-01-01", 0, True),
        ("", 0, True),
    ],
)
def test_due_dates(due, days, fires):
    listed = Enrichment(exploited={"CVE-2025-1": KnownExploited("2025-05-01", due)})
    assert bool(ids(evidence(matches=[ONE], enrichment=listed), kev_due_within_days=days)) is fires


def test_what_the_base_image_brought():
    old, new, unknown = package(layer=BASE), package("zlib1g", layer=OWN), package("acl")
    given = evidence(matches=[match("CVE-1", old), match("CVE-2", new)], base=frozenset({BASE}))
    assert ids(given, inherited_from_base=True) == ["CVE-1+openssl"]
    assert ids(given, inherited_from_base=False) == ["CVE-2+zlib1g"]
    nowhere = evidence(matches=[match("CVE-3", unknown)], base=frozenset({BASE}))
    assert gaps("vulnerabilities", "package", nowhere, package_type="all", inherited_from_base=True)


def test_who_names_wont_fix_means_it():
    given = evidence(matches=[ONE, match("CVE-2025-9", fix_state=FixState.WONT_FIX, fixed_in=())])
    assert ids(given, fix_state="wont-fix") == ["CVE-2025-9+openssl"]
    assert ids(given) == ["CVE-2025-1+openssl"]


def test_the_age_of_a_fix_needs_one_and_says_so():
    def remarks(**params):
        found = verdict("vulnerabilities", "package", IMAGE, package_type="all", max_days_since_fix=3, **params)
        return [problem.message for problem in found.problems]

    assert remarks() == ["rule r: max_days_since_fix has no effect without fix_available: true"]
    assert remarks(fix_available=True) == [
        "rule r tests the age of fixes; vulnerabilities whose fix has no known date: 2",
    ]


def test_the_age_of_a_fix_is_that_of_the_fix():
    dated = [
        match("CVE-2025-1", published="2025-01-01T00:00:00Z", fixed_since="2025-06-12T00:00:00Z"),
        match("CVE-2025-2", published="2025-01-01T00:00:00Z", fixed_since="2025-03-01"),
        match("CVE-2025-3", published="2025-06-12T00:00:00Z", fixed_since="2025-02-01T00:00:00Z"),
        match("CVE-2025-4", published="2025-06-12T00:00:00Z"),
    ]
    params = {"package_type": "all", "max_days_since_fix": 7, "fix_available": True}
    found = verdict("vulnerabilities", "package", evidence(matches=dated), **params)
    assert [finding.match_id for finding in found.findings] == ["CVE-2025-2", "CVE-2025-3"]
    assert "(max_days_since_fix=2025-03-01)" in found.findings[0].message
    assert [problem.message for problem in found.problems] == [
        "rule r tests the age of fixes; vulnerabilities whose fix has no known date: 1"
    ]
    assert not any(problem.incomplete for problem in found.problems)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"epss_score": 90}, '"epss_score" is a share between 0 and 1, not 90'),
        ({"epss_percentile": "-0.1"}, "between 0 and 1, not -0.1"),
        ({"epss_score": "much"}, '"epss_score" must be a number, not "much"'),
        ({"fix_state": "fixed,mended"}, "must be some of fixed not-fixed wont-fix unknown, not mended"),
        ({"package_name": "regexp:("}, '"package_name" is not usable as a regular expression'),
        ({"vulnerability_id_exclude": "regexp:["}, '"vulnerability_id_exclude" is not usable'),
        ({"kev": "maybe"}, "must be true or false"),
        ({"package_type": "debian"}, '"package_type" must be one of all os non-os'),
    ],
)
def test_wrong_values_are_refused(params, message):
    with pytest.raises(BundleError) as raised:
        bundle(rule_line("vulnerabilities", "package", **({"package_type": "all"} | params)))
    assert message in str(raised.value)


def test_lock_files_do_not_tell_packages_apart():
    gem = package("rack", "2.0", "gem", "srv/Gemfile.lock")
    jar = package("log4j:log4j", "1.2", "maven", "srv/pom.xml")
    given = evidence(matches=[match(of=LOCKED), match(of=gem), match(of=jar)])
    assert ids(given) == ["CVE-2025-1+lodash-4.0.0", "CVE-2025-1+rack-2.0", "CVE-2025-1+log4j:log4j-1.2"]


def test_known_exploited_says_what_is_missing():
    assert gaps("vulnerabilities", "kev_list", evidence(matches=[ONE])) == [
        "rule r could not be decided: it needs CISA's list of known exploited vulnerabilities"
    ]
    assert gaps("vulnerabilities", "kev_list", evidence()) == []


def test_known_exploited_rests_on_versions_too():
    given = evidence(matches=[match(verdict=MatchVerdict.UNKNOWN)], enrichment=KNOWN)
    assert "could not be compared" in gaps("vulnerabilities", "kev_list", given)[0]


def test_enterprise_names_the_blacklist_denylist():
    rules = (rule_line("vulnerabilities", name, vulnerability_ids="CVE-2025-1") for name in ("denylist", "blacklist"))
    first, second = (evaluate(bundle(rule), IMAGE).findings for rule in rules)
    assert first == second
    assert first[0].trigger == "blacklist"
    with pytest.raises(BundleError, match=r'unknown trigger "denylst".*did you mean "denylist"'):
        bundle(rule_line("vulnerabilities", "denylst", vulnerability_ids="CVE-2025-1"))


def test_the_blacklist_of_the_original_compares_one_id():
    given = evidence(matches=[match("CVE-2025-7", advisory="GHSA-cccc", aliases=("GHSA-cccc",)), match("CVE-2025-8")])
    both = "CVE-2025-7,CVE-2025-8,GHSA-cccc"
    shown = [message for _, message in original("vulnerabilities", "blacklist", given, vulnerability_ids=both)]
    assert shown == ["Blacklisted vulnerabilities detected: ['CVE-2025-8', 'GHSA-cccc']"]


def case(params, *numbers, given=IMAGE):
    """A case of the trigger package; its findings by number."""
    known = {
        1: ("CVE-2025-1+openssl", "HIGH", "os", "dpkg", "openssl (fixed in: 3.0.2-1)(CVE-2025-1"),
        2: ("CVE-2025-2+zlib1g", "LOW", "os", "dpkg", "zlib1g (CVE-2025-2"),
        3: (
            "GHSA-aaaa+flask-2.0",
            "HIGH",
            "non-os",
            "python",
            "/usr/lib/python3/site-packages/flask-2.0.dist-info/METADATA (fixed in: 3.0.2-1)(GHSA-aaaa",
        ),
    }
    fires = []
    for number in numbers:
        identity, severity, family, kind, rest = known[number]
        link = f" - https://example.org/{rest.rpartition('(')[2]})"
        message = f"{severity} Vulnerability found in {family} package type ({kind}) - {rest}{link}"
        fires.append((identity, message))
    return Golden("vulnerabilities", "package", given, {"package_type": "all"} | params, tuple(fires))


def other(trigger, params, *fires, given=IMAGE):
    return Golden("vulnerabilities", trigger, given, params, fires)


STALE = "The vulnerability feed for this image distro is older than MAXAGE (2) days"
NO_DATA = (
    "Distro-specific feed data not found for distro namespace: debian:12. Cannot perform CVE scan OS/distro packages"
)
EXPLOITED = "CVE-2025-1 in openssl is known to be exploited (CISA KEV, due 2025-06-20, used by ransomware)"
DATED = evidence([package()], [match(published="2025-06-01T00:00:00Z", cvss=(NVD,))])
TESTED = {"cvss_v3_base_score": 9, "max_days_since_creation": 7, "max_days_since_fix": 7, "fix_available": True}
ALL_GROUPS = (
    "HIGH Vulnerability found in os package type (dpkg) - openssl (fixed in: 3.0.2-1)(cvss_v3_base_score=9.8)"
    "(max_days_since_creation=2025-06-01T00:00:00Z max_days_since_fix=2025-06-01T00:00:00Z)"
    "(CVE-2025-1 - https://example.org/CVE-2025-1)"
)
GOLDEN: tuple[Golden, ...] = (
    case({}, 1, 2, 3),
    case({"package_type": "os"}, 1, 2),
    case({"package_type": "non-os"}, 3),
    case({"package_type": "rpm"}),
    case({"severity": "high", "severity_comparison": ">="}, 1, 3),
    case({"severity": "high"}),
    case({"severity": "low", "severity_comparison": "="}, 2),
    case({"severity": "low", "severity_comparison": "!="}, 1, 3),
    case({"severity": "high", "severity_comparison": "<"}, 2),
    case({"severity": "high", "severity_comparison": "<="}, 1, 2, 3),
    case({"fix_available": True}, 1, 3),
    case({"fix_available": False}, 2),
    case({"package_path_exclude": "/usr/lib/"}, 1, 2),
    case({"epss_score": "0.5"}, 1),
    case({"epss_score": "0.95"}),
    case({"kev": True, "kev_due_within_days": 5}, 1),
    case({"kev": True, "kev_due_within_days": 2}),
    case({"fix_state": "wont-fix"}),
    Golden(
        "vulnerabilities", "package", DATED, {"package_type": "os", **TESTED}, (("CVE-2025-1+openssl", ALL_GROUPS),)
    ),
    Golden("vulnerabilities", "package", DATED, {"package_type": "os", **TESTED, "max_days_since_fix": 30}),
    other("stale_feed_data", {"max_days_since_sync": 2}, ("md5", STALE), given=evidence([package()], feeds=())),
    other("stale_feed_data", {"max_days_since_sync": 2}),
    other("vulnerability_data_unavailable", {}, ("md5", NO_DATA), given=evidence([package()], covered=frozenset())),
    other("vulnerability_data_unavailable", {}),
    other(
        "blacklist",
        {"vulnerability_ids": "CVE-2025-2,CVE-2025-1"},
        ("md5", "Blacklisted vulnerabilities detected: ['CVE-2025-1', 'CVE-2025-2']"),
    ),
    other("blacklist", {"vulnerability_ids": "CVE-2025-4"}),
    other("kev_list", {}, ("CVE-2025-1+openssl", EXPLOITED)),
    other("kev_list", {}, given=evidence(matches=[TWO], enrichment=KNOWN)),
)
