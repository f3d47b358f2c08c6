"""NVD's configurations as statements about CPE products: namespace ``nvd``, named ``vendor:product``.

Only applications and the Linux kernel are taken: other systems, firmware and hardware are no packages. What an
application runs on (``AND`` with platforms that are not vulnerable themselves) limits a statement where none of the
platforms is Linux; so does the target software of a CPE (``node.js``, ``wordpress``, ``windows``). Such limits stand in
``Affected.arches``.

Format: https://csrc.nist.gov/schema/nvd/api/2.0/cve_api_json_2.0.schema, ``configurations``: lists of ``nodes`` of
``cpeMatch`` with criteria (NIST IR 7695, 6.2), vulnerable, versionStartIncluding, versionStartExcluding,
versionEndIncluding and versionEndExcluding. Not handled: negated nodes (NVD has none), wildcards inside of versions,
editions (those of a free program and of its paid brother are one product here).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from anchorecli.feeds.language.constraints import successor
from anchorecli.model import Affected, Range

SPACE, SCHEME = "nvd", "cpe"

_COLON = re.compile(r"(?<!\\):")
_QUOTED = re.compile(r"\\(.)")
_ANY, _NONE = "*", "-"
_BOUNDS = ("versionStartIncluding", "versionStartExcluding", "versionEndIncluding", "versionEndExcluding")
_UNLIMITED = frozenset({_ANY, _NONE, "", "linux", "linux_kernel", "unix", "docker", "kubernetes", "x64", "x86"})
"""Target software that is no limit for a program in an image."""
_SYSTEMS = (
    ("microsoft:windows", "windows"),
    ("apple:mac", "darwin"),
    ("apple:iphone", "ios"),
    ("apple:ipad", "ios"),
    ("apple:tv", "ios"),
    ("apple:watch", "ios"),
    ("google:android", "android"),
    ("freebsd:", "freebsd"),
    ("netbsd:", "netbsd"),
    ("openbsd:openbsd", "openbsd"),
    ("oracle:solaris", "solaris"),
    ("sun:solaris", "solaris"),
    ("sun:sunos", "solaris"),
    ("ibm:aix", "aix"),
    ("ibm:z", "zos"),
    ("hp:hp-ux", "hpux"),
    ("hpe:hp-ux", "hpux"),
)
"""What a platform's ``vendor:product`` begins with → the operating system, as Go calls it. All others may be Linux."""
_TARGETS = {"macos": "darwin", "mac_os_x": "darwin", "mac_os": "darwin", "iphone_os": "ios", "ipados": "ios"}


class Name(NamedTuple):
    """The fields of a CPE name that matter here."""

    part: str
    product: str
    version: str
    update: str
    target: str


def name_of(criteria: str) -> Name | None:
    """A CPE 2.3 name taken apart; None for anything else."""
    criteria = criteria.lower()
    quoted = "\\" in criteria
    parts = _COLON.split(criteria) if quoted else criteria.split(":")
    if len(parts) != 13 or parts[:2] != ["cpe", "2.3"] or not criteria.isprintable():
        return None
    _, _, part, vendor, product, version, update, _, _, _, target, _, _ = (
        [_QUOTED.sub(r"\1", each) for each in parts] if quoted else parts
    )
    return Name(part, f"{vendor}:{product}", version, update, target)


def statements(configurations: Any) -> tuple[Affected, ...]:
    """What the configurations of a CVE say of applications, a statement for each product and limit.

    Raises: ValueError where they are not of the schema's form.
    """
    found: dict[tuple[str, tuple[str, ...]], _Versions] = {}
    for configuration in _objects(configurations):
        nodes = list(_objects(configuration.get("nodes", [])))
        if configuration.get("negate") or any(node.get("negate") for node in nodes):
            continue
        matches = [match for node in nodes for match in _objects(node.get("cpeMatch", []))]
        named = [(name, match) for match in matches if (name := name_of(str(match.get("criteria", "")))) is not None]
        together = "AND" in (configuration.get("operator"), *(node.get("operator") for node in nodes))
        platforms = _systems(name for name, match in named if not match.get("vulnerable")) if together else ()
        for name, match in named:
            if is_package(name) and match.get("vulnerable") is True:
                limits = platforms or limits_of(name)
                found.setdefault((name.product, limits), _Versions()).take(name, match)
    return tuple(
        Affected(SPACE, product, SCHEME, ranges=ranges, versions=versions, arches=limits)
        for (product, limits), each in found.items()
        for ranges, versions in each.result()
    )


def is_package(name: Name) -> bool:
    """Whether it can be a package of an image."""
    return name.part == "a" or name.product == "linux:linux_kernel"


def limits_of(name: Name) -> tuple[str, ...]:
    """The target software that a CPE limits a statement to."""
    if name.target in _UNLIMITED or name.target in name.product.split(":"):
        return ()  # Ruby for Ruby is no limit
    # Several limits are kept as one text with commas between them.
    return (_TARGETS.get(name.target, name.target.replace(",", "_")),)


def spoken_of(identifier: str, weaknesses: Iterable[str] = ()) -> Affected:
    """That a record is about a CVE: by this its scores are found, whoever matched the CVE; with its CWE ids."""
    from anchorecli.model import Statement

    return Affected("cve", identifier, "", Statement.UNDER_INVESTIGATION, versions=tuple(weaknesses))


class _Versions:
    """The affected versions of one product, as they come in."""

    def __init__(self) -> None:
        self._ranges: dict[Range, None] = {}
        self._versions: dict[str, None] = {}

    def take(self, name: Name, match: Mapping[str, Any]) -> None:
        """Add what one match says."""
        bounded = _range(match)
        if bounded is not None:
            self._ranges[bounded] = None
        elif name.version == _ANY:
            self._ranges[Range()] = None
        elif name.version != _NONE and not set("*?") & set(name.version):
            update = "" if name.update == _ANY else f":{name.update}"
            self._versions[name.version + update] = None

    def result(self) -> Iterator[tuple[tuple[Range, ...], tuple[str, ...]]]:
        """Ranges and versions; nothing where no version was named (a version of ``-`` says that none is known)."""
        if Range() in self._ranges:
            yield (), ()
        elif self._ranges or self._versions:
            yield tuple(self._ranges), tuple(self._versions)


def _range(match: Mapping[str, Any]) -> Range | None:
    if match.keys().isdisjoint(_BOUNDS):
        return None
    start, start_after, last, fixed = (_version(match.get(key) or "") for key in _BOUNDS)
    if not (start or start_after or last or fixed):
        return None
    low = start or (successor(SCHEME, start_after) if start_after else "")
    return Range(low, fixed=fixed) if fixed else Range(low, last_affected=last)


def _version(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError("a bound that is no version")
    return value.strip()


def _systems(platforms: Iterable[Name]) -> tuple[str, ...]:
    """The operating systems that an application must run on; empty where Linux may be one, or none is named."""
    found = set()
    for name in platforms:
        if name.part != "o":
            continue
        known = next((system for start, system in _SYSTEMS if name.product.startswith(start)), "")
        if not known:
            return ()
        found.add(known)
    return tuple(sorted(found))


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise ValueError("configurations are not of the schema's form")
    yield from value
