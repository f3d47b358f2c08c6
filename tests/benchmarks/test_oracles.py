"""The slow oracle of `make quality`: what records say, and orders by rules where no tool is asked."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import oracle_feeds
import oracle_orders
import oracle_vendors
import oracles
import pytest
import quality
import quality_packages
import quality_subjects
from oracles import Asked, Statement, judge


def record(**more):
    entry = {"package": {"ecosystem": "PyPI", "name": "x"}, "ranges": [], "versions": []}
    affected = [entry | each for each in more.pop("affected", [{}])]
    return {"id": "GHSA-1", "aliases": ["CVE-2024-0001"], "affected": affected, **more}


def between(*events, kind="ECOSYSTEM"):
    return {"ranges": [{"type": kind, "events": [dict([each]) for each in events]}]}


def affected(entry, *versions, scheme="pep440", **more):
    statements = list(oracles.osv_record(record(affected=[entry], **more)))
    asked = [Asked("x", each) for each in versions]
    found = judge(asked, statements, scheme)
    return [one.version for one in asked if found[one]]


def test_events_open_and_close_in_the_order_of_versions():
    entry = between(("introduced", "2"), ("fixed", "6"), ("introduced", "7"), ("fixed", "6"), ("introduced", "8"))
    assert affected(entry, "1", "2", "5.9", "6", "7", "9") == ["2", "5.9", "7", "9"]


def test_listed_versions_count_in_any_spelling_and_last_ones_are_in():
    assert affected({"versions": ["1.0"]}, "1.0", "1.0.0", "1.0.1") == ["1.0", "1.0.0"]
    assert affected(between(("introduced", "0"), ("last_affected", "2")), "2", "2.0.1") == ["2"]


@pytest.mark.parametrize("title", ["Withdrawn: x", "Withdrawn Advisory: x", "WITHDRAWN"])
def test_withdrawn_records_say_nothing(title):
    entry = between(("introduced", "0"))
    assert affected(entry, "1", summary=title) == []
    assert affected(entry, "1", withdrawn="2024-01-01T00:00:00Z") == []
    assert affected(entry, "1", summary="Money withdrawn: x") == ["1"]


def test_go_records_of_other_systems_and_of_numbers_outside_the_module_system():
    windows = between(("introduced", "0")) | {"ecosystem_specific": {"imports": [{"goos": ["windows"]}]}}
    assert list(oracles.osv_record(record(affected=[windows]))) == []
    custom = {"ecosystem_specific": {"custom_ranges": [{"events": [{"introduced": "0"}, {"fixed": "3.1.1"}]}]}}
    [statement] = oracles.osv_record(record(affected=[between(("introduced", "0")) | custom]))
    assert statement.ranges == ((("introduced", "0"), ("fixed", "3.1.1")), oracles.UNNUMBERED)
    assert statement.bounds() == {"3.1.1"}


def test_a_version_without_order_is_not_judged():
    [statement] = oracles.osv_record(record(affected=[between(("introduced", "0"), ("fixed", "2"))]))
    assert judge([Asked("x", "no version")], [statement], "pep440") == {Asked("x", "no version"): None}


@pytest.mark.parametrize(
    ("a", "b", "order"),
    [
        ("1.0", "1.0.0.0", 0), ("1.0.0-RC.1", "1.0.0-rc.1", 0), ("1.0-rc.2", "1.0-rc.10", -1), ("1.0-rc", "1.0", -1),
        ("1.0.0+a", "1.0.0", 0), ("1.0.0.1", "1.0.0", 1), ("1.0-1", "1.0-a", -1), ("one", "1", None),
    ],
)  # fmt: skip
def test_nugets_rules(a, b, order):
    assert oracle_orders.nuget_order(a, b) == order


@pytest.mark.parametrize(
    ("a", "b", "order"),
    [("1.0-r1", "1.0-r2", -1), ("1.0_rc1", "1.0", -1), ("1.0_p1", "1.0", 1), ("1.0a", "1.0", 1), ("..1", "1", None)],
)
def test_apks_rules(a, b, order):
    assert oracle_orders.apk_order(a, b) == order


def test_a_tool_that_is_not_here_is_no_oracle(monkeypatch):
    monkeypatch.setitem(oracles.ORACLES, "portage", lambda pairs: None)
    assert oracles.tool("portage") == ""
    with pytest.raises(oracles.NoOracle):
        judge([Asked("x", "1")], [Statement("A", frozenset("A"), "s", "x", ((("fixed", "2"),),))], "portage")


def test_groups_of_arch(tmp_path: Path):
    group = {"name": "AVG-1", "packages": ["a", "b"], "issues": ["CVE-2024-0001"], "fixed": "2-1", "status": "Fixed"}
    groups = [group, group | {"name": "AVG-2", "fixed": None, "packages": ["c"], "issues": []}]
    groups.append(group | {"status": "Not affected"})
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for number, each in enumerate(groups):
            archive.writestr(f"{number}.json", json.dumps(each))
    found = list(oracle_feeds.arch(tmp_path / "all.zip"))
    assert [(each.package, sorted(each.about), each.ranges) for each in found] == [
        ("a", ["CVE-2024-0001"], ((("introduced", "0"), ("fixed", "2-1")),)),
        ("b", ["CVE-2024-0001"], ((("introduced", "0"), ("fixed", "2-1")),)),
        ("c", ["AVG-2"], ()),
    ]


def test_states_of_ubuntus_tracker(tmp_path: Path):
    lines = ["Candidate: CVE-2024-0001", "bionic_a: released (1.0-2)", "bionic_b: needed", "bionic_c: DNE"]
    (tmp_path / "active").mkdir()
    (tmp_path / "active/CVE-2024-0001").write_text("\n".join([*lines, "bionic_d: not-affected (code not there)"]))
    found = list(oracle_feeds.ubuntu_tracker(tmp_path))
    assert [(each.package, each.bounds()) for each in found] == [("a", {"1.0-2"}), ("b", set())]


def test_branches_of_friends_of_php(tmp_path: Path):
    text = (
        "cve: ~\nlink: https://x.example\nreference: composer://A/B\nbranches:\n  1.x: {versions: ['>=1.0', '<1.2']}\n"
    )
    (tmp_path / "2024-01-01.yaml").write_text(text)
    [found] = oracle_feeds.phpsec(tmp_path)
    assert (found.package, found.about) == ("a/b", frozenset(["a/b/2024-01-01"]))
    assert found.ranges == ((("introduced", "1.0"), ("fixed", "1.2")),)


def test_made_up_versions_lie_around_the_bounds():
    import random

    chance = random.Random(1)
    found = {quality_packages.variant("1.2.3", "npm", chance) for _ in range(200)}
    assert {"1.2.3", "1.2.2", "1.2.4", "1.2.3-rc.1"} <= found
    assert all("-" not in quality_packages.variant("1.21.0-0", "go", chance, "stdlib") for _ in range(50))


def zipped(path, *documents):
    with zipfile.ZipFile(path, "w") as archive:
        for number, each in enumerate(documents):
            archive.writestr(f"{number}.json", json.dumps(each))
    return path


def test_red_hats_api_about_a_release_its_minors_and_what_has_no_fix(tmp_path):
    linux = "Red Hat Enterprise Linux 9"
    record = {
        "name": "CVE-2024-1000",
        "affected_release": [
            {"product_name": linux, "package": "curl-0:7.76.1-26.el9_3.2"},
            {"product_name": f"{linux}.2 Extended Update Support", "package": "curl-0:7.76.1-23.el9_2.4"},
            {"product_name": linux, "package": "rhel9/curl-8"},
        ],
        "package_state": [
            {"product_name": linux, "package_name": "wget", "fix_state": "Will not fix"},
            {"product_name": linux, "package_name": "bash", "fix_state": "Not affected"},
            {"product_name": linux, "package_name": "nodejs:18/nodejs", "fix_state": "Affected"},
        ],
    }
    found = [each for each in oracle_vendors.redhat_api(zipped(tmp_path / "a.zip", record)) if each.space == linux]
    curl, wget, bash = found
    assert curl.bounds() == {"0:7.76.1-26.el9_3.2", "0:7.76.1-23.el9_2.4"}
    assert (wget.package, wget.ranges, wget.denies, bash.denies) == ("wget", (), False, True)


def test_suses_advisories_are_about_the_service_pack_of_any_product(tmp_path):
    products = {
        "SUSE Linux Enterprise Module for Basesystem 15 SP5": "curl-8.0.1-150400.5.1.x86_64",
        "SUSE Linux Enterprise Server 15 SP5-LTSS": "curl-debuginfo-8.0.1-150400.5.1.x86_64",
        "SUSE Linux Enterprise Micro 5.5": "curl-8.0.1-150400.5.1.x86_64",
    }
    parts = [
        {
            "full_product_name": {"product_id": f"{whole}:{part}"},
            "product_reference": part,
            "relates_to_product_reference": whole,
        }
        for whole, part in products.items()
    ]
    said = {"cve": "CVE-2024-1000", "product_status": {"recommended": [f"{a}:{b}" for a, b in products.items()]}}
    document = {
        "document": {"tracking": {"id": "SUSE-SU-1"}},
        "product_tree": {"relationships": parts},
        "vulnerabilities": [said],
    }
    [found] = oracle_vendors.suse_csaf(zipped(tmp_path / "a.zip", document))
    assert (found.space, found.package, found.bounds()) == ("15 SP5", "curl", {"8.0.1-150400.5.1"})


def test_gitlabs_alternatives_with_a_version_left_out(tmp_path):
    text = "identifier: CVE-2022-1000\nidentifiers: [CVE-2022-1000]\npackage_slug: conan/x\n"
    (tmp_path / "a.yml").write_text(text + "affected_range: '<0.3.1||>0.3.1 <0.4||=2.0'\n")
    statements = list(oracle_vendors.gitlab(tmp_path))
    asked = [Asked("x", each) for each in ("0.3", "0.3.1", "0.3.2", "0.4", "2.0")]
    found = judge(asked, statements, "plain")
    assert [one.version for one in asked if found[one]] == ["0.3", "0.3.2", "2.0"]


def test_a_build_counts_in_julias_order():
    order = oracle_orders.julia_order
    pairs = [("1.2.3+1", "1.2.3"), ("1.2.3+2", "1.2.3+10"), ("1.2.3-rc1", "1.2.3"), ("1.2", "1.2.0")]
    pairs += [("1+01", "1+1"), ("1+", "1+9"), ("1rc1", "1-rc1"), ("1-2", "1-a")]
    assert [order(*each) for each in pairs] == [1, -1, -1, 0, 0, 1, 0, -1]
    assert [order(each, "1.0") for each in ("master", "1.0+.1", "1.0+1.", "1.0-", "1.2.3.4")] == [None] * 5


def test_a_version_meets_bounds_without_epochs_without_its_own():
    entry = between(("introduced", "0"), ("fixed", "2.0-1"))
    [statement] = oracles.osv_record(record(affected=[entry]))
    assert oracles._met("1:1.9-1", statement, "rpm") == "1.9-1"
    assert oracles._met("1:1.9-1", statement, "deb") == "1:1.9-1"


@pytest.mark.parametrize(
    ("version", "space"),
    [
        ("1.0-1", ""), ("1.0-1+deb11u2", ""), ("1.0-1+deb9u2", ""), ("1.0-1+deb12u2", "twelve"),
        ("1.0~deb12u1+b1", "twelve"),
        ("1.0-1+deb12u2~deb11u1", ""), ("1.0-1+deb11u1~deb12u1", "twelve"), ("1.0-1+deb14u1", "nobody"),
        ("1.0-1~bpo12+1", "twelve"), ("1.0-1+deb12u1~bpo11+1", ""), ("1.0-1~bpo70+1", ""), ("1.0-1~bpo12", ""),
        ("1.0+debian12-1", ""), ("1.0-1+deb12", ""),
    ],
)  # fmt: skip
def test_the_last_mark_of_a_later_debian_tells_who_speaks_of_a_version(version, space):
    assert quality_subjects.later_debian(11, {12: "twelve"})(version) == space


def test_packages_are_judged_by_the_records_that_speak_of_them():
    speaks = quality_subjects.later_debian(11, {12: "twelve"})
    subject = quality_subjects.Subject("x", (), "eleven", "deb", quality_packages.write_dpkg, speaks=speaks)
    own, later = Asked("x", "1.0-1"), Asked("x", "1.0-1+deb12u1")
    assert quality.by_space(subject, [own, later]) == {"eleven": [own], "twelve": [later]}
