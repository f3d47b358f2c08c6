"""Lock files that are lines of text.

Format: https://pip.pypa.io/en/stable/reference/requirements-file-format/ ; Bundler's Gemfile.lock (packages behind four
blanks); https://go.dev/ref/mod#go-mod-file ; https://docs.gradle.org/current/userguide/dependency_locking.html ;
mix.lock and rebar.lock (Elixir and Erlang terms); cabal's freeze file (``any.NAME ==VERSION``); stack's lock file
(``hackage: NAME-VERSION@sha256:…``); Podfile.lock (``PODS:`` a list of ``NAME (VERSION)``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.rows import Row, row

_PIN = re.compile(
    r"([A-Za-z0-9][A-Za-z0-9._-]{0,200})\s*(?:\[[^\]]{0,500}\])?\s*===?\s*([A-Za-z0-9][A-Za-z0-9.!+_-]{0,100})"
)
_GEM = re.compile(r" {4}([A-Za-z0-9._-]+) \(([^)\s]+)\)$")
_PLATFORM = re.compile(r"-(?:java|ruby|(?:x86|x64|aarch|arm|universal|i\d86|mingw|mswin).*)$")
_REQUIRE = re.compile(r"(?:require\s+)?([^\s()\"]+\.[^\s()\"]+|\"[^\"\s]+\")\s+(v\d[^\s]*)")
_MIX = re.compile(r'"([A-Za-z0-9_]+)":\s*\{:hex,\s*:"?([A-Za-z0-9_]+)"?,\s*"([^"\s]+)"')
_REBAR = re.compile(r'\{<<"[^"]+">>,\s*\{pkg,\s*<<"([^"\s]+)">>,\s*<<"([^"\s]+)">>')
_CABAL = re.compile(r"any\.([A-Za-z0-9-]+)\s*==\s*([0-9][0-9.]*)")
_STACK = re.compile(r"hackage:\s*([A-Za-z0-9-]+?)-(\d[0-9.]*)@")
_POD = re.compile(r'  - "?([^\s"(]+) \(([^)\s]+)\)"?:?$')


def requirements(data: bytes) -> Iterator[Row]:
    """Exact pins; a range, a URL, an option or another file is none."""
    for line in printable(data).replace("\\\n", " ").splitlines():
        plain = line.partition(" #")[0].partition(";")[0].partition(" --")[0].strip()
        found = _PIN.fullmatch(plain)
        if found and not found[2].endswith((".", ".*")):
            yield row("pypi", _pep503(found[1]), found[2])


def gemfile(data: bytes) -> Iterator[Row]:
    """Gems of the section GEM; those from git or a path are not the registry's."""
    section = ""
    for line in printable(data).splitlines():
        if line and not line[0].isspace():
            section = line.strip()
        elif section == "GEM" and (found := _GEM.fullmatch(line)):
            yield row("gem", found[1], _PLATFORM.sub("", found[2]))


def go_mod(data: bytes) -> Iterator[Row]:
    """Required modules, replaced ones by what replaces them; since Go 1.17 the indirect ones are all there."""
    required: list[tuple[str, str]] = []
    replaced: dict[str, tuple[str, str]] = {}
    block = ""
    for line in printable(data).splitlines():
        plain = line.partition("//")[0].strip()
        if plain.endswith("("):
            block = plain[:-1].strip()
        elif plain == ")":
            block = ""
        elif "=>" in plain and (block == "replace" or plain.startswith("replace ")):
            old, _, new = plain.removeprefix("replace ").partition("=>")
            name, _, version = new.strip().partition(" ")
            replaced[old.split()[0] if old.split() else ""] = (name, version.strip())
        elif (block == "require" or plain.startswith("require ")) and (found := _REQUIRE.fullmatch(plain)):
            required.append((found[1].strip('"'), found[2]))
    for name, version in required:
        other = replaced.get(name, (name, version))
        # A directory in place of a module has no version: the module is named as it was required.
        yield row("golang", *(other if other[1] else (name, version)))


def gradle(data: bytes) -> Iterator[Row]:
    """``GROUP:ARTIFACT:VERSION=configurations``; those of tests alone are left out."""
    for line in printable(data).splitlines():
        coordinates, equals, configurations = line.partition("=")
        parts = coordinates.strip().split(":")
        names = [each for each in configurations.split(",") if each]
        if equals and len(parts) == 3 and all(parts) and not (names and all(each.startswith("test") for each in names)):
            yield row("maven", f"{parts[0]}:{parts[1]}", parts[2])


def mix(data: bytes) -> Iterator[Row]:
    """Packages from Hex; those from git are not its releases."""
    for _, name, version in _MIX.findall(printable(data)):
        yield row("hex", name, version)


def rebar(data: bytes) -> Iterator[Row]:
    """Packages from Hex."""
    for name, version in _REBAR.findall(printable(data)):
        yield row("hex", name, version)


def cabal(data: bytes) -> Iterator[Row]:
    """``any.NAME ==VERSION``."""
    for name, version in _CABAL.findall(printable(data)):
        yield row("hackage", name, version)


def stack(data: bytes) -> Iterator[Row]:
    """Packages of Hackage, once each: the file has them as asked for and as found."""
    for name, version in dict.fromkeys(_STACK.findall(printable(data))):
        yield row("hackage", name, version)


def podfile(data: bytes) -> Iterator[Row]:
    """Pods with their versions; a subspec is its pod."""
    section = ""
    seen = set()
    for line in printable(data).splitlines():
        if line and not line[0].isspace():
            section = line.strip()
        elif section == "PODS:" and (found := _POD.fullmatch(line)):
            pod = (found[1].partition("/")[0], found[2])
            if pod not in seen:
                seen.add(pod)
                yield row("cocoapods", *pod)


def _pep503(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
