"""What a statement's product means: this image, a package in it, or something else."""

from __future__ import annotations

import pytest

from anchorecli.model import Distro, Image, ImageConfig, ImageRef, Package, Platform
from anchorecli.vex.products import Subject, distro_names, is_package
from tests.store.values import digest

MANIFEST, INDEX, CONFIG = digest("manifest"), digest("index"), digest("config")
HEX = MANIFEST.removeprefix("sha256:")
OTHER = digest("other")


def subject(registry: str = "docker.io", repository: str = "team/app", tag: str = "1.2") -> Subject:
    reference = ImageRef("registry", "x", registry=registry, repository=repository, tag=tag)
    image = Image(reference, CONFIG, MANIFEST, ImageConfig(Platform("linux", "amd64")), (), INDEX)
    return Subject.of(image, reference)


@pytest.mark.parametrize(
    ("text", "is_it"),
    [
        (MANIFEST, True),
        (INDEX, True),
        (CONFIG, True),
        (HEX, True),
        (f"sha256:{MANIFEST}", True),
        (OTHER, False),
        ("sha256:12", False),
        ("team/app:1.2", True),
        ("docker.io/team/app", True),
        ("index.docker.io/team/app:1.2", True),
        ("team/app:1.3", False),
        ("quay.io/team/app:1.2", False),
        ("app:1.2", False),
        (f"anything@{MANIFEST}", True),
        (f"team/app:1.2@{OTHER}", False),
        (f"pkg:oci/app@sha256%3A{HEX}", True),
        (f"pkg:oci/app@sha256%3A{HEX}?repository_url=quay.io/other", True),
        (f"pkg:oci/app@{OTHER}?repository_url=docker.io/team/app", False),
        ("pkg:oci/app?repository_url=docker.io/team/app&tag=1.2", True),
        ("pkg:oci/app?repository_url=docker.io/team&tag=1.2", True),
        ("pkg:oci/app?repository_url=docker.io/team/app&tag=9", False),
        ("pkg:oci/app?repository_url=quay.io/team/app", False),
        ("pkg:oci/app?tag=1.2", True),
        ("pkg:oci/other?tag=1.2", False),
        ("pkg:docker/team/app@1.2", True),
        ("pkg:docker/team/app@1.3", False),
        ("pkg:deb/debian/app@1.2", False),
        ("pkg:", False),
        ("", False),
    ],
)
def test_an_image_is_known_by_name_digest_and_purl(text: str, is_it: bool) -> None:
    assert subject().is_named(text) is is_it


def test_official_images_and_those_without_a_name() -> None:
    assert subject(repository="debian", tag="12").is_named("docker.io/library/debian:12")
    assert subject(repository="debian", tag="12").is_named("debian")
    nameless = Subject(ImageRef("docker-archive", "a.tar", path="a.tar"), frozenset())
    assert not any(nameless.is_named(text) for text in ("a.tar", "debian", "pkg:oci/debian", ""))


BOOKWORM = distro_names(Distro("debian", "12", codename="bookworm"))
LIBSSL = Package(
    "libssl3", "3.0.11-1", "deb", "deb", "pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12",
    source="openssl", source_version="3.0.11-1",
)  # fmt: skip
RPM = Package("bash", "1:5.2-1.el9", "rpm", "rpm", "pkg:rpm/almalinux/bash@5.2-1.el9?arch=x86_64&epoch=1")
JINJA = Package("Jinja2", "3.1.2", "pypi", "pep440", "pkg:pypi/jinja2@3.1.2")
NPM = Package("@a/b", "1.0.0", "npm", "npm", "pkg:npm/%40a/b@1.0.0")


@pytest.mark.parametrize(
    ("text", "package", "is_it"),
    [
        (LIBSSL.purl, LIBSSL, True),
        ("pkg:deb/debian/libssl3", LIBSSL, True),
        ("pkg:deb/debian/libssl3@3.0.11-1?distro=bookworm", LIBSSL, True),
        ("pkg:deb/debian/libssl3?distro=debian-12", LIBSSL, True),
        ("pkg:deb/debian/libssl3@3.0.11-1?distro=trixie", LIBSSL, False),
        ("pkg:deb/debian/openssl?arch=source&distro=esm-infra/bookworm", LIBSSL, True),
        ("pkg:deb/debian/openssl?arch=source&distro=sid", LIBSSL, False),
        ("pkg:deb/debian/libssl3@3.0.11-2", LIBSSL, False),
        ("pkg:deb/debian/libssl3@3.0.11-1?arch=arm64", LIBSSL, False),
        ("pkg:deb/ubuntu/libssl3@3.0.11-1", LIBSSL, False),
        ("pkg:apk/debian/libssl3@3.0.11-1", LIBSSL, False),
        ("pkg:deb/debian/openssl@3.0.11-1?arch=source", LIBSSL, True),
        ("pkg:deb/debian/openssl", LIBSSL, True),
        ("pkg:deb/debian/openssl@3.0.12-1", LIBSSL, False),
        ("pkg:deb/debian/libssl", LIBSSL, False),
        ("pkg:rpm/almalinux/bash@5.2-1.el9?arch=x86_64", RPM, True),
        ("pkg:rpm/almalinux/bash@1:5.2-1.el9", RPM, True),
        ("pkg:pypi/Jinja2@3.1.2", JINJA, True),
        ("pkg:pypi/jinja_2", JINJA, False),
        ("pkg:npm/%40a/b", NPM, True),
        ("pkg:npm/@a/b@1.0.0", NPM, True),
        ("pkg:npm/b@1.0.0", NPM, False),
        ("libssl3", LIBSSL, False),
        ("", LIBSSL, False),
        ("pkg:generic/x", Package("x", "1", "binary", "fuzzy"), False),
    ],
)
def test_a_package_is_known_by_its_purl_and_that_of_its_source(text: str, package: Package, is_it: bool) -> None:
    assert is_package(text, package, BOOKWORM) is is_it


def test_an_unknown_release_is_none() -> None:
    assert sorted(BOOKWORM) == ["bookworm", "debian-12"]
    assert distro_names(None) == frozenset()
    assert not is_package("pkg:deb/debian/libssl3?distro=bookworm", LIBSSL)
