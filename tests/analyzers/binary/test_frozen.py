"""Programs that PyInstaller froze: the distributions inside, however the layer is read, and damage."""

from __future__ import annotations

import struct
import zlib

import pytest

from anchorecli.analyzers.binary.frozen import COOKIE, LOADER, MARK, ROW, read
from anchorecli.analyzers.binary.plugin import Binaries
from anchorecli.errors import LimitError
from tests.analyzers.view import MemoryFile, make_view
from tests.builders import Entry

REQUESTS = b"Metadata-Version: 2.1\nName: requests\nVersion: 2.25.1\nLicense: Apache-2.0\n\n"


def loader(loaded: int = 70_000) -> bytes:
    """An ELF file of which so many bytes are loaded."""
    head = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    segment = struct.pack("<II6Q", 1, 5, 0, 0x400000, 0x400000, loaded, loaded, 4096)
    return (head + segment).ljust(loaded, b"\0")


def program(files: dict[str, bytes], *, behind: bytes = b"", table_at: int = 0, loaded: int = 70_000) -> bytes:
    """A frozen program with these files, deflated, and as many bytes of modules as make it large."""
    content, table = bytes(2 * LOADER), b""
    for name, data in files.items():
        packed, text = zlib.compress(data), name.encode() + b"\0"
        table += ROW.pack(ROW.size + len(text), len(content), len(packed), len(data), 1, b"x") + text
        content += packed
    length = len(content) + len(table) + COOKIE.size
    cookie = COOKIE.pack(MARK, length, table_at or len(content), len(table), 311, b"libpython3.11.so.1.0")
    return loader(loaded) + content + table + cookie + behind


FROZEN = program({"requests-2.25.1.dist-info/METADATA": REQUESTS, "requests-2.25.1.dist-info/RECORD": b"x"})


def test_distributions_that_kept_their_metadata_are_found_and_the_rest_is_told() -> None:
    view = make_view(Binaries(), [{"opt/tool": Entry(FROZEN, mode=0o755)}])
    found = Binaries().assemble(view)
    [package] = found.packages
    assert (package.purl, package.metadata, package.licenses) == (
        "pkg:pypi/requests@2.25.1", {"kind": "frozen"}, ("Apache-2.0",),
    )  # fmt: skip
    [problem] = found.problems
    assert problem.subject == "opt/tool" and "PyInstaller with Python 3.11" in problem.message
    assert not problem.incomplete and not view.read_problems


def test_the_archive_may_stand_in_a_section_with_tables_behind_it() -> None:
    data = program({"a-1.dist-info/METADATA": b"Name: a\nVersion: 1\n"}, behind=bytes(2209))
    fact = read(MemoryFile("tool", data), data[:4096])
    assert [(row["name"], row["version"]) for row in fact["rows"]] == [("a", "1")]


@pytest.mark.parametrize(
    "data",
    [
        loader() + bytes(2 * LOADER),
        program({}, loaded=2 * LOADER),
        program({}, behind=bytes(1 << 17)),
        FROZEN[: -COOKIE.size],
        b"\x7fELF\x02\x01",
        b"MZ" + bytes(4 * LOADER),
    ],
)
def test_other_programs_are_none_of_it(data: bytes) -> None:
    assert read(MemoryFile("tool", data), data[:4096]) is None


@pytest.mark.parametrize(
    "data",
    [
        program({"a.dist-info/METADATA": REQUESTS}, table_at=1 << 30),
        FROZEN.replace(zlib.compress(REQUESTS)[:9], bytes(9)),
    ],
)
def test_damage_is_told(data: bytes) -> None:
    with pytest.raises(ValueError, match="PyInstaller"):
        read(MemoryFile("tool", data), data[:4096])
    view = make_view(Binaries(), [{"opt/tool": Entry(data, mode=0o755)}])
    assert len(view.read_problems) == 1


def test_metadata_without_end_are_not_inflated() -> None:
    large = b"Name: a\nVersion: 1\n" + bytes(4 << 20)
    data = program({f"a{number}.dist-info/METADATA": large for number in range(20)})
    with pytest.raises(LimitError):
        read(MemoryFile("tool", data), data[:4096])
