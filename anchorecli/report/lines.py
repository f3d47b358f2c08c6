"""Lines of styled text: laid out once, painted with or without colour.

Everything about width and order is decided before painting, so that a terminal and a pipe show the same words in the
same places; a style only ever repeats what a word says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from anchorecli.model import Severity
from anchorecli.report.text import cells, fit, wrap

Style = Literal[
    "", "title", "dim", "pass", "fail", "indeterminate", "warn", "critical", "high", "medium", "low", "add", "code"
]
Span = tuple[str, Style]
Line = Sequence[Span]

_MOST_LINES = 12

_SEVERITY_STYLES: dict[Severity, Style] = {
    Severity.CRITICAL: "critical",
    Severity.HIGH: "high",
    Severity.MEDIUM: "medium",
    Severity.LOW: "low",
}

# The 16 colours of the terminal's own theme, so that they can be read on any background.
_RICH_STYLES = {
    "title": "bold",
    "dim": "dim",
    "pass": "bold green",
    "fail": "bold red",
    "indeterminate": "bold yellow",
    "warn": "yellow",
    "critical": "bold red",
    "high": "red",
    "medium": "yellow",
    "low": "cyan",
    "add": "green",
    "code": "bold",
}


def severity_style(severity: Severity) -> Style:
    """The style of a severity's name."""
    return _SEVERITY_STYLES.get(severity, "dim")


def wrapped(text: str, width: int, *, first: Span = ("", ""), indent: int = 0, style: Style = "") -> list[Line]:
    """Clean ``text`` in lines of ``width``: ``first`` before the first one, blanks of the same size before the rest.

    A text of more than a dozen lines is cut: a feed or an image could send a book.
    """
    start = max(indent, cells(first[0]))
    head = (first[0] + " " * (start - cells(first[0])), first[1])
    rows = wrap(fit(text, _MOST_LINES * width), max(width - start, 20))
    return [[head if at == 0 else (" " * start, ""), (row, style)] for at, row in enumerate(rows)]


def paint(lines: Iterable[Line], *, color: bool) -> str:
    """The text of the lines, ending in a newline; rich is imported for colour only."""
    if not color:
        return "".join("".join([text for text, _ in line]).rstrip() + "\n" for line in lines)
    from rich.color import ColorSystem
    from rich.style import Style as RichStyle

    styles = {name: RichStyle.parse(definition) for name, definition in _RICH_STYLES.items()}
    plain = RichStyle()
    system = ColorSystem.STANDARD
    return "".join(
        "".join([styles.get(style, plain).render(text, color_system=system) for text, style in line]).rstrip() + "\n"
        for line in lines
    )


def plural(count: int, one: str, many: str = "") -> str:
    """``1 package``, ``1,204 packages``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def severity_counts(severities: Iterable[Severity], unknown: str = "of unknown severity") -> str:
    """``3 critical, 1 low``, worst first; empty for none."""
    counts: dict[Severity, int] = {}
    for severity in severities:
        counts[severity] = counts.get(severity, 0) + 1
    return ", ".join(
        f"{counts[severity]:,} {severity.label if severity else unknown}" for severity in sorted(counts, reverse=True)
    )
