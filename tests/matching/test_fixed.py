"""Since when a fix is there: by the vendor's notice, or because a feed was watched when it came."""

import pytest

from anchorecli.model import FixDating, FixSince, Range
from tests.matching.feeds import Feeds, advisory, affected, package

FIX = affected("debian:12", "x", ranges=(Range("", "1.1", ""),))
LATER = affected("debian:12", "x", ranges=(Range("", "1.2", ""),))


def dated(*advisories):
    matches = Feeds(advisories).match(package("x", "1.0")).matches
    return [(found.id, found.fixed_since, found.fixed_since_by) for found in matches]


def test_a_record_alone_does_not_tell():
    assert dated(advisory("CVE-2025-0001", FIX, published="2025-01-01T00:00:00Z")) == [
        ("CVE-2025-0001", "", FixDating.UNKNOWN)
    ]


@pytest.mark.parametrize("id_", ["DSA-1-1", "DLA-1", "ALAS2-2025-1", "RHSA-2025:1", "openSUSE-SU-2025:1", "USN-1-1"])
def test_a_notice_is_published_with_its_fix(id_):
    notice = advisory(id_, FIX, aliases=("CVE-2025-0001",), published="2025-02-01")
    assert dated(notice) == [("CVE-2025-0001", "2025-02-01", FixDating.NOTICE)]


def test_a_notice_dates_the_record_it_is_folded_into():
    notice = advisory("DSA-1-1", FIX, aliases=("CVE-2025-0001", "CVE-2025-0002"), published="2025-02-01T00:00:00Z")
    assert dated(
        advisory("CVE-2025-0001", FIX, published="2025-01-01T00:00:00Z"),
        advisory("CVE-2025-0002", LATER, published="2025-01-01T00:00:00Z"),
        notice,
    ) == [
        ("CVE-2025-0001", "2025-02-01T00:00:00Z", FixDating.NOTICE),
        ("CVE-2025-0002", "", FixDating.UNKNOWN),  # the notice is about another version than the one that fixes this
    ]


def test_a_feed_that_was_watched():
    since = (FixSince("debian:12", "x", "1.1", "2025-03-01T00:00:00Z"),)
    elsewhere = (FixSince("debian:11", "x", "1.1", "2025-03-01T00:00:00Z"), FixSince("debian:12", "y", "1.1", "2025"))
    assert dated(
        advisory("CVE-2025-0001", FIX, fixes_since=since), advisory("CVE-2025-0002", FIX, fixes_since=elsewhere)
    ) == [
        ("CVE-2025-0001", "2025-03-01T00:00:00Z", FixDating.WATCHED),
        ("CVE-2025-0002", "", FixDating.UNKNOWN),
    ]


def test_the_earlier_of_both():
    since = (FixSince("debian:12", "x", "1.1", "2025-01-20T00:00:00Z"),)
    notice = advisory("DSA-1-1", FIX, aliases=("CVE-2025-0001",), published="2025-02-01T00:00:00Z")
    assert dated(advisory("CVE-2025-0001", FIX, fixes_since=since), notice) == [
        ("CVE-2025-0001", "2025-01-20T00:00:00Z", FixDating.WATCHED)
    ]


def test_what_is_not_fixed_has_no_date():
    notice = advisory(
        "DSA-1-1", affected("debian:12", "x", ranges=()), aliases=("CVE-2025-0001",), published="2025-02-01"
    )
    assert dated(notice) == [("CVE-2025-0001", "", FixDating.UNKNOWN)]
