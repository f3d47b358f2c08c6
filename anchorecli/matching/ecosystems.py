"""Which namespace of the feeds speaks of a package, and by what name and version it is asked for.

These strings are a contract with the feed drivers:

===============================  =====================================  ==========================================
distribution (os-release ID)     ecosystem                              name, version, scheme
===============================  =====================================  ==========================================
debian, raspbian                 ``debian:12``; forky ``debian:14``;    source package, its version, deb
                                 sid ``debian:unstable``
ubuntu                           ``ubuntu:22.04``                       source package, its version, deb
alpine                           ``alpine:3.20``, ``alpine:edge``       origin, the package's version, apk
wolfi, chainguard, minimos       ``wolfi``, ``chainguard``, ``minimos`` origin, the package's version, apk
rhel, centos, scientific         ``rhel:9``                             binary name and version, rpm;
almalinux, rocky, ol             ``almalinux:9``, ``rocky:9``, ``ol:9`` besides, where it differs, the source name and
amzn                             ``amzn:2``, ``amzn:2023``              version, whose missing epoch is that of the
fedora                           ``fedora:40``                          statement
sles, sled, sle_hpc …            ``sles:15.5``
opensuse-leap, -tumbleweed       ``opensuse-leap:15.6``, ``opensuse-tumbleweed``
azurelinux, mariner, photon      ``azurelinux:3.0``, ``mariner:2.0``, ``photon:5.0``
any other                        ``<ID>:<VERSION_ID>``, or ``<ID>``
-------------------------------  -------------------------------------  ------------------------------------------
pypi                             ``pypi``                               PEP 503 name
maven                            ``maven``                              ``group:artifact``
golang, gem, cargo, npm, pub …   the purl type                          exact name
composer, nuget, github-actions  the purl type                          lower case
===============================  =====================================  ==========================================

Where a release may be called by several names (a Debian that is still testing, a service pack) the best is first; the
matcher takes the first that a feed covers.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

from anchorecli.model import Distro, Package

OS_TYPES = frozenset({"deb", "rpm", "apk", "alpm"})
"""purl types of packages that a distribution's feed speaks of."""


class Query(NamedTuple):
    """One question about a package: whose statements, under which name, judged by which version."""

    ecosystem: str
    name: str
    version: str
    source: str = ""
    """The source package it is asked by, where that is not the package's own name."""
    any_epoch: bool = False
    arch: str = ""
    module: str = ""


def ecosystems_of(distro: Distro) -> tuple[str, ...]:
    """The namespaces that may speak of a distribution's packages, the best first."""
    name = _ALIASES.get(distro.id, distro.id)
    if name in _ROLLING:
        return (name,)
    if name == "debian":
        return _debian(distro)
    if name == "alpine":
        edge = not distro.version_id or "_alpha" in distro.version_id or distro.version_id == "edge"
        return ("alpine:edge",) if edge else (f"alpine:{_parts(distro.version_id, 2)}",)
    if name in _MAJOR_ONLY:
        major = f"{name}:{_parts(distro.version_id, 1)}"
        return (major, f"rhel:{_parts(distro.version_id, 1)}") if name in _REBUILDS else (major,)
    if name == "sles":
        return tuple(dict.fromkeys((f"sles:{_parts(distro.version_id, 2)}", f"sles:{_parts(distro.version_id, 1)}")))
    version = _parts(distro.version_id, 2)
    own = f"{name}:{version}" if version else name
    if name not in _KNOWN and not {"rhel", "centos"}.isdisjoint(distro.like) and version:
        return own, f"rhel:{_parts(version, 1)}"
    return (own,)


def ecosystem_for(package: Package, distro: Distro | None) -> str:
    """The namespace that speaks of a package; empty for a distribution's package without its distribution."""
    if package.type not in OS_TYPES:
        return language_ecosystem(package)
    return ecosystems_of(distro)[0] if distro is not None and fits(package.type, distro) else ""


def fits(package_type: str, distro: Distro) -> bool:
    """Whether packages of this type are the distribution's own: an rpm in Debian is nobody's."""
    native = _NATIVE.get(_ALIASES.get(distro.id, distro.id))
    return native is None or native == package_type


def queries(package: Package, ecosystem: str) -> tuple[Query, ...]:
    """What to ask about a package in a namespace."""
    ask = _OS_QUERIES.get(package.type)
    if ask is not None:
        return ask(package, ecosystem)
    if package.metadata.get("kind") == "application" and "private" in package.metadata:
        # The image's own program, never published: its name says nothing of the registry's package of that name.
        return ()
    # A version made up of a commit says nothing of its place among the releases: asked as one that cannot be compared.
    version = "(devel)" if "inexact" in package.metadata else package.version
    return (Query(ecosystem, language_name(package), version),)


def language_ecosystem(package: Package) -> str:
    """The namespace of a language package: its purl type."""
    return "github-actions" if package.type == "githubactions" else package.type


def language_name(package: Package) -> str:
    """A language package's name as feeds key by it."""
    if package.type == "pypi":
        return _PEP503.sub("-", package.name).lower()
    if package.type in _CASELESS:
        return package.name.lower()
    if package.type == "maven" and ":" not in package.name:
        found = _MAVEN_PURL.match(package.purl)
        if found:
            return f"{unquote(found[1])}:{unquote(found[2])}"
    return package.name


def is_kernel_headers(package: Package) -> bool:
    """Headers and build scripts of a kernel: matched by the kernel's source, but no kernel code."""
    source = package.source or package.name
    if not source.startswith(("linux", "kernel")):
        return False
    return package.name in _HEADERS or bool(_HEADERS_PATTERN.match(package.name))


def _deb(package: Package, ecosystem: str) -> tuple[Query, ...]:
    name = package.source or package.name
    version = package.source_version or package.version
    if name.startswith("linux-signed"):
        # Signed images are rebuilt from linux, whose records speak of them by the image's own version.
        flavour = name.removeprefix("linux-signed")
        name, version = "linux" + ("" if ecosystem.startswith("debian:") else flavour), package.version
    return (Query(ecosystem, name, version, name if name != package.name else "", arch=package.arch),)


def _apk(package: Package, ecosystem: str) -> tuple[Query, ...]:
    origin = package.source or package.name
    source = origin if origin != package.name else ""
    return (Query(ecosystem, origin, package.version, source, arch=package.arch),)


def _rpm(package: Package, ecosystem: str) -> tuple[Query, ...]:
    if package.name == "gpg-pubkey":
        return ()
    own = Query(ecosystem, package.name, package.version, arch=package.arch, module=package.module)
    if package.source in ("", package.name):
        return (own,)
    version = package.source_version or package.version
    return own, own._replace(name=package.source, version=version, source=package.source, any_epoch=True)


def _alpm(package: Package, ecosystem: str) -> tuple[Query, ...]:
    own = Query(ecosystem, package.name, package.version)
    if package.source in ("", package.name):
        return (own,)
    return own, Query(ecosystem, package.source, package.version, package.source)


def _debian(distro: Distro) -> tuple[str, ...]:
    if distro.version_id:
        return (f"debian:{_parts(distro.version_id, 1)}",)
    number = _CODENAMES.get(distro.codename, 0)
    if not number:
        return "debian:unstable", "debian:testing"
    if number < _TESTING:
        return (f"debian:{number}",)
    return f"debian:{number}", "debian:testing", "debian:unstable"


def _parts(version: str, count: int) -> str:
    return ".".join(version.split(".")[:count])


_PEP503 = re.compile(r"[-_.]+")
_MAVEN_PURL = re.compile(r"pkg:maven/([^/@?]+)/([^/@?]+)")
_CASELESS = frozenset({"composer", "nuget", "github-actions", "githubactions"})
_ROLLING = frozenset({"wolfi", "chainguard", "minimos", "secureos", "arch", "echo", "gentoo", "opensuse-tumbleweed"})
_MAJOR_ONLY = frozenset({"rhel", "almalinux", "rocky", "ol", "amzn", "fedora"})
_REBUILDS = frozenset({"almalinux", "rocky"})
"""Rebuilds of RHEL with feeds of their own; without those RHEL's comes nearest."""

_ALIASES = {
    "raspbian": "debian",
    "centos": "rhel",
    "redhat": "rhel",
    "scientific": "rhel",
    "sl": "rhel",
    "alma": "almalinux",
    "rockylinux": "rocky",
    "oracle": "ol",
    "oraclelinux": "ol",
    "amazon": "amzn",
    "amazonlinux": "amzn",
    "sled": "sles",
    "sles_sap": "sles",
    "sle_hpc": "sles",
    "sle-micro": "sles",
    "opensuse": "opensuse-leap",
}
_NATIVE = (
    dict.fromkeys(("debian", "ubuntu"), "deb")
    | dict.fromkeys(("alpine", "wolfi", "chainguard", "minimos", "secureos"), "apk")
    | dict.fromkeys(_MAJOR_ONLY | {"sles", "opensuse-leap", "opensuse-tumbleweed"}, "rpm")
    | dict.fromkeys(("azurelinux", "mariner", "photon"), "rpm")
    | {"arch": "alpm"}
)
_KNOWN = frozenset(_NATIVE)
_CODENAMES = {
    name: number
    for number, name in enumerate(
        ("wheezy", "jessie", "stretch", "buster", "bullseye", "bookworm", "trixie", "forky", "duke"), start=7
    )
}
_TESTING = 14
"""The first Debian release that is not out: its number, testing and unstable may all be meant."""

_HEADERS = frozenset({"linux-libc-dev", "linux-libc-dev-cross", "kernel-headers", "linux-headers", "linux-api-headers"})
_HEADERS_PATTERN = re.compile(r"linux-(?:[\w.+-]+-)?(?:headers|kbuild|libc-dev)-|linux-libc-dev-|kernel-[\w.-]*headers")

_OS_QUERIES = {"deb": _deb, "rpm": _rpm, "apk": _apk, "alpm": _alpm}
