"""Why something is or is not reported: the step of the first no, and agreement with what a scan finds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from anchorecli.model import Advisory, Affected, Analysis, Distro, Package, Range, Severity, Statement
from anchorecli.scan.explanation import Explanation, explain
from anchorecli.scan.past import decide_again
from anchorecli.scan.values import Feeds
from anchorecli.store import Store, open_store
from tests.scan.deciding import DEBIAN, NOW, analysis, bundle, deb, inputs
from tests.store.values import feed


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store.db") as opened:
        yield opened


def record(
    name: str, *affected: Affected, feed: str = "debian", severity: Severity = Severity.HIGH, **more: object
) -> Advisory:
    return Advisory(name, feed, affected=affected, severity=severity, **more)  # type: ignore[arg-type]


def below(package: str, fixed: str, ecosystem: str = "debian:12", **more: object) -> Affected:
    return Affected(ecosystem, package, "deb", ranges=(Range("", fixed),), **more)  # type: ignore[arg-type]


def told(store: Store, found: Analysis, name: str = "CVE-2026-0001", package: str = "", **more: object) -> Explanation:
    return explain(store, inputs(found, **more), name, package)  # type: ignore[arg-type]


OPENSSL = deb("libssl3", "3.0.11", "openssl")


def test_a_vulnerability_is_followed_to_its_rule(store: Store) -> None:
    store.sync_feed(feed(updated_at=NOW), [record("CVE-2026-0001", below("openssl", "3.0.13"), aliases=("GHSA-x",))])
    for name in ("CVE-2026-0001", "cve-2026-0001", "GHSA-x"):
        found = told(store, analysis(OPENSSL), name)
        assert found.stopped_at == ""
        assert found.answer == "reported for libssl3"
        assert [step.name for step in found.steps] == ["candidate", "name", "namespace"]
        (chain,) = found.chains
        assert [step.name for step in chain.steps] == ["version", "range", "fix", "vex", "rule", "exception"]
        assert "openssl (source of libssl3)" in found.steps[1].detail
        assert "3.0.11 < 3.0.13" in chain.steps[1].detail
        assert "fixed in 3.0.13" in chain.steps[2].detail


def no(store: Store, found: Analysis, package: str = "", **more: object) -> tuple[str, str]:
    explanation = told(store, found, package=package, **more)
    return explanation.stopped_at, explanation.answer


def test_no_feed_knows_it(store: Store) -> None:
    store.sync_feed(feed(updated_at=NOW), [record("CVE-2026-0009", below("openssl", "3.0.13"))])
    where, why = no(store, analysis(OPENSSL))
    assert where == "candidate"
    assert why == f"not reported: no feed knows CVE-2026-0001: debian (revision 1, {NOW})"


def test_none_of_many_feeds_knows_it(store: Store) -> None:
    for number in range(5):
        state = feed(f"f{number}", updated_at=f"2026-01-0{number + 1}T00:00:00Z")
        store.sync_feed(state, [record(f"CVE-2026-001{number}", below("openssl", "3.0.13"))])
    _, why = no(store, analysis(OPENSSL))
    told = "5 feeds, none of them checked before 2026-01-01T00:00:00Z: f0, f1, f2, f3, f4"
    assert why == f"not reported: no feed knows CVE-2026-0001: {told}"


def test_it_was_withdrawn(store: Store) -> None:
    gone = record("CVE-2026-0001", below("openssl", "3.0.13"), withdrawn="2026-02-01T00:00:00Z")
    store.sync_feed(feed(updated_at=NOW), [gone])
    assert no(store, analysis(OPENSSL)) == (
        "candidate",
        "not reported: withdrawn: CVE-2026-0001 of debian at 2026-02-01T00:00:00Z",
    )


def test_it_is_about_other_packages(store: Store) -> None:
    store.sync_feed(feed(updated_at=NOW), [record("CVE-2026-0001", below("bash", "5"), below("zsh", "5", "debian:13"))])
    where, why = no(store, analysis(OPENSSL))
    assert where == "name"
    assert why.endswith("no such package is installed; the feeds know it for bash (debian:12), zsh (debian:13)")
    assert no(store, analysis(OPENSSL), "libssl3")[1].endswith(
        "libssl3 is asked about as openssl; the feeds know it for bash (debian:12), zsh (debian:13)"
    )
    assert no(store, analysis(OPENSSL), "vim") == ("name", "not reported: vim is not installed")


def test_a_package_of_another_kind_than_the_distributions(store: Store) -> None:
    store.sync_feed(feed(updated_at=NOW), [record("CVE-2026-0001", below("openssl", "5"))])
    rpm = Package("openssl", "3", "rpm", "rpm")
    assert no(store, analysis(rpm), "openssl") == (
        "name",
        "not reported: openssl is a rpm package that no feed is asked about",
    )


def test_it_is_about_another_distribution(store: Store) -> None:
    records = [
        record("CVE-2026-0001", below("openssl", "3.0.13", "debian:13")),
        record("CVE-2026-0002", below("bash", "1")),
    ]
    store.sync_feed(feed(updated_at=NOW), records)
    assert no(store, analysis(OPENSSL)) == (
        "namespace",
        "not reported: the feeds speak of it for debian:13; the image's packages are of debian:12",
    )


def test_the_version_is_not_in_the_range(store: Store) -> None:
    ranges = (Range("1", "3.0.5"), Range("3.1", "", "3.2"))
    store.sync_feed(
        feed(updated_at=NOW), [record("CVE-2026-0001", Affected("debian:12", "openssl", "deb", ranges=ranges))]
    )
    assert no(store, analysis(OPENSSL)) == (
        "range",
        "not reported: CVE-2026-0001 of debian: 3.0.11 is not >= 1 and < 3.0.5 or >= 3.1 and <= 3.2",
    )


def test_it_is_about_another_architecture(store: Store) -> None:
    store.sync_feed(feed(updated_at=NOW), [record("CVE-2026-0001", below("openssl", "4", arches=("arm64", "s390x")))])
    assert no(store, analysis(OPENSSL))[1].endswith("only about arm64, s390x, the package is amd64")


RHEL = Distro("rhel", "9")


@pytest.mark.parametrize(
    ("module", "package_module", "release", "why"),
    [
        ("httpd:2.4", "httpd:2.2:1:abc", ".module+el9", "about module httpd:2.4"),
        ("httpd:2.4", "", "", "about module httpd:2.4"),
        ("", "httpd:2.4:1:abc", ".module+el9", "about another module build"),
    ],
)
def test_it_is_about_another_module(store: Store, module: str, package_module: str, release: str, why: str) -> None:
    affected = Affected("rhel:9", "httpd", "rpm", ranges=(Range("", "0:3-1"),), module=module)
    store.sync_feed(feed("rhel", NOW), [record("CVE-2026-0001", affected, feed="rhel")])
    package = Package("httpd", f"2.4-1{release}", "rpm", "rpm", module=package_module)
    assert no(store, analysis(package, distro=RHEL)) == ("range", f"not reported: CVE-2026-0001 of rhel: {why}")


def test_a_better_source_denies_it(store: Store) -> None:
    wheel = Package("jinja2", "3.1.2", "pypi", "pep440")
    ghsa = Affected("pypi", "jinja2", "pep440", ranges=(Range("", "3.1.4"),))
    denial = Affected("pypi", "jinja2", "pep440", Statement.NOT_AFFECTED)
    store.sync_feed(feed("ghsa", NOW), [record("CVE-2026-0001", ghsa, feed="ghsa")])
    store.sync_feed(feed("vendor", NOW), [record("CVE-2026-0001", denial, feed="vendor")])
    where, why = no(store, analysis(wheel))
    assert where == "range"
    assert why.endswith("settled by a better source: vendor states not affected (CVE-2026-0001)")


def test_only_a_denial(store: Store) -> None:
    denial = Affected("debian:12", "openssl", "deb", Statement.NOT_AFFECTED)
    store.sync_feed(feed(updated_at=NOW), [record("CVE-2026-0001", denial)])
    assert no(store, analysis(OPENSSL)) == ("range", "not reported: CVE-2026-0001 of debian: states not affected")


def test_a_version_that_cannot_be_compared_is_followed_all_the_same(store: Store) -> None:
    store.sync_feed(
        feed("ghsa", NOW), [record("CVE-2026-0001", Affected("pypi", "x", "pep440", ranges=(Range("", "2"),)))]
    )
    found = told(store, analysis(Package("x", "not a version", "pypi", "pep440")))
    assert found.chains[0].steps[0].answer == "note"
    assert "cannot be compared (pep440): undecided counts as a match" in found.chains[0].steps[0].detail


LENIENT = """
id: b
version: "1_0"
policies:
  - id: p
    version: "1_0"
    rules:
      - id: worst
        gate: vulnerabilities
        trigger: package
        action: STOP
        params: {package_type: all, severity: %s, severity_comparison: ">=", vendor_only: false}
whitelists:
  - id: w
    version: "1_0"
    items: [{id: known, gate: vulnerabilities, trigger_id: "CVE-2026-0001+*"}]
mappings:
  - {id: m, registry: "*", repository: "*", image: {type: tag, value: "*"}, policy_ids: [p], whitelist_ids: [w]}
"""


def test_no_rule_fires_for_it_or_an_exception_lets_it_through(store: Store) -> None:
    store.sync_feed(feed(updated_at=NOW), [record("CVE-2026-0001", below("openssl", "3.0.13"))])
    where, why = no(store, analysis(OPENSSL), judged_by=bundle(LENIENT % "critical"))
    assert where == "rule"
    assert why.startswith("found, but no rule fires for it: worst (package_type all, severity critical")
    assert no(store, analysis(OPENSSL), judged_by=bundle(LENIENT % "high")) == (
        "exception",
        "found, but let through by exception known",
    )


def test_as_of_a_revision_that_did_not_know_it(store: Store) -> None:
    store.sync_feed(feed(updated_at=NOW), [record("CVE-2026-0002", below("openssl", "3.0.13"))])
    store.sync_feed(feed(updated_at=NOW), [record("CVE-2026-0001", below("openssl", "3.0.13"))])
    assert no(store, analysis(OPENSSL), feeds=Feeds(1))[0] == "candidate"
    assert told(store, analysis(OPENSSL), feeds=Feeds(2)).stopped_at == ""
    assert told(store, analysis(OPENSSL), "CVE-2026-0002", feeds=Feeds(2)).stopped_at == "candidate"


def test_the_embedded_feed_is_explained_where_it_decides(store: Store) -> None:
    found = told(store, analysis(deb("openssh-server", "1:9.2p1-2", "openssh")), "CVE-2024-6387")
    assert [step.answer for step in found.steps] == ["yes", "yes", "yes"]
    assert "starter:debian" in found.steps[0].detail
    assert found.chains[0].steps[1].answer == "yes"


def test_an_explanation_agrees_with_the_scan_about_everything(store: Store) -> None:
    chance = random.Random(11)
    names = [f"p{number}" for number in range(8)]
    ids = [f"CVE-2026-{number:04}" for number in range(40)]

    def statement() -> Affected:
        kind = chance.choice([Statement.AFFECTED] * 4 + [Statement.NOT_AFFECTED, Statement.WONT_FIX])
        ecosystem = chance.choice(("debian:12", "debian:12", "debian:13"))
        ranges = (Range("", chance.choice(("1", "2", "3"))),) if chance.random() < 0.8 else ()
        return Affected(ecosystem, chance.choice(names), "deb", kind, ranges, arches=chance.choice(((), ("arm64",))))

    for source in ("debian", "other"):
        records = [
            record(name, *{each.package: each for each in (statement(), statement())}.values(), feed=source)
            for name in ids
            if chance.random() < 0.8
        ]
        store.sync_feed(feed(source, NOW), records)
    found = analysis(*(deb(f"lib{name}-{number}", chance.choice("123"), name) for name in names for number in "ab"))
    report = decide_again(store, inputs(found)).report
    assert len(report.matches) > 20
    reported = {(each.id, each.package.name) for each in report.matches if not each.suppressed}
    findings = {each.trigger_id for each in report.verdict.findings} if report.verdict else set()
    for name in ids:
        explanation = told(store, found, name)
        for chain in explanation.chains:
            steps = {step.name: step.answer for step in chain.steps}
            assert ((name, chain.package.name) in reported) == (steps.get("range") == "yes"), (name, chain)
            assert (f"{name}+{chain.package.name}" in findings) == (steps.get("rule") == "yes"), (name, chain)
        told_of = {(name, chain.package.name) for chain in explanation.chains}
        assert {pair for pair in reported if pair[0] == name} <= told_of


def test_the_distribution_of_the_image_counts(store: Store) -> None:
    store.sync_feed(feed(updated_at=NOW), [record("CVE-2026-0001", below("openssl", "3.0.13"))])
    assert told(store, analysis(OPENSSL, distro=DEBIAN)).stopped_at == ""
    assert told(store, analysis(OPENSSL, distro=Distro("debian", "13"))).stopped_at == "namespace"
