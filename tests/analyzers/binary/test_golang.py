"""Go build information of every vintage, found in every format, and refused where it is damaged."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchorecli.analyzers.binary import elf, golang, macho, pe
from anchorecli.analyzers.binary.layout import Layout, Region
from tests.analyzers.binary import executables as made
from tests.analyzers.view import MemoryFile

MODULES = (
    "path\texample.com/a/cmd/a\n"
    "mod\texample.com/a\t(devel)\t\n"
    "dep\tgolang.org/x/net\tv0.20.0\th1:n=\n"
    "dep\tgithub.com/old/one\tv1.0.0\n"
    "=>\tgithub.com/new/one\tv1.1.0\th1:r=\n"
    "dep\texample.com/near\tv0.0.0\n"
    "=>\t./near\t(devel)\t\n"
    'build\t-ldflags="-s -X main.version=1.2.3"\n'
    "build\tGOOS=linux\n"
    "build\tvcs.time=2024-01-31T12:00:00Z\n"
)
FACT = {
    "go": "go1.22.3",
    "path": "example.com/a/cmd/a",
    "main": ["example.com/a", "(devel)", ""],
    "deps": [
        ["golang.org/x/net", "v0.20.0", "h1:n="],
        ["github.com/old/one", "v1.0.0", "", ["github.com/new/one", "v1.1.0", "h1:r="]],
        ["example.com/near", "v0.0.0", "", ["./near", "(devel)", ""]],
    ],
    "settings": {"-ldflags": "-s -X main.version=1.2.3", "GOOS": "linux", "vcs.time": "2024-01-31T12:00:00Z"},
}
NEW = made.go_blob("go1.22.3", MODULES)


def read(data: bytes) -> object:
    source = MemoryFile("f", data)
    layouts: list[Layout | None] = [elf.read(source), pe.read(source)]
    return [golang.read(layout, source) for layout in (*layouts, *macho.read(source)) if layout is not None]


@pytest.mark.parametrize(
    "program",
    [
        made.elf({".rodata": bytes(99), ".go.buildinfo": NEW}),
        made.elf({".go.buildinfo": NEW}, first=True),
        made.elf({".go.buildinfo": NEW}, wide=False),
        made.elf({".go.buildinfo": NEW}, order=">"),
        made.elf({".data": bytes(640) + NEW}, table=False),
        made.pe({".text": bytes(99), ".data": bytes(160) + NEW}),
        made.macho({"__data": bytes(99), "__go_buildinfo": NEW}),
        made.macho({"__go_buildinfo": NEW}, order=">", wide=False),
        made.universal(made.macho({"__go_buildinfo": NEW})),
    ],
    ids="elf table-first 32-bits big-endian stripped pe macho macho-32-big universal".split(),
)
def test_the_inline_form_is_read_from_every_format(program: bytes) -> None:
    assert read(program) == [FACT]


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("table", [True, False])
def test_the_pointer_form_of_go_1_13_to_1_17(wide: bool, order: str, table: bool) -> None:
    program = made.old_go("go1.16.7", MODULES, wide=wide, order=order, table=table)
    assert read(program) == [{**FACT, "go": "go1.16.7"}]


def test_a_program_without_modules_tells_its_toolchain() -> None:
    assert read(made.elf({".go.buildinfo": made.go_blob("go1.19.8", "")})) == [{"go": "go1.19.8"}]


def test_the_magic_counts_on_a_multiple_of_16_of_writable_data_only() -> None:
    assert read(made.elf({".data": bytes(648) + NEW}, table=False)) == [None]
    assert read(made.elf({".rodata": bytes(640) + NEW}, table=False)) == [None]


def test_the_blob_after_a_false_start_is_found() -> None:
    assert read(made.elf({".data": bytes(8) + golang.MAGIC + bytes(26) + NEW}, table=False)) == [FACT]


@pytest.mark.parametrize(
    "blob",
    [
        NEW[:20],
        NEW[:-40],
        golang.MAGIC + b"\x08\x02" + bytes(16) + b"\xff" * 40,
        golang.MAGIC + b"\x08\x02" + bytes(16) + b"\xff\xff\xff\xff\x7f" + bytes(40),
        golang.MAGIC + b"\x05\x00" + bytes(40),
    ],
    ids=["header", "text", "length", "huge", "pointers"],
)
def test_a_damaged_blob_is_an_error(blob: bytes) -> None:
    program = made.elf({".go.buildinfo": blob}, table=False)
    at = program.index(golang.MAGIC)
    with pytest.raises(ValueError, match="Go build information"):
        read(program[: at + len(blob)])


def test_pointers_into_nowhere_give_nothing() -> None:
    blob = golang.MAGIC + b"\x08\x00" + b"\xff" * 16 + bytes(64)
    assert read(made.elf({".go.buildinfo": blob})) == [None]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_damage_to_a_program_gives_anything_but_an_error(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from([made.elf, made.pe, made.macho]))
    program = bytearray(kind({".data": bytes(32), ".go.buildinfo": NEW}))
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, 600) | st.integers(made.PAGE, made.PAGE + 900))
        program[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(program)))
    for each in (bytes(program), bytes(program[:cut])):
        try:
            read(each)
        except (ValueError, LookupError) as exc:
            assert str(exc)


def test_every_truncation_is_survived() -> None:
    program = made.elf({".go.buildinfo": NEW}, first=True)
    end = program.index(b"vcs.time")
    for cut in (*range(700), *range(made.PAGE, end)):
        try:
            read(program[:cut])
        except ValueError as exc:
            assert str(exc)


def test_overlapping_segments_are_not_searched_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golang, "SEARCH_BYTES", 100_000)
    asked = []

    class Counting(MemoryFile):
        def at(self, offset: int, count: int) -> bytes:
            asked.append(count)
            return super().at(offset, count)

    segments = tuple(Region("", 0, 40_000, 0, "data") for _ in range(4096))
    assert golang.read(Layout("elf", segments), Counting("f", bytes(40_000))) is None
    assert sum(asked) <= 100_000
    asked.clear()
    constants = tuple(segment._replace(kind="constant") for segment in segments)
    assert golang.version_strings(Layout("elf", constants), Counting("f", bytes(40_000))) == []
    assert sum(asked) <= 100_000


def test_versions_between_zeros() -> None:
    constants = bytes(8) + b"v1.20.2\0" + b"x1.2.3\0" + b"\0" + b"2.42.0+ds\0" + b"1.2\0" + b"1.2.3.4\0"
    program = made.elf({".rodata": constants, ".go.buildinfo": NEW})
    source = MemoryFile("f", program)
    layout = elf.read(source)
    assert layout is not None
    assert golang.version_strings(layout, source) == ["v1.20.2", "2.42.0+ds"]


def test_a_version_may_stand_right_behind_a_number() -> None:
    floats = struct.pack("<2d", 1.5, 2.0) + b"v1.21.4\0" + b"\x1d\xbfL" + b"v3.2.1\0" + b"x=9.9.9\0"
    program = made.elf({".rodata": bytes(8) + floats, ".go.buildinfo": NEW})
    layout = elf.read(source := MemoryFile("f", program))
    assert layout is not None
    assert golang.version_strings(layout, source) == ["v1.21.4", "v3.2.1"]
