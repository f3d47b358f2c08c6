"""Bounds on what one file of a stranger's image may cost: their names, their defaults, and how settings change them.

Every analyzer may bound the size of a file it reads whole (``file-bytes``, which is ``Wants.max_bytes``); those that
unpack or count declare further ones as ``Limits``. A setting ``limits.analyzers: [java.depth=50]`` changes one of them.
What differs from the defaults is part of an analyzer's ``options``, by which its facts are kept: so another limit reads
a layer again, and the defaults need nothing.

A limit that is hit is a Problem of the file with its name and ``limit_hit`` as cause (see ``base.partial``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

from anchorecli.errors import LimitError, UsageError
from anchorecli.values import dataclass, replace

if TYPE_CHECKING:
    from anchorecli.analyzers import Registered
    from anchorecli.analyzers.base import Analyzer

FILE_BYTES = "file-bytes"
SIZED = frozenset({"secrets", "contents", "retrieve"})
"""Analyzers whose files' size has a setting of its own."""
AT_MOST = "at-most"
"""In an analyzer's options: the bound that holds for the files of all of them, ``limits.file-bytes``."""
TOGETHER = "together"
"""In an analyzer's options: the bound on what all of them find, ``limits.fact-bytes``."""
MARK = "\n\n\nlimits: "
"""In an analyzer's options: what is said of limits follows."""


class Limit(NamedTuple):
    """One bound: ``more than {value} {what}`` is too much."""

    name: str
    value: int
    what: str


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one analyzer, beside that of a file's size."""

    analyzer: str
    each: tuple[Limit, ...]

    def __getitem__(self, name: str) -> int:
        return self._limit(name).value

    def told(self, name: str) -> str:
        """What a Problem says of a limit that was hit: ``more than 24 archives … (limit java.depth)``."""
        limit = self._limit(name)
        return f"more than {limit.value} {limit.what} (limit {self.analyzer}.{name})"

    def exceeded(self, name: str) -> LimitError:
        """The same as an error to raise."""
        return LimitError(self.told(name))

    def changed(self, values: Mapping[str, int]) -> Limits:
        """These limits with other values for some."""
        each = tuple(limit._replace(value=values.get(limit.name, limit.value)) for limit in self.each)
        return Limits(self.analyzer, each)

    def _limit(self, name: str) -> Limit:
        return next(each for each in self.each if each.name == name)


@runtime_checkable
class Limited(Protocol):
    """An analyzer with bounds of its own."""

    @property
    def limits(self) -> Limits:
        """Its bounds."""


def limits_of(analyzer: Analyzer) -> tuple[Limit, ...]:
    """All that settings can bound of an analyzer, the size of a file first."""
    own = analyzer.limits.each if isinstance(analyzer, Limited) else ()
    size = analyzer.wants.max_bytes
    if size and analyzer.name not in SIZED:
        return (Limit(FILE_BYTES, size, "bytes in a file"), *own)
    return own


def limited(
    registered: Iterable[Registered],
    limits: Mapping[str, int],
    at_most: int | None = None,
    together: int | None = None,
) -> tuple[Registered, ...]:
    """The registry with what settings say of limits: ``{"java.depth": 50}``, a bound on every file that is read, and
    one on all that is found where it is not the default.

    Raises: UsageError for a name that no analyzer has.
    """
    found = tuple(registered)
    for name in limits:
        _check(name)
    told = {each.name: _text(each.name, limits, at_most, together) for each in found}
    return tuple(
        each._replace(options=each.options + MARK + text) if (text := told[each.name]) else each for each in found
    )


def apart(options: str) -> tuple[str, dict[str, int]]:
    """An analyzer's options without what they say of limits, and that as values."""
    own, _, said = options.partition(MARK)
    return own, {name: int(value) for name, _, value in (each.partition("=") for each in said.split())}


def with_limits(analyzer: Any, options: str, values: Mapping[str, int]) -> Any:
    """The analyzer with other limits; ``options`` is what its facts are kept by."""
    if not values:
        return analyzer
    given = dict(values)
    at_most = given.pop(AT_MOST, 0)
    given.pop(TOGETHER, 0)
    size = next((limit.value for limit in limits_of(analyzer) if limit.name == FILE_BYTES), 0)
    size = given.get(FILE_BYTES, size)
    if size:
        given[FILE_BYTES] = min(size, at_most or size)
    changes: dict[str, Any] = {"options": options}
    if analyzer.wants.max_bytes and size:
        changes["wants"] = replace(analyzer.wants, max_bytes=given[FILE_BYTES])
    if isinstance(analyzer, Limited):
        changes["limits"] = analyzer.limits.changed(given)
    return replace(analyzer, **changes)


def _text(analyzer: str, limits: Mapping[str, int], at_most: int | None, together: int | None) -> str:
    said = {name.partition(".")[2]: value for name, value in limits.items() if name.partition(".")[0] == analyzer}
    if at_most and analyzer not in SIZED:
        said[AT_MOST] = at_most
    if together is not None:
        said[TOGETHER] = together
    return " ".join(f"{name}={value}" for name, value in sorted(said.items()))


def _check(name: str) -> None:
    from anchorecli.analyzers import every

    # Only the one that is meant is loaded, unless there is none.
    if name in _names(every(name.partition(".")[0])):
        return
    from difflib import get_close_matches

    near = get_close_matches(name, _names(every()), 1, 0.5)
    hint = f"did you mean {near[0]}?" if near else "`anchore analyzers` lists them"
    raise UsageError(f"limits.analyzers: unknown limit {name!r}", hint=hint)


def _names(analyzers: Iterable[Analyzer]) -> list[str]:
    return [f"{each.name}.{limit.name}" for each in analyzers for limit in limits_of(each)]
