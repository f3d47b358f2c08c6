"""Crates of programs built with cargo-auditable."""

from __future__ import annotations

import json
import zlib

import pytest

from anchorecli.analyzers.binary import elf, macho, pe, rust
from anchorecli.analyzers.binary.layout import LIMITS, Kept
from anchorecli.errors import LimitError
from tests.analyzers.binary import executables as made
from tests.analyzers.view import MemoryFile

PACKAGES = [
    {"name": "app", "version": "0.1.0", "source": "local", "root": True, "dependencies": [1, 2, 4, 99, "x"]},
    {"name": "serde", "version": "1.0.1", "source": "crates.io"},
    {"name": "cc", "version": "1.0.0", "source": "crates.io", "kind": "build"},
    {"name": "rand", "version": "0.8.5", "source": "registry", "kind": "runtime"},
    {"name": 7, "version": "1"},
    "no package",
]
ROWS = [
    ["app", "0.1.0", "local", "1", "serde@1.0.1"],
    ["serde", "1.0.1", "crates.io", ""],
    ["rand", "0.8.5", "registry", ""],
]


def packed(packages: object = PACKAGES) -> bytes:
    return zlib.compress(json.dumps({"packages": packages}).encode())


@pytest.mark.parametrize(
    "program",
    [
        made.elf({".rodata": bytes(9), ".dep-v0": packed()}),
        made.elf({".dep-v0": packed()}, unloaded=(".dep-v0",)),
        made.pe({".dep-v0": packed()}),
        made.macho({".dep-v0": packed()}),
    ],
    ids=["elf", "not-loaded", "pe", "macho"],
)
def test_run_time_crates_are_read_from_every_format(program: bytes) -> None:
    source = MemoryFile("f", program)
    layout = elf.read(source) or pe.read(source) or macho.read(source)[0]
    assert rust.read(layout, source) == ROWS


def test_a_section_without_its_name_is_known_by_its_content() -> None:
    program = made.elf({".dep-v0": packed(), ".zlib": zlib.compress(b"something else")}, first=True)
    kept = Kept(len(program))
    kept.add(0, program[: program.index(b"\0.dep-v0\0")])
    layout = elf.read(kept)
    assert layout is not None
    assert layout.complete
    assert not any(section.name for section in layout.sections)
    assert rust.read(layout, kept) == ROWS


def read(section: bytes) -> object:
    source = MemoryFile("f", made.elf({".dep-v0": section}))
    layout = elf.read(source)
    assert layout is not None
    return rust.read(layout, source)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        (b"no zlib", "damaged"),
        (packed()[:-9], "truncated"),
        (zlib.compress(b"{"), "no JSON"),
        (zlib.compress(b"[" * 100_000), "no JSON"),
        (zlib.compress(b"[]"), "no list"),
        (zlib.compress(b'{"packages": 1}'), "no list"),
    ],
)
def test_a_damaged_section_is_an_error(section: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(section)


def test_a_bomb_is_refused() -> None:
    bomb = MemoryFile("f", made.elf({".dep-v0": packed([{"name": "x" * 2000, "version": "1"}])}))
    layout = elf.read(bomb)
    assert layout is not None
    with pytest.raises(LimitError, match=r"more than 1000 inflated bytes .* binary\.crate-bytes"):
        rust.read(layout, bomb, LIMITS.changed({"crate-bytes": 1000}))


def test_a_program_without_the_section_has_no_list() -> None:
    source = MemoryFile("f", made.elf({".rodata": bytes(9)}))
    layout = elf.read(source)
    assert layout is not None
    assert rust.read(layout, source) is None
