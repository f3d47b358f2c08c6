from __future__ import annotations

from dataclasses import replace

import pytest

from anchorecli.errors import StoreError
from anchorecli.model import Advisory, Affected, Candidate, Range, Severity, Statement, pack_ranges
from anchorecli.store import Store
from tests.store.values import advisory, feed


def test_a_candidate_has_every_field(store: Store) -> None:
    ranges = (Range("1", "2"), Range("3", "", "4"))
    affected = Affected(
        "almalinux:9",
        "httpd",
        "rpm",
        Statement.WONT_FIX,
        ranges,
        ("7", "8"),
        Severity.LOW,
        "httpd:2.4",
        ("x86_64", "i686"),
    )
    store.sync_feed(feed("alma"), [Advisory("ALSA-1", "alma", severity=Severity.CRITICAL, affected=(affected,))])
    (found,) = store.lookup([("almalinux:9", "httpd")])
    assert found == Candidate(
        row=found.row,
        feed="alma",
        ecosystem="almalinux:9",
        package="httpd",
        scheme="rpm",
        statement="wont-fix",
        ranges=pack_ranges(ranges),
        versions="7\n8",
        severity=2,
        module="httpd:2.4",
        arches="x86_64,i686",
    )
    assert type(found.severity) is int
    assert store.records([found.row])[found.row].affected == (affected,)


def test_the_advisorys_severity_counts_where_the_statement_has_none(store: Store) -> None:
    own = replace(advisory("CVE-1", "bash"), severity=Severity.CRITICAL)
    none = replace(own, id="CVE-2", affected=(replace(own.affected[0], severity=Severity.UNKNOWN),))
    store.sync_feed(feed(), [own, none])
    found = {each.row: each.severity for each in store.lookup([("debian:12", "bash")])}
    rows = store.records(list(found))
    assert {rows[row].id: severity for row, severity in found.items()} == {"CVE-1": 2, "CVE-2": 5}
    assert {each.affected[0].severity for each in rows.values()} == {Severity.LOW, Severity.UNKNOWN}


def test_only_what_was_asked(store: Store) -> None:
    store.sync_feed(
        feed(),
        [
            advisory("CVE-1", "bash", "bash-doc"),
            advisory("CVE-2", "bash", ecosystem="debian:13"),
            advisory("CVE-3", "dash"),
            advisory("CVE-4", "bash", "dash"),
        ],
    )

    def found(*keys: tuple[str, str]) -> list[tuple[str, str, str]]:
        candidates = store.lookup(keys)
        rows = store.details([each.row for each in candidates], keys)
        return sorted((rows[each.row].id, each.ecosystem, each.package) for each in candidates)

    assert found() == []
    assert found(("debian:12", "zsh"), ("debian:14", "bash")) == []
    assert found(("debian:12", "bash")) == [("CVE-1", "debian:12", "bash"), ("CVE-4", "debian:12", "bash")]
    assert found(("debian:12", "bash"), ("debian:12", "bash"), ("debian:13", "bash"), ("debian:12", "dash")) == [
        ("CVE-1", "debian:12", "bash"),
        ("CVE-2", "debian:13", "bash"),
        ("CVE-3", "debian:12", "dash"),
        ("CVE-4", "debian:12", "bash"),
        ("CVE-4", "debian:12", "dash"),
    ]


@pytest.mark.parametrize(
    "name", ['a"b', "a'b", "a\\b", "ä", "\U0001f600", "@scope/name", "a b", "", "a\nb", "%", "null"]
)
def test_any_name_can_be_asked(store: Store, name: str) -> None:
    store.sync_feed(feed(), [advisory("CVE-1", name, "other")])
    assert [each.package for each in store.lookup([("debian:12", name)])] == [name]


def test_names_that_are_no_unicode_find_nothing(store: Store) -> None:
    store.sync_feed(feed(), [advisory("CVE-1", "bash")])
    assert store.lookup([("debian:12", "\udcff"), ("\ud800", "bash")]) == []


def test_one_record_speaking_twice_of_a_package(store: Store) -> None:
    twice = (
        Affected("npm", "x", "npm", ranges=(Range("1", "2"),)),
        Affected("npm", "x", "npm", ranges=(Range("3", "4"),)),
    )
    store.sync_feed(feed(), [Advisory("GHSA-1", "debian", affected=twice)])
    assert sorted(each.ranges for each in store.lookup([("npm", "x")])) == ["1\t2\t", "3\t4\t"]


def test_looking_up_the_past(store: Store) -> None:
    for fixed in ("1", "2", "3"):
        store.sync_feed(feed(), [advisory("CVE-1", "bash", fixed=fixed), advisory("CVE-2", "dash")])
    store.sync_feed(feed(), [])

    def found(revision: int | None) -> list[str]:
        return [each.ranges for each in store.lookup([("debian:12", "bash"), ("debian:12", "dash")], revision)]

    assert [found(revision) for revision in (0, 1, 2, 3, 4, None)] == [
        [],
        ["\t1\t", "\t1.0\t"],
        ["\t2\t", "\t1.0\t"],
        ["\t3\t", "\t1.0\t"],
        [],
        [],
    ]


def test_records_by_row(store: Store) -> None:
    store.sync_feed(feed(), [replace(advisory("CVE-1", "bash"), summary="text"), advisory("CVE-2", "bash")])
    rows = [each.row for each in store.lookup([("debian:12", "bash")])]
    found = store.details([*reversed(rows), rows[0], 10**6], [])
    assert list(found) == list(reversed(rows))
    assert [each.id for each in found.values()] == ["CVE-2", "CVE-1"]
    assert found[rows[0]].summary == "text"
    assert found[rows[0]].affected == ()
    assert store.details([], []) == store.records([]) == {}


def test_past_records_by_row(store: Store) -> None:
    store.sync_feed(feed(), [advisory("CVE-1", "bash")])
    (old,) = store.lookup([("debian:12", "bash")])
    store.sync_feed(feed(), [])
    assert store.records([old.row], 1)[old.row] == advisory("CVE-1", "bash")
    assert store.records([old.row]) == store.records([old.row], 2) == {}


def test_several_questions_to_one_moment(store: Store) -> None:
    store.sync_feed(feed(), [advisory("CVE-1", "bash")])
    with store.snapshot():
        assert store.revision() == 1
        store.sync_feed(feed(), [])
        assert store.revision() == 1
        assert len(store.lookup([("debian:12", "bash")])) == 1
        assert store.feed_state("debian").records == 1  # type: ignore[union-attr]
        with pytest.raises(StoreError):
            store.watch_add("x", "now")
    assert store.revision() == 2
    assert store.lookup([("debian:12", "bash")]) == []


def test_auditors_read_it_in_words(store: Store) -> None:
    from sqlite_utils import Database

    store.sync_feed(feed(), [advisory("CVE-1", "bash", fixed="1"), advisory("CVE-2", "bash")])
    store.sync_feed(feed(), [advisory("CVE-1", "bash", fixed="2", aliases=("DSA-1",))])
    (row,) = Database(str(store.path)).query("SELECT * FROM current_statement")
    assert (row["advisory"], row["package"], row["ranges"], row["valid_from"]) == ("CVE-1", "bash", "\t2\t", 2)
    assert (row["ecosystem"], row["statement"], row["severity"], row["aliases"]) == (
        "debian:12",
        "affected",
        2,
        '["DSA-1"]',
    )
