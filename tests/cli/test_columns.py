"""Lists for people: aligned and clean."""

from __future__ import annotations

import json

import pytest

from anchorecli.cli.columns import LEAST, show

ROWS = [
    {"name": ["n" * 90], "licenses": ["MIT", "a" * 40, "b" * 40, "c"], "owner": "o" * 90},
    {"name": ["a\x1b[31m"], "licenses": [], "owner": ""},
]


def test_long_lists_are_cut_between_items_and_names_are_not(capsys: pytest.CaptureFixture[str]) -> None:
    show(ROWS, as_json=False, empty="")
    title, first, second = capsys.readouterr().out.splitlines()
    assert first == f"{'n' * 90}  MIT, {'a' * 40}, 2 more  {'o' * 90}"
    assert second == r"a\x1b[31m"
    assert title.index("OWNER") == first.index("oo")


def test_json_has_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    show(ROWS, as_json=True, empty="")
    assert json.loads(capsys.readouterr().out) == ROWS


@pytest.mark.parametrize("width", [20, 60, 80, 300])
def test_rows_fit_a_terminal_and_the_first_column_stays(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    rows = [{"name": "n" * 20, "url": "https://" + "u" * 90, "digest": "d" * 12, "title": "t " * 40}]
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(width))
    show(rows, as_json=False, empty="")
    title, line = capsys.readouterr().out.splitlines()
    assert len(title) <= len(line) <= max(width, 20 + 3 * (2 + LEAST))
    assert line.startswith("n" * 20 + "  https:/")
    assert ("…" in line) is (width < 300)
    assert ("d" * 12 in line) is (width > 60)


def test_a_long_name_gives_way_but_stays_readable(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    show([{"name": "n" * 90, "state": "open"}], as_json=False, empty="")
    assert capsys.readouterr().out.splitlines()[1] == "n" * 32 + "…  open"
    show([{"name": "n" * 90}], as_json=False, empty="")
    assert capsys.readouterr().out.splitlines()[1] == "n" * 39 + "…"
