"""The same facts in two publishers' forms are the same statements."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from anchorecli.feeds.alpine import Alpine
from anchorecli.feeds.base import Driver
from anchorecli.feeds.debian import Debian
from anchorecli.feeds.ghsa import Ghsa
from anchorecli.feeds.osv import Osv
from anchorecli.model import Affected, Range
from anchorecli.values import replace
from tests.feeds.samples import affected, osv, parsed, secdb, written, zipped

ZERO = {"introduced": "0"}


def statements(driver: Driver, path: Path) -> dict[str, set[Affected]]:
    records, problems = parsed(driver, path)
    assert problems == []
    return {name: {bare(each) for each in record.affected} for name, record in records.items()}


def bare(each: Affected) -> Affected:
    """Every version is affected: said by no range, or by one without ends."""
    return replace(each, ranges=()) if each.ranges == (Range(),) else each


def test_debians_tracker_and_its_osv_export(tmp_path: Path) -> None:
    fixed: dict[str, Any] = {"status": "resolved", "fixed_version": "1:5.2-1~deb12u1", "urgency": "unimportant"}
    still_open: dict[str, Any] = {"status": "open", "urgency": "not yet assigned"}
    tracker = {"bash": {"CVE-2024-0001": {"releases": {"bookworm": fixed, "trixie": still_open}}}}
    listed = [
        affected(
            "bash",
            ZERO,
            {"fixed": "1:5.2-1~deb12u1"},
            ecosystem="Debian:12",
            versions=["1:5.1-1", "1:5.1-2"],
            ecosystem_specific={"urgency": "unimportant"},
        ),
        affected("bash", ZERO, ecosystem="Debian:13", ecosystem_specific={"urgency": "not yet assigned"}),
    ]
    export = zipped({"CVE-2024-0001.json": osv("CVE-2024-0001", *listed)})
    found = statements(Debian(), written(tmp_path / "json", tracker))
    assert found == statements(Osv("Debian"), written(tmp_path / "all.zip", export))
    assert len(found["CVE-2024-0001"]) == 2


def test_alpines_secdb_and_its_osv_export(tmp_path: Path) -> None:
    own = secdb("v3.20", "main", {"curl": {"8.9.1-r0": ["CVE-2024-7264"]}})
    entry = affected("curl", ZERO, {"fixed": "8.9.1-r0"}, ecosystem="Alpine:v3.20", versions=["8.9.0-r0"])
    export = zipped({"a.json": osv("CVE-2024-7264", entry)})
    found = statements(Alpine(), written(tmp_path / "main.json", own))
    assert found == statements(Osv("Alpine"), written(tmp_path / "all.zip", export))
    assert len(found["CVE-2024-7264"]) == 1


def test_githubs_tree_and_the_osv_export_of_it(tmp_path: Path) -> None:
    name = "GHSA-aaaa-bbbb-cccc"
    # osv.dev writes the versions out, and normalises the name; GitHub repeats the package for each range.
    apart = [
        affected("Some_Package", ZERO, {"fixed": "1.2"}),
        affected("Some_Package", {"introduced": "2.0a1"}, {"last_affected": "2.1"}),
    ]
    together = affected(
        "some-package",
        ZERO,
        {"fixed": "1.2"},
        {"introduced": "2.0a1"},
        {"last_affected": "2.1"},
        versions=["1.0", "1.1", "2.0", "2.1"],
    )
    tree = zipped({f"advisories/github-reviewed/2024/05/{name}/{name}.json": osv(name, *apart)})
    found = statements(Ghsa(), written(tmp_path / "tree.zip", tree))
    export = written(tmp_path / "all.zip", zipped({f"{name}.json": osv(name, together)}))
    assert found == statements(Osv("PyPI"), export)
    assert [len(each.ranges) for each in found[name]] == [2]
