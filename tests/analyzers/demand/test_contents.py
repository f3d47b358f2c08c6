"""Content search: which lines match, from the start of a line, and in bounded time."""

from __future__ import annotations

import pytest

from anchorecli.analyzers.demand.contents import ContentAnalyzer, prepared
from tests.analyzers.view import make_view


def found(text: str | bytes, *patterns: str) -> dict[str, tuple[int, ...]]:
    analyzer = ContentAnalyzer.of("\n".join(("1000000", *patterns)))
    view = make_view(analyzer, [{"etc/file": text}])
    assert view.read_problems == ()
    return {match.pattern: match.lines for match in analyzer.assemble(view).contents}


def test_lines_are_matched_from_their_start_and_counted_from_one() -> None:
    text = "alpha = 1\n  beta = 2\nbeta = 3\r\n\nalphabet"
    assert found(text, "A=alpha", "B=beta = \\d$", "C=.*beta", "NONE=gamma") == {
        "A=alpha": (1, 5),
        "B=beta = \\d$": (3,),
        "C=.*beta": (2, 3),
    }


@pytest.mark.parametrize(
    "pattern", ["X=.*needle.*", "X=(?i).*NEEDLE", "X=.*n[e]{2}dle", "X=(?:.*needle|foo)", "X=.*nee.{1,3}le"]
)
def test_a_pattern_finds_the_same_lines_whether_or_not_it_has_a_text_to_look_for(pattern: str) -> None:
    text = "hay\nhay needle hay needle\n\nneedle\nhay\nNee-dle\nneedle"
    assert found(text, pattern) == {pattern: (2, 4, 7)}


def test_case_is_folded_as_between_bytes() -> None:
    assert found("Über\nKEY\nkey\n", "K=(?i)key", "U=(?i)über") == {"K=(?i)key": (2, 3), "U=(?i)über": (1,)}


def test_any_bytes_can_be_searched() -> None:
    assert found(b"\xff\xfe\0x\nab\xffcd\n", "A=ab.cd", "B=.*\0x") == {"A=ab.cd": (2,), "B=.*\0x": (1,)}


def test_what_is_looked_for_is_told_with_the_limit() -> None:
    analyzer = ContentAnalyzer.of("10\nA=a\nB=b=c")
    view = make_view(analyzer, [{"small": "b=c", "large": "b=c" + " " * 20}])
    assembled = analyzer.assemble(view)
    assert [(match.path, match.pattern) for match in assembled.contents] == [("small", "B=b=c")]
    assert assembled.looked_for == {
        "contents": "A=a\nB=b=c",
        "contents.limit": "files of up to 10 bytes; 1 larger were not searched",
    }


def test_an_expression_that_takes_exponential_time_elsewhere_ends() -> None:
    assert found(("a" * 5000 + "!\n") * 20 + "aaab", "X=(a|aa)+b$") == {"X=(a|aa)+b$": (21,)}


def test_a_file_with_too_many_matches_says_so() -> None:
    analyzer = ContentAnalyzer.of("1000000\nX=x")
    view = make_view(analyzer, [{"file": "x\n" * 1500}])
    assert len(analyzer.assemble(view).contents[0].lines) == 1000
    assert [problem.message for problem in view.read_problems] == [
        "X=x: more than 1000 lines of one file that match one pattern (limit contents.lines)"
    ]
    assert view.read_problems[0].cause == "limit_hit"


def test_other_patterns_are_other_facts() -> None:
    assert ContentAnalyzer.of("10\nA=a").options != ContentAnalyzer.of("10\nA=b").options
    assert prepared("A=a.*needle.*").needed == b"needle"
