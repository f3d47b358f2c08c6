"""Gate ruby_gems: what fires, what does not, with the ids and messages of Anchore Engine."""

from __future__ import annotations

import pytest

from anchorecli.model import Enrichment, OfficialPackage

from .evidence import evidence, messages, package
from .facts import gaps, original
from .golden import Golden

FEED = Enrichment(official={"gem": {"rack": OfficialPackage("3.1.0", ("2.2.9", "3.1.0"))}, "npm": {}})


def gem(name, version="1.0.0"):
    return package(name, version, "gem", f"usr/lib/ruby/specifications/{name}-{version}.gemspec")


OLD = evidence([gem("rack", "2.2.9"), package("rack", "1", "npm")], enrichment=FEED)
LATEST = evidence([gem("rack", "3.1.0")], enrichment=FEED)
STRANGE = evidence([gem("rack", "9.9"), gem("rakc")], enrichment=FEED)
NO_FEED = evidence([gem("rack", "2.2.9")], enrichment=Enrichment(official={"npm": {}}))


def case(trigger, given, *fires, **params):
    return Golden("ruby_gems", trigger, given, params, tuple(("md5", message) for message in fires))


NOT_LATEST = "Package (rack) version (2.2.9) installed but is not the latest version (3.1.0)"
UNAVAILABLE = (
    "Gem packages are present but the anchore gem feed is not available - will be unable to perform checks that "
    "require feed data"
)
BAD_VERSION = (
    "GEMBADVERSION Package (rack) version (9.9) installed but version is not in the official feed for this "
    "package (['2.2.9', '3.1.0'])"
)
GOLDEN: tuple[Golden, ...] = (
    case("newer_version_found_in_feed", OLD, NOT_LATEST),
    case("newer_version_found_in_feed", LATEST),
    case("newer_version_found_in_feed", NO_FEED),
    case("not_found_in_feed", STRANGE, "GEMNOTOFFICIAL Package (rakc) in container but not in official GEM feed."),
    case("not_found_in_feed", OLD),
    case("version_not_found_in_feed", STRANGE, BAD_VERSION),
    case("version_not_found_in_feed", LATEST),
    case("blacklist", OLD, "Gem Package is blacklisted: rack", name="rack"),
    case("blacklist", OLD, "Gem Package is blacklisted: rack-2.2.9", name="rack", version="2.2.9"),
    case("blacklist", OLD, name="rack", version="3.1.0"),
    case("blacklist", OLD, name="rails"),
    case("feed_data_unavailable", NO_FEED, UNAVAILABLE),
    case("feed_data_unavailable", OLD),
    case("feed_data_unavailable", evidence([package()])),
)


@pytest.mark.parametrize("trigger", ["newer_version_found_in_feed", "not_found_in_feed", "version_not_found_in_feed"])
def test_without_the_feed_nothing_is_decided(trigger):
    assert gaps("ruby_gems", trigger, NO_FEED) == ["rule r could not be decided: it needs the packages feed for gem"]


def test_what_the_original_does():
    assert [message for _, message in original("ruby_gems", "feed_data_unavailable", evidence())] == [UNAVAILABLE]
    unknown = evidence([gem("rakc")], enrichment=FEED)
    assert original("ruby_gems", "not_found_in_feed", unknown) == []
    assert len(messages("ruby_gems", "not_found_in_feed", unknown)) == 1


def test_enterprise_spelling():
    assert messages("ruby_gems", "denylist", OLD, name="rack") == ["Gem Package is blacklisted: rack"]
