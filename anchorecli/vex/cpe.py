"""Products that a VEX document names by CPE alone.

A package is meant only where it bears a CPE of the same vendor and product (which an analyzer wrote, none is guessed),
and where whatever else the statement says (version, update, edition, target) is said of the package in the same
words. What the statement leaves open holds for all. The name of an operating system means the image's distribution, for
statements about packages inside it; by itself it means no package.
"""

from __future__ import annotations

from anchorecli.cpe import Cpe, parse_cpe
from anchorecli.model import Distro, Package

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
