"""What to upgrade, by which command, and whose task that is; and the risk score."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from anchorecli.model import Cvss, Distro, Enrichment, Epss, KnownExploited, Report, Severity
from anchorecli.report import RenderOptions
from anchorecli.report.beside import risk
from anchorecli.report.commands import command, rpm_tool
from anchorecli.report.json_report import JsonReport
from anchorecli.report.table import Table
from tests.report import samples

CVE = "CVE-2024-5535"
SCORES = Enrichment({CVE: Epss(0.4, 0.9)}, {}, None)
LISTED = Enrichment({CVE: Epss(0.4, 0.9)}, {CVE: KnownExploited("2026-01-01", "2026-01-22")}, None)
RANSOM = Enrichment(None, {CVE: KnownExploited("2026-01-01", "2026-01-22", ransomware=True)}, None)


def render(report: Report) -> Any:
    return json.loads(JsonReport().render(report, RenderOptions()))


@pytest.mark.parametrize(
    ("severity", "scores", "beside", "expected"),
    [
        (Severity.CRITICAL, (), SCORES, 36.0),
        (Severity.HIGH, (9.1, 7.9), SCORES, 32.0),  # (0.75 + 0.85) / 2 = 0.8
        (Severity.HIGH, (0.0,), SCORES, 30.0),
        (Severity.LOW, (), LISTED, 31.5),
        (Severity.LOW, (), RANSOM, 33.0),
        (Severity.CRITICAL, (10.0,), RANSOM, 100.0),
        (Severity.CRITICAL, (), Enrichment({}, {}, None), None),
        (Severity.CRITICAL, (), Enrichment(), None),
    ],
)
def test_the_risk_is_likelihood_times_severity(
    severity: Severity, scores: tuple[float, ...], beside: Enrichment, expected: float | None
) -> None:
    cvss = tuple(Cvss("3.1", "CVSS:3.1/…", score) for score in scores)
    assert risk(samples.match(CVE, samples.LIBSSL, severity, cvss=cvss), beside) == expected


def test_exploitation_is_known_by_any_name_of_a_vulnerability() -> None:
    found = samples.match("GHSA-1", samples.REQUESTS, Severity.HIGH, aliases=(CVE,))
    assert risk(found, LISTED) == 78.75
    document = render(samples.report(matches=(found,), enrichment=LISTED))
    (match,) = document["matches"]
    assert match["epss"] == {"score": 0.4, "percentile": 0.9}
    assert match["known_exploited"] == {"added": "2026-01-01", "due": "2026-01-22", "ransomware": False}
    assert match["risk"] == 78.75


def test_json_has_weaknesses_and_every_score_with_its_source() -> None:
    scores = (Cvss("3.1", "CVSS:3.1/AV:N", 9.8, "nvd"), Cvss("4.0", "CVSS:4.0/AV:N", 8.7, "ghsa"))
    found = samples.match(CVE, samples.LIBSSL, Severity.HIGH, cvss=scores, cwes=("CWE-125", "CWE-79"))
    (match,) = render(samples.report(matches=(found,)))["matches"]
    assert match["cwes"] == ["CWE-125", "CWE-79"]
    assert [(each["version"], each["source"], each["score"]) for each in match["cvss"]] == [
        ("3.1", "nvd", 9.8),
        ("4.0", "ghsa", 8.7),
    ]


def test_the_table_says_what_is_exploited_and_the_rest_on_request() -> None:
    cvss = (Cvss("3.1", "CVSS:3.1/AV:N", 9.8, "nvd"),)
    found = samples.match(CVE, samples.LIBSSL, Severity.HIGH, ["9"], cvss=cvss, cwes=("CWE-125",))
    report = samples.report(matches=(found,), enrichment=LISTED)
    assert "EXPLOITED, due 2026-01-22; fixed in 9" in Table().render(report, RenderOptions())
    text = Table().render(report, RenderOptions(verbose=1))
    assert "cvss 9.8 (v3.1, nvd)" in text
    assert "cwe  CWE-125" in text
    assert "odds EPSS 40.00%, percentile 90%, risk 90.8 of 100" in text


@pytest.mark.parametrize(
    ("kind", "names", "target", "expected"),
    [
        ("deb", ("libssl3", "openssl"), "3", "apt-get install --only-upgrade libssl3 openssl"),
        ("rpm", ("openssl-libs",), "1:3.0.7-27.el9", "dnf upgrade openssl-libs"),
        ("apk", ("libcrypto3",), "3.1.4-r5", "apk add --upgrade libcrypto3"),
        ("alpm", ("openssl",), "3", "pacman -Syu openssl"),
        ("pypi", ("requests",), "2.32.0", "pip install 'requests>=2.32.0'"),
        ("npm", ("@babel/traverse",), "7.23.2", "npm install @babel/traverse@7.23.2"),
        ("golang", ("golang.org/x/net",), "0.23.0", "go get golang.org/x/net@v0.23.0"),
        ("golang", ("stdlib",), "1.22.3", "go get toolchain@go1.22.3"),
        ("gem", ("rack",), "2.2.8.1", "gem install rack -v 2.2.8.1"),
        ("cargo", ("openssl",), "0.10.66", "cargo update -p openssl --precise 0.10.66"),
        ("generic", ("node",), "20.11.1", ""),
        # Nothing that a shell, or the program, would take for more than a name.
        ("deb", ("x; rm -rf /",), "3", ""),
        ("deb", ("--allow-downgrades",), "3", ""),
        ("pypi", ("requests",), "1' || true '", ""),
        ("npm", ("a$(id)",), "1", ""),
        ("gem", ("rack",), "1 and 2", ""),
    ],
)
def test_commands(kind: str, names: tuple[str, ...], target: str, expected: str) -> None:
    assert command(kind, names, target) == expected


@pytest.mark.parametrize(
    ("distro", "installed", "tool"),
    [
        (Distro("rocky", "9"), ("bash", "dnf"), "dnf"),
        (Distro("rhel", "9"), ("bash", "microdnf"), "microdnf"),
        (Distro("amzn", "2"), ("yum",), "yum"),
        (Distro("sles", "15.5"), ("zypper",), "zypper"),
        (Distro("azurelinux", "3.0"), (), "tdnf"),
        (None, (), "dnf"),
    ],
)
def test_rpm_packages_are_upgraded_by_what_is_installed(
    distro: Distro | None, installed: tuple[str, ...], tool: str
) -> None:
    packages = [replace(samples.ZLIB, name=name, type="rpm") for name in installed]
    assert rpm_tool(distro, packages) == tool


def test_json_tells_what_to_upgrade_and_whose_task_it_is() -> None:
    report = samples.report(base=(samples.diff_id(0),), base_name="docker.io/debian:12")
    found = {each["package"]: each for each in render(report)["advice"]}
    assert found["openssl"] == {
        "package": "openssl",
        "type": "deb",
        "installed": "3.0.11-1~deb12u2",
        "target": "3.0.15-1~deb12u1",
        "fixes": 2,
        "of": 3,
        "vulnerabilities": ["CVE-2024-5535", "CVE-2023-5363"],
        "packages": ["libssl3", "openssl"],
        "command": "apt-get install --only-upgrade libssl3 openssl",
        "from_base": True,
        "base": "docker.io/debian:12",
    }
    assert (found["requests"]["from_base"], found["requests"]["base"]) == (False, "")
    assert {each["from_base"] for each in render(samples.report())["advice"]} == {None}


def test_the_table_names_the_base_image() -> None:
    report = samples.report(base=(samples.diff_id(0), samples.diff_id(1)), base_name="debian:12")
    text = " ".join(Table().render(report, RenderOptions()).split())
    assert "18 of these 20 came with the base image debian:12: rebuild on a newer one first." in text


def test_a_long_command_goes_on_behind_a_backslash() -> None:
    many = [samples.deb(f"a-package-with-a-name-{n}", "1") for n in range(9)]
    matches = tuple(samples.match(f"CVE-2024-{n}", each, Severity.HIGH, ["2"]) for n, each in enumerate(many))
    lines = Table().render(samples.report(matches=matches), RenderOptions()).splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("  $ apt-get"))
    end = next(n for n in range(at, len(lines)) if not lines[n].endswith(" \\"))
    joined = " ".join(line.strip().removesuffix("\\").strip() for line in lines[at : end + 1])
    assert joined.removeprefix("$ ") == "apt-get install --only-upgrade " + " ".join(each.name for each in many)
