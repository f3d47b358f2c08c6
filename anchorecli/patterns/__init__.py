"""Regular expressions that users write, matched in bounded time.

They come from bundles and settings, the texts they are matched against from strangers, and Python's ``re`` can take
exponential time: ``(a+)+$`` against thirty letters hangs a scan. Two engines share the work:

* the parsed expression gives an upper bound of the ways ``re`` could try a text of a given length; where it is
  small, ``re`` is used: nearly always;
* otherwise an automaton (``automaton.py``) answers in time linear in the text. It gives the same answer, since
  greediness decides where a match ends and never whether there is one.

Back references, conditionals and atomic groups have no such automaton and are refused when they are read.
Each ``Pattern`` has a budget of automaton steps; a text that would exceed it raises ``LimitError``, which becomes a
``Problem``: a rule that could not look is never taken for one that found nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from anchorecli.patterns.automaton import Automaton

_MAX_PATTERN = 2_000
_MAX_WAYS = 200_000
_MAX_WAYS_TOTAL = 100_000_000
_WAYS_EACH = 4_000
"""What each of many texts may take on average: a path of sixty characters and an expression with two ``.*``."""
_STEPS = 2_000_000
_STEPS_EACH = 4


class Pattern:
    """One regular expression, matched from the start of a text as ``re.match`` does."""

    __slots__ = ("_automaton", "_bounds", "_regex", "_text", "_ways")

    def __init__(self, text: str) -> None:
        self._text = text
        self._regex = re.compile(text)
        self._bounds: dict[int, float] = {}
        self._automaton: Automaton | None = None
        self._ways = 0.0

    def matches(self, subject: str) -> bool:
        """Whether the text matches.

        Raises: LimitError when this pattern has used up its budget.
        """
        bound = self._bound(len(subject))
        if bound <= _MAX_WAYS and self._ways + bound <= _MAX_WAYS_TOTAL:
            self._ways += bound
            return self._regex.match(subject) is not None
        if self._automaton is None:
            from anchorecli.patterns.automaton import Automaton

            self._automaton = Automaton(self._text)
        return self._automaton.matches(subject)

    def select(self, subjects: Collection[str]) -> list[str]:
        """Those of many texts that match, in their order: a tenth of the time of asking for one after the other.

        The budget grows with the texts: what an image holds a million of is not an attack.

        Raises: LimitError when it is used up.
        """
        from anchorecli.patterns.automaton import Automaton, parse, required_text, ways

        tree = parse(self._text)
        needed = required_text(tree)
        candidates = [subject for subject in subjects if needed in subject] if needed else subjects
        lengths: dict[int, int] = {}
        for subject in candidates:
            lengths[len(subject)] = lengths.get(len(subject), 0) + 1
        bounds = {length: ways(tree, length) for length in lengths}
        slow = {length for length, bound in bounds.items() if bound > _MAX_WAYS}
        total = sum(bounds[length] * count for length, count in lengths.items() if length not in slow)
        if total > _MAX_WAYS_TOTAL + _WAYS_EACH * len(candidates):
            slow = set(lengths)
        match = self._regex.match
        if not slow:
            return [subject for subject in candidates if match(subject)]
        steps = _STEPS_EACH * sum(length * count for length, count in lengths.items() if length in slow)
        automaton = Automaton(self._text, _STEPS + steps)
        return [s for s in candidates if (automaton.matches(s) if len(s) in slow else match(s))]

    def _bound(self, length: int) -> float:
        from anchorecli.patterns.automaton import parse, ways

        # Lengths share a bound by powers of two: the tree is walked a dozen times, not once per text.
        bucket = length.bit_length()
        if bucket not in self._bounds:
            self._bounds[bucket] = ways(parse(self._text), 1 << bucket)
        return self._bounds[bucket]


def regex_fault(text: str) -> str:
    """Why a text cannot be used as a regular expression here, empty if it can."""
    from anchorecli.patterns.automaton import Automaton, Unsupported, parse, ways

    if len(text) > _MAX_PATTERN:
        return f"longer than {_MAX_PATTERN} characters"
    try:
        re.compile(text)
        # The automaton is built now only where it may be needed, so that a bundle of plain ones costs nothing.
        if ways(parse(text), 1 << 20) > _MAX_WAYS:
            Automaton(text)
    except Unsupported as error:
        return str(error)
    except (re.error, OverflowError) as error:
        return str(error)
    except RecursionError:
        return "nested too deeply"
    return ""
