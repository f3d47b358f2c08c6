"""Lock files that are lines of text.

Format: https://pip.pypa.io/en/stable/reference/requirements-file-format/ ; Bundler's Gemfile.lock (packages behind four
blanks); https://go.dev/ref/mod#go-mod-file ; https://docs.gradle.org/current/userguide/dependency_locking.html ;
mix.lock and rebar.lock (Elixir and Erlang terms); cabal's freeze file (``any.NAME ==VERSION``); stack's lock file
(``hackage: NAME-VERSION@sha256:…``); Podfile.lock (``PODS:`` a list of ``NAME (VERSION)``); Paket's lock file
(``NUGET`` and packages behind four blanks); NuGet's packages.config; Terraform's dependency lock file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from anchorecli.analyzers.declared.asked import asks, requirement
from anchorecli.analyzers.documents import LONGEST, text_lines, whole_text
from anchorecli.analyzers.language.rows import MOST_PACKAGES, TOO_MANY, Row, row
from anchorecli.errors import LimitError

_PIN = re.compile(
    r"([A-Za-z0-9][A-Za-z0-9._-]{0,200})\s*(?:\[[^\]]{0,500}\]\s*)?===?\s*([A-Za-z0-9][A-Za-z0-9.!+_-]{0,100})"
)
_OPTION = re.compile(r"\s-{1,2}[A-Za-z]")
_MARKS = (
    *((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32")),
    *((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")),
)
"""Marks by which pip tells an encoding, the longer ones first."""
_GEM = re.compile(r" {4}([A-Za-z0-9._-]+) \(([^)\s]+)\)$")
_PLATFORM = re.compile(r"-(?:java|ruby|(?:x86|x64|aarch|arm|universal|i\d86|mingw|mswin).*)$")
_REQUIRE = re.compile(r"(?:require\s+)?([^\s()\".]+\.[^\s()\"]+|\"[^\"\s]+\")\s+(v\d[^\s]*)")
_MIX = re.compile(r'"([A-Za-z0-9_]+)":\s*\{:hex,\s*:"?([A-Za-z0-9_]+)"?,\s*"([^"\s]+)"')
_REBAR = re.compile(r'\{<<"[^"]+">>,\s*\{pkg,\s*<<"([^"\s]+)">>,\s*<<"([^"\s]+)">>')
_CABAL = re.compile(r"any\.([A-Za-z0-9-]+)\s*==\s*([0-9][0-9.]*)")
_STACK = re.compile(r"hackage:\s*([A-Za-z0-9-]+?)-(\d[0-9.]*)@")
_PAKET = re.compile(r" {4}([A-Za-z0-9._-]+) \(([^)\s]+)\)")
_PACKAGE = re.compile(r"<package\s([^<>]{1,2000})>")
_ATTRIBUTE = re.compile(r"""\b(\w++)\s*=\s*(["'])([^"'<>]*)\2""")
_PROVIDER = re.compile(r'provider\s+"([^"\s]{1,300})"\s*\{')
_PROVIDER_VERSION = re.compile(r'\s+version\s*=\s*"([^"\s]{1,100})"')
_POD = re.compile(r'  - "?([^\s"(]+) \(([^)\s]+)\)"?:?$')


def requirements(data: bytes) -> Iterator[Row]:
    """Exact pins, and the names of what is not pinned; a URL, an option or another file is neither."""
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "")
    ranges: list[str] = []
    for line in _continued(text_lines(data.decode(encoding, "replace").encode() if encoding else data)):
        plain = _OPTION.split(line.partition(" #")[0].partition(";")[0], maxsplit=1)[0].strip()
        found = _PIN.fullmatch(plain)
        if found and not found[2].endswith((".", ".*")):
            yield row("pypi", _pep503(found[1]), found[2])
        elif name := requirement(plain):
            ranges.append(name)
            if len(ranges) > MOST_PACKAGES:
                break
    yield from asks("pypi", ranges)
    if len(ranges) > MOST_PACKAGES:
        raise LimitError(TOO_MANY)


def gemfile(data: bytes) -> Iterator[Row]:
    """Gems of the section GEM; those from git or a path are not the registry's."""
    section = ""
    for line in text_lines(data):
        if line and not line[0].isspace():
            section = line.strip()
        elif section == "GEM" and (found := _GEM.fullmatch(line)):
            yield row("gem", found[1], _PLATFORM.sub("", found[2]))


def go_mod(data: bytes) -> Iterator[Row]:
    """Required modules, replaced ones by what replaces them; since Go 1.17 the indirect ones are all there."""
    required: list[tuple[str, str]] = []
    replaced: dict[tuple[str, str], tuple[str, str]] = {}
    block = ""
    for line in text_lines(data):
        plain = " ".join(line.partition("//")[0].split())
        if plain.endswith("("):
            block = plain[:-1].strip()
        elif plain == ")":
            block = ""
        elif "=>" in plain and (block == "replace" or plain.startswith("replace ")):
            old, _, new = plain.removeprefix("replace ").partition("=>")
            name, _, version = new.strip().partition(" ")
            # A version before the arrow: of that one only.
            module, _, only = old.strip().partition(" ")
            replaced[module, only.strip()] = (name, version.strip())
        elif (block == "require" or plain.startswith("require ")) and (found := _REQUIRE.fullmatch(plain)):
            required.append((found[1].strip('"'), found[2]))
        if len(required) + len(replaced) > MOST_PACKAGES:
            raise LimitError(TOO_MANY)
    for name, version in required:
        other = replaced.get((name, version)) or replaced.get((name, "")) or (name, version)
        # A directory in place of a module has no version: the module is named as it was required.
        yield row("golang", *(other if other[1] else (name, version)))


def gradle(data: bytes) -> Iterator[Row]:
    """``GROUP:ARTIFACT:VERSION=configurations``; those of tests alone are left out."""
    for line in text_lines(data):
        coordinates, equals, configurations = line.partition("=")
        parts = coordinates.strip().split(":")
        names = [each for each in configurations.split(",") if each]
        tests = names and all(each.startswith("test") for each in names)
        if equals and not parts[0].startswith("#") and len(parts) == 3 and all(parts) and not tests:
            yield row("maven", f"{parts[0]}:{parts[1]}", parts[2])


def mix(data: bytes) -> Iterator[Row]:
    """Packages from Hex; those from git are not its releases."""
    for _, name, version in _found(_MIX, data):
        yield row("hex", name, version)


def rebar(data: bytes) -> Iterator[Row]:
    """Packages from Hex."""
    for name, version in _found(_REBAR, data):
        yield row("hex", name, version)


def cabal(data: bytes) -> Iterator[Row]:
    """``any.NAME ==VERSION``."""
    for name, version in _found(_CABAL, data):
        yield row("hackage", name, version)


def stack(data: bytes) -> Iterator[Row]:
    """Packages of Hackage, once each: the file has them as asked for and as found."""
    seen = set()
    for found in _found(_STACK, data):
        if found not in seen:
            seen.add(found)
            yield row("hackage", *found)


def podfile(data: bytes) -> Iterator[Row]:
    """Pods with their versions; a subspec is its pod."""
    section = ""
    seen = set()
    for line in text_lines(data):
        if line and not line[0].isspace():
            section = line.strip()
        elif section == "PODS:" and (found := _POD.fullmatch(line)):
            pod = (found[1].partition("/")[0], found[2])
            if pod not in seen:
                seen.add(pod)
                yield row("cocoapods", *pod)


def paket(data: bytes) -> Iterator[Row]:
    """Packages from NuGet's feeds."""
    section = ""
    for line in text_lines(data):
        if line and not line[0].isspace():
            section = line.strip() if not line.startswith(("GROUP", "STORAGE", "RESTRICTION")) else ""
        elif section == "NUGET" and (found := _PAKET.match(line)):
            yield row("nuget", found[1], found[2])


def packages_config(data: bytes) -> Iterator[Row]:
    """``<package id="NAME" version="VERSION"/>``, those for development alone left out."""
    for (element,) in _found(_PACKAGE, data):
        said = {name: value for name, _, value in _ATTRIBUTE.findall(element)}
        if said.get("id") and said.get("version") and said.get("developmentDependency") != "true":
            yield row("nuget", said["id"], said["version"])


def terraform(data: bytes) -> Iterator[Row]:
    """Providers: ``provider "HOST/NAMESPACE/NAME"`` with ``version = "…"`` in its block."""
    name = ""
    for line in text_lines(data):
        if found := _PROVIDER.match(line):
            name = found[1]
        elif name and (found := _PROVIDER_VERSION.match(line)):
            yield row("terraform", name, found[1])
            name = ""


def _found(pattern: re.Pattern[str], data: bytes) -> Iterator[tuple[str, ...]]:
    """The groups of each match in a text, one by one: of millions there is never a list."""
    return (found.groups() for found in pattern.finditer(whole_text(data)))


def _continued(lines: Iterator[str]) -> Iterator[str]:
    """Lines, those that end with a backslash joined with the next one. Raises: LimitError where one is too long."""
    held = ""
    for line in lines:
        if not held and (not line or line[0] == "#"):
            continue
        if line.endswith("\\"):
            held += line[:-1] + " "
            if len(held) > LONGEST:
                raise LimitError(f"a line of more than {LONGEST} bytes (a fixed limit)")
            continue
        yield held + line
        held = ""
    if held:
        yield held


def _pep503(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
