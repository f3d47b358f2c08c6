from __future__ import annotations

import pytest

from anchorecli.feeds.ecosystems import is_known, namespace, package_name, spelled


@pytest.mark.parametrize(
    ("ecosystem", "name", "scheme"),
    [
        ("PyPI", "pypi", "pep440"),
        ("npm", "npm", "npm"),
        ("Maven", "maven", "maven"),
        ("Maven:https://maven.google.com", "maven", "maven"),
        ("Go", "golang", "go"),
        ("crates.io", "cargo", "cargo"),
        ("Packagist", "composer", "composer"),
        ("Debian:12", "debian:12", "deb"),
        ("Debian:4.0", "debian:4", "deb"),
        ("Ubuntu:22.04:LTS", "ubuntu:22.04", "deb"),
        ("Ubuntu:24.10", "ubuntu:24.10", "deb"),
        ("Alpine:v3.20", "alpine:3.20", "apk"),
        ("Alpine:edge", "alpine:edge", "apk"),
        ("AlmaLinux:9", "almalinux:9", "rpm"),
        ("Rocky Linux:8", "rocky:8", "rpm"),
        ("Red Hat:enterprise_linux:9::appstream", "rhel:9", "rpm"),
        ("SUSE:Linux Enterprise Server 15 SP5", "sles:15.5", "rpm"),
        ("SUSE:Linux Enterprise Module for Basesystem 15 SP6", "sles:15.6", "rpm"),
        ("openSUSE:Leap 15.5", "opensuse-leap:15.5", "rpm"),
        ("openEuler:20.03-LTS-SP1", "openeuler:20.03-LTS-SP1", "rpm"),
        ("Wolfi", "wolfi", "apk"),
    ],
)
def test_known_ecosystems(ecosystem: str, name: str, scheme: str) -> None:
    found = namespace(ecosystem)
    assert (found.name, found.scheme, found.known) == (name, scheme, True)
    assert is_known(found.name)


@pytest.mark.parametrize(
    "ecosystem",
    ["OSS-Fuzz", "Debian", "Ubuntu:Pro:14.04:LTS", "Red Hat:rhel_eus:8.8::baseos", "openSUSE:Tumbleweed", "Brand:New"],
)
def test_others_keep_their_name_and_are_said_to_be_unknown(ecosystem: str) -> None:
    found = namespace(ecosystem)
    assert (found.name, found.known) == (ecosystem.lower(), False)
    assert not is_known(found.name)


def test_names_are_those_packages_are_looked_up_by() -> None:
    assert package_name("pypi", "Foo_Bar.baz--x") == "foo-bar-baz-x"
    assert package_name("nuget", "Newtonsoft.Json") == "newtonsoft.json"
    assert package_name("maven", "Org.Foo:Bar") == "Org.Foo:Bar"
    assert package_name("npm", "JSONStream") == "JSONStream"
    for name in ("github.com/Apple/swift-nio", "https://github.com/apple/swift-nio.git"):
        assert package_name("swift", name) == "github.com/apple/swift-nio"
    assert package_name("golang", "github.com/Masterminds/semver/v3") == "github.com/Masterminds/semver/v3"


def test_spelling() -> None:
    assert spelled("pypi") == "PyPI"
    assert spelled("debian:12") == "Debian:12"
    assert spelled("rocky") == "Rocky Linux"
    assert spelled("Novel") == "Novel"
