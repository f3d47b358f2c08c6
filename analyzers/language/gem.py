"""Installed Ruby gems, by the specification that RubyGems writes for each.

Format: https://guides.rubygems.org/specification-reference/ as ``Gem::Specification#to_ruby`` writes it into
``specifications/NAME-VERSION[-PLATFORM].gemspec`` (``specifications/default`` for those that come with Ruby). It is
Ruby and is never run: the comment ``# stub: NAME VERSION PLATFORM PATHS`` has what RubyGems itself lists, the rest is
read as ``s.name = "rake".freeze`` line by line.

Emits: packages of the type ``gem``, with licences and platform.

Not handled: gems that Bundler fetched with git (they have only the author's own gemspec, which is a program), gems that
are still packed, Gemfile.lock.
"""

from __future__ import annotations

import re

from anchorecli.analyzers.base import Fact, Found, LayerFile, View, Wants
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.since import since
from anchorecli.analyzers.licenses import normalise
from anchorecli.analyzers.purl import purl
from anchorecli.model import Json, Package, Problem
from anchorecli.values import dataclass

MAX_BYTES = 8 * 1024 * 1024
"""It lists the gem's files; real ones stay below one megabyte."""
MAX_LINE = 4096
MAX_LICENSES = 16

_INSTALLED = re.compile(r"(?:^|/)specifications/(?:default/)?[^/]+\.gemspec$")
_STUB = re.compile(rb"^# stub: (\S{1,200}) (\S{1,100}) (\S{1,100})(?: |\r?$)", re.MULTILINE)
_FIELD = re.compile(rb"^[ \t]*\w{1,20}\.(name|version|platform|licenses?|homepage)[ \t]*=(?!=)(.*)$", re.MULTILINE)
# A quote behind a backslash begins nothing.
_STRING = re.compile(r"\\.|\"((?:[^\"\\]|\\.){0,300})\"|'((?:[^'\\]|\\.){0,300})'|%q<([^<>]{0,300})>")
_NEEDS = re.compile(
    rb"\.add_(?:runtime_)?dependency\(?[ \t]*(?:%q<([^<>\n]{1,200})>|\"([^\"\n]{1,200})\"|'([^'\n]{1,200})')"
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|(.))")
_FILE = re.compile(r"(.+?)-(\d[^-]*)(?:-(.+))?")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_VERSION = re.compile(r"[0-9]+(?:\.[0-9A-Za-z]+)*(?:-[0-9A-Za-z.-]+)?")


@dataclass(frozen=True, slots=True)
class Gem:
    """Gems of every Ruby in the image: its own, those installed later, those that Bundler put into an application.

    A fact is ``name``, ``version``, ``platform``, ``licenses``, ``homepage`` and ``needs``, those that are there.
    """

    name: str = "gem"
    version: int = 2
    options: str = ""
    wants: Wants = Wants(
        suffixes=frozenset({".gemspec"}),
        match=lambda path, size, mode: _INSTALLED.search(path) is not None,
        max_bytes=MAX_BYTES,
    )

    def read(self, file: LayerFile) -> Json | None:
        """The few fields of one specification."""
        return read_gemspec(file.data())

    def assemble(self, view: View) -> Found:
        """A package for each specification."""
        packages: list[Package] = []
        problems: list[Problem] = []
        for fact in view.facts():
            name, version, platform = _identity(fact)
            if _NAME.fullmatch(name) and _VERSION.fullmatch(version):
                packages.append(_package(view, fact, (name, version, platform)))
            else:
                hint = "the gem it stands for is missing; reinstall it"
                problems.append(Problem("analyze", fact.path, "no name and version in it that can be a gem's", hint))
        return Found(packages=tuple(packages), problems=tuple(problems))


def read_gemspec(data: bytes) -> dict[str, Json]:
    """``name``, ``version``, ``platform``, ``licenses`` and ``homepage``; whatever the bytes are, it does not raise."""
    fact: dict[str, Json] = {}
    if stub := _STUB.search(data[: 4 * MAX_LINE]):
        fact["name"], fact["version"], fact["platform"] = (printable(part) for part in stub.groups())
    for field, value in _FIELD.findall(data):
        key = field.decode()
        strings = _strings(value[:MAX_LINE])
        if key.startswith("license"):
            fact.setdefault("licenses", [text for text in strings if text][:MAX_LICENSES])
        elif strings and strings[0]:
            fact.setdefault(key, strings[0])
    if needs := dict.fromkeys(printable(b"".join(found)) for found in _NEEDS.findall(data)):
        fact["needs"] = list(needs)
    if fact.get("platform") == "ruby":
        del fact["platform"]
    return fact


def _strings(value: bytes) -> list[str]:
    """The string literals of an expression."""
    found = []
    for literal in _STRING.finditer(printable(value)):
        double, single, quoted = literal.groups()
        if literal.lastindex:
            text = _ESCAPE.sub(_unescaped, double) if double else single or quoted or ""
            found.append(printable(text).strip())
    return found


def _unescaped(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    if code:
        return chr(min(int(code, 16), 0x10FFFF))
    return " " if match[3] in "nrt" else match[3]


def _identity(fact: Fact) -> tuple[str, str, str]:
    """Name, version and platform; what the file does not say its name does."""
    value = fact.value
    name, version, platform = value.get("name", ""), value.get("version", ""), value.get("platform", "")
    stem = fact.path.rpartition("/")[2].removesuffix(".gemspec")
    if not (name and version) and (found := _FILE.fullmatch(stem)):
        name, version, platform = name or found[1], version or found[2], platform or found[3] or ""
    return name, version, platform


def _package(view: View, fact: Fact, identity: tuple[str, str, str]) -> Package:
    name, version, platform = identity
    metadata = {"kind": "default" if "/specifications/default/" in f"/{fact.path}" else "installed"}
    if platform:
        metadata["platform"] = platform
    if homepage := fact.value.get("homepage"):
        metadata["homepage"] = homepage
    return Package(
        name=name,
        version=version,
        type="gem",
        scheme="gem",
        purl=purl("gem", name, version, {"platform": platform}),
        source=name,
        source_version=version,
        licenses=normalise(fact.value.get("licenses", ())),
        locations=(view.location(fact),),
        layer=since(view, fact),
        analyzer="gem",
        metadata=metadata,
        depends=tuple(fact.value.get("needs", ())),
    )
