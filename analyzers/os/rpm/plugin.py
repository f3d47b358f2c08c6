"""Packages installed by rpm, from each of its three databases and from the manifest of distroless images.

Format: see ``sqlite.py``, ``ndb.py``, ``bdb.py`` and ``manifest.py`` for the containers, ``header.py`` for what is in
them. The back end is told by the file's magic: names were kept when the format changed.

Emits: packages of the type ``rpm``, with source package, module, licence, vendor, size, and the paths each owns.

Not handled: which files were really unpacked (``%ghost``, ``--nodocs``): all that a package lists count as its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, starmap
from typing import BinaryIO

from anchorecli.analyzers.base import Fact, Found, LayerFile, View, Wants, partial
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.licenses import normalise
from anchorecli.analyzers.limits import Limit, Limits
from anchorecli.analyzers.os.attribution import first_layers, names
from anchorecli.analyzers.os.filelist import Paths
from anchorecli.analyzers.os.rpm import bdb, manifest, ndb, sqlite
from anchorecli.analyzers.os.rpm.header import Header, HeaderError, parse
from anchorecli.analyzers.purl import os_purl
from anchorecli.model import DiffId, Json, Package, Problem
from anchorecli.places import hashed
from anchorecli.values import dataclass

MAX_DATABASE = 512 * 1024 * 1024
LIMITS = Limits(
    "rpm",
    (
        Limit("packages", 100_000, "packages in one database"),
        # A million files have half of it.
        Limit("path-bytes", 48 * 1024 * 1024, "characters of all file lists together"),
        # Ten thousand packages of Fedora have half of it.
        Limit("relation-bytes", 24 * 1024 * 1024, "characters of what all packages require and provide"),
        Limit("text-bytes", 32 * 1024 * 1024, "characters of all names, versions, licences and vendors together"),
    ),
)

_PLACE = re.compile(
    r"(?:(?P<root>.*?)/)??"
    r"(?:(?:var/lib|usr/lib/sysimage|usr/share)/rpm/(?:Packages|Packages\.db|rpmdb\.sqlite|rpmdb\.sqlite-wal)"
    r"|var/lib/rpmmanifest/container-manifest-2)$"
)
_WAL = "-wal"
_RANK = {"sqlite": 0, "ndb": 1, "bdb": 2, "manifest": 3}
_FILES, _DEPENDS, _PROVIDES = map(Header._fields.index, ("files", "depends", "provides"))
_COMPACT_FROM = 4 * 1024 * 1024
_SOURCE = re.compile(r"(?P<name>.+)-(?P<version>[^-]+-[^-]+)\.(?:src|nosrc)\.rpm$")

Backend = Callable[[BinaryIO, int, list[str]], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class RpmAnalyzer:
    """rpm packages.

    A fact is an array: its first row ``[backend]``, each further one a package (see Header); or ``{"frames": n}`` of a
    write-ahead log.
    """

    name: str = "rpm"
    version: int = 4
    options: str = ""
    wants: Wants = Wants(
        names=frozenset({"Packages", "Packages.db", "rpmdb.sqlite", "rpmdb.sqlite-wal", "container-manifest-2"}),
        match=lambda path, size, mode: _PLACE.match(path) is not None,
        max_bytes=MAX_DATABASE,
    )
    limits: Limits = LIMITS

    def read(self, file: LayerFile) -> Json | None:
        """The packages of one database; of a damaged one those that can be read."""
        with file.open() as stream:
            if file.path.endswith(_WAL):
                frames = sqlite.wal_frames(stream)
                return {"frames": frames} if frames else None
            damage: list[str] = []
            hit: list[str] = []
            backend, headers = _opened(file, stream, damage)
            rows: list[Json] = [[backend]]
            rows += map(list, _within(headers, self.limits, hit))
        _relate(rows)
        if not damage and not hit:
            return rows
        more = f" (and {len(damage) - 1} more)" if len(damage) > 1 else ""
        said = f"damaged: {damage[0]}{more}; {len(rows) - 1} packages were kept" if damage else ""
        return partial(rows, said, "; ".join(hit))

    def assemble(self, view: View) -> Found:
        """One package per header of the visible databases; of several in one directory the newest format counts."""
        chosen, problems = _choose(view)
        packages: dict[tuple[str, str, str, str], Package] = {}
        owned: dict[str, Paths] = {}
        for fact in chosen:
            place = _PLACE.match(fact.path)
            root = (place["root"] if place else "") or ""
            layers = first_layers(view.history(fact.path), _identities)
            for header in _headers(fact.value):
                identity = (header.name, _version(header), header.arch)
                if (root, *identity) not in packages:
                    package = _package(header, view, fact, view.diff_id(layers.get(identity, fact.layer)))
                    packages[(root, *identity)] = package
                    owned[package.purl] = Paths((header.files,), root, packed=True)
        return Found(packages=tuple(packages.values()), owned=owned, problems=tuple(problems))


def _opened(file: LayerFile, stream: BinaryIO, damage: list[str]) -> tuple[str, Iterator[Header]]:
    """Which kind of database it is, and its packages."""
    if file.path.endswith("container-manifest-2"):
        return "manifest", iter(manifest.parse(printable(stream.read()), damage))
    name, headers = _backend(stream.read(16))
    if headers is None:
        damage.append(f"no rpm database by its first bytes ({file.size} bytes in all)")
        return name, iter(())
    return name, _parsed(headers(stream, file.size, damage), damage)


def _parsed(blobs: Iterator[bytes], damage: list[str]) -> Iterator[Header]:
    for blob in blobs:
        try:
            yield parse(blob, damage)
        except HeaderError as exc:
            damage.append(str(exc))


def _within(headers: Iterator[Header], limits: Limits, hit: list[str]) -> Iterator[Header]:
    """The headers that are packages, within bounds; what is left out for their sake is told in ``hit``."""
    paths, relations, texts = limits["path-bytes"], limits["relation-bytes"], limits["text-bytes"]
    for number, header in enumerate(headers):
        # Keys that signatures are checked with are kept as if they were packages.
        if header.name == "gpg-pubkey":
            continue
        texts -= sum(len(text) for text in header[:_FILES] if isinstance(text, str))
        if number >= limits["packages"] or texts < 0:
            hit.append(
                f"{limits.told('packages' if texts >= 0 else 'text-bytes')}; those before {header.name} were kept"
            )
            return
        if len(header.files) > paths:
            hit.append(f"the files of {header.name} were left out: {limits.told('path-bytes')}")
            header = header._replace(files="")
        if len(header.depends) + len(header.provides) > relations:
            hit.append(f"what {header.name} requires and provides was left out: {limits.told('relation-bytes')}")
            header = header._replace(depends="", provides="")
        paths -= len(header.files)
        relations -= len(header.depends) + len(header.provides)
        yield header


def _relate(rows: list[Json]) -> None:
    """Of what packages provide leave them what others ask for alone: a library provides a name for each of its symbols.

    In place: there may be a hundred thousand of them.
    """
    packages = rows[1:]
    compact = sum(len(row[_DEPENDS]) + len(row[_PROVIDES]) for row in packages) > _COMPACT_FROM
    required = hashed((name for row in packages for name in row[_DEPENDS].split()), compact=compact)
    provided = hashed((name for row in packages for name in (row[0], *row[_PROVIDES].split())), compact=compact)
    for row in packages:
        row[_DEPENDS] = " ".join(name for name in row[_DEPENDS].split() if hash(name) in provided)
        row[_PROVIDES] = " ".join(name for name in row[_PROVIDES].split() if hash(name) in required)


def _backend(head: bytes) -> tuple[str, Backend | None]:
    if head == sqlite.MAGIC:
        return "sqlite", sqlite.headers
    if head[:4] == ndb.MAGIC:
        return "ndb", ndb.headers
    if head[12:16] in bdb.MAGICS:
        return "bdb", bdb.headers
    return "unknown", None


def _choose(view: View) -> tuple[list[Fact], list[Problem]]:
    """The databases to believe, one for each directory, and what must be said of the others."""
    directories: dict[str, list[Fact]] = {}
    logs: list[Fact] = []
    for fact in view.facts():
        if fact.path.endswith(_WAL):
            logs.append(fact)
        else:
            directories.setdefault(fact.path.rpartition("/")[0], []).append(fact)
    chosen, problems = [], []
    for facts in directories.values():
        facts.sort(key=_preference)
        chosen.append(facts[0])
        for fact in facts[1:]:
            if any(_headers(fact.value)):
                message = f"not counted: {facts[0].path} beside it is a newer kind of database"
                problems.append(Problem("analyze", fact.path, message, "remove the one that rpm does not use", False))
    for log in logs:
        database = log.path.removesuffix(_WAL)
        if any(fact.path == database and fact.layer <= log.layer for fact in chosen):
            message = f"a write-ahead log of {log.value['frames']} pages was not read"
            hint = "the last changes of packages may be missing; run any rpm command in the image's build to merge it"
            problems.append(Problem("analyze", log.path, message, hint))
    return chosen, problems


def _preference(fact: Fact) -> tuple[bool, int]:
    """Of databases in one directory the lowest counts."""
    return not any(_headers(fact.value)), _RANK.get(next(iter(fact.value))[0], 9)


def _headers(value: Json) -> Iterator[Header]:
    """The packages of a database's fact."""
    return starmap(Header, islice(value, 1, None))


def _identities(value: Json) -> Iterable[tuple[str, str, str]]:
    for header in _headers(value):
        yield header.name, _version(header), header.arch


def _version(header: Header) -> str:
    plain = f"{header.version}-{header.release}"
    return f"{header.epoch}:{plain}" if header.epoch else plain


def _package(header: Header, view: View, fact: Fact, layer: DiffId) -> Package:
    source = _SOURCE.match(header.source)
    plain = f"{header.version}-{header.release}"
    qualifiers = {
        "arch": header.arch,
        "epoch": str(header.epoch) if header.epoch else "",
        "upstream": header.source,
        "rpmmod": header.module,
    }
    return Package(
        name=header.name,
        version=_version(header),
        type="rpm",
        scheme="rpm",
        purl=os_purl("rpm", view.distro, header.name, plain, qualifiers),
        arch=header.arch,
        source=source["name"] if source else header.name,
        # A source package's file name has no epoch: it must not be taken for 0.
        source_version=source["version"] if source else _version(header),
        licenses=normalise([header.license]),
        locations=(view.location(fact),),
        layer=layer,
        analyzer="rpm",
        vendor=header.vendor,
        module=header.module,
        size=header.size,
        depends=names(header.depends),
        provides=names(header.provides),
    )
