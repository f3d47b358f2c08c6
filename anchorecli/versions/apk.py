"""Alpine package versions, in apk-tools' order.

Format: apk-package(5), ``digits{.digits}[letter[digits]]{_suffix[digits]}[~hash][-rN]``, e.g. ``3.0.12_p2-r4``. A
component after the first with a leading zero compares as a fraction (``1.02 < 1.1``), as Gentoo has it. Taken besides:
digits after the letter (``6.6.4p1``, in packages of the apk-tools 2 era) and a ``v`` in front.
"""

from __future__ import annotations

import re

from anchorecli.errors import VersionError

_VALID = re.compile(
    r"v?([0-9]+)((?:\.[0-9]+)*)(?:([a-z])([0-9]*))?"
    r"((?:_(?:alpha|beta|pre|rc|cvs|svn|git|hg|p)[0-9]*)*)(?:~([0-9a-f]+))?(?:-r([0-9]+))?",
    re.ASCII,
)
_SUFFIXES = re.compile(r"_([a-z]+)([0-9]*)", re.ASCII)

# Where two versions go on differently the one that goes on with the kind listed later is newer.
_PRE, _END, _REVISION, _HASH, _SUFFIX_NUMBER, _POST, _LETTER, _FRACTION, _NUMBER = range(9)
_SUFFIX = {
    name: (kind, rank)
    for kind, names in ((_PRE, ("alpha", "beta", "pre", "rc")), (_POST, ("cvs", "svn", "git", "hg", "p")))
    for rank, name in enumerate(names)
}

Key = tuple[tuple[int, int | str], ...]


def key(text: str) -> Key:
    """The sort key.

    Raises: VersionError for what is not of the form above.
    """
    text = text.strip()
    found = _VALID.fullmatch(text)
    if found is None:
        raise VersionError(f"not an Alpine version: {text!r}")
    first, rest, letter, letter_number, suffixes, commit, revision = found.groups()
    parts: list[tuple[int, int | str]] = [(_NUMBER, int(first))]
    if rest:
        parts += [(_FRACTION, item) if item[0] == "0" else (_NUMBER, int(item)) for item in rest[1:].split(".")]
    if letter:
        parts.append((_LETTER, letter))
        if letter_number:
            parts.append((_NUMBER, int(letter_number)))
    for name, number in _SUFFIXES.findall(suffixes) if suffixes else ():
        parts.append(_SUFFIX[name])
        if number:
            parts.append((_SUFFIX_NUMBER, int(number)))
    if commit:
        parts.append((_HASH, commit))
    if revision:
        parts.append((_REVISION, int(revision)))
    parts.append((_END, 0))
    return tuple(parts)
