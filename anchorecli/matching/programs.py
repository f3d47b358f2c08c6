"""Who speaks of programs that no package manager brought: by their own name, and where they have CPEs by those.

====================  ======================================  ===============================================
namespace             name                                    version, scheme
====================  ======================================  ===============================================
``bitnami``           Bitnami's name, mostly the program's    the program's, fuzzy
``ruby-engine``       ``ruby``, ``jruby``, ``mruby`` …        the program's, gem
``golang``            ``toolchain`` for Go itself             the program's, go
``nvd``               ``vendor:product`` of a CPE             that of the CPE, with ``:UPDATE`` behind it, cpe
====================  ======================================  ===============================================

CPEs are asked only for packages of types that no feed speaks of by name: what they say is the weakest evidence there
is. Vendor and product must both be the record's; where it names target software or an operating system, that must be
the program's (``Affected.arches``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from anchorecli.cpe import parse_cpe
from anchorecli.model import Package

PROGRAMS = frozenset({"generic", "github", "bitnami"})
"""purl types of programs: of these nobody speaks under the type's own name."""
LANGUAGES = frozenset(
    {
        *("pypi", "npm", "maven", "golang", "gem", "cargo", "nuget", "composer", "hex", "pub", "swift", "cran"),
        *("github-actions", "githubactions", "julia"),
    }
)
"""purl types that feeds speak of by name."""
CPE = "nvd"

_BITNAMI = {
    "go": "golang",
    "openjdk": "java",
    "httpd": "apache",
    "php-fpm": "php",
    "libphp": "php",
    "mysql-server": "mysql",
}
_ENGINES = frozenset({"ruby", "jruby", "mruby", "rubinius"})
_REVISION = re.compile(r"-(?:r)?\d+$")
_OLD_JAVA = re.compile(r"1\.(\d++)\.0[_u](\d++).*|(\d++)u(\d++).*")
_ANY = ("*", "-")


class Asked(NamedTuple):
    """One question about a program."""

    ecosystem: str
    name: str
    version: str
    system: str = ""


def is_program(package: Package) -> bool:
    """Whether it is asked about here, and not under its type's name."""
    return package.type in PROGRAMS or bool(package.cpes and package.type not in LANGUAGES)


def asked(package: Package) -> Iterator[Asked]:
    """Whom to ask about a program, and under which names."""
    name = package.name.rpartition("/")[2]
    if package.type in PROGRAMS:
        yield Asked("bitnami", _BITNAMI.get(name, name), _plain_version(package, name))
    if package.type == "generic":
        if name in _ENGINES:
            yield Asked("ruby-engine", name, package.version)
        elif name == "go":
            yield Asked("golang", "toolchain", package.version, system(package))
    yield from by_cpe(package)


def by_cpe(package: Package) -> Iterator[Asked]:
    """The questions that a package's CPEs amount to."""
    found: dict[Asked, None] = {}
    for text in package.cpes:
        fields = _fields(text)
        if fields is None:
            continue
        vendor, product, version, update = fields
        version = package.version if version in _ANY else version
        name = f"{vendor}:{product}"
        for each in _spellings(name, version):
            found[Asked(CPE, name, each if update in _ANY else f"{each}:{update}", system(package))] = None
    yield from found


def system(package: Package) -> str:
    """The operating system a program was built for, as Go calls it: images are Linux but for what ends in .exe."""
    if known := package.metadata.get("GOOS"):
        return known
    path = package.locations[0].path if package.locations else ""
    return "windows" if path.lower().endswith((".exe", ".dll")) else "linux"


def _fields(text: str) -> tuple[str, str, str, str] | None:
    """Vendor, product, version and update of a program's CPE name; None for anything else."""
    found = parse_cpe(text)
    if found is None or (found[0] != "a" and found[1:3] != ("linux", "linux_kernel")):
        return None  # of systems and hardware nothing is taken from the records
    return found[1], found[2], found[3], found[4]


def _spellings(name: str, version: str) -> tuple[str, ...]:
    """Java's old numbers are written in two ways: 1.8.0 and 8."""
    if name.endswith((":openjdk", ":jdk", ":jre")) and (found := re.fullmatch(r"1\.(\d+)\.0", version)):
        return version, found[1]
    return (version,)


def _plain_version(package: Package, name: str) -> str:
    """The version as Bitnami's records have it: without a revision of the packager's, Java 1.8.0_302 as 8.0.302."""
    if package.type == "bitnami":
        return _REVISION.sub("", package.version)
    if name == "openjdk" and (found := _OLD_JAVA.fullmatch(package.version)):
        return f"{found[1] or found[3]}.0.{found[2] or found[4]}"
    return package.version
