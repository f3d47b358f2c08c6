"""The JSON report: its schema, its ids, its shape on the page."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import anchorecli.report
from anchorecli.model import FixState, Report, Severity
from anchorecli.report import RenderOptions, identity, json_lines, json_packages
from anchorecli.report.json_report import SCHEMA_VERSION, JsonReport
from tests.report import samples

SCHEMA = json.loads((Path(anchorecli.report.__file__).parent / "schema.json").read_text(encoding="utf-8"))
SAMPLES = {
    "fail": samples.report(),
    "pass": samples.clean_report(),
    "indeterminate": samples.indeterminate_report(),
    "unevaluated": samples.unevaluated_report(),
    "hostile": samples.hostile_report(),
    "large": samples.large_report(),
}


def render(report: Report) -> Any:
    return json.loads(JsonReport().render(report, RenderOptions()))


def strict(schema: Any) -> Any:
    """The schema with nothing allowed that it does not name, so that an undocumented key fails."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    changed = {key: strict(value) for key, value in schema.items()}
    if "properties" in changed:
        changed.setdefault("unevaluatedProperties", False)
    return changed


def test_the_schema_is_a_schema_and_describes_every_property() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$id"].endswith(f"report-{SCHEMA_VERSION}.json")

    def undescribed(schema: Any, where: str) -> list[str]:
        found = []
        for name, value in schema.get("properties", {}).items():
            if not value.get("description") and "$ref" not in value and "oneOf" not in value:
                found.append(f"{where}.{name}")
            found += undescribed(value, f"{where}.{name}")
            found += undescribed(value.get("items", {}), f"{where}.{name}[]")
        return found

    assert undescribed(SCHEMA, "") == []


@pytest.mark.parametrize("name", SAMPLES)
def test_reports_satisfy_the_schema(name: str) -> None:
    document = render(SAMPLES[name])
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    if name in ("fail", "indeterminate"):
        # "match" is also part of a larger object, which says itself what else it may hold.
        closed = strict(SCHEMA)
        del closed["$defs"]["match"]["unevaluatedProperties"]
        closed["properties"]["matches"]["items"]["unevaluatedProperties"] = False
        jsonschema.Draft202012Validator(closed).validate(document)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("matches", 0, "severity"), "terrible"),
        (("matches", 0, "package"), {}),
        (("suppressed", 0, "reason"), 3),
        (("verdict", "status"), "maybe"),
        (("schema_version",), "2.0.0"),
        (("packages", 0, "id"), "x"),
    ],
)
def test_the_schema_refuses_what_is_wrong(path: tuple[Any, ...], value: Any) -> None:
    document = render(samples.report())
    place = document
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(document)


def test_equal_reports_give_equal_bytes_whatever_the_order_of_their_parts() -> None:
    report = samples.report()
    assert report.verdict
    shuffled = replace(
        report,
        analysis=replace(
            report.analysis,
            packages=report.analysis.packages[::-1],
            analyzers=dict(reversed(report.analysis.analyzers.items())),
        ),
        matches=report.matches[::-1],
        verdict=replace(report.verdict, findings=report.verdict.findings[::-1]),
        feeds=report.feeds[::-1],
    )
    assert JsonReport().render(shuffled, RenderOptions()) == JsonReport().render(report, RenderOptions())


def test_every_match_names_the_layer_the_instruction_and_the_path() -> None:
    nginx = next(match for match in render(samples.report())["matches"] if match["id"] == "CVE-2023-44487")
    assert nginx["layer"] == {
        "index": 1,
        "diff_id": samples.diff_id(1),
        "instruction": samples.INSTRUCTIONS[1],
    }
    assert nginx["package"]["path"] == "var/lib/dpkg/status"


def test_a_package_in_no_layer_of_the_image_has_no_layer() -> None:
    stray = replace(samples.NGINX, layer="sha256:00")
    report = samples.report(matches=(samples.match("CVE-1", stray, Severity.LOW),))
    assert render(report)["matches"][0]["layer"] is None


def test_suppressed_matches_stand_apart_with_their_reason() -> None:
    document = render(samples.report())
    assert [(match["id"], match["reason"]) for match in document["suppressed"]] == [
        ("CVE-2024-22195", "owned by python3-jinja2")
    ]
    assert "CVE-2024-22195" not in {match["id"] for match in document["matches"]}
    assert document["summary"]["suppressed"] == 1


def test_undecided_matches_are_reported_but_not_counted() -> None:
    document = render(samples.report())
    (odd,) = (match for match in document["matches"] if match["verdict"] == "unknown")
    assert odd["id"] == "CVE-2026-2222"
    assert document["summary"]["undecided"] == 1
    assert document["summary"]["matches"] == len(document["matches"]) - 1
    assert sum(document["summary"]["by_severity"].values()) == document["summary"]["matches"]


def test_starter_matches_are_marked() -> None:
    marked = {match["id"] for match in render(samples.report())["matches"] if match["starter"]}
    assert marked == {"CVE-2023-32681"}


def test_a_fingerprint_survives_another_feed_and_other_words() -> None:
    match = samples.match("CVE-1", samples.NGINX, Severity.LOW)
    same = replace(
        match,
        feed="osv",
        advisory="DSA-1",
        severity=Severity.HIGH,
        fixed_in=("9",),
        fix_state=FixState.FIXED,
        summary="",
        package=replace(samples.NGINX, layer=samples.diff_id(3), licenses=(), purl="pkg:deb/other"),
    )
    assert identity.match_id(same) == identity.match_id(match)


@pytest.mark.parametrize("change", [{"version": "1.23"}, {"name": "nginx2"}, {"arch": "arm64"}, {"locations": ()}])
def test_another_installation_has_another_fingerprint(change: dict[str, Any]) -> None:
    match = samples.match("CVE-1", samples.NGINX, Severity.LOW)
    other = replace(match, package=replace(samples.NGINX, **change))
    assert identity.match_id(other) != identity.match_id(match)


def test_the_parts_of_an_id_cannot_run_into_each_other() -> None:
    assert identity.digest_of(["ab", "c"]) != identity.digest_of(["a", "bc"])


def test_fingerprints_are_unique_within_a_report() -> None:
    document = render(samples.large_report())
    for things in (document["matches"], document["verdict"]["findings"]):
        assert len({thing["fingerprint"] for thing in things}) == len(things)


def test_the_text_is_ascii_with_a_line_per_object() -> None:
    text = JsonReport().render(samples.hostile_report(), RenderOptions())
    assert text.isascii()
    assert "##" not in text
    report = samples.report()
    lines = JsonReport().render(report, RenderOptions()).splitlines()
    assert sum(line.startswith('    {"fingerprint": ') for line in lines) == len(report.matches)
    assert sum(line.startswith('    {"id": ') for line in lines) == len(report.analysis.packages)


class Shelf(dict[tuple[str, str], str]):
    """A memo."""

    def get(self, name: str, key: str) -> str | None:  # type: ignore[override]
        return dict.get(self, (name, key))

    def put(self, name: str, key: str, text: str) -> None:
        self[name, key] = text


@pytest.mark.parametrize("report", [samples.report(), samples.hostile_report(), samples.clean_report()])
def test_the_text_is_the_same_in_pieces_and_from_what_was_kept(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = JsonReport().render(report, RenderOptions())
    shelf = Shelf()
    monkeypatch.setattr(json_lines, "_PIECE", 100)
    for _ in range(2):
        pieces = list(JsonReport().pieces(report, RenderOptions(memo=shelf)))
        assert "".join(pieces) == whole
        assert len(pieces) > 1
    assert len(shelf) == bool(report.analysis.packages)


def test_lines_of_very_many_packages_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    report, shelf = samples.large_report(), Shelf()
    monkeypatch.setattr(json_packages, "_MEMO_CHARACTERS", 10_000)
    assert JsonReport().render(report, RenderOptions(memo=shelf)) == JsonReport().render(report, RenderOptions())
    assert not shelf


def test_coverage_is_complete_only_without_gaps() -> None:
    assert render(samples.report())["coverage"]["complete"] is True
    assert render(samples.indeterminate_report())["coverage"]["complete"] is False
