"""NVD: configurations as statements, scores, corrections, and only what changed since last time."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from anchorecli.errors import FeedError
from anchorecli.feeds import find
from anchorecli.feeds.language.cpe_match import statements
from anchorecli.feeds.language.nvd import Nvd
from anchorecli.feeds.sync import SyncOptions, SyncOutcome, sync
from anchorecli.model import Cvss, Severity
from anchorecli.net import Fetcher
from tests.feeds.samples import MemorySink, parsed, written, zipped
from tests.feeds.server import Answer, Server, serving

ANY = "*"


def criteria(product: str, version: str = ANY, update: str = ANY, target: str = ANY, part: str = "a") -> str:
    return f"cpe:2.3:{part}:{product}:{version}:{update}:*:*:*:{target}:*:*"


def hit(product: str, *args: str, vulnerable: bool = True, part: str = "a", target: str = ANY, **bounds: str) -> Any:
    return {"vulnerable": vulnerable, "criteria": criteria(product, *args, part=part, target=target), **bounds}


def node(*matches: Any, operator: str = "OR") -> dict[str, Any]:
    return {"operator": operator, "negate": False, "cpeMatch": list(matches)}


def said(*configurations: Any) -> dict[tuple[str, str], tuple[list[tuple[str, str, str]], tuple[str, ...]]]:
    return {
        (each.package, ",".join(each.arches)): (
            [(span.introduced, span.fixed, span.last_affected) for span in each.ranges],
            each.versions,
        )
        for each in statements(list(configurations))
    }


def test_versions_of_every_kind() -> None:
    assert said(
        {
            "nodes": [
                node(
                    hit("a:ranges", versionStartIncluding="1.0", versionEndExcluding="1.5"),
                    hit("a:ranges", versionStartExcluding="2.0", versionEndIncluding="2.4"),
                    hit("a:ranges", versionEndExcluding="0.9"),
                    hit("a:exact", "1.0"),
                    hit("a:exact", "1.1", "-"),
                    hit("a:exact", "1.1", "p2"),
                    hit(r"a:quoted\!", r"1.0\(2\)"),
                    hit("a:every"),
                    hit("a:every", "1.0"),
                    hit("a:nothing", "-"),
                    hit("a:wild", "1.*"),
                ),
            ]
        }
    ) == {
        ("a:ranges", ""): ([("1.0", "1.5", ""), ("2.0-a", "", "2.4"), ("", "0.9", "")], ()),
        ("a:exact", ""): ([], ("1.0", "1.1:-", "1.1:p2")),
        ("a:quoted!", ""): ([], ("1.0(2)",)),
        ("a:every", ""): ([], ()),
    }


def test_the_linux_kernel_is_the_one_system_that_is_taken() -> None:
    assert list(said({"nodes": [node(hit("linux:linux_kernel", versionEndExcluding="6.1", part="o"))]})) == [
        ("linux:linux_kernel", "")
    ]


def test_only_applications_that_are_vulnerable_are_taken() -> None:
    found = said({"nodes": [node(hit("a:b", part="o"), hit("a:c", part="h"), hit("a:d", vulnerable=False))]})
    assert found == {}


@pytest.mark.parametrize(
    ("platforms", "limit"),
    [
        (["microsoft:windows"], "windows"),
        (["microsoft:windows_10", "apple:macos"], "darwin,windows"),
        (["microsoft:windows", "linux:linux_kernel"], ""),
        (["debian:debian_linux"], ""),
        ([], ""),
    ],
)
def test_what_an_application_runs_on_is_not_affected_itself_and_limits_it(platforms: list[str], limit: str) -> None:
    application = node(hit("google:chrome", versionEndExcluding="100"))
    running_on = node(*(hit(each, "-", part="o", vulnerable=False) for each in platforms))
    found = said({"operator": "AND", "nodes": [application, running_on]})
    assert found == {("google:chrome", limit): ([("", "100", "")], ())}
    # Without AND the platform is another product beside it.
    assert list(said({"nodes": [application, running_on]})) == [("google:chrome", "")]


def test_an_application_that_an_application_runs_on_is_no_limit() -> None:
    plugin, host = node(hit("acme:plugin", target="wordpress")), node(hit("wordpress:wordpress", vulnerable=False))
    assert list(said({"operator": "AND", "nodes": [plugin, host]})) == [("acme:plugin", "wordpress")]


@pytest.mark.parametrize(
    ("target", "limit"),
    [("*", ""), ("-", ""), ("linux", ""), ("node.js", "node.js"), ("macos", "darwin"), ("a\\,b", "a_b")],
)
def test_target_software(target: str, limit: str) -> None:
    assert list(said({"nodes": [node(hit("a:b", target=target))]})) == [("a:b", limit)]


def test_a_product_is_not_limited_to_itself() -> None:
    assert list(said({"nodes": [node(hit("ruby-lang:ruby", target="ruby"))]})) == [("ruby-lang:ruby", "")]


def test_negated_configurations_say_nothing() -> None:
    assert said({"negate": True, "nodes": [node(hit("a:b"))]}, {"nodes": [node(hit("a:b")) | {"negate": True}]}) == {}


# Records


def cve(identifier: str, *matches: Any, days: float = 0.0, **more: Any) -> dict[str, Any]:
    modified = datetime.now(UTC) - timedelta(days=days)
    return {
        "id": identifier,
        "published": "2024-01-02T03:04:05.678",
        "lastModified": modified.strftime("%Y-%m-%dT%H:%M:%S.000"),
        "vulnStatus": "Analyzed",
        "descriptions": [{"lang": "es", "value": "Mal"}, {"lang": "en", "value": "Bad\nthing"}],
        "configurations": [{"nodes": [node(*matches)]}] if matches else [],
        **more,
    }


def page(*cves: Any) -> dict[str, Any]:
    return {"format": "NVD_CVE", "totalResults": len(cves), "vulnerabilities": [{"cve": each} for each in cves]}


def metric(version: str, score: float, source: str = "nvd@nist.gov", kind: str = "Primary") -> dict[str, Any]:
    return {"source": source, "type": kind, "cvssData": {"version": version, "vectorString": "V", "baseScore": score}}


def test_a_record_with_its_scores_and_weaknesses(tmp_path: Path) -> None:
    cisa = "134c704f-9b21-4f2e-91b3-4a467353bcc0"
    record = cve(
        "CVE-2024-0001",
        hit("a:b", versionEndExcluding="2"),
        metrics={
            "cvssMetricV40": [metric("4.0", 8.7, "x@y.z", "Secondary")],
            "cvssMetricV31": [metric("3.1", 9.8, cisa, "Secondary"), metric("3.1", 7.5)],
            "cvssMetricV2": [metric("2.0", 5.0)],
        },
        weaknesses=[{"description": [{"value": "CWE-79"}, {"value": "NVD-CWE-noinfo"}, {"value": "CWE-79"}]}],
    )
    records, problems = parsed(find("nvd"), written(tmp_path / "page.json", page(record)))
    assert problems == []
    found = records["CVE-2024-0001"]
    assert [(each.version, each.score, each.source) for each in found.cvss] == [
        ("3.1", 7.5, "NVD"),
        ("4.0", 8.7, "x@y.z"),
        ("3.1", 9.8, "CISA-ADP"),
    ]
    assert (found.severity, found.summary) == (Severity.HIGH, "Bad thing")
    assert (found.published, found.withdrawn) == ("2024-01-02T03:04:05Z", "")
    product, about = found.affected
    assert (product.ecosystem, product.package, product.scheme) == ("nvd", "a:b", "cpe")
    assert (about.ecosystem, about.package, about.versions) == ("cve", "CVE-2024-0001", ("CWE-79",))


def test_an_old_score_counts_where_there_is_no_newer_one(tmp_path: Path) -> None:
    record = cve("CVE-2004-0001", metrics={"cvssMetricV2": [metric("2.0", 10.0)]})
    records, _ = parsed(find("nvd"), written(tmp_path / "page.json", page(record)))
    assert (records["CVE-2004-0001"].cvss[0].version, records["CVE-2004-0001"].severity) == ("2.0", Severity.HIGH)


def test_a_rejected_record_is_withdrawn_and_says_nothing_of_products(tmp_path: Path) -> None:
    record = cve("CVE-2024-0001", hit("a:b"), vulnStatus="Rejected")
    records, _ = parsed(find("nvd"), written(tmp_path / "page.json", page(record)))
    assert records["CVE-2024-0001"].withdrawn
    assert [each.ecosystem for each in records["CVE-2024-0001"].affected] == ["cve"]


def override(identifier: str, *matches: Any) -> dict[str, Any]:
    note = {"cve_id": identifier, "reason": "better", "description": "Told better"}
    return {"_annotation": note, "cve": {"configurations": [{"nodes": [node(*matches)]}]}}


def test_corrections_replace_what_a_cve_says_of_products(tmp_path: Path) -> None:
    written(tmp_path / "nvdcve-2.0-2024.json.gz", gzip.compress(json.dumps(page(
        cve("CVE-2024-0001", hit("wrong:product")), cve("CVE-2024-0002", hit("a:b")),
    )).encode()))  # fmt: skip
    written(tmp_path / "data/2024/CVE-2024-0001.json", override("CVE-2024-0001", hit("right:product")))
    gone = override("CVE-2024-0002") | {"cve": {}}
    written(tmp_path / "data/2024/CVE-2024-0002.json", gone)
    written(tmp_path / "data/2024/CVE-2024-0003.json", override("CVE-2024-0003", hit("only:here")))
    records, problems = parsed(find("nvd"), tmp_path)
    assert problems == []
    assert {name: [each.package for each in record.affected] for name, record in records.items()} == {
        "CVE-2024-0001": ["right:product", "CVE-2024-0001"],
        "CVE-2024-0002": ["a:b", "CVE-2024-0002"],
        "CVE-2024-0003": ["only:here", "CVE-2024-0003"],
    }
    assert records["CVE-2024-0001"].summary == "Bad thing"
    assert records["CVE-2024-0003"].summary == "Told better"


def test_a_file_for_each_cve(tmp_path: Path) -> None:
    written(tmp_path / "2024/CVE-2024-0001.json", cve("CVE-2024-0001", hit("a:b")))
    written(tmp_path / "2024/CVE-2024-0002.json", {"cve": cve("CVE-2024-0002", hit("a:b"))})
    assert sorted(parsed(find("nvd"), tmp_path)[0]) == ["CVE-2024-0001", "CVE-2024-0002"]


@pytest.mark.parametrize(
    "broken",
    [
        7, None, {}, {"id": "CVE-1"}, {"id": 7}, {"id": "CVE-2024-0009", "configurations": 7},
        {"id": "CVE-2024-0009", "configurations": [7]}, {"id": "CVE-2024-0009", "configurations": [{"nodes": [7]}]},
        {"id": "CVE-2024-0009", "metrics": {"cvssMetricV31": 7}},
        {"id": "CVE-2024-0009", "weaknesses": [{"description": 7}]},
        {"id": "CVE-2024-0009", "configurations": [{"nodes": [node(hit("a:b", versionEndExcluding="1\n2"))]}]},
    ],
)  # fmt: skip
def test_a_broken_cve_does_not_stop_the_rest(tmp_path: Path, broken: Any) -> None:
    records, problems = parsed(
        find("nvd"), written(tmp_path / "p.json", page(cve("CVE-2024-0001"), broken, cve("CVE-2024-0002")))
    )
    assert list(records) == ["CVE-2024-0001", "CVE-2024-0002"]
    assert [each.subject for each in problems] == ["nvd: p.json"]


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"x": 1}', '{"vulnerabilities": [{"cve": {"id": "CVE-2024-0001"}}', "\xff"]
)
def test_a_broken_file_is_a_problem(tmp_path: Path, text: str) -> None:
    written(tmp_path / "a.json", text.encode("latin-1"))
    written(tmp_path / "b.json", page(cve("CVE-2024-0002")))
    records, problems = parsed(find("nvd"), tmp_path)
    assert "CVE-2024-0002" in records
    assert [each.subject for each in problems] == ["nvd: a.json"]


@pytest.mark.parametrize("text", ["7", "{", '{"_annotation": {}}', '{"_annotation": {"cve_id": "CVE-2024-0001"}}'])
def test_a_broken_correction_is_a_problem(tmp_path: Path, text: str) -> None:
    written(tmp_path / "CVE-2024-0001.json", text)
    written(tmp_path / "p.json", page(cve("CVE-2024-0002")))
    records, problems = parsed(find("nvd"), tmp_path)
    assert (list(records), len(problems)) == (["CVE-2024-0002"], 1)


# Over HTTP


def packed(document: Any) -> Answer:
    return Answer(gzip.compress(json.dumps(document).encode(), mtime=0), etag=True)


def tarball(**members: Any) -> Answer:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, document in members.items():
            data = json.dumps(document).encode()
            header = tarfile.TarInfo(f"x-main/data/2024/{name.replace('_', '-')}.json")
            header.size = len(data)
            archive.addfile(header, io.BytesIO(data))
    return Answer(buffer.getvalue())


def synced(server: Server, sink: MemorySink, path: str = "/nvd", **options: Any) -> SyncOutcome:
    chosen = SyncOptions(url=f"{server.url}{path}", **options)
    return sync(Nvd(pause=0), sink, now="2026-01-01T00:00:00Z", fetcher=Fetcher(sleep=lambda _: None), options=chosen)


def test_years_once_and_then_what_changed() -> None:
    sink = MemorySink()
    with serving() as server:
        for year in range(2002, datetime.now(UTC).year):
            server.answers[f"/nvd/nvdcve-2.0-{year}.json.gz"] = packed(
                page(cve(f"CVE-{year}-0001", hit("a:b"), days=2))
            )
        server.answers["/nvd/nvd-data-overrides.tar.gz"] = tarball(CVE_2002_0001=override("CVE-2002-0001", hit("c:d")))
        first = synced(server, sink)
        assert first.problems == ()
        assert first.state.records == datetime.now(UTC).year - 2002
        assert sink.records["nvd"]["CVE-2002-0001"].affected[0].package == "c:d"
        server.requests.clear()
        changed = page(cve("CVE-2002-0001", hit("a:x")), cve("CVE-2003-0001", hit("a:x")), cve("CVE-2003-0002"))
        server.answers["/nvd/nvdcve-2.0-modified.json.gz"] = packed(changed)
        second = synced(server, sink)
        assert server.paths() == ["/nvd/nvdcve-2.0-modified.json.gz", "/nvd/nvd-data-overrides.tar.gz"]
        assert second.state.records == first.state.records + 1
        found = sink.records["nvd"]
        assert [found[name].affected[0].package for name in ("CVE-2002-0001", "CVE-2003-0001", "CVE-2004-0001")] == [
            "c:d", "a:x", "a:b",
        ]  # fmt: skip
        assert synced(server, sink).unchanged


def test_what_is_too_old_is_fetched_whole_again() -> None:
    sink = MemorySink()
    with serving() as server:
        for year in range(2002, datetime.now(UTC).year):
            server.answers[f"/nvd/nvdcve-2.0-{year}.json.gz"] = packed(page(cve(f"CVE-{year}-0001", days=30)))
        first = synced(server, sink)
        server.requests.clear()
        synced(server, sink)
        assert "/nvd/nvdcve-2.0-modified.json.gz" not in server.paths()
        assert len(server.paths()) == first.state.records + 2  # this year's file, which is not there, and corrections


def test_the_api_page_by_page_and_then_since_last_time() -> None:
    sink, api = MemorySink(), "/rest/json/cves/2.0"
    several = [cve(f"CVE-2024-{number:04}", hit("a:b"), days=1) for number in range(1, 4)]
    whole = page(*several)
    with serving() as server:

        def answer(path: str) -> Answer:
            if "lastModStartDate" in path:
                return Answer(json.dumps(page(*since)).encode())
            if "startIndex=0" in path:
                return Answer(json.dumps(whole | {"totalResults": 2001}).encode())
            if "startIndex=2000" in path:
                return Answer(json.dumps(page(cve("CVE-2024-2001", days=2))).encode())
            return Answer(b"", 404)

        since: list[Any] = []
        server.answer = answer  # type: ignore[method-assign]
        first = synced(server, sink, api)
        assert (first.state.records, first.problem_count) == (4, 0)
        assert synced(server, sink, api).unchanged
        asked = next(path for path in server.paths() if "lastModStartDate" in path)
        start = datetime.fromisoformat(asked.partition("lastModStartDate=")[2].partition("&")[0])
        assert timedelta(days=1) < datetime.now(UTC) - start < timedelta(days=1.2)
        since.append(cve("CVE-2024-0002", hit("a:new")))
        assert synced(server, sink, api).state.records == 4
        assert sink.records["nvd"]["CVE-2024-0002"].affected[0].package == "a:new"
        assert sink.records["nvd"]["CVE-2024-0001"].affected[0].package == "a:b"


def test_a_mirror_without_corrections_still_serves_and_a_broken_one_is_told() -> None:
    for status, problems in ((404, 0), (403, 1)):
        sink = MemorySink()
        with serving() as server:
            for year in range(2002, datetime.now(UTC).year):
                server.answers[f"/nvd/nvdcve-2.0-{year}.json.gz"] = packed(page(cve(f"CVE-{year}-0001")))
            server.answers["/nvd/nvd-data-overrides.tar.gz"] = Answer(b"no", status)
            assert len(synced(server, sink).problems) == problems


@pytest.mark.parametrize(("path", "body"), [("/nvd", b""), ("/rest/json/cves/2.0", b"<html>")])
def test_what_is_no_nvd_is_refused(path: str, body: bytes) -> None:
    sink = MemorySink()
    with serving() as server:
        server.answer = lambda asked: Answer(body, 200 if body else 404)  # type: ignore[method-assign]
        with pytest.raises(FeedError, match=r"127\.0\.0\.1"):
            synced(server, sink, path)
    assert sink.records == {}


# CISA's additions


def enriched(**more: Any) -> dict[str, Any]:
    cisa = {"orgId": "134c704f-9b21-4f2e-91b3-4a467353bcc0", "shortName": "CISA-ADP"}
    about = {
        "cpes": [criteria("acme:tool"), criteria("acme:os", part="o")],
        "versions": [
            {"status": "affected", "version": "0", "lessThan": "1.2"},
            {"status": "affected", "version": "2.0", "lessThanOrEqual": "2.4"},
            {"status": "affected", "version": "3.1"},
            {"status": "unaffected", "version": "1.2"},
            {"status": "affected", "version": "n/a"},
        ],
    }
    score = {"cvssV3_1": {"version": "3.1", "vectorString": "V", "baseScore": 7.5}}
    weak = [{"descriptions": [{"cweId": "CWE-22"}, {"description": "x"}]}]
    container = {"providerMetadata": cisa, "metrics": [score, {"other": {}}], "affected": [about], "problemTypes": weak}
    own = {
        "title": "It is bad",
        "providerMetadata": {"orgId": "x", "shortName": "acme"},
        "metrics": [{"cvssV4_0": {"version": "4.0", "vectorString": "W", "baseScore": 9.1}}],
        "affected": [{"vendor": "n/a", "product": "n/a", "versions": [{"status": "affected", "version": "n/a"}]}],
    }
    meta = {"cveId": "CVE-2024-0001", "state": "PUBLISHED", "dateUpdated": "2024-08-01T15:32:24.196Z"}
    return {"cveMetadata": meta, "containers": {"cna": own, "adp": [container]}, **more}


def test_vulnrichment(tmp_path: Path) -> None:
    path = written(tmp_path / "all.zip", zipped({"2024/0xxx/CVE-2024-0001.json": enriched(), "README.md": "x"}))
    records, problems = parsed(find("vulnrichment"), path)
    assert problems == []
    found = records["CVE-2024-0001"]
    assert found.cvss == (Cvss("3.1", "V", 7.5, "CISA-ADP"), Cvss("4.0", "W", 9.1, "acme"))
    assert (found.severity, found.summary, found.modified) == (Severity.HIGH, "It is bad", "2024-08-01T15:32:24Z")
    product, about = found.affected
    assert (product.ecosystem, product.package, product.scheme) == ("nvd", "acme:tool", "cpe")
    assert [(each.introduced, each.fixed, each.last_affected) for each in product.ranges] == [
        ("", "1.2", ""),
        ("2.0", "", "2.4"),
    ]
    assert product.versions == ("3.1",)
    assert (about.package, about.versions) == ("CVE-2024-0001", ("CWE-22",))


@pytest.mark.parametrize(
    "record",
    ["[]", "{", {"cveMetadata": {}}, {"cveMetadata": {"cveId": "CVE-2024-0001"}, "containers": {"cna": {"metrics": 7}}},
     {"cveMetadata": {"cveId": "CVE-2024-0001"}, "containers": []}],
)  # fmt: skip
def test_a_broken_record_of_vulnrichment_is_a_problem(tmp_path: Path, record: Any) -> None:
    written(tmp_path / "CVE-2024-0002.json", record)
    written(tmp_path / "CVE-2024-0001.json", enriched())
    records, problems = parsed(find("vulnrichment"), tmp_path)
    assert (list(records), len(problems)) == (["CVE-2024-0001"], 1)


def test_a_cve_of_which_nothing_is_known_is_left_out(tmp_path: Path) -> None:
    meta = {"cveId": "CVE-2024-0002", "state": "PUBLISHED"}
    path = written(tmp_path / "CVE-2024-0002.json", {"cveMetadata": meta, "containers": {"cna": {}}})
    assert parsed(find("vulnrichment"), path) == ({}, [])
