"""On generated feeds: nothing is lost, nothing invented, and the order of anything does not matter."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from anchorecli.model import MatchVerdict, Range, Statement
from anchorecli.versions import compare, within
from tests.matching.feeds import Feeds, advisory, affected, package

VERSIONS = st.sampled_from(["0.9", "1.0", "1.0-1", "1.0-2", "1.1~rc1", "1.1", "2.0+b1", "not/one"])
BOUND = st.one_of(st.just(""), VERSIONS)
CVES = [f"CVE-2024-000{n}" for n in range(4)]
NAMES = [*CVES, "DSA-1", "GHSA-1", "PYSEC-1"]
STATEMENTS = st.sampled_from([Statement.AFFECTED, Statement.AFFECTED, Statement.WONT_FIX, Statement.NOT_AFFECTED])


@st.composite
def records(draw):
    found = []
    for id_ in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=6)):
        ranges = draw(st.lists(st.builds(Range, BOUND, BOUND, BOUND), max_size=2))
        aliases = draw(st.lists(st.sampled_from(NAMES), max_size=3, unique=True))
        found.append(
            advisory(
                id_,
                affected("debian:12", "x", ranges=tuple(ranges), statement=draw(STATEMENTS)),
                feed=draw(st.sampled_from(["debian", "osv:Debian", "ghsa"])),
                aliases=tuple(alias for alias in aliases if alias != id_),
            )
        )
    return found


def holds(statement, version):
    """Affected (True), unknown (None) or neither (False), by the door of the version schemes alone."""
    found = [within("deb", each, version) for each in statement.ranges] or [True]
    return True if True in found else None if None in found else False


@settings(max_examples=300, deadline=None)
@given(records(), VERSIONS)
def test_every_statement_that_holds_is_in_exactly_one_match_or_folded(advisories, version):
    matches = Feeds(advisories).match(package("x", version)).matches
    claimed = set()
    for each in advisories:
        (statement,) = each.affected
        if statement.statement != Statement.NOT_AFFECTED and holds(statement, version) is not False:
            claimed.add(each.id)
    assert claimed <= {name for match in matches for name in (match.id, match.advisory, *match.aliases)}
    assert bool(matches) == bool(claimed)
    assert {match.advisory for match in matches} <= claimed
    assert len({match.id for match in matches}) == len(matches)


def test_the_cve_that_a_better_copy_gives_an_advisory_has_one_match():
    one = affected("debian:12", "x", ranges=())
    denied = affected("debian:12", "x", ranges=(), statement=Statement.NOT_AFFECTED)
    matches = (
        Feeds(
            [
                advisory("GHSA-1", one, feed="osv:Debian", aliases=("CVE-2024-0001",)),
                advisory("DSA-1", one, feed="debian", aliases=("CVE-2024-0000", "CVE-2024-0001")),
                advisory("CVE-2024-0001", one, feed="debian"),
                advisory("GHSA-1", denied, feed="debian", aliases=("CVE-2024-0000",)),
            ]
        )
        .match(package("x", "0.9"))
        .matches
    )
    assert [match.id for match in matches] == ["CVE-2024-0000", "CVE-2024-0001"]


@settings(max_examples=200, deadline=None)
@given(records(), VERSIONS, st.integers())
def test_the_order_of_the_feed_does_not_matter(advisories, version, seed):
    shuffled = random.Random(seed).sample(advisories, len(advisories))
    one, other = (Feeds(each).match(package("x", version)).matches for each in (advisories, shuffled))
    assert one == other


@settings(max_examples=200, deadline=None)
@given(records(), VERSIONS)
def test_fixes_are_above_and_sorted_and_unknown_says_why(advisories, version):
    for match in Feeds(advisories).match(package("x", version)).matches:
        assert match.why
        assert match.id not in match.aliases
        if match.verdict is MatchVerdict.AFFECTED and "not/one" not in (version, *match.fixed_in):
            assert all(compare("deb", version, each) < 0 for each in match.fixed_in)
            ordered = zip(match.fixed_in, match.fixed_in[1:], strict=False)
            assert all(compare("deb", a, b) < 0 for a, b in ordered)
