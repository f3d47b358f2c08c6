"""What each format makes of each sample, byte for byte."""

from __future__ import annotations

import pytest

from anchorecli.model import Report
from anchorecli.report import FORMATS, RenderOptions
from tests.report import golden, samples

REPORTS: dict[str, Report] = {
    "fail": samples.report(),
    "pass": samples.clean_report(),
    "indeterminate": samples.indeterminate_report(),
    "unevaluated": samples.unevaluated_report(),
    "hostile": samples.hostile_report(),
}
CASES: dict[str, tuple[str, str, RenderOptions]] = {
    "fail.table.txt": ("fail", "table", RenderOptions()),
    "fail.all.table.txt": ("fail", "table", RenderOptions(all=True)),
    "fail.verbose-120.table.txt": ("fail", "table", RenderOptions(width=120, verbose=1)),
    "pass.table.txt": ("pass", "table", RenderOptions()),
    "indeterminate.table.txt": ("indeterminate", "table", RenderOptions()),
    "unevaluated.table.txt": ("unevaluated", "table", RenderOptions()),
    "hostile.table.txt": ("hostile", "table", RenderOptions(all=True, verbose=1)),
    "fail.json": ("fail", "json", RenderOptions()),
    "indeterminate.json": ("indeterminate", "json", RenderOptions()),
    "unevaluated.json": ("unevaluated", "json", RenderOptions()),
    "hostile.json": ("hostile", "json", RenderOptions()),
    "fail.sarif.json": ("fail", "sarif", RenderOptions()),
    "hostile.sarif.json": ("hostile", "sarif", RenderOptions()),
    "fail.gitlab.json": ("fail", "gitlab", RenderOptions()),
    "fail.junit.xml": ("fail", "junit", RenderOptions()),
    "hostile.junit.xml": ("hostile", "junit", RenderOptions()),
    "fail.md": ("fail", "markdown", RenderOptions()),
    "hostile.md": ("hostile", "markdown", RenderOptions()),
    "fail.csv": ("fail", "csv", RenderOptions()),
    "unevaluated.cyclonedx.json": ("unevaluated", "cyclonedx-json", RenderOptions(timestamp="2026-11-21T00:00:00Z")),
    "hostile.cyclonedx.json": ("hostile", "cyclonedx-json", RenderOptions()),
    "unevaluated.cyclonedx.xml": ("unevaluated", "cyclonedx-xml", RenderOptions(timestamp="2026-11-21T00:00:00Z")),
    "unevaluated.spdx.json": ("unevaluated", "spdx-json", RenderOptions(timestamp="2026-11-21T00:00:00Z")),
    "hostile.spdx": ("hostile", "spdx-tv", RenderOptions()),
    "unevaluated.syft.json": ("unevaluated", "syft-json", RenderOptions()),
    "unevaluated.purls.txt": ("unevaluated", "purls", RenderOptions()),
    "unevaluated.packages.txt": ("unevaluated", "packages", RenderOptions()),
    "hostile.packages.txt": ("hostile", "packages", RenderOptions()),
}


@pytest.mark.parametrize("case", CASES)
def test_output(case: str) -> None:
    report, name, options = CASES[case]
    (form,) = (each for each in FORMATS if each.name == name)
    golden.check(case, form.render(REPORTS[report], options))


def test_no_golden_file_is_orphaned() -> None:
    assert {path.name for path in golden.FOLDER.iterdir()} == set(CASES)


def test_every_format_has_a_golden_case() -> None:
    assert {name for _, name, _ in CASES.values()} == {each.name for each in FORMATS}
