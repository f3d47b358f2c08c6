"""The formats for CI systems: what their readers insist on, and that each says what the JSON report says."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from anchorecli.model import Cvss, Enrichment, Epss, KnownExploited, Report, Severity
from anchorecli.report import RenderOptions, formats
from anchorecli.report.csv_report import COLUMNS
from tests.report import samples

CVE = "CVE-2024-5535"
KNOWN = Enrichment({CVE: Epss(0.4, 0.9)}, {CVE: KnownExploited("2026-01-01", "2026-01-22")}, None)
SCORES = (Cvss("3.1", "CVSS:3.1/AV:N", 9.1, "nvd"), Cvss("4.0", "CVSS:4.0/AV:N", 7.7, "ghsa"))
SAMPLES = {
    "fail": samples.report(),
    "pass": samples.clean_report(),
    "indeterminate": samples.indeterminate_report(),
    "unevaluated": samples.unevaluated_report(),
    "hostile": samples.hostile_report(),
}


def render(name: str, report: Report, **options: Any) -> str:
    return formats("report")[name].render(report, RenderOptions(**options))


def rich() -> Report:
    """One match of which everything is known, in a package of a named base image."""
    found = samples.match(
        CVE, samples.LIBSSL, Severity.HIGH, ["3.0.15-1"], cvss=SCORES, cwes=("CWE-125",), aliases=("GHSA-x",)
    )
    return samples.report(matches=(found,), enrichment=KNOWN, base=(samples.diff_id(0),), base_name="debian:12")


# SARIF

_TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
_LEVEL = {"enum": ["none", "note", "warning", "error"]}
_RULE = {
    "type": "object",
    "required": ["id", "shortDescription", "defaultConfiguration", "properties"],
    "properties": {
        "id": {"type": "string", "minLength": 1},
        "shortDescription": _TEXT,
        "fullDescription": _TEXT,
        "help": _TEXT,
        "helpUri": {"type": "string", "pattern": "^https?://[!-~]+$"},
        "defaultConfiguration": {"properties": {"level": _LEVEL}},
        "properties": {"properties": {"security-severity": {"type": "string", "pattern": r"^\d+\.\d$"}}},
    },
}
_PLACE = {
    "required": ["physicalLocation"],
    "properties": {
        "physicalLocation": {
            "required": ["artifactLocation", "region"],
            "properties": {
                "artifactLocation": {
                    "required": ["uri"],
                    "properties": {"uri": {"type": "string", "pattern": "^[!-~]+$", "minLength": 1}},
                },
                "region": {"properties": {"startLine": {"type": "integer", "minimum": 1}}},
            },
        }
    },
}
_RESULT = {
    "type": "object",
    "required": ["ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints"],
    "properties": {
        "level": _LEVEL,
        "message": _TEXT,
        "locations": {"type": "array", "minItems": 1, "items": _PLACE},
        "suppressions": {
            "type": "array",
            "items": {
                "required": ["kind", "justification"],
                "properties": {"kind": {"enum": ["inSource", "external"]}, "justification": {"type": "string"}},
            },
        },
    },
}


@pytest.mark.parametrize("name", SAMPLES)
def test_sarif_has_what_code_scanning_insists_on(name: str) -> None:
    document = json.loads(render("sarif", SAMPLES[name]))
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    for value in rules:
        jsonschema.validate(value, _RULE)
    for value in run["results"]:
        jsonschema.validate(value, _RESULT)
        assert rules[value["ruleIndex"]]["id"] == value["ruleId"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    prints = [json.dumps(each["partialFingerprints"]) for each in run["results"]]
    assert len(set(prints)) == len(prints)


def test_sarif_says_all_that_is_known() -> None:
    (run,) = json.loads(render("sarif", rich()))["runs"]
    rule = next(each for each in run["tool"]["driver"]["rules"] if each["id"] == CVE)
    assert "external/cwe/cwe-125" in rule["properties"]["tags"]
    assert rule["properties"]["security-severity"] == "7.7"
    result = next(each for each in run["results"] if each["ruleId"] == CVE)
    known = result["properties"]
    assert (known["severity"], known["fixedIn"], known["epss"]) == ("high", ["3.0.15-1"], 0.4)
    assert known["knownExploited"] is True
    assert known["risk"] == 83.475
    assert [each["source"] for each in known["cvss"]] == ["nvd", "ghsa"]
    assert "known exploited: since 2026-01-01, to be mended by 2026-01-22" in result["message"]["text"]
    (place,) = result["locations"]
    assert place["message"]["text"] == "base image layer (base image debian:12)"


@pytest.mark.parametrize(
    ("severity", "scores", "said"),
    [
        (Severity.HIGH, (9.8, 7.5), "7.5"),
        # The vendor's word, and not the score that contradicts it.
        (Severity.LOW, (9.8,), "2.0"),
        (Severity.CRITICAL, (), "9.5"),
        (Severity.UNKNOWN, (), None),
    ],
)
def test_the_severity_of_code_scanning_is_that_of_the_report(
    severity: Severity, scores: tuple[float, ...], said: str | None
) -> None:
    cvss = tuple(Cvss("3.1", "", score) for score in scores)
    report = samples.report(matches=(samples.match(CVE, samples.LIBSSL, severity, cvss=cvss),))
    rules = json.loads(render("sarif", report))["runs"][0]["tool"]["driver"]["rules"]
    (rule,) = (each for each in rules if each["id"] == CVE)
    assert rule["properties"].get("security-severity") == said


def test_sarif_keeps_what_does_not_count_with_its_reason() -> None:
    results = json.loads(render("sarif", samples.report()))["runs"][0]["results"]
    reasons = {each["ruleId"]: each["suppressions"][0]["justification"] for each in results if "suppressions" in each}
    assert reasons["CVE-2024-22195"] == "owned by python3-jinja2"
    assert reasons["CVE-2023-44487"].startswith("allowed by allow-7: jo@example.org: HTTP/2 is switched off")


def test_sarif_tells_what_could_not_be_looked_at() -> None:
    (run,) = json.loads(render("sarif", samples.indeterminate_report()))["runs"]
    (invocation,) = run["invocations"]
    told = [(each["level"], each["message"]["text"]) for each in invocation["toolExecutionNotifications"]]
    assert ("error", f"{samples.GAP.subject}: {samples.GAP.message}. {samples.GAP.hint}") in told
    assert any(level == "note" for level, _ in told)


# GitLab

_NAMED = {"required": ["id", "name", "version", "vendor"], "additionalProperties": {"minLength": 1}}
_MOMENT = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$"}
_URL = {"type": "string", "pattern": "^https?://.+"}
_IDENTIFIER = {
    "required": ["type", "name", "value"],
    "properties": {name: {"type": "string", "minLength": 1} for name in ("type", "name", "value")} | {"url": _URL},
}
_GITLAB = {
    "type": "object",
    "required": ["version", "scan", "vulnerabilities"],
    "properties": {
        "version": {"pattern": r"^15\.\d+\.\d+$"},
        "scan": {
            "required": ["analyzer", "scanner", "type", "start_time", "end_time", "status"],
            "properties": {
                "analyzer": _NAMED,
                "scanner": _NAMED,
                "type": {"const": "container_scanning"},
                "start_time": _MOMENT,
                "end_time": _MOMENT,
                "status": {"enum": ["success", "failure"]},
                "messages": {
                    "items": {
                        "required": ["level", "value"],
                        "properties": {"level": {"enum": ["info", "warn", "fatal"]}, "value": {"minLength": 1}},
                    }
                },
            },
        },
        "vulnerabilities": {
            "items": {
                "required": ["id", "identifiers", "location"],
                "properties": {
                    "id": {"type": "string", "minLength": 1},
                    "name": {"type": "string", "maxLength": 255},
                    "description": {"type": "string"},
                    "severity": {"enum": ["Info", "Unknown", "Low", "Medium", "High", "Critical"]},
                    "solution": {"type": "string", "maxLength": 7000},
                    "identifiers": {"minItems": 1, "items": _IDENTIFIER},
                    "links": {"items": {"required": ["url"], "properties": {"url": _URL}}},
                    "details": {
                        "additionalProperties": {
                            "required": ["name", "type", "value"],
                            "properties": {"type": {"enum": ["text", "value"]}, "name": {"minLength": 1}},
                        }
                    },
                    "location": {
                        "required": ["dependency", "operating_system", "image"],
                        "properties": {
                            "operating_system": {"type": "string", "minLength": 1},
                            "image": {"type": "string", "minLength": 1},
                        },
                    },
                },
            }
        },
    },
}


@pytest.mark.parametrize("name", SAMPLES)
def test_gitlab_gets_what_it_insists_on(name: str) -> None:
    document = json.loads(render("gitlab", SAMPLES[name]))
    jsonschema.validate(document, _GITLAB)
    ids = [each["id"] for each in document["vulnerabilities"]]
    assert len(set(ids)) == len(ids)


def test_gitlab_gets_all_that_is_known() -> None:
    (found,) = json.loads(render("gitlab", rich()))["vulnerabilities"]
    assert found["severity"] == "High"
    assert [(each["type"], each["value"]) for each in found["identifiers"]] == [
        ("cve", CVE),
        ("ghsa", "GHSA-x"),
        ("cwe", "125"),
    ]
    assert found["solution"] == "fixed in 3.0.15-1: apt-get install --only-upgrade libssl3"
    assert found["location"]["operating_system"] == "debian 12"
    assert found["details"]["layer"]["value"] == "base image layer (base image debian:12)"
    assert found["details"]["risk"]["value"] == 83.475
    assert "CVSS:4.0/AV:N" in found["details"]["cvss"]["value"]


def test_gitlab_does_not_get_what_was_let_through_or_settled() -> None:
    names = {each["name"] for each in json.loads(render("gitlab", samples.report()))["vulnerabilities"]}
    assert {"CVE-2023-44487", "CVE-2024-22195"}.isdisjoint(names)
    assert CVE in names


# JUnit


@pytest.mark.parametrize("name", SAMPLES)
def test_junit_counts_what_it_holds(name: str) -> None:
    root = ElementTree.fromstring(render("junit", SAMPLES[name]))
    for suite in (root, *root):
        cases = list(suite.iter("testcase"))
        assert len(cases) == int(suite.get("tests", ""))
        for outcome, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert sum(case.find(kind) is not None for case in cases) == int(suite.get(outcome, ""))
    assert [suite.get("name") for suite in root] == ["vulnerabilities", "policy", "evidence"]
    # No suite is empty: a CI system takes that for tests that did not run.
    assert all(len(suite) for suite in root)


def outcomes(report: Report) -> dict[str, str]:
    found = {}
    for case in ElementTree.fromstring(render("junit", report)).iter("testcase"):
        children = [child.tag for child in case if child.tag != "system-out"]
        found[case.get("name", "").split(" (")[0]] = children[0] if children else "passed"
    return found


def test_a_test_fails_where_the_policy_says_stop() -> None:
    found = outcomes(samples.report())
    assert found[f"{CVE} in libssl3 3.0.11-1~deb12u2"] == "failure"
    assert found["CVE-2023-5678 in libssl3 3.0.11-1~deb12u2"] == "passed"
    assert found["CVE-2023-44487 in nginx 1.22.1-9"] == "skipped"
    assert found["CVE-2024-22195 in Jinja2 3.1.2"] == "skipped"


def test_without_a_policy_every_vulnerability_is_a_failure() -> None:
    report = samples.report(verdict=None)
    assert outcomes(report)["CVE-2023-5678 in libssl3 3.0.11-1~deb12u2"] == "failure"


def test_what_could_not_be_looked_at_has_not_passed() -> None:
    found = outcomes(samples.indeterminate_report())
    assert found[f"{samples.GAP.subject}: {samples.GAP.message}"] == "error"


# Markdown and CSV


def test_markdown_cannot_be_broken_out_of() -> None:
    name = "a | b` [x](https://evil.example) <img src=x> @team #1 **b** ~~s~~ $x$ www.evil.example"
    package = replace(samples.REQUESTS, name=name)
    matches = (samples.match(CVE, package, Severity.HIGH, [name], url="https://x.example/) [y](z"),)
    text = render("markdown", samples.report(matches=matches))
    (row,) = (line for line in text.splitlines() if line.startswith("| high"))
    assert row.count("|") == 7
    for raw in ("`", "<", "@", "[", "**b", "~~", "$", "https://evil", "www.", " #1"):
        assert raw not in row


def test_markdown_says_what_counts_first_and_what_to_do() -> None:
    text = render("markdown", rich())
    assert "## FAIL: docker.io/shop/api:1.4.2" in text
    assert "**exploited, due 2026-01-22**; fixed in 3.0.15-1" in text
    assert "came with the base image debian:12: rebuild on a newer one" in text
    assert "`pip install 'requests>=2.32.0'`" in render("markdown", samples.report())


def test_markdown_is_short_unless_asked() -> None:
    report = samples.large_report()
    assert "... and 460 more" in render("markdown", report)
    assert "... and" not in render("markdown", report, all=True)


def test_csv_has_a_line_for_every_match_and_calculates_nothing() -> None:
    report = samples.report()
    header, *rows = csv.reader(render("csv", report).splitlines())
    assert tuple(header) == COLUMNS
    assert len(rows) == len(report.matches)
    assert {len(row) for row in rows} == {len(COLUMNS)}
    evil = replace(samples.REQUESTS, name='=HYPERLINK("http://evil")')
    text = render("csv", samples.report(matches=(samples.match("-1+1", evil, Severity.LOW),)))
    (row,) = list(csv.DictReader(text.splitlines()))
    assert (row["package"][:2], row["vulnerability"]) == ("'=", "'-1+1")


def test_csv_says_all_that_is_known() -> None:
    (row,) = list(csv.DictReader(render("csv", rich()).splitlines()))
    assert (row["epss"], row["exploited_due"], row["risk"], row["cwes"]) == ("0.4", "2026-01-22", "83.475", "CWE-125")
    assert row["cvss"] == "9.1 v3.1 nvd;7.7 v4.0 ghsa"
    assert row["action"] == "stop"
