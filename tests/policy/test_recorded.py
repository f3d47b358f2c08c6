"""A JSON report read back as evidence gives the verdict of the evaluation that it records."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from anchorecli.errors import BundleError
from anchorecli.model import Cvss, Finding, HistoryEntry, Layer, Report, Severity
from anchorecli.policy.authoring.recorded import read_recorded
from anchorecli.policy.base import Evidence
from anchorecli.policy.bundle import default_bundle
from anchorecli.policy.evaluate import evaluate
from anchorecli.report import FORMATS, RenderOptions

from .evidence import config, evidence, match, package

OPENSSL = package("openssl", "3.0.1-1", "deb", "var/lib/dpkg/status", arch="amd64", licenses=("MIT",))
REQUESTS = package("requests", "2.0.0", "pypi", "opt/requests")
CVSS = (Cvss("3.1", "CVSS:3.1/AV:N", 9.8, "nvd"),)


def given() -> Evidence:
    settings = config([HistoryEntry("FROM debian", "2025-01-01T00:00:00Z")], user="0", exposed_ports=("22/tcp",))
    found = [
        match("CVE-1", OPENSSL, cvss=CVSS, aliases=("GHSA-1",)),
        match("CVE-2", REQUESTS, severity=Severity.MEDIUM, fixed_in=(), suppressed="better source"),
    ]
    return evidence([OPENSSL, REQUESTS], found, settings=settings, layers=[Layer("sha256:1")])


def report(of: Evidence) -> Report:
    verdict = evaluate(default_bundle(), of)
    return Report(of.analysis, of.matches, verdict, of.feeds, 1, "b", "", "sha256:b", "1", of.now, of.problems)


def recorded(path: Path, of: Evidence) -> Evidence:
    (form,) = [one for one in FORMATS if one.name == "json"]
    path.write_text(form.render(report(of), RenderOptions()))
    return read_recorded(str(path))


def test_the_verdict_is_the_same(tmp_path: Path):
    before, after = given(), recorded(tmp_path / "r.json", given())
    first, second = evaluate(default_bundle(), before), evaluate(default_bundle(), after)
    assert (second.status, second.action, second.reason) == (first.status, first.action, first.reason)

    def order(found: tuple[Finding, ...]) -> list[str]:
        return sorted(map(repr, found))

    assert order(second.findings) == order(first.findings)
    assert len(first.findings) == 3


def test_what_a_report_holds_comes_back_whole(tmp_path: Path):
    before, after = given(), recorded(tmp_path / "r.json", given())
    assert sorted(map(repr, after.matches)) == sorted(map(repr, before.matches))
    assert sorted(map(repr, after.analysis.packages)) == sorted(map(repr, before.analysis.packages))
    assert after.analysis.distro == before.analysis.distro
    assert after.analysis.image.config == before.analysis.image.config
    assert after.analysis.image.layers == before.analysis.image.layers
    assert after.reference == replace(before.reference, original=after.reference.original)
    assert (after.covered, after.now) == (before.covered, before.now)
    assert [replace(feed, ecosystems=tuple(sorted(feed.ecosystems))) for feed in before.feeds] == list(after.feeds)


def test_a_clock_of_ones_own(tmp_path: Path):
    recorded(tmp_path / "r.json", given())
    assert read_recorded(str(tmp_path / "r.json"), "2030-01-01T00:00:00Z").now == "2030-01-01T00:00:00Z"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"schema_version": "2.0.0"}', "[" * 100_000, "null", '"x"'])
def test_what_is_no_report(tmp_path: Path, text: str):
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(BundleError, match=r"r\.json: is no JSON report") as caught:
        read_recorded(str(tmp_path / "r.json"))
    assert "anchore scan" in caught.value.hint


def test_a_report_with_a_part_missing(tmp_path: Path):
    recorded(tmp_path / "r.json", given())
    document = json.loads((tmp_path / "r.json").read_text())
    for key in ("packages", "matches", "image", "feeds", "coverage", "evaluation"):
        (tmp_path / "r.json").write_text(json.dumps({name: value for name, value in document.items() if name != key}))
        with pytest.raises(BundleError, match="is no JSON report of this program"):
            read_recorded(str(tmp_path / "r.json"))
