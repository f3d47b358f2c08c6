"""Matches grouped as they are fixed, and the upgrades that fix them."""

from __future__ import annotations

from dataclasses import replace

from anchorecli.model import Match, Severity
from anchorecli.report.groups import Upgrade, group, upgrades
from tests.report import samples

IMAGE = samples.image()


def upgrade(*matches: Match) -> Upgrade:
    (found,) = upgrades(matches, IMAGE)
    return found


def requests(identifier: str, *fixed_in: str, severity: Severity = Severity.HIGH) -> Match:
    return samples.match(identifier, samples.REQUESTS, severity, fixed_in)


def test_the_target_is_the_lowest_version_that_fixes_all() -> None:
    found = upgrade(requests("A", "2.31.0"), requests("B", "2.32.0"), requests("C", "2.9.0", "2.30.0"))
    assert (found.installed, found.target) == ("2.28.0", "2.32.0")


def test_versions_are_compared_by_their_scheme() -> None:
    assert upgrade(requests("A", "2.100.0"), requests("B", "2.99.0")).target == "2.100.0"
    debian = [samples.match(each, samples.NGINX, Severity.HIGH, [each]) for each in ("1.22.1-9", "1.22.1-10~rc1")]
    assert upgrade(*debian).target == "1.22.1-10~rc1"


def test_each_branch_has_its_own_fix() -> None:
    assert upgrade(requests("A", "3.0.1", "2.28.5", "1.9.9")).target == "2.28.5"


def test_a_version_between_two_branches_has_the_fix_of_its_own_alone() -> None:
    # 2.0.1 fixes B, but is of the branch that A was fixed in by 2.0.3.
    assert upgrade(requests("A", "2.28.5", "3.0.3"), requests("B", "3.0.1")).target == "3.0.3"
    assert upgrade(requests("A", "2.28.5", "3.0.3"), requests("B", "2.28.9")).target == "2.28.9"
    # Nobody can tell which of the two 2.30.0 is nearer to: the one that surely has both.
    assert upgrade(requests("A", "2.28.5", "2.31.2"), requests("B", "2.30.0", "2.31.3")).target == "2.31.3"


def test_an_upgrade_says_what_it_fixes_of_how_many_and_what_is_upgraded_with_it() -> None:
    found = upgrade(
        samples.match("A", samples.LIBSSL, Severity.LOW, ["3.0.12-1"]),
        samples.match("A", samples.OPENSSL, Severity.LOW, ["3.0.12-1"]),
        samples.match("B", samples.OPENSSL, Severity.HIGH, ["3.0.13-1"]),
        samples.match("C", samples.OPENSSL, Severity.CRITICAL),
    )
    assert (found.name, found.packages, found.target) == ("openssl", ("libssl3", "openssl"), "3.0.13-1")
    assert (found.ids, found.of, found.layers) == (("B", "A"), 3, (samples.diff_id(0),))


def test_only_lower_versions_still_name_one() -> None:
    assert upgrade(requests("A", "2.1.0", "2.0.0")).target == "2.0.0"


def test_versions_that_cannot_be_compared_are_all_named() -> None:
    odd = replace(samples.REQUESTS, scheme="nobody-knows")
    found = upgrade(*(samples.match(each, odd, Severity.LOW, [f"v{each}", "x"]) for each in ("2", "1")))
    assert found.target == "v1 and v2"


def test_what_cannot_be_fixed_is_no_upgrade() -> None:
    assert upgrades([requests("A")], IMAGE) == []


def test_the_most_worthwhile_come_first() -> None:
    names = [
        each.name
        for each in upgrades(
            [
                samples.match("A", samples.NGINX, Severity.HIGH, ["9"]),
                samples.match("B", samples.ZLIB, Severity.LOW, ["9:9"]),
                requests("C", "9"),
                requests("D", "9"),
                samples.match("E", samples.LINUX, Severity.CRITICAL, ["9"]),
            ],
            IMAGE,
        )
    ]
    assert names == ["linux-libc-dev", "requests", "nginx", "zlib1g"]


def test_an_upgrade_in_two_layers_is_one() -> None:
    again = replace(samples.REQUESTS, layer=samples.diff_id(2), locations=())
    matches = [requests("A", "9"), samples.match("A", again, Severity.HIGH, ["9"])]
    assert len(group(matches, IMAGE)) == 2
    assert upgrade(*matches).severities == (Severity.HIGH,)


def test_two_versions_of_a_package_are_two_groups() -> None:
    other = replace(samples.REQUESTS, version="1.0")
    found = group([requests("A"), samples.match("A", other, Severity.HIGH)], IMAGE)
    assert [each.version for each in found] == ["1.0", "2.28.0"]


def test_a_group_holds_a_vulnerability_once_with_its_worst_severity() -> None:
    matches = [
        samples.match("A", samples.LIBSSL, Severity.HIGH),
        samples.match("A", samples.OPENSSL, Severity.LOW),
    ]
    (found,) = group(matches, IMAGE)
    assert found.name == "openssl"
    assert found.names == ("libssl3", "openssl")
    assert [match.severity for match in found.matches] == [Severity.HIGH]
