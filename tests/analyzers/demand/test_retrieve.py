"""Files kept whole: through links of any layer, within their limit, and never silently absent."""

from __future__ import annotations

from anchorecli.analyzers.base import Found
from anchorecli.analyzers.demand.retrieve import RetrieveAnalyzer
from tests.analyzers.view import make_view
from tests.builders import directory, hardlink, link

PASSWD = b"root:x:0:0:root:/root:/bin/sh\nbin:\xff\n"


def kept(*layers: dict[str, object], paths: tuple[str, ...] = ("etc/passwd",), limit: int = 1000) -> Found:
    """What is kept, after the second reading where the first asks for one."""
    analyzer = RetrieveAnalyzer.of("\n".join((str(limit), *paths)))
    view = make_view(analyzer, layers)  # type: ignore[arg-type]
    further = analyzer.beyond(view)
    if further is not None:
        analyzer, view = further, make_view(further, layers)  # type: ignore[arg-type]
        assert analyzer.beyond(view) is None
    found = analyzer.assemble(view)
    assert found.looked_for == {"retrieve": "\n".join(paths)}
    return found


def contents(found: Found) -> dict[str, bytes]:
    return {file.path: file.data for file in found.retrieved}


def test_the_file_of_the_top_most_layer_is_kept_byte_for_byte() -> None:
    found = kept({"etc/passwd": "old"}, {"etc/passwd": PASSWD, "srv/passwd": "other"})
    assert contents(found) == {"etc/passwd": PASSWD}
    assert found.retrieved[0].layer.endswith("1")


def test_a_removed_or_absent_file_is_not_kept_but_was_looked_for() -> None:
    found = kept({"etc/passwd": "x", "etc/group": "y"}, {"etc/.wh.passwd": ""}, paths=("etc/passwd", "nowhere"))
    assert (found.retrieved, found.problems) == ((), ())


def test_links_are_followed() -> None:
    layers = (
        {"usr/lib/os-release": "ID=x", "data/users": PASSWD, "etc/os-release": link("../usr/lib/os-release")},
        {"lib": link("usr/lib"), "etc/passwd": link("/data/users"), "etc/deep": link("passwd")},
    )
    paths = ("etc/os-release", "lib/os-release", "etc/passwd", "etc/deep")
    assert contents(kept(*layers, paths=paths)) == {
        "etc/os-release": b"ID=x",
        "lib/os-release": b"ID=x",
        "etc/passwd": PASSWD,
        "etc/deep": PASSWD,
    }


def test_a_hard_link_has_its_files_content() -> None:
    assert contents(kept({"data/users": PASSWD, "etc/passwd": hardlink("data/users")})) == {"etc/passwd": PASSWD}


def test_a_file_above_the_limit_is_a_gap_in_the_evidence() -> None:
    found = kept({"etc/passwd": "x" * 1001})
    assert found.retrieved == ()
    assert [(p.subject, p.message, p.cause) for p in found.problems] == [
        ("etc/passwd", "not kept: 1001 bytes, over the limit of 1000", "limit_hit")
    ]


def test_what_is_no_regular_file_is_not_kept() -> None:
    found = kept({"etc/passwd": directory(), "etc/a": link("b"), "etc/b": link("a")}, paths=("etc/passwd", "etc/a"))
    assert (found.retrieved, found.problems) == ((), ())


def test_an_empty_file_is_there() -> None:
    assert contents(kept({"etc/passwd": ""})) == {"etc/passwd": b""}


def test_only_what_may_be_meant_is_read() -> None:
    wants = RetrieveAnalyzer.of("1000\netc/passwd").wants
    assert wants.match is not None
    read = ["etc/passwd", "usr/etc/passwd"]
    assert [path for path in (*read, "etc/pam.d/passwd", "usr/bin/passwd") if wants.match(path, 10, 0)] == read
