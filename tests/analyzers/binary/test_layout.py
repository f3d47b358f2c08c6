"""Headers that make no sense are refused, and what passes by is kept as planned."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchorecli.analyzers.binary import elf, layout, macho, pe
from anchorecli.analyzers.binary.layout import Kept, Layout, Region, keep, plan
from tests.analyzers.binary import executables as made
from tests.analyzers.view import MemoryFile


def whole(data: bytes) -> MemoryFile:
    return MemoryFile("f", data)


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("first", [True, False])
def test_sections_and_segments_of_an_elf_file(wide: bool, order: str, first: bool) -> None:
    sections = {".rodata": b"constant", ".data": b"variable", ".comment": b"note"}
    program = made.elf(sections, wide=wide, order=order, first=first, unloaded=(".comment",))
    found = elf.read(whole(program))
    assert found is not None
    content = {each.name: (program[each.offset : each.offset + each.size], each.kind) for each in found.sections}
    assert content.pop(".shstrtab")[1] == "unloaded"
    assert content == {
        ".rodata": (b"constant", "constant"),
        ".data": (b"variable", "data"),
        ".comment": (b"note", "unloaded"),
    }
    data = next(each for each in found.sections if each.name == ".data")
    assert found.offset_of(data.address + 3) == data.offset + 3
    assert found.offset_of(1) is None


def test_a_table_out_of_reach_is_said() -> None:
    program = made.elf({".data": b"x"})
    kept = Kept(len(program))
    kept.add(0, program[:4096])
    found = elf.read(kept)
    assert found is not None
    assert not found.complete
    assert len(found.segments) == 2


@pytest.mark.parametrize(
    "data",
    [b"", b"\x7fELF", b"\x7fELF\x09\x01" + bytes(99), b"\x7fELF\x02\x01" + bytes(99), b"\x7fELF\x01\x01" + bytes(44)],
    ids=["empty", "magic", "class", "no-type", "short"],
)
def test_what_is_no_program_has_no_layout(data: bytes) -> None:
    assert elf.read(whole(data)) is None
    assert pe.read(whole(data)) is None
    assert macho.read(whole(data)) == []


def test_absurd_headers_are_errors() -> None:
    program = bytearray(made.elf({".data": b"x"}))
    for place, message in ((56, "65535 segments"), (60, "65535 sections")):
        with pytest.raises(ValueError, match=message):
            elf.read(whole(bytes(program[:place] + b"\xff\xff" + program[place + 2 :])))
    for place, message in ((54, "program headers of 0 bytes"), (58, "section headers of 0 bytes")):
        with pytest.raises(ValueError, match=message):
            elf.read(whole(bytes(program[:place] + b"\0\0" + program[place + 2 :])))
    windows = bytearray(made.pe({".data": b"x"}))
    windows[0x86:0x88] = b"\xff\xff"
    with pytest.raises(ValueError, match="65535 sections"):
        pe.read(whole(bytes(windows)))
    mac = bytearray(made.macho({"__data": b"x"}))
    mac[16:20] = b"\xff\xff\xff\x7f"
    with pytest.raises(ValueError, match="load commands"):
        macho.read(whole(bytes(mac)))


def test_what_only_looks_like_windows_or_mac_has_no_layout() -> None:
    assert pe.read(whole(b"MZ" + bytes(200))) is None
    assert pe.read(whole(b"MZ".ljust(60, b"\0") + b"\xff" * 40)) is None
    java_class = b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(99)
    assert macho.read(whole(java_class)) == []


def test_load_commands_without_an_end_are_left() -> None:
    mac = bytearray(made.macho({"__data": b"x"}))
    mac[36:40] = struct.pack("<I", 0)
    assert macho.read(whole(bytes(mac))) == [Layout("macho", (), short=True)]


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 900)), max_size=5), st.integers(1, 700))
def test_what_is_kept_is_what_was_planned(spans: list[tuple[int, int]], step: int) -> None:
    data = bytes(place * 7 % 251 for place in range(4000))
    regions = tuple(Region("", start, size, 0, "data") for start, size in spans)
    ranges = plan(Layout("elf", regions), len(data))
    kept = Kept(len(data))
    kept.add(0, data[:100])
    pieces = ((start, data[start : start + step]) for start in range(0, len(data), step))
    passed = b"".join(
        piece for _, piece in keep(pieces, [(max(start, 100), end) for start, end in ranges if end > 100], kept, 100)
    )
    assert passed == data
    for start, size in spans:
        assert kept.at(start, size) == data[start : start + size]
    wanted = set(range(100)).union(*(range(start, end) for start, end in ranges))
    for place in range(0, 4000, 97):
        if place not in wanted:
            with pytest.raises(LookupError):
                kept.at(place, 1)


def test_the_plan_has_a_bound_and_leaves_constants_out_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "KEEP_BYTES", 1000)
    segments = (Region("", 0, 600, 0, "constant"), Region("", 600, 5000, 0, "code"), Region("", 6000, 300, 0, "data"))
    assert plan(Layout("elf", segments, complete=False), 6800) == [(6000, 6800)]
    assert plan(Layout("elf", segments), 6800) == [(0, 600), (6000, 6300)]


def test_strings_are_not_looked_for_in_code_that_is_apart() -> None:
    segments = (
        Region("", 0, 600, 0, "constant"),
        Region("", 4096, 5000, 0, "code"),
        Region("", 12288, 3000, 0, "constant"),
        Region("", 15300, 300, 0, "data"),
    )
    assert layout.texts(Layout("elf", segments), 1 << 14) == [(0, 600), (12224, 1 << 14)]
    assert layout.texts(Layout("elf", segments[:2]), 1 << 20) == [(0, 1 << 20)]
    assert layout.texts(Layout("elf", ()), 77) == [(0, 77)]
