"""Packages installed by apk: Alpine, Wolfi, Chainguard and their kin.

Format: apk's installed database, https://wiki.alpinelinux.org/wiki/Apk_spec: lines ``X:value``, an empty line ends an
entry; ``F:`` names a directory and the ``R:`` lines behind it the files in it. One entry: ``P:musl``, ``V:1.2.4-r2``,
``o:musl``. ``lib/apk/db/installed``, in newer releases ``usr/lib/apk/db/installed``.

Emits: packages of the type ``apk``, with origin, licences, maintainer, size, and the paths each owns.

Not handled: file digests (``Z:``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from anchorecli.analyzers.base import Fact, Found, LayerFile, View, Wants, partial
from anchorecli.analyzers.documents import text_pieces, up_to
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.licenses import expression, identifier, normalise
from anchorecli.analyzers.limits import Limit, Limits
from anchorecli.analyzers.os.attribution import first_layers, names
from anchorecli.analyzers.os.filelist import Paths, pack
from anchorecli.analyzers.purl import os_purl
from anchorecli.model import DiffId, Distro, Json, Package
from anchorecli.values import dataclass, field

MAX_DATABASE = 32 * 1024 * 1024
"""Bytes; a desktop with 1,500 packages has a quarter of it."""
LIMITS = Limits(
    "apk",
    (
        Limit("packages", 100_000, "packages in one database"),
        Limit("files", 250_000, "files in one package"),
    ),
)

_DATABASE = re.compile(r"(?:(?P<root>.*?)/)??(?:usr/)?lib/apk/db/installed$")
_NAME = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9+._@-]*").fullmatch
_FIELDS = frozenset({"C:", "P:", "V:", "A:", "o:", "L:", "I:", "m:", "D:", "p:"})
_BOUND = re.compile(r"[<>=~][^ ]*")
_OPERATOR = re.compile(r"[()]|\s(?:and|or|with)\s", re.IGNORECASE)


class Entry(NamedTuple):
    """One installed package. A plain JSON array in the stored fact."""

    name: str
    version: str
    arch: str
    origin: str
    license: str
    size: int
    maintainer: str
    files: str
    """As ``filelist.pack`` has it."""
    depends: str = ""
    """With blanks between, without versions: ``so:libc.musl-x86_64.so.1 busybox``."""
    provides: str = ""


@dataclass(frozen=True, slots=True)
class ApkAnalyzer:
    """apk packages. A fact is the entries of one database (arrays, see ``Entry``)."""

    name: str = "apk"
    version: int = 3
    options: str = ""
    wants: Wants = Wants(
        names=frozenset({"installed"}),
        match=lambda path, size, mode: _DATABASE.match(path) is not None,
        max_bytes=MAX_DATABASE,
    )
    limits: Limits = LIMITS

    def read(self, file: LayerFile) -> Json | None:
        """The entries of a database; of a damaged one those that can be read."""
        hits: list[str] = []
        reading = _read(up_to(text_pieces(file.data(), b"\n"), hits), self.limits["packages"], self.limits["files"])
        value: list[Json] = reading.entries
        for place, entry in enumerate(value):
            value[place] = list(entry)
        damage = reading.damage()
        damage = f"damaged: {damage}; {len(value)} packages were kept" if damage else ""
        if reading.hit:
            hits.append(self.limits.told("packages"))
        hits += (f"the files of {name} were left out: {self.limits.told('files')}" for name in reading.crowded[:1])
        hit = f"{'; '.join(hits)}; {len(value)} packages were kept" if hits else ""
        return partial(value, damage, hit) if damage or hit else value or None

    def assemble(self, view: View) -> Found:
        """One package per entry of a visible database."""
        packages: dict[tuple[str, str, str, str], Package] = {}
        owned: dict[str, Paths] = {}
        for fact in view.facts():
            place = _DATABASE.match(fact.path)
            root = (place["root"] if place else "") or ""
            layers = first_layers(view.history(fact.path), _identities)
            for row in fact.value:
                entry = Entry(*row)
                identity = (entry.name, entry.version, entry.arch)
                if (root, *identity) not in packages:
                    package = _package(entry, view, fact, view.diff_id(layers.get(identity, fact.layer)))
                    packages[(root, *identity)] = package
                    owned[package.purl] = Paths((entry.files,), root, packed=True)
        return Found(packages=tuple(packages.values()), owned=owned)


def parse(text: str) -> tuple[list[Entry], str]:
    """Every entry in its order, and what could not be read, in words or empty."""
    reading = _read([text])
    return reading.entries, reading.damage()


def _read(pieces: Iterable[str], most: int = 1 << 63, most_files: int = 1 << 63) -> _Reading:
    """The entries of a database that comes in pieces of whole lines."""
    reading, draft, number, end = _Reading(most, most_files), _Draft(1), 0, "\n"
    for piece in pieces:
        end = piece[-1:] or end
        # What follows the last line's end is no line, but for that of the whole text, which ends an entry anyway.
        for line in piece.removesuffix("\n").split("\n"):
            number += 1
            # An entry begins with its checksum, so where the empty line before it is missing it shows.
            if draft.is_begun if not line else (line[:2] in ("C:", "P:") and "P:" in draft.values):
                reading.take(draft)
                draft = _Draft(number + (not line))
            draft.add(line)
        draft.bound(most_files)
    if draft.is_begun:
        reading.take(draft)
    reading.cut = end != "\n"
    return reading


@dataclass(slots=True)
class _Reading:
    """What was read so far, and what is the matter with it."""

    most: int
    most_files: int
    entries: list[Entry] = field(default_factory=list)
    total: int = 0
    broken: int = 0
    broken_at: int = 0
    junk: int = 0
    junk_at: int = 0
    hit: bool = False
    """Whether there are more entries than may be."""
    crowded: list[str] = field(default_factory=list)
    """Packages with more files than may be, which are left out."""
    cut: bool = False

    def take(self, draft: _Draft) -> None:
        """An entry whose lines are all in."""
        self.total += 1
        if not draft.usable:
            self.broken += 1
            self.broken_at = self.broken_at or draft.line
        elif len(self.entries) >= self.most:
            self.hit = True
        else:
            draft.bound(self.most_files)
            self.entries.append(draft.entry())
            if draft.crowded:
                self.crowded.append(self.entries[-1].name)
            if draft.junk:
                self.junk += 1
                self.junk_at = self.junk_at or draft.line

    def damage(self) -> str:
        """In words what could not be read, or empty."""
        found = []
        if self.broken:
            first = f"the first from line {self.broken_at}"
            found.append(f"{self.broken} of {self.total} entries without a usable name or version, {first}")
        if self.junk:
            found.append(f"lines of another form in {self.junk} entries, the first from line {self.junk_at}")
        if self.cut:
            found.append("the last line has no end, so the file may be cut short")
        return "; ".join(found)


@dataclass(slots=True)
class _Draft:
    """An entry while its lines come in."""

    line: int
    values: dict[str, str] = field(default_factory=dict)
    files: dict[str, list[str]] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    junk: bool = False
    crowded: bool = False

    def add(self, line: str) -> None:
        """One more line, which may be empty."""
        key = line[:2]
        if key == "R:":
            self.names.append(line[2:])
        elif key == "F:":
            self.names = self.files.setdefault(line[2:], [])
        elif key in _FIELDS:
            self.values[key] = line[2:].strip()
        elif line and line[1:2] != ":":
            self.junk = True

    def bound(self, most: int) -> None:
        """Forget the files where they are, or were, too many."""
        count = len(self.files) + sum(map(len, self.files.values())) if self.files else len(self.names)
        if self.crowded or count > most:
            self.crowded = True
            self.files, self.names = {}, []

    @property
    def is_begun(self) -> bool:
        return bool(self.values or self.files or self.junk or self.crowded)

    @property
    def usable(self) -> bool:
        name, version = self.values.get("P:", ""), self.values.get("V:", "")
        return bool(_NAME(name) and version and version.isprintable() and " " not in version)

    def entry(self) -> Entry:
        """The entry as it is stored."""
        values = {key: printable(value) for key, value in self.values.items()}
        get = values.get
        size = get("I:", "")
        return Entry(
            name=values["P:"],
            version=values["V:"],
            arch=get("A:", ""),
            origin=get("o:", "") or values["P:"],
            license=get("L:", ""),
            size=int(size[:18]) if size.isdecimal() else 0,
            maintainer=get("m:", ""),
            files=pack(self.files.items()),
            depends=_BOUND.sub("", get("D:", "")),
            provides=_BOUND.sub("", get("p:", "")),
        )


def _identities(value: Json) -> Iterable[tuple[str, str, str]]:
    return ((row[0], row[1], row[2]) for row in value)


def _package(entry: Entry, view: View, fact: Fact, layer: DiffId) -> Package:
    return Package(
        name=entry.name,
        version=entry.version,
        type="apk",
        scheme="apk",
        purl=_purl(entry, view.distro),
        arch=entry.arch,
        source=entry.origin,
        # Every package of an origin is built in one go and bears its version.
        source_version=entry.version,
        licenses=_licenses(entry.license),
        locations=(view.location(fact),),
        layer=layer,
        analyzer="apk",
        vendor=entry.maintainer,
        size=entry.size,
        depends=tuple(name for name in names(entry.depends) if name[0] != "!"),
        provides=names(entry.provides),
    )


def _purl(entry: Entry, distro: Distro | None) -> str:
    upstream = entry.origin if entry.origin != entry.name else ""
    return os_purl("apk", distro, entry.name, entry.version, {"arch": entry.arch, "upstream": upstream})


def _licenses(text: str) -> tuple[str, ...]:
    """The SPDX expression; before 2019 Alpine listed names with blanks between them: ``MIT BSD GPL2+``."""
    words = text.split()
    listed = len(words) > 1 and not _OPERATOR.search(text) and not identifier(" ".join(words))
    if listed and any(identifier(word) for word in words):
        return normalise(words)
    return normalise([expression(text)])
