"""Licence names and expressions as rules compare them.

Format: SPDX licence expressions (https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/), operators in any
case. Packages carry SPDX identifiers where their names were certain, and bundles name licences in the words of Debian,
Fedora and Anchore Engine (``GPLv2+``, ``GPL-3+``, ``Expat``): both become the same here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

_OPERATOR = re.compile(r"(\(|\))|(?<=[\s)])(and|or|with)(?=[\s(])", re.IGNORECASE)
_GNU = re.compile(r"(a|l)?gpl[- ]?v?(\d)(?:\.(\d))?(?:\.0)?(\+|-or-later|-only| or later)?", re.ASCII)
_UNKNOWN = frozenset({"", "none", "noassertion", "unknown", "n/a", "unlicensed or unknown"})
_WITH = " WITH "

_OTHER_NAMES: Mapping[str, str] = {
    "apache": "apache-2.0",
    "apache 2": "apache-2.0",
    "apache 2.0": "apache-2.0",
    "apache-2": "apache-2.0",
    "apache2": "apache-2.0",
    "asl 2.0": "apache-2.0",
    "asl2.0": "apache-2.0",
    "apache license 2.0": "apache-2.0",
    "artistic-2": "artistic-2.0",
    "boost": "bsl-1.0",
    "bsd-2": "bsd-2-clause",
    "bsd-2-clauses": "bsd-2-clause",
    "bsd-3": "bsd-3-clause",
    "bsd-3-clauses": "bsd-3-clause",
    "cc0": "cc0-1.0",
    "epl-1": "epl-1.0",
    "epl-2": "epl-2.0",
    "expat": "mit",
    "iscl": "isc",
    "mit license": "mit",
    "mpl-1": "mpl-1.0",
    "mpl-2": "mpl-2.0",
    "mplv1.1": "mpl-1.1",
    "mplv2.0": "mpl-2.0",
    "ofl": "ofl-1.1",
    "psf-2": "psf-2.0",
    "zlib/libpng": "zlib",
}
"""Names in bundles → the identifier packages carry for them, both in lower case."""


class Licence(NamedTuple):
    """One licence, comparable: ``version`` of the GNU family, for which ``later`` says whether later ones count."""

    name: str
    version: tuple[int, int] = (0, 0)
    later: bool = False


def is_unknown(text: str) -> bool:
    """Whether a licence text says that the licence is not known."""
    return text.strip().lower() in _UNKNOWN


@lru_cache(maxsize=4096)
def licence(name: str) -> Licence:
    """A single name in comparable form."""
    plain = " ".join(name.lower().split())
    plain = _OTHER_NAMES.get(plain, plain)
    gnu = _GNU.fullmatch(plain)
    if gnu is None:
        return Licence(plain)
    later = gnu[4] not in (None, "-only")
    return Licence(f"{gnu[1] or ''}gpl", (int(gnu[2]), int(gnu[3] or 0)), later)


@lru_cache(maxsize=4096)
def names(text: str) -> tuple[str, ...]:
    """The licences an expression names, in order; the whole text where it is no expression."""
    return tuple(dict.fromkeys(token for token in _tokens(text) if token not in ("AND", "OR", "(", ")")))


def pieces(name: str) -> tuple[str, ...]:
    """What a rule may call a licence of an expression by: all of it, without its exception, or any of its words."""
    base = name.partition(_WITH)[0]
    return tuple(dict.fromkeys((name, base, *name.split())))


def satisfied(text: str, allowed: Callable[[str], bool]) -> bool:
    """Whether one may take the licences of an expression so that every one of them is allowed."""
    values: list[bool] = []
    waiting: list[str] = []

    def close(least: int) -> None:
        while waiting and waiting[-1] != "(" and _RANK[waiting[-1]] >= least:
            right, left = values.pop(), values.pop()
            values.append((left and right) if waiting.pop() == "AND" else (left or right))

    for part in _tokens(text):
        if part in _RANK:
            close(_RANK[part])
            waiting.append(part)
        elif part == "(":
            waiting.append(part)
        elif part == ")":
            close(0)
            waiting.pop()
        else:
            values.append(allowed(part))
    close(0)
    return values[0]


_RANK = {"OR": 1, "AND": 2}


def covers(allowed: Licence, found: Licence) -> bool:
    """Whether an allowed licence lets a found one through: "or later" on either side leaves the choice of version."""
    if allowed.name != found.name:
        return False
    if found.later:
        return allowed.later or allowed.version >= found.version
    return allowed.version == found.version or (allowed.later and allowed.version < found.version)


def _tokens(text: str) -> list[str]:
    """Names, operators in capitals and parentheses; the whole text as one name where they stand in no order."""
    tokens: list[str] = []
    for part in _split(text):
        if len(tokens) > 1 and tokens[-1] == "WITH":
            tokens[-2:] = [f"{tokens[-2]}{_WITH}{part}"]
        else:
            tokens.append(part)
    shape = "".join(part if part in "()" else "o" if part in ("AND", "OR") else "n" for part in tokens)
    before = ""
    while shape != before:
        before, shape = shape, shape.replace("non", "n").replace("(n)", "n")
    return tokens if shape == "n" and "WITH" not in tokens else [" ".join(text.split())]


def _split(text: str) -> Iterator[str]:
    for number, part in enumerate(_OPERATOR.split(text)):
        part = " ".join((part or "").split())
        if part:
            # Every third part is a name; the two between are a parenthesis and an operator, of which one is empty.
            yield part.upper() if number % 3 else part
