"""Squashing: whiteouts, opaque directories, links, and what one layer does to another."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchorecli.model import Kind
from anchorecli.tree import LayerIndex, Tree
from tests.builders import Entry, directory, hardlink, layer, link
from tests.layers.reading import read

Files = Mapping[str, bytes | str | Entry]


def tree(*layers: Files) -> Tree:
    return Tree([read(layer(files)).index for files in layers])


def test_the_top_layer_wins_and_says_so() -> None:
    image = tree({"a": "1", "b": "1"}, {"a": "22"})
    assert sorted(image) == ["a", "b"]
    top = image.stat("a")
    assert top is not None
    assert (top.layer, top.size) == (1, 2)
    assert image.total_bytes() == 3


def test_a_whiteout_hides_a_file_or_a_whole_directory_below_only() -> None:
    image = tree({"d/x": "", "d/y/z": "", "e": ""}, {".wh.d": "", ".wh.e": "", "d/new": ""})
    assert sorted(image) == ["d/new"]
    assert sorted(tree({".wh.a": "", "a": "same layer"})) == ["a"]


def test_what_was_removed_may_come_back() -> None:
    image = tree({"a": "1"}, {".wh.a": ""}, {"a": "3"})
    assert image.stat("a") is not None
    assert image.versions("a") == [(0, "a"), (1, None), (2, "a")]


def test_an_opaque_directory_hides_lower_entries_and_keeps_its_own() -> None:
    image = tree({"d/old": "", "d/sub/old": "", "d": directory()}, {"d/.wh..wh..opq": "", "d/new": ""})
    assert sorted(image) == ["d", "d/new"]
    assert sorted(tree({"a": "", "b/c": ""}, {".wh..wh..opq": "", "z": ""})) == ["z"]


def test_a_file_over_a_directory_hides_its_children_even_when_a_directory_follows() -> None:
    assert sorted(tree({"d/x": ""}, {"d": "file"})) == ["d"]
    assert sorted(tree({"d/x": ""}, {"d": "file"}, {"d": directory(), "d/y": ""})) == ["d", "d/y"]


def test_a_directory_over_a_directory_keeps_the_children() -> None:
    assert sorted(tree({"d": directory(), "d/x": ""}, {"d": directory(0o700), "d/y": ""})) == ["d", "d/x", "d/y"]


def test_a_directory_over_a_symlink_replaces_it() -> None:
    image = tree({"usr/lib/x": "", "lib": link("usr/lib")}, {"lib": directory(), "lib/y": ""})
    assert sorted(image) == ["lib", "lib/y", "usr/lib/x"]


def test_an_entry_written_through_a_symlink_of_a_lower_layer_lands_at_its_target() -> None:
    image = tree({"usr/lib/x": "1", "lib": link("usr/lib")}, {"lib/x": "22", "lib/.wh.gone": ""})
    assert sorted(image) == ["lib", "usr/lib/x"]
    assert image.versions("usr/lib/x") == [(0, "usr/lib/x"), (1, "lib/x")]
    assert sorted(tree({"usr/lib/gone": "", "lib": link("usr/lib")}, {"lib/.wh.gone": ""})) == ["lib"]


@pytest.mark.parametrize("remembered", [1, 2, 1 << 15])
def test_links_resolve_inside_the_image(remembered: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anchorecli.tree._REMEMBERED", remembered)
    image = tree({
        "usr/lib/os-release": "x", "etc/os-release": link("../usr/lib/os-release"), "lib": link("/usr/lib"),
        "a": link("b"), "b": link("a"), "up": link("../../../usr"), "dangling": link("nowhere"), "self": link("self/x"),
    })  # fmt: skip
    assert image.resolve("etc/os-release") == "usr/lib/os-release"
    assert image.resolve("lib/os-release") == "usr/lib/os-release"
    assert image.resolve("/up/lib/os-release") == "usr/lib/os-release"
    assert image.resolve("a") is None
    assert image.resolve("self/y") is None
    assert image.resolve("dangling") is None
    assert image.resolve("usr/lib/os-release") == "usr/lib/os-release"


def test_a_hard_link_has_the_content_of_its_own_time() -> None:
    image = tree({"a": "old"}, {"b": hardlink("a")}, {"a": "newer"})
    hard = image.stat("b")
    assert hard is not None
    assert (hard.kind, hard.size) == (Kind.HARDLINK, 3)
    assert image.hardlink_source(1, "a") == (0, "a")
    assert image.hardlink_source(1, "missing") is None


def test_a_hard_link_loop_ends() -> None:
    image = tree({"a": hardlink("b"), "b": hardlink("a")})
    assert image.hardlink_source(0, "a") is None


def test_the_index_survives_encoding() -> None:
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    index = read(
        layer({name: Entry(b"x", mode=0o4711, uid=4_000_000_000, gid=5), "l": link("t"), "d/.wh.x": ""},
              format=tarfile.GNU_FORMAT)
    ).index  # fmt: skip
    again = LayerIndex.decode(index.encode())
    assert (again.paths, list(again.kinds), again.modes, again.uids, again.gids, again.sizes) == (
        index.paths, index.kinds, index.modes, index.uids, index.gids, index.sizes,
    )  # fmt: skip
    assert (again.targets, again.whiteouts, again.opaques) == (index.targets, index.whiteouts, index.opaques)
    assert LayerIndex.decode(LayerIndex().encode()).paths == []


NAMES = st.sampled_from(["a", "b", "c", "a/a", "a/b", "a/b/c", "b/c", "c/a"])
CHANGES = st.one_of(
    st.tuples(st.just("file"), NAMES), st.tuples(st.just("dir"), NAMES),
    st.tuples(st.just("whiteout"), NAMES), st.tuples(st.just("opaque"), NAMES),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(st.lists(CHANGES, max_size=4), min_size=1, max_size=5))
def test_squashing_agrees_with_applying_layers_one_by_one(changes: list[list[tuple[str, str]]]) -> None:
    """The merge walks top-down for speed; the specification describes it bottom-up. Both must say the same."""
    state: dict[str, str] = {}
    indexes = []
    for steps in changes:
        entries: dict[str, bytes | str | Entry] = {}
        for kind, path in steps:
            parent, slash, name = path.rpartition("/")
            marker = {"whiteout": f"{parent}{slash}.wh.{name}", "opaque": f"{path}/.wh..wh..opq"}.get(kind, path)
            entries.setdefault(marker, "" if kind != "dir" else directory())
        entries = {p: e for p, e in entries.items() if not _inside_file(p, entries)}
        indexes.append(read(layer(entries)).index)
        _apply(state, entries)
    squashed = Tree(indexes)
    assert set(squashed) == set(state)
    for index in indexes:
        # The largest layer's rows are the tree's word.
        assert {path: index.rows[path] for path in index.paths} == dict(
            zip(index.paths, range(len(index.paths)), strict=True)
        )
        assert "a/never" not in index.rows
        assert sorted(index.rows) == sorted(set(index.paths))
        assert len(index.rows) == len(set(index.paths))


def _inside_file(path: str, entries: Mapping[str, object]) -> bool:
    parts = path.split("/")
    return any(entries.get("/".join(parts[:n])) == "" for n in range(1, len(parts)))


def _apply(state: dict[str, str], entries: Mapping[str, bytes | str | Entry]) -> None:
    def drop(prefix: str, itself: bool) -> None:
        for path in [p for p in state if p.startswith(prefix + "/") or (itself and p == prefix)]:
            del state[path]

    for path in entries:
        parent, slash, name = path.rpartition("/")
        if name == ".wh..wh..opq":
            drop(parent, itself=False)
        elif name.startswith(".wh."):
            drop(parent + slash + name[4:], itself=True)
    for path, value in entries.items():
        if ".wh." in path:
            continue
        parts = path.split("/")
        for count in range(1, len(parts)):
            if state.get("/".join(parts[:count])) == "file":
                del state["/".join(parts[:count])]
        if value == "":
            drop(path, itself=False)
        state[path] = "file" if value == "" else "dir"


ROWS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", "a/x", "b/x", "c/x"]), st.sampled_from(["", "d", "a", "b", "c", "/c/a"])),
    max_size=6,
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(ROWS, st.lists(st.sampled_from("abc"), max_size=1)), min_size=1, max_size=4))
def test_of_names_that_stand_twice_in_a_layer_the_last_is_a_link_or_none(
    layers: list[tuple[list[tuple[str, str]], list[str]]],
) -> None:
    """What lands where, told by the links that each layer leaves; the tree looks at all rows at once."""
    links: dict[str, str] = {}
    indexes = []
    expected: list[set[str]] = []
    for rows, whiteouts in layers:
        made = LayerIndex(whiteouts=list(whiteouts))
        for row, (path, target) in enumerate(rows):
            made.add(path, "l" if target not in ("", "d") else target or "f", (0o755, 0, 0), 0)
            if target not in ("", "d"):
                made.targets[row] = target
        indexes.append(made)
        last = dict(rows)
        links = {path: target for path, target in links.items() if path not in last and path not in whiteouts}
        links |= {path: target for path, target in last.items() if target not in ("", "d")}
        expected.append({path for path in last if path.partition("/")[0] in links})
    tree = Tree(indexes)
    for number, paths in enumerate(expected):
        renamed = {path for path in indexes[number].paths if tree.canonical(number, path) != path}
        assert renamed <= paths


# ── depth ───────────────────────────────────────────────────────────────────────────────────────────────────

DEEP = "x/" * 5000


def index(paths: Mapping[str, str]) -> LayerIndex:
    """A stored index, which may hold what the reader of layers would refuse; path → target of a link, or nothing."""
    made = LayerIndex()
    for row, (path, target) in enumerate(paths.items()):
        made.add(path, "l" if target else "f", (0o644, 0, 0), 0)
        if target:
            made.targets[row] = target
    return made


def test_no_depth_is_too_deep() -> None:
    image = Tree([index({DEEP + "f": "", "a": DEEP + "f"}), index({"etc/b": ""})])
    assert DEEP + "f" in image
    assert image.resolve("a") is None  # longer than any target that Linux makes
    through = Tree([index({"x": "y"}), index({DEEP + "f": ""})])
    assert "y/" + DEEP[2:] + "f" in through
    assert through.resolve(DEEP + "f") == "y/" + DEEP[2:] + "f"


def test_links_are_followed_forty_times() -> None:
    chain = {f"l{number}": f"l{number + 1}" for number in range(60)}
    image = Tree([index(chain | {"l60": ""})])
    assert image.resolve("l20") == "l60"
    assert image.resolve("l19") is None
    doubled = {f"d{number}/a": f"../d{number + 1}/a/../a" for number in range(40)}
    assert Tree([index(doubled)]).resolve("d0/a/x") is None


def test_directories_above_long_paths_take_little_memory() -> None:
    import tracemalloc

    deep = index({f"{number}/" + f"{'d' * 60}/" * 250 + "f": "" for number in range(100)})
    tracemalloc.start()
    try:
        image = Tree([deep, deep])
        assert [path for path in image if image.resolve(path) != path] == []
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


# ── very many ───────────────────────────────────────────────────────────────────────────────────────────────

PATHS = st.sampled_from(["a", "b", "c", "a/a", "a/b", "a/b/c", "b/c", "c/a", "c/a/b", "b/a", "caf\udce9"])
KINDS = st.sampled_from(["f", "f", "d", "l:a", "l:b/c", "l:/c", "l:../b", "h:a", "h:a/b"])
LAYERS = st.lists(
    st.tuples(
        st.lists(st.tuples(PATHS, KINDS, st.integers(0, 2)), max_size=6),
        st.lists(PATHS, max_size=2), st.lists(PATHS | st.just(""), max_size=1),
    ),
    min_size=1, max_size=4,
)  # fmt: skip


def _layer(rows: list[tuple[str, str, int]], whiteouts: list[str], opaques: list[str]) -> LayerIndex:
    made = LayerIndex(whiteouts=[*whiteouts], opaques=[*opaques])
    for row, (path, kind, number) in enumerate(rows):
        made.add(path, kind[0], (0o755, number, 0), number if kind == "f" else 0)
        if kind[0] in "lh":
            made.targets[row] = kind[2:]
        if kind == "f" and number:
            made.digests[row] = bytes([number]) * 32
            made.capabilities[row] = f"cap_{number}"
    return made


@settings(max_examples=500, deadline=None)
@given(LAYERS)
def test_very_many_paths_are_merged_as_few_are(
    layers: list[tuple[list[tuple[str, str, int]], list[str], list[str]]],
) -> None:
    stored = [_layer(*each).encode() for each in layers]
    few = Tree([LayerIndex.read([each], compact=False) for each in stored])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("anchorecli.links.MANY_LINKS", 0)
        patch.setattr("anchorecli.squash._KNOWN", 1)
        patch.setattr("anchorecli.places._LEAST", 4)
        many = Tree([LayerIndex.read([each], compact=True) for each in stored])
    paths = {path for rows, *_ in layers for path, *_ in rows} | {"a/b/c/d", "never"}
    assert (sorted(many), len(many), many.total_bytes()) == (sorted(few), len(few), few.total_bytes())
    assert list(many.files()) == list(few.files())
    assert set(many.executables(1)) == set(few.executables(1))
    for path in paths:
        assert (path in many, many.where(path), many.stat(path)) == (path in few, few.where(path), few.stat(path))
        assert (many.resolve(path), many.versions(path)) == (few.resolve(path), few.versions(path))
        for number, index in enumerate(many.layers):
            assert many.canonical(number, path) == few.canonical(number, path)
            assert index.rows.get(path) == few.layers[number].rows.get(path)
            assert many.hardlink_source(number, path) == few.hardlink_source(number, path)


@given(LAYERS, st.integers(0, 6))
def test_the_first_paths_of_a_layer_are_a_layer(
    layers: list[tuple[list[tuple[str, str, int]], list[str], list[str]]], count: int
) -> None:
    for rows, whiteouts, opaques in layers:
        for compact in (False, True):
            whole = LayerIndex.read([_layer(rows, whiteouts, opaques).encode()], compact=compact)
            part = whole.first(count)
            assert part.encode() == _layer(rows[:count], whiteouts[:count], opaques[:count]).encode()
            assert part.is_compact == compact
