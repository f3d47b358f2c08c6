"""VEX documents written: what each format demands of one, and that reading them gives what was meant."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from anchorecli.errors import UsageError
from anchorecli.model import Action, Finding, Match, Report, Verdict
from anchorecli.vex import VexStatus, read_bytes
from anchorecli.vex.apply import applied
from anchorecli.vex.saying import Author
from anchorecli.vex.write import FORMS, write
from tests.report import samples

WHO = Author("Example Org", "https://example.org")
REASON = "VEX not_affected (component_not_present): a.vex.json by Ann"
FIXED = "VEX fixed: a.vex.json by Ann"

# Three packages of which none is the source of another: a purl may mean either.
NAMES = ("libssl3", "nginx", "zlib1g")
PLACES = tuple(next(each for each in samples.matches() if each.package.name == name) for name in NAMES)


def report() -> Report:
    """One vulnerability settled in one package and open in another, one fixed, one accepted, one of them no CVE."""
    base = samples.report()
    one, two, three = PLACES
    settled = replace(one, id="CVE-2024-0001", aliases=("GHSA-1",), suppressed=REASON, vex=REASON)
    again = replace(two, id="CVE-2024-0001", aliases=("GHSA-1",), suppressed="", vex="")
    fixed = replace(three, id="GHSA-2", aliases=(), suppressed=FIXED, vex=FIXED)
    accepted = replace(one, id="CVE-2024-0003", aliases=(), suppressed="", vex="")
    findings = tuple(_let_through(each) for each in (again, accepted))
    verdict = base.verdict or pytest.fail("no verdict")
    assert isinstance(verdict, Verdict)
    matches = (settled, again, fixed, accepted)
    return replace(base, matches=matches, verdict=replace(verdict, findings=findings, allowances=()))


def _let_through(match: Match) -> Finding:
    identity = f"{match.id}+{match.package.name}"
    return Finding(
        "vulnerabilities", "package", identity, Action.GO, "x", allowed_by="i", match_id=match.id, allowlist="w"
    )


MADE = report()


@pytest.mark.parametrize("form", FORMS)
def test_equal_reports_give_equal_documents_that_are_read_as_they_were_meant(form: str) -> None:
    text = write(form, MADE, WHO)
    assert text == write(form, MADE, WHO)
    document = read_bytes(text.encode(), "made.json")
    assert (document.form, document.author, document.remarks) == (form, "Example Org", ())
    bare = tuple(replace(each, suppressed="", vex="") for each in MADE.matches)
    found, problems = applied(bare, [document], MADE.analysis, MADE.analysis.image.ref)
    assert problems == ()
    statuses = {(each.id, each.package.name): each.vex.split(" ")[1].rstrip(":") for each in found}
    one, two, three = PLACES
    assert statuses == {
        ("CVE-2024-0001", one.package.name): "not_affected",
        ("CVE-2024-0001", two.package.name): "affected",
        ("GHSA-2", three.package.name): "fixed",
        ("CVE-2024-0003", one.package.name): "affected",
    }
    assert [bool(each.suppressed) for each in found] == [True, False, True, False]


@pytest.mark.parametrize("form", FORMS)
def test_what_exceptions_let_through_may_be_said_to_be_not_affected(form: str) -> None:
    document = read_bytes(write(form, MADE, WHO, VexStatus.NOT_AFFECTED).encode(), "made.json")
    assert {each.status for each in document.statements} == {VexStatus.NOT_AFFECTED, VexStatus.FIXED}


def test_openvex_of_nothing_is_a_document() -> None:
    nothing = replace(MADE, matches=(), verdict=None)
    assert json.loads(write("openvex", nothing, WHO))["statements"] == []


@pytest.mark.parametrize("made", [MADE, samples.report(), samples.hostile_report(), samples.unevaluated_report()])
def test_cyclonedx_is_valid(made: Report) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(write("cyclonedx", made, WHO)) is None


# ── CSAF: section 3 (structure), profile 4.5, and the mandatory tests 6.1 that such a document can fail ──────


def test_csaf_has_what_the_structure_and_the_profile_demand() -> None:
    made = json.loads(write("csaf", MADE, WHO))
    document = made["document"]
    assert (document["category"], document["csaf_version"]) == ("csaf_vex", "2.0")
    assert document["publisher"] == {"category": "other", "name": "Example Org", "namespace": "https://example.org"}
    assert document["title"]
    tracking = document["tracking"]
    assert set(tracking) >= {"current_release_date", "id", "initial_release_date", "revision_history", "version"}
    assert tracking["status"] == "final"
    assert tracking["revision_history"][-1]["number"] == tracking["version"]  # 6.1.16
    assert all(re.fullmatch(_TIME, tracking[key]) for key in ("current_release_date", "initial_release_date"))
    assert re.fullmatch(r"\S(.*\S)?", tracking["id"])
    assert made["product_tree"]  # 6.1.27.4
    assert made["vulnerabilities"]  # 6.1.27.11


_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


def test_csaf_products_are_defined_once_and_those_named_are_defined() -> None:
    made = json.loads(write("csaf", MADE, WHO))
    tree = made["product_tree"]
    defined = [each["product_id"] for each in tree["full_product_names"]]
    defined += [each["full_product_name"]["product_id"] for each in tree["relationships"]]
    assert len(defined) == len(set(defined))  # 6.1.2
    assert set(_named(made)) <= set(defined)  # 6.1.1
    for each in tree["full_product_names"]:
        assert re.match(r"pkg:[A-Za-z.\-+][A-Za-z0-9.\-+]*/.+", each["product_identification_helper"]["purl"])
    assert {each["category"] for each in tree["relationships"]} == {"default_component_of"}


def _named(value: Any) -> Iterator[str]:
    """Every product that a document refers to."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("product_reference", "relates_to_product_reference"):
                yield inner
            elif key in ("product_ids", "known_affected", "known_not_affected", "fixed", "under_investigation"):
                yield from inner
            else:
                yield from _named(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner)


def test_csaf_vulnerabilities_stand_once_and_contradict_nothing() -> None:
    vulnerabilities = json.loads(write("csaf", MADE, WHO))["vulnerabilities"]
    names = [each["cve"] for each in vulnerabilities if "cve" in each]
    assert sorted(names) == ["CVE-2024-0001", "CVE-2024-0003"]  # 6.1.23
    assert all(re.fullmatch(r"CVE-[0-9]{4}-[0-9]{4,}", each) for each in names)
    for each in vulnerabilities:
        assert "cve" in each or each["ids"]  # 6.1.27.8
        assert each["notes"]  # 6.1.27.5
        assert all(set(one) == {"system_name", "text"} for one in each.get("ids", ()))
        groups = each["product_status"]
        assert groups  # 6.1.27.7
        products = [name for group in groups.values() for name in group]
        assert len(products) == len(set(products))  # 6.1.6
        assert set(groups.get("known_not_affected", ())) == _of(each, "threats")  # 6.1.27.9
        assert set(groups.get("known_affected", ())) == _of(each, "remediations")  # 6.1.27.10


def _of(vulnerability: Any, key: str) -> set[str]:
    return {name for one in vulnerability.get(key, ()) for name in one["product_ids"] if one["details"]}


def test_csaf_of_two_minds_about_one_package_takes_the_more_cautious() -> None:
    one = replace(MADE.matches[0], suppressed="", vex="")
    both = (MADE.matches[0], one)
    verdict = MADE.verdict or pytest.fail("no verdict")
    made = replace(MADE, matches=both, verdict=replace(verdict, findings=(_let_through(one),)))
    (vulnerability,) = json.loads(write("csaf", made, WHO))["vulnerabilities"]
    assert list(vulnerability["product_status"]) == ["known_affected"]


@pytest.mark.parametrize("namespace", ["", "example.org", "https://", "https://a b"])
def test_csaf_wants_a_namespace(namespace: str) -> None:
    with pytest.raises(UsageError, match="namespace") as caught:
        write("csaf", MADE, Author("Ann", namespace))
    assert "--namespace" in caught.value.hint


def test_csaf_has_no_empty_documents() -> None:
    with pytest.raises(UsageError, match="nothing is settled"):
        write("csaf", replace(MADE, matches=(), verdict=None), WHO)
