"""CPE names for what the database of NVD may know a package by.

Format: NIST IR 7695, 6.2, formatted strings: ``cpe:2.3:a:VENDOR:PRODUCT:VERSION:…``, target software tenth.

What an analyzer knows for certain (``Package.cpes``) is all that is said of a package; else names are those of a table
of what NVD calls otherwise (``cpe_names``), or guessed from the package's own, for the ecosystems whose versions are
upstream's. They are hints for other tools, marked as guessed, and nothing here is matched by them. Not handled: what
distributions package, whose versions are not upstream's, so that what NVD says of an upstream version would be wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from anchorecli.model import Package
from anchorecli.report.cpe_names import known

MOST = 6
"""Guesses for one package: a longer list finds other people's products."""

_VALUE = r"(?:[*-]|(?:\?{1,9}|\*)?(?:[A-Za-z0-9._-]|\\[\\*?!\"#$%&'()+,/:;<=>@\[\]^`{|}~]){1,200}(?:\?{1,9}|\*)?)"
_CPE = re.compile(rf"cpe:2\.3:[aho*-](?::{_VALUE}){{10}}")
_SPECIAL = re.compile(r"[^A-Za-z0-9_.\-]")
_TARGETS = {
    "pypi": "python",
    "npm": "node.js",
    "gem": "ruby",
    "cargo": "rust",
    "golang": "go",
    "maven": "*",
    "composer": "*",
    "nuget": "*",
    "hex": "*",
}
"""purl type → target software; packages of other types are not guessed at."""
_COMMON = frozenset({"com", "org", "net", "io", "dev", "edu", "gov", "de", "fr", "uk", "jp", "cn", "github", "gitlab"})
_HOSTS = ("github.com", "gitlab.com", "bitbucket.org", "codeberg.org")


def is_cpe(text: str) -> bool:
    """Whether schemas take it for a CPE 2.3 name."""
    return _CPE.fullmatch(text) is not None


def guessed(package: Package) -> tuple[str, ...]:
    """Names that NVD may use, the likeliest first; none where the analyzer knew one."""
    target = _TARGETS.get(package.type)
    if package.cpes or target is None or not package.version or "inexact" in package.metadata:
        return ()
    version = _escaped(package.version.removeprefix("v").lower())
    names = (
        f"cpe:2.3:a:{_escaped(vendor)}:{_escaped(product)}:{version}:*:*:*:*:{target}:*:*"
        for vendor, product in dict.fromkeys(_pairs(package))
    )
    return tuple(each for each, _ in zip(filter(is_cpe, names), range(MOST), strict=False))


def _pairs(package: Package) -> Iterator[tuple[str, str]]:
    """(vendor, product) as NVD has them, else by the customs of the ecosystem."""
    group, name = _split(package)
    if names := known(package.type, package.name.lower()):
        yield from names
        return
    products = list(_spellings(name))
    vendors = [*_vendors(package.type, group, name)]
    yield from ((vendor, product) for product in products for vendor in vendors)


def _split(package: Package) -> tuple[str, str]:
    name = package.name.lower().lstrip("@")
    if package.type == "golang":
        name = re.sub(r"/v\d+$", "", name)
    separator = ":" if package.type == "maven" else "/"
    group, _, rest = name.rpartition(separator)
    return group, rest


def _vendors(kind: str, group: str, name: str) -> Iterable[str]:
    if kind == "maven":
        # org.apache.commons: the project stands behind the domain's end.
        parts = [part for part in group.split(".") if part not in _COMMON]
        # The oldest projects of Apache Commons are groups of their own: commons-io:commons-io.
        return ("apache",) if parts[:1] == ["apache"] or group.startswith("commons-") else (*parts[:2], name)
    if kind == "golang":
        host, _, path = group.partition("/")
        owner = path.partition("/")[0]
        return (owner,) if host in _HOSTS and owner else (host.partition(".")[0] or name, name)
    if group:
        return (group.replace("/", "_"), name)
    if kind == "pypi":
        return (name, f"{name}_project", f"python-{name}", "python")
    return (name, f"{name}_project")


def _spellings(name: str) -> Iterator[str]:
    yield name
    if "-" in name:
        yield name.replace("-", "_")


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda found: "\\" + found[0], text.replace(" ", "_")) or "*"
