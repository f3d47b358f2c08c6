"""The advisory databases of languages: each in upstream's own form, whole and broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from anchorecli.feeds import find
from anchorecli.feeds.base import Driver
from anchorecli.model import Range, Severity
from tests.feeds.samples import affected, osv, parsed, written, zipped

ZERO = {"introduced": "0"}


def spans(ranges: tuple[Range, ...]) -> list[tuple[str, str, str]]:
    return [(each.introduced, each.fixed, each.last_affected) for each in ranges]


# Go


def go(name: str, *events: dict[str, str], **specific: Any) -> dict[str, Any]:
    return affected(name, *events, ecosystem="Go", kind="SEMVER", ecosystem_specific=specific)


def go_ranges(
    tmp_path: Path, *entries: dict[str, Any]
) -> dict[tuple[str, tuple[str, ...]], list[tuple[str, str, str]]]:
    record = osv("GO-2024-0001", *entries, aliases=["CVE-2024-0001"])
    path = written(tmp_path / "vulndb.zip", zipped({"ID/GO-2024-0001.json": record, "index/vulns.json": "[]"}))
    records, problems = parsed(find("govulndb"), path)
    assert problems == []
    assert records["GO-2024-0001"].url == "https://pkg.go.dev/vuln/GO-2024-0001"
    return {(each.package, each.arches): spans(each.ranges) for each in records["GO-2024-0001"].affected}


def test_go_modules_and_the_standard_library(tmp_path: Path) -> None:
    events = ZERO, {"fixed": "1.21.11"}, {"introduced": "1.22.0-0"}, {"fixed": "1.22.4"}
    assert go_ranges(tmp_path, go("stdlib", *events), go("example.com/m/v2", ZERO, {"fixed": "2.0.1"})) == {
        ("stdlib", ()): [("", "1.21.11", ""), ("1.22.0-0", "1.22.4", "")],
        ("example.com/m/v2", ()): [("", "2.0.1", "")],
    }


def test_what_go_says_of_one_system_is_said_of_that_system(tmp_path: Path) -> None:
    windows = [{"path": "os", "goos": ["windows"]}, {"path": "path", "goos": ["windows"]}]
    part = [{"path": "os", "goos": ["windows"]}, {"path": "net"}]
    events = ZERO, {"fixed": "1.2.0"}
    found = go_ranges(
        tmp_path, go("stdlib", *events, imports=windows), go("a.b/c", *events, imports=part), go("a.b/c", *events)
    )
    assert list(found) == [("stdlib", ("windows",)), ("a.b/c", ())]


def test_a_projects_own_versions_are_known_beside_those_of_the_module_system(tmp_path: Path) -> None:
    custom = [{"type": "ECOSYSTEM", "events": [{"introduced": "7.0.0"}, {"fixed": "7.8.10"}]}]
    assert go_ranges(tmp_path, go("a.b/open", ZERO, custom_ranges=custom)) == {
        ("a.b/open", ()): [("7.0.0", "7.8.10", ""), ("", "", "0.0.1-0")]
    }
    assert go_ranges(tmp_path, go("a.b/ended", ZERO, {"fixed": "0.5.0"}, custom_ranges=custom)) == {
        ("a.b/ended", ()): [("7.0.0", "7.8.10", ""), ("", "0.5.0", "")]
    }


# Python

PYSEC = """id: PYSEC-2024-1
details: A thing is wrong.
affected:
- package: {name: My_Pkg, ecosystem: PyPI}
  ranges:
  - type: GIT
    repo: https://example.com/r
    events:
    - introduced: "0"
    - fixed: abcdef
  - type: ECOSYSTEM
    events:
    - introduced: "0"
    - fixed: 1.10
  versions:
  - 1.2
  - 1.10.0
  - 2.0
aliases: [CVE-2024-0002, GHSA-aaaa-bbbb-cccc]
modified: "2024-05-01T10:00:00.123456Z"
withdrawn: 2024-06-01T00:00:00Z
"""


def test_pypa(tmp_path: Path) -> None:
    records, problems = parsed(find("pypa"), written(tmp_path / "vulns/my-pkg/PYSEC-2024-1.yaml", PYSEC).parents[1])
    assert problems == []
    found = records["PYSEC-2024-1"]
    (statement,) = found.affected
    # 1.10 is no number and 2.0 is listed although the range does not hold it.
    assert (statement.package, spans(statement.ranges), statement.versions) == (
        "my-pkg",
        [("", "1.10", "")],
        ("1.10.0", "2.0"),
    )
    assert found.aliases == ("CVE-2024-0002", "GHSA-aaaa-bbbb-cccc")
    assert (found.modified, found.withdrawn) == ("2024-05-01T10:00:00Z", "2024-06-01T00:00:00Z")


# Rust

RUST = """```toml
[advisory]
id = "RUSTSEC-2024-0001"
package = "my_crate"
date = "2024-03-02"
aliases = ["CVE-2024-0003"]
cvss = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"
%s
[versions]
patched = [">= 0.12.3, < 0.13.0", ">= 0.13.1"]
unaffected = ["< 0.12"]

[affected]
os = ["windows"]
functions = {"my_crate::f" = ["< 1"]}
```

# Reads never end

Text.
"""


def test_rustsec(tmp_path: Path) -> None:
    path = written(tmp_path / "crates/my_crate/RUSTSEC-2024-0001.md", RUST % "")
    records, problems = parsed(find("rustsec"), path)
    assert problems == []
    found = records["RUSTSEC-2024-0001"]
    (statement,) = found.affected
    assert (statement.ecosystem, statement.package, statement.scheme) == ("cargo", "my_crate", "cargo")
    assert spans(statement.ranges) == [("0.12", "0.12.3", ""), ("0.13.0", "0.13.1", "")]
    assert statement.arches == ("windows",)
    assert (found.severity, found.cvss[0].score) == (Severity.HIGH, 7.5)
    assert (found.summary, found.published) == ("Reads never end", "2024-03-02T00:00:00Z")


@pytest.mark.parametrize(
    ("word", "severity"),
    [("unmaintained", Severity.NEGLIGIBLE), ("unsound", Severity.LOW), ("notice", Severity.NEGLIGIBLE)],
)
def test_rustsec_tells_more_than_vulnerabilities(tmp_path: Path, word: str, severity: Severity) -> None:
    text = RUST % f'informational = "{word}"\nwithdrawn = 2024-04-01'
    records, _ = parsed(find("rustsec"), written(tmp_path / "RUSTSEC-2024-0001.md", text))
    found = records["RUSTSEC-2024-0001"]
    assert (found.severity, found.summary) == (severity, f"{word}: Reads never end")
    assert found.withdrawn == "2024-04-01T00:00:00Z"


# Ruby


def rubies(tmp_path: Path) -> Path:
    for gem in ("json", "json_pure"):
        written(
            tmp_path / f"gems/{gem}/CVE-2013-0269.yml",
            f"---\ngem: {gem}\ncve: 2013-0269\nghsa: x457-cw4h-hq5f\nosvdb: 90074\ntitle: |\n  Creation of\n  objects\n"
            "url: https://example.com/x\ndate: 2013-02-11\ncvss_v2: 7.5\ncvss_v3: 9.0\npatched_versions:\n"
            '  - "~> 1.5.5"\n  - "~> 1.6.8"\n  - ">= 1.7.7"\nunaffected_versions: ["< 1.1.0"]\n',
        )
    written(
        tmp_path / "rubies/jruby/OSVDB-94644.yml",
        '---\nengine: jruby\nosvdb: 94644\ntitle: t\ndate: 2013-01-01\npatched_versions: ">= 1.7.3"\n',
    )
    written(tmp_path / "gems/old/GHSA-aaaa-bbbb-cccc.yml", "gem: old\nghsa: aaaa-bbbb-cccc\ntitle: t\ndate: x\n")
    written(tmp_path / "gems/README.md", "# nothing")
    return tmp_path


def test_rubysec(tmp_path: Path) -> None:
    records, problems = parsed(find("rubysec"), rubies(tmp_path))
    assert problems == []
    found = records["CVE-2013-0269"]
    assert [(each.ecosystem, each.package) for each in found.affected] == [("gem", "json"), ("gem", "json_pure")]
    assert spans(found.affected[0].ranges) == [("1.1.0", "1.5.5", ""), ("1.6.a", "1.6.8", ""), ("1.7.a", "1.7.7", "")]
    assert found.aliases == ("GHSA-x457-cw4h-hq5f", "OSVDB-90074")
    assert (found.summary, found.severity) == ("Creation of objects", Severity.CRITICAL)
    assert [(each.version, each.score, each.vector) for each in found.cvss] == [("3.0", 9.0, ""), ("2.0", 7.5, "")]
    (engine,) = records["OSVDB-94644"].affected
    assert (engine.ecosystem, engine.package, spans(engine.ranges)) == ("ruby-engine", "jruby", [("", "1.7.3", "")])
    assert spans(records["GHSA-aaaa-bbbb-cccc"].affected[0].ranges) == [("", "", "")]


# PHP


def test_phpsec(tmp_path: Path) -> None:
    for package in ("http-kernel", "symfony"):
        written(
            tmp_path / f"db/symfony/{package}/CVE-2022-0001.yaml",
            f"title: It leaks\ncve: CVE-2022-0001\nlink: https://github.com/s/advisories/GHSA-aaaa-bbbb-cccc\n"
            "branches:\n  2.x:\n    time: 2022-04-13 14:54:58\n    versions: ['>=2.0', '<2.2.12']\n"
            "  1.x:\n    time: ~\n    versions: ['<=1.10']\n  3.x:\n    time: 2022-05-01\n    versions: ['>3.0']\n"
            f"reference: composer://Symfony/{package}\n",
        )
    written(
        tmp_path / "db/a/b/2015-05-19-1.yaml",
        "title: t\nlink: x\ncve: ~\nbranches:\n  m:\n    time: ~\n    versions: '<1'\nreference: composer://a/b\n",
    )
    records, problems = parsed(find("phpsec"), tmp_path)
    assert problems == []
    found = records["CVE-2022-0001"]
    assert [each.package for each in found.affected] == ["symfony/http-kernel", "symfony/symfony"]
    assert spans(found.affected[0].ranges) == [("2.0", "2.2.12", ""), ("", "", "1.10"), ("3.0-p0", "", "")]
    assert (found.aliases, found.published[:10], found.modified[:10]) == (
        ("GHSA-aaaa-bbbb-cccc",),
        "2022-04-13",
        "2022-05-01",
    )
    assert records["a/b/2015-05-19-1"].aliases == ()


# Bitnami


def test_bitnami(tmp_path: Path) -> None:
    entry = affected("node", {"introduced": "16.0.0"}, {"fixed": "16.20.1-3"}, ecosystem="Bitnami", kind="SEMVER")
    entry["severity"] = [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}]
    record = osv("BIT-node-2023-1", entry, aliases=["CVE-2023-1"], database_specific={"severity": "High"})
    records, problems = parsed(find("bitnami"), written(tmp_path / "data/node/BIT-node-2023-1.json", record).parents[2])
    assert problems == []
    (statement,) = records["BIT-node-2023-1"].affected
    assert (statement.ecosystem, statement.scheme, spans(statement.ranges)) == (
        "bitnami", "fuzzy", [("16.0.0", "16.20.1", "")]
    )  # fmt: skip
    assert records["BIT-node-2023-1"].severity is Severity.HIGH


# What is broken is told, and does not stop the rest

GOOD = {
    "govulndb": ("ID/GO-2024-1.json", json.dumps(osv("GO-2024-1", go("a.b/c", ZERO)))),
    "pypa": ("vulns/x/PYSEC-2024-1.yaml", PYSEC),
    "bitnami": (
        "data/n/BIT-n-2024-1.json",
        json.dumps(osv("BIT-n-2024-1", affected("n", ZERO, ecosystem="Bitnami"))),
    ),
    "rustsec": ("crates/c/RUSTSEC-2024-0001.md", RUST % ""),
    "rubysec": ("gems/g/CVE-2024-1.yml", "gem: g\ncve: 2024-0001\ntitle: t\npatched_versions: ['>= 1']\n"),
    "phpsec": (
        "v/p/CVE-2024-1.yaml",
        "cve: CVE-2024-0001\nbranches: {m: {versions: ['<1']}}\nreference: composer://v/p\n",
    ),
}
BROKEN: dict[str, list[str | bytes]] = {
    "govulndb": ["{", '{"id": "GO-1", "affected": [{"package": {"ecosystem": "Go", "name": "x"}}]}'],
    "pypa": ["id: [", "- a\n- b", "id: PYSEC-1\naffected: 7", "id: PYSEC-1\naffected: [*nobody]", "[" * 5000],
    "bitnami": ["[]", '{"id": "BIT-1", "affected": {}}', '{"id": "BIT-1", "affected": [7]}'],
    "rustsec": [
        "# no head", "```toml\nx = [\n```\n", RUST.replace('package = "my_crate"', "package = 7") % "",
        RUST.replace('">= 0.13.1"', '"!= 1"') % "", RUST.replace('">= 0.13.1"', "1") % "",
        RUST.replace("[versions]", "[x]") % "",
        "```toml\nversions = 1\n[advisory]\nid = 'RUSTSEC-2020-0001'\npackage = 'a'\n```",
    ],
    "rubysec": ["- a", "cve: 2024-0002", "gem: g\npatched_versions: {a: b}", "gem: g\npatched_versions: ['~> x']",
                "gem: g\npatched_versions: ['>= 2, < 1']", "gem: g\ntitle: [a]"],
    "phpsec": ["a", "reference: composer://a", "reference: composer://a/b\nbranches: []",
               "reference: composer://a/b\nbranches: {m: {versions: []}}",
               "reference: composer://a/b\nbranches: {m: x}",
               "reference: composer://a/b\nbranches: {m: {versions: ['=1=']}}"],
}  # fmt: skip


@pytest.mark.parametrize("feed", GOOD)
def test_a_broken_record_is_a_problem_in_its_place(tmp_path: Path, feed: str) -> None:
    name, good = GOOD[feed]
    folder, _, file = name.rpartition("/")
    broken = [*BROKEN[feed], b"\xff\xfe\x00", ""]
    for number, text in enumerate(broken):
        written(tmp_path / folder / file.replace("2024-", f"19{number:02}-"), text)
    records, problems = parsed(find(feed), tmp_path)
    assert (records, len(problems)) == ({}, len(broken))
    assert all(each.incomplete and each.subject.startswith(f"{feed}: ") and each.message for each in problems)
    written(tmp_path / name, good)
    records, problems = parsed(find(feed), tmp_path)
    assert (len(records), len(problems)) == (1, len(broken))


@pytest.mark.parametrize("feed", GOOD)
def test_other_files_of_the_tree_are_left_alone(tmp_path: Path, feed: str) -> None:
    for name in ("README.md", "LICENSE", "lib/x.py", ".github/workflows/a.yaml", "osv/x.txt", "package.json"):
        written(tmp_path / name, "nothing")
    driver: Driver = find(feed)
    assert parsed(driver, tmp_path) == ({}, [])
