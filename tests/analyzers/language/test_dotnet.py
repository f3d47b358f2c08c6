"""NuGet packages by deps.json: which of those listed are there, runtimes, and damage."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from anchorecli.analyzers.language.dotnet import Dotnet, read_dependencies
from anchorecli.model import Package
from tests.analyzers.view import TestView, make_view
from tests.builders import Entry


def deps(libraries: Mapping[str, str], files: Mapping[str, Mapping[str, list[str]]], rid: str = "") -> str:
    """A deps.json: the kind of each library, and its files by section."""
    target = {
        key: {section: {path: {} for path in paths} for section, paths in sections.items()}
        for key, sections in files.items()
    }
    return json.dumps({
        "runtimeTarget": {"name": f".NETCoreApp,Version=v8.0{rid}"},
        "targets": {".NETCoreApp,Version=v8.0": target},
        "libraries": {key: {"type": kind, "sha512": ""} for key, kind in libraries.items()},
    })  # fmt: skip


DEPS = deps(
    {
        "shop/1.0.0": "project",
        "Newtonsoft.Json/13.0.1": "package",
        "Gone/1.0.0": "package",
        "Only.Names/1.0.0": "package",
        "Native/2.0.0-beta.1": "package",
        "Words/1.2.3": "package",
        "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.4": "runtimepack",
    },
    {
        "shop/1.0.0": {"runtime": ["shop.dll"]},
        "Newtonsoft.Json/13.0.1": {"runtime": ["lib/net6.0/Newtonsoft.Json.dll"]},
        "Gone/1.0.0": {"runtime": ["lib/net6.0/Gone.dll"]},
        "Native/2.0.0-beta.1": {"runtimeTargets": ["runtimes/linux-x64/native/libn.so"]},
        "Words/1.2.3": {"resources": ["lib/net6.0/de/Words.resources.dll"], "runtime": ["lib/net6.0/_._"]},
        "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.4": {"runtime": ["System.Private.CoreLib.dll"]},
    },
)
FILES = {
    "app/Newtonsoft.Json.dll": "", "app/runtimes/linux-x64/native/libn.so": "", "app/de/Words.resources.dll": "",
    "app/System.Private.CoreLib.dll": "", "app/shop.dll": "",
}  # fmt: skip


def packages(*layers: Mapping[str, bytes | str | Entry]) -> tuple[dict[str, Package], TestView]:
    view = make_view(Dotnet(), layers)
    return {package.name: package for package in Dotnet().assemble(view).packages}, view


def test_packages_count_when_one_of_their_files_is_there() -> None:
    found, _ = packages({"app/shop.deps.json": DEPS, **FILES})
    assert {package.purl for package in found.values()} == {
        "pkg:nuget/Newtonsoft.Json@13.0.1",
        "pkg:nuget/Native@2.0.0-beta.1",
        "pkg:nuget/Words@1.2.3",
        "pkg:nuget/Microsoft.NETCore.App.Runtime.linux-x64@8.0.4",
    }
    assert found["Microsoft.NETCore.App.Runtime.linux-x64"].metadata == {"kind": "runtime"}
    assert found["Newtonsoft.Json"].metadata == {"kind": "installed"}
    assert (found["Native"].type, found["Native"].scheme) == ("nuget", "nuget")


def test_a_file_that_an_upper_layer_removed_counts_no_more() -> None:
    found, _ = packages({"app/shop.deps.json": DEPS, **FILES}, {"app/.wh.Newtonsoft.Json.dll": ""})
    assert "Newtonsoft.Json" not in found


def test_of_an_application_in_one_file_all_with_files_count_as_declared() -> None:
    found, _ = packages({"app/shop.deps.json": DEPS})
    assert len(found) == 5
    assert "Only.Names" not in found
    assert found["Gone"].metadata == {"kind": "declared"}
    assert "shop" not in found


def test_a_shared_runtime_is_the_package_that_advisories_name() -> None:
    name = "Microsoft.NETCore.App.Runtime.linux-musl-x64/8.0.4"
    text = deps({name: "package"}, {name: {"native": ["libcoreclr.so"]}}, "/linux-musl-x64")
    directory = "usr/share/dotnet/shared/Microsoft.NETCore.App/8.0.4"
    found, _ = packages({f"{directory}/Microsoft.NETCore.App.deps.json": text, f"{directory}/libcoreclr.so": ""})
    assert [package.purl for package in found.values()] == [
        "pkg:nuget/Microsoft.NETCore.App.Runtime.linux-musl-x64@8.0.4"
    ]


def test_an_old_shared_runtime_has_its_directorys_version() -> None:
    listed = "runtime.linux-x64.Microsoft.NETCore.App/3.1.23-servicing.22122.4"
    text = deps(
        {listed: "package", "Newtonsoft.Json/9.0.1": "package"},
        {listed: {"native": ["x.so"]}, "Newtonsoft.Json/9.0.1": {"runtime": ["N.dll"]}},
        "/linux-x64",
    )
    path = "opt/dotnet/shared/Microsoft.NETCore.App/3.1.23/Microsoft.NETCore.App.deps.json"
    found, _ = packages({path: text, path.replace("Microsoft.NETCore.App.deps.json", "x.so"): ""})
    assert found["Microsoft.NETCore.App.Runtime.linux-x64"].version == "3.1.23"
    assert set(found) == {"Microsoft.NETCore.App.Runtime.linux-x64", "Newtonsoft.Json"}


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "[" * 100_000])
def test_what_is_no_json_object_is_told(text: str) -> None:
    found, view = packages({"a.deps.json": text})
    assert not found
    assert [problem.subject for problem in view.read_problems] == ["a.deps.json"]


@pytest.mark.parametrize(
    "document",
    [
        {}, {"libraries": 1}, {"libraries": {"a": {"type": "package"}}}, {"libraries": {"a/1": []}},
        {"libraries": {"a/x": {"type": "package"}}}, {"libraries": {"a b/1": {"type": "package"}}},
        {"libraries": {}, "targets": {"x": {"y": {"runtime": [1]}}}}, {"targets": [1]}, {"targets": {"x": {"y": 1}}},
        {"libraries": {"a/1": {"type": {"package": 1}}, "b/1": {"type": ["package"]}}},
    ],
)  # fmt: skip
def test_odd_documents_name_no_package(document: Any) -> None:
    assert read_dependencies(json.dumps(document).encode()) is None


def test_a_byte_order_mark_is_no_damage() -> None:
    assert read_dependencies(b"\xef\xbb\xbf" + DEPS.encode())
