"""The commands that upgrade packages, as a suggestion: of the distribution's manager, or of the language's.

A name that a shell could take for anything but a name has no command: names come out of the image.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from anchorecli.model import Distro, Package

_NAME = re.compile(r"@?[A-Za-z0-9_][A-Za-z0-9._+:@/~-]*", re.ASCII)

_RPM_TOOLS = ("dnf", "microdnf", "tdnf", "zypper", "yum")
_RPM_DEFAULTS = {
    "sles": "zypper",
    "opensuse-leap": "zypper",
    "opensuse-tumbleweed": "zypper",
    "photon": "tdnf",
    "azurelinux": "tdnf",
    "mariner": "tdnf",
}
_ALONE = {
    "pypi": "pip install '{name}>={version}'",
    "npm": "npm install {name}@{version}",
    "gem": "gem install {name} -v {version}",
    "cargo": "cargo update -p {name} --precise {version}",
    "nuget": "dotnet add package {name} --version {version}",
    "composer": "composer require {name}:^{version}",
    "hex": "mix deps.update {name}",
    "pub": "dart pub upgrade {name}",
    "cran": "Rscript -e 'install.packages(\"{name}\")'",
    "golang": "go get {name}@v{version}",
    "maven": "mvn versions:use-dep-version -Dincludes={name} -DdepVersion={version} -DforceVersion=true",
}
_TOGETHER = {
    "deb": ("apt-get", "install", "--only-upgrade"),
    "apk": ("apk", "add", "--upgrade"),
    "alpm": ("pacman", "-Syu"),
}


def command(kind: str, names: Sequence[str], target: str, tool: str = "dnf") -> str:
    """How to bring packages of a type to ``target``; empty where nobody can say. ``tool`` is the one for rpm."""
    words = together(kind, tool)
    if words:
        return " ".join((*words, *names)) if all(map(_plain, names)) else ""
    form = _ALONE.get(kind, "")
    version = target.removeprefix("v") if kind == "golang" else target
    if not form or len(names) != 1 or not _plain(names[0]) or not _plain(version):
        return ""
    if kind == "golang" and names[0] in ("stdlib", "toolchain", "go"):
        return f"go get toolchain@go{version.removeprefix('go')}"
    return form.format(name=names[0], version=version)


def together(kind: str, tool: str = "dnf") -> tuple[str, ...]:
    """The words of a command that takes any number of packages of a type; empty where there is none."""
    return (tool, "upgrade" if tool != "zypper" else "update") if kind == "rpm" else _TOGETHER.get(kind, ())


def rpm_tool(distro: Distro | None, packages: Iterable[Package]) -> str:
    """Which program upgrades rpm packages: the one that is installed, else the distribution's usual one."""
    installed = {package.name for package in packages if package.type == "rpm"}
    usual = _RPM_DEFAULTS.get(distro.id, "dnf") if distro else "dnf"
    return usual if usual in installed else next((each for each in _RPM_TOOLS if each in installed), usual)


def _plain(text: str) -> bool:
    return _NAME.fullmatch(text) is not None
