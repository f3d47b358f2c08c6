"""SPDX licence expressions of documents as a package's licences: what is joined by AND at the top is a list."""

from __future__ import annotations

import re
from collections.abc import Mapping

from anchorecli.sbom.contents import NOTHING

MAX_LENGTH = 20_000
"""Characters; a longer expression is kept as it is."""
_MAX_TEXT = 200
"""Characters; a longer text behind a reference is the licence itself, not its name."""
_WORD = re.compile(r"[()]|[^\s()]+")


def split(expression: str, texts: Mapping[str, str]) -> tuple[str, ...]:
    """The terms; references become the names that stand behind them."""
    if expression in NOTHING:
        return ()
    if len(expression) > MAX_LENGTH:
        return (expression,)
    terms: list[list[str]] = [[]]
    depth = 0
    for word in _WORD.findall(expression):
        depth += (word == "(") - (word == ")")
        if not depth and word == "AND":
            terms.append([])
        else:
            terms[-1].append(texts.get(word, word))
    return tuple(dict.fromkeys(found for term in terms if (found := _joined(term))))


def named(name: str, text: str) -> str:
    """What to call a licence behind a reference."""
    if name and name not in NOTHING:
        return name
    text = " ".join(text.split())
    return text if len(text) <= _MAX_TEXT else ""


def _joined(words: list[str]) -> str:
    if words[:1] == ["("] and words[-1:] == [")"] and _is_one(words):
        words = words[1:-1]
    return " ".join(words).replace("( ", "(").replace(" )", ")")


def _is_one(words: list[str]) -> bool:
    """Whether the first parenthesis is closed by the last."""
    depth = 0
    for place, word in enumerate(words):
        depth += (word == "(") - (word == ")")
        if not depth:
            return place == len(words) - 1
    return False
