"""One clean line for each event."""

from __future__ import annotations

import io

import pytest

from anchorecli.notify.line import LineChannel, line, visible
from tests.notify.events import event, settings


class Closed(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")


def test_a_line_for_each_event_in_order() -> None:
    out = io.StringIO()
    problems = LineChannel(stream=out).send(
        [event(), event("policy_eval", message="fail (stop), was pass")], settings()
    )
    assert not problems
    assert out.getvalue() == (
        "2026-01-31T12:00:00Z tag_update docker.io/debian:12 is now sha256:aa\n"
        "2026-01-31T12:00:00Z policy_eval docker.io/debian:12: fail (stop), was pass\n"
    )


def test_standard_output_is_the_one_of_that_moment(capsys: pytest.CaptureFixture[str]) -> None:
    LineChannel().send([event()], settings())
    assert capsys.readouterr().out.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain  text\n\twith\r\nlines", "plain text with lines"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\u202eb\u2066c\u200b", "a\\u202eb\\u2066c\\u200b"),
        ("caf\u00e9 \U0001f600", "caf\u00e9 \U0001f600"),
        ("byte \udcff", "byte \\udcff"),
        ("::error::x ##[group]y", ": :error: :x # #[group]y"),
        ("\u2028next\x85line\x0bfeed", "next line feed"),
    ],
)
def test_nothing_reaches_the_terminal_unseen(text: str, expected: str) -> None:
    assert visible(text) == expected
    assert "\n" not in line(event(message=text))


def test_a_stream_that_cannot_write_every_character() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
    assert not LineChannel(stream=out).send([event(message="caf\u00e9")], settings())
    assert b"caf\\xe9" in raw.getvalue()


def test_a_broken_pipe_is_a_problem() -> None:
    (problem,) = LineChannel(stream=Closed()).send([event()], settings())
    assert (problem.stage, problem.subject, problem.incomplete) == ("notify", "line", False)
    assert "Broken pipe" in problem.message
