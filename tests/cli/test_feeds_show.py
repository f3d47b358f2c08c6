"""``anchore feeds show``: all that the feeds say of a vulnerability; what they could not read; what an image needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from anchorecli.cli.feeds_show import _entry
from anchorecli.model import Advisory, Affected, Range
from anchorecli.scan.dossier import Entry
from tests.cli.conftest import Run
from tests.cli.world import archive, debian, osv_record, osv_zip, tracker

THEN = {"SOURCE_DATE_EPOCH": "1717200000"}
GHSA = "GHSA-9wx4-h78v-vm56"
CVE = "CVE-2024-35195"
RECORDS = {
    "requests": {
        CVE: {"status": "resolved", "fixed_version": "2.28.1+dfsg-1", "urgency": "medium"},
        "CVE-2024-35196": {"status": "open", "urgency": "low"},
    },
    "openssl": {"CVE-2024-1001": {"status": "open", "urgency": "high"}},
}
EPSS = "#model_version:v2023.03.01,score_date:2024-05-31T00:00:00+0000\ncve,epss,percentile\nCVE-2024-35195,0.25,0.9\n"
KEV = {
    "catalogVersion": "2024.05.31",
    "dateReleased": "2024-05-31T00:00:00.000Z",
    "count": 1,
    "vulnerabilities": [
        {
            "cveID": CVE,
            "vendorProject": "x",
            "product": "x",
            "vulnerabilityName": "x",
            "dateAdded": "2024-05-20",
            "shortDescription": "x",
            "requiredAction": "x",
            "dueDate": "2024-06-10",
            "knownRansomwareCampaignUse": "Unknown",
        }
    ],
}


@pytest.fixture
def synced(run: Run, tmp_path: Path) -> Run:
    """A store with Debian's, PyPI's, EPSS' and CISA's word on one vulnerability."""
    assert run("feeds", "sync", "debian", "--from", tracker(tmp_path / "t.json", RECORDS), env=THEN).code == 0
    record = osv_record(
        GHSA,
        "PyPI",
        "requests",
        "2.32.0",
        aliases=[CVE, "PYSEC-2024-1"],
        summary="Verification stays off",
        severity=[{"type": "CVSS_V3", "score": "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:H/I:H/A:N"}],
    )
    bad = osv_record("GHSA-0000-0000-0000", "PyPI", "x", modified=["no date"])
    assert run("feeds", "sync", "osv:PyPI", "--from", osv_zip(tmp_path / "o.zip", record, bad), env=THEN).code == 0
    (tmp_path / "epss.csv").write_text(EPSS)
    assert run("feeds", "sync", "epss", "--from", tmp_path / "epss.csv", env=THEN).code == 0
    (tmp_path / "kev.json").write_text(json.dumps(KEV))
    assert run("feeds", "sync", "kev", "--from", tmp_path / "kev.json", env=THEN).code == 0
    return run


@pytest.mark.parametrize("asked", [CVE, CVE.lower(), GHSA, "PYSEC-2024-1"])
def test_every_source_is_asked_under_every_name(synced: Run, asked: str) -> None:
    document: Any = synced("feeds", "show", asked, "--json").json
    assert (document["id"], document["aliases"]) == (CVE, [GHSA, "PYSEC-2024-1"])
    assert {(each["feed"], each["id"]) for each in document["records"]} == {("debian", CVE), ("osv:PyPI", GHSA)}
    assert document["epss"] == {"score": 0.25, "percentile": 0.9}
    assert document["known_exploited"] == {"added": "2024-05-20", "due": "2024-06-10", "ransomware": False}


def test_each_record_says_where_it_is_from(synced: Run) -> None:
    records = {each["feed"]: each for each in synced("feeds", "show", CVE, "--json").json["records"]}
    source = records["debian"]["provenance"]
    assert source["url"].endswith("t.json")
    assert source["fetched_at"] == "2024-06-01T00:00:00Z"
    assert len(source["digest"]) == 64
    assert source["revision"] == 1
    assert records["osv:PyPI"]["published"] == "2024-04-01T00:00:00Z"
    assert records["osv:PyPI"]["cvss"][0]["score"] == 5.6
    (affected,) = records["debian"]["affected"]
    assert (affected["ecosystem"], affected["package"], affected["scheme"]) == ("debian:12", "requests", "deb")
    assert affected["ranges"][0]["fixed"] == "2.28.1+dfsg-1"


def test_people_read_the_same(synced: Run) -> None:
    text = synced("feeds", "show", CVE).out
    for words in (
        f"{CVE} (also {GHSA}, PYSEC-2024-1)",
        "debian:12        requests: < 2.28.1+dfsg-1 (deb, medium)",
        "pypi             requests: < 2.32.0 (pep440)",
        "since 2024-05-20, due 2024-06-10",
        "25.00%, percentile 90%",
        "fetched 2024-06-01T00:00:00Z",
        "in this form since revision 1",
    ):
        assert words in text


def test_an_unknown_one_is_told_with_the_nearest(synced: Run) -> None:
    done = synced("feeds", "show", "CVE-2024-35159")
    assert done.code == 2
    assert "no feed knows CVE-2024-35159" in done.err
    assert "did you mean CVE-2024-35196 or CVE-2024-35195?" in done.err
    done = synced("feeds", "show", "nothing-like-it")
    assert "the store has debian, epss, kev, osv:PyPI" in done.err


def test_without_feeds_it_says_so(run: Run) -> None:
    done = run("feeds", "show", CVE)
    assert (done.code, done.out) == (2, "")
    assert "there are no feeds yet: anchore feeds sync" in done.err


def test_a_past_revision_can_be_asked(synced: Run) -> None:
    document = synced("feeds", "show", CVE, "--json", "--feed-revision", "1").json
    assert [each["feed"] for each in document["records"]] == ["debian"]


def test_what_could_not_be_read_is_listed_record_by_record(synced: Run) -> None:
    rows = synced("feeds", "status", "--problems", "--json").json
    assert rows
    assert {row["feed"] for row in rows} == {"osv:PyPI"}
    assert any("GHSA-0000-0000-0000" in row["subject"] for row in rows)
    assert "GHSA-0000-0000-0000" in synced("feeds", "status", "--problems").out


def test_problems_of_a_feed_from_a_file_are_told_where_it_was_synced(synced: Run, tmp_path: Path) -> None:
    assert synced("feeds", "export", tmp_path / "f.feeds").code == 0
    other = {"ANCHORE_STORE": str(tmp_path / "other.db")}
    assert synced("feeds", "import", tmp_path / "f.feeds", env=other).code == 0
    (row,) = synced("feeds", "status", "--problems", "--json", env=other).json
    assert (row["feed"], row["subject"]) == ("osv:PyPI", "1 records")
    assert row["message"] == "told where the feed was synced"


def test_a_stored_image_says_which_feeds_it_needs(run: Run, tmp_path: Path) -> None:
    image = archive(tmp_path / "image.tar", debian("bash=5.2"))
    assert run("scan", image).code in (0, 1, 4)
    # Nothing is reached: what is told is which feeds were tried.
    closed = {"HTTP_PROXY": "http://127.0.0.1:1", "HTTPS_PROXY": "http://127.0.0.1:1"}
    done = run("feeds", "sync", "--needed", image, env=closed)
    assert done.code == 5
    assert "anchore: debian: " in done.err
    assert "ghsa" not in done.err
    assert run("feeds", "sync", "--needed", "never-seen:1").code in (2, 3)


def test_what_a_record_says_of_no_package_is_no_line() -> None:
    parts = (Affected("cve", CVE, ""), Affected("nvd", "a:b", "cpe", ranges=(Range(fixed="2"),)))
    lines = _entry(Entry(Advisory(CVE, "nvd", affected=parts), None, 1), everything=False)
    assert [" ".join(line.split()) for line in lines] == [f"nvd: {CVE}", "nvd a:b: < 2 (cpe)"]
