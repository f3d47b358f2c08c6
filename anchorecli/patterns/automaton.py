"""A regular expression as an automaton: whether a match exists, in time linear in the text.

The expression is read by Python's own parser, so that the syntax and its meaning are the same; the tree becomes a
nondeterministic automaton (Thompson's construction) whose states are advanced together, one character at a time.

Not handled: back references, conditionals, atomic groups and possessive quantifiers (``Unsupported``): their
meaning depends on the path taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from math import inf
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

from anchorecli.errors import LimitError

_MAX_STATES = 5_000
_MAX_REMEMBERED = 20_000

Item = tuple[Any, Any]
Test = Callable[[str], bool]
Assertion = Callable[[str, int], bool]


class Unsupported(ValueError):
    """A construct, or a size, that has no bounded automaton."""


class Tree:
    """A parsed expression: Python's own parse tree and its flags."""

    __slots__ = ("flags", "items")

    def __init__(self, items: Sequence[Item], flags: int) -> None:
        self.items = items
        self.flags = flags


def parse(text: str) -> Tree:
    """The tree of an expression. Raises: re.error, RecursionError as ``re.compile`` does."""
    parsed = _parser.parse(text)
    return Tree(list(parsed), parsed.state.flags)


def ways(tree: Tree, length: int) -> float:
    """An upper bound of how many ways a backtracking matcher can try a text of this length; infinite where a
    repetition stands inside another."""
    items = list(tree.items)
    if items and items[-1][0] in _REPEATS and _ways(items[-1][1][2], length) == 1:
        items.pop()  # The last repetition is never taken back: whatever it takes, it is a match.
    return _ways(items, length)


_REPEATS = (op.MAX_REPEAT, op.MIN_REPEAT)


def _ways(items: Sequence[Item], length: int) -> float:
    total = 1.0
    for kind, value in items:
        if kind in _REPEATS:
            low, high, body = value
            inner = _ways(body, length)
            count = min(high, length)
            if inner > 1 and count > 1:
                return inf
            total *= max(1, count - low) + 1 if high > low else 1
            total *= inner
        elif kind is op.SUBPATTERN:
            total *= _ways(value[3], length)
        elif kind is op.BRANCH:
            total *= sum(_ways(choice, length) for choice in value[1])
        elif kind in (op.ASSERT, op.ASSERT_NOT):
            total *= _ways(value[1], length)
    return total


def required_text(tree: Tree) -> str:
    """A piece of text that every match holds, the longest that is easily seen; empty where none is."""
    return max(_pieces(tree.items, tree.flags), key=len, default="")


def _pieces(items: Sequence[Item], flags: int) -> Iterator[str]:
    """The runs of characters that stand in a sequence whatever else happens."""
    if flags & re.IGNORECASE:
        return
    run = ""
    for kind, value in items:
        if kind is op.LITERAL:
            run += chr(value)
        elif kind is not op.AT:  # a position takes no character: what stands around it stands together
            yield run
            run = ""
            if kind is op.SUBPATTERN:
                yield from _pieces(value[3], (flags | value[1]) & ~value[2])
            elif kind in _REPEATS and value[0] > 0:
                yield from _pieces(value[2], flags)
    yield run


class Automaton:
    """The states of one expression, with a budget of steps for all texts together.

    Raises: Unsupported for what has no automaton.
    """

    __slots__ = ("_assertions", "_asserts", "_left", "_looks", "_start", "_steps", "_targets", "_tests", "_text")

    def __init__(self, text: str, budget: int = 2_000_000) -> None:
        self._text = text
        self._left = budget
        self._asserts = self._looks = False
        self._steps: dict[tuple[frozenset[int], str], frozenset[int]] = {}
        # State 0 accepts. A state has a test (it takes a character), or an assertion, or neither (a fork).
        self._tests: list[Test | None] = [None]
        self._assertions: list[Assertion | None] = [None]
        self._targets: list[tuple[int, ...]] = [()]
        tree = parse(text)
        self._start = self._sequence(tree.items, 0, tree.flags)

    def matches(self, text: str) -> bool:
        """Whether the text matches from its start. Raises: LimitError when the budget of steps is used up."""
        return self._advance(self._start, text, 0)

    def _advance(self, start: int, text: str, position: int) -> bool:
        current = self._closure([start], text, position)
        while current and 0 not in current and position < len(text):
            # What a set of states becomes depends on the character it takes and, for $ and \b, on the two after it.
            # Remembering that makes a step one look-up; what looks further ahead or behind cannot be remembered.
            key = (current, text[position : position + 3] if self._asserts else text[position])
            following = self._steps.get(key)
            self._left -= 1 if following is not None else len(current) + 1
            if self._left < 0:
                raise LimitError(f"the regular expression {self._text[:80]!r} takes too many steps")
            if following is None:
                moved = [self._targets[state][0] for state in current if self._takes(state, text[position])]
                following = self._closure(moved, text, position + 1)
                if not self._looks and len(self._steps) < _MAX_REMEMBERED:
                    self._steps[key] = following
            current = following
            position += 1
        return 0 in current

    def _takes(self, state: int, character: str) -> bool:
        test = self._tests[state]
        return test is not None and test(character)

    def _closure(self, states: list[int], text: str, position: int) -> frozenset[int]:
        """The states reached without taking a character. Forks and assertions stay in: they take none."""
        seen = set(states)
        stack = list(seen)
        while stack:
            state = stack.pop()
            if self._tests[state] is not None:
                continue
            assertion = self._assertions[state]
            if assertion is not None and not assertion(text, position):
                continue
            for target in self._targets[state]:
                if target not in seen:
                    seen.add(target)
                    stack.append(target)
        return frozenset(seen)

    def _add(self, targets: tuple[int, ...], test: Test | None = None, assertion: Assertion | None = None) -> int:
        if len(self._tests) >= _MAX_STATES:
            raise Unsupported("its repetitions are too large")
        self._tests.append(test)
        self._assertions.append(assertion)
        self._targets.append(targets)
        return len(self._tests) - 1

    def _sequence(self, items: Sequence[Item], after: int, flags: int) -> int:
        """The entry of a sequence that goes on at ``after``: built from the end."""
        for kind, value in reversed(list(items)):
            after = self._item(kind, value, after, flags)
        return after

    def _item(self, kind: Any, value: Any, after: int, flags: int) -> int:
        if kind in _REPEATS:
            return self._repeat(value, after, flags)
        if kind is op.SUBPATTERN:
            _, added, removed, body = value
            return self._sequence(body, after, (flags | added) & ~removed)
        if kind is op.BRANCH:
            return self._add(tuple(self._sequence(choice, after, flags) for choice in value[1]))
        if kind is op.AT:
            self._asserts = True
            return self._add((after,), assertion=_position(value, flags))
        if kind in (op.ASSERT, op.ASSERT_NOT):
            return self._add((after,), assertion=self._look(value, flags, kind is op.ASSERT))
        if kind is op.FAILURE:
            return self._add(())
        test = _character(kind, value, flags)
        if test is None:
            raise Unsupported(f"{str(kind).lower().replace('_', ' ')} is not supported: its time cannot be bounded")
        return self._add((after,), test=test)

    def _repeat(self, value: tuple[int, Any, Sequence[Item]], after: int, flags: int) -> int:
        low, high, body = value
        if high is op.MAXREPEAT:
            loop = self._add(())
            self._targets[loop] = (self._sequence(body, loop, flags), after)
            after = loop
        else:
            end = after
            for _ in range(high - low):
                after = self._add((self._sequence(body, after, flags), end))
        for _ in range(low):
            after = self._sequence(body, after, flags)
        return after

    def _look(self, value: tuple[int, Any], flags: int, wanted: bool) -> Assertion:
        self._looks = True
        direction, body = value
        start = self._sequence(body, 0, flags)
        width = body.getwidth()[0] if direction < 0 else 0

        def look(text: str, position: int) -> bool:
            # What stands behind has a fixed width, so the match that begins there ends here.
            found = position >= width and self._advance(start, text, position - width)
            return found is wanted

        return look


def _position(where: Any, flags: int) -> Assertion:
    """The test of ``^``, ``$``, ``\\A``, ``\\Z``, ``\\b`` or ``\\B``."""
    if where in (op.AT_BOUNDARY, op.AT_NON_BOUNDARY):
        word = re.compile(r"\w", flags & re.ASCII)
        wanted = where is op.AT_BOUNDARY
        # An empty text has no \B before Python 3.14.
        in_empty = wanted or re.match(r"\B", "") is not None

        def boundary(text: str, position: int) -> bool:
            before = position > 0 and word.match(text[position - 1]) is not None
            after = position < len(text) and word.match(text[position]) is not None
            return (before != after) is wanted and (in_empty or bool(text))

        return boundary
    many = bool(flags & re.MULTILINE)
    if where is op.AT_BEGINNING:
        return lambda text, position: position == 0 or (many and text[position - 1] == "\n")
    if where is op.AT_BEGINNING_STRING:
        return lambda text, position: position == 0
    if where is op.AT_END_STRING:
        return lambda text, position: position == len(text)
    return lambda text, position: (
        position == len(text) or (text[position] == "\n" and (many or position == len(text) - 1))
    )


def _character(kind: Any, value: Any, flags: int) -> Test | None:
    """The test of an item that takes one character, None where the item is none."""
    if kind is op.ANY:
        return (lambda character: True) if flags & re.DOTALL else (lambda character: character != "\n")
    if kind is op.NOT_LITERAL:
        return _set([(op.NEGATE, None), (op.LITERAL, value)], flags)
    if kind is op.LITERAL:
        return _set([(op.LITERAL, value)], flags)
    return _set(value, flags) if kind is op.IN else None


def _set(members: Sequence[Item], flags: int) -> Test:
    """The test of a character set, with an answer remembered for each character seen."""
    negated = bool(members) and members[0][0] is op.NEGATE
    tests = [_member(kind, value, flags) for kind, value in (members[1:] if negated else members)]
    fold = bool(flags & re.IGNORECASE)
    known: dict[str, bool] = {}

    def test(character: str) -> bool:
        answer = known.get(character)
        if answer is None:
            forms = {character, character.lower(), character.upper()} if fold else (character,)
            answer = any(member(form) for form in forms for member in tests if len(form) == 1) is not negated
            known[character] = answer
        return answer

    return test


def _member(kind: Any, value: Any, flags: int) -> Test:
    if kind is op.LITERAL:
        return lambda character: ord(character) == value
    if kind is op.RANGE:
        low, high = value
        return lambda character: low <= ord(character) <= high
    letter = _CATEGORIES[value]
    pattern = re.compile(letter, flags & re.ASCII)
    return lambda character: pattern.match(character) is not None


_CATEGORIES = {
    op.CATEGORY_DIGIT: r"\d",
    op.CATEGORY_NOT_DIGIT: r"\D",
    op.CATEGORY_SPACE: r"\s",
    op.CATEGORY_NOT_SPACE: r"\S",
    op.CATEGORY_WORD: r"\w",
    op.CATEGORY_NOT_WORD: r"\W",
}
