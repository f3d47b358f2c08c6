"""Debian package versions, in dpkg's order.

Format: deb-version(7), ``[epoch:]upstream[-revision]``, e.g. ``1:1.2.11.dfsg-2+deb11u2``. Refused, as by
``dpkg --validate-version``: an upstream part that does not start with a digit, an empty part, foreign characters.
"""

from __future__ import annotations

import re
from functools import lru_cache

from anchorecli.errors import VersionError

Part = tuple[str | int, ...]

_VALID = re.compile(r"(?:([0-9]+):)?([0-9][A-Za-z0-9.+~:-]*)", re.ASCII)
_DIGITS = re.compile(r"([0-9]+)", re.ASCII)
_MAX_EPOCH = 2**31 - 1

# In a run of non-digits "~" sorts before the end of the run, letters next, everything else after them.
_END = "\x01"
_ORDER = str.maketrans({"~": "\x00"} | {c: chr(ord(c) + 0x80) for c in ".+-:"})


def key(text: str) -> tuple[int, Part, Part]:
    """The sort key: epoch, upstream version, revision; a missing revision equals ``0``.

    Raises: VersionError as the module says.
    """
    text = text.strip()
    found = _VALID.fullmatch(text)
    if found is None:
        raise VersionError(f"not a Debian version: {text!r}")
    epoch, rest = found.groups()
    if ":" in rest and (epoch is None or ":" in rest.rpartition("-")[2]):
        raise VersionError(f"not a Debian version: {text!r} (a colon out of place)")
    upstream, hyphen, revision = rest.rpartition("-")
    if not hyphen:
        upstream = rest
    elif not revision:
        raise VersionError(f"not a Debian version: {text!r} (nothing after the last hyphen)")
    number = int(epoch) if epoch else 0
    if number > _MAX_EPOCH:
        raise VersionError(f"not a Debian version: {text!r} (the epoch is too big)")
    return number, _part(upstream), _part(revision) if hyphen else _NO_REVISION


class _Runs(dict[str, str]):
    """Runs of non-digits in the form they sort in; a few dozen make up nearly all versions."""

    def __missing__(self, run: str) -> str:
        form = run.translate(_ORDER) + _END
        if len(self) < _MAX_RUNS:
            self[run] = form
        return form


_MAX_RUNS = 1 << 14
_RUNS = _Runs()


@lru_cache(maxsize=1 << 15)
def _part(text: str) -> Part:
    # Alternately a run of non-digits and a number, a run last: the end. A number that is not there counts as 0.
    runs: list[str | int] = [*_DIGITS.split(text)]
    if runs[-1]:
        runs += ("0", "")
    runs[::2] = map(_RUNS.__getitem__, runs[::2])  # type: ignore[arg-type]
    runs[1::2] = map(int, runs[1::2])
    return tuple(runs)


_NO_REVISION = _part("0")
