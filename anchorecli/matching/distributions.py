"""Which namespaces speak of a distribution: its own, and those of the distribution whose packages it is made of.

A derivative has two parents at most: what its os-release says it is like (``ID_LIKE``), and the release of that
parent, which its code name (``UBUNTU_CODENAME``, ``DEBIAN_CODENAME``) or its own version tells. Where neither does,
nobody speaks of it. What a parent says holds for the packages a derivative took unchanged, which the matcher says.

Debian's testing and unstable give themselves the same name. Unstable's records judge both: they say in which version a
flaw was fixed, those of testing only that it is still open there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from anchorecli.model import Distro


class Lineage(NamedTuple):
    """Namespaces of a distribution, the best first; those of its parents; and the purl type of its packages."""

    own: tuple[str, ...]
    inherited: tuple[str, ...] = ()
    native: str = ""


ESM = "+esm"
"""Behind an Ubuntu namespace: what Expanded Security Maintenance fixes, for who has a subscription."""


def lineage(distro: Distro) -> Lineage:
    """Who speaks of a distribution's packages."""
    name, version = _SAME.get(distro.id, distro.id), distro.version_id
    if name == "mariner" and version.partition(".")[0] not in ("1", "2"):
        name = "azurelinux"
    if name == "openeuler":
        version += _service_pack(distro.pretty_name)
    if name in _NATIVE:
        own = _namespaces(name, version, distro.base_codename or distro.codename)
        parent, native = _NEAREST.get(name, ""), _NATIVE[name]
    else:
        own = _plain(name, version)
        likely = (_SAME.get(each, each) for each in distro.like)
        parent = _PARENTS.get(name) or next((each for each in likely if each in _NATIVE or each in _PARENTS), "")
        parent = _PARENTS.get(parent, parent)
        native = _NATIVE.get(parent, "")
    inherited = _inherited(parent, distro) if parent else ()
    return Lineage(own, tuple(each for each in inherited if each not in own), native)


def _inherited(parent: str, distro: Distro) -> tuple[str, ...]:
    """The parent's namespaces; none where its release cannot be told."""
    codename = distro.base_codename or distro.codename
    version = _parent_version(distro, parent)
    if not version and parent == "debian" and codename not in _CODENAMES:
        return ()
    return _namespaces(parent, version, codename)


def _namespaces(name: str, version: str, codename: str) -> tuple[str, ...]:
    if name in _ROLLING:
        return (name,)
    if name in _MAJOR_ONLY:
        return _majors(name, version)
    named = _RELEASES.get(name)
    return named(version, codename) if named else _plain(name, version)


def _plain(name: str, version: str) -> tuple[str, ...]:
    return (f"{name}:{_parts(version, 2)}" if version else name,)


def _majors(name: str, version: str) -> tuple[str, ...]:
    return (f"{name}:{_parts(version, 1)}",) if version else (name,)


def _debian(version: str, codename: str) -> tuple[str, ...]:
    if version:
        return (f"debian:{_parts(version, 1)}",)
    number = _CODENAMES.get(codename, 0)
    if 0 < number < _TESTING:
        return (f"debian:{number}",)
    return ("debian:unstable", f"debian:{number}", "debian:testing") if number else ("debian:unstable",)


def _ubuntu(version: str, codename: str) -> tuple[str, ...]:
    number = _UBUNTU_CODENAMES.get(codename) or (_parts(version, 2) if _UBUNTU.match(version) else "")
    return (f"ubuntu:{number}", f"ubuntu:{number}{ESM}") if number else ()


def _alpine(version: str, _: str) -> tuple[str, ...]:
    edge = not version or "_alpha" in version or version == "edge"
    return ("alpine:edge",) if edge else (f"alpine:{_parts(version, 2)}",)


def _sles(version: str, _: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((f"sles:{_parts(version, 2)}", f"sles:{_parts(version, 1)}")))


def _amazon(version: str, _: str) -> tuple[str, ...]:
    # The first Amazon Linux is called by years before 2020, the second 2, the later ones by their years.
    return ("amzn:1",) if version.startswith("201") else _majors("amzn", version)


def _parent_version(distro: Distro, parent: str) -> str:
    """The parent's release, empty where only a code name can tell."""
    if parent == "debian":
        return {"raspbian": distro.version_id, "kali": "unstable"}.get(distro.id, "")
    if distro.id == "postmarketos":
        return _postmarket(distro.version_id)
    if distro.id == "sle-micro":
        return _MICRO.get(distro.version_id, "")
    return distro.version_id


def _service_pack(title: str) -> str:
    """openEuler's service packs are branches with builds of their own; only the title tells them: 24.03 (LTS-SP1)."""
    found = _SERVICE_PACK.search(title)
    return f"-{found[1]}" if found else ""


def _postmarket(version: str) -> str:
    """postmarketOS follows each Alpine release after some weeks: 21.06 is 3.14, 21.12 is 3.15, and so on."""
    found = _POSTMARKET.fullmatch(version)
    if not found:
        return version
    return f"3.{14 + 2 * (int(found[1]) - 21) + (found[2] == '12')}"


def _parts(version: str, count: int) -> str:
    return ".".join(version.split(".")[:count])


_UBUNTU = re.compile(r"\d{1,2}\.(?:04|06|10)(?:\.|$)", re.ASCII)
_SERVICE_PACK = re.compile(r" \(?(LTS(?:-SP\d+)?)\)?$", re.ASCII)
_POSTMARKET = re.compile(r"v?(\d\d)\.(06|12)(?:\.\d+)?", re.ASCII)

_SAME: Mapping[str, str] = {
    "redhat": "rhel",
    "alma": "almalinux",
    "rockylinux": "rocky",
    "oracle": "ol",
    "oraclelinux": "ol",
    "amazon": "amzn",
    "amazonlinux": "amzn",
    "sled": "sles",
    "sles_sap": "sles",
    "sle_hpc": "sles",
    "opensuse": "opensuse-leap",
}
"""Other names and editions of one distribution."""

_ROLLING = frozenset(
    {"wolfi", "chainguard", "minimos", "secureos", "arch", "echo", "gentoo", "hummingbird", "opensuse-tumbleweed"}
)
_MAJOR_ONLY = frozenset({"rhel", "almalinux", "rocky", "ol", "fedora"})

_NATIVE: Mapping[str, str] = (
    dict.fromkeys(("debian", "ubuntu", "echo"), "deb")
    | dict.fromkeys(("alpine", "wolfi", "chainguard", "minimos", "secureos"), "apk")
    | dict.fromkeys(_MAJOR_ONLY | {"amzn", "sles", "opensuse-leap", "opensuse-tumbleweed"}, "rpm")
    | dict.fromkeys(("azurelinux", "hummingbird", "mariner", "photon", "mageia", "openeuler"), "rpm")
    | {"arch": "alpm", "gentoo": "portage"}
)
"""Distributions that feeds may speak of by their own name, and the purl type of their packages."""

_NEAREST: Mapping[str, str] = {
    "almalinux": "rhel",
    "rocky": "rhel",
    "ol": "rhel",
    "opensuse-leap": "sles",
    "chainguard": "wolfi",
}
"""Distributions with feeds of their own, and whose records come nearest where those are missing."""

_PARENTS: Mapping[str, str] = {
    "raspbian": "debian",
    "devuan": "debian",
    "kali": "debian",
    "centos": "rhel",
    "scientific": "rhel",
    "sl": "rhel",
    "postmarketos": "alpine",
    "manjaro": "arch",
    "archarm": "arch",
    "cachyos": "arch",
    "endeavouros": "arch",
    "opensuse-microos": "opensuse-tumbleweed",
    "opensuse-slowroll": "opensuse-tumbleweed",
    "sle-micro": "sles",
}
"""Derivatives that do not always say what they are like. Others need not stand here."""

_MICRO = {"5.1": "15.3", "5.2": "15.3", "5.3": "15.4", "5.4": "15.4", "5.5": "15.5"}
"""SLE Micro and the service pack it is made from."""

_CODENAMES: Mapping[str, int] = {
    name: number
    for number, names in enumerate(
        (
            ("wheezy",),
            ("jessie",),
            ("stretch", "ascii"),
            ("buster", "beowulf"),
            ("bullseye", "chimaera"),
            ("bookworm", "daedalus"),
            ("trixie", "excalibur"),
            ("forky", "freia"),
            ("duke",),
        ),
        start=7,
    )
    for name in names
}
"""Debian's code names, and Devuan's for the same releases."""
_TESTING = 14
"""The first Debian release that is not out: testing and unstable have its name."""

_UBUNTU_CODENAMES: Mapping[str, str] = {
    "trusty": "14.04",
    "xenial": "16.04",
    "bionic": "18.04",
    "focal": "20.04",
    "jammy": "22.04",
    "kinetic": "22.10",
    "lunar": "23.04",
    "mantic": "23.10",
    "noble": "24.04",
    "oracular": "24.10",
    "plucky": "25.04",
    "questing": "25.10",
    "resolute": "26.04",
}
RELEASE_NAMES = _CODENAMES.keys() | _UBUNTU_CODENAMES.keys()
"""What Debian and Ubuntu call their releases."""

_RELEASES: Mapping[str, Callable[[str, str], tuple[str, ...]]] = {
    "debian": _debian,
    "ubuntu": _ubuntu,
    "alpine": _alpine,
    "sles": _sles,
    "amzn": _amazon,
}
