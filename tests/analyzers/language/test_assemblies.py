"""Version resources of .NET assemblies: built here byte by byte, cut short and changed everywhere."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from anchorecli.analyzers.language.assemblies import describe, version_of
from anchorecli.analyzers.language.dotnet import Dotnet
from anchorecli.model import Distro
from tests.analyzers.view import MemoryFile, make_view

DEPS = (
    '{"libraries": {"Lib/1.0.0": {"type": "package"}}, "targets": {"t": {"Lib/1.0.0": {"runtime": {"Lib.dll": {}}}}}}'
)


def block(key: str, value: bytes = b"", children: bytes = b"", *, text: bool = True) -> bytes:
    """A block of VS_VERSIONINFO."""

    def padded(data: bytes, by: int = 0) -> bytes:
        return data + bytes(-(len(data) + by) % 4)

    body = padded(key.encode("utf-16-le") + b"\0\0", 6)
    body += padded(value) if children or not text else value
    body += children
    return struct.pack("<HHH", len(body) + 6, len(value) // (2 if text else 1), int(text)) + body


def versions(**strings: str) -> bytes:
    texts = b""
    for key, value in strings.items():
        one = block(key, value.encode("utf-16-le") + b"\0\0")
        texts += one + bytes(-len(one) % 4)
    table = block("StringFileInfo", children=block("040904b0", children=texts))
    fixed = struct.pack("<I", 0xFEEF04BD) + bytes(48)
    return block("VS_VERSION_INFO", fixed, table, text=False)


def program(data: bytes = b"", *, managed: bool = True, wide: bool = True) -> bytes:
    """A PE file with one section, which holds its resources; without data it has none."""
    start, optional, address, offset = 0x80, 240 if wide else 224, 0x2000, 0x400
    directory = struct.pack("<IIHHHH", 0, 0, 0, 0, 0, 1)
    tree = directory + struct.pack("<II", 16, 0x80000018)
    tree += directory + struct.pack("<II", 1, 0x80000030)
    tree += directory + struct.pack("<II", 1033, 0x48)
    tree += struct.pack("<IIII", address + 0x58, len(data), 0, 0) + data
    places = [(0, 0)] * 16
    places[2] = (address, len(tree)) if data else (0, 0)
    places[14] = (0x1000, 72) if managed else (0, 0)
    header = bytearray(optional)
    struct.pack_into("<H", header, 0, 0x20B if wide else 0x10B)
    struct.pack_into("<I", header, 108 if wide else 92, 16)
    for row, place in enumerate(places):
        struct.pack_into("<II", header, (112 if wide else 96) + 8 * row, *place)
    coff = b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, optional, 0x2022)
    section = struct.pack("<8sIIII", b".rsrc", len(tree), address, len(tree) + 0x200, offset) + bytes(16)
    whole = b"MZ" + bytes(58) + struct.pack("<I", start) + bytes(start - 64) + coff + bytes(header) + section
    return whole.ljust(offset, b"\0") + tree + bytes(0x200)


def assembly(name: str = "Newtonsoft.Json", version: str = "13.0.1+0a2e291c", **more: Any) -> bytes:
    strings = {"OriginalFilename": f"{name}.dll", "ProductVersion": version, "FileVersion": "13.0.1.25517"}
    return program(versions(ProductName="Json.NET", **strings), **more)


def found(*layers: dict[str, Any], distro: Distro | None = None) -> list[tuple[str, ...]]:
    analyzer = Dotnet()
    packages = analyzer.assemble(make_view(analyzer, layers, distro)).packages
    return [(each.name, each.version, each.metadata["kind"]) for each in packages]


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("managed", [True, False])
def test_the_strings_of_a_version_resource(wide: bool, managed: bool) -> None:
    said = describe(MemoryFile("x.dll", assembly(wide=wide, managed=managed)))
    assert said is not None
    assert said.managed is managed
    assert said.strings == {
        "ProductName": "Json.NET",
        "OriginalFilename": "Newtonsoft.Json.dll",
        "ProductVersion": "13.0.1+0a2e291c",
        "FileVersion": "13.0.1.25517",
    }
    bare = describe(MemoryFile("x.dll", program(wide=wide)))
    assert bare is not None
    assert bare.strings == {}


@pytest.mark.parametrize(
    ("product", "file", "version"),
    [
        ("13.0.1+0a2e291c", "13.0.1.25517", "13.0.1"),
        ("3.1.23-servicing.22122.4+8f4d", "4.700.22.12208", "3.1.23"),
        ("8.0.4+2d7eea2", "8.0.424.16909", "8.0.4"),
        ("1.2.3.0", "9.9.9.9", "1.2.3"),
        ("1.2.3.4", "", "1.2.3.4"),
        ("2.0.0-beta.1+abc", "", "2.0.0-beta.1"),
        ("1, 2, 3, 0", "", "1.2.3"),
        ("Release of May", "5.6.7.0", "5.6.7"),
        ("0.0.0.0", "1.5.0.0", "1.5.0"),
        ("0.0.0.0", "0.0.0.0", ""),
        ("", "", ""),
    ],
)
def test_the_version_is_that_of_the_package(product: str, file: str, version: str) -> None:
    assert version_of({"ProductVersion": product, "FileVersion": file}) == version


def test_an_assembly_cut_at_any_byte_or_changed_is_read_or_refused() -> None:
    data = assembly()
    end = len(data) - 0x200
    for cut in range(end):
        try:
            said = describe(MemoryFile("x.dll", data[:cut]))
        except ValueError:
            continue
        assert said is None or set(said.strings) <= {"ProductName", "OriginalFilename", "ProductVersion", "FileVersion"}
    for place in [*range(0x3C, 0x1A8), *range(0x400, end)]:
        for value in (0, 0x7F, 0xFF):
            try:
                describe(MemoryFile("x.dll", data[:place] + bytes([value]) + data[place + 1 :]))
            except ValueError:
                continue


def test_assemblies_that_no_list_speaks_of_are_packages() -> None:
    files = {
        "opt/a/Newtonsoft.Json.dll": assembly(),
        "opt/a/Other.DLL": assembly("Other", "2.0.0"),
        "opt/a/fr/Other.resources.dll": assembly("Other.resources", "2.0.0"),
        "opt/a/native.dll": assembly("native", managed=False),
        "opt/a/text.dll": b"no program",
        "opt/a/bare.dll": program(),
        "opt/b/Renamed.exe": assembly(),
    }
    assert sorted(found(files)) == [
        ("Newtonsoft.Json", "13.0.1", "assembly"),
        ("Newtonsoft.Json", "13.0.1", "assembly"),
        ("Other", "2.0.0", "assembly"),
    ]


def test_what_a_list_speaks_of_is_told_by_the_list() -> None:
    files = {"app/app.deps.json": DEPS, "app/Lib.dll": assembly("Lib", "1.0.0"), "app/sub/Else.dll": assembly("Else")}
    assert found(files) == [("Lib", "1.0.0", "installed")]
    assert found(files, {"app/.wh.app.deps.json": ""}) == [("Lib", "1.0.0", "assembly"), ("Else", "13.0.1", "assembly")]


def test_nugets_cache_names_package_and_version_by_its_directories() -> None:
    cache = "root/.nuget/packages/newtonsoft.json/12.0.3/lib"
    files = {f"{cache}/net45/Newtonsoft.Json.dll": assembly(), f"{cache}/net6.0/Newtonsoft.Json.dll": assembly()}
    analyzer = Dotnet()
    (package,) = analyzer.assemble(make_view(analyzer, [files])).packages
    assert (package.purl, len(package.locations)) == ("pkg:nuget/Newtonsoft.Json@12.0.3", 2)


def test_a_shared_runtime_without_its_list_is_one_package() -> None:
    home = "usr/share/dotnet/shared/Microsoft.NETCore.App/8.0.4"
    files = {f"{home}/System.{number}.dll": assembly(f"System.{number}", "8.0.4+1") for number in range(5)}
    assert found(files) == [("Microsoft.NETCore.App.Runtime.linux-x64", "8.0.4", "runtime")]
    assert found(files, distro=Distro("alpine")) == [
        ("Microsoft.NETCore.App.Runtime.linux-musl-x64", "8.0.4", "runtime")
    ]


def test_a_damaged_assembly_is_told() -> None:
    data = bytearray(assembly())
    struct.pack_into("<H", data, 0x400 + 14, 0xFFFF)
    view = make_view(Dotnet(), [{"a/x.dll": bytes(data)}])
    assert "directory of 65535 resources" in view.read_problems[0].message
