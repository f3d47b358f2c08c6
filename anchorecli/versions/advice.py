"""Which version to go to: the smallest one that fixes everything that is known against a package."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from anchorecli.errors import VersionError
from anchorecli.versions import key

_NUMBERS = re.compile(r"v?(?:\d+:)?((?:\d+\.)*\d+)")


def fixed_by_all(scheme: str, fixes: Iterable[Sequence[str]]) -> str:
    """The smallest of the fixed versions that fixes all vulnerabilities, each given by the versions that fix it.

    A vulnerability with several fixes is fixed in each of their branches and from the last on: 1.2.5 and 2.0.3 leave
    1.3.0 and 2.0.0 in doubt, so neither is taken. Empty where one has no fix, or where versions cannot be compared.
    """
    try:
        wanted = [sorted({_fix(scheme, text) for text in each}) for each in fixes]
    except VersionError:
        return ""
    if not wanted or not all(wanted):
        return ""
    every = sorted({fix for each in wanted for fix in each})
    return next(fix.text for fix in every if all(_fixes(fix, each) for each in wanted))


class _Fix(NamedTuple):
    key: Any
    text: str
    branch: str


def _fix(scheme: str, text: str) -> _Fix:
    numbers = _NUMBERS.match(text)
    return _Fix(key(scheme, text), text, numbers[1].rpartition(".")[0] if numbers else text)


def _fixes(version: _Fix, fixes: Sequence[_Fix]) -> bool:
    """Whether a version has one of a vulnerability's fixes; these in order."""
    if version.key >= fixes[-1].key:
        return True
    return any(version.key >= each.key and version.branch == each.branch for each in fixes)
