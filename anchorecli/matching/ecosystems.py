"""Which namespace of the feeds speaks of a package, and by what name and version it is asked for.

These strings are a contract with the feed drivers:

===============================  =====================================  ==========================================
distribution (os-release ID)     ecosystem                              name, version, scheme
===============================  =====================================  ==========================================
debian                           ``debian:12``; testing and sid         source package, its version, deb
                                 ``debian:unstable``
ubuntu                           ``ubuntu:22.04``; besides, with a      source package, its version, deb
                                 subscription, ``ubuntu:22.04+esm``
alpine                           ``alpine:3.20``, ``alpine:edge``       origin, the package's version, apk
wolfi, chainguard, minimos       ``wolfi``, ``chainguard``, ``minimos`` origin, the package's version, apk
arch                             ``arch``                               name and base, pacman
rhel                             ``rhel:9``                             binary name and version, rpm;
almalinux, rocky, ol             ``almalinux:9``, ``rocky:9``, ``ol:9`` besides, where it differs, the source name and
amzn                             ``amzn:1``, ``amzn:2``, ``amzn:2023``  version, whose missing epoch is that of the
fedora                           ``fedora:40``                          statement
sles, sled, sle_hpc …            ``sles:15.5``
opensuse-leap, -tumbleweed       ``opensuse-leap:15.6``, ``opensuse-tumbleweed``
azurelinux, mariner, photon      ``azurelinux:3.0``, ``mariner:2.0``, ``photon:5.0``
openeuler                        ``openeuler:24.03-LTS-SP1``
echo, secureos, hummingbird      ``echo``, ``secureos``, ``hummingbird``
any other                        ``<ID>:<VERSION_ID>``, or ``<ID>``; then that of its parent
-------------------------------  -------------------------------------  ------------------------------------------
pypi                             ``pypi``                               PEP 503 name
maven                            ``maven``                              ``group:artifact``
golang, gem, cargo, npm, pub …   the purl type                          exact name
composer, nuget, github-actions, the purl type                          lower case
swift, hex, pub
===============================  =====================================  ==========================================

Where a release may be called by several names (a Debian that is still testing, a service pack) the best is first; the
matcher takes the first that a feed covers. Which distribution is whose child stands in ``matching.distributions``.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

from anchorecli.matching.distributions import lineage
from anchorecli.matching.programs import asked, is_program, system
from anchorecli.model import Distro, Package

_BUILT = frozenset({"golang", "cargo"})
"""Types of programs that are built for one operating system, which feeds name where it matters."""
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
    """The namespaces that may speak of a distribution's packages, the best first, its parents' last."""
    found = lineage(distro)
    return found.own + found.inherited


def ecosystem_for(package: Package, distro: Distro | None) -> str:
    """The namespace that speaks of a package; empty for a distribution's package without its distribution."""
    if package.type not in OS_TYPES:
        return language_ecosystem(package)
    return ecosystems_of(distro)[0] if distro is not None and fits(package.type, distro) else ""


def fits(package_type: str, distro: Distro) -> bool:
    """Whether packages of this type are the distribution's own: an rpm in Debian is nobody's."""
    return lineage(distro).native in ("", package_type)


def queries(package: Package, ecosystem: str) -> tuple[Query, ...]:
    """What to ask about a package in a namespace."""
    ask = _OS_QUERIES.get(package.type)
    if ask is not None:
        return ask(package, ecosystem)
    if package.metadata.get("kind") == "application" and "private" in package.metadata:
        # The image's own program, never published: its name says nothing of the registry's package of that name.
        return ()
    if is_program(package):
        return tuple(Query(space, name, version, arch=on) for space, name, version, on in asked(package))
    # A version made up of a commit says nothing of its place among the releases: asked as one that cannot be compared.
    version = "(devel)" if "inexact" in package.metadata else package.version
    return (Query(ecosystem, language_name(package), version, arch=system(package) if package.type in _BUILT else ""),)


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


_PEP503 = re.compile(r"[-_.]+")
_MAVEN_PURL = re.compile(r"pkg:maven/([^/@?]+)/([^/@?]+)")
_CASELESS = frozenset({"composer", "nuget", "github-actions", "githubactions", "swift", "hex", "pub"})
_HEADERS = frozenset({"linux-libc-dev", "linux-libc-dev-cross", "kernel-headers", "linux-headers", "linux-api-headers"})
_HEADERS_PATTERN = re.compile(r"linux-(?:[\w.+-]+-)?(?:headers|kbuild|libc-dev)-|linux-libc-dev-|kernel-[\w.-]*headers")

_OS_QUERIES = {"deb": _deb, "rpm": _rpm, "apk": _apk, "alpm": _alpm}
