"""Products that a VEX document names by CPE alone.

A package is meant only where it bears a CPE of the same vendor and product (which an analyzer wrote, none is guessed),
and where whatever else the statement says (version, update, edition, target) is said of the package in the same
words. What the statement leaves open holds for all. The name of an operating system means the image's distribution, for
statements about packages inside it; by itself it means no package.

Format: NIST IR 7695: formatted strings of CPE 2.3 (6.2), URIs of CPE 2.2 (6.1) with packed editions.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote

from anchorecli.model import Distro, Package

_FIELDS = 11
_ANY = ("*", "")
_COLON = re.compile(r"(?<!\\):")
_QUOTED = re.compile(r"\\(.)")
_SYSTEMS = {
    ("almalinux", "almalinux"): "almalinux",
    ("alpinelinux", "alpine_linux"): "alpine",
    ("amazon", "linux"): "amzn",
    ("canonical", "ubuntu_linux"): "ubuntu",
    ("centos", "centos"): "centos",
    ("debian", "debian_linux"): "debian",
    ("fedoraproject", "fedora"): "fedora",
    ("opensuse", "leap"): "opensuse-leap",
    ("oracle", "linux"): "ol",
    ("redhat", "enterprise_linux"): "rhel",
    ("rocky", "rocky"): "rocky",
    ("suse", "sles"): "sles",
}
"""Vendor and product → ``ID`` of os-release(5)."""

Cpe = tuple[str, ...]
"""Part, vendor, product, version, update, edition, language, software edition, target software, hardware, other."""


@lru_cache(maxsize=1 << 14)
def parse_cpe(text: str) -> Cpe | None:
    """A name taken apart, in small letters, what is open as ``*``; None for what is none, or whose vendor or product
    is open."""
    text = text.strip().lower()
    if text.startswith("cpe:2.3:"):
        fields = [_QUOTED.sub(r"\1", each) for each in _COLON.split(text[8:])]
        if len(fields) != _FIELDS:
            return None
    elif text.startswith("cpe:/"):
        fields = _unpacked([unquote(each) for each in text[5:].split(":")])
    else:
        return None
    fields = ["*" if each in _ANY else each for each in fields]
    known = fields[0] in ("a", "o", "h") and not any(_is_open(each) for each in fields[1:3])
    return tuple(fields) if known else None


def bears(text: str, package: Package) -> bool:
    """Whether a package bears a CPE that a statement's one means."""
    wanted = parse_cpe(text)
    return wanted is not None and any(_means(wanted, own) for own in map(parse_cpe, package.cpes) if own is not None)


def is_system(text: str, distro: Distro | None) -> bool:
    """Whether a CPE is that of the image's distribution; a version as exact as the statement's has to be the same."""
    wanted = parse_cpe(text)
    if wanted is None or distro is None or _SYSTEMS.get((wanted[1], wanted[2])) != distro.id:
        return False
    version = wanted[3]
    return version in ("*", distro.version_id) or distro.version_id.startswith(f"{version}.")


def _means(wanted: Cpe, own: Cpe) -> bool:
    return wanted[:3] == own[:3] and all(said in ("*", has) for said, has in zip(wanted[3:], own[3:], strict=True))


def _unpacked(fields: list[str]) -> list[str]:
    """The fields of a URI as those of 2.3: an edition of ``~a~b~c~d~e`` holds five."""
    fields = (fields + [""] * 7)[:7]
    packed = fields[5].split("~")
    edition, *rest = packed[1:6] if fields[5].startswith("~") and len(packed) == 6 else [fields[5], "", "", "", ""]
    return [*fields[:5], edition, fields[6], *rest]


def _is_open(text: str) -> bool:
    return text in ("*", "-") or "?" in text or "*" in text
