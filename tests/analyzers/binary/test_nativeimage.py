"""Maven artifacts of GraalVM's native images."""

from __future__ import annotations

import gzip
import json

import pytest

from anchorecli.analyzers.binary import elf, nativeimage
from anchorecli.analyzers.binary.layout import DATA, LIMITS, Kept, Layout, Region
from anchorecli.analyzers.binary.plugin import SECTIONS, Binaries
from anchorecli.errors import LimitError
from tests.analyzers.binary import executables as made
from tests.analyzers.view import MemoryFile, make_view
from tests.builders import Entry

BILL = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.5",
    "components": [
        {"group": "io.netty", "name": "netty-common", "version": "4.1.99", "licenses": [{"license": {"id": "MIT"}}]},
        {"group": "org.acme", "name": "app", "version": "1.0-SNAPSHOT", "licenses": []},
        {"name": "no-group", "version": "1"},
        "nothing",
    ],
}
ROWS = [["io.netty", "netty-common", "4.1.99", "MIT"], ["org.acme", "app", "1.0-SNAPSHOT", ""]]


def packed(document: object = BILL) -> bytes:
    return gzip.compress(json.dumps(document).encode(), mtime=0)


def image(data: bytes, heap: str = ".svm_heap") -> bytes:
    return made.elf({heap: b"heap", ".data": data})


def read(program: bytes) -> list[list[str]] | None:
    source = MemoryFile("f", program)
    layout = elf.read(source, SECTIONS)
    assert layout is not None
    return nativeimage.read(layout, source)


def test_the_bill_of_materials_is_found_among_other_streams() -> None:
    other = gzip.compress(b"something else", mtime=0)
    assert read(image(bytes(40) + other + b"\0" + nativeimage._MAGIC + b"\0damaged" + packed() + bytes(9))) == ROWS


def test_one_that_stands_across_the_steps_of_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nativeimage, "STEP", 64)
    for before in range(50, 70):
        assert read(image(bytes(before) + packed())) == ROWS


def test_other_programs_have_none() -> None:
    assert read(image(packed(), heap=".rodata")) is None
    assert read(image(bytes(100))) is None
    assert read(image(packed({"bomFormat": "other"}))) is None
    assert read(image(packed([BILL]))) is None


def test_damage_and_size_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = gzip.compress(b'{"bomFormat":"CycloneDX", ', mtime=0)
    with pytest.raises(ValueError, match="no JSON"):
        read(image(broken))
    with pytest.raises(ValueError, match="cut off"):
        read(image(packed()[:-12]))
    large = gzip.compress(json.dumps({**BILL, "x": "y" * (LIMITS["bill-bytes"] + 1000)}).encode(), mtime=0)
    with pytest.raises(LimitError, match=r"binary\.bill-bytes"):
        read(image(large))
    program = image(packed())
    layout = elf.read(MemoryFile("f", program), SECTIONS)
    assert layout is not None
    with pytest.raises(ValueError, match="too large to keep"):
        nativeimage.read(layout, Kept(len(program)))


def test_blanks_are_no_group_and_no_name() -> None:
    listed = [{"group": " ", "name": "a", "version": "1"}, {"group": "g", "name": "\t", "version": "1"}]
    assert read(image(packed({**BILL, "components": listed}))) in (None, [])


def test_the_artifacts_are_packages() -> None:
    files = {"app/server": Entry(image(packed()), mode=0o755)}
    found = Binaries().assemble(make_view(Binaries(), [files])).packages
    assert [(each.purl, each.metadata) for each in found] == [
        ("pkg:maven/io.netty/netty-common@4.1.99", {"evidence": "native-image"}),
        ("pkg:maven/org.acme/app@1.0-SNAPSHOT", {"evidence": "native-image"}),
    ]
    assert found[0].licenses == ("MIT",)


def test_a_section_that_claims_to_be_longer_than_its_file_ends_with_it() -> None:
    layout = Layout("elf", (), (Region(".svm_heap", 0, 1, 0, DATA), Region(".data", 0, 1 << 62, 0, DATA)))
    assert nativeimage.read(layout, MemoryFile("f", bytes(10_000))) is None
