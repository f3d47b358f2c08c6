"""Rows of errata as one statement for each package."""

from __future__ import annotations

from anchorecli.feeds.rpm.statements import Said, affected, with_everybody
from anchorecli.matching.decide import Subject, judge
from anchorecli.matching.ecosystems import Query
from anchorecli.model import Affected, Candidate, Range, Severity, Statement, pack_ranges

A, N, W, U = Statement.AFFECTED, Statement.NOT_AFFECTED, Statement.WONT_FIX, Statement.UNDER_INVESTIGATION


def fix(version: str, arch: str = "", module: str = "") -> Said:
    return Said("rhel:9", "p", A, version, arch=arch, module=module)


def is_affected(each: Affected, version: str, arch: str = "x86_64") -> bool:
    candidate = Candidate(
        0,
        "f",
        each.ecosystem,
        each.package,
        "rpm",
        each.statement.value,
        pack_ranges(each.ranges),
        "",
        0,
        each.module,
        ",".join(each.arches),
    )
    return judge(candidate, Subject(Query(each.ecosystem, each.package, version, arch=arch))) is not None


def test_a_fix_is_worth_more_than_what_else_is_said() -> None:
    rows = [Said("s", "p", N), Said("s", "p", W), fix("1-1")._replace(ecosystem="s"), Said("s", "q", N)]
    assert [(each.package, each.statement, each.ranges) for each in affected(rows)] == [
        ("p", A, (Range(fixed="1-1"),)),
        ("q", N, ()),
    ]


def test_of_contradictions_what_asks_for_attention_holds() -> None:
    for rows, expected in (
        ((N, A), A),
        ((N, W, U), W),
        ((U, N), U),
        ((A, W), A),
    ):
        (found,) = affected([Said("s", "p", each) for each in rows])
        assert found.statement is expected, rows


def test_builds_of_one_branch_have_one_fix() -> None:
    (found,) = affected([fix("1:3.0.7-24.el9_2"), fix("1:3.0.7-24.el9_2.1"), fix("1:3.0.7-24.el9_2.2")])
    assert found.ranges == (Range(fixed="1:3.0.7-24.el9_2"),)


def test_a_later_branch_begins_without_the_fix() -> None:
    (found,) = affected([fix("7.76.1-26.el9_3.2"), fix("7.76.1-23.el9_2.4")])
    assert found.ranges == (Range(fixed="7.76.1-23.el9_2.4"), Range("7.76.1-24", "7.76.1-26.el9_3.2"))
    for version, expected in (
        ("0:7.76.1-19.el9", True),
        ("0:7.76.1-23.el9_2.3", True),
        ("0:7.76.1-23.el9_2.4", False),
        ("0:7.76.1-23.el9_2.5", False),
        ("0:7.76.1-24.el9", True),
        ("0:7.76.1-26.el9", True),
        ("0:7.76.1-26.el9_3", True),
        ("0:7.76.1-26.el9_3.2", False),
        ("0:7.76.1-29.el9_4", False),
    ):
        assert is_affected(found, version) is expected, version


def test_what_came_between_two_branches_has_the_fix_of_neither() -> None:
    (found,) = affected([fix("3.9.18-3.el9_4.5"), fix("3.9.19-8.el9_5.1")])
    assert [is_affected(found, f"0:3.9.{each}") for each in ("18-3.el9_4.6", "19-7.el9", "19-8.el9_5.1")] == [
        False,
        True,
        False,
    ]
    # Without a number of its own the fix may be followed by others of its branch, or is the release's own.
    (rebased,) = affected([fix("115.3.1-1.el9_2"), fix("115.4.0-1.el9_3")])
    (main,) = affected([fix("1-5.el9"), fix("1-7.el9_3.2")])
    assert not is_affected(rebased, "0:115.3.1-2.el9_2")
    assert not is_affected(main, "0:1-6.el9")


def test_builds_for_several_contexts_of_a_module_are_one_fix() -> None:
    release = "12.module+el8.10.0+23147+{}"
    (found,) = affected([fix(f"1:0.78-{release.format(each)}", module="m:1") for each in ("95b6", "20b7", "df11")])
    assert len(found.ranges) == 1
    assert found.module == "m:1"
    assert is_affected(found, "1:0.78-11.module+el8.3.0+7000+aaaa")
    for each in ("95b6", "20b7", "df11"):
        assert not is_affected(found, f"1:0.78-{release.format(each)}"), each


def test_architectures_are_named_only_where_they_differ() -> None:
    (same,) = affected([fix("1-1", "x86_64"), fix("1-1", "aarch64"), fix("1-1", "src")])
    assert same.arches == ()
    one, two = affected([fix("1-1", "x86_64"), fix("1-2", "aarch64"), fix("1-2", "i686"), fix("1-1", "src")])
    assert (one.ranges, one.arches) == ((Range(fixed="1-2"),), ("aarch64", "i686"))
    assert (two.ranges, two.arches) == ((Range(fixed="1-1"),), ("x86_64",))
    (limited,) = affected([Said("s", "p", A, arch="s390x")])
    assert limited.arches == ("s390x",)


def test_ranges_with_a_beginning_are_kept_as_they_are() -> None:
    rows = [Said("s", "p", A, "5.15-2", "5.15", arch=arch) for arch in ("x86_64", "aarch64")]
    (found,) = affected(rows)
    assert (found.ranges, found.arches) == ((Range("5.15", "5.15-2"),), ())
    (last,) = affected([Said("s", "p", A, last="2-1")])
    assert last.ranges == (Range(last_affected="2-1"),)
    one, two = affected([Said("s", "p", A, "2", "1", arch="a1"), Said("s", "p", A, "4", "3", arch="a2")])
    assert {one.arches: one.ranges, two.arches: two.ranges} == {
        ("a1",): (Range("1", "2"),),
        ("a2",): (Range("3", "4"),),
    }


def test_a_version_that_cannot_be_read_is_kept_for_the_matcher_to_tell() -> None:
    (found,) = affected([fix("1,2 or 3")])
    assert found.ranges == (Range(fixed="1,2 or 3"),)
    (found,) = affected([fix("1,2 or 3"), fix("1-1")])
    assert found.ranges == (Range(fixed="1-1"),)


def test_modules_and_releases_are_apart() -> None:
    rows = [fix("1-1"), fix("2-1", module="m:1"), fix("3-1")._replace(ecosystem="rhel:9.2+eus")]
    assert [(each.ecosystem, each.module) for each in affected(rows)] == [
        ("rhel:9", ""),
        ("rhel:9", "m:1"),
        ("rhel:9.2+eus", ""),
    ]


def test_severities_of_packages() -> None:
    (found,) = affected([Said("s", "p", W, severity=Severity.LOW)])
    assert found.severity is Severity.LOW


def test_where_only_subscribers_get_a_fix_the_others_have_the_flaw_and_no_fix() -> None:
    paid = Said("rhel:6+els", "p", A, "2-1.el6_10", severity=Severity.HIGH)
    fixed_for_all = Said("rhel:7", "q", A, "1-1")
    rows = [paid, paid._replace(arch="i686"), paid._replace(package="q"), Said("rhel:6", "q", N), fixed_for_all]
    found = {
        (each.ecosystem, each.package): (each.statement, each.severity)
        for each in affected(with_everybody(rows, "+els"))
    }
    assert found["rhel:6", "p"] == (W, Severity.HIGH)
    assert found["rhel:6", "q"][0] is N  # spoken of: it stays
    assert set(found) == {("rhel:6", "p"), ("rhel:6", "q"), ("rhel:6+els", "p"), ("rhel:6+els", "q"), ("rhel:7", "q")}


def test_a_minor_release_of_subscribers_says_nothing_of_the_others() -> None:
    rows = [Said("rhel:9.2+eus", "p", A, "2-1.el9_2"), Said("rhel:6+els", "p", N)]
    assert with_everybody(rows, "+els") == rows
