"""What a package database says of one file, and the short digests it is compared by."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterable
from typing import NamedTuple

KEPT = 12
"""Bytes kept of each digest: ninety-six bits tell any two files apart, and a second file with the same is as hard to
make as for md5 itself."""
_PLACES = {"md5": 0, "sha1": 16, "sha256": 32}


class Expected(NamedTuple):
    """One file of a package. Empty ``digest`` and negative numbers: the database does not say."""

    package: str
    purl: str
    path: str
    """As the database has it, without the leading slash."""
    digest: str = ""
    """``md5``, ``sha1`` or ``sha256``, a colon and what ``short`` makes of it."""
    mode: int = -1
    size: int = -1
    config: bool = False
    """Meant to be edited: only its absence counts."""
    link: bool = False
    optional: bool = False
    """May be missing."""


def digests(pieces: Iterable[bytes]) -> str:
    """The md5, sha1 and sha256 of a content, shortened, in one text of 48 characters."""
    every = [hashlib.md5(usedforsecurity=False), hashlib.sha1(usedforsecurity=False), hashlib.sha256()]
    for piece in pieces:
        for each in every:
            each.update(piece)
    return b64encode(b"".join(each.digest()[:KEPT] for each in every)).decode("ascii")


def short(kind: str, digest: bytes) -> str:
    """A digest in the form of ``Expected.digest``; empty for one that is too short, or of a kind that is not taken."""
    if kind not in _PLACES or len(digest) < KEPT:
        return ""
    return f"{kind}:{b64encode(digest[:KEPT]).decode('ascii')}"


def agrees(expected: str, found: str) -> bool:
    """Whether what ``digests`` gave has the expected one."""
    kind, _, digest = expected.partition(":")
    place = _PLACES[kind]
    return found[place : place + 16] == digest
