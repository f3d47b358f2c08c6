"""Gate npms: what fires, what does not, with the ids and messages of Anchore Engine."""

from __future__ import annotations

import pytest

from anchorecli.model import Enrichment, OfficialPackage, Status
from anchorecli.policy.evaluate import evaluate

from .evidence import bundle, evidence, messages, package, rule_line
from .facts import gaps, original, verdict
from .golden import Golden

FEED = Enrichment(
    official={"npm": {"lodash": OfficialPackage("4.17.21", ("4.17.20", "4.17.21")), "new": OfficialPackage("", ())}}
)


def npm(name, version="1.0.0", **fields):
    return package(name, version, "npm", **fields)


OLD = evidence([npm("lodash", "4.17.20"), package("lodash", "4.17.20", "pypi")], enrichment=FEED)
LATEST = evidence([npm("lodash", "4.17.21"), package()], enrichment=FEED)
STRANGE = evidence([npm("lodash", "4.17.99"), npm("left-padd")], enrichment=FEED)
NO_FEED = evidence([npm("lodash", "4.17.20")])


def case(trigger, given, *fires, **params):
    return Golden("npms", trigger, given, params, tuple(("md5", message) for message in fires))


NOT_LATEST = "NPMNOTLATEST Package (lodash) version (4.17.20) installed but is not the latest version (4.17.21)"
UNAVAILABLE = (
    "NPM packages are present but the anchore npm feed is not available - will be unable to perform checks that "
    "require feed data"
)
BAD_VERSION = (
    "NPMBADVERSION Package (lodash) version (4.17.99) installed but version is not in the official feed for this "
    "package (['4.17.20', '4.17.21'])"
)
GOLDEN: tuple[Golden, ...] = (
    case("newer_version_in_feed", OLD, NOT_LATEST),
    case("newer_version_in_feed", LATEST),
    case("newer_version_in_feed", STRANGE),
    case("newer_version_in_feed", NO_FEED),
    case("unknown_in_feeds", STRANGE, "NPMNOTOFFICIAL Package (left-padd) in container but not in official NPM feed."),
    case("unknown_in_feeds", OLD),
    case("version_not_in_feeds", STRANGE, BAD_VERSION),
    case("version_not_in_feeds", LATEST),
    case("blacklisted_name_version", OLD, "NPM Package is blacklisted: lodash", name="lodash"),
    case(
        "blacklisted_name_version",
        NO_FEED,
        "NPM Package is blacklisted: lodash-4.17.20",
        name="lodash",
        version="4.17.20",
    ),
    case("blacklisted_name_version", OLD, name="lodash", version="4.17.21"),
    case("blacklisted_name_version", OLD, name="lod"),
    case("feed_data_unavailable", NO_FEED, UNAVAILABLE),
    case("feed_data_unavailable", OLD),
    case("feed_data_unavailable", evidence([package()])),
)


@pytest.mark.parametrize("trigger", ["newer_version_in_feed", "unknown_in_feeds", "version_not_in_feeds"])
def test_without_the_feed_nothing_is_decided(trigger):
    assert gaps("npms", trigger, NO_FEED) == ["rule r could not be decided: it needs the packages feed for npm"]
    assert verdict("npms", trigger, NO_FEED).status is Status.INDETERMINATE
    assert gaps("npms", trigger, evidence([package()])) == []
    assert gaps("npms", trigger, evidence([npm("x", owner="pkg:deb/debian/node-x@1")])) == []


@pytest.mark.parametrize("trigger", ["newer_version_in_feed", "unknown_in_feeds", "version_not_in_feeds"])
def test_of_packages_that_came_after_the_feed_nothing_is_decided(trigger):
    late = Enrichment(official=FEED.official, unasked={"npm": ("a", "b", "c", "d", "e")})
    given = evidence([npm("lodash", "4.17.21"), *(npm(name) for name in "abcde")], enrichment=late)
    assert messages("npms", trigger, given) == []
    assert gaps("npms", trigger, given) == [
        "rule r could not be decided for a, b, c and 2 others: the packages feed is older than the image"
    ]
    assert verdict("npms", trigger, given).status is Status.INDETERMINATE
    known = evidence([npm("lodash", "4.17.21")], enrichment=late)
    assert gaps("npms", trigger, known) == []


def test_packages_of_the_distribution_have_its_versions():
    given = evidence([npm("lodash", "4.17.21+dfsg-1", owner="pkg:deb/debian/node-lodash@4.17.21")], enrichment=FEED)
    for trigger in ("newer_version_in_feed", "unknown_in_feeds", "version_not_in_feeds"):
        assert messages("npms", trigger, given) == []
    assert messages("npms", "blacklisted_name_version", given, name="lodash") == ["NPM Package is blacklisted: lodash"]


def test_what_the_original_does():
    newer = evidence([npm("lodash", "5.0.0")], enrichment=FEED)
    assert messages("npms", "newer_version_in_feed", newer) == []
    assert len(original("npms", "newer_version_in_feed", newer)) == 1
    unknown = evidence([npm("left-padd")], enrichment=FEED)
    assert len(messages("npms", "unknown_in_feeds", unknown)) == 1
    assert original("npms", "unknown_in_feeds", unknown) == []
    assert [message for _, message in original("npms", "feed_data_unavailable", evidence([package()]))] == [UNAVAILABLE]


def test_a_version_nobody_can_read_is_not_the_latest():
    assert len(messages("npms", "newer_version_in_feed", evidence([npm("lodash", "x" * 2000)], enrichment=FEED))) == 1


def test_every_version_of_a_package_is_looked_at():
    given = evidence([npm("lodash", "4.17.20"), npm("lodash", "4.17.21"), npm("lodash", "4.17.20")], enrichment=FEED)
    assert messages("npms", "newer_version_in_feed", given) == [NOT_LATEST]


def test_an_exception_outlives_the_next_release():
    items = '[{gate: npms, trigger_id: "newer_version_in_feed+lodash-4.17.20", id: a}]'
    made = bundle(
        rule_line("npms", "newer_version_in_feed"), extra=f'whitelists: [{{id: w, version: "1_0", items: {items}}}]\n'
    )
    listed = made._replace(mappings=tuple(rule._replace(allowlist_ids=("w",)) for rule in made.mappings))
    assert [finding.allowed_by for finding in evaluate(listed, OLD).findings] == ["a"]


def test_enterprise_spelling():
    assert messages("npms", "denylisted_name_version", OLD, name="lodash") == ["NPM Package is blacklisted: lodash"]
