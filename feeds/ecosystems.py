"""Namespaces: what the OSV schema calls an ecosystem, in the words this program matches by.

A distribution is ``<ID of os-release>:<version>`` (``debian:12``, ``alpine:3.20``, ``almalinux:9``), a language its
purl type (``pypi``, ``npm``, ``maven`` …), each with the version scheme to compare with. What is not in these tables
keeps its own name in lower case, with ``known`` False, so that it is counted rather than lost.

Format: https://ossf.github.io/osv-schema/#defined-ecosystems, ``NAME[:SUFFIX]``, e.g. ``Alpine:v3.20``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple


class Namespace(NamedTuple):
    """A namespace, the scheme of its versions, whether a distribution, and whether it is one we know."""

    name: str
    scheme: str
    distro: bool = False
    known: bool = True


_LANGUAGES = {
    "PyPI": ("pypi", "pep440"),
    "npm": ("npm", "npm"),
    "Maven": ("maven", "maven"),
    "Go": ("golang", "go"),
    "RubyGems": ("gem", "gem"),
    "crates.io": ("cargo", "cargo"),
    "NuGet": ("nuget", "nuget"),
    "Packagist": ("composer", "composer"),
    "Hex": ("hex", "hex"),
    "Pub": ("pub", "semver"),
    "SwiftURL": ("swift", "semver"),
    "GitHub Actions": ("github-actions", "semver"),
    "CRAN": ("cran", "cran"),
    # Haskell's policy orders versions as R does: number by number, and what is longer is newer.
    "Hackage": ("hackage", "cran"),
    "Bitnami": ("bitnami", "fuzzy"),
    "Julia": ("julia", "julia"),
    "ConanCenter": ("conan", "fuzzy"),
}


def _major(suffix: str) -> str:
    return suffix.partition(".")[0]


def _alpine(suffix: str) -> str:
    return suffix.removeprefix("v")


def _plain(suffix: str) -> str:
    return suffix


def _ubuntu(suffix: str) -> str:
    """``22.04:LTS`` is 22.04; the paid channels (``Pro:…``) and kernels of devices are not given to everybody."""
    found = re.fullmatch(r"(\d\d\.\d\d)(?::LTS)?", suffix)
    return found[1] if found else ""


def _redhat(suffix: str) -> str:
    """``enterprise_linux:9::appstream`` is 9; other products and the extended streams are not."""
    found = re.fullmatch(r"enterprise_linux:(\d+)(\.\d+)?(::\w*)?", suffix)
    return found[1] if found else ""


def _sles(suffix: str) -> str:
    """``Linux Enterprise Server 15 SP5`` and the modules of it (``… Module for Basesystem 15 SP5``) are 15.5."""
    found = re.fullmatch(r"Linux Enterprise (?:Server|Module for [\w .-]+?) (\d+)(?: SP(\d+))?(?:-LTSS)?", suffix)
    return (found[1] + (f".{found[2]}" if found[2] else "")) if found else ""


def _leap(suffix: str) -> str:
    return suffix.removeprefix("Leap ") if suffix.startswith("Leap ") else ""


_DISTROS: dict[str, tuple[str, str, Callable[[str], str]]] = {
    "Debian": ("debian", "deb", _major),
    "Ubuntu": ("ubuntu", "deb", _ubuntu),
    "Alpine": ("alpine", "apk", _alpine),
    "AlmaLinux": ("almalinux", "rpm", _major),
    "Rocky Linux": ("rocky", "rpm", _major),
    "Red Hat": ("rhel", "rpm", _redhat),
    "SUSE": ("sles", "rpm", _sles),
    "openSUSE": ("opensuse-leap", "rpm", _leap),
    "Mageia": ("mageia", "rpm", _plain),
    "openEuler": ("openeuler", "rpm", _plain),
    "Photon OS": ("photon", "rpm", _plain),
    "Azure Linux": ("azurelinux", "rpm", lambda suffix: suffix if "." in suffix else f"{suffix}.0"),
}
_ROLLING = {"Wolfi": ("wolfi", "apk"), "Chainguard": ("chainguard", "apk"), "MinimOS": ("minimos", "apk")}

NOTES = frozenset({"epss", "kev", "end-of-life", "cve", "npm-registry", "gem-registry"})
"""Namespaces of what is known beside advisories (``feeds.enrichment``)."""

_PEP503 = re.compile(r"[-_.]+")
_CASELESS = frozenset({"composer", "nuget", "github-actions", "swift", "hex", "pub"})


@lru_cache(maxsize=4096)
def namespace(ecosystem: str) -> Namespace:
    """The namespace of an OSV ecosystem."""
    base, _, suffix = ecosystem.partition(":")
    if base in _LANGUAGES:
        # A suffix names a repository (Maven:https://…); the packages are the same.
        return Namespace(*_LANGUAGES[base])
    if base in _ROLLING:
        return Namespace(*_ROLLING[base], distro=True)
    if base in _DISTROS:
        name, scheme, version_of = _DISTROS[base]
        if version := version_of(suffix):
            return Namespace(f"{name}:{version}", scheme, distro=True)
        return Namespace(ecosystem.lower(), scheme, distro=True, known=False)
    return Namespace(ecosystem.lower(), "fuzzy", known=False)


def spelled(ecosystem: str) -> str:
    """An OSV ecosystem with upper and lower case as upstream has it: addresses depend on it."""
    base, colon, suffix = ecosystem.partition(":")
    names = {name.lower(): name for name in (*_LANGUAGES, *_DISTROS, *_ROLLING)} | {"rocky": "Rocky Linux"}
    return names.get(base.lower(), base) + colon + suffix


def package_name(space: str, name: str) -> str:
    """A package's name as packages of this namespace are looked up by."""
    if space == "pypi":
        return _PEP503.sub("-", name).lower()
    if space == "swift":
        # By address, as some write it: https://github.com/apple/swift-nio.git
        name = name.removeprefix("https://").removesuffix(".git")
    return name.lower() if space in _CASELESS else name


PROGRAMS = frozenset({"nvd", "ruby-engine"})
"""Namespaces of programs, which ``matching.programs`` asks by CPE and by name."""


REGISTRIES = {"npm": "npm-registry", "gem": "gem-registry"}
"""purl type → the namespace of what its registry has (``feeds.language.packages``)."""

_REGISTRY_NAMES = {
    "npm": r"(?:@[a-z0-9~-][\w.~-]*/)?[A-Za-z0-9~_-][\w.~-]{0,213}",
    "gem": r"[A-Za-z0-9_][\w.-]{0,199}",
}


def is_registry_name(kind: str, name: str) -> bool:
    """Whether a registry can have a package of that name: what an image calls a package may be anything."""
    pattern = _REGISTRY_NAMES.get(kind)
    return pattern is not None and re.fullmatch(pattern, name, re.ASCII) is not None


def is_known(space: str) -> bool:
    """Whether a namespace is one that the tables above lead to."""
    base, colon, version = space.partition(":")
    if not colon:
        return base in _LANGUAGE_NAMES or base in _ROLLING_NAMES or base in NOTES | PROGRAMS
    return base in _DISTRO_NAMES and ":" not in version


_LANGUAGE_NAMES = frozenset(name for name, _ in _LANGUAGES.values())
_ROLLING_NAMES = frozenset({"arch", "echo", "hummingbird", "opensuse-tumbleweed", "secureos"}).union(
    name for name, _ in _ROLLING.values()
)
_RPM_NAMES = frozenset({"ol", "amzn", "fedora", "mariner", "sle-micro", "sl-micro", "opensuse-leap-micro"})
"""Distributions that osv.dev has no ecosystem for, and ``feeds.rpm`` has records of."""
_DISTRO_NAMES = _RPM_NAMES.union(name for name, _, _ in _DISTROS.values())
