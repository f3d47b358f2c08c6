"""rpm versions, in the order of rpm's own ``rpmvercmp``, with ``~`` and ``^``.

Format: ``[epoch:]version[-release]``, the release after the last hyphen, e.g. ``1:1.1.1k-9.el8_7``; see rpm-version(7).
A missing epoch is 0. A missing release sorts before every release; in ranges it is left open (``fit``).
"""

from __future__ import annotations

import re
from functools import lru_cache

from anchorecli.errors import VersionError

Part = tuple[tuple[int, int | str], ...]

_VALID = re.compile(r"(?:([0-9]*):)?([A-Za-z0-9._+~^%{}-]+)", re.ASCII)
_SEGMENTS = re.compile(r"[0-9]+|[A-Za-z]+|[~^]", re.ASCII)

# What stands against what, lowest first: tilde, the end, caret, letters, a number.
_TILDE, _END, _CARET = (0, 0), (1, 0), (2, 0)
_LETTERS, _NUMBER = 3, 4


def key(text: str) -> tuple[int, Part, Part]:
    """The sort key: epoch, version, release.

    Raises: VersionError for blanks, foreign characters and a version without a letter or digit.
    """
    text = text.strip()
    found = _VALID.fullmatch(text)
    if found is None:
        raise VersionError(f"not an rpm version: {text!r}")
    epoch, rest = found.groups()
    version, hyphen, release = rest.rpartition("-")
    if not hyphen:
        version, release = rest, ""
    parts = _part(version)
    if len(parts) == 1:
        raise VersionError(f"not an rpm version: {text!r} (nothing to compare)")
    return int(epoch) if epoch else 0, parts, _part(release) if release else ()


def shape(bound: str) -> str:
    """What a bound says beside the version: its epoch, and whether it has a release."""
    epoch, colon, _ = bound.partition(":")
    return epoch + colon + ("-" if "-" in bound else "")


def fit(version: str, shape_: str, *, any_epoch: bool, any_release: bool = True) -> str:
    """``version`` without what a bound of that shape leaves open, and with its epoch where ``any_epoch`` allows."""
    if any_release and "-" in version and "-" not in shape_:
        version = version.rpartition("-")[0]
    if any_epoch and ":" in shape_ and ":" not in version:
        return f"{shape_.partition(':')[0]}:{version}"
    return version


class _Forms(dict[str, tuple[int, int | str]]):
    """Segments in the form they sort in; the same few make up nearly all versions."""

    def __missing__(self, segment: str) -> tuple[int, int | str]:
        form = (_NUMBER, int(segment)) if segment[0].isdigit() else (_LETTERS, segment)
        if len(self) < _MAX_FORMS:
            self[segment] = form
        return form


_MAX_FORMS = 1 << 14
_FORMS = _Forms({"~": _TILDE, "^": _CARET})


@lru_cache(maxsize=1 << 15)
def _part(text: str) -> Part:
    return (*map(_FORMS.__getitem__, _SEGMENTS.findall(text)), _END)
