"""GitLab's advisories on packages of Conan."""

from __future__ import annotations

from pathlib import Path

import pytest

from anchorecli.feeds import find
from anchorecli.model import Range, Severity
from tests.feeds.samples import parsed, written

TEXT = """---
identifier: "CVE-2024-1000"
identifiers:
- "GHSA-aaaa-bbbb-cccc"
- "CVE-2024-1000"
package_slug: "conan/{package}"
title: "Out-of-bounds
  Write"
description: "long"
date: "2024-03-02"
pubdate: "2024-03-01"
affected_range: "{range}"
fixed_versions: []
cvss_v2: "AV:N/AC:L/Au:N/C:N/I:N/A:P"
cvss_v3: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"
"""


def test_one_vulnerability_of_two_packages(tmp_path: Path) -> None:
    for package, condition in (("zlib", "<1.2.12"), ("minizip", "")):
        content = TEXT.format(package=package, range=condition)
        written(tmp_path / f"conan/{package}/CVE-2024-1000.yml", content)
    written(tmp_path / "npm/zlib/CVE-2024-1000.yml", "not read")
    records, problems = parsed(find("gitlab"), tmp_path)
    assert problems == []
    (found,) = records.values()
    assert (found.id, found.aliases, found.severity) == ("CVE-2024-1000", ("GHSA-aaaa-bbbb-cccc",), Severity.HIGH)
    assert (found.summary, found.published, found.modified) == (
        "Out-of-bounds Write", "2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z",
    )  # fmt: skip
    assert [score.score for score in found.cvss] == [7.5, 5.0]
    assert [(each.ecosystem, each.package, each.ranges) for each in found.affected] == [
        ("conan", "minizip", ()),
        ("conan", "zlib", (Range(fixed="1.2.12"),)),
    ]


@pytest.mark.parametrize(
    ("condition", "ranges"),
    [
        ("=2.8.107", (Range("2.8.107", last_affected="2.8.107"),)),
        (">=1.0 <1.4||>=2.0 <=2.1", (Range("1.0", fixed="1.4"), Range("2.0", last_affected="2.1"))),
        (">=1.0.2, <1.0.2zg", (Range("1.0.2", fixed="1.0.2zg"),)),
    ],
)
def test_ranges(tmp_path: Path, condition: str, ranges: tuple[Range, ...]) -> None:
    path = written(tmp_path / "conan/openssl/CVE-2024-1000.yml", TEXT.format(package="openssl", range=condition))
    records, problems = parsed(find("gitlab"), path.parents[2])
    assert problems == []
    assert [each.ranges for record in records.values() for each in record.affected] == [ranges]


@pytest.mark.parametrize(
    "content",
    ["- a", "identifier: [", TEXT.format(package="../x", range=""), TEXT.format(package="x", range="(,1.2)"),
     TEXT.format(package="x", range="<1||"), TEXT.format(package="x", range="").replace("CVE-2024-1000", "x", 1)],
)  # fmt: skip
def test_what_is_no_advisory_is_a_problem(tmp_path: Path, content: str) -> None:
    written(tmp_path / "conan/y/CVE-2024-1001.yml", TEXT.format(package="y", range="<2"))
    written(tmp_path / "conan/x/CVE-2024-1000.yml", content)
    records, problems = parsed(find("gitlab"), tmp_path)
    assert len(records) == 1
    assert [each.subject for each in problems] == ["gitlab: conan/x/CVE-2024-1000.yml"]
