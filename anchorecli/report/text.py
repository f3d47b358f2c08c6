"""The one place where text from an image or a feed is made fit for a terminal and a CI log.

Names, versions, instructions and summaries are written by strangers. Printed raw they could move the cursor, hide or
reorder what stands there, or give orders to the CI system that reads the log.
"""

from __future__ import annotations

import re
import unicodedata

# Drawn as nothing although Unicode calls them letters, marks or symbols: Hangul fillers, grapheme joiner, Khmer
# inherent vowels, Mongolian and other variation selectors, the empty Braille cell.
_INVISIBLE = "\u115f\u1160\u3164\uffa0\u034f\u17b4\u17b5\u180b-\u180d\u180f\ufe00-\ufe0f\u2800\U000e0100-\U000e01ef"
_INVISIBLE_CHARACTER = re.compile(f"[{_INVISIBLE}]")
_MARKS_IN_A_ROW = 3

# GitHub reads ``::command`` at the start of a line and ``##[command]`` anywhere in it, Azure ``##vso[command]``
# anywhere, TeamCity ``##teamcity[``. A word before ``::`` (``std::string``) keeps it off every line's start.
_CI_COMMAND = re.compile(r"(?<!\w):(?=:)|#(?=#\w{0,20}\[)")


def clean(text: str) -> str:
    """``text`` as one harmless line: every whitespace run one blank, what cannot be seen escaped, commands broken up.

    Escapes are Python's (``\\x1b``, ``\\u202e``), so that an odd name is seen to be odd; a byte that is not UTF-8
    (surrogateescape) shows as ``\\xff``.
    """
    if not (text.isascii() and text.isprintable()):
        text = " ".join(text.split())
        if not text.isascii() or not text.isprintable():
            text = _visible(text)
    elif "  " in text or text[:1] == " " or text[-1:] == " ":
        text = " ".join(text.split())
    if "::" in text or "##" in text:
        # The blank is put after the first of the pair: ``: :error``, ``# #[group]``.
        text = _CI_COMMAND.sub(lambda found: found.group() + " ", text)
    return text


def quiet(document: str) -> str:
    """A JSON document that no CI system reads a command in: of ``##`` the second is escaped.

    The value stays the same, and a line of JSON never starts with ``::``.
    """
    return document.replace("##", "#\\u0023")


def cells(text: str) -> int:
    """How many columns of a terminal ``text`` takes; it must be clean."""
    if text.isascii():
        return len(text)
    return sum(_cell(character) for character in text)


def fit(text: str, width: int) -> str:
    """``text`` in at most ``width`` columns; where it is cut it ends in ``…``."""
    if len(text) <= width and cells(text) <= width:
        return text
    if width < 2:
        return "…"[:width]
    if text.isascii():
        return text[: width - 1].rstrip() + "…"
    taken = 0
    for at, character in enumerate(text):
        taken += _cell(character)
        if taken > width - 1:
            return text[:at].rstrip() + "…"
    return text


def wrap(text: str, width: int) -> list[str]:
    """``text`` in lines of at most ``width`` columns, broken at blanks; a longer word is left whole.

    Words are never cut: the inside of one could be a CI command once it starts a line, and a path cut in two cannot
    be copied.
    """
    lines: list[str] = []
    line = ""
    used = 0
    for word in text.split(" "):
        size = cells(word)
        if line and used + 1 + size > width:
            lines.append(line)
            line, used = word, size
        else:
            line, used = (f"{line} {word}", used + 1 + size) if line else (word, size)
    lines.append(line)
    return lines


def _visible(text: str) -> str:
    # Most texts are: a summary that is cut ends in ``…``. Of characters there are few, however long a text is.
    if text.isprintable() and not _INVISIBLE_CHARACTER.search(text) and not any(map(unicodedata.combining, set(text))):
        return text
    out: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if "\udc80" <= character <= "\udcff":
            out.append(f"\\x{ord(character) - 0xDC00:02x}")
        elif not character.isprintable() or _INVISIBLE_CHARACTER.match(character) or marks > _MARKS_IN_A_ROW:
            out.append(character.encode("unicode_escape", "surrogatepass").decode("ascii"))
        else:
            out.append(character)
    return "".join(out)


def _cell(character: str) -> int:
    if unicodedata.east_asian_width(character) in "WF":
        return 2
    return 0 if unicodedata.category(character) in ("Mn", "Me") else 1
