"""What a program's modules are called, and where a version is taken from that the toolchain did not know."""

from __future__ import annotations

import pytest

from anchorecli.analyzers.binary.gomodules import Module, lacks_version, main_path, modules, package, version_in_flags
from anchorecli.versions import compare

LDFLAGS = [
    ("-X main.version=1.2.3", "1.2.3"),
    ("-s -w -X=main.Version=v1.2.3", "v1.2.3"),
    ("-X 'main.version=1.2.3' -X 'main.commit=4.5.6'", "1.2.3"),
    ('"-X main.version=1.2.3"', "1.2.3"),
    ('-X "example.com/a/internal.buildVersion=1.2.3"', "1.2.3"),
    ("-X k8s.io/component-base/version.gitVersion=v1.30.1+k3s1", "v1.30.1+k3s1"),
    ("-X github.com/prometheus/common/version.Version=2.42.0 -X main.date=1.1.1", "2.42.0"),
    ("-X other.org/dep/schema.Version=9.9.9 -X main.version=1.2.3", "1.2.3"),
    ("-X main.version=dev", ""),
    ("-X main.goVersion=1.21.0", ""),
    ("-X main.version", ""),
    ("-X", ""),
    ("-X main.version='1.2.3", "1.2.3"),
    ("", ""),
]


@pytest.mark.parametrize(("flags", "version"), LDFLAGS)
def test_the_version_that_the_linker_was_given(flags: str, version: str) -> None:
    assert version_in_flags({"-ldflags": flags}, "example.com/a") == version


def main(**fact: object) -> Module:
    (found,) = (each for each in modules({"go": "", **fact}) if each.metadata.get("kind") == "main")
    return found


def test_a_stamped_version_is_the_version() -> None:
    found = main(main=["example.com/a/v2", "v2.3.4", "h1:x="], settings={"-ldflags": "-X main.version=9.9.9"})
    assert (found.name, found.version) == ("example.com/a/v2", "v2.3.4")
    assert found.metadata == {"kind": "main", "h1": "h1:x="}


@pytest.mark.parametrize("stamped", ["(devel)", "", "v0.0.0-20240131120000-abcdef123456", "v0.0.0-2024+dirty"])
def test_what_the_toolchain_did_not_know_the_flags_may(stamped: str) -> None:
    found = main(main=["example.com/a", stamped, ""], settings={"-ldflags": "-X main.version=1.2.3"})
    assert found.version == "v1.2.3"
    assert found.metadata["version-from"] == "ldflags"
    assert "inexact" not in found.metadata


def test_a_commit_is_no_place_among_the_releases() -> None:
    commit = {"vcs.revision": "abcdef1234567890", "vcs.time": "2024-01-31T12:00:00Z"}
    found = main(main=["example.com/a", "(devel)", ""], settings=commit)
    assert found.version == "v0.0.0-20240131120000-abcdef123456"
    assert found.metadata["version-from"] == "vcs"
    assert found.metadata["inexact"]
    assert found.metadata["vcs.revision"] == "abcdef1234567890"


def test_an_unknown_version_stays_unknown() -> None:
    found = main(main=["example.com/a", "(devel)", ""])
    assert found.version == "(devel)"
    assert found.metadata["inexact"]
    assert package(found, analyzer="binary").purl == "pkg:golang/example.com/a"


def test_a_known_program_has_its_cpe_and_its_strings_tell_its_version() -> None:
    fact = {"main": ["helm.sh/helm/v3", "(devel)", ""], "strings": ["v3.14.0", "1.28.4"]}
    assert lacks_version({"go": "", **fact})
    found = main(**fact)
    assert (found.version, found.metadata["version-from"]) == ("v3.14.0", "content")
    assert found.cpes == ("cpe:2.3:a:helm:helm:3.14.0:*:*:*:*:*:*:*",)


def test_a_known_program_of_a_distribution_built_without_modules() -> None:
    fact = {"path": "github.com/cli/cli/v2/cmd/gh", "strings": ["2.23.0"]}
    assert lacks_version({"go": "", **fact})
    found = main(**fact)
    assert (found.name, found.version) == ("github.com/cli/cli/v2", "v2.23.0")
    assert found.cpes == ("cpe:2.3:a:github:cli:2.23.0:*:*:*:*:*:*:*",)


@pytest.mark.parametrize(
    ("strings", "deps", "version"),
    [
        (["2.42.0+ds", "2.42.0+ds-5+deb12u1"], [], "v2.42.0+ds"),
        (["2.42.0", "2.41.0"], [], "(devel)"),
        (["3.46.0"], [["modernc.org/sqlite", "v1.34.0", ""]], "(devel)"),
        ([], [], "(devel)"),
    ],
)
def test_several_versions_among_the_strings_are_none(strings: list[str], deps: list[list[str]], version: str) -> None:
    fact = {"main": ["github.com/prometheus/prometheus", "(devel)", ""], "strings": strings, "deps": deps}
    assert main(**fact).version == version


@pytest.mark.parametrize(
    ("fact", "path"),
    [
        ({"path": "github.com/caddyserver/caddy/v2/cmd/caddy"}, "github.com/caddyserver/caddy/v2"),
        ({"path": "github.com/cli/cli/v2/cmd/gh"}, "github.com/cli/cli/v2"),
        ({"path": "github.com/tianon/gosu"}, "github.com/tianon/gosu"),
        ({"path": "k8s.io/kubernetes/cmd/kubectl"}, "k8s.io/kubernetes"),
        ({"path": "filippo.io/age/cmd/age"}, "filippo.io/age"),
        ({"path": "cmd/go"}, ""),
        ({"path": "command-line-arguments"}, ""),
        ({"path": "command-line-arguments", "main": ["command-line-arguments", "(devel)", ""]}, ""),
        ({"path": "app/cmd", "main": ["app", "(devel)", ""]}, "app"),
        ({}, ""),
    ],
)
def test_the_main_module_of_a_program_built_without_modules(fact: dict[str, object], path: str) -> None:
    assert main_path(fact) == path


def test_without_modules_a_main_program_counts_where_its_version_is_known() -> None:
    flags = {"-ldflags": "-X main.version=1.1.1"}
    found = [each.name for each in modules({"go": "go1.19.8", "path": "filippo.io/age/cmd/age", "settings": flags})]
    assert found == ["filippo.io/age", "stdlib"]
    assert [each.name for each in modules({"go": "go1.19.8", "path": "filippo.io/age/cmd/age"})] == ["stdlib"]


def test_replacements() -> None:
    rows = [
        ["github.com/old/one", "v1.0.0", "", ["github.com/new/one", "v1.1.0", "h1:r="]],
        ["example.com/near", "v0.0.0", "", ["./near", "(devel)", ""]],
        ["example.com/plain", "v1.0.0", "h1:p="],
        ["example.com/plain", "v1.0.0", "h1:p="],
        ["example.com/work", "(devel)", ""],
    ]
    one, near, plain, work = modules({"go": "", "deps": rows})
    assert (one.name, one.version) == ("github.com/new/one", "v1.1.0")
    assert one.metadata == {"replaces": "github.com/old/one@v1.0.0", "h1": "h1:r="}
    assert (near.name, near.version, near.metadata["replaced-by"]) == ("example.com/near", "v0.0.0", "./near")
    assert near.metadata["inexact"]
    assert plain.metadata == {"h1": "h1:p="}
    assert work.metadata["inexact"]


@pytest.mark.parametrize(
    ("toolchain", "version"),
    [
        ("go1.22.3", "1.22.3"),
        ("go1.21", "1.21"),
        ("go1.23rc1", "1.23rc1"),
        ("go1.22.3 X:boringcrypto", "1.22.3"),
        ("go1.20.12 (Red Hat 1.20.12-1.el9)", "1.20.12"),
        ("go1.21.0-fips", "1.21.0"),
        ("devel go1.23-6c8f Mon", "1.23-devel-6c8f"),
        ("devel +0123abc Mon", "devel-0123abc"),
    ],
)
def test_the_standard_library_is_of_the_toolchain(toolchain: str, version: str) -> None:
    (library,) = modules({"go": toolchain})
    assert (library.name, library.version) == ("stdlib", version)
    assert library.metadata["go"] == toolchain
    assert bool(library.cpes) is not ("inexact" in library.metadata)
    assert "inexact" in library.metadata or compare("go", library.version, "1.0") > 0


def test_an_unreadable_toolchain_is_no_package() -> None:
    assert list(modules({"go": "unknown"})) == []
