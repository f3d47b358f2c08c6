"""Plain aligned columns for lists, and the same rows as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence

from anchorecli.model import Json
from anchorecli.report import clean
from anchorecli.report.text import fit

Row = Mapping[str, Json]
LONGEST = 60
"""Characters of a list in one cell: one package may have forty licences; JSON has them all."""

LEAST = 8
"""Characters that a column keeps on a narrow terminal."""
NAME = 30
"""Characters that the first one keeps, which names the thing."""


def show(rows: Sequence[Row], *, as_json: bool, empty: str) -> None:
    """Print rows: as a JSON list, or aligned under their keys in upper case; ``empty`` where there is none.

    On a terminal the widest columns give way until a row fits; what is piped, and JSON, has all of it.
    """
    if as_json:
        sys.stdout.write(json.dumps([dict(row) for row in rows], indent=2) + "\n")
        return
    if not rows:
        sys.stderr.write(empty + "\n")
        return
    titles = list(rows[0])
    cells = [[_text(row[title]) for title in titles] for row in rows]
    widths = [max(len(title), *(len(line[n]) for line in cells)) for n, title in enumerate(titles)]
    if sys.stdout.isatty():
        from shutil import get_terminal_size

        widths = _fitted(widths, get_terminal_size().columns)
    for line in [[title.upper().replace("_", " ") for title in titles], *cells]:
        padded = (fit(text, width).ljust(width) for text, width in zip(line, widths, strict=True))
        sys.stdout.write("  ".join(padded).rstrip() + "\n")


def _fitted(widths: list[int], room: int) -> list[int]:
    """Widths of columns that fit: the widest gives way, one character at a time."""
    widths, least = list(widths), [NAME, *[LEAST] * (len(widths) - 1)]
    for _ in range(sum(widths) + 2 * (len(widths) - 1) - room):
        widest = max(range(len(widths)), key=lambda at: (widths[at] > least[at], widths[at]))
        if widths[widest] <= least[widest]:
            break
        widths[widest] -= 1
    return widths


def _text(value: Json) -> str:
    if isinstance(value, list | tuple):
        return _listed([_text(item) for item in value])
    if value is None:
        return "-"
    return clean(f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value))


def _listed(items: list[str]) -> str:
    """As many items as fit, the first one always, each of them whole."""
    text = ", ".join(items)
    if len(text) <= LONGEST:
        return text
    count = len(items)
    while count > 1 and len(text) > LONGEST:
        count -= 1
        text = ", ".join(items[:count]) + f", {len(items) - count} more"
    return text


def size(count: int) -> str:
    """A number of bytes for people."""
    for unit, step in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= step:
            return f"{count / step:.1f} {unit}"
    return f"{count} B"


def short(digest: str) -> str:
    """A digest's first twelve digits."""
    return digest.removeprefix("sha256:")[:12]
