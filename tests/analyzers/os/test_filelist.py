"""Paths survive their compact form."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from anchorecli.analyzers.os.filelist import Paths, pack, unpack

NAME = st.text(st.characters(exclude_characters="/\n\0", exclude_categories=[]), min_size=1, max_size=8).filter(
    lambda name: name not in (".", "..")
)


@settings(deadline=None)
@given(st.dictionaries(st.lists(NAME, max_size=3).map("/".join), st.lists(NAME, min_size=1, max_size=5), max_size=5))
def test_round_trip(directories):
    paths = [f"{directory}/{name}" if directory else name for directory, names in directories.items() for name in names]
    assert list(unpack(pack(directories.items()))) == paths


def test_odd_names_are_left_out():
    packed = pack([("a", ["x", "", "y\nz"]), ("b\nc", ["x"]), ("d", []), ("/", ["root"])])
    assert list(unpack(packed)) == ["a/x", "root"]
    assert list(unpack("")) == []


def test_owned_paths_can_be_walked_twice_and_stand_below_their_root():
    paths = Paths(("/a\n/b",), "opt/root")
    assert list(paths) == list(paths) == ["opt/root/a", "opt/root/b"]
    assert list(Paths((pack([("usr/bin", ["x"])]),), packed=True)) == ["usr/bin/x"]
