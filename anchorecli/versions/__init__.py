"""One door to version strings: ``compare``, ``contains`` and ``key``, by scheme. Nobody else takes one apart.

Each scheme is a file with ``key(text)``: a hashable value that sorts as the scheme's own tool does, or
``VersionError``. A string is parsed once per process (``key`` is memoised), then comparisons are C speed.

Order in ranges differs from plain order in three schemes, as their own tools have it:

* pep440: a bound without a local part does not speak of local versions, so ``1.0+cu118`` counts as ``1.0``;
* rpm: a bound without a release does not speak of releases, so ``1.0-3`` counts as ``1.0`` (unless the caller denies
  it, ``any_release``); and where the caller says so (``any_epoch``) a version without an epoch takes the bound's, since
  source rpm names carry none. pacman's bounds leave releases open too.

Pre-releases satisfy ranges in every scheme. ``introduced`` of ``""`` or ``"0"`` is the beginning in every scheme.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from importlib import import_module
from types import MappingProxyType
from typing import Any

from anchorecli.errors import VersionError
from anchorecli.model import Range

MAX_LENGTH = 1024
"""Characters; longer strings are refused, which also bounds the digits of every number."""

SCHEMES = (
    *("deb", "rpm", "apk", "pep440", "npm", "semver"),
    *("cargo", "hex", "go", "gem", "maven", "nuget", "composer", "cran", "julia", "pacman", "portage", "fuzzy", "cpe"),
)
"""The names of the schemes."""

MakeKey = Callable[[str], Any]


def compare(scheme: str, a: str, b: str) -> int:
    """Negative, 0 or positive as ``a`` is older than, equal to or newer than ``b``.

    Raises: VersionError for an unknown scheme and for a string the scheme cannot read.
    """
    key_a, key_b = key(scheme, a), key(scheme, b)
    return int(key_a > key_b) - int(key_a < key_b)


def contains(scheme: str, range_: Range, version: str, *, any_epoch: bool = False, any_release: bool = True) -> bool:
    """Whether ``version`` lies in the range; ``any_epoch`` and ``any_release`` as the module says.

    Raises: VersionError where a string that decides cannot be read: a version outside one readable bound is
    outside, whatever the other bound holds.
    """
    verdict = within(scheme, range_, version, any_epoch=any_epoch, any_release=any_release)
    if verdict is None:
        for text in (version, range_.introduced, range_.fixed, range_.last_affected):
            if text:
                key(scheme, text)
    return bool(verdict)


def within(
    scheme: str, range_: Range, version: str, *, any_epoch: bool = False, any_release: bool = True
) -> bool | None:
    """As ``contains``, but ``None`` where it cannot be known because a string cannot be read."""
    unknown = False
    for bound, holds in (
        ("" if range_.introduced == "0" else range_.introduced, _at_least),
        (range_.fixed, _below),
        (range_.last_affected, _at_most),
    ):
        if not bound:
            continue
        try:
            order = order_in_range(scheme, version, bound, any_epoch=any_epoch, any_release=any_release)
            if not holds(order):
                return False
        except VersionError:
            unknown = True
    return None if unknown else True


def order_in_range(scheme: str, version: str, bound: str, *, any_epoch: bool = False, any_release: bool = True) -> int:
    """``compare`` with the looser reading of what ``bound`` leaves open (see the module).

    Raises: VersionError as ``compare``.
    """
    fitted = fit(scheme, version, shape(scheme, bound), any_epoch=any_epoch, any_release=any_release)
    return compare(scheme, fitted, bound)


def shape(scheme: str, bound: str) -> str:
    """What ``fit`` needs to know of a bound: equal for bounds that a version meets in the same form."""
    if scheme == "pep440":
        return str(_module(scheme).shape(bound))
    return str(_module("rpm").shape(bound)) if scheme in _RELEASED else ""


def fit(scheme: str, version: str, shape_: str, *, any_epoch: bool = False, any_release: bool = True) -> str:
    """The form in which ``version`` is compared with bounds of that shape."""
    if scheme == "pep440":
        return str(_module(scheme).fit(version, shape_))
    if scheme in _RELEASED:
        return str(_module("rpm").fit(version, shape_, any_epoch=any_epoch, any_release=any_release))
    return version


@lru_cache(maxsize=1 << 17)
def key(scheme: str, version: str) -> Any:
    """A hashable sort key, the same object for the same string: compare it with keys of the same scheme only.

    Raises: VersionError for an unknown scheme and for a string the scheme cannot read.
    """
    make = _maker(scheme)
    if len(version) > MAX_LENGTH:
        raise VersionError(f"{scheme} version of {len(version)} characters, more than {MAX_LENGTH}")
    return make(version)


_MODULES: Mapping[str, str] = MappingProxyType(
    {scheme: scheme for scheme in SCHEMES} | {"npm": "semver", "cargo": "semver", "hex": "semver", "go": "golang"}
)
_RELEASED = frozenset({"rpm", "pacman"})
"""Schemes of packages whose release is the distribution's own: both write it behind the last hyphen."""


@cache
def _module(scheme: str) -> Any:
    """The file of a scheme, loaded when asked for: an image needs one or two, and patterns take long to compile."""
    return import_module(f"anchorecli.versions.{_MODULES[scheme]}")


@cache
def _maker(scheme: str) -> MakeKey:
    if scheme not in _MODULES:
        raise VersionError(f"unknown version scheme {scheme!r}")
    make: MakeKey = _module(scheme).key
    return make


def _at_least(order: int) -> bool:
    return order >= 0


def _below(order: int) -> bool:
    return order < 0


def _at_most(order: int) -> bool:
    return order <= 0
