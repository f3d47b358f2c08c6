"""Cleaning text, and measuring and breaking it."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from anchorecli.report.text import cells, clean, fit, quiet, wrap
from tests.report.samples import HOSTILE

NASTY = st.lists(
    st.sampled_from(
        ["::", ":", "#", "##", "[", "error", "vso[", " ", "\n", "\t", "\x1b", "\u202e", "\u200b", "é", "日"]
    )
    | st.characters(),
    max_size=12,
).map("".join)


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("zlib1g", "zlib1g"),
        ("1:2.3-4+deb12u1~rc1", "1:2.3-4+deb12u1~rc1"),
        ("", ""),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x9b31m", "\\x9b31m"),
        ("a\u202eb\u2066c", "a\\u202eb\\u2066c"),
        ("zero\u200bwidth\ufeff\u00ad", "zero\\u200bwidth\\ufeff\\xad"),
        ("two\nlines\r\nand\ttab", "two lines and tab"),
        ("a\u2028b\u2029c\u0085d", "a b c d"),
        ("  much   blank ", "much blank"),
        ("nul\x00bell\x07", "nul\\x00bell\\x07"),
        ("not utf-8: \udcff", "not utf-8: \\xff"),
        ("\ud800", "\\ud800"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("filler\u3164\u2800", "filler\\u3164\\u2800"),
        ("variant\ufe0f", "variant\\ufe0f"),
        ("日本語 naïve café", "日本語 naïve café"),
        ("z" + "\u0301" * 5, "z" + "\u0301" * 3 + "\\u0301" * 2),
        ("::error file=x::boom", ": :error file=x::boom"),
        ("x\n::warning::boom", "x : :warning::boom"),
        ("std::string Foo::Bar", "std::string Foo::Bar"),
        ("##vso[task.complete]", "# #vso[task.complete]"),
        ("done ##[error]x", "done # #[error]x"),
        ("##teamcity[x]", "# #teamcity[x]"),
        ("a ## heading", "a ## heading"),
        ("::::", ": : : :"),
    ],
)
def test_clean(raw: str, cleaned: str) -> None:
    assert clean(raw) == cleaned


@given(NASTY)
@example(HOSTILE)
def test_clean_text_is_one_harmless_line(text: str) -> None:
    cleaned = clean(text)
    assert cleaned.isprintable()
    cleaned.encode("utf-8")
    assert not cleaned.startswith("::")
    assert " ::" not in cleaned
    assert "##[" not in cleaned
    assert "##vso[" not in cleaned
    assert clean(cleaned) == cleaned


@given(NASTY, st.integers(1, 30))
def test_fit_keeps_to_the_width(text: str, width: int) -> None:
    cleaned = clean(text)
    fitted = fit(cleaned, width)
    assert cells(fitted) <= width
    assert fitted == cleaned or fitted.endswith("…")
    if cells(cleaned) <= width:
        assert fitted == cleaned


@given(NASTY, st.integers(1, 30))
def test_wrapping_loses_nothing_and_starts_no_command(text: str, width: int) -> None:
    cleaned = clean(text)
    lines = wrap(cleaned, width)
    assert " ".join(lines) == cleaned
    assert not any(line.startswith("::") for line in lines)
    assert all(cells(line) <= width or " " not in line for line in lines)


def test_wide_characters_take_two_columns() -> None:
    assert cells("日本") == 4
    assert cells("e\u0301") == 1
    assert fit("日本語", 5) == "日本…"
    assert fit("日本語", 4) == "日…"


@pytest.mark.parametrize("document", ['"##[error]"', '"###"', '"a\\\\##b"', '{"##": "# #"}'])
def test_quiet_json_means_the_same(document: str) -> None:
    import json

    assert "##" not in quiet(document)
    assert json.loads(quiet(document)) == json.loads(document)
