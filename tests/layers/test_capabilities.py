"""File capabilities: the words of getcap(8), from a tar's pax records to the squashed tree."""

from __future__ import annotations

import io
import os
import re
import shutil
import struct
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchorecli.layers import read_directory
from anchorecli.layers.capabilities import UNREADABLE, capabilities
from anchorecli.tree import LayerIndex, Tree
from tests.builders import Entry, directory, hardlink, layer, link
from tests.layers.reading import BytesBlob, Keeper, read

ALL = (1 << 41) - 1
NET_RAW, CHOWN, SYS_ADMIN = 1 << 13, 1 << 0, 1 << 21
KEY = "SCHILY.xattr.security.capability"


def cap(effective: int, permitted: int, inheritable: int = 0, root: int | None = None) -> bytes:
    """A value of revision 2, or of 3 where there is a root."""
    revision = 0x02000000 if root is None else 0x03000000
    low, high = 0xFFFFFFFF, 32
    sets = (permitted & low, inheritable & low, permitted >> high, inheritable >> high)
    return struct.pack("<5I", revision | effective, *sets) + (b"" if root is None else struct.pack("<I", root))


CASES = {
    # What getcap 2.66 printed for each of them.
    "one": (cap(1, NET_RAW), "cap_net_raw=ep"),
    "not effective": (cap(0, NET_RAW), "cap_net_raw=p"),
    "two": (cap(1, NET_RAW | 1 << 10), "cap_net_bind_service,cap_net_raw=ep"),
    "inheritable": (cap(0, 0, NET_RAW), "cap_net_raw=i"),
    "mixed": (cap(1, NET_RAW, NET_RAW | CHOWN), "cap_net_raw=eip cap_chown+ei"),
    "all": (cap(1, ALL), "=ep"),
    "all but one": (cap(1, ALL & ~SYS_ADMIN), "=ep cap_sys_admin-ep"),
    "number": (cap(1, 1 << 50), "= 50+ep"),
    "number too": (cap(1, NET_RAW | 1 << 50, CHOWN), "cap_chown=ei cap_net_raw+ep 50+ep"),
    "none": (cap(0, 0), "="),
    "in a namespace": (cap(1, NET_RAW, root=1000), "cap_net_raw=ep [rootid=1000]"),
    "root of ours": (cap(1, NET_RAW, root=0), "cap_net_raw=ep"),
    "revision 1": (struct.pack("<3I", 0x01000001, NET_RAW, 0), "cap_net_raw=ep"),
}


@pytest.mark.parametrize(("value", "text"), CASES.values(), ids=CASES.keys())
def test_the_words_of_getcap(value: bytes, text: str) -> None:
    assert capabilities(value) == text


@pytest.mark.parametrize("value", [cap(1, NET_RAW), cap(1, NET_RAW, root=7), struct.pack("<3I", 0x01000001, 1, 0)])
def test_a_value_cut_at_any_byte_or_too_long_is_unreadable(value: bytes) -> None:
    assert {capabilities(value[:end]) for end in range(len(value))} == {UNREADABLE}
    assert capabilities(value + b"\0") == UNREADABLE
    assert capabilities(struct.pack("<I", 0x04000000) + value[4:]) == UNREADABLE


@given(st.binary(max_size=32))
def test_any_bytes_give_a_text(value: bytes) -> None:
    assert capabilities(value)


@given(
    st.integers(0, 1),
    st.integers(0, (1 << 64) - 1),
    st.integers(0, (1 << 64) - 1),
    st.none() | st.integers(0, (1 << 32) - 1),
)
def test_every_set_tells_what_it_holds(effective: int, permitted: int, inheritable: int, root: int | None) -> None:
    assert _parsed(capabilities(cap(effective, permitted, inheritable, root))) == (
        permitted,
        inheritable,
        permitted | inheritable if effective else 0,
    )


def _parsed(text: str) -> tuple[int, int, int]:
    """Permitted, inheritable, effective of a text, by the rules of cap_from_text(3)."""
    from anchorecli.layers.capabilities import NAMES

    numbers = {f"cap_{name}": 1 << number for number, name in enumerate(NAMES)}
    sets = {"p": 0, "i": 0, "e": 0}
    for group in text.partition(" [")[0].split():
        names = re.split("[=+-]", group)[0]
        bits = sum(numbers[each] if each in numbers else 1 << int(each) for each in names.split(",")) if names else ALL
        for sign, letters in re.findall("([=+-])([eip]*)", group):
            for letter in letters:
                sets[letter] = sets[letter] & ~bits if sign == "-" else sets[letter] | bits
    return sets["p"], sets["i"], sets["e"]


@pytest.mark.skipif(shutil.which("getcap") is None or os.geteuid() != 0, reason="needs getcap and root")
def test_getcap_agrees(tmp_path: Path) -> None:
    for number, (value, text) in enumerate(CASES.values()):
        path = tmp_path / f"f{number}"
        path.write_bytes(b"")
        try:
            os.setxattr(path, "security.capability", value)
        except OSError:
            continue  # This kernel or file system does not take it.
        said = subprocess.run(["getcap", "-n", path], capture_output=True, text=True, check=True).stdout.strip()
        assert said == f"{path} {text}"


class Host:
    """A directory of a host, in memory."""

    def __init__(self, files: dict[str, tuple[int, bytes]]) -> None:
        self.files = files

    def walk(self) -> Iterator[tuple[str, os.stat_result, str]]:
        for path, (mode, _) in self.files.items():
            yield path, os.stat_result((0o100000 | mode, 0, 0, 1, 0, 0, 0, 0, 0, 0)), ""

    def open(self, path: str) -> BinaryIO:
        return io.BytesIO(b"")

    def attribute(self, path: str, name: str) -> bytes:
        return self.files[path][1] if name == "security.capability" else b""


def test_a_directory_of_the_host_tells_them_of_what_can_be_run() -> None:
    able = cap(1, NET_RAW)
    host = Host({"bin/a": (0o755, able), "bin/b": (0o755, b""), "etc/c": (0o644, able)})
    index = read_directory(host, Keeper(lambda path: False)).index
    assert {index.paths[row]: text for row, text in index.capabilities.items()} == {"bin/a": "cap_net_raw=ep"}


# ── from a layer to the tree ────────────────────────────────────────────────────────────────────────────────


def with_cap(value: bytes, **fields: object) -> Entry:
    """A file with the attribute, as Docker writes it."""
    return Entry(b"\x7fELF", mode=0o755, pax={KEY: value.decode("utf-8", "surrogateescape")}, **fields)  # type: ignore[arg-type]


def indexed(*layers: Mapping[str, str | bytes | Entry]) -> Tree:
    """The tree of layers in pax format."""
    tars = [layer(files, format=tarfile.PAX_FORMAT) for files in layers]
    return Tree([LayerIndex.decode(read(tar, BytesBlob(tar), Keeper()).index.encode()) for tar in tars])


def told(tree: Tree) -> dict[str, str]:
    return {file.path: file.capabilities for file in tree.files() if file.capabilities}


def test_pax_records_of_files_are_kept_and_survive_the_store() -> None:
    tree = indexed(
        {
            "usr": directory(),
            "usr/bin/ping": with_cap(cap(1, NET_RAW)),
            "usr/bin/ping4": hardlink("usr/bin/ping"),
            "usr/bin/p": link("ping"),
            "usr/bin/plain": Entry(b"x", pax={"SCHILY.xattr.user.note": "x"}),
            "usr/bin/odd": with_cap(b"no"),
        }
    )
    assert told(tree) == {
        "usr/bin/ping": "cap_net_raw=ep",
        "usr/bin/ping4": "cap_net_raw=ep",
        "usr/bin/odd": UNREADABLE,
    }


def test_a_later_layer_takes_them_away() -> None:
    below = {"bin/a": with_cap(cap(1, NET_RAW)), "bin/b": with_cap(cap(1, CHOWN))}
    assert told(indexed(below, {"bin/a": Entry(b"x", mode=0o755), "bin/.wh.b": ""})) == {}
    assert told(indexed(below, {"bin/.wh.b": ""})) == {"bin/a": "cap_net_raw=ep"}


def test_what_is_no_file_has_none() -> None:
    pax = {KEY: cap(1, NET_RAW).decode("utf-8", "surrogateescape")}
    tree = indexed({"d": Entry(type=tarfile.DIRTYPE, mode=0o755, pax=pax), ".wh.gone": Entry(b"", pax=pax), "f": "x"})
    assert told(tree) == {}


def test_the_record_belongs_to_the_entry_behind_it_alone() -> None:
    tree = indexed({"a": with_cap(cap(1, NET_RAW)), "b": "x", "c": Entry(b"y", pax={"mtime": "1.5"})})
    assert told(tree) == {"a": "cap_net_raw=ep"}


def test_a_layer_cut_at_any_block_keeps_what_came_before() -> None:
    tar = layer({"a": with_cap(cap(1, NET_RAW)), "b": with_cap(cap(1, CHOWN))}, format=tarfile.PAX_FORMAT)
    for end in range(0, len(tar), 256):
        index = read(tar[:end], BytesBlob(tar[:end]), Keeper()).index
        assert set(index.capabilities.values()) <= {"cap_net_raw=ep", "cap_chown=ep"}
        assert set(index.capabilities) <= set(range(len(index.paths)))
