"""Python versions, in the order of PEP 440.

Format: the version specifiers specification of packaging.python.org, with every spelling its appendix B takes:
``[N!]N(.N)*[{a|b|rc}N][.postN][.devN][+local]``, e.g. ``2.1.0rc1.post2.dev3+ubuntu.1``.
"""

from __future__ import annotations

import re
from typing import Any

from anchorecli.errors import VersionError

_SIMPLE = re.compile(r"[0-9]+(?:\.[0-9]+)*", re.ASCII)
_FULL = re.compile(
    r"v?(?:([0-9]+)!)?([0-9]+(?:\.[0-9]+)*)"
    r"(?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?([0-9]*))?"
    r"(?:-([0-9]+)|[-_.]?(post|rev|r)[-_.]?([0-9]*))?"
    r"(?:[-_.]?(dev)[-_.]?([0-9]*))?"
    r"(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?",
    re.ASCII,
)
_LOCAL = re.compile(r"[-_.]", re.ASCII)
_PRE = {"a": 0, "alpha": 0, "b": 1, "beta": 1, "c": 2, "rc": 2, "pre": 2, "preview": 2}

# A development release without a pre- or post-release sorts before every pre-release.
_DEV_ONLY, _FINAL = (-1, 0), (3, 0)
_NO_POST = -1
_NO_DEV = (1, 0)

Key = tuple[Any, ...]


def key(text: str) -> Key:
    """The sort key: epoch, release without trailing zeros, pre, post, dev, local.

    Raises: VersionError for what PEP 440 does not take.
    """
    text = text.strip()
    if _SIMPLE.fullmatch(text):
        return 0, _release(text), _FINAL, _NO_POST, _NO_DEV, ()
    found = _FULL.fullmatch(text.lower())
    if found is None:
        raise VersionError(f"not a PEP 440 version: {text!r}")
    epoch, release, pre, pre_number, bare_post, post, post_number, dev, dev_number, local = found.groups()
    post_key = int(bare_post) if bare_post else int(post_number or 0) if post else _NO_POST
    if pre:
        pre_key = (_PRE[pre], int(pre_number or 0))
    else:
        pre_key = _DEV_ONLY if dev and post_key == _NO_POST else _FINAL
    dev_key = (0, int(dev_number or 0)) if dev else _NO_DEV
    return int(epoch or 0), _release(release), pre_key, post_key, dev_key, _local(local) if local else ()


def shape(bound: str) -> str:
    """Whether a bound has a local part."""
    return "+" if "+" in bound else ""


def fit(version: str, shape_: str) -> str:
    """``version`` without its local part, unless bounds of that shape have one too."""
    return version if shape_ or "+" not in version else version.partition("+")[0]


def _release(text: str) -> tuple[int, ...]:
    numbers = [int(item) for item in text.split(".")]
    while len(numbers) > 1 and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def _local(text: str) -> tuple[tuple[int, int | str], ...]:
    return tuple((1, int(item)) if item.isdigit() else (0, item) for item in _LOCAL.split(text))
