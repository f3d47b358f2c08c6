"""Exceptions that keep house: which are used, and which have to be looked at again."""

from __future__ import annotations

import dataclasses

import pytest

from anchorecli.model import AllowOutcome, DiffId, FixState, Problem, Status
from anchorecli.policy.bundle import parse_bundle
from anchorecli.policy.evaluate import evaluate

from .evidence import evidence, match, package, rule_line
from .test_evaluate import VULNERABLE, with_allowlist

OPENSSL = package("libssl3", "3.0.1", source="openssl")
CURL = package("curl", "8.0")
UNFIXED = {"fixed_in": (), "fix_state": FixState.NOT_FIXED}
ON_OPENSSL = match("CVE-1", OPENSSL, **UNFIXED)
FIXED = match("CVE-2", OPENSSL, fixed_in=("3.0.2",))
ON_CURL = match("CVE-1", CURL, **UNFIXED)
GONE = "nothing in this image fits it"


def outcomes_of(*items: str, matches=(ON_OPENSSL,), packages=(OPENSSL, CURL), rules=(VULNERABLE,), **fields):
    text = with_allowlist(*items, rules=rules)
    return evaluate(parse_bundle(text), evidence(packages, matches, **fields)).allowances


@pytest.mark.parametrize(
    ("item", "matches", "status", "covered", "note"),
    [
        ("{vulnerability: CVE-1}", [ON_OPENSSL], "used", 1, ""),
        ("{gate: vulnerabilities, trigger_id: CVE-1+libssl3}", [ON_OPENSSL], "used", 1, ""),
        ("{vulnerability: CVE-1, expires: 2025-06-30}", [ON_OPENSSL], "used", 1, ""),
        ("{vulnerability: CVE-1, expires: 2025-06-29}", [ON_OPENSSL], "expiring", 1, "ends in 13 days"),
        ("{vulnerability: CVE-1, expires: 2025-06-17}", [ON_OPENSSL], "expiring", 1, "ends in 1 day"),
        ("{vulnerability: CVE-1, expires: 2025-06-16}", [ON_OPENSSL], "expiring", 1, "ends in less than a day"),
        (
            "{vulnerability: CVE-1, expires: 2025-06-15}",
            [ON_OPENSSL],
            "expired",
            0,
            "1 finding that it let through weighs again",
        ),
        ("{vulnerability: CVE-7, expires: 2025-06-15}", [], "expired", 0, "nothing is left that it could let through"),
        ("{vulnerability: CVE-7, expires: 2025-06-16}", [ON_OPENSSL], "unused", 0, GONE),
        ("{vulnerability: CVE-2}", [FIXED], "needless", 1, "there is a fix now: libssl3 3.0.2"),
        (
            "{vulnerability: CVE-2, expires: 2025-06-17}",
            [FIXED],
            "expiring",
            1,
            "ends in 1 day; there is a fix now: libssl3 3.0.2",
        ),
        (
            "{vulnerability: CVE-2, while_no_fix: true}",
            [FIXED],
            "needless",
            0,
            "there is a fix now: libssl3 3.0.2",
        ),
        (
            "{gate: vulnerabilities, trigger_id: CVE-9+libssl3}",
            [ON_OPENSSL],
            "needless",
            0,
            "libssl3 3.0.1, which is in the image, is not affected",
        ),
        (
            "{vulnerability: CVE-9, package: openssl}",
            [ON_OPENSSL],
            "needless",
            0,
            "libssl3 3.0.1, which is in the image, is not affected",
        ),
        ("{vulnerability: CVE-9, purl: 'pkg:deb/libssl3'}", [ON_OPENSSL], "needless", 0, "libssl3 3.0.1, which"),
        (
            "{vulnerability: CVE-1, package: libssl3}",
            [dataclasses.replace(ON_OPENSSL, suppressed="a vendor says so")],
            "needless",
            0,
            "settled by a better source: a vendor says so",
        ),
        ("{vulnerability: CVE-9, package: bash}", [ON_OPENSSL], "unused", 0, GONE),
        ("{vulnerability: CVE-9}", [ON_OPENSSL], "unused", 0, GONE),
        ("{gate: vulnerabilities, trigger_id: 'CVE-9+*'}", [ON_OPENSSL], "unused", 0, GONE),
        ("{gate: dockerfile, trigger_id: CVE-1+libssl3}", [ON_OPENSSL], "unused", 0, GONE),
        (
            "{vulnerability: CVE-1, path: /opt/*}",
            [ON_OPENSSL],
            "unused",
            0,
            "1 finding would fit, but not within its scope",
        ),
        (
            "{vulnerability: CVE-1, base_only: true}",
            [ON_OPENSSL],
            "unused",
            0,
            "which layers are the base image is not known",
        ),
        (
            "{vulnerability: CVE-1}",
            [ON_OPENSSL, ON_CURL],
            "wide",
            2,
            "lets it through in openssl, curl; give each an exception of its own",
        ),
        (
            "{gate: vulnerabilities, trigger_id: '*+libssl3'}",
            [ON_OPENSSL, FIXED],
            "wide",
            2,
            "1 of 2 findings has a fix; every vulnerability to come passes as well; name CVE-1, CVE-2",
        ),
        ("{gate: vulnerabilities, trigger_id: '*'}", [ON_OPENSSL], "wide", 1, "name CVE-1"),
        ("{vulnerability: 'CVE-*'}", [ON_OPENSSL], "wide", 1, "every vulnerability to come"),
        ("{gate: vulnerabilities, trigger_id: 'regexp:CVE-1'}", [ON_OPENSSL], "wide", 1, "every vulnerability to come"),
        ("{gate: vulnerabilities, trigger_id: '*', while_no_fix: true}", [ON_OPENSSL, ON_CURL], "used", 2, ""),
        ("{gate: vulnerabilities, package: openssl}", [ON_OPENSSL], "wide", 1, "every vulnerability to come"),
    ],
)
def test_what_becomes_of_an_item(item, matches, status, covered, note):
    (outcome,) = outcomes_of(item, matches=matches)
    assert (outcome.status, outcome.covered) == (status, covered)
    assert outcome.note == note if not note else note in outcome.note


def test_two_packages_of_one_origin_are_one_thing():
    both = [ON_OPENSSL, match("CVE-1", package("openssl", "3.0.1", source="openssl"), **UNFIXED)]
    (outcome,) = outcomes_of("{vulnerability: CVE-1}", matches=both)
    assert (outcome.status, outcome.covered) == ("used", 2)


def test_wildcards_of_other_gates_are_wide():
    rules = (rule_line("dockerfile", "instruction", instruction="HEALTHCHECK", check="not_exists"),)
    wide, narrow = (
        outcomes_of(f"{{gate: dockerfile, trigger_id: '{each}'}}", rules=rules)
        for each in ("41cb*", "41cb7cdf04850e33a11f80c42bf660b3")
    )
    assert (wide[0].status, wide[0].covered) == ("wide", 1)
    assert wide[0].note.endswith("name 41cb7cdf04850e33a11f80c42bf660b3")
    assert narrow[0].status == "used"


def test_an_item_behind_another_is_unused():
    first, second, third = outcomes_of(
        "{id: a, vulnerability: CVE-1}",
        "{id: b, gate: vulnerabilities, trigger_id: CVE-1+libssl3}",
        "{id: c, vulnerability: CVE-1, expires: 2025-01-01}",
    )
    assert (first.status, first.covered) == ("used", 1)
    assert (second.status, second.covered) == ("unused", 0)
    assert second.note == "what it means is let through by a before it"
    assert (third.status, third.note) == ("expired", "nothing is left that it could let through")


def test_no_rule_fires_for_it():
    low = rule_line("vulnerabilities", "package", package_type="all", severity="critical", severity_comparison=">=")
    (outcome,) = outcomes_of("{vulnerability: CVE-1, package: openssl}", rules=(low,))
    assert (outcome.status, outcome.note) == ("unused", "libssl3 is affected, but no rule of the policy fires for it")


def test_what_was_not_seen_may_still_be_there():
    broken = (Problem("analyze", "var/lib/dpkg/status", "damaged"),)
    (outcome,) = outcomes_of("{vulnerability: CVE-9, package: openssl}", problems=broken)
    assert outcome.status == "unused"
    assert outcome.note == f"{GONE}; the evidence is incomplete, so it may still be needed"


def test_items_for_other_images_and_lists_of_other_mappings_are_not_in_force():
    assert outcomes_of('{vulnerability: CVE-1, image: "quay.io/*"}') == ()
    text = with_allowlist("{vulnerability: CVE-1}").replace("whitelist_ids: [w]", "whitelist_ids: []")
    assert evaluate(parse_bundle(text), evidence([OPENSSL], [ON_OPENSSL])).allowances == ()


def test_an_outcome_can_be_read_without_the_bundle():
    (outcome,) = outcomes_of(
        "{id: i, vulnerability: CVE-1, package: openssl, path: '/var/*', base_only: true, owner: jo, reason: why, "
        "ticket: T-1, created: 2025-01-01, expires: 2025-12-31}",
        base=frozenset({DiffId("x")}),
    )
    assert outcome == AllowOutcome(
        "w",
        "i",
        "unused",
        note="1 finding would fit, but not within its scope",
        gate="vulnerabilities",
        subject="CVE-1 in openssl (path /var/*, base image only)",
        owner="jo",
        reason="why",
        ticket="T-1",
        created="2025-01-01",
        expires="2025-12-31",
    )


def test_the_comment_of_the_original_is_its_reason():
    (outcome,) = outcomes_of('{gate: vulnerabilities, trigger_id: "CVE-1+*", comment: not reachable}')
    assert (outcome.reason, outcome.subject) == ("not reachable", "CVE-1+*")


def test_an_exception_past_its_budget_is_unused_and_told():
    text = with_allowlist('{id: i, vulnerability: "regexp:CVE-1.(?:(?!.*b)a)+b"}')
    long = match("CVE-1", OPENSSL, aliases=("CVE-1x" + "a" * 20_000,))
    verdict = evaluate(parse_bundle(text), evidence([OPENSSL], [long]))
    assert verdict.status is Status.FAIL
    assert [problem.subject for problem in verdict.problems] == ["whitelist item i"]
    assert [outcome.status for outcome in verdict.allowances] == ["unused"]


def test_a_thousand_exceptions_keep_their_order():
    items = [f"{{id: i{n}, vulnerability: CVE-{n}}}" for n in range(1000)]
    found = outcomes_of(*items)
    assert [outcome.item_id for outcome in found] == [f"i{n}" for n in range(1000)]
    assert [outcome.item_id for outcome in found if outcome.status == "used"] == ["i1"]
