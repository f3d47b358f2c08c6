"""What an OVAL definition's criteria claim: which package, in which versions, on which platforms.

The tree of AND and OR is turned into a list of alternatives. Alternatives that only name platforms (or architectures)
are kept together, so that 25 products with 100 packages are 100 claims and not 2500.

Format: OVAL 5.11 definitions schema, ``CriteriaType``. Not handled: ``negate``, and operators other than AND and OR.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from anchorecli.errors import LimitError, VersionError
from anchorecli.feeds.rpm.xml import Node
from anchorecli.versions import compare

MAX_CLAIMS = 200_000

_MODULE = re.compile(r"Module (\S+) is enabled")
_ARCH = re.compile(r".* arch is (\S+)")
_WORDS = re.compile(r"(\S+) is earlier than (\S+)")
_DENIED = re.compile(r"(\S+) is not affected")
_NEUTRAL = re.compile(
    r".* is signed with .*|.* must be installed|.* is not installed"
    r"|.* earlier than \S+ is (?:currently running|set to boot up on next boot)"
    r"|.* is (?:currently running|set to boot up on next boot)|.* is (?:ksplice-based|fips patched)"
)
"""Conditions that say nothing about which packages are affected: signatures, which kernel runs, and what the version
itself shows."""


class Check(NamedTuple):
    """What a test asks of an installed package. ``arch`` is ``x86_64|aarch64`` or empty."""

    package: str
    operation: str
    version: str = ""
    arch: str = ""


class Claim(NamedTuple):
    """One package that a definition speaks of; no ``platforms`` means that it names none."""

    platforms: tuple[str, ...]
    module: str
    arches: tuple[str, ...]
    package: str
    introduced: str = ""
    fixed: str = ""
    last: str = ""
    denied: bool = False
    """Whether it says that no version is affected."""


class _Clause(NamedTuple):
    platforms: frozenset[str] | None = None
    arches: frozenset[str] | None = None
    module: str = ""
    checks: tuple[Check, ...] = ()


CheckOf = Callable[[str], Check | None]
PlatformOf = Callable[[str], str]


def claims(criteria: Node, check_of: CheckOf, platform_of: PlatformOf) -> tuple[Claim, ...]:
    """Each claim once, in the order of the document.

    Raises: ValueError for a condition that is not understood, LimitError for more than ``MAX_CLAIMS``.
    """
    evaluation = _Evaluation(check_of, platform_of)
    found = dict.fromkeys(_claim(clause) for clause in evaluation.node(criteria) or () if clause.checks)
    return tuple(each for each in found if each is not None)


class _Evaluation:
    def __init__(self, check_of: CheckOf, platform_of: PlatformOf) -> None:
        self._check_of, self._platform_of = check_of, platform_of

    def node(self, node: Node) -> list[_Clause] | None:
        """The alternatives of a part of the tree; None where it has no bearing."""
        if node.get("negate") == "true":
            raise ValueError("a negated condition, which is not understood")
        if node.tag == "criterion":
            return self._leaf(node)
        parts = [
            part
            for each in node.children
            if each.tag in ("criteria", "criterion") and (part := self.node(each)) is not None
        ]
        if any(each.tag == "extend_definition" for each in node.children):
            raise ValueError("it extends another definition, which is not understood")
        if not parts:
            return None
        operator = node.get("operator") or "AND"
        if operator == "OR":
            return _either([clause for part in parts for clause in part])
        if operator != "AND":
            raise ValueError(f"criteria joined by {operator[:20]}, which is not understood")
        found = parts[0]
        for part in parts[1:]:
            if len(found) * len(part) > MAX_CLAIMS:
                raise LimitError(f"criteria of more than {MAX_CLAIMS} alternatives")
            found = [joined for a in found for b in part if (joined := _both(a, b)) is not None]
        return found

    def _leaf(self, node: Node) -> list[_Clause] | None:
        comment = " ".join(node.get("comment").split())
        if platform := self._platform_of(comment):
            return [_Clause(platforms=frozenset((platform,)))]
        if module := _MODULE.fullmatch(comment):
            return [_Clause(module=module[1])]
        if arch := _ARCH.fullmatch(comment):
            return [_Clause(arches=frozenset((arch[1],)))]
        if _NEUTRAL.fullmatch(comment):
            return None
        check = self._check_of(node.get("test_ref"))
        if check is None and (words := _WORDS.fullmatch(comment)):
            check = Check(words[1], "less than", words[2])
        if check is None and (words := _DENIED.fullmatch(comment)):
            check = Check(words[1], "version equals", "0")
        if check is None:
            raise ValueError(f"a condition that is not understood: {comment[:100]!r}")
        return None if check.operation == "absent" else [_Clause(checks=(check,))]


def _either(clauses: list[_Clause]) -> list[_Clause]:
    """Alternatives, those that only name platforms or only architectures made one."""
    platforms: list[_Clause] = []
    arches: list[_Clause] = []
    others: list[_Clause] = []
    for each in clauses:
        bare = not each.module and not each.checks
        only_platforms = bare and each.arches is None
        (platforms if only_platforms else arches if bare and each.platforms is None else others).append(each)
    if platforms:
        others.insert(0, _Clause(platforms=frozenset().union(*(each.platforms or () for each in platforms))))
    if arches:
        others.insert(0, _Clause(arches=frozenset().union(*(each.arches or () for each in arches))))
    return others


def _both(a: _Clause, b: _Clause) -> _Clause | None:
    """Both at once; None where that cannot be."""
    if a.module and b.module and a.module != b.module:
        return None
    platforms, arches = _common(a.platforms, b.platforms), _common(a.arches, b.arches)
    if platforms == frozenset() or arches == frozenset():
        return None
    return _Clause(platforms, arches, a.module or b.module, a.checks + b.checks)


def _common(a: frozenset[str] | None, b: frozenset[str] | None) -> frozenset[str] | None:
    return b if a is None else a if b is None else a & b


_SIDES = {
    "less than": "fixed",
    "less than or equal": "last",
    "greater than or equal": "introduced",
    # Ranges have no open beginning: the version itself counts as affected.
    "greater than": "introduced",
}


def _claim(clause: _Clause) -> Claim | None:
    """Raises: ValueError where the checks are about several packages or contradict each other."""
    checks = [each for each in clause.checks if each.operation != "installed"] or list(clause.checks[:1])
    if len({each.package for each in checks}) != 1:
        raise ValueError(f"conditions about several packages at once: {', '.join(each.package for each in checks)}")
    sides: dict[str, str] = {}
    denied = False
    arches = clause.arches or frozenset[str]()
    for each in checks:
        if each.arch:
            arches = arches | frozenset(each.arch.split("|"))
        if each.operation == "installed":
            continue
        if each.operation == "version equals" and each.version == "0":
            denied = True
        elif each.operation in ("equals", "version equals"):
            sides |= {"introduced": each.version, "last": each.version}
        elif (side := _SIDES.get(each.operation)) is not None and sides.get(side, each.version) == each.version:
            sides[side] = each.version
        else:
            raise ValueError(f"{each.package}: a version that is {each.operation[:40]!r}, which is not understood")
    _contradicts(checks[0].package, sides)
    platforms = tuple(sorted(clause.platforms or ()))
    return Claim(platforms, clause.module, tuple(sorted(arches)), checks[0].package, **sides, denied=denied)


def _contradicts(package: str, sides: dict[str, str]) -> None:
    """Raises: ValueError where a range ends before it begins."""
    beginning, end = sides.get("introduced", ""), sides.get("fixed", "")
    if not beginning or not end:
        return
    try:
        contradiction = compare("rpm", beginning, end) >= 0
    except VersionError:
        return  # told where it is compared
    if contradiction:
        raise ValueError(f"{package}: affected from {beginning}, but fixed in {end} before that")
