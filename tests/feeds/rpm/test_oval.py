"""What OVAL definitions claim, by their tests and in words."""

from __future__ import annotations

import io
import re

import pytest

from anchorecli.errors import FeedError
from anchorecli.feeds.rpm import criteria
from anchorecli.feeds.rpm.criteria import Claim
from anchorecli.feeds.rpm.oval import Definition, definitions, moment
from anchorecli.model import Problem
from tests.feeds.rpm.samples import joined, oval, rpm_test


def platform(comment: str) -> str:
    found = re.fullmatch(r"(System \d+) is installed", comment)
    return found[1] if found else ""


def read(text: str, *, in_words: bool = False) -> list[Definition | Problem]:
    return list(definitions("f", "x.xml", io.BytesIO(text.encode()), platform, in_words=in_words))


def claims(tree: str, *tests: tuple[str, ...]) -> list[Claim]:
    text = oval(f'<definition id="d" class="patch"><metadata/>{tree}</definition>', *joined(*tests))
    (found,) = read(text)
    assert isinstance(found, Definition), found
    return list(found.claims)


def leaf(number: int, comment: str = "") -> str:
    return f'<criterion test_ref="tst:{number}" comment="{comment}"/>'


def both(*parts: str) -> str:
    return f'<criteria operator="AND">{"".join(parts)}</criteria>'


def either(*parts: str) -> str:
    return f'<criteria operator="OR">{"".join(parts)}</criteria>'


FIXED = rpm_test(1, "a", "less than", "0:1-2")
OTHER = rpm_test(2, "b", "less than", "0:3-4")


def test_a_fix_on_a_platform() -> None:
    tree = both(leaf(9, "System 8 is installed"), either(leaf(1), leaf(2)))
    assert claims(tree, FIXED, OTHER) == [
        Claim(("System 8",), "", (), "a", fixed="0:1-2"),
        Claim(("System 8",), "", (), "b", fixed="0:3-4"),
    ]


def test_platforms_stay_together() -> None:
    tree = both(either(leaf(8, "System 8 is installed"), leaf(9, "System 9 is installed")), either(leaf(1), leaf(2)))
    assert [each.platforms for each in claims(tree, FIXED, OTHER)] == [("System 8", "System 9")] * 2


def test_platforms_with_fixes_of_their_own() -> None:
    tree = either(both(leaf(8, "System 8 is installed"), leaf(1)), both(leaf(9, "System 9 is installed"), leaf(2)))
    assert [(each.platforms, each.package) for each in claims(tree, FIXED, OTHER)] == [
        (("System 8",), "a"),
        (("System 9",), "b"),
    ]


def test_what_can_never_be_is_no_claim() -> None:
    assert claims(both(leaf(8, "System 8 is installed"), leaf(9, "System 9 is installed"), leaf(1)), FIXED) == []


def test_modules_and_architectures() -> None:
    tree = both(
        leaf(7, "Module m:1 is enabled"),
        either(
            both(leaf(8, "System arch is x86_64"), leaf(1)),
            both(either(leaf(8, "System arch is aarch64"), leaf(9, "System arch is s390x")), leaf(2)),
        ),
    )
    assert claims(tree, FIXED, OTHER) == [
        Claim((), "m:1", ("x86_64",), "a", fixed="0:1-2"),
        Claim((), "m:1", ("aarch64", "s390x"), "b", fixed="0:3-4"),
    ]


def test_bounds_on_both_sides() -> None:
    low = rpm_test(2, "a", "greater than or equal", "0:1-0")
    assert claims(both(leaf(1), leaf(2)), FIXED, low) == [Claim((), "", (), "a", introduced="0:1-0", fixed="0:1-2")]
    last = rpm_test(1, "a", "less than or equal", "0:1-2")
    assert claims(both(leaf(1)), last) == [Claim((), "", (), "a", last="0:1-2")]
    exact = rpm_test(1, "a", "equals", "0:1-2")
    assert claims(both(leaf(1)), exact) == [Claim((), "", (), "a", introduced="0:1-2", last="0:1-2")]


def test_every_version_and_none() -> None:
    assert claims(both(leaf(1)), rpm_test(1, "a")) == [Claim((), "", (), "a")]
    assert claims(both(leaf(1)), rpm_test(1, "a", "equals", "0", tag="version")) == [
        Claim((), "", (), "a", denied=True)
    ]


def test_conditions_without_bearing() -> None:
    tree = either(
        leaf(6, "System must be installed"),
        both(leaf(1), leaf(7, "a is signed with the System key"), leaf(8, "kernel 1 is currently running")),
    )
    assert claims(tree, FIXED) == [Claim((), "", (), "a", fixed="0:1-2")]
    assert claims(either(leaf(6, "System must be installed"))) == []


def test_in_words() -> None:
    tree = both(leaf(9, "System 8 is installed"), leaf(1, "a is earlier than 0:1-2"))
    text = oval(f'<definition id="d" class="patch"><metadata/>{tree}</definition>')
    (found,) = read(text, in_words=True)
    assert isinstance(found, Definition)
    assert found.claims == (Claim(("System 8",), "", (), "a", fixed="0:1-2"),)


@pytest.mark.parametrize(
    ("tree", "tests", "reason"),
    [
        (both(leaf(5, "the moon is full")), (), "a condition that is not understood: 'the moon is full'"),
        ('<criteria operator="XOR">' + leaf(1) + leaf(1) + "</criteria>", (FIXED,), "joined by XOR"),
        ('<criteria negate="true">' + leaf(1) + "</criteria>", (FIXED,), "negated"),
        ('<criteria><extend_definition definition_ref="e"/></criteria>', (), "extends another definition"),
        (both(leaf(1), leaf(2)), (FIXED, OTHER), "several packages at once: a, b"),
        (both(leaf(1)), (rpm_test(1, "a", "bitwise and", "1"),), "'bitwise and', which is not understood"),
        (
            both(leaf(1), leaf(2)),
            (FIXED, rpm_test(2, "a", "greater than", "0:9-1")),
            "affected from 0:9-1, but fixed in 0:1-2 before that",
        ),
        (both(leaf(1)), (("<l:rpminfo_test id='tst:1'/>", "", ""),), "refers to what is not in the file"),
    ],
)
def test_what_is_not_understood_is_a_problem_of_that_definition(
    tree: str, tests: tuple[tuple[str, ...], ...], reason: str
) -> None:
    good = rpm_test(77, "good", "less than", "0:1-1")
    text = oval(
        f'<definition id="bad" class="patch"><metadata/>{tree}</definition>'
        f'<definition id="good" class="patch"><metadata/>{both(leaf(77))}</definition>'
        "<definition><metadata/></definition>",
        *joined(good, *tests),
    )
    bad, found, nameless = read(text)
    assert isinstance(bad, Problem)
    assert bad.incomplete
    assert "bad" in bad.subject
    assert reason in bad.message
    assert isinstance(found, Definition)
    assert found.id == "good"
    assert isinstance(nameless, Problem)


def test_alternatives_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(criteria, "MAX_CLAIMS", 20)
    tree = both(*(either(leaf(1), leaf(2)) for _ in range(9)))
    (found,) = read(oval(f'<definition id="d"><metadata/>{tree}</definition>', *joined(FIXED, OTHER)))
    assert isinstance(found, Problem)
    assert "more than 20 alternatives" in found.message


@pytest.mark.parametrize("in_words", [False, True])
def test_a_file_that_is_none_is_refused(in_words: bool) -> None:
    whole = oval('<definition id="d"><metadata/></definition>')
    for text in (
        "",
        "<html/>",
        "{}",
        whole[:-30],
        whole.replace("<generator/>", "<generator>"),
        "<!DOCTYPE x>" + whole,
    ):
        with pytest.raises(FeedError, match=r"f: x\.xml cannot be read"):
            read(text, in_words=in_words)


def test_metadata() -> None:
    metadata = """<metadata><title> T:
      two </title><reference source="CVE" ref_id="Mitre CVE-2020-0001"/><reference source="X" ref_id="X-1"/>
      <advisory><issued date="2020-01-02"/><cve cvss3="9.8/CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H">CVE-2020-0002
      </cve></advisory></metadata>"""
    (found,) = read(oval(f'<definition id="d">{metadata}</definition>'))
    assert isinstance(found, Definition)
    assert found.title == "T: two"
    assert found.cves() == ("CVE-2020-0001", "CVE-2020-0002")
    assert [(each.score, each.source) for each in found.scores("S")] == [(9.8, "S")]
    assert found.date("issued") == "2020-01-02T00:00:00Z"
    assert found.date("updated") == ""


def test_moments() -> None:
    assert [moment(each) for each in ("2020-01-02", "2020-01-02 03:04:05", "2020-01-02T03:04:05Z", "soon", "")] == [
        *("2020-01-02T00:00:00Z", "2020-01-02T03:04:05Z", "2020-01-02T03:04:05Z", "", ""),
    ]


def test_deprecated_definitions_are_passed_over() -> None:
    assert read(oval('<definition id="d" deprecated="true"><metadata/></definition>')) == []
