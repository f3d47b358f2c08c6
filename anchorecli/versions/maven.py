"""Maven versions, in the order of Maven's own ``ComparableVersion``.

Format: https://maven.apache.org/pom.html#Version_Order_Specification, e.g. ``1.0-alpha-1``, ``2.9.10.4``,
``5.2.25.RELEASE``. One thing besides: ``.jre11`` and ``.jdk8`` at the end name a build for a Java version and do not
count, as vulnerability ranges mean it.
"""

from __future__ import annotations

import re
from functools import total_ordering
from itertools import zip_longest
from typing import Any

from anchorecli.errors import VersionError

_VALID = re.compile(r"[A-Za-z0-9][^\s,\[\]()]*")
_JAVA = re.compile(r"\.(?:jre|jdk)[0-9]+$", re.ASCII)
_TOKENS = re.compile(r"[0-9]+|[^0-9.-]+|[.-]", re.ASCII)
_MAX_TOKENS = 200
_DIGITS = frozenset("0123456789")
_KINDS = {tuple: 0, list: 1, int: 2}

_QUALIFIERS = {name: rank for rank, name in enumerate(("alpha", "beta", "milestone", "rc", "snapshot", "", "sp"))}
_RELEASE = _QUALIFIERS[""]
_OTHER = len(_QUALIFIERS)
_SYNONYMS = {"ga": "", "final": "", "release": "", "cr": "rc"}
_SHORT = {"a": "alpha", "b": "beta", "m": "milestone"}

Word = tuple[int, str]
"""A qualifier: its rank, and what it says where it is not one that Maven knows."""

Item = Any
"""A number, a ``Word``, or a list of items, as a ``Version`` holds them."""


@total_ordering
class Version:
    """A parsed version; compared item by item, where an item that is not there counts as nothing special."""

    __slots__ = ("items",)

    def __init__(self, items: list[Item]) -> None:
        self.items = items

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and _compare_lists(self.items, other.items) == 0

    def __lt__(self, other: Version) -> bool:
        return _compare_lists(self.items, other.items) < 0

    def __hash__(self) -> int:
        return hash(repr(self.items))


def key(text: str) -> Version:
    """The sort key.

    Raises: VersionError for blanks, and for what is a range rather than a version.
    """
    text = text.strip()
    if not _VALID.fullmatch(text):
        raise VersionError(f"not a Maven version: {text!r}")
    return Version(_parsed(_JAVA.sub("", text.lower())))


def _parsed(text: str) -> list[Item]:
    """Items; a hyphen, and every border between digits and letters, opens a list inside the list."""
    stack: list[list[Item]] = [[]]
    pending = ""
    for part in _tokens(text):
        if part in (".", "-"):
            stack[-1].append(_item(pending))
            if part == "-":
                _open(stack)
            pending = ""
            continue
        if pending:
            if pending[0] not in _DIGITS:
                _open_unless_empty(stack)
                pending = _SHORT.get(pending, pending)
            stack[-1].append(_item(pending))
            _open(stack)
        pending = part
    if pending:
        if pending[0] not in _DIGITS:
            _open_unless_empty(stack)
        stack[-1].append(_item(pending))
    for items in reversed(stack):
        _normalise(items)
    return stack[0]


def _tokens(text: str) -> list[str]:
    found = _TOKENS.findall(text)
    if len(found) > _MAX_TOKENS:
        raise VersionError(f"a Maven version of {len(found)} parts, more than {_MAX_TOKENS}")
    return found


def _item(text: str) -> Item:
    if not text:
        return 0
    if text[0] in _DIGITS:
        return int(text)
    name = _SYNONYMS.get(text, text)
    rank = _QUALIFIERS.get(name, _OTHER)
    return rank, name if rank == _OTHER else ""


def _open_unless_empty(stack: list[list[Item]]) -> None:
    if stack[-1]:
        _open(stack)


def _open(stack: list[list[Item]]) -> None:
    inner: list[Item] = []
    stack[-1].append(inner)
    stack.append(inner)


def _normalise(items: list[Item]) -> None:
    """Take away what says nothing, from the end and before lists, up to the first item that says something."""
    for place in range(len(items) - 1, -1, -1):
        item = items[place]
        if item in (0, (_RELEASE, ""), []):
            del items[place]
        elif not isinstance(item, list):
            break


def _compare_lists(a: list[Item], b: list[Item]) -> int:
    for left, right in zip_longest(a, b):
        order = -_against_nothing(right) if left is None else _compare(left, right)
        if order:
            return order
    return 0


def _compare(a: Item, b: Item) -> int:
    """A number is above a list (after a hyphen), and a list above a word."""
    if b is None:
        return _against_nothing(a)
    kind, other = _KINDS[type(a)], _KINDS[type(b)]
    if kind != other:
        return kind - other
    return _compare_lists(a, b) if isinstance(a, list) else (a > b) - (a < b)


def _against_nothing(item: Item) -> int:
    if isinstance(item, int):
        return int(item > 0)
    if isinstance(item, tuple):
        return int(item[0] > _RELEASE) - int(item[0] < _RELEASE)
    return next((order for each in item if (order := _against_nothing(each))), 0)
