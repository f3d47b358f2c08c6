"""The lines of ``make quality``'s table: which feeds, whose oracle, and how the packages are written.

``UNFED`` are ecosystems of the program for which DIRECTORY's samples have no upstream data: their versions are compared
(see ``version_orders``), their findings are not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import quality_packages as made
from oracle_feeds import amazon, arch, azurelinux, bitnami, debian_tracker, phpsec, rubysec, secdb, ubuntu_tracker
from oracle_vendors import gitlab, photon, redhat_api, suse_csaf
from oracles import Asked, Statement, osv


class Feed(NamedTuple):
    """A feed of the program, and the oracle's reading of the same files."""

    name: str
    path: str
    """In the directory."""
    read: Callable[[Path], Iterable[Statement]]


class Subject(NamedTuple):
    """One line of the table."""

    name: str
    feeds: tuple[Feed, ...]
    space: str
    """The ecosystem in upstream's words."""
    scheme: str
    write: Callable[[Path, Sequence[Asked]], None]
    os_release: str = ""
    speaks: Callable[[str], str] = lambda version: ""
    """The space that speaks of a version in place of the line's own; empty where that one does."""


def os_release(name: str, version: str) -> str:
    return f'ID={name}\nVERSION_ID="{version}"\n'


def later_debian(release: int, spaces: Mapping[int, str]) -> Callable[[str], str]:
    """The release whose build a version is, where that is later than the image's.

    By Debian's Policy (5.6.12.2), where the updates of release X end with ``+debXuY`` or ``~debXuY`` and the backports
    to it with ``~bpoX+Y``; of several marks the last was put there last. No records are about it but X's.
    """

    def space(version: str) -> str:
        marked = 0
        for kind, number, sign in re.findall(r"[+~](deb|bpo)([0-9]+)([u+])(?=[0-9])", version):
            if kind == "bpo" or sign == "u":
                marked = {"60": 6, "70": 7}.get(number, int(number))  # once backports were called by 6.0
        return spaces.get(marked, "nobody") if marked > release else ""

    return space


def python_name(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pypi(path: Path) -> Iterator[Statement]:
    return (each._replace(package=python_name(each.package)) for each in osv([path]))


def composer(path: Path) -> Iterator[Statement]:
    """Packagist's names have no case."""
    return (each._replace(package=each.package.lower()) for each in osv([path]))


def nuget(path: Path) -> Iterator[Statement]:
    """NuGet's names have no case, and no slashes: a few records call modules of Go packages of NuGet."""
    return (each._replace(package=each.package.lower()) for each in osv([path]) if "/" not in each.package)


def lower(path: Path) -> Iterator[Statement]:
    """Names without case."""
    return (each._replace(package=each.package.lower()) for each in osv([path]))


def swift(path: Path) -> Iterator[Statement]:
    """Swift's packages are addresses, with and without their scheme and ending."""
    for each in lower(path):
        yield each._replace(package=each.package.removeprefix("https://").removesuffix(".git"))


def linux_only(path: Path) -> Iterator[Statement]:
    """Modules that are vulnerable on this system, the standard library among them; not the go command."""
    return (each for each in osv([path]) if each.package != "toolchain")


DEBIAN = Feed("osv:Debian", "debian-osv/all.zip", lambda path: osv([path]))
TRACKER = Feed("debian", "distro-excerpts/vunnel/debian/input/debian.json", debian_tracker)
ALPINE = Feed("alpine", "alpine-secdb", secdb)
ALMA = Feed("osv:AlmaLinux", "almalinux-osv/all.zip", lambda path: osv([path]))
ROCKY = Feed("osv:Rocky Linux", "rocky-osv/all.zip", lambda path: osv([path]))
PYPI = Feed("osv:PyPI", "pypi-osv/all.zip", pypi)
GHSA_PIP = Feed("ghsa", "ghsa/pip.zip", pypi)
GHSA_NPM = Feed("ghsa", "ghsa/npm.zip", lambda path: osv([path]))
GHSA_MAVEN = Feed("ghsa", "ghsa/maven.zip", lambda path: osv([path]))
GHSA_GEMS = Feed("ghsa", "ghsa/rubygems.zip", lambda path: osv([path]))
GHSA_CARGO = Feed("ghsa", "ghsa/cargo.zip", lambda path: osv([path]))
GHSA_NUGET = Feed("ghsa", "ghsa/nuget.zip", nuget)
GHSA_COMPOSER = Feed("ghsa", "ghsa/composer.zip", composer)
GO = Feed("govulndb", "go-vulndb/osv.zip", linux_only)
RUBYSEC = Feed("rubysec", "ruby-advisory-db", rubysec)
PHPSEC = Feed("phpsec", "php-security-advisories", phpsec)
BITNAMI = Feed("bitnami", "bitnami-vulndb", bitnami)
ARCH = Feed("arch", "arch-avg/all.zip", arch)
AMAZON = Feed("amazon", "amazon-alas-vuls/all.zip", amazon)
AZURE = Feed("azurelinux", "azurelinux-oval/azurelinux-3.0-oval.xml.gz", azurelinux)
UBUNTU = Feed("ubuntu", "ubuntu-cve-tracker", ubuntu_tracker)
GHSA_HEX = Feed("ghsa", "ghsa/erlang.zip", lower)
GHSA_PUB = Feed("ghsa", "ghsa/pub.zip", lower)
GHSA_SWIFT = Feed("ghsa", "ghsa/swift.zip", swift)
JULIA = Feed("osv:Julia", "julia-osv/all.zip", lambda path: osv([path]))
CRAN = Feed("osv:CRAN", "cran-osv/all.zip", lambda path: osv([path]))
CONAN = Feed("gitlab", "gitlab-advisories", gitlab)
REDHAT = Feed("redhat", "redhat-cve/sample.zip", redhat_api)
SUSE = Feed("suse", "suse-csaf/sample.zip", suse_csaf)
PHOTON = Feed("photon", "distro-excerpts/claircore/com.vmware.phsa-photon3.xml.gz", photon)
OSV_DEBIAN = {n: f"Debian:{n}" for n in (11, 12, 13)}
TRACKED_DEBIAN = {12: "bookworm", 13: "trixie"}
"""What the two feeds call releases of Debian."""


SUBJECTS = (
    *(
        Subject(
            f"debian:{n} (osv)",
            (DEBIAN,),
            f"Debian:{n}",
            "deb",
            made.write_dpkg,
            os_release("debian", str(n)),
            later_debian(n, OSV_DEBIAN),
        )
        for n in (11, 12, 13)
    ),
    Subject(
        "debian:12 (tracker)",
        (TRACKER,),
        "bookworm",
        "deb",
        made.write_dpkg,
        os_release("debian", "12"),
        later_debian(12, TRACKED_DEBIAN),
    ),
    *(
        Subject(f"alpine:{n}", (ALPINE,), f"v{n}", "apk", made.write_apk, os_release("alpine", f"{n}.1"))
        for n in ("3.15", "3.20")
    ),
    Subject("alpine:edge", (ALPINE,), "edge", "apk", made.write_apk, os_release("alpine", "edge")),
    *(
        Subject(f"almalinux:{n}", (ALMA,), f"AlmaLinux:{n}", "rpm", made.write_rpm, os_release("almalinux", f"{n}.4"))
        for n in (8, 9, 10)
    ),
    *(
        Subject(f"rocky:{n}", (ROCKY,), f"Rocky Linux:{n}", "rpm", made.write_rpm, os_release("rocky", f"{n}.4"))
        for n in (8, 9)
    ),
    Subject("pypi (osv)", (PYPI,), "PyPI", "pep440", made.write_python),
    Subject("pypi (osv + ghsa)", (PYPI, GHSA_PIP), "PyPI", "pep440", made.write_python),
    Subject("npm (ghsa)", (GHSA_NPM,), "npm", "npm", made.write_npm),
    Subject("ubuntu:18.04 (tracker)", (UBUNTU,), "bionic", "deb", made.write_dpkg, os_release("ubuntu", "18.04")),
    Subject("ubuntu:16.04 (tracker)", (UBUNTU,), "xenial", "deb", made.write_dpkg, os_release("ubuntu", "16.04")),
    Subject("amazon:2", (AMAZON,), "amazon-linux-2", "rpm", made.write_rpm, os_release("amzn", "2")),
    Subject("amazon:2023", (AMAZON,), "amazon-linux-2023", "rpm", made.write_rpm, os_release("amzn", "2023")),
    Subject("azurelinux:3.0", (AZURE,), "azurelinux", "rpm", made.write_rpm, os_release("azurelinux", "3.0")),
    Subject("arch", (ARCH,), "arch", "pacman", made.write_pacman, "ID=arch\n"),
    Subject("go (govulndb)", (GO,), "Go", "go", made.write_go),
    Subject("maven (ghsa)", (GHSA_MAVEN,), "Maven", "maven", made.write_maven),
    Subject("gem (ghsa)", (GHSA_GEMS,), "RubyGems", "gem", made.write_gem),
    Subject("gem (rubysec)", (RUBYSEC,), "RubyGems", "gem", made.write_gem),
    Subject("cargo (ghsa)", (GHSA_CARGO,), "crates.io", "cargo", made.write_cargo),
    Subject("composer (ghsa)", (GHSA_COMPOSER,), "Packagist", "composer", made.write_composer),
    Subject("composer (phpsec)", (PHPSEC,), "Packagist", "composer", made.write_composer),
    Subject("nuget (ghsa)", (GHSA_NUGET,), "NuGet", "nuget", made.write_nuget),
    Subject("bitnami", (BITNAMI,), "Bitnami", "bitnami", made.write_bitnami),
    *(
        Subject(
            f"rhel:{n} (api)", (REDHAT,), f"Red Hat Enterprise Linux {n}", "rpm", made.write_rpm, os_release("rhel", n)
        )
        for n in ("7", "8", "9")
    ),
    *(
        Subject(f"sles:15.{n}", (SUSE,), f"15 SP{n}", "rpm", made.write_rpm, os_release("sles", f"15.{n}"))
        for n in (4, 5)
    ),
    Subject("photon:3.0", (PHOTON,), "photon", "rpm", made.write_rpm, os_release("photon", "3.0")),
    Subject("hex (ghsa)", (GHSA_HEX,), "Hex", "hex", made.write_sbom("hex")),
    Subject("pub (ghsa)", (GHSA_PUB,), "Pub", "semver", made.write_sbom("pub")),
    Subject("swift (ghsa)", (GHSA_SWIFT,), "SwiftURL", "semver", made.write_sbom("swift")),
    Subject("julia (osv)", (JULIA,), "Julia", "julia", made.write_sbom("julia")),
    Subject("cran (osv)", (CRAN,), "CRAN", "cran", made.write_sbom("cran")),
    Subject("conan (gitlab)", (CONAN,), "conan", "plain", made.write_sbom("conan")),
)
