"""Applications of .NET in one file: the list inside, however the layer is read, and damage."""

from __future__ import annotations

import json
import struct
from hashlib import sha256

import pytest

from anchorecli.analyzers.binary.bundle import SIGNATURE, program_end, read
from anchorecli.analyzers.binary.plugin import Binaries
from anchorecli.analyzers.run import Collector
from anchorecli.layers.content import SPOOL_BYTES
from tests.analyzers.view import MemoryFile, make_view
from tests.builders import Entry, layer
from tests.layers.reading import BytesBlob
from tests.layers.reading import read as read_tar

DEPS = json.dumps(
    {
        "runtimeTarget": {"name": ".NETCoreApp,Version=v8.0/linux-x64"},
        "targets": {"t": {"Lib/1.2.3": {"runtime": {"lib/net8.0/Lib.dll": {}}}, "Only.Names/1.0.0": {}}},
        "libraries": {"app/1.0.0": {"type": "project"}, "Lib/1.2.3": {"type": "package"},
                      "Only.Names/1.0.0": {"type": "package"}},
    }
).encode()  # fmt: skip
HOST = 40_000


def host(place: int, *, pe: bool = False) -> bytes:
    """A program whose headers say where it ends, with the signature in it."""
    mark = struct.pack("<Q", place) + SIGNATURE
    head: bytes | bytearray
    if pe:
        start, optional = 0x80, 240
        coff = b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, optional, 0x2022) + bytes(optional)
        section = struct.pack("<8sIIII", b".text", HOST, 0x1000, HOST - 1024, 1024) + bytes(16)
        head = b"MZ" + bytes(58) + struct.pack("<I", start) + bytes(start - 64) + coff + section
    else:
        head = bytearray(b"\x7fELF\x02\x01\x01" + bytes(57))
        struct.pack_into("<HHIQQQIHHHHHH", head, 16, 2, 62, 1, 0, 0, HOST - 64, 0, 64, 56, 0, 64, 1, 0)
    body = bytes(head).ljust(20_000, b"\0") + mark
    return body.ljust(HOST, b"\0")


def application(deps: bytes = DEPS, *, major: int = 6, pe: bool = False, pad: int = 20_000) -> bytes:
    """An application: the host, what is embedded, and at the end the header."""
    at = HOST + pad
    place = at + len(deps)
    head = struct.pack("<IIi", major, 0, 3) + b"\x0cabcdefghijkl" + struct.pack("<qqqqQ", at, len(deps), 0, 0, 0)
    return host(place, pe=pe) + bytes(pad) + deps + head + bytes(64)


def test_the_signature_is_the_hash_that_it_is_said_to_be() -> None:
    assert sha256(b".net core bundle\n").digest() == SIGNATURE


@pytest.mark.parametrize("pe", [False, True])
def test_the_list_inside_is_read(pe: bool) -> None:
    data = application(pe=pe, pad=300_000)
    assert program_end(data[:4096]) == HOST
    said = read(MemoryFile("app", data), data[:4096])
    assert said is not None
    assert said["rid"] == "linux-x64"
    view = make_view(Binaries(), [{"opt/app": Entry(data, mode=0o755)}])
    packages = Binaries().assemble(view).packages
    assert [(each.purl, each.metadata["kind"], each.analyzer) for each in packages] == [
        ("pkg:nuget/Lib@1.2.3", "bundled", "binary")
    ]
    assert view.read_problems == ()


def test_a_large_one_in_a_compressed_layer_is_read_too() -> None:
    data = application(pad=SPOOL_BYTES + 100_000)
    collector = Collector([Binaries()])
    tar = layer({"opt/app": Entry(data, mode=0o755)})
    index = read_tar(tar, BytesBlob(tar), collector).index  # type: ignore[arg-type]
    collector.facts("sha256:0", index)  # type: ignore[arg-type]
    assert collector._values["binary"]["opt/app"]["dotnet"]["packages"]


@pytest.mark.parametrize(
    "data",
    [
        application(major=1),
        host(0) + bytes(50_000),
        host(HOST + 60_000) + bytes(50_000),
        host(100) + bytes(50_000),
        application()[:HOST],
        b"\x7fELF\x02\x01" + bytes(60_000),
        b"MZ" + bytes(60_000),
        bytes(60_000),
    ],
    ids=["old", "no bundle", "place beyond", "place before", "host alone", "no table", "no header", "nothing"],
)
def test_what_is_no_bundle_gives_nothing(data: bytes) -> None:
    assert read(MemoryFile("app", data), data[:4096]) is None


def test_absurd_places_are_told() -> None:
    for at, size in ((-1, 10), (10, -1), (10, 1 << 62), (1 << 62, 10), (0, 5)):
        head = struct.pack("<IIi", 6, 0, 3) + b"\0" + struct.pack("<qq", at, size)
        data = host(HOST + 20_000) + bytes(20_000) + head + bytes(64)
        with pytest.raises(ValueError, match=r"claims a deps\.json"):
            read(MemoryFile("app", data), data[:4096])
    view = make_view(Binaries(), [{"opt/app": Entry(application(b"{no json", pad=300_000), mode=0o755)}])
    assert "no JSON" in view.read_problems[0].message


def test_one_cut_at_any_byte_of_its_header_or_list_is_read_or_refused() -> None:
    data = application()
    for end in range(len(data) - 64 - len(DEPS) - 70, len(data)):
        try:
            said = read(MemoryFile("app", data[:end]), data[:4096])
        except ValueError:
            continue
        assert said is None or said["packages"]


def test_a_linker_that_puts_its_table_first_does_not_tell_the_end() -> None:
    head = bytearray(host(0)[:4096])
    struct.pack_into("<Q", head, 40, 64)
    assert program_end(bytes(head)) == 0
