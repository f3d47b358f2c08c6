"""Whose statements are asked for, under which name, and by which version they are judged."""

import pytest

from anchorecli.matching import ecosystem_for, ecosystems_of, matcher
from anchorecli.model import Distro, FixState, MatchVerdict, Range, Severity, Statement
from tests.matching.feeds import ALMA, ALPINE, DEBIAN, Feeds, advisory, affected, denial, package


@pytest.mark.parametrize(
    ("distro", "expected"),
    [
        (Distro("debian", "12"), "debian:12"),
        (Distro("debian", "12.5"), "debian:12"),
        (Distro("debian", codename="trixie"), "debian:13"),
        (Distro("debian", codename="forky"), "debian:unstable"),
        (Distro("debian", codename="sid"), "debian:unstable"),
        (Distro("raspbian", "11"), "raspbian:11"),
        (Distro("ubuntu", "22.04"), "ubuntu:22.04"),
        (Distro("ubuntu", "22.04.4"), "ubuntu:22.04"),
        (Distro("alpine", "3.20.3"), "alpine:3.20"),
        (Distro("alpine", "3.22.0_alpha20250108"), "alpine:edge"),
        (Distro("alpine"), "alpine:edge"),
        (Distro("almalinux", "9.4"), "almalinux:9"),
        (Distro("rocky", "8.10"), "rocky:8"),
        (Distro("rhel", "9.4"), "rhel:9"),
        (Distro("centos", "7"), "centos:7"),
        (Distro("amzn", "2023"), "amzn:2023"),
        (Distro("amzn", "2"), "amzn:2"),
        (Distro("ol", "8.9"), "ol:8"),
        (Distro("sles", "15.5"), "sles:15.5"),
        (Distro("sles_sap", "15.5"), "sles:15.5"),
        (Distro("fedora", "40"), "fedora:40"),
        (Distro("azurelinux", "3.0"), "azurelinux:3.0"),
        (Distro("photon", "5.0"), "photon:5.0"),
        (Distro("opensuse-leap", "15.6"), "opensuse-leap:15.6"),
        (Distro("wolfi", "20230201"), "wolfi"),
        (Distro("chainguard", "20230214"), "chainguard"),
        (Distro("linuxmint", "21.3", like=("ubuntu", "debian")), "linuxmint:21.3"),
        (Distro("nosuch"), "nosuch"),
    ],
)
def test_the_namespace_of_a_distribution(distro, expected):
    assert ecosystems_of(distro)[0] == expected


def test_the_namespace_of_a_package():
    assert ecosystem_for(package("a", "1", "pypi"), None) == "pypi"
    assert ecosystem_for(package("a", "1"), DEBIAN) == "debian:12"
    assert ecosystem_for(package("a", "1"), None) == ""
    assert ecosystem_for(package("a", "1", "rpm"), DEBIAN) == ""
    assert ecosystem_for(package("a", "1", "githubactions"), None) == "github-actions"


def test_a_debian_package_is_judged_by_its_source_and_the_sources_version():
    feeds = Feeds([advisory("CVE-2024-0001", affected("debian:12", "glibc", "2.36-9+deb12u4"))])
    libc = package("libc6", "2.36-9+deb12u4+b1", source="glibc", source_version="2.36-9+deb12u3")
    same_name = package("glibc", "1", source="other", source_version="1")
    (found,) = feeds.match(libc, same_name).matches
    assert (found.id, found.package, found.fixed_in) == ("CVE-2024-0001", libc, ("2.36-9+deb12u4",))
    assert found.why == "2.36-9+deb12u3 < 2.36-9+deb12u4 (deb, source glibc)"
    assert (found.verdict, found.fix_state) == (MatchVerdict.AFFECTED, FixState.FIXED)


def test_a_rebuilt_binary_with_a_newer_source_is_not_affected():
    feeds = Feeds([advisory("CVE-2024-0001", affected("debian:12", "zlib", "1:1.2.13.dfsg-1"))])
    assert not feeds.match(package("zlib1g", "1.0", source="zlib", source_version="1:1.2.13.dfsg-1")).matches


def test_a_signed_kernel_is_judged_as_linux():
    feeds = Feeds([advisory("CVE-2024-0001", affected("debian:12", "linux", "6.1.99-1"))])
    image = package("linux-image-amd64", "6.1.90-1", source="linux-signed-amd64", source_version="6.1.90+1")
    assert [found.id for found in feeds.match(image).matches] == ["CVE-2024-0001"]


def test_an_alpine_package_is_judged_by_its_origin():
    feeds = Feeds([advisory("CVE-2024-0002", affected("alpine:3.20", "openssl", "3.3.1-r1"), feed="alpine")])
    libssl = package("libssl3", "3.3.1-r0", "apk", source="openssl", source_version="3.3.1-r0")
    fixed = package("libcrypto3", "3.3.1-r1", "apk", source="openssl")
    assert [(m.package.name, m.why) for m in feeds.match(libssl, fixed, distro=ALPINE).matches] == [
        ("libssl3", "3.3.1-r0 < 3.3.1-r1 (apk, source openssl)")
    ]


@pytest.mark.parametrize(
    ("version", "fixed", "hit"),
    [
        ("1.1-1.el9", "0:1.1-2.el9", True),
        ("1.1-1.el9", "1:0.5-2.el9", True),
        ("1:1.1-1.el9", "0.5-2.el9", False),
        ("1:1.1-1.el9", "1:1.1-1.el9", False),
    ],
)
def test_a_binary_rpm_without_an_epoch_has_epoch_zero(version, fixed, hit):
    feeds = Feeds([advisory("ALSA-1", affected("almalinux:9", "tool", fixed), feed="osv:AlmaLinux")])
    assert bool(feeds.match(package("tool", version, "rpm"), distro=ALMA).matches) is hit


@pytest.mark.parametrize(("fixed", "hit"), [("1:0.5-2.el9", False), ("1:1.2-1.el9", True), ("1.2-1.el9", True)])
def test_a_source_rpm_takes_the_epoch_of_the_statement(fixed, hit):
    feeds = Feeds([advisory("ALSA-1", affected("almalinux:9", "tool", fixed), feed="osv:AlmaLinux")])
    sub = package("tool-libs", "1:7.7-1.el9", "rpm", source="tool", source_version="1.1-1.el9")
    assert bool(feeds.match(sub, distro=ALMA).matches) is hit


def test_an_rpm_found_by_both_names_is_one_match():
    record = advisory(
        "ALSA-1", affected("almalinux:9", "tool", "1.2-1.el9"), affected("almalinux:9", "tool-libs", "1.2-1.el9")
    )
    sub = package("tool-libs", "1.1-1.el9", "rpm", source="tool", source_version="1.1-1.el9")
    (found,) = Feeds([record]).match(sub, distro=ALMA).matches
    assert found.why == "1.1-1.el9 < 1.2-1.el9 (rpm)"


def test_keys_of_rpm_are_no_software():
    feeds = Feeds([advisory("ALSA-1", affected("almalinux:9", "gpg-pubkey", "99-1"))])
    result = feeds.match(package("gpg-pubkey", "1-1", "rpm"), distro=ALMA)
    assert (result.matches, result.problems) == ((), ())


MODULAR = "1:16.20.2-8.module_el8.9.0+1+abc"


@pytest.mark.parametrize(
    ("label", "version", "module", "fixed", "hit"),
    [
        ("nodejs:16:8090:1d", MODULAR, "nodejs:16", "1:16.99-1.module_el8.10.0+2+abc", True),
        ("nodejs:16:8090:1d", MODULAR, "nodejs:18", "1:18.99-1.module_el8.10.0+2+abc", False),
        ("nodejs:16:8090:1d", MODULAR, "nodejs:1", "1:18.99-1.module_el8.10.0+2+abc", False),
        ("nodejs:16:8090:1d", MODULAR, "", "1:18.99-1.el8", False),
        ("nodejs:16:8090:1d", MODULAR, "", "1:16.99-1.module_el8.10.0+2+abc", True),
        ("", "1:16.1-1.el8", "nodejs:18", "1:18.99-1.module_el8.10.0+2+abc", False),
        ("", "1:16.1-1.el8", "", "1:18.99-1.module_el8.10.0+2+abc", False),
        ("", "1:16.1-1.el8", "", "1:18.99-1.el8", True),
        ("", MODULAR, "nodejs:16", "1:16.99-1.module_el8.10.0+2+abc", True),
    ],
)
def test_a_statement_about_a_module_is_about_no_other(label, version, module, fixed, hit):
    feeds = Feeds([advisory("ALSA-1", affected("almalinux:9", "nodejs", fixed, module=module))])
    found = feeds.match(package("nodejs", version, "rpm", module=label), distro=ALMA).matches
    assert bool(found) is hit


@pytest.mark.parametrize(
    ("version", "hit"),
    [
        ("1:1.8.0.352.b08-1.el8_6", True),
        ("1:1.8.0.352.b08-2.el8_6", False),
        ("1:1.8.0.352.b08-2.el8_7", False),
        # Between two builds of the fix and neither of them: nobody says that it is in there.
        ("1:1.8.0.352.b08-2.el8_6.1", True),
        ("1.8.0.352.b08-2.el8_6", True),
    ],
)
def test_every_build_of_a_fix_that_an_erratum_lists_is_fixed(version, hit):
    builds = (Range(fixed="1:1.8.0.352.b08-2.el8_6"), Range(fixed="1:1.8.0.352.b08-2.el8_7"))
    feeds = Feeds([advisory("RLSA-1", affected("rocky:8", "java-1.8.0-openjdk", ranges=builds))])
    found = feeds.match(package("java-1.8.0-openjdk", version, "rpm"), distro=Distro("rocky", "8.9")).matches
    assert bool(found) == hit


def test_oracle_never_labels_its_modules():
    record = advisory("ELSA-1", affected("ol:8", "nodejs", "1:16.99-1.module+el8", module="nodejs:16"))
    found = Feeds([record]).match(package("nodejs", "1:16.1-1.el8", "rpm"), distro=Distro("ol", "8.9")).matches
    assert len(found) == 1


@pytest.mark.parametrize(
    ("arch", "arches", "hit"),
    [
        ("x86_64", ("x86_64",), True),
        ("x86_64", ("amd64", "i686"), True),
        ("aarch64", ("x86_64",), False),
        ("aarch64", ("x86_64", "arm64"), True),
        ("noarch", ("x86_64",), True),
        ("", ("x86_64",), True),
        ("x86_64", (), True),
        ("x86_64", ("noarch",), True),
    ],
)
def test_a_statement_about_an_architecture(arch, arches, hit):
    feeds = Feeds([advisory("ALSA-1", affected("almalinux:9", "tool", "2-1", arches=arches))])
    assert bool(feeds.match(package("tool", "1-1", "rpm", arch=arch), distro=ALMA).matches) is hit


def test_python_names_are_normalised_and_npm_names_are_not():
    feeds = Feeds(
        [
            advisory("GHSA-1", affected("pypi", "zope-interface", "2.0"), feed="ghsa"),
            advisory("GHSA-2", affected("npm", "JSONStream", "2.0.0"), feed="ghsa"),
        ]
    )
    found = feeds.match(
        package("Zope.Interface", "1.0", "pypi"),
        package("JSONStream", "1.0.0", "npm"),
        package("jsonstream", "1.0.0", "npm"),
        distro=None,
    ).matches
    assert [(m.package.name, m.id) for m in found] == [("JSONStream", "GHSA-2"), ("Zope.Interface", "GHSA-1")]


def test_maven_takes_the_group_from_the_purl():
    record = advisory("GHSA-1", affected("maven", "org.example:core", "2.0", scheme="semver"), feed="ghsa")
    jar = package("core", "1.0", "maven", purl="pkg:maven/org.example/core@1.0")
    other = package("core", "1.0", "maven", purl="pkg:maven/com.elsewhere/core@1.0")
    assert [m.package for m in Feeds([record]).match(jar, other, distro=None).matches] == [jar]


def test_lists_of_versions_count_beside_ranges_and_in_any_spelling():
    listed = affected("pypi", "thing", "1.0", versions=("1.5", "2.0rc1"))
    feeds = Feeds([advisory("PYSEC-1", listed, feed="osv:PyPI")])
    versions = ["0.9", "1.0", "1.5", "1.5.0", "2.0c1", "2.0"]
    found = feeds.match(*(package("thing", each, "pypi") for each in versions), distro=None).matches
    assert [m.package.version for m in found] == ["0.9", "1.5", "1.5.0", "2.0c1"]
    assert found[1].why == "1.5 is listed as affected (pep440)"


def test_a_listed_version_counts_whatever_its_build_is_called():
    listed = affected("npm", "thing", ranges=(), versions=("1.5.0", "2.0.0+a"))
    feeds = Feeds([advisory("MAL-1", listed, feed="ghsa")])
    versions = ["1.5.0", "1.5.0+build.5", "1.5.1+build.5", "2.0.0+a"]
    found = feeds.match(*(package("thing", each, "npm") for each in versions), distro=None).matches
    assert [m.package.version for m in found] == ["1.5.0", "1.5.0+build.5", "2.0.0+a"]


def test_several_ranges():
    ranges = affected("npm", "x", introduced="1.0.0", fixed="1.4.0").ranges
    ranges += affected("npm", "x", introduced="2.0.0", fixed="2.1.0").ranges
    ranges += affected("npm", "x", introduced="3.0.0", last="3.3.0").ranges
    feeds = Feeds([advisory("GHSA-1", affected("npm", "x", ranges=ranges), feed="ghsa")])
    versions = ["0.9.0", "1.3.0", "1.4.0", "2.0.5", "2.1.0", "3.3.0", "3.3.1"]
    found = feeds.match(*(package("x", each, "npm") for each in versions), distro=None).matches
    assert [(m.package.version, m.why, m.fixed_in) for m in found] == [
        ("1.3.0", "1.0.0 <= 1.3.0 < 1.4.0 (npm)", ("1.4.0", "2.1.0")),
        ("2.0.5", "2.0.0 <= 2.0.5 < 2.1.0 (npm)", ("2.1.0",)),
        ("3.3.0", "3.0.0 <= 3.3.0 <= 3.3.0 (npm)", ()),
    ]
    assert [m.fix_state for m in found] == [FixState.FIXED, FixState.FIXED, FixState.NOT_FIXED]


def test_neither_range_nor_version_is_every_version():
    feeds = Feeds([advisory("CVE-2024-0003", affected("debian:12", "x", severity=Severity.LOW))])
    (found,) = feeds.match(package("x", "1")).matches
    assert (found.fix_state, found.severity, found.why) == (
        FixState.NOT_FIXED,
        Severity.LOW,
        "1: every version is affected (deb)",
    )


def test_what_cannot_be_read_is_unknown_and_never_dropped():
    feeds = Feeds(
        [
            advisory("CVE-2024-0001", affected("debian:12", "x", "2.0")),
            advisory("CVE-2024-0002", affected("debian:12", "y", "<unfixed>")),
            advisory("CVE-2024-0003", affected("debian:12", "z", "1", scheme="nosuch")),
            advisory("CVE-2024-0004", affected("debian:12", "x")),
        ]
    )
    found = feeds.match(package("x", "v_1"), package("y", "1"), package("z", "1")).matches
    verdicts = {m.id: (m.verdict, m.why) for m in found}
    assert verdicts["CVE-2024-0001"][0] is MatchVerdict.UNKNOWN
    assert "installed version" in verdicts["CVE-2024-0001"][1]
    assert verdicts["CVE-2024-0002"][0] is MatchVerdict.UNKNOWN
    assert "<unfixed>" in verdicts["CVE-2024-0002"][1]
    assert verdicts["CVE-2024-0003"][0] is MatchVerdict.UNKNOWN
    assert verdicts["CVE-2024-0004"][0] is MatchVerdict.AFFECTED


@pytest.mark.parametrize(
    ("version", "verdict"),
    [("", MatchVerdict.UNKNOWN), ("git", MatchVerdict.UNKNOWN), ("0.1.1", "affected"), ("1", None)],
)
def test_a_version_that_cannot_be_read_may_be_one_of_the_listed(version, verdict):
    feeds = Feeds([advisory("MAL-1", affected("npm", "x", versions=("0.1.1",), scheme="npm"), feed="ghsa")])
    found = feeds.match(package("x", version, "npm")).matches
    assert [each.verdict for each in found] == ([verdict] if verdict else [])
    assert verdict is not MatchVerdict.UNKNOWN or "installed version" in found[0].why


def test_what_may_not_hold_denies_nothing():
    claim = advisory("CVE-2024-0001", affected("debian:12", "x"), feed="osv:Debian")
    feeds = Feeds([claim, advisory("CVE-2024-0001", denial("debian:12", "x", ranges=(Range(fixed="2"),)))])
    (found,) = feeds.match(package("x", "v_1")).matches
    assert found.suppressed == ""
    (found,) = feeds.match(package("x", "1")).matches
    assert "states not affected" in found.suppressed


def test_statements():
    feeds = Feeds(
        [
            advisory("CVE-2024-0001", affected("debian:12", "x", statement=Statement.WONT_FIX)),
            advisory("CVE-2024-0002", affected("debian:12", "x", statement=Statement.UNDER_INVESTIGATION)),
            advisory("CVE-2024-0003", denial("debian:12", "x")),
        ]
    )
    found = feeds.match(package("x", "1")).matches
    assert [(m.id, m.verdict, m.fix_state) for m in found] == [
        ("CVE-2024-0001", MatchVerdict.AFFECTED, FixState.WONT_FIX),
        ("CVE-2024-0002", MatchVerdict.UNKNOWN, FixState.UNKNOWN),
    ]


def test_withdrawn_advisories_never_match():
    record = advisory("CVE-2024-0001", affected("debian:12", "x", "2"), withdrawn="2024-02-01T00:00:00Z")
    assert not Feeds([record]).match(package("x", "1")).matches


def test_the_lookup_is_asked_once_and_details_only_for_what_matched():
    feeds = Feeds(
        [
            advisory("CVE-2024-0001", affected("debian:12", "x", "2")),
            advisory("CVE-2024-0002", affected("debian:12", "x", "1")),
            advisory("GHSA-1", affected("pypi", "y", "2"), feed="ghsa"),
            advisory("CVE-2024-0009", denial("debian:12", "alone")),
        ]
    )
    feeds.match(package("x", "1"), package("libx", "1", source="x"), package("y", "1", "pypi"), package("alone", "1"))
    assert [sorted(asked) for asked in feeds.asked] == [[("debian:12", "alone"), ("debian:12", "x"), ("pypi", "y")]]
    assert feeds.fetched == [[0, 2]]


def test_no_packages_ask_nothing():
    feeds = Feeds([])
    assert feeds.match().matches == ()
    assert (feeds.asked, feeds.fetched) == ([], [])


@pytest.mark.parametrize(
    ("ranges", "versions", "verdict"),
    [
        ((Range(fixed="1.2"),), (), MatchVerdict.UNKNOWN),
        ((Range(introduced="1.0", fixed="1.2"),), ("0.9",), MatchVerdict.UNKNOWN),
        # No order is needed where every version is affected, or just this one.
        ((Range(),), (), MatchVerdict.AFFECTED),
        ((Range(introduced="0"),), (), MatchVerdict.AFFECTED),
        ((), (), MatchVerdict.AFFECTED),
        ((Range(fixed="1.2"),), ("1.1k",), MatchVerdict.AFFECTED),
        ((Range(fixed="1.1"),), (), None),
        ((Range(fixed="1.2-rc1"),), (), MatchVerdict.UNKNOWN),
    ],
)
def test_an_order_that_is_a_guess_gives_no_certain_verdict(ranges, versions, verdict):
    feeds = Feeds([advisory("X-1", affected("conan", "x", scheme="fuzzy", ranges=ranges, versions=versions))])
    found = feeds.match(package("x", "1.1k", "conan")).matches
    assert [each.verdict for each in found] == ([verdict] if verdict else [])
    if verdict is MatchVerdict.UNKNOWN:
        assert "1.1k < 1.2" in found[0].why
        assert found[0].why.endswith("(fuzzy): a guess, the scheme of these versions is not known")


def test_numbers_alone_have_one_order_in_every_scheme():
    feeds = Feeds([advisory("X-1", affected("conan", "x", "1.10", introduced="v1.2", scheme="fuzzy"))])
    (found,) = feeds.match(package("x", "1.9.3", "conan")).matches
    assert (found.verdict, found.why) == (MatchVerdict.AFFECTED, "v1.2 <= 1.9.3 < 1.10 (fuzzy)")


def test_a_denial_by_a_guess_denies_nothing():
    claim = affected("conan", "x", scheme="fuzzy")
    no = affected("conan", "x", "1w", scheme="fuzzy", statement=Statement.NOT_AFFECTED)
    (found,) = Feeds([advisory("X-1", claim, no)]).match(package("x", "1k", "conan")).matches
    assert (found.suppressed, found.verdict) == ("", MatchVerdict.AFFECTED)


def test_of_very_many_matches_the_first_are_kept_and_the_rest_is_told(monkeypatch):
    feeds = Feeds([advisory(f"CVE-2024-{number}", affected("debian:12", "bash")) for number in range(4)])
    packages = [package("bash", f"{number}") for number in range(9)]
    whole = feeds.match(*packages)
    assert (len(whole.matches), whole.problems) == (36, ())
    for name, value in (("AT_A_TIME", 2), ("SAID_AT_A_TIME", 5), ("SAID_AT_A_TIME", 1)):
        monkeypatch.setattr(matcher, name, value)
        assert feeds.match(*packages) == whole
    monkeypatch.setattr(matcher, "MOST", 10)
    part = feeds.match(*packages, package("zlib", "1"))
    assert len(part.matches) == 12
    assert all(match in whole.matches for match in part.matches)
    [problem] = part.problems
    assert (problem.stage, problem.cause, problem.incomplete) == ("match", "limit_hit", True)
    assert problem.message == "more than 10 matches (a fixed limit): 7 packages were not compared"
