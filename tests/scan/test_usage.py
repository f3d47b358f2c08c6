"""What a layer's files are worth to the image."""

from __future__ import annotations

from anchorecli.scan.usage import usage
from anchorecli.tree import Tree
from tests.builders import hardlink, layer, link
from tests.layers.reading import read


def used(*layers):
    return usage(Tree([read(layer(files)).index for files in layers]))


def test_files_that_later_layers_removed_or_replaced_are_wasted():
    first, second, third = used(
        {"a": "x" * 10, "b": "x" * 20, "c": "x" * 30, "kept": "x" * 5},
        {"a": "y", ".wh.b": "", "d/e": "x" * 7},
        {"d/.wh..wh..opq": "", "d/f": "z"},
    )
    assert (first.files, first.size, first.wasted_files, first.wasted) == (4, 65, 2, 30)
    assert first.largest == (("b", 20), ("a", 10))
    assert (second.wasted_files, second.wasted, second.largest) == (1, 7, (("d/e", 7),))
    assert third == (1, 1, 0, 0, ())


def test_of_very_many_files_the_largest_are_told(monkeypatch):
    monkeypatch.setattr("anchorecli.scan.usage._KEPT", 12)
    first, _ = used({f"f{number:02}": "x" * (number * 7 % 41) for number in range(40)}, {".wh..wh..opq": "", "new": ""})
    assert (first.wasted_files, first.wasted) == (40, sum(number * 7 % 41 for number in range(40)))
    expected = sorted(((number * 7 % 41, f"f{number:02}") for number in range(40)), key=lambda each: -each[0])
    assert first.largest == tuple((path, size) for size, path in expected[:10])


def test_bytes_that_a_hard_link_still_shows_are_not_wasted():
    first, _ = used({"a": "x" * 10, "b": hardlink("a")}, {".wh.a": ""})
    assert (first.wasted_files, first.wasted) == (0, 0)
    first, _ = used({"a": "x" * 10, "b": hardlink("a")}, {".wh.a": "", ".wh.b": ""})
    assert first.wasted == 10


def test_what_lands_behind_a_link_is_shown_there():
    _, second = used({"usr/lib/x": "x", "lib": link("usr/lib")}, {"lib/y": "y"})
    assert second.wasted == 0


def test_a_name_that_a_layer_writes_twice_is_wasted_once():
    index = read(layer([("a", "old"), ("a", "new!")])).index
    (only,) = usage(Tree([index]))
    assert (only.wasted, only.size - only.wasted) in ((3, 4), (0, 4))
