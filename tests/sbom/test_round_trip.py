"""What this program writes, it reads again: the same packages, so the same findings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from anchorecli.model import Analysis, DiffId, Distro, ImagePath, ImageRef, Location, Package, Problem
from anchorecli.report import formats
from anchorecli.report.base import RenderOptions
from anchorecli.report.stock import references
from anchorecli.sbom import read_sbom
from anchorecli.scan.analysis import inventory
from tests.report import samples

FORMATS = ("cyclonedx-json", "cyclonedx-xml", "spdx-json", "spdx-tv", "syft-json")
LAYERS = [samples.diff_id(index) for index in range(4)]


def package(name: str, version: str, kind: str, scheme: str = "", **more: Any) -> Package:
    """A package as an analyzer makes it."""
    fields: dict[str, Any] = {
        "purl": f"pkg:{kind}/{name}@{version}",
        "source": name,
        "source_version": version,
        "locations": (Location(ImagePath(f"usr/lib/{kind}/{name}"), DiffId(LAYERS[0])),),
        "layer": LAYERS[0],
        "analyzer": kind,
    }
    return Package(name, version, kind, scheme or kind, **(fields | more))


PACKAGES = (
    package(
        "libssl3",
        "1:3.0.11-1~deb12u2",
        "deb",
        purl="pkg:deb/debian/libssl3@1:3.0.11-1~deb12u2?arch=amd64&distro=debian-12&upstream=openssl%403.0.11-1",
        arch="amd64",
        source="openssl",
        source_version="3.0.11-1",
        licenses=("Apache-2.0", "GPL-2.0-or-later WITH Classpath-exception-2.0"),
        vendor="Debian OpenSSL Team <ssl@lists.debian.org>",
        size=6_000_000,
    ),
    package(
        "python3-jinja2",
        "3.1.2-1",
        "deb",
        arch="all",
        purl="pkg:deb/debian/python3-jinja2@3.1.2-1?arch=all",
        metadata={"status": "half-configured"},
    ),
    package(
        "nodejs",
        "1:18.19.0-1.module_el9+7",
        "rpm",
        purl="pkg:rpm/redhat/nodejs@18.19.0-1.module_el9+7?arch=x86_64&distro=rhel-9.4&epoch=1&rpmmod=nodejs:18:9:x"
        "&upstream=nodejs-18.19.0-1.module_el9%2B7.src.rpm",
        arch="x86_64",
        source_version="18.19.0-1.module_el9+7",
        module="nodejs:18:9:x",
        vendor="Red Hat, Inc.",
    ),
    package("kernel-headers", "5.14.0-1", "rpm", purl="pkg:rpm/redhat/kernel-headers@5.14.0-1", source="kernel"),
    package(
        "libcrypto3",
        "3.1.4-r1",
        "apk",
        source="openssl",
        arch="x86_64",
        vendor="Somebody",
        purl="pkg:apk/alpine/libcrypto3@3.1.4-r1?arch=x86_64&distro=alpine-3.19.0&upstream=openssl",
    ),
    package(
        "Jinja2",
        "3.1.2",
        "pypi",
        "pep440",
        purl="pkg:pypi/jinja2@3.1.2",
        owner="pkg:deb/debian/python3-jinja2@3.1.2-1?arch=all",
        licenses=("BSD-3-Clause", "Our own terms: (c) <us>"),
        locations=(
            Location(ImagePath("usr/lib/python3/METADATA"), DiffId(LAYERS[2])),
            Location(ImagePath("usr/lib/python3/RECORD"), DiffId(LAYERS[3])),
        ),
        layer=LAYERS[2],
    ),
    package("@babel/core", "7.23.0", "npm", purl="pkg:npm/%40babel/core@7.23.0", metadata={"private": "true"}),
    package(
        "org.apache.logging.log4j:log4j-core",
        "2.14.1",
        "maven",
        purl="pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1",
        metadata={"kind": "shaded"},
        locations=(Location(ImagePath("app.jar:BOOT-INF/lib/log4j-core.jar"), DiffId(LAYERS[1])),),
    ),
    package("nogroup", "1.0", "maven", purl="pkg:maven/nogroup@1.0", metadata={"group-from": "nothing"}),
    package(
        "github.com/docker/docker",
        "v24.0.7+incompatible",
        "golang",
        "go",
        purl="pkg:golang/github.com/docker/docker@v24.0.7%2Bincompatible",
        metadata={"h1": "h1:abc="},
    ),
    package("example.com/own", "(devel)", "golang", "go", purl="pkg:golang/example.com/own", metadata={"inexact": "x"}),
    package("rails", "7.1.2", "gem", licenses=("MIT",), metadata={"platform": "ruby"}),
    package("serde", "1.0.193", "cargo"),
    package("Newtonsoft.Json", "13.0.3", "nuget", metadata={"sha512": "ab" * 64}),
    package("symfony/console", "v6.4.0", "composer"),
    package("openssl", "9.2p1", "generic", "fuzzy", cpes=("cpe:2.3:a:openssl:openssl:9.2:p1:*:*:*:*:*:*", "cpe:/a:b")),
    package("nothing", "1", "odd", "fuzzy", purl="", owner=""),
    package("numpy", "1.26", "conda", "fuzzy", purl="pkg:conda/numpy@1.26?build=py311_0&channel=main"),
    package("bash", "5.2.026-2", "alpm", "pacman", purl="pkg:alpm/arch/bash@5.2.026-2?arch=x86_64", arch="x86_64"),
    package("foo", "1.0-r1", "ebuild", "portage", purl="pkg:ebuild/sys-libs/foo@1.0-r1"),
    package("busybox", "1.36.1-1", "opkg", "deb", arch="mips"),
)
DISTRO = Distro(
    "debian",
    "12",
    "Debian GNU/Linux",
    "bookworm",
    ("one", "two"),
    "Debian GNU/Linux 12",
    ImagePath("etc/os-release"),
    "x",
)
PROBLEM = Problem("analyze", "var/lib/dpkg/status", "damaged: <entry> ## 3", "build it again", cause="analyzer_failed")


def analysis(**changes: Any) -> Analysis:
    fields = {"packages": PACKAGES, "distro": DISTRO, "problems": (PROBLEM,)} | changes
    return replace(samples.report().analysis, **fields)


def written(value: Analysis, name: str, folder: Path) -> Path:
    path = folder / "bom"
    path.write_text(formats("sbom")[name].render(inventory(value, samples.NOW), RenderOptions()), "utf-8")
    return path


def again(value: Analysis, name: str, folder: Path) -> Analysis:
    path = written(value, name, folder)
    return read_sbom(ImageRef("sbom", str(path), path=str(path)))


def in_order(packages: tuple[Package, ...]) -> list[Package]:
    return [each for _, each in references(packages)]


@pytest.mark.parametrize("name", FORMATS)
def test_every_field_of_every_package_comes_back(name: str, tmp_path: Path) -> None:
    read = in_order(again(analysis(), name, tmp_path).packages)
    for ours, theirs in zip(in_order(PACKAGES), read, strict=True):
        # Only one CPE is a CPE 2.3 name, which is all that SPDX and Syft can hold.
        if name in ("spdx-json", "spdx-tv", "syft-json"):
            ours = replace(ours, cpes=tuple(cpe for cpe in ours.cpes if cpe.startswith("cpe:2.3:")))
        assert theirs == ours


@pytest.mark.parametrize("name", FORMATS)
def test_distribution_layers_and_gaps_come_back(name: str, tmp_path: Path) -> None:
    read = again(analysis(), name, tmp_path)
    # SPDX and CycloneDX have one text for the pretty name.
    assert read.distro == DISTRO
    assert [layer.diff_id for layer in read.image.layers] == LAYERS
    assert read.image.layers[3].instruction == "RUN pip install --no-cache-dir -r requirements.txt"
    assert str(read.image.config.platform) == "linux/amd64"
    assert PROBLEM in read.problems
    assert [each for each in read.problems if each.incomplete] == [PROBLEM]
    assert read.image.annotations["anchore.sbom.subject.digest"] == samples.hexes("manifest")
    assert read.image.annotations["anchore.sbom.subject.id"] == samples.hexes("config")


@pytest.mark.parametrize("name", FORMATS)
def test_guessed_cpes_do_not_come_back(name: str, tmp_path: Path) -> None:
    text = written(analysis(), name, tmp_path).read_text("utf-8")
    assert "cpe:2.3:a:babel:core:7.23.0" in text
    read = again(analysis(), name, tmp_path)
    assert {each.name for each in read.packages if each.cpes} == {"openssl"}


@pytest.mark.parametrize("name", FORMATS)
def test_an_empty_image_is_told_from_one_that_was_not_looked_at(name: str, tmp_path: Path) -> None:
    read = again(analysis(packages=(), distro=None, problems=()), name, tmp_path)
    assert read.packages == ()
    assert read.distro is None
    assert [each.cause for each in read.problems if each.incomplete] == ["no_packages"]


@pytest.mark.parametrize("one", FORMATS)
def test_any_format_becomes_any_other(one: str, tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    value = analysis(packages=tuple(replace(each, cpes=each.cpes[:1]) for each in PACKAGES))
    first = again(value, one, tmp_path / "first")
    for other in FORMATS:
        second = again(first, other, tmp_path)
        assert in_order(second.packages) == in_order(value.packages)
        assert second.image.annotations["anchore.sbom.subject"] == first.image.annotations["anchore.sbom.subject"]
        assert second.image.annotations["anchore.sbom.subject.digest"] == samples.hexes("manifest")


@pytest.mark.parametrize("name", FORMATS)
def test_hostile_text_comes_back_or_is_escaped(name: str, tmp_path: Path) -> None:
    evil = package("a\nPackageName: b</text>", "1\x1b]0;x\x07", "pypi", "pep440", purl="pkg:pypi/x@1", vendor="<&>\"'")
    read = again(analysis(packages=(evil,)), name, tmp_path)
    (found,) = read.packages
    assert found.type == "pypi"
    assert "\n" not in found.name
