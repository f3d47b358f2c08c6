"""Debian's lists of advisories, for the names under which vulnerabilities were announced: DSA and DLA.

Format: https://salsa.debian.org/security-tracker-team/security-tracker, ``data/DSA/list`` and ``data/DLA/list``::

    [29 Mar 2023] DSA-5380-1 xorg-server - security update
            {CVE-2023-1393}
            [bullseye] - xorg-server 2:1.20.11-1+deb11u6
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from sys import intern

_LIST = re.compile(r"(?:.*/)?(?:DSA|DLA)(?:/list|\.list)?", re.ASCII)
_HEAD = re.compile(r"\[\d{1,2} \w{3} \d{4}\] ((?:DSA|DLA)-\d+(?:-\d+)?)(?: .*)?", re.ASCII)
_NAMED = re.compile(r"\s+\{([^{}]*)\}\s*", re.ASCII)
_CVE = re.compile(r"CVE-\d{4}-\d{4,}", re.ASCII)


def is_list(name: str) -> bool:
    """Whether a member is one of the lists by its name."""
    return _LIST.fullmatch(name) is not None


def read(data: bytes) -> Iterator[tuple[str, str]]:
    """Each CVE with an advisory that names it, in the order of the file.

    Raises: ValueError where no line begins an advisory.
    """
    advisory, known = "", False
    for line in data.decode("utf-8").splitlines():
        if found := _HEAD.fullmatch(line.rstrip()):
            advisory, known = intern(found[1]), True
        elif line.startswith("["):
            advisory = ""  # of another kind, or misspelt: what stands below it is not the last one's
        elif advisory and (found := _NAMED.fullmatch(line)):
            for cve in _CVE.findall(found[1]):
                yield cve, advisory
    if not known:
        raise ValueError("not a list of advisories")
