"""Conditions on versions, as languages write them, and the affected ranges that a list of safe ones leaves over.

Formats: Cargo's version requirements (https://doc.rust-lang.org/cargo/reference/specifying-dependencies.html, ``>=
1.2, < 1.3``, ``^1.2``, ``~1.2``, ``= 1.2``), RubyGems' (``~> 1.2.3``), and plain comparisons joined by commas.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cmp_to_key, partial
from typing import NamedTuple

from anchorecli.errors import VersionError
from anchorecli.model import Range


class Span(NamedTuple):
    """The versions between two ends, each with whether it belongs to them; an empty end is open."""

    low: str = ""
    low_in: bool = True
    high: str = ""
    high_in: bool = False


EVERYTHING = Span()
_PART = re.compile(r"(>=|<=|~>|!=|[<>=^~])?\s*v?([0-9][0-9A-Za-z.+*-]*)")


def parse(scheme: str, text: str) -> Span:
    """One condition, its parts joined by commas. Raises: ValueError where it cannot be read, or holds of no version."""
    span = EVERYTHING
    for part in text.split(","):
        found = _PART.fullmatch(part.strip())
        if found is None:
            raise ValueError(f"a condition on versions that cannot be read: {text!r}")
        span = _both(scheme, span, _span(scheme, found[1] or "", found[2]))
    return span


def outside(scheme: str, safe: Iterable[Span]) -> tuple[Range, ...]:
    """The ranges of versions that no safe span holds: all of them where there is none.

    Raises: ValueError where a version cannot be compared.
    """
    found: list[Range] = []
    reached: Span | None = None  # how far everything has been looked at, from the beginning
    for span in sorted(safe, key=cmp_to_key(partial(_starts, scheme))):
        if span.low and (reached is None or (reached.high and _apart(scheme, reached, span))):
            found.append(_gap(scheme, reached, span))
        reached = span if reached is None or _ends(scheme, span, reached) > 0 else reached
    if reached is None or reached.high:
        found.append(_gap(scheme, reached, None))
    return tuple(found)


def inside(scheme: str, span: Span) -> Range:
    """A span as an affected range."""
    low = span.low if span.low_in or not span.low else successor(scheme, span.low)
    return Range(low, last_affected=span.high) if span.high_in else Range(low, fixed=span.high)


def successor(scheme: str, version: str) -> str:
    """A version just behind another, for ranges that begin after one: nothing that is released lies between them."""
    version = version.partition("+")[0]
    if scheme in ("cargo", "semver", "npm", "go", "hex"):
        numbers, dash, pre = version.partition("-")
        if dash:
            return f"{numbers}-{pre}.0"
        *first, last = (*numbers.split("."), "0", "0")[: max(3, numbers.count(".") + 1)]
        return ".".join((*first, str(int(last) + 1))) + "-0" if last.isdigit() else f"{version}.0"
    if scheme == "gem":
        return f"{version}.0.0.0.1"
    if scheme == "composer":
        return f"{version}-p0"
    return f"{version}-a" if version[-1:].isdigit() else f"{version}.0"


def _span(scheme: str, operator: str, version: str) -> Span:
    if "*" in version:
        operator, version = "~" if version.count(".") > 1 else "^", version.partition("*")[0].rstrip(".")
    if operator == "":
        # A bare version is Cargo's caret; nobody else means it so.
        operator = "^" if scheme == "cargo" else "="
    if scheme == "cargo" and operator in (">", "<=", "=") and version.count(".") < 2:
        return _partial(operator, version)
    match operator:
        case ">=" | ">":
            return Span(version, operator == ">=")
        case "<=" | "<":
            return Span("", True, version, operator == "<=")
        case "=":
            return Span(version, True, version, True)
        case "~>":
            return Span(version, True, _bumped(version) + ".a")
        case "^" | "~":
            return Span(version, True, _next(version, caret=operator == "^"))
    raise ValueError(f"a condition on versions of another kind: {operator} {version}")


def _partial(operator: str, version: str) -> Span:
    """Cargo's ``= 1.2`` is 1.2 with every patch, so that ``> 1.2`` begins behind all of them."""
    beyond = _next(version, caret=False)
    if operator == ">":
        return Span(beyond.removesuffix("-0"))
    return Span(version if operator == "=" else "", True, beyond)


def _bumped(version: str) -> str:
    """The first version that ``~>`` leaves out: 1.3 for 1.2.3, 2 for 1.2, without what marks a pre-release."""
    parts = version.replace("-", ".pre.").split(".")
    numbers = _numbers(parts, version)
    if len(numbers) > 1:
        numbers.pop()
    return ".".join(map(str, (*numbers[:-1], numbers[-1] + 1)))


def _numbers(parts: list[str], version: str) -> list[int]:
    numbers = [*_leading(parts)]
    if not numbers:
        raise ValueError(f"a version that begins with no number: {version}")
    return numbers


def _next(version: str, *, caret: bool) -> str:
    """The first version that Cargo's ``^`` or ``~`` leaves out, pre-releases of it included."""
    numbers = _numbers(re.split(r"[.-]", version), version)
    given = min(len(numbers), 3)
    if caret:
        place = next((place for place in range(given) if numbers[place]), given - 1)
    else:
        place = min(1, given - 1)
    bumped = (*numbers[:place], numbers[place] + 1, 0, 0, 0)[:3]
    return ".".join(map(str, bumped)) + "-0"


def _leading(parts: Sequence[str]) -> Iterator[int]:
    for part in parts:
        if not part.isdigit():
            return
        yield int(part)


def _compare(scheme: str, a: str, b: str) -> int:
    from anchorecli.versions import compare

    try:
        return compare(scheme, a, b)
    except VersionError as error:
        raise ValueError(str(error)) from error


def _both(scheme: str, a: Span, b: Span) -> Span:
    """What two spans have in common."""
    low, low_in = (a.low, a.low_in) if _starts(scheme, a, b) >= 0 else (b.low, b.low_in)
    high, high_in = (a.high, a.high_in) if _ends(scheme, a, b) <= 0 else (b.high, b.high_in)
    if low and high:
        order = _compare(scheme, low, high)
        if order > 0 or (order == 0 and not (low_in and high_in)):
            raise ValueError(f"conditions on versions that exclude each other: {low} and {high}")
    return Span(low, low_in, high, high_in)


def _starts(scheme: str, a: Span, b: Span) -> int:
    """Which of two spans begins later; an end that does not belong to it begins behind it."""
    if not a.low or not b.low:
        return bool(a.low) - bool(b.low)
    return _compare(scheme, a.low, b.low) or b.low_in - a.low_in


def _ends(scheme: str, a: Span, b: Span) -> int:
    if not a.high or not b.high:
        return bool(b.high) - bool(a.high)
    return _compare(scheme, a.high, b.high) or a.high_in - b.high_in


def _apart(scheme: str, reached: Span, span: Span) -> bool:
    """Whether something lies between the end of one and the beginning of the next."""
    order = _compare(scheme, reached.high, span.low)
    return order < 0 or (order == 0 and not (reached.high_in or span.low_in))


def _gap(scheme: str, before: Span | None, after: Span | None) -> Range:
    low = "" if before is None else successor(scheme, before.high) if before.high_in else before.high
    if after is None:
        return Range(low)
    return Range(low, fixed=after.low) if after.low_in else Range(low, last_affected=after.low)
