"""What is known beside advisories: the three drivers, from upstream's own forms to what a rule sees."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from anchorecli.errors import FeedError
from anchorecli.feeds import find
from anchorecli.feeds.base import Driver
from anchorecli.feeds.sync import SyncOptions, sync
from anchorecli.model import (
    Analysis,
    Digest,
    Distro,
    Enrichment,
    Epss,
    FixState,
    Image,
    ImageConfig,
    ImageRef,
    KnownExploited,
    Match,
    MatchVerdict,
    Package,
    Platform,
    Problem,
    Severity,
)
from anchorecli.scan.enrichment import enrich
from anchorecli.store import Store, open_store

NOW = "2026-01-01T00:00:00Z"
KEV = {
    "catalogVersion": "2025.08.25",
    "dateReleased": "2025-08-25T17:04:19.9796Z",
    "vulnerabilities": [
        {"cveID": "CVE-2025-1000", "dateAdded": "2025-08-25", "dueDate": "2025-09-15",
         "knownRansomwareCampaignUse": "Known", "vulnerabilityName": "A \u202e name"},
        {"cveID": "CVE-2025-1001", "dateAdded": "2025-08-25"},
        {"cveID": "nonsense", "dateAdded": "2025-08-25"},
        "nonsense",
    ],
}  # fmt: skip
EPSS = (
    "#model_version:v2025.03.14,score_date:2025-08-25T00:00:00+0000\ncve,epss,percentile\n"
    "CVE-2025-1000,0.97567,0.99995\nCVE-2025-1001,1,1.0\nCVE-2025-1002,1.5,0.1\n"
)
DEBIAN = [
    {"cycle": "12", "eol": "2026-07-11", "extendedSupport": "2028-06-30"},
    {"cycle": "13", "eol": "2028-08-09"},
    {"cycle": "sid", "eol": False},
]
UBUNTU_MARKDOWN = """---
title: Ubuntu
releases:
  - releaseCycle: "24.04"
    eol: 2029-05-31
    eoes: 2036-04-30
  - releaseCycle: "26.04"
    eol: false
  - releaseCycle: "8.04"
    eol: true
---
> Text.
"""


def parsed(name: str, path: Path) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    snapshot = find(name).open(path)
    facts, problems = {}, []
    for found in find(name).parse(snapshot):
        if isinstance(found, Problem):
            problems.append(found.message)
        else:
            (statement,) = found.affected
            facts[statement.package] = statement.versions
    return facts, problems


def test_kev(tmp_path: Path) -> None:
    path = tmp_path / "kev.json"
    path.write_text(json.dumps(KEV))
    facts, problems = parsed("kev", path)
    assert facts == {
        "CVE-2025-1000": ("2025-08-25", "2025-09-15", "ransomware"),
        "CVE-2025-1001": ("2025-08-25", "", ""),
    }
    assert len(problems) == 2


def test_ends_of_support_of_all_products_at_once(tmp_path: Path) -> None:
    """As the newer API has them: products beside distributions, and releases without an end."""
    releases = [
        {"name": "12", "isEol": False, "eolFrom": "2026-07-11", "eoesFrom": "2028-06-30"},
        {"name": "13", "isEol": False, "eolFrom": None},
        {"name": "14", "isEol": True, "eolFrom": None},
        7,
    ]
    products = [{"name": "debian", "releases": releases}, {"name": "python", "releases": releases}, {"name": []}, 7]
    (tmp_path / "full.json").write_text(json.dumps({"schema_version": "1.2.0", "result": products}))
    (tmp_path / "package.json").write_text('{"name": "x"}')
    (tmp_path / "broken.json").write_text("{")
    assert parsed("end-of-life", tmp_path) == ({"debian:12": ("2028-06-30",), "debian:13": ("",)}, [])


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"vulnerabilities": 3}', "<html>"])
def test_what_is_no_catalog_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "kev.json"
    path.write_text(text)
    with open_store(tmp_path / "s.db") as store, pytest.raises(FeedError, match=r"holds no record of kev|is empty"):
        take(store, find("kev"), path)


def test_epss_compressed_and_in_the_first_form(tmp_path: Path) -> None:
    path = tmp_path / "epss_scores-current.csv.gz"
    path.write_bytes(gzip.compress(EPSS.encode()))
    facts, problems = parsed("epss", path)
    assert facts == {"CVE-2025-1000": ("0.97567", "0.99995"), "CVE-2025-1001": ("1", "1.0")}
    assert problems == ["a line that is no score was left out: CVE-2025-1002,1.5,0.1"]
    old = tmp_path / "old.csv"
    old.write_text("cve,epss\r\nCVE-2019-1,0.05885\r\nCVE-2019-19609,0.05885")
    assert parsed("epss", old)[0] == {"CVE-2019-19609": ("0.05885", "")}


def test_ends_of_support_in_both_forms(tmp_path: Path) -> None:
    (tmp_path / "debian.json").write_text(json.dumps(DEBIAN))
    (tmp_path / "ubuntu.md").write_text(UBUNTU_MARKDOWN)
    (tmp_path / "python.json").write_text("[]")
    facts, problems = parsed("end-of-life", tmp_path)
    assert facts == {
        "debian:12": ("2028-06-30",),  # LTS is for everybody
        "debian:13": ("2028-08-09",),
        "ubuntu:24.04": ("2029-05-31",),  # what comes after is paid for
        "ubuntu:26.04": ("",),
    }
    assert problems == []


@pytest.mark.parametrize("text", ["---\n", "no head", "---\na: [\n---\n", "---\nreleases: 3\n---\n"])
def test_a_broken_product_is_a_problem_and_the_others_stay(tmp_path: Path, text: str) -> None:
    (tmp_path / "ubuntu.md").write_text(text)
    (tmp_path / "debian.json").write_text(json.dumps(DEBIAN))
    facts, problems = parsed("end-of-life", tmp_path)
    assert len(facts) == 2
    assert len(problems) == 1


def take(store: Store, driver: Driver, path: Path) -> None:
    sync(driver, store, now=NOW, fetcher=None, options=SyncOptions(source=path))  # type: ignore[arg-type]


def analysis(distro: Distro | None) -> Analysis:
    image = Image(
        ImageRef("dir", "x"), Digest("sha256:0"), Digest("sha256:1"), ImageConfig(Platform("linux", "amd64")), ()
    )
    return Analysis(image, distro, ())


def match(identity: str, *aliases: str) -> Match:
    package = Package("a", "1", "deb", "deb")
    return Match(
        identity, package, identity, "f", MatchVerdict.AFFECTED, Severity.LOW, FixState.UNKNOWN, aliases=aliases
    )


def test_what_a_rule_sees(tmp_path: Path) -> None:
    (tmp_path / "kev.json").write_text(json.dumps(KEV))
    (tmp_path / "epss.csv").write_text(EPSS)
    (tmp_path / "debian.json").write_text(json.dumps(DEBIAN))
    found = analysis(Distro("debian", "12"))
    with open_store(tmp_path / "s.db") as store:
        nothing = enrich(store.lookup, store.coverage(), found, [match("CVE-2025-1000")])
        assert nothing == Enrichment()
        for name, file in (("kev", "kev.json"), ("epss", "epss.csv"), ("end-of-life", "debian.json")):
            take(store, find(name), tmp_path / file)
        matches = [match("GHSA-x", "CVE-2025-1000"), match("CVE-2024-9")]
        assert enrich(store.lookup, store.coverage(), found, matches) == Enrichment(
            epss={"CVE-2025-1000": Epss(0.97567, 0.99995)},
            exploited={"CVE-2025-1000": KnownExploited("2025-08-25", "2025-09-15", True)},
            end_of_life="2028-06-30",
        )
        unknown = enrich(store.lookup, store.coverage(), analysis(Distro("debian", "99")), ())
        assert unknown == Enrichment(epss={}, exploited={}, end_of_life=None)


def test_of_epss_the_store_keeps_today_alone(tmp_path: Path) -> None:
    path = tmp_path / "epss.csv"
    path.write_text(EPSS)
    with open_store(tmp_path / "s.db") as store:
        take(store, find("epss"), path)
        first = store.revision()
        path.write_text(EPSS.replace("0.97567", "0.97568"))
        take(store, find("epss"), path)
        assert store.revision() == first + 1
        versions = [each.versions for each in store.lookup([("epss", "CVE-2025-1000")])]
        assert versions == ["0.97568\n0.99995"]
        assert store.lookup([("epss", "CVE-2025-1000")], first) == []
