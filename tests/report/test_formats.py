"""The registry, what loads when, and the plain lists."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from anchorecli.report import FORMATS, RenderOptions, formats
from tests.report import samples

SLOW = ("rich", "cyclonedx", "packageurl", "requests", "yaml", "license_expression")


def test_names_are_unique_and_the_defaults_come_first() -> None:
    assert len({each.name for each in FORMATS}) == len(FORMATS)
    assert list(formats("report")) == ["table", "json", "sarif", "gitlab", "junit", "markdown", "csv"]
    assert list(formats("sbom")) == [
        "cyclonedx-json",
        "cyclonedx-xml",
        "spdx-json",
        "spdx-tv",
        "syft-json",
        "purls",
        "packages",
    ]
    assert all(each.description and "/" in each.media_type for each in FORMATS)


@pytest.mark.parametrize(
    ("name", "options", "loaded"),
    [
        ("json", RenderOptions(), set()),
        ("table", RenderOptions(), set()),
        ("sarif", RenderOptions(), set()),
        ("gitlab", RenderOptions(), set()),
        ("junit", RenderOptions(), set()),
        ("markdown", RenderOptions(), set()),
        ("csv", RenderOptions(), set()),
        ("purls", RenderOptions(), set()),
        ("packages", RenderOptions(), set()),
        ("table", RenderOptions(color=True), {"rich"}),
        ("cyclonedx-json", RenderOptions(), set()),
        ("cyclonedx-xml", RenderOptions(), set()),
        ("spdx-json", RenderOptions(), set()),
        ("spdx-tv", RenderOptions(), set()),
        ("syft-json", RenderOptions(), set()),
    ],
)
def test_slow_libraries_load_only_for_what_needs_them(name: str, options: RenderOptions, loaded: set[str]) -> None:
    program = f"""
import sys
from anchorecli.report import FORMATS, RenderOptions
from tests.report import samples
before = set(sys.modules)
(form,) = (each for each in FORMATS if each.name == {name!r})
form.render(samples.report(), RenderOptions(color={options.color}))
print(*sorted({{each.partition(".")[0] for each in sys.modules}} & set({SLOW!r})))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    found = set(done.stdout.split())
    assert found == loaded


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_every_format_ends_in_a_newline_and_is_the_same_twice(form: object) -> None:
    first = form.render(samples.report(), RenderOptions())  # type: ignore[attr-defined]
    assert first.endswith("\n")
    assert not first.endswith("\n\n")
    assert form.render(samples.report(), RenderOptions()) == first  # type: ignore[attr-defined]


def test_purls_are_sorted_and_each_stands_once() -> None:
    (purls,) = (each for each in FORMATS if each.name == "purls")
    base = samples.report()
    report = replace(base, analysis=replace(base.analysis, packages=(samples.ZLIB, samples.NGINX, samples.ZLIB)))
    assert purls.render(report, RenderOptions()).splitlines() == [samples.NGINX.purl, samples.ZLIB.purl]


def test_the_package_list_is_aligned() -> None:
    (packages,) = (each for each in FORMATS if each.name == "packages")
    base = samples.report()
    report = replace(base, analysis=replace(base.analysis, packages=(samples.REQUESTS, samples.ZLIB)))
    assert packages.render(report, RenderOptions()).splitlines() == [
        "NAME      VERSION          TYPE",
        "requests  2.28.0           pypi",
        "zlib1g    1:1.2.13.dfsg-1  deb",
    ]
