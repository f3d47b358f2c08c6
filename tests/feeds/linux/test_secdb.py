"""Wolfi and its kin, and Alpine's older files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from anchorecli.errors import FeedError
from anchorecli.feeds import find
from anchorecli.feeds.sync import SyncOptions, sync
from anchorecli.model import Statement
from tests.feeds.samples import MemorySink, parsed, secdb, written, zipped

NOW = "2026-01-01T00:00:00Z"


def rolling(packages: dict[str, Any], host: str = "packages.wolfi.dev") -> dict[str, Any]:
    return {
        "urlprefix": f"https://{host}",
        "reponame": "os",
        "packages": [{"pkg": {"name": name, "secfixes": fixes}} for name, fixes in packages.items()],
    }


def test_what_is_fixed_and_what_never_was_affected(tmp_path: Path) -> None:
    path = written(tmp_path / "security.json", rolling({"curl": {"8.9-r0": ["CVE-2024-7264"], "0": ["CVE-2021-2289"]}}))
    records, problems = parsed(find("wolfi"), path)
    assert problems == []
    fixed, denied = records["CVE-2024-7264"].affected[0], records["CVE-2021-2289"].affected[0]
    assert (fixed.ecosystem, fixed.package, fixed.scheme, fixed.ranges[0].fixed) == ("wolfi", "curl", "apk", "8.9-r0")
    assert (denied.statement, denied.ranges) == (Statement.NOT_AFFECTED, ())
    assert records["CVE-2024-7264"].url == "https://images.chainguard.dev/security/CVE-2024-7264"


@pytest.mark.parametrize(
    ("feed", "host"),
    [("wolfi", "packages.wolfi.dev"), ("chainguard", "packages.cgr.dev"), ("minimos", "packages.mini.dev")],
)
def test_each_distribution_has_its_namespace(tmp_path: Path, feed: str, host: str) -> None:
    driver = find(feed)
    assert host in driver.url
    archive = written(tmp_path / "x.zip", zipped({"security.json": rolling({"a": {"1-r0": ["CVE-2024-1000"]}}, host)}))
    sink = MemorySink()
    outcome = sync(driver, sink, now=NOW, fetcher=None, options=SyncOptions(source=archive))  # type: ignore[arg-type]
    assert (outcome.state.ecosystems, outcome.problem_count) == ((feed,), 0)


@pytest.mark.parametrize(
    "content",
    [
        rolling({"a": {"1-r0": ["CVE-2024-1000"]}}, "packages.cgr.dev"),
        secdb("v3.20", "main", {"a": {"1-r0": ["CVE-2024-1000"]}}),
        {"reponame": "os"},
        "[]",
        "{",
        b"\xff\xfe",
    ],
)
def test_another_distributions_file_is_refused(tmp_path: Path, content: Any) -> None:
    path = written(tmp_path / "security.json", content)
    sink = MemorySink()
    with pytest.raises(FeedError, match="not a secdb file"):
        sync(find("wolfi"), sink, now=NOW, fetcher=None, options=SyncOptions(source=path))  # type: ignore[arg-type]
    assert sink.records == {}


GHSA = "GHSA-v6v8-xj6m-xwqh"
OTHER = "GHSA-2c7c-3mj9-8fqh"


@pytest.mark.parametrize(
    ("packages", "aliases"),
    [
        # Alone with it: one flaw under two names.
        ({"a": {"1-r0": ["CVE-2024-6104", GHSA]}}, {"CVE-2024-6104": (GHSA,)}),
        # Together with others, but in two packages always with this one.
        (
            {
                "a": {"1-r0": ["CVE-2024-6104", "CVE-2024-1000", GHSA]},
                "b": {"2-r0": ["CVE-2024-6104", "CVE-2024-2000", GHSA]},
            },
            {"CVE-2024-6104": (GHSA,), "CVE-2024-1000": (), "CVE-2024-2000": ()},
        ),
        # Once, among several: nobody can tell.
        (
            {"a": {"1-r0": ["CVE-2024-6104", "CVE-2024-1000", GHSA, OTHER]}},
            {"CVE-2024-6104": (), "CVE-2024-1000": (), GHSA: (), OTHER: ()},
        ),
        # Two claim the same CVE.
        ({"a": {"1-r0": ["CVE-2024-6104", GHSA, OTHER]}}, {"CVE-2024-6104": (), GHSA: (), OTHER: ()}),
        # Elsewhere it stands without the CVE.
        ({"a": {"1-r0": ["CVE-2024-6104", GHSA]}, "b": {"2-r0": [GHSA]}}, {"CVE-2024-6104": (), GHSA: ()}),
    ],
)
def test_a_ghsa_beside_a_cve_is_its_other_name_where_that_is_certain(
    tmp_path: Path, packages: dict[str, Any], aliases: dict[str, tuple[str, ...]]
) -> None:
    records, _ = parsed(find("wolfi"), written(tmp_path / "s.json", rolling(packages)))
    assert {name: record.aliases for name, record in records.items()} == aliases


YAML = """---
distroversion: v3.10
reponame: main
packages:
  - pkg:
      name: ansible
      secfixes:
        2.10:
          - CVE-2019-10206
          - CVE-2019-10217 XSA-1
        0:
        - CVE-2019-1000
  - pkg:
      name: nothing
      secfixes:
"""


def test_alpine_as_yaml_is_alpine_as_json(tmp_path: Path) -> None:
    fixes = {"2.10": ["CVE-2019-10206", "CVE-2019-10217 XSA-1"], "0": ["CVE-2019-1000"]}
    json_form = secdb("v3.10", "main", {"ansible": fixes, "nothing": None})
    expected = parsed(find("alpine"), written(tmp_path / "main.json", json_form))
    assert parsed(find("alpine"), written(tmp_path / "main.yaml", YAML)) == expected
    assert len(expected[0]) == 3
    # Both forms in one mirror say the same once.
    assert parsed(find("alpine"), tmp_path) == expected


@pytest.mark.parametrize("text", ["a: [", "- 1", "distroversion: v3.10\npackages: x", b"\xff\xfe\x00\xd8", "\0"])
def test_yaml_that_is_no_secdb(tmp_path: Path, text: Any) -> None:
    records, problems = parsed(find("alpine"), written(tmp_path / "main.yaml", text))
    assert records == {}
    assert [each.message.partition(":")[0] for each in problems] == ["not a secdb file"]
