"""Stanzas of a dpkg or opkg database.

Format: deb-control(5), ``Key: value`` lines, a line that begins with a blank or tab continues the one before, an empty
line ends a stanza. dpkg refuses a damaged database as a whole; here each stanza stands for itself, and what cannot be
read is counted. So that none can hide another, a second ``Package`` begins another stanza, a second ``Version`` makes
it one that cannot be read, and a second ``Status`` takes nothing back; of other keys the last counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

GONE = frozenset({"config-files", "not-installed"})
"""Third words of ``Status`` under which nothing of the package is on the disk but perhaps its configuration."""

_NUMBERS = {
    "package": 0,
    "version": 1,
    "architecture": 2,
    "source": 3,
    "status": 4,
    "installed-size": 5,
    "maintainer": 6,
    "license": 7,
    "sourcename": 8,
    "depends": 9,
    "pre-depends": 10,
    "provides": 11,
}
_KNOWN = {**_NUMBERS, **{key.title(): number for key, number in _NUMBERS.items()}, "SourceName": 8, "Pre-Depends": 10}
"""Keys as they are usually written, so that the common case needs no lowering."""
_ONCE = frozenset({0, 1, 4})
_MOST = 4096
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]*").fullmatch
_REPEATED = re.compile(r"\n(?=Package:)")
_SOURCE = re.compile(r"(\S+)\s*\(([^()\s]+)\)").fullmatch
_HUMAN = {"k": 1024, "m": 1024**2, "g": 1024**3}


class Stanza(NamedTuple):
    """One package that is at least partly on the disk. A plain JSON array in the stored fact."""

    name: str
    version: str
    arch: str
    source: str
    source_version: str
    state: str
    """Third word of Status; empty where the stanza has none (distroless)."""
    size: int
    """Bytes."""
    maintainer: str
    license: str
    """Only opkg has one."""
    depends: str = ""
    """``Pre-Depends`` and ``Depends`` as they are: ``libc6 (>= 2.36), debconf | debconf-2.0``."""
    provides: str = ""


class Status(NamedTuple):
    """What a database gave; ``damage`` says in words what could not be read, or is empty."""

    stanzas: list[Stanza]
    damage: str
    hit: bool = False
    """Whether there are more packages than may be; those are left out."""
    gone: tuple[str, ...] = ()
    """Names of those that were removed: of some the configuration is left, and its list."""


def parse(text: str) -> Status:
    """Every installed package of a status file, in its order."""
    return parse_pieces([text])


def parse_pieces(pieces: Iterable[str], most: int = 1 << 63) -> Status:
    """The same of a file in pieces that end where an empty line does; ``most`` packages of it."""
    stanzas: list[Stanza] = []
    gone: list[str] = []
    damaged = first = total = 0
    hit = False
    for line, part in _parts(pieces):
        total += 1
        values = _fields(part)
        if values[0] and values[1] and _NAME(values[0]) and values[1].isprintable() and " " not in values[1]:
            state = values[4].split(maxsplit=2)[-1] if values[4] else ""
            if state in GONE and len(gone) < most:
                gone.append(values[0])
            if state in GONE:
                continue
            if len(stanzas) < most:
                stanzas.append(_stanza(values, state))
            else:
                hit = True
        elif not values[0] or values[4].rpartition(" ")[2] not in GONE:
            damaged += 1
            first = first or line()
    damage = ""
    if damaged:
        damage = f"{damaged} of {total} stanzas without a usable name or version, the first in line {first}"
    return Status(stanzas, damage, hit, tuple(gone))


def _parts(pieces: Iterable[str]) -> Iterator[tuple[Callable[[], int], str]]:
    """Each stanza, with what tells its block's first line: that is asked for once at most."""
    before = 1
    for piece in pieces:
        text = piece.replace("\r\n", "\n") if "\r" in piece else piece
        position = 0

        def line() -> int:
            return before + text.count("\n", 0, position)  # noqa: B023 - asked for before the next one

        for block in text.split("\n\n"):
            for part in _REPEATED.split(block) if "\nPackage:" in block else (block,):
                if part and not part.isspace():
                    yield line, part
            position += len(block) + 2
        before += text.count("\n")


def _fields(block: str) -> list[str]:
    """The first line of each wanted field, by its number."""
    values = [""] * len(_NUMBERS)
    for line in block.split("\n"):
        if line[:1] in (" ", "\t"):
            continue
        key, colon, value = line.partition(":")
        number = _KNOWN.get(key)
        if number is None:
            # dpkg compares keys without regard to case.
            number = _NUMBERS.get(key.lower())
        if number is not None and colon:
            value = value.strip()
            if values[number] and number in _ONCE:
                # What is said over and over is nothing in any case, and need not grow.
                value = f"{values[number][:_MOST]} {value}"
            values[number] = value
    return values


def _stanza(values: list[str], state: str) -> Stanza:
    name, version, arch, source, _, size, maintainer, license_, source_name, depends, before, provides = values
    source_version = version
    if source and source[-1] == ")" and (bracketed := _SOURCE(source)):
        source, source_version = bracketed.groups()
    source = source_name or source.rpartition("/")[2].strip() or name
    if " " in source:
        source = source.partition(" ")[0]
    return Stanza(
        *(name, version, arch, source, source_version, state, _size(size), maintainer, license_),
        depends=f"{before}, {depends}" if before else depends,
        provides=provides,
    )


def _size(text: str) -> int:
    """Installed-Size in bytes: dpkg counts KiB; some opkg builds write ``12.5K``."""
    if text.isdecimal():
        return int(text[:15]) * 1024
    unit = _HUMAN.get(text[-1:].lower(), 0)
    try:
        return int(float(text[:-1][:15]) * unit) if unit else 0
    except (ValueError, OverflowError):
        return 0
