"""Debian package versions, in dpkg's order.

Format: deb-version(7), ``[epoch:]upstream[-revision]``, e.g. ``1:1.2.11.dfsg-2+deb11u2``. Refused, as by
``dpkg --validate-version``: an upstream part that does not start with a digit, an empty part, foreign characters.
"""

from __future__ import annotations

import re

from anchorecli.errors import VersionError

Part = tuple[str | int, ...]

_VALID = re.compile(r"(?:([0-9]+):)?([0-9][A-Za-z0-9.+~:-]*)", re.ASCII)
_RUNS = re.compile(r"([^0-9]*)([0-9]*)", re.ASCII)
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


def _part(text: str) -> Part:
    # An absent run of digits counts as 0, and the last pair is always ("", ""): the end.
    key: list[str | int] = []
    for letters, digits in _RUNS.findall(text):
        key.append(letters.translate(_ORDER) + _END if letters else _END)
        key.append(int(digits) if digits else 0)
    return tuple(key)


_NO_REVISION = _part("0")
