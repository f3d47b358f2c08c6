"""apk databases: entries, files, licences, layers, damage."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchorecli.analyzers.os.apk import ApkAnalyzer, parse
from anchorecli.model import Distro
from tests.analyzers.view import make_view
from tests.builders import link

ALPINE = Distro("alpine", "3.18.4")
MUSL = """\
C:Q1aaaaaaaaaaaaaaaaaaaaaaaaaaa=
P:musl
V:1.2.4-r2
A:x86_64
S:389127
I:634880
T:the musl c library (libc) implementation
L:MIT
o:musl
m:Timo <timo@example.org>
p:so:libc.musl-x86_64.so.1=1
F:lib
R:ld-musl-x86_64.so.1
a:0:0:755
Z:Q1bbb=
R:libc.musl-x86_64.so.1
F:etc
F:
R:.root

"""
UTILS = """\
C:Q1ccc=
P:musl-utils
V:1.2.4-r2
A:x86_64
L:MIT AND BSD-2-Clause AND GPL-2.0-or-later
o:musl
F:usr/bin
R:ldd

"""
PLACE = "lib/apk/db/installed"


def find(*layers, distro=ALPINE):
    analyzer = ApkAnalyzer()
    view = make_view(analyzer, layers, distro)
    return view, analyzer.assemble(view)


def test_a_package_whole():
    view, found = find({PLACE: MUSL + UTILS})
    musl, utils = found.packages
    assert (musl.name, musl.version, musl.arch, musl.size) == ("musl", "1.2.4-r2", "x86_64", 634880)
    assert (musl.type, musl.scheme, musl.vendor) == ("apk", "apk", "Timo <timo@example.org>")
    assert musl.purl == "pkg:apk/alpine/musl@1.2.4-r2?arch=x86_64&distro=alpine-3.18.4"
    assert utils.purl == "pkg:apk/alpine/musl-utils@1.2.4-r2?arch=x86_64&distro=alpine-3.18.4&upstream=musl"
    assert (utils.source, utils.source_version) == ("musl", "1.2.4-r2")
    assert utils.licenses == ("MIT AND BSD-2-Clause AND GPL-2.0-or-later",)
    assert list(found.owned[musl.purl]) == ["lib/ld-musl-x86_64.so.1", "lib/libc.musl-x86_64.so.1", ".root"]
    assert list(found.owned[utils.purl]) == ["usr/bin/ldd"]
    assert view.read_problems == ()


@pytest.mark.parametrize("distro", [Distro("wolfi", "20230201"), Distro("chainguard", "20230214")])
def test_other_distributions_have_their_own_namespace(distro):
    _, found = find({"usr/lib/apk/db/installed": UTILS}, distro=distro)
    assert found.packages[0].purl.startswith(f"pkg:apk/{distro.id}/musl-utils@1.2.4-r2?")


def test_without_a_distribution_there_is_no_namespace():
    _, found = find({PLACE: UTILS}, distro=None)
    assert found.packages[0].purl == "pkg:apk/musl-utils@1.2.4-r2?arch=x86_64&upstream=musl"


def test_a_merged_usr_database_counts_once():
    _, found = find({"lib": link("usr/lib"), "usr/lib/apk/db/installed": MUSL})
    assert len(found.packages) == 1
    assert found.packages[0].locations[0].path == "usr/lib/apk/db/installed"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("MIT", ("MIT",)),
        ("GPL2+ BSD custom", ("GPL-2.0-or-later", "BSD", "custom")),
        ("GPL-2.0-or-later LGPL-2.1-or-later", ("GPL-2.0-or-later", "LGPL-2.1-or-later")),
        ("Public Domain", ("Public Domain",)),
        ("MIT OR Apache-2.0", ("MIT OR Apache-2.0",)),
        ("GPL-2.0-only WITH Foo", ("GPL-2.0-only WITH Foo",)),
        ("ASL 2.0", ("Apache-2.0",)),
        ("", ()),
    ],
)
def test_licences(written, expected):
    _, found = find({PLACE: f"P:a\nV:1-r0\nL:{written}\n\n"})
    assert found.packages[0].licenses == expected


def test_each_package_has_the_layer_that_brought_it():
    view, found = find({PLACE: MUSL}, {PLACE: MUSL + UTILS}, {PLACE: MUSL.replace("-r2", "-r3") + UTILS})
    assert [p.layer for p in found.packages] == [view.diff_id(2), view.diff_id(1)]


def test_a_missing_empty_line_does_not_join_two_packages():
    entries, damage = parse(MUSL.rstrip("\n") + "\n" + UTILS)
    assert [entry.name for entry in entries] == ["musl", "musl-utils"]
    assert damage == ""
    assert "ldd" not in entries[0].files


def test_a_missing_last_empty_line_is_no_damage():
    entries, damage = parse((MUSL + UTILS).rstrip("\n") + "\n")
    assert (len(entries), damage) == (2, "")


def test_megabyte_lines():
    entries, damage = parse(f"P:a\nV:1-r0\np:{'so:x ' * 400_000}\nF:x\nR:{'y' * 1_000_000}\n\n")
    assert (len(entries), damage) == (1, "")


@pytest.mark.parametrize(
    ("text", "kept", "message"),
    [
        (MUSL + "C:Q1x=\nP:half\n", 1, "1 of 2 entries without a usable name or version, the first from line 21"),
        (MUSL + "P:half\nV:1-r0\nF:usr/li", 2, "the last line has no end"),
        (MUSL + "R:stray\n\0\0\0\n\n" + UTILS, 2, "1 of 3 entries"),
        ("P:a\nV:1-r0\nnonsense\n\n", 1, "lines of another form in 1 entries, the first from line 1"),
        ("P:a b\nV:1\n\n", 0, "1 of 1 entries"),
        ("\x1f\x8b\x08garbage\n", 0, "1 of 1 entries"),
    ],
)
def test_damage_is_told_and_the_rest_kept(text, kept, message):
    view, found = find({PLACE: text})
    assert len(found.packages) == kept
    assert message in view.read_problems[0].message
    assert view.read_problems[0].subject == PLACE


def test_cut_anywhere():
    text = MUSL + UTILS
    for length in range(len(text) + 1):
        entries, damage = parse(text[:length])
        assert len(entries) <= 2
        assert damage or length == 0 or text[length - 1] == "\n"


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["P:a", "V:1", "C:", "F:x", "F:", "R:y", "", "L:MIT", "?", "\udcff", "I:²"]), max_size=20)
)
def test_no_text_breaks_it(lines):
    text = "\n".join(lines)
    parse(text)
    find({PLACE: text.encode("utf-8", "surrogateescape")})
