"""Composer (PHP) versions, in the order of composer/semver.

Format: https://getcomposer.org/doc/articles/versions.md, ``1.2.3.4-beta2``, ``v1.0``, ``1.0.x-dev``, dates. Up to four
numbers; ``dev < alpha < beta < RC < (release) < patch``. Refused: branches without a number (``dev-main``).
"""

from __future__ import annotations

import re

from anchorecli.errors import VersionError

Key = tuple[tuple[int, int], ...]

_MODIFIER = r"[._-]?(?:(stable|beta|b|rc|alpha|a|patch|pl|p)((?:[.-]?[0-9]++)*+))?(?:[.-]?(dev))?"
_CLASSIC = re.compile(rf"v?([0-9]{{1,5}}(?:\.[0-9]+){{0,3}}){_MODIFIER}", re.ASCII)
_DATE = re.compile(rf"v?([0-9]{{4}}(?:[.:-]?[0-9]{{2}}){{1,6}}(?:[.:-]?[0-9]{{1,3}})?){_MODIFIER}", re.ASCII)
_BRANCH = re.compile(r"v?([0-9]+|[x*])((?:\.(?:[0-9]+|[x*])){0,3})[.-]?dev", re.ASCII)
_NUMBERS = re.compile(r"[0-9]+", re.ASCII)

_DEV, _ALPHA, _BETA, _RC, _END, _NUMBER, _PATCH = range(7)
_STABILITY = {
    "alpha": _ALPHA,
    "a": _ALPHA,
    "beta": _BETA,
    "b": _BETA,
    "rc": _RC,
    "patch": _PATCH,
    "pl": _PATCH,
    "p": _PATCH,
}
_ANYTHING = 9999999
"""What an ``x`` in the name of a branch stands for."""


def key(text: str) -> Key:
    """The sort key.

    Raises: VersionError for what Composer does not take, and for branches without a number.
    """
    plain = text.strip().lower().partition("+")[0]
    found = _CLASSIC.fullmatch(plain) or _DATE.fullmatch(plain)
    if found is None:
        return _branch(plain, text)
    numbers, stability, stability_numbers, dev = found.groups()
    parts = _release(_NUMBERS.findall(numbers), pad=found.re is _CLASSIC)
    if stability == "stable":
        return (*parts, (_END, 0))  # Composer looks no further
    if stability:
        parts.append((_STABILITY[stability], 0))
        parts += [(_NUMBER, int(each)) for each in _NUMBERS.findall(stability_numbers)]
    if dev:
        parts.append((_DEV, 0))
    return (*parts, (_END, 0))


def _branch(plain: str, text: str) -> Key:
    found = _BRANCH.fullmatch(plain)
    if found is None:
        raise VersionError(f"not a Composer version: {text!r}")
    numbers = [each if each.isdigit() else str(_ANYTHING) for each in (found[1] + found[2]).split(".")]
    numbers += [str(_ANYTHING)] * (4 - len(numbers))
    return (*_release(numbers, pad=False), (_DEV, 0), (_END, 0))


def _release(numbers: list[str], *, pad: bool) -> list[tuple[int, int]]:
    parts = [(_NUMBER, int(each)) for each in numbers]
    return parts + [(_NUMBER, 0)] * (4 - len(parts)) if pad else parts
